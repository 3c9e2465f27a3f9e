//! Convolutions over images, and their transposes, with bias and activation.
//!
//! ```text
//! S: the rows that a window sees at each place of each image (window.rs)      Sᵀ: rows put back
//! conv        Y = f(S(X) · Wᵀ + b)      dX = Sᵀ(dZ · W)      dW = dZᵀ · S(X)      db = Σ dZ
//! transposed  Y = f(Sᵀ(X · W) + b)      dX = S(dZ) · Wᵀ      dW = Xᵀ · S(dZ)      db = Σ dZ
//! ```
//!
//! W is (channels of a place, kernel · kernel · channels of a pixel). A dense layer is a window over images of one pixel.
//! Rows are seen 64 at a time, while they are in the cache, and nowhere stored. Dumoulin and Visin 2016.

mod outer;
mod window;

use super::BLOCK;
use super::activation::{Activation, finish, undo};
use super::{columns, cuda};
use crate::nn::buffer::Buffer;
use crate::nn::matmul::{Into, PANEL, Panels, Rows, multiply, multiply_grid};
use crate::nn::parameters::{Layout, Parameter};
use crate::nn::tape::{Gradients, Tape, Var};
use crate::simd::Level;
use rayon::prelude::*;
pub use window::Window;

/// A layer of windows.
#[derive(Clone, Copy, Debug)]
pub struct Conv {
    /// (channels of a place, values seen there)
    pub weight: Parameter,
    /// One for each channel of the result.
    pub bias: Option<Parameter>,
    /// Over the images that go in, or, transposed, over those that come out.
    pub window: Window,
    pub is_transposed: bool,
}

impl Conv {
    /// The parameters NAME.weight and, if wanted, NAME.bias; `channels` are those of a place.
    pub fn new(
        layout: &mut Layout,
        name: &str,
        window: Window,
        channels: usize,
        (is_transposed, has_bias): (bool, bool),
    ) -> Conv {
        let weight = layout.matrix(format!("{name}.weight"), channels, window.values());
        let results = match is_transposed {
            true => window.channels,
            false => channels,
        };
        let bias = has_bias.then(|| layout.vector(format!("{name}.bias"), results));
        Conv {
            weight,
            bias,
            window,
            is_transposed,
        }
    }

    /// Channels of what comes out.
    pub fn channels(&self) -> usize {
        match self.is_transposed {
            true => self.window.channels,
            false => self.weight.rows,
        }
    }

    /// The layer on images, which stand one after the other.
    pub fn forward(&self, tape: &Tape, x: &Var, activation: Activation) -> Var {
        let bias = self.bias.map_or(&[][..], |bias| tape.weights.of(bias));
        self.apply(tape, x, (bias, self.bias), activation)
    }

    /// The layer without its bias: how a change of what goes in changes what comes out.
    pub fn tangent(&self, tape: &Tape, x: &Var) -> Var {
        self.apply(tape, x, (&[], None), Activation::Identity)
    }

    fn apply(
        &self,
        tape: &Tape,
        x: &Var,
        (bias, parameter): (&[f32], Option<Parameter>),
        activation: Activation,
    ) -> Var {
        if let Some(gpu) = tape.gpu() {
            return cuda::conv::forward(gpu, tape, self, (x, parameter), activation);
        }
        let (window, weights, channels) = (self.window, tape.weights, self.channels());
        // SAFETY: the level is that of this processor.
        let done = |y: &mut [f32]| unsafe {
            finish(Level::best(), y, (channels, bias), activation, None, 0);
        };
        let y = match self.is_transposed {
            true => put(window, x.values(), weights.backward(self.weight), done),
            false => see(window, x.values(), weights.forward(self.weight), done),
        };
        let y = tape.var(y, channels, true);
        if let Some(slot) = y.slot() {
            let (layer, x, saved) = (*self, x.clone(), y.clone());
            let learned = tape.learns(self.weight);
            tape.push(move |gradients| {
                let Some(mut dz) = gradients.take(slot) else {
                    return;
                };
                if activation != Activation::Identity {
                    undo_all(&mut dz, saved.values(), channels, activation);
                }
                drop(saved);
                if let Some(slot) = x.slot() {
                    let done = |_: &mut [f32]| {};
                    let dx = match layer.is_transposed {
                        true => see(window, &dz, weights.forward(layer.weight), done),
                        false => put(window, &dz, weights.backward(layer.weight), done),
                    };
                    gradients.give(slot, dx);
                }
                if learned {
                    layer.learn(&x, &dz, parameter, gradients);
                }
            });
        }
        y
    }

    /// Adds the gradients of W and b.
    fn learn(&self, x: &Var, dz: &[f32], bias: Option<Parameter>, gradients: &mut Gradients) {
        let (rows, images) = match self.is_transposed {
            true => (x.values(), dz),
            false => (dz, x.values()),
        };
        outer::add(self.window, rows, images, gradients.of(self.weight));
        if let Some(bias) = bias {
            columns::add_sums(dz, gradients.of(bias));
        }
    }
}

/// dZ in place of dY, on all threads.
pub(super) fn undo_all(dy: &mut [f32], y: &[f32], channels: usize, activation: Activation) {
    const ROWS: usize = 1 << 14;
    let size = (ROWS / channels).max(1) * channels;
    let blocks = dy.par_chunks_mut(size).zip(y.par_chunks(size));
    blocks.for_each(|(dy, y)| {
        // SAFETY: the level is that of this processor.
        unsafe { undo(Level::best(), dy, (y, channels), activation, None, 0) };
    });
}

/// S(images) · B, each block of rows through `done`.
fn see(window: Window, images: &[f32], b: &Panels, done: impl Fn(&mut [f32]) + Sync) -> Buffer {
    let (seen, channels) = b.shape();
    let count = window.count();
    let rows = images.len() / window.image() * count;
    let mut y = Buffer::of(rows * channels);
    if window.is_whole() {
        multiply_grid(Rows::dense(images, seen), rows, b, &mut y, Into::Set);
        y.par_chunks_mut(8 * channels).for_each(&done);
        return y;
    }
    let blocks = y.par_chunks_mut(BLOCK * channels).enumerate();
    blocks.for_each(|(i, y)| {
        let m = y.len() / channels;
        let mut block = Buffer::of(m * seen);
        for (r, row) in block.chunks_exact_mut(seen).enumerate() {
            let (image, place) = ((i * BLOCK + r) / count, (i * BLOCK + r) % count);
            let image = &images[image * window.image()..][..window.image()];
            window.look(image, place, 0..seen, row);
        }
        multiply(Rows::dense(&block, seen), m, b, y, channels, Into::Set);
        done(y);
    });
    y
}

/// Sᵀ(rows · B), each group of images through `done`.
fn put(window: Window, rows: &[f32], b: &Panels, done: impl Fn(&mut [f32]) + Sync) -> Buffer {
    let (channels, seen) = b.shape();
    let (count, size) = (window.count(), window.image());
    let all = rows.len() / channels;
    let mut images = Buffer::of(all / count * size);
    if window.is_whole() {
        multiply_grid(Rows::dense(rows, channels), all, b, &mut images, Into::Set);
        images
            .par_chunks_mut(window.channels * PANEL)
            .for_each(&done);
        return images;
    }
    let group = BLOCK.div_ceil(count);
    let groups = images.par_chunks_mut(group * size);
    groups
        .zip(rows.par_chunks(group * count * channels))
        .for_each(|(images, rows)| {
            images.fill(0.0);
            let mut block = Buffer::of(BLOCK * seen);
            for (i, rows) in rows.chunks(BLOCK * channels).enumerate() {
                let m = rows.len() / channels;
                multiply(
                    Rows::dense(rows, channels),
                    m,
                    b,
                    &mut block,
                    seen,
                    Into::Set,
                );
                for (r, row) in block.chunks_exact(seen).take(m).enumerate() {
                    let (image, place) = ((i * BLOCK + r) / count, (i * BLOCK + r) % count);
                    window.put(row, place, &mut images[image * size..][..size]);
                }
            }
            done(images);
        });
    images
}

#[cfg(test)]
mod tests;
