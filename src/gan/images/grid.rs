//! Many images in one picture, row by row.

use super::Shape;
use super::picture::Picture;

/// How images are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Images in a row; without it as many as make the picture about square: ⌈√n⌉.
    pub columns: Option<usize>,
    /// Pixels between images, and around all.
    pub gap: usize,
    /// What the gap is painted with, in every channel.
    pub paint: u8,
}

impl Default for Grid {
    fn default() -> Grid {
        Grid {
            columns: None,
            gap: 2,
            paint: 255,
        }
    }
}

impl Grid {
    /// Draws images of one shape; the last row may be short.
    pub fn draw(&self, shape: Shape, images: &[&[u8]]) -> Picture {
        let near_square = || (images.len() as f64).sqrt().ceil() as usize;
        let columns = self.columns.unwrap_or_else(near_square).max(1);
        let rows = images.len().div_ceil(columns).max(1);
        let (step_down, step_right) = (shape.height + self.gap, shape.width + self.gap);
        let whole = Shape {
            height: rows * step_down + self.gap,
            width: columns * step_right + self.gap,
            channels: shape.channels,
        };
        let mut pixels = vec![self.paint; whole.values()];
        let row = shape.width * shape.channels;
        for (number, image) in images.iter().enumerate() {
            let top = number / columns * step_down + self.gap;
            let left = number % columns * step_right + self.gap;
            for (y, from) in image.chunks_exact(row).enumerate() {
                let at = ((top + y) * whole.width + left) * shape.channels;
                pixels[at..][..row].copy_from_slice(from);
            }
        }
        Picture {
            shape: whole,
            pixels,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(height: usize, width: usize, channels: usize) -> Shape {
        Shape {
            height,
            width,
            channels,
        }
    }

    #[test]
    fn images_stand_in_rows() {
        let grid = Grid {
            columns: Some(2),
            gap: 1,
            paint: 9,
        };
        let picture = grid.draw(shape(1, 2, 1), &[&[1, 2], &[3, 4], &[5, 6]]);
        assert_eq!(picture.shape, shape(5, 7, 1));
        #[rustfmt::skip]
        let expected = [
            9, 9, 9, 9, 9, 9, 9,
            9, 1, 2, 9, 3, 4, 9,
            9, 9, 9, 9, 9, 9, 9,
            9, 5, 6, 9, 9, 9, 9,
            9, 9, 9, 9, 9, 9, 9,
        ];
        assert_eq!(picture.pixels, expected);
    }

    #[test]
    fn colours_stay_together() {
        let grid = Grid {
            columns: None,
            gap: 0,
            paint: 0,
        };
        let picture = grid.draw(shape(1, 1, 3), &[&[1, 2, 3], &[4, 5, 6]]);
        assert_eq!(
            (picture.shape, picture.pixels),
            (shape(1, 2, 3), vec![1, 2, 3, 4, 5, 6])
        );
    }

    #[test]
    fn the_picture_is_about_square() {
        for (images, columns, rows) in [(0, 1, 1), (1, 1, 1), (5, 3, 2), (64, 8, 8), (65, 9, 8)] {
            let images = vec![&[0_u8][..]; images];
            let picture = Grid::default().draw(shape(1, 1, 1), &images);
            assert_eq!(picture.shape, shape(3 * rows + 2, 3 * columns + 2, 1));
        }
    }
}
