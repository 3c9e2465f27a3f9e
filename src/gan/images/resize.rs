//! Pictures of another size: cut to the middle part of the wanted aspect, then resampled.
//!
//! ```text
//! out(i) = Σ w(i, j) in(j) / Σ w(i, j)        rows and columns one after the other, s = n_in / n_out
//! s ≥ 1      w = the length that [i s, (i + 1) s] and [j, j + 1] share        area averaging
//! s < 1      w = max(0, 1 − |(i + ½) s − ½ − j|)                              linear interpolation
//! ```
//!
//! Area averaging counts every pixel of a picture exactly once, so that fine patterns neither vanish nor turn into coarse
//! ones (Parmar, Zhang and Zhu 2022 show what filters without that do to Fréchet distances). Values are averaged as they
//! are stored, without undoing their gamma, as the programs do by which most data sets were made.

use super::Shape;
use super::picture::Picture;

/// The middle of a picture in another size, height and width.
pub fn fit(picture: &Picture, size: (usize, usize)) -> Picture {
    let (height, width) = size;
    let Shape {
        height: h,
        width: w,
        channels,
    } = picture.shape;
    if (h, w) == size {
        return picture.clone();
    }
    let rounded = |product: usize, by: usize| ((product + by / 2) / by).max(1);
    let (rows, columns) = if w * height > h * width {
        (h, rounded(h * width, height).min(w))
    } else {
        (rounded(w * height, width).min(h), w)
    };
    let (top, left) = ((h - rows) / 2, (w - columns) / 2);

    let mut wide = vec![0.0; rows * width * channels]; // (row, x, channel)
    let taps = Taps::new(columns, width);
    for (row, out) in wide.chunks_exact_mut(width * channels).enumerate() {
        let from = &picture.pixels[((top + row) * w + left) * channels..][..columns * channels];
        for (x, pixel) in out.chunks_exact_mut(channels).enumerate() {
            for (weight, at) in taps.of(x) {
                let source = &from[at * channels..][..channels];
                pixel
                    .iter_mut()
                    .zip(source)
                    .for_each(|(sum, &b)| *sum += weight * f32::from(b));
            }
        }
    }
    let mut pixels = Vec::with_capacity(height * width * channels); // (y, x, channel)
    let taps = Taps::new(rows, height);
    let mut sums = vec![0.0; width * channels];
    for y in 0..height {
        sums.fill(0.0);
        for (weight, at) in taps.of(y) {
            let row = &wide[at * width * channels..][..width * channels];
            sums.iter_mut()
                .zip(row)
                .for_each(|(sum, value)| *sum += weight * value);
        }
        pixels.extend(sums.iter().map(|sum: &f32| sum.round() as u8));
    }
    let shape = Shape {
        height,
        width,
        channels,
    };
    Picture { shape, pixels }
}

/// What each place of a resampled line takes from the line.
struct Taps {
    /// Weights that sum to one, and where the first of them lies.
    lines: Vec<(usize, Vec<f32>)>,
}

impl Taps {
    fn new(from: usize, to: usize) -> Taps {
        let step = from as f64 / to as f64;
        let lines = (0..to).map(|i| {
            let (first, weights) = match step >= 1.0 {
                true => area(i, from, to),
                false => linear((i as f64 + 0.5) * step - 0.5, from),
            };
            let sum: f64 = weights.iter().sum();
            (first, weights.iter().map(|w| (w / sum) as f32).collect())
        });
        Taps {
            lines: lines.collect(),
        }
    }

    fn of(&self, place: usize) -> impl Iterator<Item = (f32, usize)> {
        let (first, weights) = &self.lines[place];
        weights.iter().copied().zip(*first..)
    }
}

/// Lengths in units of 1 / `to`: whole numbers, so that no rounding adds a pixel.
fn area(i: usize, from: usize, to: usize) -> (usize, Vec<f64>) {
    let (low, high) = (i * from, (i + 1) * from);
    let (first, end) = (low / to, high.div_ceil(to));
    let share = |j| (high.min((j + 1) * to) - low.max(j * to)) as f64;
    (first, (first..end).map(share).collect())
}

/// At the ends the last pixel goes on.
fn linear(centre: f64, from: usize) -> (usize, Vec<f64>) {
    let centre = centre.clamp(0.0, from as f64 - 1.0);
    let first = centre.floor();
    let share = centre - first;
    match first as usize + 1 < from {
        true => (first as usize, vec![1.0 - share, share]),
        false => (first as usize, vec![1.0]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitted(shape: [usize; 3], pixels: &[u8], size: (usize, usize)) -> Vec<u8> {
        let [height, width, channels] = shape;
        let shape = Shape {
            height,
            width,
            channels,
        };
        let pixels = pixels.to_vec();
        let out = fit(&Picture { shape, pixels }, size);
        assert_eq!((out.shape.height, out.shape.width), size);
        assert_eq!(out.pixels.len(), out.shape.values());
        out.pixels
    }

    #[test]
    fn half_the_size_is_the_mean_of_squares() {
        #[rustfmt::skip]
        let pixels = [
            10, 20, 100, 100,
            30, 40, 100, 104,
        ];
        assert_eq!(fitted([2, 4, 1], &pixels, (1, 2)), [25, 101]);
    }

    #[test]
    fn pixels_between_two_are_shared() {
        // Three rows into two, as of a column: (2 · 0 + 90) / 3 and (90 + 2 · 240) / 3.
        assert_eq!(
            fitted([3, 3, 1], &[0, 0, 0, 90, 90, 90, 240, 240, 240], (2, 2)),
            [30, 30, 190, 190]
        );
    }

    #[test]
    fn the_middle_stays() {
        assert_eq!(fitted([1, 5, 1], &[1, 2, 3, 4, 5], (1, 1)), [3]);
        assert_eq!(fitted([4, 1, 1], &[1, 2, 3, 4], (2, 1)), [2, 3]);
        // The aspect 2 : 1 of 4 × 4 is 2 × 4, rows 1 and 2.
        let pixels: Vec<u8> = (0..16).collect();
        assert_eq!(
            fitted([4, 4, 1], &pixels, (2, 4)),
            [4, 5, 6, 7, 8, 9, 10, 11]
        );
    }

    #[test]
    fn larger_pictures_are_interpolated() {
        // Centres at −¼, ¼, ¾ and 1¼ of the two pixels.
        assert_eq!(
            fitted([1, 2, 1], &[0, 100], (2, 4)),
            [0, 25, 75, 100, 0, 25, 75, 100]
        );
    }

    #[test]
    fn colours_do_not_mix() {
        let pixels = [10, 0, 200, 20, 0, 100];
        assert_eq!(fitted([2, 1, 3], &pixels, (1, 1)), [10, 0, 200]);
        assert_eq!(fitted([1, 2, 3], &pixels, (1, 2)), pixels);
        let squares = [pixels, pixels].concat();
        assert_eq!(fitted([2, 2, 3], &squares, (1, 1)), [15, 0, 150]);
    }

    #[test]
    fn one_colour_stays_one_colour_in_any_size() {
        for (h, w) in [(1, 1), (3, 7), (17, 5), (40, 40)] {
            for size in [(1, 1), (2, 3), (13, 8), (50, 41)] {
                let out = fitted([h, w, 1], &vec![201; h * w], size);
                assert!(out.iter().all(|&p| p == 201), "{h} × {w} to {size:?}");
            }
        }
    }
}
