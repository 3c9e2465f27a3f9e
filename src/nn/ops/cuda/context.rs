//! Contexts of queries on a device: see `ops/context.rs`; and attention of one head, whatever its size, to rows that are
//! keys and values in one (`ops/attention.rs`).

use super::kept::{Kept, Picks};
use super::{add_columns, kernel, launch_rows};
use crate::nn::device::{Argument, Gpu, Kind, Memory};
use crate::nn::ops::attention::Spans;
use crate::nn::ops::context::Pairs;
use crate::nn::parameters::{Parameter, There};
use crate::nn::tape::{Gradients, Tape, Var};
use std::ops::Range;

/// Values of a query, a key or a row, at most: what the registers of a warp hold.
pub const WIDEST: usize = 1024;

/// A pair's rows on either side.
type Pair<'a> = (&'a Range<usize>, &'a Range<usize>);

struct Kernels {
    forward: &'static str,
    picked: &'static str,
    queries: &'static str,
    keys: &'static str,
}

macro_rules! kernels {
    ($gpu:expr, $score:literal, $parts:literal) => {
        Kernels {
            forward: kernel!($gpu, "context_", $score, "_", $parts),
            picked: kernel!($gpu, "context_picked_", $score, "_", $parts),
            queries: kernel!($gpu, "context_back_queries_", $score, "_", $parts),
            keys: kernel!($gpu, "context_back_keys_", $score, "_", $parts),
        }
    };
}

fn kernels(gpu: &Gpu, is_additive: bool, widest: usize) -> Kernels {
    match (is_additive, widest) {
        (false, 0..=256) => kernels!(gpu, "dot", "8"),
        (false, _) => kernels!(gpu, "dot", "32"),
        (true, 0..=256) => kernels!(gpu, "additive", "8"),
        (true, _) => kernels!(gpu, "additive", "32"),
    }
}

/// What queries attend to.
pub(super) struct Attended<'w> {
    gpu: Gpu,
    there: &'w There,
    kernels: Kernels,
    /// Keys that are not the rows themselves, and v.
    keys: Option<(Var, Parameter)>,
    memory: Var,
    /// Values of a query.
    a: usize,
    sizes: Argument<'static>,
    /// The rows of keys that each query belongs with, and of queries each key.
    of_queries: Memory,
    of_keys: Memory,
    /// Where queries lie, if those of a sentence do not stand one after the other.
    order: Option<Memory>,
}

/// What the way there leaves: contexts, and the logarithm of each query's sum.
#[derive(Clone, Copy)]
pub(super) struct Found<'a> {
    pub q: &'a Memory,
    pub out: &'a Memory,
    pub sums: &'a Memory,
}

/// Gradients of the way back: of contexts, which come in; of queries and each query's part of v, and do · o.
#[derive(Clone, Copy)]
pub(super) struct Slopes<'a> {
    pub d_out: &'a Memory,
    pub dq: &'a Memory,
    pub dv: Option<&'a Memory>,
    pub products: &'a Memory,
}

impl<'w> Attended<'w> {
    /// `places`: the row of each query, by its number among the tokens; none where they are the same.
    pub fn new<'a>(
        gpu: &Gpu,
        there: &'w There,
        (keys, memory): (Option<(&Var, Parameter)>, &Var),
        (a, scale): (usize, f32),
        pairs: impl Iterator<Item = Pair<'a>>,
        (queries, places): (usize, Option<&[usize]>),
    ) -> Attended<'w> {
        let m = memory.columns();
        assert!(a <= WIDEST && m <= WIDEST);
        let (mut of_queries, mut of_keys) = (vec![0; 2 * queries], vec![0; 2 * memory.rows()]);
        let set = |to: &mut [u32], row: usize, other: &Range<usize>| {
            to[2 * row..2 * row + 2].copy_from_slice(&[other.start as u32, other.len() as u32]);
        };
        for (q, k) in pairs {
            for query in q.clone() {
                set(
                    &mut of_queries,
                    places.map_or(query, |places| places[query]),
                    k,
                );
            }
            k.clone().for_each(|key| set(&mut of_keys, key, q));
        }
        let order = places.map(|places| places.iter().map(|row| *row as u32).collect::<Vec<_>>());
        Attended {
            kernels: kernels(gpu, keys.is_some(), a.max(m)),
            keys: keys.map(|(keys, v)| (keys.clone(), v)),
            memory: memory.clone(),
            a,
            sizes: Argument::words(&[a as u32, m as u32, scale.to_bits()]),
            of_queries: Memory::from_u32(gpu, &of_queries),
            of_keys: Memory::from_u32(gpu, &of_keys),
            order: order.map(|order| Memory::from_u32(gpu, &order)),
            gpu: gpu.clone(),
            there,
        }
    }

    fn key_values(&self) -> &Memory {
        self.keys
            .as_ref()
            .map_or(&self.memory, |(keys, _)| keys)
            .memory()
    }

    fn v(&self) -> Argument<'_> {
        self.keys
            .as_ref()
            .map_or(Argument::NULL, |(_, v)| self.there.at(*v))
    }

    /// The contexts of some queries.
    pub fn forward(&self, rows: Range<usize>, of: Found) {
        let (first, n, m) = (rows.start, rows.len(), self.memory.columns());
        let arguments = [
            of.out.at(first * m),
            of.sums.at(first),
            of.q.at(first * self.a),
            self.key_values().into(),
            self.memory.memory().into(),
            self.v(),
            self.of_queries.at(2 * first),
            n.into(),
            self.sizes,
        ];
        launch_rows(&self.gpu, n, self.kernels.forward, &arguments);
    }

    /// The way back to some queries.
    pub fn back(&self, rows: Range<usize>, of: Found, to: Slopes) {
        let (first, n, m) = (rows.start, rows.len(), self.memory.columns());
        let arguments = [
            to.dq.at(first * self.a),
            to.dv.map_or(Argument::NULL, |dv| dv.at(first * self.a)),
            to.products.at(first),
            to.d_out.at(first * m),
            of.out.at(first * m),
            of.sums.at(first),
            of.q.at(first * self.a),
            self.key_values().into(),
            self.memory.memory().into(),
            self.v(),
            self.of_queries.at(2 * first),
            n.into(),
            self.sizes,
        ];
        launch_rows(&self.gpu, n, self.kernels.queries, &arguments);
    }

    /// The way back to keys, rows and v, when that to all queries is done.
    pub fn end_back(&self, of: Found, to: Slopes, gradients: &mut Gradients) {
        let gpu = &self.gpu;
        let keys = self.keys.as_ref();
        let dk = keys.map(|(keys, _)| Memory::of(gpu, gpu.kind(), keys.len()));
        let dm = Memory::of(gpu, gpu.kind(), self.memory.len());
        let rows = self.memory.rows();
        let arguments = [
            dk.as_ref().map_or(Argument::NULL, Argument::from),
            (&dm).into(),
            to.products.into(),
            to.d_out.into(),
            of.sums.into(),
            of.q.into(),
            self.key_values().into(),
            self.memory.memory().into(),
            self.v(),
            (&self.of_keys).into(),
            self.order.as_ref().map_or(Argument::NULL, Argument::from),
            rows.into(),
            self.sizes,
        ];
        launch_rows(gpu, rows, self.kernels.keys, &arguments);
        if let (Some((_, v)), Some(dv)) = (keys, to.dv) {
            add_columns(gpu, dv, (self.a, self.a), gradients.there().at(v.start()));
        }
        let keys = keys.and_then(|(keys, _)| keys.slot());
        for (slot, gradient) in [(keys, dk), (self.memory.slot(), Some(dm))] {
            if let (Some(slot), Some(gradient)) = (slot, gradient) {
                gradients.give_there(slot, gradient);
            }
        }
    }
}

/// Additive attention of queries to the rows of their sentences, by keys and v.
pub fn additive(
    gpu: &Gpu,
    tape: &Tape,
    q: &Var,
    (keys, memory): (&Var, &Var),
    v: Parameter,
    pairs: &Pairs,
) -> Var {
    let there = tape.there();
    let rows = pairs.target.rows.iter().zip(&pairs.source.rows);
    let how = (q.columns(), 1.0);
    let attended = Attended::new(
        gpu,
        there,
        (Some((keys, v)), memory),
        how,
        rows,
        (q.rows(), None),
    );
    forward(tape, q, attended)
}

/// Attention of one head to rows that are keys and values.
pub fn shared(gpu: &Gpu, tape: &Tape, q: &Var, memory: &Var, spans: &Spans) -> Var {
    assert!(
        spans.heads == 1 && !spans.is_causal,
        "one head that sees all, on a device"
    );
    let there = tape.there();
    let rows = spans.sentences.iter().map(|(q, k)| (q, k));
    let how = (q.columns(), spans.scale(q.columns()));
    let attended = Attended::new(gpu, there, (None, memory), how, rows, (q.rows(), None));
    forward(tape, q, attended)
}

fn forward<'w>(tape: &Tape<'w>, q: &Var, attended: Attended<'w>) -> Var {
    let (gpu, rows, m) = (&attended.gpu, q.rows(), attended.memory.columns());
    let out = Memory::of(gpu, gpu.kind(), rows * m);
    let sums = Memory::of(gpu, Kind::F32, rows);
    let found = Found {
        q: q.memory(),
        out: &out,
        sums: &sums,
    };
    attended.forward(0..rows, found);
    let out = tape.var_there(out, m, true);
    if let Some(slot) = out.slot() {
        let (q, saved) = (q.clone(), out.clone());
        tape.push(move |gradients| {
            let Some(d_out) = gradients.take_there(slot) else {
                return;
            };
            let gpu = &attended.gpu;
            let dq = Memory::of(gpu, gpu.kind(), q.len());
            let dv = attended
                .keys
                .as_ref()
                .map(|_| Memory::of(gpu, gpu.kind(), q.len()));
            let products = Memory::of(gpu, Kind::F32, rows);
            let found = Found {
                q: q.memory(),
                out: saved.memory(),
                sums: &sums,
            };
            let slopes = Slopes {
                d_out: &d_out,
                dq: &dq,
                dv: dv.as_ref(),
                products: &products,
            };
            attended.back(0..rows, found, slopes);
            attended.end_back(found, slopes, gradients);
            if let Some(slot) = q.slot() {
                gradients.give_there(slot, dq);
            }
        });
    }
    out
}

/// The contexts of queries among kept rows, (rows, m), and, where that is wanted, every weight (rows, longest). The rows are
/// part 0 of what is kept, the keys of additive attention part 1.
pub fn picked(
    there: &There,
    kept: &Kept,
    v: Option<Parameter>,
    (q, picks): (&Memory, &Picks),
    records: bool,
) -> (Memory, Option<Memory>) {
    let (gpu, rows, m) = (kept.gpu(), picks.count(), kept.columns(0));
    let keys = usize::from(v.is_some());
    let a = kept.columns(keys);
    assert!(a <= WIDEST && m <= WIDEST && q.len() == rows * a);
    let out = Memory::of(gpu, gpu.kind(), rows * m);
    let record = records.then(|| Memory::of(gpu, Kind::F32, rows * picks.longest));
    let arguments = [
        (&out).into(),
        record.as_ref().map_or(Argument::NULL, Argument::from),
        q.into(),
        kept.part(keys).into(),
        kept.part(0).into(),
        v.map_or(Argument::NULL, |v| there.at(v)),
        (&picks.rows).into(),
        (&picks.starts).into(),
        picks.longest.into(),
        rows.into(),
        Argument::words(&[a as u32, m as u32, 1.0f32.to_bits()]),
    ];
    let kernel = kernels(gpu, v.is_some(), a.max(m)).picked;
    launch_rows(gpu, rows, kernel, &arguments);
    (out, record)
}
