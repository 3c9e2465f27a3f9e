//! Batch normalisation: every column of a matrix is centred and scaled, then an activation.
//!
//! ```text
//! x̂ = (x − μ) / σ       y = f(γ ∘ x̂ + β)            μ, σ² of each column; σ² + ε under the root
//! dz = dy ∘ f′   dβ = Σ_rows dz   dγ = Σ_rows dz ∘ x̂   dx = γ / σ · (dz − dβ / n − x̂ · dγ / n)
//! running    μ̄ ← 0.9 μ̄ + 0.1 μ     σ̄² ← 0.9 σ̄² + 0.1 σ² · n / (n − 1)
//! ```
//!
//! A column is a channel, a row a pixel of some image: for images of one pixel that is a dense layer's normalisation. In
//! training μ and σ are those of the batch, afterwards the running ones, so that what comes out for an image does not
//! depend on those beside it. Ioffe and Szegedy 2015. Where ranks compute parts of a batch, all sums are over the whole.

use super::activation::{Activation, finish};
use super::conv::undo_all;
use super::{columns, cuda};
use crate::nn::buffer::Buffer;
use crate::nn::device::Memory;
use crate::nn::parameters::{Layout, Parameter, Weights};
use crate::nn::part::Part;
use crate::nn::tape::{Gradients, Tape, Var};
use crate::simd::{Lanes, Level, dispatch};
use rayon::prelude::*;
use std::cell::RefCell;

/// Share of a batch in the running moments.
const MOMENTUM: f32 = 0.1;

/// γ and β, and the running moments, which are kept as parameters without gradients.
#[derive(Clone, Copy, Debug)]
pub struct BatchNorm {
    pub scale: Parameter,
    pub shift: Parameter,
    pub mean: Parameter,
    pub variance: Parameter,
    pub epsilon: f32,
}

/// What batches have shown of the moments, until the weights may be changed.
#[derive(Debug, Default)]
pub struct Moments(RefCell<Vec<(Parameter, Seen)>>);

/// A moment of each column, where it was computed.
#[derive(Debug)]
pub enum Seen {
    Host(Vec<f32>),
    Device(Memory),
}

impl Moments {
    pub(super) fn see(&self, parameter: Parameter, seen: Seen) {
        self.0.borrow_mut().push((parameter, seen));
    }

    /// Brings the running moments up to date.
    pub fn update(self, weights: &mut Weights) {
        for (parameter, seen) in self.0.into_inner() {
            match (&seen, weights.there()) {
                (Seen::Device(seen), Some(there)) => {
                    cuda::batch_norm::update(there, parameter, seen, MOMENTUM);
                }
                (Seen::Host(seen), _) => {
                    let running = weights.part_mut(parameter.range()).iter_mut();
                    let pairs = running.zip(seen);
                    pairs.for_each(|(running, seen)| *running += MOMENTUM * (seen - *running));
                }
                (Seen::Device(_), None) => panic!("moments of a device, weights of the host"),
            }
        }
    }
}

/// Where μ and σ come from.
#[derive(Clone, Copy)]
pub enum Source<'a> {
    /// The batch; they are added to what was seen.
    Batch(&'a Moments),
    /// The batch, which is not remembered.
    Unseen,
    Running,
}

impl BatchNorm {
    /// The parameters NAME.weight, NAME.bias, NAME.running_mean and NAME.running_var.
    pub fn new(layout: &mut Layout, name: &str, channels: usize) -> BatchNorm {
        let mut vector = |part: &str| layout.vector(format!("{name}.{part}"), channels);
        BatchNorm {
            scale: vector("weight"),
            shift: vector("bias"),
            mean: vector("running_mean"),
            variance: vector("running_var"),
            epsilon: 1e-5,
        }
    }

    /// The layer on rows of `x`.
    pub fn forward(&self, tape: &Tape, x: &Var, activation: Activation, source: Source) -> Var {
        let c = self.scale.columns;
        assert_eq!(x.columns(), c);
        if let Some(gpu) = tape.gpu() {
            return cuda::batch_norm::forward(gpu, tape, self, x, activation, source);
        }
        let (mean, variance, n) = match source {
            // They are constants: with n = ∞ what goes back through μ and σ is nothing.
            Source::Running => (
                tape.weights.of(self.mean).to_vec(),
                tape.weights.of(self.variance).to_vec(),
                f64::INFINITY,
            ),
            _ => moments(x.values(), c, tape.part()),
        };
        if let Source::Batch(moments) = source {
            let n = n as f32;
            let unbiased = variance.iter().map(|v| v * n / (n - 1.0).max(1.0));
            moments.see(self.variance, Seen::Host(unbiased.collect()));
            moments.see(self.mean, Seen::Host(mean.clone()));
        }
        let inverse: Vec<f32> = (variance.iter())
            .map(|v| 1.0 / (v + self.epsilon).sqrt())
            .collect();
        let (scale, shift) = (tape.weights.of(self.scale), tape.weights.of(self.shift));
        // y = a · x + b
        let a: Vec<f32> = scale.iter().zip(&inverse).map(|(s, i)| s * i).collect();
        let b: Vec<f32> = (shift.iter().zip(&mean).zip(&a))
            .map(|((s, m), a)| s - m * a)
            .collect();
        let mut y = Buffer::of(x.values().len());
        let size = columns::size(c);
        let blocks = y.par_chunks_mut(size).zip(x.values().par_chunks(size));
        // SAFETY: the level is that of this processor.
        blocks.for_each(|(y, x)| unsafe {
            scale_rows(Level::best(), x, (&a, &b), y);
            finish(Level::best(), y, (c, &[]), activation, None, 0);
        });
        let y = tape.var(y, c, true);
        if let Some(slot) = y.slot() {
            let (layer, x, saved) = (*self, x.clone(), y.clone());
            let part = tape.part().filter(|_| n.is_finite());
            let learned = tape.learns(self.scale);
            tape.push(move |gradients| {
                let Some(mut dz) = gradients.take(slot) else {
                    return;
                };
                if activation != Activation::Identity {
                    undo_all(&mut dz, saved.values(), c, activation);
                }
                drop(saved);
                let moments = (&mean[..], &inverse[..], &a[..]);
                layer.backward(&x, dz, moments, (n, part, learned), gradients);
            });
        }
        y
    }

    fn backward(
        &self,
        x: &Var,
        mut dz: Buffer,
        (mean, inverse, a): (&[f32], &[f32], &[f32]),
        (n, part, learned): (f64, Option<&Part>, bool),
        gradients: &mut Gradients,
    ) {
        let c = mean.len();
        let [mut sums, products] = columns::blocks(dz.len(), c, |range, [sums, products]| {
            // SAFETY: the level is that of this processor.
            unsafe {
                let rows = (&dz[range.clone()], &x.values()[range]);
                sum_rows(Level::best(), rows, mean, sums, products);
            }
        });
        let scaled = products.iter().zip(inverse);
        let mut products: Vec<f64> = scaled.map(|(p, i)| p * f64::from(*i)).collect();
        if learned {
            for (parameter, sums) in [(self.scale, &products), (self.shift, &sums)] {
                let gradient = gradients.of(parameter).iter_mut();
                gradient.zip(sums).for_each(|(g, s)| *g += *s as f32);
            }
        }
        let Some(slot) = x.slot() else { return };
        if let Some(part) = part {
            sums.append(&mut products);
            part.sum(&mut sums);
            products = sums.split_off(c);
        }
        // dx = a · dz + b · x + d
        let b: Vec<f32> = (0..c)
            .map(|i| (-f64::from(a[i]) * f64::from(inverse[i]) * products[i] / n) as f32)
            .collect();
        let d: Vec<f32> = (0..c)
            .map(|i| (-f64::from(a[i]) * sums[i] / n - f64::from(b[i]) * f64::from(mean[i])) as f32)
            .collect();
        let size = columns::size(c);
        let blocks = dz.par_chunks_mut(size).zip(x.values().par_chunks(size));
        // SAFETY: the level is that of this processor.
        blocks.for_each(|(dz, x)| unsafe { mix_rows(Level::best(), dz, x, (a, &b, &d)) });
        gradients.give(slot, dz);
    }
}

/// Mean and variance of each column of the batch, the differences from the mean summed in a pass of their own; and the rows
/// that they are of.
fn moments(x: &[f32], c: usize, part: Option<&Part>) -> (Vec<f32>, Vec<f32>, f64) {
    let whole = |mut sums: Vec<f64>| {
        if let Some(part) = part {
            part.sum(&mut sums);
        }
        sums
    };
    let rows = x.len() / c;
    let n = part.map_or(rows, |part| part.rows(rows));
    let n = n.max(1) as f64;
    let [sums] = columns::blocks(x.len(), c, |range, [sums]| {
        // SAFETY: the level is that of this processor.
        unsafe { columns::sum(Level::best(), &x[range], sums) }
    });
    let mean: Vec<f32> = whole(sums).iter().map(|s| (s / n) as f32).collect();
    let [squares] = columns::blocks(x.len(), c, |range, [squares]| {
        // SAFETY: the level is that of this processor.
        unsafe { square_rows(Level::best(), &x[range], &mean, squares) }
    });
    let variance = whole(squares).iter().map(|s| (s / n) as f32).collect();
    (mean, variance, n)
}

dispatch!(pub(super) unsafe fn square_rows(x: &[f32], mean: &[f32], squares: &mut [f32]) = square_in);

#[inline(always)]
unsafe fn square_in<L: Lanes>(x: &[f32], mean: &[f32], squares: &mut [f32]) {
    for x in x.chunks_exact(mean.len()) {
        let columns = squares.iter_mut().zip(x.iter().zip(mean));
        columns.for_each(|(s, (x, m))| *s += (x - m) * (x - m));
    }
}

dispatch!(pub(super) unsafe fn scale_rows(x: &[f32], factors: (&[f32], &[f32]), y: &mut [f32]) = scale_in);

#[inline(always)]
unsafe fn scale_in<L: Lanes>(x: &[f32], (a, b): (&[f32], &[f32]), y: &mut [f32]) {
    for (y, x) in y.chunks_exact_mut(a.len()).zip(x.chunks_exact(a.len())) {
        let columns = y.iter_mut().zip(x).zip(a.iter().zip(b));
        columns.for_each(|((y, x), (a, b))| *y = a * x + b);
    }
}

dispatch!(pub(super) unsafe fn sum_rows(
    rows: (&[f32], &[f32]), mean: &[f32], sums: &mut [f32], products: &mut [f32]
) = sum_in);

#[inline(always)]
unsafe fn sum_in<L: Lanes>(
    (dz, x): (&[f32], &[f32]),
    mean: &[f32],
    sums: &mut [f32],
    products: &mut [f32],
) {
    let c = mean.len();
    for (dz, x) in dz.chunks_exact(c).zip(x.chunks_exact(c)) {
        let sums = sums.iter_mut().zip(products.iter_mut());
        let columns = sums.zip(dz.iter().zip(x.iter().zip(mean)));
        columns.for_each(|((s, p), (d, (x, m)))| {
            *s += d;
            *p += d * (x - m);
        });
    }
}

dispatch!(pub(super) unsafe fn mix_rows(dz: &mut [f32], x: &[f32], factors: (&[f32], &[f32], &[f32])) = mix_in);

#[inline(always)]
unsafe fn mix_in<L: Lanes>(dz: &mut [f32], x: &[f32], (a, b, d): (&[f32], &[f32], &[f32])) {
    let c = a.len();
    for (dz, x) in dz.chunks_exact_mut(c).zip(x.chunks_exact(c)) {
        let columns = dz.iter_mut().zip(x).zip(a.iter().zip(b.iter().zip(d)));
        columns.for_each(|((dz, x), (a, (b, d)))| *dz = a * *dz + b * x + d);
    }
}
