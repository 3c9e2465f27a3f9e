//! Rows that are kept on a device from step to step of a decoding, given out and taken back by their numbers.

use super::kernel;
use crate::nn::device::{Gpu, Kind, Memory};

/// No row.
const NONE: u32 = u32::MAX;

/// Matrices with the same rows: what is kept of each row.
#[derive(Debug)]
pub struct Kept {
    gpu: Gpu,
    parts: Vec<Part>,
    rows: usize,
    free: Vec<u32>,
}

/// A matrix, how its values are kept, and the columns it has.
#[derive(Debug)]
struct Part {
    memory: Memory,
    kind: Kind,
    columns: usize,
}

impl Kept {
    /// Of each part: how its values are kept, and how many of them a row has.
    pub fn new(gpu: &Gpu, parts: impl IntoIterator<Item = (Kind, usize)>) -> Kept {
        let part = |(kind, columns)| Part {
            memory: Memory::of(gpu, kind, 0),
            kind,
            columns,
        };
        Kept {
            gpu: gpu.clone(),
            parts: parts.into_iter().map(part).collect(),
            rows: 0,
            free: Vec::new(),
        }
    }

    /// Numbers of rows that nobody has; more are made where there are too few, at least half as many as there are. Where the
    /// device has no room for them, which it remembers, these are none.
    pub fn take(&mut self, n: usize) -> Vec<u32> {
        if self.free.len() < n && !self.grow(n - self.free.len()) {
            return vec![NONE; n];
        }
        self.free.split_off(self.free.len() - n)
    }

    /// Makes so many rows at least, and whether there was room for them.
    fn grow(&mut self, n: usize) -> bool {
        let rows = (self.rows + n).max(self.rows + self.rows / 2);
        let larger = self.parts.iter().map(|part| {
            let larger = Memory::of(&self.gpu, part.kind, rows * part.columns);
            larger.copy_from(&part.memory);
            larger
        });
        let larger: Vec<Memory> = larger.collect();
        if self.gpu.check().is_err() {
            return false;
        }
        for (part, larger) in self.parts.iter_mut().zip(larger) {
            part.memory = larger;
        }
        // The last is given out first.
        self.free.extend((self.rows as u32..rows as u32).rev());
        self.rows = rows;
        true
    }

    /// Takes rows back.
    pub fn give(&mut self, rows: &[u32]) {
        self.free.extend(rows.iter().filter(|row| **row != NONE));
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// How many of them nobody has.
    pub fn idle(&self) -> usize {
        self.free.len()
    }

    pub(super) fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    pub(super) fn part(&self, part: usize) -> &Memory {
        &self.parts[part].memory
    }

    /// The columns of a part.
    pub(super) fn columns(&self, part: usize) -> usize {
        self.parts[part].columns
    }

    /// Keeps columns of a matrix, from the column `first` on, in these rows of a part that is kept as activations are.
    pub fn keep(
        &self,
        part: usize,
        (from, width, first): (&Memory, usize, usize),
        places: &Memory,
    ) {
        let Part {
            memory, columns, ..
        } = &self.parts[part];
        let arguments = [
            memory.into(),
            from.into(),
            places.into(),
            places.len().into(),
            width.into(),
            first.into(),
            (*columns).into(),
        ];
        let n = places.len() * columns;
        (self.gpu).launch_over(n, kernel!(self.gpu, "keep_rows"), &arguments);
    }

    /// These rows of a part, as activations are kept: (rows, columns).
    pub fn pick(&self, part: usize, places: &Memory) -> Memory {
        let (gpu, part) = (&self.gpu, &self.parts[part]);
        let kernel = match part.kind {
            Kind::F32 => kernel!(gpu, "pick_f32"),
            _ => kernel!(gpu, "pick"),
        };
        let to = Memory::of(gpu, gpu.kind(), places.len() * part.columns);
        let arguments = [
            (&to).into(),
            (&part.memory).into(),
            places.into(),
            places.len().into(),
            part.columns.into(),
        ];
        gpu.launch_over(to.len(), kernel, &arguments);
        to
    }
}

/// Which kept rows each query attends to.
#[derive(Debug)]
pub struct Picks {
    pub(super) rows: Memory,
    pub(super) starts: Memory,
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

    /// How many queries.
    pub fn count(&self) -> usize {
        self.starts.len() - 1
    }
}
