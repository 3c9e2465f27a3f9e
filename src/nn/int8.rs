//! Products in bytes: weights of eight bits with a scale for each output, inputs of eight bits with a scale for each row.
//!
//! ```text
//! w[j, p] ≈ t[j] · v[j, p]          v = round(w / t) in −127..127,      t = max |w[j]| / 127
//! x[i, p] ≈ s[i] · (u[i, p] − 128)  u = round(x / s) + 128 in 1..255,   s = max |x[i]| / 127
//! y[i, j] = s[i] · t[j] · (Σ_p u[i, p] · v[j, p] − 128 · Σ_p v[j, p]) + b[j]
//! ```
//!
//! The sums are of whole numbers and exact, so that every instruction set gives the same result: AVX-512 VNNI, which
//! multiplies four bytes and adds the products in one instruction, or plain Rust. Weights lie in panels of 32 outputs:
//!
//! ```text
//! panel 0: v[0, 0..4] v[1, 0..4] … v[31, 0..4] | v[0, 4..8] … v[31, 4..8] | …        (zeros past the last input)
//! ```

use super::buffer::Buffer;
use super::matmul::PANEL;
use crate::simd::{Lanes, Level, dispatch};
use std::ops::Range;

mod kernel;

/// Inputs that are multiplied in one step.
const GROUP: usize = 4;
/// Rows of a tile.
const ROWS: usize = kernel::ROWS;
/// What is added to inputs to make them positive.
const ZERO: i32 = 128;

/// A matrix (outputs, inputs) in bytes, and a bias.
#[derive(Debug)]
pub struct Matrix {
    panels: Vec<i8>,
    /// t, and 128 · Σ v, of each output; zeros past the last.
    scales: Vec<f32>,
    sums: Vec<i32>,
    bias: Vec<f32>,
    inputs: usize,
    outputs: usize,
}

/// Rows in bytes.
#[derive(Debug)]
pub struct Bytes {
    values: Vec<u8>,
    scales: Buffer,
    stride: usize,
}

impl Matrix {
    /// Of rows of `inputs` values.
    pub fn new(values: &[f32], inputs: usize, bias: Option<&[f32]>) -> Matrix {
        let outputs = values.len() / inputs;
        let groups = inputs.div_ceil(GROUP);
        let width = outputs.div_ceil(PANEL) * PANEL;
        let mut matrix = Matrix {
            panels: vec![0; width * groups * GROUP],
            scales: vec![0.0; width],
            sums: vec![0; width],
            bias: vec![0.0; width],
            inputs,
            outputs,
        };
        if let Some(bias) = bias {
            matrix.bias[..outputs].copy_from_slice(bias);
        }
        for (j, row) in values.chunks_exact(inputs).enumerate() {
            let most = row.iter().fold(0.0f32, |most, w| most.max(w.abs()));
            let scale = if most > 0.0 { most / 127.0 } else { 1.0 };
            let start = j / PANEL * groups * GROUP * PANEL + j % PANEL * GROUP;
            for (p, w) in row.iter().enumerate() {
                let v = (w / scale).round_ties_even() as i8;
                matrix.panels[start + p / GROUP * GROUP * PANEL + p % GROUP] = v;
                matrix.sums[j] += ZERO * i32::from(v);
            }
            matrix.scales[j] = scale;
        }
        matrix
    }

    pub fn inputs(&self) -> usize {
        self.inputs
    }

    pub fn outputs(&self) -> usize {
        self.outputs
    }

    pub fn panels(&self) -> usize {
        self.outputs.div_ceil(PANEL)
    }

    /// Y = max(0, X · Wᵀ + b), or without the maximum, for the outputs of some panels; rows of Y are `stride` apart.
    ///
    /// # Panics
    /// When Y is too short.
    pub fn multiply(
        &self,
        x: &Bytes,
        panels: Range<usize>,
        is_relu: bool,
        y: &mut [f32],
        stride: usize,
    ) {
        let rows = x.scales.len();
        let width = (panels.end * PANEL).min(self.outputs) - panels.start * PANEL;
        assert!(stride >= width && (rows == 0 || y.len() >= (rows - 1) * stride + width));
        assert_eq!(x.stride, self.inputs.div_ceil(GROUP) * GROUP);
        for panel in panels.clone() {
            let first = panel * PANEL;
            let outputs = kernel::Outputs {
                weights: &self.panels[first * x.stride..(first + PANEL) * x.stride],
                scales: &self.scales[first..first + PANEL],
                offsets: &self.sums[first..first + PANEL],
                bias: &self.bias[first..first + PANEL],
                columns: PANEL.min(self.outputs - first),
                is_relu,
            };
            for i in (0..rows).step_by(ROWS) {
                let count = ROWS.min(rows - i);
                let inputs = kernel::Inputs {
                    bytes: &x.values[i * x.stride..(i + count) * x.stride],
                    scales: &x.scales[i..i + count],
                    stride: x.stride,
                };
                let y = &mut y[i * stride + (panel - panels.start) * PANEL..];
                kernel::tile(inputs, outputs, y, stride);
            }
        }
    }
}

impl Bytes {
    /// Of rows of `width` values.
    pub fn of(x: &[f32], width: usize) -> Bytes {
        let stride = width.div_ceil(GROUP) * GROUP;
        let rows = x.len() / width;
        let mut bytes = Bytes {
            values: vec![ZERO as u8; rows * stride],
            scales: Buffer::of(rows),
            stride,
        };
        // SAFETY: the level is that of this processor.
        unsafe {
            quantise(
                Level::best(),
                x,
                width,
                &mut bytes.values,
                &mut bytes.scales,
            )
        };
        bytes
    }
}

dispatch!(unsafe fn quantise(x: &[f32], width: usize, bytes: &mut [u8], scales: &mut [f32]) = quantise_in);

#[allow(
    clippy::extra_unused_type_parameters,
    reason = "the compiler finds the registers itself; `dispatch!` names them"
)]
#[inline(always)]
unsafe fn quantise_in<L: Lanes>(x: &[f32], width: usize, bytes: &mut [u8], scales: &mut [f32]) {
    /// Adding and subtracting it rounds to the nearest whole number, which then is in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    let stride = bytes.len() / scales.len().max(1);
    let rows = x.chunks_exact(width).zip(bytes.chunks_exact_mut(stride));
    for ((x, bytes), scale) in rows.zip(scales) {
        let mut most = [0.0f32; 16];
        let (chunks, rest) = x.as_chunks::<16>();
        for chunk in chunks {
            for (m, v) in most.iter_mut().zip(chunk) {
                *m = if v.abs() > *m { v.abs() } else { *m };
            }
        }
        let most = (most.iter().chain(rest)).fold(0.0f32, |m, v| m.max(v.abs()));
        *scale = if most > 0.0 { most / 127.0 } else { 1.0 };
        let inverse = 1.0 / *scale;
        for (byte, x) in bytes.iter_mut().zip(x) {
            *byte = ((x * inverse + (ROUND + ZERO as f32)).to_bits() & 0xff) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::matmul::tests::numbers;

    #[test]
    fn products_in_bytes_are_near_those_of_the_formula() {
        for (rows, k, n) in [(1, 1, 1), (9, 30, 33), (17, 128, 70)] {
            let (x, w, b) = (numbers(rows * k, 0.3), numbers(n * k, 0.8), numbers(n, 0.1));
            let matrix = Matrix::new(&w, k, Some(&b));
            let mut y = vec![0.0; rows * n];
            matrix.multiply(&Bytes::of(&x, k), 0..matrix.panels(), false, &mut y, n);
            for (i, y) in y.iter().enumerate() {
                let (r, j) = (i / n, i % n);
                let exact: f32 = (0..k).map(|p| x[r * k + p] * w[j * k + p]).sum::<f32>() + b[j];
                // Each factor is off by half of 1/127 at most, each sum by as much in every term.
                assert!(
                    (y - exact).abs() <= k as f32 / 127.0,
                    "{rows} {k} {n}: {y} {exact}"
                );
            }
        }
    }

    #[test]
    fn a_row_that_fits_into_bytes_is_exact() {
        let (x, w) = ([127.0, -3.0, 0.0, 5.0, 1.0], [127.0, 2.0, 9.0, -7.0, 1.0]);
        let matrix = Matrix::new(&w, 5, Some(&[0.5]));
        let mut y = [0.0];
        matrix.multiply(&Bytes::of(&x, 5), 0..1, false, &mut y, 1);
        assert_eq!(y, [127.0 * 127.0 - 6.0 - 35.0 + 1.0 + 0.5]);
    }

    #[test]
    fn negative_sums_are_cut_off_where_that_is_asked_for() {
        let matrix = Matrix::new(&[127.0, -127.0], 1, None);
        let mut y = [9.0; 2];
        matrix.multiply(&Bytes::of(&[1.0], 1), 0..1, true, &mut y, 2);
        assert_eq!(y[1], 0.0);
        assert!((y[0] - 127.0).abs() < 1e-3);
    }
}
