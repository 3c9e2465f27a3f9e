//! Images made smaller and larger, added, summed and stacked: what has no weights.
//!
//! ```text
//! add     y = a + b
//! halve   y[i, j] = mean of x[2i, 2j], x[2i, 2j + 1], x[2i + 1, 2j], x[2i + 1, 2j + 1]
//! double  y[i, j] = x[⌊i / 2⌋, ⌊j / 2⌋]
//! largest y[i, j] = max of the same four; a last row or column alone is left out
//! sum     y = Σ over the pixels of an image, channel by channel
//! stack   m images as one of m times the channels (Lin et al. 2018, PacGAN)
//! against y = Σ_c x[c] · E[label, c]      of each row (Miyato and Koyama 2018, projection discriminator)
//! ```
//!
//! All but `largest` are linear in x: each is its own tangent, and its gradient its transpose.

use super::conv::Window;
use super::cuda;
use crate::nn::buffer::Buffer;
use crate::nn::parameters::Parameter;
use crate::nn::tape::{Tape, Var, add as add_to};
use rayon::prelude::*;
use std::sync::Arc;

/// Height, width and channels of an image.
pub type Size = (usize, usize, usize);

/// a + b
pub fn add(tape: &Tape, a: &Var, b: &Var) -> Var {
    if let Some(gpu) = tape.gpu() {
        return cuda::pixels::add(gpu, tape, a, b);
    }
    let mut y = Buffer::copy_of(a.values());
    add_to(&mut y, b.values());
    let y = tape.var(y, a.columns(), true);
    if let Some(slot) = y.slot() {
        let slots = (a.slot(), b.slot());
        tape.push(move |gradients| {
            let Some(dy) = gradients.take(slot) else {
                return;
            };
            match slots {
                (Some(a), Some(b)) => {
                    gradients.give(a, Buffer::copy_of(&dy));
                    gradients.give(b, dy);
                }
                (Some(one), None) | (None, Some(one)) => gradients.give(one, dy),
                (None, None) => {}
            }
        });
    }
    y
}

/// Images, each through `forward`, and their gradients, each through `back`.
fn each(
    tape: &Tape,
    x: &Var,
    (from, to, channels): (usize, usize, usize),
    forward: impl Fn(&[f32], &mut [f32]) + Sync,
    back: impl Fn(&[f32], &mut [f32]) + Sync + 'static,
) -> Var {
    let mut y = Buffer::of(x.values().len() / from * to);
    let images = y.par_chunks_mut(to).zip(x.values().par_chunks(from));
    images.for_each(|(y, x)| forward(x, y));
    let y = tape.var(y, channels, true);
    if let (Some(slot), Some(into)) = (y.slot(), x.slot()) {
        let len = x.values().len();
        tape.push(move |gradients| {
            if let Some(dy) = gradients.take(slot) {
                let mut dx = Buffer::of(len);
                let images = dx.par_chunks_mut(from).zip(dy.par_chunks(to));
                images.for_each(|(dx, dy)| back(dy, dx));
                gradients.give(into, dx);
            }
        });
    }
    y
}

/// Calls `pair` with a pixel of the small image and each of the four of the large one that it stands for.
fn quarters((height, width, _): Size, mut pair: impl FnMut(usize, usize)) {
    for (i, j) in (0..height).flat_map(|i| (0..width).map(move |j| (i, j))) {
        pair(i / 2 * (width / 2) + j / 2, i * width + j);
    }
}

/// `large` summed into `small`, times `share`.
fn gather(size: Size, large: &[f32], small: &mut [f32], share: f32) {
    let c = size.2;
    small.fill(0.0);
    quarters(size, |to, from| {
        let sums = small[to * c..(to + 1) * c].iter_mut();
        sums.zip(&large[from * c..(from + 1) * c])
            .for_each(|(sum, v)| *sum += share * v);
    });
}

/// `small` spread over `large`, times `share`.
fn spread(size: Size, small: &[f32], large: &mut [f32], share: f32) {
    let c = size.2;
    quarters(size, |from, to| {
        let values = large[to * c..(to + 1) * c].iter_mut();
        values
            .zip(&small[from * c..(from + 1) * c])
            .for_each(|(value, v)| *value = share * v);
    });
}

/// Images of half the height and width; `size` is that of `x`, both even.
pub fn halve(tape: &Tape, x: &Var, size: Size) -> Var {
    if let Some(gpu) = tape.gpu() {
        return cuda::pixels::halve(gpu, tape, x, size);
    }
    let n = size.0 * size.1 * size.2;
    each(
        tape,
        x,
        (n, n / 4, size.2),
        move |x, y| gather(size, x, y, 0.25),
        move |dy, dx| spread(size, dy, dx, 0.25),
    )
}

/// Images of twice the height and width; `size` is that of the result.
pub fn double(tape: &Tape, x: &Var, size: Size) -> Var {
    if let Some(gpu) = tape.gpu() {
        return cuda::pixels::double(gpu, tape, x, size);
    }
    let n = size.0 * size.1 * size.2;
    each(
        tape,
        x,
        (n / 4, n, size.2),
        move |x, y| spread(size, x, y, 1.0),
        move |dy, dx| gather(size, dy, dx, 1.0),
    )
}

/// Images of half the height and width, of the largest value of every four; `size` is that of `x`.
pub fn largest(tape: &Tape, x: &Var, (height, width, c): Size) -> Var {
    let (rows, columns) = (height / 2, width / 2);
    let (from, to) = (height * width * c, rows * columns * c);
    // Where the largest is, of an image's values.
    let place = move |x: &[f32], i: usize| {
        let (pixel, channel) = (i / c, i % c);
        let corner = (pixel / columns * 2 * width + pixel % columns * 2) * c + channel;
        let four = [
            corner,
            corner + c,
            corner + width * c,
            corner + (width + 1) * c,
        ];
        // Of equal ones the first.
        four.into_iter()
            .fold(corner, |best, at| if x[at] > x[best] { at } else { best })
    };
    let forward = move |x: &[f32], y: &mut [f32]| {
        y.iter_mut()
            .enumerate()
            .for_each(|(i, y)| *y = x[place(x, i)]);
    };
    let mut y = Buffer::of(x.values().len() / from * to);
    let images = y.par_chunks_mut(to).zip(x.values().par_chunks(from));
    images.for_each(|(y, x)| forward(x, y));
    let y = tape.var(y, c, true);
    if let (Some(slot), Some(into)) = (y.slot(), x.slot()) {
        let x = x.clone();
        tape.push(move |gradients| {
            if let Some(dy) = gradients.take(slot) {
                let mut dx = Buffer::zeros(x.values().len());
                let images = dx.par_chunks_mut(from).zip(x.values().par_chunks(from));
                images.zip(dy.par_chunks(to)).for_each(|((dx, x), dy)| {
                    dy.iter()
                        .enumerate()
                        .for_each(|(i, d)| dx[place(x, i)] += d);
                });
                gradients.give(into, dx);
            }
        });
    }
    y
}

/// The sum over the pixels of each image.
pub fn sum(tape: &Tape, x: &Var, (height, width, c): Size) -> Var {
    if let Some(gpu) = tape.gpu() {
        return cuda::pixels::sum(gpu, tape, x, (height, width, c));
    }
    let n = height * width * c;
    each(
        tape,
        x,
        (n, c, c),
        move |x, y| {
            y.fill(0.0);
            for pixel in x.chunks_exact(c) {
                y.iter_mut().zip(pixel).for_each(|(sum, v)| *sum += v);
            }
        },
        move |dy, dx| dx.chunks_exact_mut(c).for_each(|d| d.copy_from_slice(dy)),
    )
}

/// Every `together` images, one after the other, as one.
pub fn stack(tape: &Tape, x: &Var, (height, width, c): Size, together: usize) -> Var {
    if together == 1 {
        return x.clone();
    }
    if height * width == 1 {
        return x.with_columns(c * together);
    }
    if let Some(gpu) = tape.gpu() {
        return cuda::pixels::stack(gpu, tape, x, (height, width, c), together);
    }
    let (n, pixels) = (height * width * c * together, height * width);
    let copy = move |from: &[f32], to: &mut [f32], is_back: bool| {
        for (m, p) in (0..together).flat_map(|m| (0..pixels).map(move |p| (m, p))) {
            let (apart, stacked) = ((m * pixels + p) * c, (p * together + m) * c);
            let (to_at, from_at) = match is_back {
                true => (apart, stacked),
                false => (stacked, apart),
            };
            to[to_at..to_at + c].copy_from_slice(&from[from_at..from_at + c]);
        }
    };
    each(
        tape,
        x,
        (n, n, c * together),
        move |x, y| copy(x, y, false),
        move |dy, dx| copy(dy, dx, true),
    )
}

/// Every row against the row of a table that its label names; one value each.
pub fn against(tape: &Tape, x: &Var, table: Parameter, labels: &Arc<[u32]>) -> Var {
    let c = table.columns;
    assert_eq!((x.rows(), x.columns()), (labels.len(), c));
    if let Some(gpu) = tape.gpu() {
        return cuda::pixels::against(gpu, tape, x, table, labels);
    }
    let row = move |values: &[f32], label: u32| -> std::ops::Range<usize> {
        debug_assert!(values.len().is_multiple_of(c));
        label as usize * c..(label as usize + 1) * c
    };
    let embedded = tape.weights.of(table);
    let mut y = Buffer::of(labels.len());
    for ((y, x), label) in y
        .iter_mut()
        .zip(x.values().chunks_exact(c))
        .zip(labels.iter())
    {
        let e = &embedded[row(embedded, *label)];
        *y = x.iter().zip(e).map(|(x, e)| x * e).sum();
    }
    let y = tape.var(y, 1, true);
    if let Some(slot) = y.slot() {
        let (x, labels, learned) = (x.clone(), labels.clone(), tape.learns(table));
        tape.push(move |gradients| {
            let Some(dy) = gradients.take(slot) else {
                return;
            };
            if let Some(into) = x.slot() {
                let mut dx = Buffer::of(x.values().len());
                for ((dx, d), label) in dx.chunks_exact_mut(c).zip(dy.iter()).zip(labels.iter()) {
                    let e = &embedded[row(embedded, *label)];
                    dx.iter_mut().zip(e).for_each(|(dx, e)| *dx = d * e);
                }
                gradients.give(into, dx);
            }
            if learned {
                let sums = gradients.of(table);
                for ((x, d), label) in x.values().chunks_exact(c).zip(dy.iter()).zip(labels.iter())
                {
                    let range = row(sums, *label);
                    let sums = sums[range].iter_mut().zip(x);
                    sums.for_each(|(sum, x)| *sum += d * x);
                }
            }
        });
    }
    y
}

/// The window of a convolution that leaves the size of its images as it is.
pub fn same((height, width, channels): Size, kernel: usize) -> Window {
    Window {
        height,
        width,
        channels,
        kernel,
        stride: 1,
        padding: kernel / 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::check::{gradients, seed, weighed};
    use crate::nn::parameters::Layout;

    /// Checks an operation on two images of (4, 6, 3) beside what it makes of one in f64.
    fn check(op: impl Fn(&Tape, &Var) -> Var, exact: impl Fn(&[f64]) -> Vec<f64>) {
        let mut layout = Layout::default();
        let x = layout.matrix("x", 48, 3);
        gradients(
            &layout,
            |tape| seed(tape, &op(tape, &tape.parameter(x))),
            |v| weighed(&v.chunks(72).flat_map(&exact).collect::<Vec<_>>()),
        );
    }

    fn four(x: &[f64], i: usize, j: usize, c: usize) -> [f64; 4] {
        let at = |i: usize, j: usize| x[(i * 6 + j) * 3 + c];
        [
            at(2 * i, 2 * j),
            at(2 * i, 2 * j + 1),
            at(2 * i + 1, 2 * j),
            at(2 * i + 1, 2 * j + 1),
        ]
    }

    fn each(rows: usize, columns: usize) -> impl Iterator<Item = (usize, usize, usize)> {
        (0..rows * columns * 3).map(move |k| (k / 3 / columns, k / 3 % columns, k % 3))
    }

    #[test]
    fn images_are_halved_by_means() {
        check(
            |tape, x| halve(tape, x, (4, 6, 3)),
            |x| {
                each(2, 3)
                    .map(|(i, j, c)| four(x, i, j, c).iter().sum::<f64>() / 4.0)
                    .collect()
            },
        );
    }

    #[test]
    fn images_are_halved_by_largest_values() {
        check(
            |tape, x| largest(tape, x, (4, 6, 3)),
            |x| {
                each(2, 3)
                    .map(|(i, j, c)| four(x, i, j, c).into_iter().fold(f64::MIN, f64::max))
                    .collect()
            },
        );
    }

    #[test]
    fn images_are_doubled_summed_and_added() {
        check(
            |tape, x| double(tape, x, (8, 12, 3)),
            |x| {
                each(8, 12)
                    .map(|(i, j, c)| x[(i / 2 * 6 + j / 2) * 3 + c])
                    .collect()
            },
        );
        check(
            |tape, x| sum(tape, x, (4, 6, 3)),
            |x| (0..3).map(|c| x.iter().skip(c).step_by(3).sum()).collect(),
        );
        check(
            |tape, x| {
                let once = add(tape, x, x);
                add(tape, &once, x)
            },
            |x| x.iter().map(|x| 3.0 * x).collect(),
        );
    }

    #[test]
    fn stacked_images_have_their_channels_side_by_side() {
        let mut layout = Layout::default();
        let x = layout.matrix("x", 12, 2);
        gradients(
            &layout,
            |tape| seed(tape, &stack(tape, &tape.parameter(x), (1, 3, 2), 2)),
            |v| {
                // Two groups of two images of three pixels of two channels.
                let group = |g: &[f64]| -> Vec<f64> {
                    (0..3)
                        .flat_map(|p| [g[2 * p], g[2 * p + 1], g[6 + 2 * p], g[7 + 2 * p]])
                        .collect()
                };
                weighed(&v[x.range()].chunks(12).flat_map(group).collect::<Vec<_>>())
            },
        );
    }

    #[test]
    fn verdicts_on_classes_have_the_gradients_of_their_formula() {
        let mut layout = Layout::default();
        let (x, table) = (layout.matrix("x", 4, 3), layout.matrix("table", 2, 3));
        let labels: Arc<[u32]> = [1, 0, 1, 1].into();
        gradients(
            &layout,
            |tape| seed(tape, &against(tape, &tape.parameter(x), table, &labels)),
            |v| {
                let row = |(x, label): (&[f64], &u32)| {
                    let e = &v[table.range()][*label as usize * 3..][..3];
                    x.iter().zip(e).map(|(x, e)| x * e).sum::<f64>()
                };
                weighed(
                    &v[x.range()]
                        .chunks(3)
                        .zip(labels.iter())
                        .map(row)
                        .collect::<Vec<_>>(),
                )
            },
        );
    }
}
