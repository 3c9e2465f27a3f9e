//! A black frame around images, for networks that are larger: 28 × 28 pixels in the middle of 32 × 32.
//!
//! The frame is put around each image as it becomes numbers, and cut off again from what networks make. The margin
//! above is ⌊(H − h) / 2⌋ and the one at the left ⌊(W − w) / 2⌋; black is −1.

use super::{ImagesError, Shape, unit_of};

/// A shape in the middle of another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    inner: Shape,
    outer: Shape,
}

impl Frame {
    /// No frame: both shapes are the same.
    pub fn none(shape: Shape) -> Frame {
        Frame {
            inner: shape,
            outer: shape,
        }
    }

    /// A frame of `height` by `width` around images of a shape.
    ///
    /// # Errors
    /// They do not fit.
    pub fn around(inner: Shape, height: usize, width: usize) -> Result<Frame, ImagesError> {
        if height < inner.height || width < inner.width {
            return Err(ImagesError::Frame {
                inner: (inner.height, inner.width),
                outer: (height, width),
            });
        }
        let outer = Shape {
            height,
            width,
            ..inner
        };
        Ok(Frame { inner, outer })
    }

    pub fn inner(&self) -> Shape {
        self.inner
    }

    pub fn outer(&self) -> Shape {
        self.outer
    }

    /// Puts an image (h, w, c) with its frame into `out` (H, W, c) as numbers from −1 to 1.
    pub fn write_into(&self, image: &[u8], mirror: bool, out: &mut [f32]) {
        let (channels, row) = (self.inner.channels, self.row());
        if self.inner != self.outer {
            out.fill(-1.0);
        }
        for (y, from) in image.chunks_exact(row).enumerate() {
            let to = &mut out[self.at(y)..][..row];
            if mirror {
                let columns = from.chunks_exact(channels).rev().flatten();
                to.iter_mut()
                    .zip(columns)
                    .for_each(|(x, b)| *x = unit_of(*b));
            } else {
                to.iter_mut().zip(from).for_each(|(x, b)| *x = unit_of(*b));
            }
        }
    }

    /// What is inside the frames of some images: (n, H, W, c) → (n, h, w, c).
    pub fn crop<T: Copy>(&self, framed: &[T]) -> Vec<T> {
        let row = self.row();
        let mut out = Vec::with_capacity(framed.len() / self.outer.values() * self.inner.values());
        for image in framed.chunks_exact(self.outer.values()) {
            for y in 0..self.inner.height {
                out.extend_from_slice(&image[self.at(y)..][..row]);
            }
        }
        out
    }

    /// The numbers of a row of the inner shape.
    fn row(&self) -> usize {
        self.inner.width * self.inner.channels
    }

    /// Where row `y` of the inner shape begins in the outer one.
    fn at(&self, y: usize) -> usize {
        let top = (self.outer.height - self.inner.height) / 2;
        let left = (self.outer.width - self.inner.width) / 2;
        ((top + y) * self.outer.width + left) * self.inner.channels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INNER: Shape = Shape {
        height: 1,
        width: 2,
        channels: 1,
    };

    #[test]
    fn the_frame_is_black() {
        let frame = Frame::around(INNER, 3, 4).unwrap();
        let mut out = [9.0; 12];
        frame.write_into(&[255, 51], false, &mut out);
        // 51 / 127.5 − 1 = −0.6
        #[rustfmt::skip]
        let expected = [
            -1.0, -1.0, -1.0, -1.0,
            -1.0,  1.0, -0.6, -1.0,
            -1.0, -1.0, -1.0, -1.0,
        ];
        let near = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-6;
        assert!(out.iter().zip(&expected).all(near), "{out:?}");
    }

    #[test]
    fn an_odd_pixel_is_below_and_at_the_right() {
        let frame = Frame::around(INNER, 2, 3).unwrap();
        let mut out = [9.0; 6];
        frame.write_into(&[255, 255], false, &mut out);
        assert_eq!(out, [1.0, 1.0, -1.0, -1.0, -1.0, -1.0]);
    }

    #[test]
    fn mirrored_pixels_keep_their_colour() {
        let shape = Shape {
            channels: 3,
            ..INNER
        };
        let mut out = [9.0; 6];
        Frame::none(shape).write_into(&[255, 0, 0, 0, 0, 255], true, &mut out);
        assert_eq!(out, [-1.0, -1.0, 1.0, 1.0, -1.0, -1.0]);
    }

    #[test]
    fn cutting_the_frame_off_gives_the_images_back() {
        for (height, width) in [(1, 2), (2, 2), (3, 3), (5, 8)] {
            let frame = Frame::around(INNER, height, width).unwrap();
            let images = [[0, 255], [255, 0]];
            let mut framed = vec![9.0; 2 * frame.outer().values()];
            for (image, out) in images.iter().zip(framed.chunks_mut(height * width)) {
                frame.write_into(image, false, out);
            }
            assert_eq!(frame.crop(&framed), [-1.0, 1.0, 1.0, -1.0]);
        }
    }

    #[test]
    fn a_frame_that_is_too_small_is_refused() {
        let error = Frame::around(INNER, 3, 1).unwrap_err().to_string();
        assert_eq!(error, "images of 1 × 2 pixels do not fit into 3 × 1");
    }
}
