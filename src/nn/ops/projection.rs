//! The projection to the vocabulary and the label-smoothed cross entropy, in one, without a matrix of all logits.
//!
//! ```text
//! l = h · Eᵀ     p = softmax(l)     q[v] = (1 − ε) · [v = target] + ε / V
//! loss = − Σ_v q[v] · ln p[v] = lse(l) − (1 − ε) · l[target] − ε · mean(l)
//! dl = (p − q) · w     dH = dl · E     dE = dlᵀ · H           w: weight of a token, 1 / tokens of the batch
//! ```
//!
//! The gradient is known as soon as the logits are, so that it is computed on the way forward, 256 tokens at a time: a
//! block's logits become its dl in place, and nothing of it is kept but dH. Label smoothing: Szegedy et al. 2016.

use super::cuda;
use super::exp::{exp_and_sum, largest};
use crate::nn::buffer::Buffer;
use crate::nn::matmul::{Into, PANEL, Panels, Rows, multiply, multiply_columns};
use crate::nn::outer;
use crate::nn::parameters::{Parameter, Weights};
use crate::nn::tape::{Tape, Var};
use crate::simd::{Lanes, Level, dispatch};
use rayon::prelude::*;

/// Tokens of a block: its logits for 10,000 words are 10 MB, and dE is read and written once for each block.
const TOKENS: usize = 256;

/// Rows of a task where tokens are parted among threads.
const ROWS: usize = 16;

/// Panels of a task where words are parted among threads.
const WORDS: usize = 8;

/// Sums over tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Loss {
    /// Of the smoothed loss, what is minimised.
    pub smoothed: f64,
    /// − Σ ln p(target).
    pub nll: f64,
    pub tokens: usize,
}

impl Loss {
    pub fn add(&mut self, other: Loss) {
        self.smoothed += other.smoothed;
        self.nll += other.nll;
        self.tokens += other.tokens;
    }

    /// e to the mean of − ln p.
    pub fn perplexity(&self) -> f64 {
        (self.nll / self.tokens.max(1) as f64).exp()
    }
}

/// The loss of rows `h` whose next tokens are `targets`, by the table E (vocabulary, d); on a recording tape its gradient
/// times `weight` goes to E at once and to `h` when the pass goes back.
pub fn loss(
    tape: &Tape,
    h: &Var,
    table: Parameter,
    targets: &[u32],
    smoothing: f32,
    weight: f32,
) -> Loss {
    let (d, words) = (table.columns, table.rows);
    assert_eq!((h.columns(), h.rows()), (d, targets.len()));
    if let Some(gpu) = tape.gpu() {
        return cuda::projection::loss(gpu, tape, h, table, targets, (smoothing, weight));
    }
    let mut logits = Buffer::of(TOKENS.min(targets.len()) * words);
    let mut dh = tape.is_recording().then(|| Buffer::of(h.values().len()));
    let mut total = Loss::default();
    for (start, targets) in (0..).step_by(TOKENS).zip(targets.chunks(TOKENS)) {
        let n = targets.len();
        let h = Rows::dense(&h.values()[start * d..(start + n) * d], d);
        let logits = &mut logits[..n * words];
        project(h, n, tape.weights.forward(table), logits);
        let rows = logits
            .par_chunks_mut(ROWS * words)
            .zip(targets.par_chunks(ROWS));
        // SAFETY: the level is that of this processor.
        let one = |(logits, targets)| unsafe {
            softmax_and_loss(Level::best(), logits, targets, smoothing, weight)
        };
        let losses: Vec<Loss> = rows.map(one).collect();
        losses.into_iter().for_each(|loss| total.add(loss));
        if let (Some(dh), Some(mut gradients)) = (&mut dh, tape.gradients()) {
            let dh = &mut dh[start * d..(start + n) * d];
            let table_rows = tape.weights.backward(table);
            dh.par_chunks_mut(ROWS * d)
                .zip(logits.par_chunks(ROWS * words))
                .for_each(|(dh, dl)| {
                    multiply(
                        Rows::dense(dl, words),
                        dh.len() / d,
                        table_rows,
                        dh,
                        d,
                        Into::Set,
                    );
                });
            outer::add(
                Rows::dense(logits, words),
                h,
                (n, words, d),
                gradients.of(table),
                None,
            );
        }
    }
    if let (Some(slot), Some(dh)) = (h.slot(), dh) {
        tape.push(move |gradients| gradients.give(slot, dh));
    }
    total
}

/// The word with the highest logit of each row of `h`.
pub fn best(weights: &Weights, h: &Var, table: Parameter) -> Vec<u32> {
    let (d, words) = (table.columns, table.rows);
    if let Some(there) = weights.there() {
        return cuda::projection::best(there.values.gpu(), weights, h, table);
    }
    let mut best = Vec::with_capacity(h.rows());
    let mut logits = Buffer::of(TOKENS.min(h.rows()) * words);
    for h in h.values().chunks(TOKENS * d) {
        let n = h.len() / d;
        let logits = &mut logits[..n * words];
        project(Rows::dense(h, d), n, weights.forward(table), logits);
        let rows = logits.par_chunks(words).map(|row| {
            let most = largest(row);
            row.iter().position(|l| *l == most).unwrap_or(0) as u32
        });
        best.par_extend(rows);
    }
    best
}

/// Logits of n rows: (n, words) = H (n, d) · Eᵀ, the words parted among the threads.
pub fn project(h: Rows, n: usize, table: &Panels, logits: &mut [f32]) {
    let words = table.shape().1;
    assert!(logits.len() >= n * words);
    if n == 0 {
        return;
    }
    let panels = words.div_ceil(PANEL);
    let all = Columns(logits.as_mut_ptr());
    (0..panels.div_ceil(WORDS))
        .into_par_iter()
        .for_each(|task| {
            let range = task * WORDS..panels.min((task + 1) * WORDS);
            // SAFETY: a task writes the columns of its own words alone, in rows that were checked above.
            unsafe {
                let columns = all.from(range.start * PANEL);
                multiply_columns(h, n, table, range, columns, words, Into::Set);
            }
        });
}

/// Where columns begin that threads part among themselves.
struct Columns(*mut f32);

// SAFETY: who takes columns from it promises that they are nobody else's.
unsafe impl Sync for Columns {}

impl Columns {
    /// # Safety
    /// There are so many columns.
    unsafe fn from(&self, column: usize) -> *mut f32 {
        // SAFETY: the caller's promise.
        unsafe { self.0.add(column) }
    }
}

dispatch!(unsafe fn softmax_and_loss(
    logits: &mut [f32], targets: &[u32], smoothing: f32, weight: f32
) -> Loss = softmax_and_loss_in);

/// dl in place of the logits, and the loss.
#[inline(always)]
unsafe fn softmax_and_loss_in<L: Lanes>(
    logits: &mut [f32],
    targets: &[u32],
    smoothing: f32,
    weight: f32,
) -> Loss {
    let words = logits.len() / targets.len();
    let mut total = Loss::default();
    for (row, target) in logits.chunks_exact_mut(words).zip(targets) {
        let most = largest(row);
        let mean = row.iter().map(|l| l - most).sum::<f32>() / words as f32;
        let right = row[*target as usize] - most;
        let sum = exp_and_sum(row, most);
        let (scale, floor) = (weight / sum, weight * smoothing / words as f32);
        row.iter_mut().for_each(|p| *p = *p * scale - floor);
        row[*target as usize] -= weight * (1.0 - smoothing);
        let lse = f64::from(sum.ln());
        total.nll += lse - f64::from(right);
        total.smoothed += lse - f64::from((1.0 - smoothing) * right + smoothing * mean);
    }
    total.tokens = targets.len();
    total
}
