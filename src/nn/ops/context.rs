//! The context of a query: the mean of a sentence's rows, weighed by how well each answers to it.
//!
//! ```text
//! additive   s[j] = vᵀ tanh(k[j] + q)                 dot   s[j] = m[j] · q
//! p = softmax(s)     o = Σ_j p[j] · m[j]
//!
//! dp[j] = do · m[j]     ds = p ∘ (dp − p · dp)     dm[j] += p[j] · do
//! additive   e = ds[j] · v ∘ (1 − a²), a = tanh(k[j] + q):     dk[j] += e     dq += e     dv += ds[j] · a
//! dot        dm[j] += ds[j] · q                                 dq += ds[j] · m[j]
//! ```
//!
//! k: keys that were made of the rows m once for the sentence. a is computed again on the way back. Additive: Bahdanau et
//! al. 2015, what Luong et al. 2015 call `concat`; dot: theirs, as `general` when q is a linear map of the state.

use super::cuda;
use super::exp::{dot, exp_and_sum, largest, tanh};
use super::recurrent::Sequences;
use crate::nn::buffer::{Buffer, split};
use crate::nn::parameters::Parameter;
use crate::nn::tape::{self, Slot, Tape, Var};
use crate::simd::{Lanes, Level, dispatch};
use rayon::prelude::*;
use std::ops::Range;
use std::sync::Arc;

/// The rows of a sentence, (tokens, m), and how they are scored.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    pub rows: &'a [f32],
    pub score: Score<'a>,
}

/// How rows answer to a query.
#[derive(Clone, Copy)]
pub enum Score<'a> {
    /// By keys (tokens, a) and v (a).
    Additive { keys: &'a [f32], v: &'a [f32] },
    /// By the rows themselves.
    Dot,
}

/// o (m) for a query; p (tokens) are the weights of the rows.
pub fn context(q: &[f32], source: Source, p: &mut [f32], o: &mut [f32]) {
    let n = p.len();
    assert!(source.rows.len() == n * o.len());
    match source.score {
        Score::Additive { keys, v } => assert!(keys.len() == n * q.len() && v.len() == q.len()),
        Score::Dot => assert!(q.len() == o.len()),
    }
    // SAFETY: the level is that of this processor.
    unsafe { context_at(Level::best(), q, source, p, o) }
}

dispatch!(unsafe fn context_at(q: &[f32], source: Source, p: &mut [f32], o: &mut [f32]) = context_in);

#[inline(always)]
unsafe fn context_in<L: Lanes>(q: &[f32], source: Source, p: &mut [f32], o: &mut [f32]) {
    match source.score {
        Score::Additive { keys, v } => {
            for (p, key) in p.iter_mut().zip(keys.chunks_exact(q.len())) {
                *p = additive(key, q, v);
            }
        }
        Score::Dot => {
            for (p, row) in p.iter_mut().zip(source.rows.chunks_exact(o.len())) {
                *p = dot(row, q);
            }
        }
    }
    let most = largest(p);
    let inverse = 1.0 / exp_and_sum(p, most);
    p.iter_mut().for_each(|p| *p *= inverse);
    o.fill(0.0);
    for (p, row) in p.iter().zip(source.rows.chunks_exact(o.len())) {
        o.iter_mut().zip(row).for_each(|(o, m)| *o += p * m);
    }
}

/// vᵀ tanh(k + q), in sixteen sums.
#[inline(always)]
fn additive(key: &[f32], q: &[f32], v: &[f32]) -> f32 {
    let mut sums = [0.0f32; 16];
    let ((k, k_rest), (q, q_rest), (v, v_rest)) = (
        key.as_chunks::<16>(),
        q.as_chunks::<16>(),
        v.as_chunks::<16>(),
    );
    for ((k, q), v) in k.iter().zip(q).zip(v) {
        for i in 0..16 {
            sums[i] += v[i] * tanh(k[i] + q[i]);
        }
    }
    let rest = k_rest.iter().zip(q_rest).zip(v_rest);
    let rest: f32 = rest.map(|((k, q), v)| v * tanh(k + q)).sum();
    sums.iter().sum::<f32>() + rest
}

/// Where the gradients of a query's sentence go; those of rows, keys and v are added to.
pub struct Gradients<'a> {
    pub q: &'a mut [f32],
    pub rows: &'a mut [f32],
    /// Of keys and v; empty where there are none.
    pub keys: &'a mut [f32],
    pub v: &'a mut [f32],
}

/// The way back from the gradient of o, with the weights p of the way there; `ds` is scratch of as many values.
pub fn context_back(
    q: &[f32],
    source: Source,
    (p, ds): (&[f32], &mut [f32]),
    d_out: &[f32],
    to: Gradients,
) {
    assert!(ds.len() == p.len() && to.q.len() == q.len() && to.rows.len() == source.rows.len());
    if let Score::Additive { keys, v } = source.score {
        assert!(to.keys.len() == keys.len() && to.v.len() == v.len());
    }
    // SAFETY: the level is that of this processor.
    unsafe { context_back_at(Level::best(), q, source, (p, ds), d_out, to) }
}

dispatch!(unsafe fn context_back_at(
    q: &[f32], source: Source, weights: (&[f32], &mut [f32]), d_out: &[f32], to: Gradients
) = context_back_in);

#[inline(always)]
unsafe fn context_back_in<L: Lanes>(
    q: &[f32],
    source: Source,
    (p, ds): (&[f32], &mut [f32]),
    d_out: &[f32],
    to: Gradients,
) {
    let m = d_out.len();
    for (dp, row) in ds.iter_mut().zip(source.rows.chunks_exact(m)) {
        *dp = dot(d_out, row);
    }
    let mean = dot(p, ds);
    ds.iter_mut().zip(p).for_each(|(d, p)| *d = p * (*d - mean));
    for (p, to) in p.iter().zip(to.rows.chunks_exact_mut(m)) {
        to.iter_mut().zip(d_out).for_each(|(to, d)| *to += p * d);
    }
    to.q.fill(0.0);
    match source.score {
        Score::Dot => {
            let rows = (source.rows.chunks_exact(m)).zip(to.rows.chunks_exact_mut(m));
            for (ds, (row, d_row)) in ds.iter().zip(rows) {
                to.q.iter_mut().zip(row).for_each(|(dq, m)| *dq += ds * m);
                d_row.iter_mut().zip(q).for_each(|(d, q)| *d += ds * q);
            }
        }
        Score::Additive { keys, v } => {
            let a = q.len();
            let rows = keys.chunks_exact(a).zip(to.keys.chunks_exact_mut(a));
            for (ds, (key, d_key)) in ds.iter().zip(rows) {
                additive_back(*ds, (key, q, v), (d_key, to.q, to.v));
            }
        }
    }
}

/// Adds the gradients of one score.
#[inline(always)]
fn additive_back(
    ds: f32,
    (key, q, v): (&[f32], &[f32], &[f32]),
    (d_key, dq, dv): (&mut [f32], &mut [f32], &mut [f32]),
) {
    let (mut at, n) = (0, key.len());
    while at + 16 <= n {
        units_back::<16>(ds, at, (key, q, v), (d_key, dq, dv));
        at += 16;
    }
    (at..n).for_each(|at| units_back::<1>(ds, at, (key, q, v), (d_key, dq, dv)));
}

#[inline(always)]
fn units_back<const N: usize>(
    ds: f32,
    at: usize,
    (key, q, v): (&[f32], &[f32], &[f32]),
    (d_key, dq, dv): (&mut [f32], &mut [f32], &mut [f32]),
) {
    let (key, q, v) = (&key[at..at + N], &q[at..at + N], &v[at..at + N]);
    let (mut through, mut own) = ([0.0; N], [0.0; N]);
    for i in 0..N {
        let a = tanh(key[i] + q[i]);
        through[i] = ds * v[i] * (1.0 - a * a);
        own[i] = ds * a;
    }
    let add = |to: &mut [f32], by: &[f32; N]| {
        to[at..at + N]
            .iter_mut()
            .zip(by)
            .for_each(|(to, by)| *to += by);
    };
    add(d_key, &through);
    add(dq, &through);
    add(dv, &own);
}

/// Sentences, those that they attend to, and where the weights of each pair lie.
#[derive(Clone, Debug)]
pub struct Pairs {
    pub target: Arc<Sequences>,
    pub source: Arc<Sequences>,
    /// A number more than there are pairs.
    starts: Vec<usize>,
}

impl Pairs {
    pub fn new(target: Arc<Sequences>, source: Arc<Sequences>) -> Pairs {
        let mut starts = vec![0];
        let mut end = 0;
        for (target, source) in target.rows.iter().zip(&source.rows) {
            end += target.len() * source.len();
            starts.push(end);
        }
        Pairs {
            target,
            source,
            starts,
        }
    }

    /// Weights of all pairs.
    pub fn weights(&self) -> usize {
        self.starts[self.starts.len() - 1]
    }

    /// Where those of a token of a pair's target lie.
    pub fn weights_of(&self, pair: usize, token: usize) -> Range<usize> {
        let n = self.source.rows[pair].len();
        let start = self.starts[pair] + token * n;
        start..start + n
    }

    /// Cuts the weights into pairs.
    pub fn split<'a>(&self, weights: &'a mut [f32]) -> Vec<&'a mut [f32]> {
        split(
            weights,
            self.starts.windows(2).map(|ends| ends[1] - ends[0]),
        )
    }

    /// The source of a pair, by the rows of all and, where scores are additive, their keys and v.
    pub fn source_of<'a>(
        &self,
        pair: usize,
        memory: &'a Var,
        keys: Option<(&'a Var, &'a [f32])>,
    ) -> Source<'a> {
        let rows = &self.source.rows[pair];
        let of = |var: &'a Var| {
            let width = var.columns();
            &var.values()[rows.start * width..rows.end * width]
        };
        Source {
            rows: of(memory),
            score: match keys {
                Some((keys, v)) => Score::Additive { keys: of(keys), v },
                None => Score::Dot,
            },
        }
    }
}

/// Additive attention of queries (rows, a) to the rows of their sentences by keys (other rows, a): (rows, m).
pub fn additive_attention(
    tape: &Tape,
    q: &Var,
    (keys, memory): (&Var, &Var),
    v: Parameter,
    pairs: &Arc<Pairs>,
) -> Var {
    if let Some(gpu) = tape.gpu() {
        return cuda::context::additive(gpu, tape, q, (keys, memory), v, pairs);
    }
    let (a, m) = (q.columns(), memory.columns());
    let mut out = Buffer::of(q.rows() * m);
    let mut p = Buffer::of(pairs.weights());
    let values = tape.weights.of(v);
    (pairs.target.split(&mut out, m).into_par_iter())
        .zip(pairs.split(&mut p))
        .enumerate()
        .for_each(|(pair, (out, p))| {
            let source = pairs.source_of(pair, memory, Some((keys, values)));
            let queries = q.values()[pairs.target.rows[pair].start * a..].chunks_exact(a);
            let n = pairs.source.rows[pair].len().max(1);
            for ((q, p), o) in queries
                .zip(p.chunks_exact_mut(n))
                .zip(out.chunks_exact_mut(m))
            {
                context(q, source, p, o);
            }
        });
    let out = tape.var(out, m, true);
    if let Some(slot) = out.slot() {
        let inputs = Attended {
            q: q.clone(),
            keys: keys.clone(),
            memory: memory.clone(),
            v,
            pairs: Arc::clone(pairs),
        };
        tape.push(move |gradients| inputs.back(slot, (&p, values), gradients));
    }
    out
}

/// What additive attention worked on.
struct Attended {
    q: Var,
    keys: Var,
    memory: Var,
    v: Parameter,
    pairs: Arc<Pairs>,
}

impl Attended {
    /// The way back, by the weights p of the way there.
    fn back(&self, slot: Slot, (p, v): (&[f32], &[f32]), gradients: &mut tape::Gradients) {
        let Some(d_out) = gradients.take(slot) else {
            return;
        };
        let (a, m, pairs) = (self.q.columns(), self.memory.columns(), &self.pairs);
        let mut dq = Buffer::of(self.q.values().len());
        let mut dm = Buffer::zeros(self.memory.values().len());
        let mut dk = Buffer::zeros(self.keys.values().len());
        let mut dv = Buffer::zeros(pairs.target.rows.len() * a);
        (pairs.target.split(&mut dq, a).into_par_iter())
            .zip(pairs.source.split(&mut dm, m))
            .zip(pairs.source.split(&mut dk, a))
            .zip(dv.par_chunks_exact_mut(a))
            .enumerate()
            .for_each(|(pair, (((dq, dm), dk), dv))| {
                let source = pairs.source_of(pair, &self.memory, Some((&self.keys, v)));
                let first = pairs.target.rows[pair].start;
                let mut ds = vec![0.0; pairs.source.rows[pair].len()];
                for (t, dq) in dq.chunks_exact_mut(a).enumerate() {
                    let row = first + t;
                    let to = Gradients {
                        q: dq,
                        rows: &mut *dm,
                        keys: &mut *dk,
                        v: &mut *dv,
                    };
                    context_back(
                        &self.q.values()[row * a..(row + 1) * a],
                        source,
                        (&p[pairs.weights_of(pair, t)], &mut ds),
                        &d_out[row * m..(row + 1) * m],
                        to,
                    );
                }
            });
        add_rows(&dv, gradients.of(self.v));
        for (var, gradient) in [(&self.q, dq), (&self.keys, dk), (&self.memory, dm)] {
            if let Some(slot) = var.slot() {
                gradients.give(slot, gradient);
            }
        }
    }
}

/// sum = sum + all rows, in their order.
pub fn add_rows(rows: &[f32], sum: &mut [f32]) {
    for row in rows.chunks_exact(sum.len()) {
        sum.iter_mut().zip(row).for_each(|(sum, v)| *sum += v);
    }
}
