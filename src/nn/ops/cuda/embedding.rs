//! Rows of a table for tokens on a device: see `ops/embedding.rs`.

use super::kernel;
use crate::nn::device::{Argument, Gpu, Memory};
use crate::nn::dropout::Mask;
use crate::nn::ops::embedding::{Embedding, Positions};
use crate::nn::tape::{Tape, Var};

/// Columns of a block where a table's gradient is collected.
const COLUMNS: usize = 128;

pub fn forward(
    gpu: &Gpu,
    tape: &Tape,
    layer: &Embedding,
    (ids, positions): (&[u32], &[u32]),
    mask: Option<Mask>,
) -> Var {
    let there = tape.there();
    let d = layer.table.columns;
    let y = Memory::of(gpu, gpu.kind(), ids.len() * d);
    let sinusoids = match &layer.positions {
        Positions::Sinusoids(table) => Some(there.table(table)),
        _ => None,
    };
    let table: Argument = match &layer.positions {
        Positions::Learned(parameter) => there.at(*parameter),
        _ => sinusoids.as_deref().map_or(Argument::NULL, Argument::from),
    };
    let tokens = Memory::from_u32(gpu, ids);
    let places = Memory::from_u32(gpu, positions);
    let arguments = [
        (&y).into(),
        there.at(layer.table),
        table,
        (&tokens).into(),
        (&places).into(),
        ids.len().into(),
        d.into(),
        layer.scale().into(),
        mask.into(),
    ];
    gpu.launch_over(y.len(), kernel!(gpu, "embed"), &arguments);
    let y = tape.var_there(y, d, true);
    if let Some(slot) = y.slot() {
        let (gpu, layer) = (gpu.clone(), layer.clone());
        let tokens = Occurrences::of(&gpu, ids);
        let places = match layer.positions {
            Positions::Learned(table) => Some((table, Occurrences::of(&gpu, positions))),
            _ => None,
        };
        tape.push(move |gradients| {
            if let Some(dy) = gradients.take_there(slot) {
                let to = gradients.there();
                tokens.collect(
                    &gpu,
                    to.at(layer.table.start()),
                    (&dy, d),
                    layer.scale(),
                    mask,
                );
                if let Some((table, places)) = places {
                    places.collect(&gpu, to.at(table.start()), (&dy, d), 1.0, mask);
                }
            }
        });
    }
    y
}

/// Which rows are of which row of a table: each row of the table that occurs, where its rows begin, and these.
pub(super) struct Occurrences {
    pub tokens: Memory,
    pub starts: Memory,
    pub order: Memory,
}

impl Occurrences {
    pub fn of(gpu: &Gpu, ids: &[u32]) -> Occurrences {
        // Sorted by counting: where the rows of each begin, then each row to its place.
        let mut next = vec![0; ids.iter().max().map_or(0, |most| *most as usize + 1)];
        ids.iter().for_each(|id| next[*id as usize] += 1);
        let (mut tokens, mut starts, mut end) = (Vec::new(), Vec::new(), 0);
        for (id, count) in next.iter_mut().enumerate().filter(|(_, count)| **count > 0) {
            tokens.push(id as u32);
            starts.push(end);
            end += std::mem::replace(count, end);
        }
        starts.push(end);
        let mut order = vec![0; ids.len()];
        for (row, id) in ids.iter().enumerate() {
            let place = &mut next[*id as usize];
            order[*place as usize] = row as u32;
            *place += 1;
        }
        Occurrences {
            tokens: Memory::from_u32(gpu, &tokens),
            starts: Memory::from_u32(gpu, &starts),
            order: Memory::from_u32(gpu, &order),
        }
    }

    /// table = table + scale · Σ of the rows of each.
    fn collect(
        &self,
        gpu: &Gpu,
        table: Argument,
        (dy, d): (&Memory, usize),
        scale: f32,
        mask: Option<Mask>,
    ) {
        let arguments = [
            table,
            dy.into(),
            (&self.tokens).into(),
            (&self.starts).into(),
            (&self.order).into(),
            d.into(),
            scale.into(),
            mask.into(),
        ];
        let grid = (self.tokens.len() as u32, d.div_ceil(COLUMNS) as u32);
        gpu.launch(kernel!(gpu, "collect"), grid, COLUMNS as u32, &arguments);
    }
}
