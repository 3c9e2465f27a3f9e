//! Attention on a device: see `ops/attention.rs`. Every row is one of a sentence, and is written with it.
//!
//! Values of two bytes are multiplied on tensor cores, where heads have a multiple of eight columns and kernels are made for
//! GPUs that have such units ([`Gpu::has_tensor_products`]); others, and f32, one by one.

use super::kernel;
use crate::nn::device::{Argument, Gpu, Kind, Memory};
use crate::nn::ops::attention::{KeysAndValues, Spans};
use crate::nn::tape::{Tape, Var};
use std::sync::Arc;

/// Columns of a head, at most.
pub const HEAD: usize = 128;

/// Threads of a block.
const THREADS: u32 = 128;

/// What each block works on, as the kernels of heads up to a size take it: rows of queries, and rows of keys.
#[derive(Debug)]
pub struct Tiles {
    queries: Memory,
    keys: Memory,
}

/// Words of a tile.
const TILE: usize = 5;

impl Tiles {
    fn of(gpu: &Gpu, spans: &Spans, rows: usize) -> Tiles {
        let (mut queries, mut keys) = (Vec::new(), Vec::new());
        for (q, k) in &spans.sentences {
            let span = [q.start, q.len(), k.start, k.len()].map(|n| n as u32);
            let tiles = |n: usize, to: &mut Vec<u32>| {
                for tile in (0..n).step_by(rows) {
                    to.extend(span);
                    to.push(tile as u32);
                }
            };
            tiles(q.len(), &mut queries);
            tiles(k.len(), &mut keys);
        }
        Tiles {
            queries: Memory::from_u32(gpu, &queries),
            keys: Memory::from_u32(gpu, &keys),
        }
    }
}

/// The kernels of heads up to a size, and how many rows and heads a block of theirs has.
struct Kernels {
    forward: &'static str,
    queries: &'static str,
    keys: &'static str,
    rows: usize,
    heads: u32,
}

macro_rules! kernels {
    ($gpu:expr, $name:literal, $size:literal, $rows:literal, $heads:literal) => {
        Kernels {
            forward: kernel!($gpu, $name, "_", $size),
            queries: kernel!($gpu, $name, "_back_queries_", $size),
            keys: kernel!($gpu, $name, "_back_keys_", $size),
            rows: $rows,
            heads: $heads,
        }
    };
}

fn kernels(gpu: &Gpu, size: usize) -> Kernels {
    // Eight columns are loaded at once.
    let is_tensor = gpu.has_tensor_products() && size.is_multiple_of(8);
    match (size, is_tensor) {
        (0..=32, true) => kernels!(gpu, "attend_tensor", "32", 16, 4),
        (33..=64, true) => kernels!(gpu, "attend_tensor", "64", 16, 4),
        (65..=HEAD, true) => kernels!(gpu, "attend_tensor", "128", 16, 4),
        (0..=32, false) => kernels!(gpu, "attend", "32", 16, 1),
        (33..=64, false) => kernels!(gpu, "attend", "64", 8, 1),
        (65..=HEAD, false) => kernels!(gpu, "attend", "128", 4, 1),
        _ => panic!("heads of more than 128 columns on a device"),
    }
}

pub fn forward(
    gpu: &Gpu,
    tape: &Tape,
    q: &Var,
    (kv, key, value): KeysAndValues,
    d: usize,
    spans: &Arc<Spans>,
) -> Var {
    assert_ne!(key, value, "keys that are values have kernels of their own");
    let size = d / spans.heads;
    let kernels = kernels(gpu, size);
    let tiles = spans
        .tiles
        .get_or_init(|| Tiles::of(gpu, spans, kernels.rows));
    let words = [q.columns(), kv.columns(), key, value, d, spans.heads, size].map(|n| n as u32);
    let [q_width, kv_width, key, value, d_word, heads, size] = words;
    let shape = Argument::words(&[
        q_width,
        kv_width,
        key,
        value,
        d_word,
        heads,
        size,
        spans.is_causal.into(),
        spans.scale(size as usize).to_bits(),
    ]);
    let out = Memory::of(gpu, gpu.kind(), q.rows() * d);
    let sums = Memory::of(gpu, Kind::F32, q.rows() * spans.heads);
    let arguments = [
        (&out).into(),
        (&sums).into(),
        q.memory().into(),
        kv.memory().into(),
        (&tiles.queries).into(),
        shape,
    ];
    let blocks = heads.div_ceil(kernels.heads);
    let grid = move |tiles: &Memory| ((tiles.len() / TILE) as u32, blocks);
    gpu.launch(kernels.forward, grid(&tiles.queries), THREADS, &arguments);
    let out = tape.var_there(out, d, true);
    if let Some(slot) = out.slot() {
        let (gpu, q, kv, spans, saved) = (
            gpu.clone(),
            q.clone(),
            kv.clone(),
            Arc::clone(spans),
            out.clone(),
        );
        tape.push(move |gradients| {
            let (Some(d_out), Some(tiles)) = (gradients.take_there(slot), spans.tiles.get()) else {
                return;
            };
            let is_self = std::ptr::eq(q.memory(), kv.memory());
            let dq = Memory::of(&gpu, gpu.kind(), q.len());
            let dkv = (!is_self).then(|| Memory::of(&gpu, gpu.kind(), kv.len()));
            let products = Memory::of(&gpu, Kind::F32, sums.len());
            let (q_values, kv_values) = (q.memory().into(), kv.memory().into());
            let arguments = [
                (&dq).into(),
                (&products).into(),
                (&d_out).into(),
                saved.memory().into(),
                (&sums).into(),
                q_values,
                kv_values,
                (&tiles.queries).into(),
                shape,
            ];
            gpu.launch(kernels.queries, grid(&tiles.queries), THREADS, &arguments);
            let arguments = [
                dkv.as_ref().unwrap_or(&dq).into(),
                (&products).into(),
                (&d_out).into(),
                (&sums).into(),
                q_values,
                kv_values,
                (&tiles.keys).into(),
                shape,
            ];
            gpu.launch(kernels.keys, grid(&tiles.keys), THREADS, &arguments);
            if let Some(slot) = q.slot() {
                gradients.give_there(slot, dq);
            }
            if let (Some(slot), Some(dkv)) = (kv.slot(), dkv) {
                gradients.give_there(slot, dkv);
            }
        });
    }
    out
}
