//! Instance normalisation: every channel of every image is centred and scaled for itself, then an activation.
//!
//! ```text
//! x̂ = (x − μ) / σ       y = f(γ ∘ x̂ + β)            μ, σ² of a channel over an image; σ² + ε under the root
//! dz = dy ∘ f′   dβ = Σ dz   dγ = Σ dz ∘ x̂   dx = γ / σ · (dz − s / n − x̂ · p / n)
//! s, p       Σ dz and Σ dz ∘ x̂ over the n pixels of the image alone
//! ```
//!
//! What comes out for an image does not depend on those beside it. An image of one pixel has nothing but its mean, and
//! becomes f(β). Ulyanov, Vedaldi and Lempitsky 2016.

use super::activation::{Activation, finish};
use super::batch_norm::{mix_rows, scale_rows, square_rows, sum_rows};
use super::conv::undo_all;
use super::{columns, cuda};
use crate::nn::buffer::Buffer;
use crate::nn::parameters::{Layout, Parameter};
use crate::nn::tape::{Gradients, Tape, Var};
use crate::simd::Level;
use rayon::prelude::*;

/// γ and β.
#[derive(Clone, Copy, Debug)]
pub struct InstanceNorm {
    pub scale: Parameter,
    pub shift: Parameter,
    /// Pixels of an image.
    pub pixels: usize,
    pub epsilon: f32,
}

impl InstanceNorm {
    /// The parameters NAME.weight and NAME.bias.
    pub fn new(layout: &mut Layout, name: &str, channels: usize, pixels: usize) -> InstanceNorm {
        InstanceNorm {
            scale: layout.vector(format!("{name}.weight"), channels),
            shift: layout.vector(format!("{name}.bias"), channels),
            pixels,
            epsilon: 1e-5,
        }
    }

    /// The layer on rows of `x`, a pixel each.
    pub fn forward(&self, tape: &Tape, x: &Var, activation: Activation) -> Var {
        let c = self.scale.columns;
        assert!(x.columns() == c && x.rows().is_multiple_of(self.pixels));
        if let Some(gpu) = tape.gpu() {
            return cuda::instance_norm::forward(gpu, tape, self, x, activation);
        }
        let image = self.pixels * c;
        let (scale, shift) = (tape.weights.of(self.scale), tape.weights.of(self.shift));
        let mut y = Buffer::of(x.values().len());
        // μ of each channel, then 1/σ, for each image.
        let mut moments = Buffer::of(x.values().len() / image * 2 * c);
        let images = y.par_chunks_mut(image).zip(x.values().par_chunks(image));
        images
            .zip(moments.par_chunks_mut(2 * c))
            .for_each(|((y, x), moments)| {
                self.moments(x, moments);
                let (mean, inverse) = moments.split_at(c);
                // y = a · x + b
                let a: Vec<f32> = scale.iter().zip(inverse).map(|(s, i)| s * i).collect();
                let b: Vec<f32> = (shift.iter().zip(mean).zip(&a))
                    .map(|((s, m), a)| s - m * a)
                    .collect();
                // SAFETY: the level is that of this processor.
                unsafe {
                    scale_rows(Level::best(), x, (&a, &b), y);
                    finish(Level::best(), y, (c, &[]), activation, None, 0);
                }
            });
        let y = tape.var(y, c, true);
        if let Some(slot) = y.slot() {
            let (layer, x, saved) = (*self, x.clone(), y.clone());
            let scale = scale.to_vec();
            let learned = tape.learns(self.scale);
            tape.push(move |gradients| {
                let Some(mut dz) = gradients.take(slot) else {
                    return;
                };
                if activation != Activation::Identity {
                    undo_all(&mut dz, saved.values(), c, activation);
                }
                drop(saved);
                layer.backward(&x, dz, (&moments, &scale), learned, gradients);
            });
        }
        y
    }

    /// μ and 1/σ of the channels of an image.
    fn moments(&self, x: &[f32], moments: &mut [f32]) {
        let (mean, inverse) = moments.split_at_mut(self.scale.columns);
        let n = self.pixels as f32;
        mean.fill(0.0);
        inverse.fill(0.0);
        // SAFETY: the level is that of this processor.
        unsafe { columns::sum(Level::best(), x, mean) };
        mean.iter_mut().for_each(|m| *m /= n);
        // SAFETY: as above.
        unsafe { square_rows(Level::best(), x, mean, inverse) };
        let squares = inverse.iter_mut();
        squares.for_each(|s| *s = 1.0 / (*s / n + self.epsilon).sqrt());
    }

    fn backward(
        &self,
        x: &Var,
        mut dz: Buffer,
        (moments, scale): (&[f32], &[f32]),
        learned: bool,
        gradients: &mut Gradients,
    ) {
        let (c, n) = (scale.len(), self.pixels as f32);
        let image = self.pixels * c;
        let images = dz.par_chunks_mut(image).zip(x.values().par_chunks(image));
        // dβ and dγ of each image.
        let parts: Vec<[Vec<f32>; 2]> = images
            .zip(moments.par_chunks(2 * c))
            .map(|((dz, x), moments)| {
                let (mean, inverse) = moments.split_at(c);
                let (mut sums, mut products) = (vec![0.0; c], vec![0.0; c]);
                // SAFETY: the level is that of this processor.
                unsafe { sum_rows(Level::best(), (dz, x), mean, &mut sums, &mut products) };
                let scaled = products.iter_mut().zip(inverse);
                scaled.for_each(|(p, i)| *p *= i);
                // dx = a · dz + b · x + d
                let factor = |i: usize| scale[i] * inverse[i];
                let a: Vec<f32> = (0..c).map(factor).collect();
                let b: Vec<f32> = (0..c)
                    .map(|i| -a[i] * inverse[i] * products[i] / n)
                    .collect();
                let d: Vec<f32> = (0..c)
                    .map(|i| -a[i] * sums[i] / n - b[i] * mean[i])
                    .collect();
                // SAFETY: as above.
                unsafe { mix_rows(Level::best(), dz, x, (&a, &b, &d)) };
                [sums, products]
            })
            .collect();
        if learned {
            for [sums, products] in parts {
                for (parameter, part) in [(self.scale, products), (self.shift, sums)] {
                    let gradient = gradients.of(parameter).iter_mut();
                    gradient.zip(part).for_each(|(g, s)| *g += s);
                }
            }
        }
        if let Some(slot) = x.slot() {
            gradients.give(slot, dz);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::check;

    /// f(γ ∘ x̂ + β) of some images.
    fn exact(x: &[f64], pixels: usize, (scale, shift): (&[f64], &[f64]), leaky: bool) -> Vec<f64> {
        let c = scale.len();
        let mut y = x.to_vec();
        for image in y.chunks_mut(pixels * c) {
            for i in 0..c {
                let column: Vec<f64> = image.iter().skip(i).step_by(c).copied().collect();
                let mean = column.iter().sum::<f64>() / pixels as f64;
                let squares = column.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
                let deviation = (squares / pixels as f64 + 1e-5).sqrt();
                for y in image.iter_mut().skip(i).step_by(c) {
                    *y = scale[i] * (*y - mean) / deviation + shift[i];
                    if leaky && *y < 0.0 {
                        *y *= 0.2;
                    }
                }
            }
        }
        y
    }

    #[test]
    fn it_has_the_gradient_of_its_formula() {
        for (images, pixels, c, activation) in [
            (1, 3, 1, Activation::Identity),
            (3, 9, 5, Activation::Leaky),
            (4, 64, 33, Activation::Identity),
        ] {
            let mut layout = Layout::default();
            let norm = InstanceNorm::new(&mut layout, "norm", c, pixels);
            let x = layout.matrix("x", images * pixels, c);
            check::gradients(
                &layout,
                |tape| check::seed(tape, &norm.forward(tape, &tape.parameter(x), activation)),
                |v| {
                    let of = |p: Parameter| &v[p.range()];
                    let factors = (of(norm.scale), of(norm.shift));
                    let leaky = activation == Activation::Leaky;
                    check::weighed(&exact(of(x), pixels, factors, leaky))
                },
            );
        }
    }

    #[test]
    fn an_image_is_the_same_beside_others() {
        let mut layout = Layout::default();
        let norm = InstanceNorm::new(&mut layout, "norm", 3, 4);
        let weights = check::weights(&layout, 0.4);
        let of = |values: &[f32]| {
            let tape = Tape::plain(&weights);
            let x = tape.var(Buffer::copy_of(values), 3, false);
            norm.forward(&tape, &x, Activation::Tanh).values().to_vec()
        };
        let two: Vec<f32> = (0..24).map(|i| (i as f32 * 0.7).sin()).collect();
        assert_eq!(of(&two), [of(&two[..12]), of(&two[12..])].concat());
    }

    #[test]
    fn an_image_of_one_pixel_becomes_its_shift() {
        let mut layout = Layout::default();
        let norm = InstanceNorm::new(&mut layout, "norm", 2, 1);
        let weights = check::weights(&layout, 0.4);
        let tape = Tape::plain(&weights);
        let x = tape.var(Buffer::copy_of(&[5.0, -7.0]), 2, false);
        let y = norm.forward(&tape, &x, Activation::Identity);
        let pairs = y.values().iter().zip(weights.of(norm.shift));
        pairs.for_each(|(y, shift)| assert!((y - shift).abs() < 1e-4, "{y} {shift}"));
    }
}
