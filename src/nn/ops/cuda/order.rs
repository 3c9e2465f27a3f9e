//! In which order sentences go through time on a device, and where the rows of their steps lie.

use super::kernel;
use crate::nn::device::{Argument, Gpu, Memory};
use crate::nn::dropout::Mask;
use crate::nn::ops::recurrent::Sequences;

/// No row.
const NONE: u32 = u32::MAX;

/// The sentences as kernels take them, how many have each step, and where its rows lie.
pub struct Order {
    /// Number, first token, and length of each, the longest first.
    pub sentences: Memory,
    /// Sentences with each step.
    pub active: Vec<usize>,
    /// Of each row: that of the step before, and the number of its sentence.
    before: Memory,
    numbers: Memory,
    places: Places,
}

/// Where the rows of steps lie.
enum Places {
    /// As tokens do; read from the last to the first, or not.
    Sentences { is_backward: bool },
    /// Step by step: the first row of each.
    Steps(Vec<usize>),
}

impl Order {
    /// Of rows that lie as tokens do.
    pub fn by_sentence(gpu: &Gpu, sequences: &Sequences, is_backward: bool) -> Order {
        let tokens = sequences
            .rows
            .iter()
            .map(|rows| rows.end)
            .max()
            .unwrap_or(0);
        let (mut before, mut numbers) = (vec![NONE; tokens], vec![0; tokens]);
        for (number, rows) in sequences.rows.iter().enumerate() {
            for row in rows.clone() {
                numbers[row] = number as u32;
                before[row] = match is_backward {
                    false if row > rows.start => row as u32 - 1,
                    true if row + 1 < rows.end => row as u32 + 1,
                    _ => NONE,
                };
            }
        }
        Order::of(
            gpu,
            sequences,
            (&before, &numbers),
            Places::Sentences { is_backward },
        )
    }

    /// Of rows that lie step by step; gives the token of each row, too.
    pub fn by_step(gpu: &Gpu, sequences: &Sequences) -> (Order, Vec<usize>) {
        let sentences = longest_first(sequences);
        let (mut starts, mut before, mut numbers, mut tokens) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for t in 0..steps(sequences, &sentences) {
            let last = starts.last().copied();
            starts.push(tokens.len());
            for (r, i) in sentences[..active(sequences, &sentences, t)]
                .iter()
                .enumerate()
            {
                before.push(last.map_or(NONE, |last: usize| (last + r) as u32));
                numbers.push(*i as u32);
                tokens.push(sequences.rows[*i].start + t);
            }
        }
        let order = Order::of(gpu, sequences, (&before, &numbers), Places::Steps(starts));
        (order, tokens)
    }

    fn of(
        gpu: &Gpu,
        sequences: &Sequences,
        (before, numbers): (&[u32], &[u32]),
        places: Places,
    ) -> Order {
        let sentences = longest_first(sequences);
        let words: Vec<u32> = (sentences.iter())
            .flat_map(|i| [*i, sequences.rows[*i].start, sequences.rows[*i].len()])
            .map(|n| n as u32)
            .collect();
        let count = steps(sequences, &sentences);
        Order {
            sentences: Memory::from_u32(gpu, &words),
            active: (0..count)
                .map(|t| active(sequences, &sentences, t))
                .collect(),
            before: Memory::from_u32(gpu, before),
            numbers: Memory::from_u32(gpu, numbers),
            places,
        }
    }

    pub fn count(&self) -> usize {
        self.sentences.len() / 3
    }

    /// The first row of a step, where rows lie step by step.
    pub fn row(&self, t: usize) -> usize {
        match &self.places {
            Places::Steps(starts) => starts[t],
            Places::Sentences { .. } => 0,
        }
    }

    /// A step as kernels take it.
    pub fn place(&self, t: usize) -> Argument<'static> {
        let (is_backward, row, before) = match &self.places {
            Places::Sentences { is_backward } => (u32::from(*is_backward), NONE, NONE),
            Places::Steps(starts) => (0, starts[t] as u32, starts[t.saturating_sub(1)] as u32),
        };
        Argument::words(&[t as u32, is_backward, row, before])
    }

    /// The rows of the step before each, (rows, d), of the first those of `first`, masked by sentence.
    pub fn rows_before(
        &self,
        from: &Memory,
        first: Option<&Memory>,
        d: usize,
        mask: Option<Mask>,
    ) -> Memory {
        let gpu = from.gpu();
        let to = Memory::of(gpu, gpu.kind(), from.len());
        let arguments = [
            (&to).into(),
            from.into(),
            first.map_or(Argument::NULL, Argument::from),
            (&self.before).into(),
            (&self.numbers).into(),
            (from.len() / d).into(),
            d.into(),
            mask.into(),
        ];
        gpu.launch_over(from.len(), kernel!(gpu, "rows_before"), &arguments);
        to
    }
}

fn longest_first(sequences: &Sequences) -> Vec<usize> {
    sequences.blocks.iter().flatten().copied().collect()
}

fn steps(sequences: &Sequences, sentences: &[usize]) -> usize {
    sentences.first().map_or(0, |i| sequences.rows[*i].len())
}

fn active(sequences: &Sequences, sentences: &[usize], t: usize) -> usize {
    sentences.partition_point(|i| sequences.rows[*i].len() > t)
}
