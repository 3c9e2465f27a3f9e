//! One step of stochastic gradient descent on a block of pairs: every input row against every output row.
//!
//! ```text
//! s_ij = x_i · y_j            g_ij = α (t_j − σ(s_ij))            σ(s) = 1 / (1 + e^−s)
//! x_i += Σ_j g_ij y_j         y_j += Σ_i g_ij x_i                 both from the values before the step
//! loss = Σ_ij ln(1 + e^s_ij) − t_j s_ij
//! ```
//!
//! x are input vectors (context words), y output vectors (a word and its negatives, or the nodes of its Huffman path), t
//! is 1 for what was seen and 0 for what was not. Three small matrix products with every row read and written once:
//! Ji, Satish, Li and Dubey (2016), Parallelizing word2vec in shared and distributed memory.
//!
//! Rows are shared between threads without locks (Niu et al. 2011, HOGWILD!): an update may be lost, which descent
//! forgives; see the SAFETY notes.

use crate::simd::{Lanes, Level, dispatch};

/// Outputs that are worked on at a time: their rows and their gradients stay in registers.
const OUTPUTS: usize = 6;

/// Rows of both sides. Each points to `stride` values.
#[derive(Clone, Copy)]
pub struct Block<'a> {
    pub inputs: &'a [*mut f32],
    pub outputs: &'a [*mut f32],
    /// t of each output.
    pub targets: &'a [f32],
    /// A multiple of the cache line.
    pub stride: usize,
}

/// Room for the gradients of a block.
#[derive(Default)]
pub struct Scratch {
    /// g, inputs by [`OUTPUTS`].
    gradients: Vec<f32>,
}

/// Does a step at learning rate `rate` and gives its loss, or 0 when nobody asks.
///
/// # Safety
/// `level` comes from [`Level::best`]; every row has `stride` values and lives as long as the call; the rows of the
/// outputs are different ones. Other threads may read and write the same rows: the loads and stores of whole registers
/// can then see part of another update, and what is computed is a number in any case. No reference to the rows exists
/// while threads train.
#[inline]
pub unsafe fn step(
    level: Level,
    block: Block,
    rate: f32,
    scratch: &mut Scratch,
    asks: bool,
) -> f32 {
    let mut loss = 0.0;
    let pieces = block
        .outputs
        .chunks(OUTPUTS)
        .zip(block.targets.chunks(OUTPUTS));
    for (outputs, targets) in pieces {
        let piece = Block {
            outputs,
            targets,
            ..block
        };
        // SAFETY: as the caller promised.
        loss += unsafe { step_piece(level, piece, rate, scratch, asks) };
    }
    loss
}

dispatch!(unsafe fn step_piece(block: Block, rate: f32, scratch: &mut Scratch, asks: bool) -> f32 = step_in);

#[inline(always)]
unsafe fn step_in<L: Lanes>(block: Block, rate: f32, scratch: &mut Scratch, asks: bool) -> f32 {
    // SAFETY: as `step`; the match makes N the number of outputs.
    unsafe {
        match block.outputs.len() {
            6 => step_of::<L, 6>(block, rate, scratch, asks),
            5 => step_of::<L, 5>(block, rate, scratch, asks),
            4 => step_of::<L, 4>(block, rate, scratch, asks),
            3 => step_of::<L, 3>(block, rate, scratch, asks),
            2 => step_of::<L, 2>(block, rate, scratch, asks),
            1 => step_of::<L, 1>(block, rate, scratch, asks),
            _ => 0.0,
        }
    }
}

#[inline(always)]
unsafe fn step_of<L: Lanes, const N: usize>(
    block: Block,
    rate: f32,
    scratch: &mut Scratch,
    asks: bool,
) -> f32 {
    let outputs: [*mut f32; N] = std::array::from_fn(|j| block.outputs[j]);
    let targets: [f32; N] = std::array::from_fn(|j| block.targets[j]);
    let stride = block.stride;
    let size = block.inputs.len() * N;
    if scratch.gradients.len() < size {
        scratch.gradients.resize(size.next_multiple_of(64), 0.0);
    }
    let scores = &mut scratch.gradients[..size];
    let mut rows = block.inputs;
    let mut done = scores.as_mut_ptr();
    // SAFETY: rows have `stride` values; `scores` has room for N values of every input.
    unsafe {
        // 4 · 6 sums, 4 inputs and an output fill 29 of 32 registers.
        while L::REGISTERS >= 32 && rows.len() >= 4 {
            scores_of::<L, 4, N>(rows, &outputs, stride, done);
            (rows, done) = (&rows[4..], done.add(4 * N));
        }
        while rows.len() >= 2 {
            scores_of::<L, 2, N>(rows, &outputs, stride, done);
            (rows, done) = (&rows[2..], done.add(2 * N));
        }
        if !rows.is_empty() {
            scores_of::<L, 1, N>(rows, &outputs, stride, done);
        }
    }
    let loss = if asks { loss_of(scores, &targets) } else { 0.0 };
    for score in scores.chunks_exact_mut(N) {
        for j in 0..N {
            score[j] = rate * (targets[j] - sigmoid(score[j]));
        }
    }
    // SAFETY: as above.
    unsafe { update::<L, N>(block.inputs, &outputs, stride, scores.as_ptr()) };
    loss
}

/// x_i · y_j of M inputs and all outputs, to `into`, input by input.
#[inline(always)]
unsafe fn scores_of<L: Lanes, const M: usize, const N: usize>(
    inputs: &[*mut f32],
    outputs: &[*mut f32; N],
    stride: usize,
    into: *mut f32,
) {
    // SAFETY: `at` stays below `stride`, a multiple of every width; `into` has room for M · N values.
    unsafe {
        let mut sums = [[L::zero(); N]; M];
        let mut at = 0;
        while at < stride {
            let x: [L; M] = std::array::from_fn(|i| L::load(inputs[i].add(at)));
            for j in 0..N {
                let y = L::load(outputs[j].add(at));
                for i in 0..M {
                    sums[i][j] = x[i].mul_add(y, sums[i][j]);
                }
            }
            at += L::N;
        }
        for (i, row) in sums.into_iter().enumerate() {
            for (j, sum) in row.into_iter().enumerate() {
                *into.add(i * N + j) = sum.sum();
            }
        }
    }
}

/// Moves inputs and outputs by the gradients.
#[inline(always)]
unsafe fn update<L: Lanes, const N: usize>(
    inputs: &[*mut f32],
    outputs: &[*mut f32; N],
    stride: usize,
    gradients: *const f32,
) {
    // SAFETY: `at` stays below `stride`, a multiple of every width; `gradients` has N values for each input.
    unsafe {
        let mut at = 0;
        while at < stride {
            let y: [L; N] = std::array::from_fn(|j| L::load(outputs[j].add(at)));
            let mut moved = y;
            let mut g = gradients;
            for &input in inputs {
                let x = L::load(input.add(at));
                let mut sum = x;
                for j in 0..N {
                    let gradient = L::splat(*g.add(j));
                    sum = gradient.mul_add(y[j], sum);
                    moved[j] = gradient.mul_add(x, moved[j]);
                }
                sum.store(input.add(at));
                g = g.add(N);
            }
            for j in 0..N {
                moved[j].store(outputs[j].add(at));
            }
            at += L::N;
        }
    }
}

#[cold]
fn loss_of<const N: usize>(scores: &[f32], targets: &[f32; N]) -> f32 {
    let one = |(score, target): (&f32, &f32)| {
        // ln(1 + e^s), without overflow.
        let softplus = score.max(0.0) + (-score.abs()).exp().ln_1p();
        softplus - target * score
    };
    scores
        .chunks_exact(N)
        .flat_map(|row| row.iter().zip(targets))
        .map(one)
        .sum()
}

/// 1 / (1 + e^−s), to about 1e-7, in a form that compilers turn into vector code.
#[inline(always)]
fn sigmoid(s: f32) -> f32 {
    // e^−s = 2^t; t = n + f with n whole and |f| ≤ ½; 2^f by its series.
    let t = (-s * std::f32::consts::LOG2_E).clamp(-120.0, 120.0);
    // Adding 1.5 · 2^23 leaves the nearest whole number in the low bits.
    let shifted = t + 12_582_912.0;
    let f = t - (shifted - 12_582_912.0);
    const C: [f32; 6] = [
        1.0,
        std::f32::consts::LN_2,
        0.240_226_5,
        0.055_504_1,
        0.009_618_13,
        0.001_333_36,
    ];
    let series = C[0] + f * (C[1] + f * (C[2] + f * (C[3] + f * (C[4] + f * C[5]))));
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(series.to_bits()));
    1.0 / (1.0 + power)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRIDE: usize = 32;

    /// Rows of different, reproducible values.
    fn rows(count: usize, phase: f32) -> Vec<Vec<f32>> {
        let value = |i: usize| ((i as f32) * 0.7 + phase).sin() * 0.8;
        (0..count)
            .map(|r| (0..STRIDE).map(|k| value(r * STRIDE + k)).collect())
            .collect()
    }

    /// The objective in f64.
    fn loss(x: &[Vec<f32>], y: &[Vec<f32>], targets: &[f32]) -> f64 {
        let mut sum = 0.0;
        for x in x {
            for (y, t) in y.iter().zip(targets) {
                let s: f64 = x
                    .iter()
                    .zip(y)
                    .map(|(a, b)| f64::from(*a) * f64::from(*b))
                    .sum();
                sum += s.exp().ln_1p() - f64::from(*t) * s;
            }
        }
        sum
    }

    fn run(
        level: Level,
        x: &mut [Vec<f32>],
        y: &mut [Vec<f32>],
        targets: &[f32],
        rate: f32,
    ) -> f32 {
        let inputs: Vec<*mut f32> = x.iter_mut().map(|row| row.as_mut_ptr()).collect();
        let outputs: Vec<*mut f32> = y.iter_mut().map(|row| row.as_mut_ptr()).collect();
        let block = Block {
            inputs: &inputs,
            outputs: &outputs,
            targets,
            stride: STRIDE,
        };
        unsafe { step(level, block, rate, &mut Scratch::default(), true) }
    }

    #[test]
    fn a_step_follows_the_gradient_of_the_loss() {
        // With a tiny rate, (before − after) / rate is the gradient; f64 central differences say what it must be.
        for level in Level::all() {
            for (m, n) in [
                (1, 1),
                (1, 6),
                (2, 3),
                (3, 5),
                (4, 6),
                (7, 4),
                (10, 2),
                (5, 11),
            ] {
                let (x, y) = (rows(m, 0.3), rows(n, 1.9));
                let targets: Vec<f32> = (0..n).map(|j| f32::from(j % 3 == 0)).collect();
                let (mut new_x, mut new_y) = (x.clone(), y.clone());
                let rate = 1e-3;
                let found = run(level, &mut new_x, &mut new_y, &targets, rate);
                let exact = loss(&x, &y, &targets);
                // Outputs past the sixth meet inputs that have moved already.
                let tolerance = if n > 6 { 0.05 } else { 2e-3 };
                assert!((f64::from(found) - exact).abs() < tolerance * exact);
                let check = |is_input: bool, r: usize, k: usize, moved: f32| {
                    let at = |by: f32| {
                        let (mut x, mut y) = (x.clone(), y.clone());
                        if is_input {
                            x[r][k] += by
                        } else {
                            y[r][k] += by
                        };
                        loss(&x, &y, &targets)
                    };
                    let gradient = (at(1e-2) - at(-1e-2)) / 2e-2;
                    let step = -f64::from(moved) / f64::from(rate);
                    assert!(
                        (step - gradient).abs() < tolerance * gradient.abs() + 2e-3,
                        "{level:?} {m}×{n} input {is_input} row {r}, {k}: {step} {gradient}"
                    );
                };
                for k in [0, 5, 17, 31] {
                    (0..m).for_each(|r| check(true, r, k, new_x[r][k] - x[r][k]));
                    (0..n).for_each(|r| check(false, r, k, new_y[r][k] - y[r][k]));
                }
            }
        }
    }

    #[test]
    fn every_instruction_set_does_the_same_step() {
        let targets = [1.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        let result = |level| {
            let (mut x, mut y) = (rows(9, 0.1), rows(6, 0.5));
            run(level, &mut x, &mut y, &targets, 0.05);
            [x, y].concat().concat()
        };
        let expected = result(Level::Plain);
        for level in Level::all() {
            let close = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-5;
            assert!(result(level).iter().zip(&expected).all(close), "{level:?}");
        }
    }

    #[test]
    fn the_sigmoid_is_the_sigmoid() {
        for i in -4000..4000 {
            let s = i as f32 * 0.01;
            let exact = 1.0 / (1.0 + f64::from(-s).exp());
            assert!((f64::from(sigmoid(s)) - exact).abs() < 2e-6, "{s}");
        }
        assert!(sigmoid(f32::INFINITY) == 1.0 && sigmoid(f32::NEG_INFINITY) < 1e-30);
        assert!(sigmoid(f32::NAN).is_nan());
    }
}
