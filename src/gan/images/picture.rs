//! A picture, and the PNG files of one or, moving, of many.
//!
//! PNG as in ISO/IEC 15948:2004; moving pictures are the APNG frames of its third edition (W3C 2025), which every
//! browser shows, and of which other programs show the first.

use super::Shape;
use std::io::{Error, ErrorKind, Result, Write};

/// Pixels of some shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    pub shape: Shape,
    /// (height, width, channels)
    pub pixels: Vec<u8>,
}

impl Picture {
    /// The same in grey or in colours. Grey is 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601).
    pub fn with_channels(self, channels: usize) -> Picture {
        let grey = |p: &[u8]| {
            // The weights of 2^16 that Pillow uses: they sum to one, so that grey stays as it is.
            let sum = 19_595 * u32::from(p[0]) + 38_470 * u32::from(p[1]) + 7_471 * u32::from(p[2]);
            ((sum + (1 << 15)) >> 16) as u8
        };
        let pixels = match (self.shape.channels, channels) {
            (1, 3) => self.pixels.iter().flat_map(|&p| [p; 3]).collect(),
            (3, 1) => self.pixels.chunks_exact(3).map(grey).collect(),
            _ => return self,
        };
        let shape = Shape {
            channels,
            ..self.shape
        };
        Picture { shape, pixels }
    }

    /// Writes a PNG file of 8 bits, grey or in colours.
    ///
    /// # Errors
    /// `out` cannot be written.
    pub fn write_png(&self, out: impl Write) -> Result<()> {
        write_png(self.shape, &self.pixels, out)
    }
}

/// Writes the pixels (height, width, channels) of one image as a PNG file.
///
/// # Errors
/// `out` cannot be written.
pub fn write_png(shape: Shape, pixels: &[u8], mut out: impl Write) -> Result<()> {
    let mut writer = encoder(shape, &mut out)?.write_header().map_err(io)?;
    writer.write_image_data(pixels).map_err(io)?;
    // Dropping it would write the end, too, but swallow the error of a full disk.
    writer.finish().map_err(io)?;
    out.flush()
}

/// Writes frames of one shape as a PNG file that moves for ever, each frame shown for so many milliseconds.
///
/// # Errors
/// `out` cannot be written; no frame, or one of another shape than the first.
pub fn write_moving(frames: &[Picture], milliseconds: u16, mut out: impl Write) -> Result<()> {
    let invalid = |message| Error::new(ErrorKind::InvalidInput, message);
    let first = frames.first().ok_or_else(|| invalid("no frames"))?;
    if frames.iter().any(|frame| frame.shape != first.shape) {
        return Err(invalid("frames of different shapes"));
    }
    let mut encoder = encoder(first.shape, &mut out)?;
    encoder.set_animated(frames.len() as u32, 0).map_err(io)?;
    encoder.set_frame_delay(milliseconds, 1000).map_err(io)?;
    let mut writer = encoder.write_header().map_err(io)?;
    for frame in frames {
        writer.write_image_data(&frame.pixels).map_err(io)?;
    }
    writer.finish().map_err(io)?;
    out.flush()
}

fn encoder<W: Write>(shape: Shape, out: W) -> Result<png::Encoder<'static, W>> {
    let side = |pixels| u32::try_from(pixels).map_err(Error::other);
    let mut encoder = png::Encoder::new(out, side(shape.width)?, side(shape.height)?);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_color(match shape.channels {
        1 => png::ColorType::Grayscale,
        _ => png::ColorType::Rgb,
    });
    Ok(encoder)
}

fn io(error: png::EncodingError) -> Error {
    match error {
        png::EncodingError::IoError(error) => error,
        other => Error::other(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GREY: Shape = Shape {
        height: 1,
        width: 2,
        channels: 1,
    };

    fn frame(pixels: [u8; 2]) -> Picture {
        Picture {
            shape: GREY,
            pixels: pixels.to_vec(),
        }
    }

    /// The kinds of the chunks of a PNG file.
    fn chunks(mut file: &[u8]) -> Vec<String> {
        let mut kinds = Vec::new();
        file = &file[8..];
        while let [a, b, c, d, rest @ ..] = file {
            let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
            kinds.push(String::from_utf8(rest[..4].to_vec()).unwrap());
            file = &rest[length + 8..];
        }
        kinds
    }

    #[test]
    fn colours_are_as_bright_as_they_seem() {
        let shape = Shape {
            height: 1,
            width: 4,
            channels: 3,
        };
        let pixels = vec![255, 0, 0, 0, 255, 0, 0, 0, 255, 77, 77, 77];
        let grey = Picture { shape, pixels }.with_channels(1);
        // 0.299 · 255 = 76.2, 0.587 · 255 = 149.7, 0.114 · 255 = 29.07
        assert_eq!(grey.pixels, [76, 150, 29, 77]);
        assert_eq!(
            grey.with_channels(3).pixels[..6],
            [76, 76, 76, 150, 150, 150]
        );
    }

    #[test]
    fn a_picture_is_read_as_it_was_written() {
        for shape in [
            GREY,
            Shape {
                channels: 3,
                ..GREY
            },
        ] {
            let pixels = (0..shape.values() as u8).map(|i| i * 50).collect();
            let picture = Picture { shape, pixels };
            let mut file = Vec::new();
            picture.write_png(&mut file).unwrap();
            assert_eq!(chunks(&file), ["IHDR", "IDAT", "IEND"]);
            assert_eq!(super::super::decode::decode(&file).unwrap(), picture);
        }
    }

    #[test]
    fn frames_follow_each_other() {
        let frames = [frame([1, 2]), frame([3, 4]), frame([5, 6])];
        let mut file = Vec::new();
        write_moving(&frames, 40, &mut file).unwrap();
        let expected = "IHDR acTL fcTL IDAT fcTL fdAT fcTL fdAT IEND";
        assert_eq!(chunks(&file).join(" "), expected);
        let mut reader = png::Decoder::new(std::io::Cursor::new(&file))
            .read_info()
            .unwrap();
        for frame in &frames {
            let mut pixels = vec![0; 2];
            reader.next_frame(&mut pixels).unwrap();
            assert_eq!(pixels, frame.pixels);
            let delay = reader.info().frame_control.unwrap();
            assert_eq!((delay.delay_num, delay.delay_den), (40, 1000));
        }
    }

    #[test]
    fn frames_have_one_shape() {
        let other = Picture {
            shape: Shape { width: 1, ..GREY },
            pixels: vec![0],
        };
        let write = |frames: &[Picture]| {
            write_moving(frames, 40, Vec::new())
                .unwrap_err()
                .to_string()
        };
        assert_eq!(write(&[frame([0, 0]), other]), "frames of different shapes");
        assert_eq!(write(&[]), "no frames");
    }

    #[test]
    fn a_full_disk_is_noticed_wherever_it_is_full() {
        let mut file = Vec::new();
        frame([1, 2]).write_png(&mut file).unwrap();
        for room in 0..file.len() {
            let mut disk = vec![0; room];
            let error = frame([1, 2]).write_png(&mut disk[..]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::WriteZero, "{room}");
        }
        let mut file = Vec::new();
        write_moving(&[frame([1, 2]), frame([3, 4])], 40, &mut file).unwrap();
        for room in 0..file.len() {
            let mut disk = vec![0; room];
            let frames = [frame([1, 2]), frame([3, 4])];
            assert!(write_moving(&frames, 40, &mut disk[..]).is_err(), "{room}");
        }
    }
}
