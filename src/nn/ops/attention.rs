//! Attention of the tokens of each sentence to those of the same or another sentence, over heads.
//!
//! ```text
//! S = scale · Q Kᵀ     P = softmax(S)     O = P V                         scale = 1 / √(size of a head), or 1
//! dV = Pᵀ dO     dP = dO Vᵀ     dS = P ∘ (dP − rowsum(P ∘ dP))     dQ = scale · dS K     dK = scale · dSᵀ Q
//! ```
//!
//! Sentences stand one after the other in the rows, without padding, so that there is no mask but that of causal
//! attention, where a token sees itself and what stands before. P is not kept: the backward pass computes it again, from
//! the logarithm of each row's sum. Vaswani et al. 2017; recomputation: Dao et al. 2022.

use super::cuda;
use super::exp::{dot, exp, exp_and_sum, largest};
use crate::nn::buffer::{Buffer, split};
use crate::nn::matmul::{Into, Panels, Rows, multiply};
use crate::nn::outer;
use crate::nn::tape::{Gradients, Slot, Tape, Var};
use crate::simd::{Lanes, Level, dispatch};
use rayon::prelude::*;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// Rows of queries that are worked on together.
const QUERIES: usize = 64;

/// Which rows attend to which.
#[derive(Debug)]
pub struct Spans {
    /// Rows of the queries and of the keys of each sentence.
    pub sentences: Vec<(Range<usize>, Range<usize>)>,
    /// Whether a query sees only keys up to its own position.
    pub is_causal: bool,
    pub heads: usize,
    /// Whether products are divided by the root of the size of a head.
    pub is_scaled: bool,
    /// The same, as a device is told.
    pub tiles: OnceLock<cuda::attention::Tiles>,
}

impl Spans {
    /// Attention of every query to all keys of its sentence, products divided by the root of the size of a head.
    pub fn new(sentences: Vec<(Range<usize>, Range<usize>)>, heads: usize) -> Spans {
        Spans {
            sentences,
            is_causal: false,
            heads,
            is_scaled: true,
            tiles: OnceLock::new(),
        }
    }

    /// What products are multiplied by, of heads of a size.
    pub fn scale(&self, size: usize) -> f32 {
        match self.is_scaled {
            true => 1.0 / (size as f32).sqrt(),
            false => 1.0,
        }
    }
}

/// A matrix and the first of the columns that are meant.
type Columns<'a> = (&'a [f32], usize, usize);

/// Rows of a head: from `row` on, at a head's columns.
fn rows<'a>((values, width, first): Columns<'a>, row: usize, head: usize, size: usize) -> Rows<'a> {
    let start = row * width + first + head * size;
    Rows {
        values: &values[start.min(values.len())..],
        stride: width,
    }
}

/// Attention of packed queries, keys and values, (rows, 3 · d), to themselves: (rows, d).
pub fn self_attention(tape: &Tape, qkv: &Var, spans: &Arc<Spans>) -> Var {
    let d = qkv.columns() / 3;
    attention(tape, qkv, (qkv, d, 2 * d), d, spans)
}

/// Attention of queries (rows, d) to packed keys and values (other rows, 2 · d): (rows, d).
pub fn cross_attention(tape: &Tape, q: &Var, kv: &Var, spans: &Arc<Spans>) -> Var {
    attention(tape, q, (kv, 0, q.columns()), q.columns(), spans)
}

/// Attention of queries (rows, d) to rows that are keys and values in one, (other rows, d): (rows, d).
pub fn shared_attention(tape: &Tape, q: &Var, memory: &Var, spans: &Arc<Spans>) -> Var {
    match tape.gpu() {
        Some(gpu) => cuda::context::shared(gpu, tape, q, memory, spans),
        None => attention(tape, q, (memory, 0, 0), q.columns(), spans),
    }
}

/// Keys and values: their matrix, and the first column of each.
pub(super) type KeysAndValues<'a> = (&'a Var, usize, usize);

/// Queries at the first columns of `q`.
fn attention(
    tape: &Tape,
    q: &Var,
    (kv, key, value): KeysAndValues,
    d: usize,
    spans: &Arc<Spans>,
) -> Var {
    if let Some(gpu) = tape.gpu() {
        return cuda::attention::forward(gpu, tape, q, (kv, key, value), d, spans);
    }
    let mut out = Buffer::of(q.rows() * d);
    let mut sums = Buffer::of(q.rows() * spans.heads);
    let inputs = Inputs::of(q, (kv, key, value), d);
    let parts = split(&mut out, spans.sentences.iter().map(|(q, _)| q.len() * d));
    let sums_of = split(
        &mut sums,
        spans.sentences.iter().map(|(q, _)| q.len() * spans.heads),
    );
    let tasks = parts.into_par_iter().zip(sums_of).zip(&spans.sentences);
    tasks.for_each_init(Scratch::default, |scratch, ((out, sums), sentence)| {
        for head in 0..spans.heads {
            inputs.forward(spans, (sentence, head), out, sums, scratch);
        }
    });
    let out = tape.var(out, d, true);
    if let Some(slot) = out.slot() {
        let (q, kv, spans, saved) = (q.clone(), kv.clone(), Arc::clone(spans), out.clone());
        tape.push(move |gradients| {
            backward(
                (slot, &saved, &sums),
                &q,
                (&kv, key, value),
                &spans,
                gradients,
            )
        });
    }
    out
}

fn backward(
    (slot, out, sums): (Slot, &Var, &[f32]),
    q: &Var,
    (kv, key, value): KeysAndValues,
    spans: &Spans,
    gradients: &mut Gradients,
) {
    let Some(d_out) = gradients.take(slot) else {
        return;
    };
    let d = out.columns();
    let inputs = Inputs::of(q, (kv, key, value), d);
    let outputs = Outputs {
        d_out: &d_out,
        sums,
    };
    let is_self = q.slot() == kv.slot();
    // Every row of the gradients is written by its sentence, and every column by one of its heads.
    let mut dq = Buffer::of(q.values().len());
    let mut dkv = Buffer::of(if is_self { 0 } else { kv.values().len() });
    let dq_parts = split(
        &mut dq,
        spans
            .sentences
            .iter()
            .map(|(rows, _)| rows.len() * q.columns()),
    );
    let kv_width = if is_self { 0 } else { kv.columns() };
    let dkv_parts = split(
        &mut dkv,
        spans
            .sentences
            .iter()
            .map(|(_, rows)| rows.len() * kv_width),
    );
    let tasks = dq_parts
        .into_par_iter()
        .zip(dkv_parts)
        .zip(&spans.sentences);
    tasks.for_each_init(Scratch::default, |scratch, ((dq, dkv), sentence)| {
        for head in 0..spans.heads {
            inputs.backward(spans, (sentence, head), &outputs, scratch);
            let size = d / spans.heads;
            let (widths, at) = ((inputs.q.1, inputs.k.1), head * size);
            spread(&scratch.dq, size, dq, widths.0, at);
            let dkv = if is_self { &mut *dq } else { &mut *dkv };
            if key == value {
                let both = scratch.dk.iter_mut().zip(scratch.dv.iter());
                both.for_each(|(dk, dv)| *dk += dv);
            } else {
                spread(&scratch.dv, size, dkv, widths.1, value + at);
            }
            spread(&scratch.dk, size, dkv, widths.1, key + at);
        }
    });
    if let Some(slot) = q.slot() {
        gradients.give(slot, dq);
    }
    if let Some(slot) = kv.slot().filter(|_| !is_self) {
        gradients.give(slot, dkv);
    }
}

/// Copies rows of a head to its columns.
fn spread(from: &[f32], size: usize, to: &mut [f32], width: usize, at: usize) {
    for (from, to) in from.chunks_exact(size).zip(to.chunks_exact_mut(width)) {
        to[at..at + size].copy_from_slice(from);
    }
}

/// Queries, keys and values: matrix, its width, the first column.
struct Inputs<'a> {
    q: Columns<'a>,
    k: Columns<'a>,
    v: Columns<'a>,
    d: usize,
}

/// What the forward pass left, and the gradient of its result.
struct Outputs<'a> {
    d_out: &'a [f32],
    /// ln Σ e^s of each row and head.
    sums: &'a [f32],
}

/// A thread's memory.
#[derive(Default)]
struct Scratch {
    keys: Panels,
    key_rows: Panels,
    values: Panels,
    scores: Buffer,
    d_scores: Buffer,
    dq: Buffer,
    dk: Buffer,
    dv: Buffer,
}

type Place<'a> = (&'a (Range<usize>, Range<usize>), usize);

impl<'a> Inputs<'a> {
    fn of(q: &'a Var, (kv, key, value): KeysAndValues<'a>, d: usize) -> Inputs<'a> {
        Inputs {
            q: (q.values(), q.columns(), 0),
            k: (kv.values(), kv.columns(), key),
            v: (kv.values(), kv.columns(), value),
            d,
        }
    }

    /// O of a sentence's head and the logarithms of its sums.
    fn forward(
        &self,
        spans: &Spans,
        ((q, k), head): Place,
        out: &mut [f32],
        sums: &mut [f32],
        s: &mut Scratch,
    ) {
        let size = self.d / spans.heads;
        let scale = spans.scale(size);
        let n = k.len();
        s.keys
            .set_columns(rows(self.k, k.start, head, size), (size, n));
        s.values
            .set_rows(rows(self.v, k.start, head, size), (n, size));
        for start in (0..q.len()).step_by(QUERIES) {
            let count = QUERIES.min(q.len() - start);
            let queries = rows(self.q, q.start + start, head, size);
            s.scores.resize(count * n);
            multiply(queries, count, &s.keys, &mut s.scores, n, Into::Set);
            let visible = spans.is_causal.then_some(start);
            // SAFETY: the level is that of this processor.
            let sums = &mut sums[start * spans.heads..];
            unsafe {
                softmax(
                    Level::best(),
                    &mut s.scores,
                    n,
                    scale,
                    visible,
                    (sums, spans.heads, head),
                )
            };
            let to = &mut out[start * self.d + head * size..];
            multiply(
                Rows::dense(&s.scores, n),
                count,
                &s.values,
                to,
                self.d,
                Into::Set,
            );
        }
    }

    /// The gradients of a sentence's head, into the scratch.
    fn backward(&self, spans: &Spans, ((q, k), head): Place, of: &Outputs, s: &mut Scratch) {
        let size = self.d / spans.heads;
        let scale = spans.scale(size);
        let n = k.len();
        let keys = rows(self.k, k.start, head, size);
        s.keys.set_columns(keys, (size, n));
        s.key_rows.set_rows(keys, (n, size));
        // Vᵀ: what stands on the right of dO · Vᵀ.
        s.values
            .set_columns(rows(self.v, k.start, head, size), (size, n));
        s.dq.resize(q.len() * size);
        s.dk.resize(n * size);
        s.dv.resize(n * size);
        s.dk.fill(0.0);
        s.dv.fill(0.0);
        for start in (0..q.len()).step_by(QUERIES) {
            let count = QUERIES.min(q.len() - start);
            let row = q.start + start;
            let queries = rows(self.q, row, head, size);
            let d_out = rows((of.d_out, self.d, 0), row, head, size);
            s.scores.resize(count * n);
            s.d_scores.resize(count * n);
            multiply(queries, count, &s.keys, &mut s.scores, n, Into::Set);
            multiply(d_out, count, &s.values, &mut s.d_scores, n, Into::Set);
            let visible = spans.is_causal.then_some(start);
            let sums = (&of.sums[row * spans.heads..], spans.heads, head);
            let scores = (&mut *s.scores, &mut *s.d_scores);
            // SAFETY: the level is that of this processor.
            unsafe { through_softmax(Level::best(), scores, n, scale, visible, sums) };
            let (p, ds) = (Rows::dense(&s.scores, n), Rows::dense(&s.d_scores, n));
            outer::add(p, d_out, (count, n, size), &mut s.dv, None);
            outer::add(ds, queries, (count, n, size), &mut s.dk, None);
            multiply(
                ds,
                count,
                &s.key_rows,
                &mut s.dq[start * size..],
                size,
                Into::Set,
            );
        }
    }
}

type Sums<'a> = (&'a mut [f32], usize, usize);

dispatch!(unsafe fn softmax(
    scores: &mut [f32], n: usize, scale: f32, visible: Option<usize>, sums: Sums
) = softmax_in);

/// P in place of the scores, and the logarithm of each row's sum; keys that a row does not see get 0.
#[inline(always)]
unsafe fn softmax_in<L: Lanes>(
    scores: &mut [f32],
    n: usize,
    scale: f32,
    visible: Option<usize>,
    (sums, heads, head): Sums,
) {
    for (r, row) in scores.chunks_exact_mut(n).enumerate() {
        let (seen, rest) = row.split_at_mut(visible.map_or(n, |first| n.min(first + r + 1)));
        seen.iter_mut().for_each(|s| *s *= scale);
        let most = largest(seen);
        let sum = exp_and_sum(seen, most);
        let inverse = 1.0 / sum;
        seen.iter_mut().for_each(|p| *p *= inverse);
        rest.fill(0.0);
        sums[r * heads + head] = most + sum.ln();
    }
}

type Known<'a> = (&'a [f32], usize, usize);

dispatch!(unsafe fn through_softmax(
    scores: (&mut [f32], &mut [f32]), n: usize, scale: f32, visible: Option<usize>, sums: Known
) = through_softmax_in);

/// P in place of the scores, and scale · dS in place of dP.
#[inline(always)]
unsafe fn through_softmax_in<L: Lanes>(
    (scores, d_scores): (&mut [f32], &mut [f32]),
    n: usize,
    scale: f32,
    visible: Option<usize>,
    (sums, heads, head): Known,
) {
    for (r, (p, dp)) in scores
        .chunks_exact_mut(n)
        .zip(d_scores.chunks_exact_mut(n))
        .enumerate()
    {
        let seen = visible.map_or(n, |first| n.min(first + r + 1));
        p[seen..].fill(0.0);
        dp[seen..].fill(0.0);
        let (p, dp) = (&mut p[..seen], &mut dp[..seen]);
        let sum = sums[r * heads + head];
        p.iter_mut().for_each(|s| *s = exp(*s * scale - sum));
        let weighted = dot(p, dp);
        dp.iter_mut()
            .zip(&*p)
            .for_each(|(d, p)| *d = scale * p * (*d - weighted));
    }
}
