//! What image networks learn from, and the pictures they make.
//!
//! | module | what is in it |
//! |---|---|
//! | [`open`] | a path of any kind as [`Images`] |
//! | [`idx`] | the files of the MNIST family |
//! | [`folder`], [`decode`] | folders of PNG and JPEG files, and one such file |
//! | [`resize`], [`frame`] | another size; a black frame for networks of another size |
//! | [`picture`], [`grid`] | PNG files, moving or not; many images in one |
//! | [`toys`], [`scatter`] | points of the plane, and the picture of them |
//!
//! Pixels are bytes in the order image, row, column, channel. Networks see b / 127.5 − 1, which is −1 to 1
//! (Radford et al. 2016, section 4).

pub mod decode;
mod error;
pub mod folder;
pub mod frame;
pub mod grid;
pub mod idx;
pub mod open;
pub mod picture;
pub mod resize;
pub mod scatter;
pub mod toys;

pub use error::ImagesError;

use crate::spill::Bytes;
use frame::Frame;

/// Rows, columns and channels of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub height: usize,
    pub width: usize,
    /// 1 is grey, 3 is red, green and blue.
    pub channels: usize,
}

impl Shape {
    /// The numbers that an image of this shape has.
    pub fn values(self) -> usize {
        self.height * self.width * self.channels
    }
}

/// Images of one shape, in memory or in a mapped file.
pub struct Images {
    shape: Shape,
    count: usize,
    /// Where the first pixel is.
    start: usize,
    bytes: Bytes,
    labels: Option<Vec<u32>>,
    classes: Vec<String>,
}

impl Images {
    /// Images whose pixels follow each other from byte `start` to the end.
    ///
    /// # Errors
    /// No image, or bytes that are left over.
    pub fn new(shape: Shape, bytes: Bytes, start: usize) -> Result<Images, ImagesError> {
        let found = bytes.as_slice().len().saturating_sub(start);
        let values = shape.values();
        if values == 0 || found == 0 {
            return Err(ImagesError::NoPixels);
        }
        if !found.is_multiple_of(values) {
            return Err(ImagesError::Pixels { found, values });
        }
        Ok(Images {
            shape,
            count: found / values,
            start,
            bytes,
            labels: None,
            classes: Vec::new(),
        })
    }

    /// Images that were made.
    ///
    /// # Errors
    /// As [`Images::new`].
    pub fn of_pixels(shape: Shape, pixels: Vec<u8>) -> Result<Images, ImagesError> {
        Images::new(shape, Bytes::Memory(pixels), 0)
    }

    /// The same images with a class each, by its number in `classes`.
    ///
    /// # Errors
    /// Another number of labels than of images, or a label without a class.
    pub fn labelled(self, labels: Vec<u32>, classes: Vec<String>) -> Result<Images, ImagesError> {
        if labels.len() != self.count {
            return Err(ImagesError::Labels {
                labels: labels.len(),
                images: self.count,
            });
        }
        if let Some(&label) = labels.iter().find(|&&l| l as usize >= classes.len()) {
            return Err(ImagesError::Class {
                label,
                classes: classes.len(),
            });
        }
        Ok(Images {
            labels: Some(labels),
            classes,
            ..self
        })
    }

    pub fn shape(&self) -> Shape {
        self.shape
    }

    #[allow(clippy::len_without_is_empty, reason = "there is at least one image")]
    pub fn len(&self) -> usize {
        self.count
    }

    /// The class of each image, when classes are known.
    pub fn labels(&self) -> Option<&[u32]> {
        self.labels.as_deref()
    }

    /// The names of the classes; empty when they are not known.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The pixels of all images.
    pub fn pixels(&self) -> &[u8] {
        &self.bytes.as_slice()[self.start..]
    }

    /// The pixels of one image: (height, width, channels).
    pub fn image(&self, number: usize) -> &[u8] {
        let values = self.shape.values();
        &self.pixels()[number * values..][..values]
    }

    /// Puts an image into `out` (height, width, channels) as numbers from −1 to 1, the left on the right when mirrored.
    pub fn write_into(&self, number: usize, mirror: bool, out: &mut [f32]) {
        Frame::none(self.shape).write_into(self.image(number), mirror, out);
    }

    /// A checksum of shape, pixels and labels, the same for the same images from any kind of file.
    pub fn fingerprint(&self) -> u32 {
        let mut crc = crc32fast::Hasher::new();
        let Shape {
            height,
            width,
            channels,
        } = self.shape;
        for number in [self.count, height, width, channels] {
            crc.update(&(number as u64).to_le_bytes());
        }
        crc.update(self.pixels());
        for label in self.labels.iter().flatten() {
            crc.update(&label.to_le_bytes());
        }
        crc.finalize()
    }
}

/// A byte as networks see it.
pub fn unit_of(byte: u8) -> f32 {
    f32::from(byte) / 127.5 - 1.0
}

/// What networks make, as bytes: ⌊(x + 1) · 127.5⌉, within 0 and 255; not a number is 0.
pub fn bytes_of(units: &[f32]) -> Vec<u8> {
    let byte = |x: &f32| ((x + 1.0) * 127.5).round() as u8;
    units.iter().map(byte).collect()
}

#[cfg(test)]
mod tests;
