//! A window that goes over an image: what it sees at each place as a row of values, and rows of values put back.
//!
//! ```text
//! place (i, j) sees rows i·s − p … i·s − p + k − 1 and as many columns; outside of the image all is 0
//! a row holds (row of the window, column of the window, channel), the last running fastest
//! ```
//!
//! Images are (height, width, channels): the channels of a pixel stand together, and so do the pixels of one row of the
//! window, so that a row is copied in k pieces.

use std::ops::Range;

/// A square window of `kernel` pixels, and the images that it goes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub height: usize,
    pub width: usize,
    pub channels: usize,
    pub kernel: usize,
    pub stride: usize,
    pub padding: usize,
}

impl Window {
    /// A layer that sees all of a row at once: an image of one pixel.
    pub fn dense(channels: usize) -> Window {
        Window {
            height: 1,
            width: 1,
            channels,
            kernel: 1,
            stride: 1,
            padding: 0,
        }
    }

    /// Rows and columns of places.
    pub fn places(&self) -> (usize, usize) {
        let along = |size| (size + 2 * self.padding - self.kernel) / self.stride + 1;
        (along(self.height), along(self.width))
    }

    /// Places of an image.
    pub fn count(&self) -> usize {
        let (rows, columns) = self.places();
        rows * columns
    }

    /// Values seen at a place.
    pub fn values(&self) -> usize {
        self.kernel * self.kernel * self.channels
    }

    /// Values of an image.
    pub fn image(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// Whether what is seen is the image as it lies in memory.
    pub fn is_whole(&self) -> bool {
        self.padding == 0 && self.kernel == self.height && self.kernel == self.width
            || self.kernel == 1 && self.stride == 1 && self.padding == 0
    }

    /// For formulas in tests: calls `pair` with each place and all that it sees, where in the image and where in the row.
    #[cfg(test)]
    pub fn each_seen(&self, mut pair: impl FnMut(usize, usize, usize)) {
        let (rows, columns) = self.places();
        for place in 0..rows * columns {
            for (i, j) in (0..self.kernel).flat_map(|i| (0..self.kernel).map(move |j| (i, j))) {
                let y = (place / columns * self.stride + i).wrapping_sub(self.padding);
                let x = (place % columns * self.stride + j).wrapping_sub(self.padding);
                if y < self.height && x < self.width {
                    for c in 0..self.channels {
                        let pixel = (y * self.width + x) * self.channels + c;
                        pair(place, pixel, (i * self.kernel + j) * self.channels + c);
                    }
                }
            }
        }
    }

    /// Calls `piece` with pieces that lie together: where in the row (from `columns.start` on), where in the image
    /// (nothing outside of it), how many values.
    #[inline(always)]
    fn pieces(
        &self,
        place: usize,
        columns: Range<usize>,
        mut piece: impl FnMut(usize, Option<usize>, usize),
    ) {
        let across = self.places().1;
        let top = (place / across * self.stride) as isize - self.padding as isize;
        let left = (place % across * self.stride) as isize - self.padding as isize;
        // Of one row of the window, and of the image.
        let (run, line) = (self.kernel * self.channels, self.width * self.channels);
        // Columns of the window's row that lie within the image.
        let first = (-left).clamp(0, self.kernel as isize) as usize * self.channels;
        let last =
            (self.width as isize - left).clamp(0, self.kernel as isize) as usize * self.channels;
        let mut at = columns.start;
        while at < columns.end {
            let (row, from) = (at / run, at % run);
            let to = run.min(from + columns.end - at);
            let y = top + row as isize;
            let place = at - columns.start;
            if y < 0 || y >= self.height as isize {
                piece(place, None, to - from);
            } else {
                let (low, high) = (first.clamp(from, to), last.clamp(from, to));
                if low > from {
                    piece(place, None, low - from);
                }
                if high > low {
                    let x = left * self.channels as isize + low as isize;
                    let start = y as usize * line + x as usize;
                    piece(place + low - from, Some(start), high - low);
                }
                if to > high {
                    piece(place + high - from, None, to - high);
                }
            }
            at += to - from;
        }
    }

    /// Some columns of the row that is seen at a place of `image`.
    #[inline(always)]
    pub fn look(&self, image: &[f32], place: usize, columns: Range<usize>, row: &mut [f32]) {
        self.pieces(place, columns, |at, start, n| match start {
            Some(start) => row[at..at + n].copy_from_slice(&image[start..start + n]),
            None => row[at..at + n].fill(0.0),
        });
    }

    /// Adds a row to what is seen at a place of `image`; what lies outside of it is lost.
    #[inline(always)]
    pub fn put(&self, row: &[f32], place: usize, image: &mut [f32]) {
        self.pieces(place, 0..self.values(), |at, start, n| {
            if let Some(start) = start {
                let sums = image[start..start + n].iter_mut();
                sums.zip(&row[at..at + n]).for_each(|(sum, v)| *sum += v);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_over_the_edge_sees_zeros_there() {
        let window = Window {
            height: 2,
            width: 3,
            channels: 1,
            kernel: 3,
            stride: 2,
            padding: 1,
        };
        assert_eq!(window.places(), (1, 2));
        let image = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let mut row = [9.0; 9];
        window.look(&image, 0, 0..9, &mut row);
        assert_eq!(row, [0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 0.0, 4.0, 5.0]);
        window.look(&image, 1, 0..9, &mut row);
        assert_eq!(row, [0.0, 0.0, 0.0, 2.0, 3.0, 0.0, 5.0, 6.0, 0.0]);
        let mut part = [9.0; 3];
        window.look(&image, 1, 2..5, &mut part);
        assert_eq!(part, [0.0, 2.0, 3.0]);
    }

    #[test]
    fn putting_back_is_the_transpose_of_looking() {
        let window = Window {
            height: 5,
            width: 4,
            channels: 3,
            kernel: 4,
            stride: 2,
            padding: 1,
        };
        let image: Vec<f32> = (0..window.image()).map(|i| (i as f32).sin()).collect();
        let row: Vec<f32> = (0..window.values()).map(|i| (i as f32).cos()).collect();
        for place in 0..window.count() {
            let (mut seen, mut put) = (row.clone(), vec![0.0; image.len()]);
            window.look(&image, place, 0..row.len(), &mut seen);
            window.put(&row, place, &mut put);
            let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
            assert!(
                (dot(&seen, &row) - dot(&image, &put)).abs() < 1e-4,
                "{place}"
            );
        }
    }
}
