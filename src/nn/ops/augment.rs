//! Images changed at random before a critic sees them, in ways that gradients go through.
//!
//! ```text
//! colour       y = x + b                     b uniform in ±½
//!              y = s x + (1 − s) m           m the mean over a pixel's channels, s uniform in 0 … 2
//!              y = c x + (1 − c) m           m the mean over the image, c uniform in ½ … 1½
//! translation  y[i, j] = x[i + u, j + v]     u, v up to an eighth of the side; 0 from outside
//! cutout       y = 0 in a square of half the side, wherever it lies
//! ```
//!
//! Zhao et al. 2020, differentiable augmentation: both real and made samples are changed, so that the critic cannot learn
//! few images by heart and the generator does not learn the changes. All but the first are linear and, but for the
//! translation, their own transposes.

use super::cuda;
use super::pixels::Size;
use crate::nn::buffer::Buffer;
use crate::nn::tape::{Tape, Var};
use crate::random::Random;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// What is changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Augment {
    pub colour: bool,
    pub translation: bool,
    pub cutout: bool,
}

/// The changes of one image.
#[derive(Clone, Copy, Debug)]
struct Change {
    brightness: f32,
    saturation: f32,
    contrast: f32,
    shift: (isize, isize),
    /// Corner of the square that is cut out, and its sides.
    cut: (isize, isize, isize, isize),
}

impl Augment {
    /// Whether nothing is changed.
    pub fn is_nothing(self) -> bool {
        self == Augment::default()
    }

    fn draw(self, (height, width, _): Size, random: &mut Random) -> Change {
        let mut within = |size: usize| {
            let most = (size as f32 / 8.0).round() as u32;
            random.below(2 * most + 1) as isize - most as isize
        };
        let shift = (within(height), within(width));
        let sides = ((height / 2) as isize, (width / 2) as isize);
        let mut corner = |size: usize, side: isize| {
            random.below(size as u32 + (1 - size as u32 % 2)) as isize - side / 2
        };
        let cut = (
            corner(height, sides.0),
            corner(width, sides.1),
            sides.0,
            sides.1,
        );
        let colours = [
            random.unit() - 0.5,
            2.0 * random.unit(),
            random.unit() + 0.5,
        ];
        Change {
            brightness: if self.colour { colours[0] } else { 0.0 },
            saturation: if self.colour { colours[1] } else { 1.0 },
            contrast: if self.colour { colours[2] } else { 1.0 },
            shift: if self.translation { shift } else { (0, 0) },
            cut: if self.cutout { cut } else { (0, 0, 0, 0) },
        }
    }

    /// Images (height, width, channels), each changed in its own way.
    pub fn apply(self, tape: &Tape, x: &Var, size: Size, random: &mut Random) -> Var {
        if self.is_nothing() {
            return x.clone();
        }
        let n = size.0 * size.1 * size.2;
        let images = x.len() / n;
        // Other ranks change the images before and after these in ways of their own.
        let [before, after] = tape.others();
        let mut draw =
            |n: usize| -> Vec<Change> { (0..n).map(|_| self.draw(size, random)).collect() };
        draw(before);
        let changes = draw(images);
        draw(after);
        if let Some(gpu) = tape.gpu() {
            let words: Vec<u32> = changes.iter().flat_map(Change::words).collect();
            return cuda::augment::apply(gpu, tape, x, size, &words);
        }
        let mut y = Buffer::copy_of(x.values());
        let each = y.par_chunks_mut(n).zip(&changes);
        each.for_each(|(image, change)| change.forward(size, image));
        let y = tape.var(y, x.columns(), true);
        if let (Some(slot), Some(into)) = (y.slot(), x.slot()) {
            tape.push(move |gradients| {
                if let Some(mut dy) = gradients.take(slot) {
                    let each = dy.par_chunks_mut(n).zip(&changes);
                    each.for_each(|(image, change)| change.back(size, image));
                    gradients.give(into, dy);
                }
            });
        }
        y
    }
}

impl Change {
    /// As a device takes it.
    fn words(&self) -> [u32; cuda::augment::WORDS] {
        let (cut, signed) = (self.cut, |n: isize| (n as i32).cast_unsigned());
        [
            self.brightness.to_bits(),
            self.saturation.to_bits(),
            self.contrast.to_bits(),
            signed(self.shift.0),
            signed(self.shift.1),
            signed(cut.0),
            signed(cut.1),
            signed(cut.2),
            signed(cut.3),
        ]
    }

    fn forward(&self, size: Size, image: &mut [f32]) {
        image.iter_mut().for_each(|x| *x += self.brightness);
        self.saturate(size, image);
        self.contrast(image);
        shifted(size, image, self.shift);
        self.cut(size, image);
    }

    /// The transposes in reverse order.
    fn back(&self, size: Size, image: &mut [f32]) {
        self.cut(size, image);
        shifted(size, image, (-self.shift.0, -self.shift.1));
        self.contrast(image);
        self.saturate(size, image);
    }

    fn saturate(&self, (_, _, channels): Size, image: &mut [f32]) {
        if channels > 1 {
            image
                .chunks_exact_mut(channels)
                .for_each(|pixel| mix(pixel, self.saturation));
        }
    }

    fn contrast(&self, image: &mut [f32]) {
        mix(image, self.contrast);
    }

    fn cut(&self, (height, width, channels): Size, image: &mut [f32]) {
        let (top, left, rows, columns) = self.cut;
        let within = |at: isize, size: usize| at.clamp(0, size as isize) as usize;
        for y in within(top, height)..within(top + rows, height) {
            let row = y * width;
            let (from, to) = (within(left, width), within(left + columns, width));
            image[(row + from) * channels..(row + to) * channels].fill(0.0);
        }
    }
}

/// share · x + (1 − share) · mean
fn mix(values: &mut [f32], share: f32) {
    if share != 1.0 {
        let rest = (1.0 - share) * values.iter().sum::<f32>() / values.len() as f32;
        values.iter_mut().for_each(|x| *x = share * *x + rest);
    }
}

/// y[i, j] = x[i + u, j + v], 0 from outside.
fn shifted((height, width, channels): Size, image: &mut [f32], (u, v): (isize, isize)) {
    if (u, v) == (0, 0) {
        return;
    }
    let from = image.to_vec();
    for (i, row) in image.chunks_exact_mut(width * channels).enumerate() {
        for (j, pixel) in row.chunks_exact_mut(channels).enumerate() {
            let (y, x) = (i as isize + u, j as isize + v);
            let is_inside = (0..height as isize).contains(&y) && (0..width as isize).contains(&x);
            match is_inside {
                true => {
                    let at = (y as usize * width + x as usize) * channels;
                    pixel.copy_from_slice(&from[at..at + channels]);
                }
                false => pixel.fill(0.0),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::check::{gradients, seed, weighed};
    use crate::nn::dropout::Dropout;
    use crate::nn::parameters::{Layout, Weights};

    const ALL: Augment = Augment {
        colour: true,
        translation: true,
        cutout: true,
    };

    fn changed(augment: Augment, x: &[f32], size: Size, place: u64) -> Vec<f32> {
        let weights = Weights::zeros(&Layout::default());
        let tape = Tape::plain(&weights);
        let x = tape.var(Buffer::copy_of(x), size.2, false);
        let y = augment.apply(&tape, &x, size, &mut Random::new(1, place));
        y.values().to_vec()
    }

    #[test]
    fn gradients_are_those_of_the_changes() {
        // A change is linear but for its brightness: f(x) − f(0) is a product, known by what it does to each unit vector.
        for (place, size) in [(1, (8, 16, 3)), (2, (9, 8, 1))] {
            let n = size.0 * size.1 * size.2;
            let zero = changed(ALL, &vec![0.0; n], size, place);
            let unit = |i: usize| {
                let mut x = vec![0.0; n];
                x[i] = 1.0;
                changed(ALL, &x, size, place)
            };
            let columns: Vec<Vec<f32>> = (0..n).map(unit).collect();
            let mut layout = Layout::default();
            let x = layout.matrix("x", n / size.2, size.2);
            gradients(
                &layout,
                |tape| {
                    let x = tape.parameter(x);
                    seed(tape, &ALL.apply(tape, &x, size, &mut Random::new(1, place)));
                },
                |v| {
                    let mut y: Vec<f64> = zero.iter().map(|y| f64::from(*y)).collect();
                    for (x, column) in v[x.range()].iter().zip(&columns) {
                        let parts = y.iter_mut().zip(column).zip(&zero);
                        parts.for_each(|((y, c), z)| *y += x * f64::from(c - z));
                    }
                    weighed(&y)
                },
            );
        }
    }

    #[test]
    fn each_change_is_what_it_is_called() {
        let size = (8, 8, 3);
        let x: Vec<f32> = (0..192).map(|i| (i as f32).sin() + 2.0).collect();
        let only = |colour, translation, cutout| Augment {
            colour,
            translation,
            cutout,
        };
        assert_eq!(changed(Augment::default(), &x, size, 1), x);
        let cut = changed(only(false, false, true), &x, size, 1);
        let zeros = cut.iter().filter(|y| **y == 0.0).count();
        assert!(
            zeros > 0 && zeros <= 48 && zeros.is_multiple_of(3),
            "{zeros}"
        );
        let moved = changed(only(false, true, false), &x, size, 3);
        assert!(moved != x && moved.iter().all(|y| *y == 0.0 || x.contains(y)));
        let coloured = changed(only(true, false, false), &x, size, 1);
        assert!(coloured.iter().zip(&x).all(|(y, x)| y != x));
    }

    #[test]
    fn every_image_is_changed_in_its_own_way() {
        let x = [1.0f32; 2 * 64];
        let weights = Weights::zeros(&Layout::default());
        let tape = Tape::recording(&weights, Vec::new(), Dropout::none());
        let x = tape.var(Buffer::copy_of(&x), 1, false);
        let y = ALL.apply(&tape, &x, (8, 8, 1), &mut Random::new(1, 0));
        assert!(y.values()[..64] != y.values()[64..]);
    }
}
