//! The exponential function and what is made of it, fast enough for the tens of millions that a softmax over a vocabulary
//! needs.
//!
//! ```text
//! eˣ = 2ⁿ · eʳ     n = round(x / ln 2)     r = x − n · ln 2, |r| ≤ ln 2 / 2     eʳ by its series of degree 7
//! ```
//!
//! The relative error is below 2.2·10⁻⁷. Below −87 the result stays at e⁻⁸⁷, the least number that is not denormal: sums
//! of denormal numbers are dozens of times slower.

use crate::simd::{Lanes, Level, dispatch};

/// Adding and subtracting it rounds to the nearest whole number, which then is in the lowest bits.
const ROUND: f32 = 12_582_912.0;

/// eˣ. To be inlined into a kernel, where the compiler does many at once.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    // ln 2 in two parts, the first of them exact when multiplied by n.
    let r = (x - n * 0.693_359_4) + n * 2.121_944_4e-4;
    let high = 1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0 + r * (1.0 / 5040.0)));
    let series = 1.0 + r * (1.0 + r * (0.5 + r * (1.0 / 6.0 + r * high)));
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23));
    series * power
}

/// 1 / (1 + e⁻ˣ). To be inlined.
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// The hyperbolic tangent, to 2·10⁻⁷. To be inlined.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    2.0 * sigmoid(2.0 * x) - 1.0
}

dispatch!(unsafe fn tanh_at(values: &mut [f32]) = tanh_in);

#[inline(always)]
unsafe fn tanh_in<L: Lanes>(values: &mut [f32]) {
    values.iter_mut().for_each(|value| *value = tanh(*value));
}

/// Puts tanh x in place of each x.
pub fn tanh_all(values: &mut [f32]) {
    // SAFETY: the level is that of this processor.
    unsafe { tanh_at(Level::best(), values) }
}

/// The largest value. To be inlined.
#[inline(always)]
pub fn largest(values: &[f32]) -> f32 {
    let mut most = [f32::MIN; 16];
    let (chunks, rest) = values.as_chunks::<16>();
    for chunk in chunks {
        for (m, v) in most.iter_mut().zip(chunk) {
            *m = if *v > *m { *v } else { *m };
        }
    }
    let rest = rest
        .iter()
        .fold(f32::MIN, |m, v| if *v > m { *v } else { m });
    most.iter().fold(rest, |m, v| if *v > m { *v } else { m })
}

/// Puts e^(x − `most`) in place of each x and gives their sum. To be inlined.
#[inline(always)]
pub fn exp_and_sum(values: &mut [f32], most: f32) -> f32 {
    let mut sums = [0.0f32; 16];
    let (chunks, rest) = values.as_chunks_mut::<16>();
    for chunk in chunks {
        for (sum, v) in sums.iter_mut().zip(chunk) {
            *v = exp(*v - most);
            *sum += *v;
        }
    }
    let mut sum = 0.0;
    for v in rest {
        *v = exp(*v - most);
        sum += *v;
    }
    sums.iter().sum::<f32>() + sum
}

/// Σ a_i b_i in sixteen sums. To be inlined.
#[inline(always)]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; 16];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<16>(), b.as_chunks::<16>());
    for (a, b) in a.iter().zip(b) {
        for i in 0..16 {
            sums[i] += a[i] * b[i];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_exact_to_two_units() {
        for i in -87_000..88_000 {
            let x = i as f32 / 1000.0;
            let exact = f64::from(x).exp();
            let error = (f64::from(exp(x)) - exact).abs() / exact;
            assert!(error < 2.2e-7, "{x}: {error}");
        }
        assert!(exp(-1000.0) > 0.0 && exp(-1000.0) < 2e-38);
        assert_eq!(exp(0.0), 1.0);
    }
}
