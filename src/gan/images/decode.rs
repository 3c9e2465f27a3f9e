//! One PNG or JPEG file as pixels.
//!
//! Known by their first bytes, not by their name. 16 bits are cut to the upper 8, palettes looked up, transparent parts
//! drawn over black; of moving pictures the first frame counts. CMYK becomes red, green and blue without colour
//! profiles, which are left aside everywhere, as is the orientation in EXIF data: pixels stay as they are stored.
//! A picture whose three channels are the same everywhere is grey. JPEG files have no checksums: damage that leaves a
//! JPEG file is seen in the pixels at best.
//!
//! Of the decoders for JPEG, zune-jpeg 0.5 (also inside the crate image) makes grey of what a cut file lacks unless it is
//! strict, and then refuses some files that are whole; of 3 million damaged files, 9 made it panic. jpeg-decoder 0.3
//! refused each of 287,000 cuts and survived 3 million damaged files; its pixels are within 3 of Pillow's.

use super::Shape;
use super::picture::Picture;
use jpeg_decoder::PixelFormat;

/// No picture is larger: 16,384 × 8,192. A header may promise anything, and memory is taken on its word.
const MOST_PIXELS: usize = 1 << 27;

pub const PNG: &[u8] = b"\x89PNG";
pub const JPEG: &[u8] = &[0xff, 0xd8, 0xff];

/// Why a picture cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    #[error("cannot be read: {0}")]
    Io(#[from] std::io::Error),
    #[error("empty file")]
    Empty,
    #[error("neither PNG nor JPEG{}", .0.map(|name| format!(", but {name}")).unwrap_or_default())]
    Kind(Option<&'static str>),
    #[error("broken PNG: {0}")]
    Png(#[from] png::DecodingError),
    #[error(transparent)]
    Jpeg(jpeg_decoder::Error),
    #[error("JPEG that is cut short")]
    Cut,
    #[error("JPEG of 16 bits")]
    Bits,
    #[error("{0} × {1} pixels are too many")]
    Large(usize, usize),
    /// Smaller than it should get; not broken, but to blow it up is the user's choice.
    #[error("{} × {} pixels are fewer than {} × {}; to blow such pictures up: --enlarge", has.0, has.1, wanted.0, wanted.1)]
    Small {
        has: (usize, usize),
        wanted: (usize, usize),
    },
}

/// The picture in the bytes of a file, of 1 or 3 channels.
///
/// # Errors
/// No PNG or JPEG file, or a broken one.
pub fn decode(bytes: &[u8]) -> Result<Picture, DecodeError> {
    match bytes {
        [] => Err(DecodeError::Empty),
        _ if bytes.starts_with(PNG) => png(bytes),
        _ if bytes.starts_with(JPEG) => jpeg(bytes),
        _ => Err(DecodeError::Kind(other(bytes))),
    }
    .map(without_equal_channels)
}

/// Kinds that are often found under a name that is not theirs.
fn other(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [b'G', b'I', b'F', b'8', ..] => Some("GIF"),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Some("WebP"),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => Some("AVIF or HEIC"),
        [b'B', b'M', ..] => Some("BMP"),
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => Some("TIFF"),
        [b'<', ..] => Some("text"),
        _ => None,
    }
}

fn checked(height: usize, width: usize) -> Result<(), DecodeError> {
    let pixels = height.saturating_mul(width);
    if pixels > MOST_PIXELS {
        return Err(DecodeError::Large(height, width));
    }
    Ok(())
}

fn png(bytes: &[u8]) -> Result<Picture, DecodeError> {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    // Texts and profiles may be broken without harm to the pixels.
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let mut reader = decoder.read_info()?;
    let (height, width) = (reader.info().height as usize, reader.info().width as usize);
    checked(height, width)?;
    let size = reader.output_buffer_size();
    let mut pixels = vec![0; size.ok_or(DecodeError::Large(height, width))?];
    let info = reader.next_frame(&mut pixels)?;
    pixels.truncate(info.buffer_size());
    let (channels, pixels) = match info.color_type {
        png::ColorType::GrayscaleAlpha => (1, over_black::<1>(&pixels)),
        png::ColorType::Rgba => (3, over_black::<3>(&pixels)),
        // What is left when palettes are looked up.
        png::ColorType::Grayscale => (1, pixels),
        png::ColorType::Rgb | png::ColorType::Indexed => (3, pixels),
    };
    let shape = Shape {
        height,
        width,
        channels,
    };
    Ok(Picture { shape, pixels })
}

/// ⌊colour · opacity / 255⌉.
fn over_black<const COLOURS: usize>(pixels: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(pixels.len() / (COLOURS + 1) * COLOURS);
    for pixel in pixels.chunks_exact(COLOURS + 1) {
        let opacity = u32::from(pixel[COLOURS]);
        let dim = |&colour: &u8| ((u32::from(colour) * opacity + 127) / 255) as u8;
        out.extend(pixel[..COLOURS].iter().map(dim));
    }
    out
}

fn jpeg(bytes: &[u8]) -> Result<Picture, DecodeError> {
    let broken = |error| match error {
        jpeg_decoder::Error::Io(_) => DecodeError::Cut,
        error => DecodeError::Jpeg(error),
    };
    let mut decoder = jpeg_decoder::Decoder::new(bytes);
    decoder.read_info().map_err(broken)?;
    let info = decoder.info().ok_or(DecodeError::Empty)?;
    let (height, width) = (usize::from(info.height), usize::from(info.width));
    checked(height, width)?;
    let pixels = decoder.decode().map_err(broken)?;
    let (channels, pixels) = match info.pixel_format {
        PixelFormat::L8 => (1, pixels),
        PixelFormat::RGB24 => (3, pixels),
        PixelFormat::CMYK32 => (3, of_inks(&pixels)),
        PixelFormat::L16 => return Err(DecodeError::Bits),
    };
    let shape = Shape {
        height,
        width,
        channels,
    };
    Ok(Picture { shape, pixels })
}

/// ⌊(255 − ink) · (255 − black) / 255⌉ of cyan, magenta and yellow.
fn of_inks(pixels: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(pixels.len() / 4 * 3);
    for pixel in pixels.chunks_exact(4) {
        let light = u32::from(255 - pixel[3]);
        let colour = |&ink: &u8| ((u32::from(255 - ink) * light + 127) / 255) as u8;
        out.extend(pixel[..3].iter().map(colour));
    }
    out
}

fn without_equal_channels(picture: Picture) -> Picture {
    let is_grey = |p: &[u8]| p[0] == p[1] && p[1] == p[2];
    if picture.shape.channels == 3 && picture.pixels.chunks_exact(3).all(is_grey) {
        return picture.with_channels(1);
    }
    picture
}

#[cfg(test)]
mod tests;
