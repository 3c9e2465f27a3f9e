//! Attention of single queries to kept keys and values on a device: see `ops/query.rs`.

use super::attention::HEAD;
use super::kept::{Kept, Picks};
use super::kernel;
use crate::nn::device::{Argument, Kind, Memory};

/// Threads of a block: four warps.
const THREADS: u32 = 128;

/// What queries (rows, …), the first d columns of a matrix, find in a part of what is kept, whose rows are a key and a value;
/// and, where that is wanted, every weight (rows, heads, longest).
pub fn attend(
    kept: &Kept,
    part: usize,
    (q, q_width): (&Memory, usize),
    (picks, heads): (&Picks, usize),
    records: bool,
) -> (Memory, Option<Memory>) {
    let (gpu, d, rows) = (kept.gpu(), kept.columns(part) / 2, q.len() / q_width);
    let size = d / heads;
    assert!(size <= HEAD && picks.count() == rows);
    let out = Memory::of(gpu, gpu.kind(), rows * d);
    let record = records.then(|| Memory::of(gpu, Kind::F32, rows * heads * picks.longest));
    let words = [q_width, d, heads, size, picks.longest].map(|n| n as u32);
    let scale = 1.0 / (size as f32).sqrt();
    let shape = [&words[..], &[scale.to_bits()]].concat();
    let arguments = [
        (&out).into(),
        record.as_ref().map_or(Argument::NULL, Argument::from),
        q.into(),
        kept.part(part).into(),
        (&picks.rows).into(),
        (&picks.starts).into(),
        Argument::words(&shape),
    ];
    let grid = (rows as u32, heads as u32);
    gpu.launch(kernel!(gpu, "attend_picked"), grid, THREADS, &arguments);
    (out, record)
}
