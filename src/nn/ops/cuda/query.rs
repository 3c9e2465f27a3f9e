//! Attention of single queries to kept keys and values on a device: see `ops/query.rs`.

use super::attention::HEAD;
use super::kernel;
use crate::nn::device::{Argument, Gpu, Kind, Memory};

/// Threads of a block: four warps.
const THREADS: u32 = 128;

/// Keys and values that are kept: rows of 2 · d values, of every layer. Rows are given out and taken back by their numbers.
#[derive(Debug)]
pub struct Kept {
    gpu: Gpu,
    d: usize,
    layers: Vec<Memory>,
    rows: usize,
    free: Vec<u32>,
}

impl Kept {
    pub fn new(gpu: &Gpu, layers: usize, d: usize) -> Kept {
        let empty = || Memory::of(gpu, gpu.kind(), 0);
        Kept {
            gpu: gpu.clone(),
            d,
            layers: std::iter::repeat_with(empty).take(layers).collect(),
            rows: 0,
            free: Vec::new(),
        }
    }

    /// Numbers of rows that nobody has; more are made where there are too few, twice as many as before.
    pub fn take(&mut self, n: usize) -> Vec<u32> {
        if self.free.len() < n {
            let rows = (self.rows + n - self.free.len()).max(2 * self.rows);
            for layer in &mut self.layers {
                let larger = Memory::of(&self.gpu, self.gpu.kind(), rows * 2 * self.d);
                larger.copy_from(layer);
                *layer = larger;
            }
            // The last is given out first.
            self.free.extend((self.rows as u32..rows as u32).rev());
            self.rows = rows;
        }
        self.free.split_off(self.free.len() - n)
    }

    /// Takes rows back.
    pub fn give(&mut self, rows: &[u32]) {
        self.free.extend(rows);
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// How many of them nobody has.
    pub fn idle(&self) -> usize {
        self.free.len()
    }

    /// Keeps columns of rows, from the column `first` on, in rows of a layer.
    pub fn keep(&self, layer: usize, from: (&Memory, usize, usize), places: &Memory) {
        let ((from, width, first), columns) = (from, 2 * self.d);
        let arguments = [
            (&self.layers[layer]).into(),
            from.into(),
            places.into(),
            places.len().into(),
            width.into(),
            first.into(),
            columns.into(),
        ];
        let n = places.len() * columns;
        (self.gpu).launch_over(n, kernel!(self.gpu, "keep_rows"), &arguments);
    }
}

/// Which rows of what is kept each query attends to.
#[derive(Debug)]
pub struct Picks {
    rows: Memory,
    starts: Memory,
    /// The most that one has.
    pub longest: usize,
}

impl Picks {
    pub fn new(gpu: &Gpu, each: impl Iterator<Item = impl Iterator<Item = u32>>) -> Picks {
        let (mut rows, mut starts, mut longest) = (Vec::new(), vec![0], 0);
        for own in each {
            let before = rows.len();
            rows.extend(own);
            longest = longest.max(rows.len() - before);
            starts.push(rows.len() as u32);
        }
        Picks {
            rows: Memory::from_u32(gpu, &rows),
            starts: Memory::from_u32(gpu, &starts),
            longest,
        }
    }
}

/// What queries (rows, …), the first d columns of a matrix, find in a layer of what is kept; and, where that is wanted,
/// every weight (rows, heads, longest).
pub fn attend(
    kept: &Kept,
    layer: usize,
    (q, q_width): (&Memory, usize),
    (picks, heads): (&Picks, usize),
    records: bool,
) -> (Memory, Option<Memory>) {
    let (gpu, d, rows) = (&kept.gpu, kept.d, q.len() / q_width);
    let size = d / heads;
    assert!(size <= HEAD && picks.starts.len() == rows + 1);
    let out = Memory::of(gpu, gpu.kind(), rows * d);
    let record = records.then(|| Memory::of(gpu, Kind::F32, rows * heads * picks.longest));
    let words = [q_width, d, heads, size, picks.longest].map(|n| n as u32);
    let scale = 1.0 / (size as f32).sqrt();
    let shape = [&words[..], &[scale.to_bits()]].concat();
    let arguments = [
        (&out).into(),
        record.as_ref().map_or(Argument::NULL, Argument::from),
        q.into(),
        (&kept.layers[layer]).into(),
        (&picks.rows).into(),
        (&picks.starts).into(),
        Argument::words(&shape),
    ];
    let grid = (rows as u32, heads as u32);
    gpu.launch(kernel!(gpu, "attend_picked"), grid, THREADS, &arguments);
    (out, record)
}
