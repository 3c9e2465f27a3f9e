//! Steps that change a part of the weights before all of the step is sure to be made: what the part was before.

use super::Learning;
use crate::nn::device::{Kind, Memory};
use crate::nn::parameters::Weights;
use std::ops::Range;

/// Copies of a part: its weights, their moments, and what is known of it.
#[derive(Debug)]
pub struct Begun {
    which: usize,
    part: Range<usize>,
    /// Weights, first and second moments.
    rows: [Memory; 3],
    known: Memory,
    /// Whether the step has come to its end.
    is_whole: bool,
}

impl Learning {
    /// Begins a step that may end halfway: what it takes back then is a part of the weights, always the same of two.
    pub fn begin(&mut self, weights: &Weights, (which, part): (usize, Range<usize>)) {
        let n = part.len();
        let is_known = |begun: &Begun| (begun.which, &begun.part) == (which, &part);
        debug_assert!(self.begun.as_ref().is_none_or(is_known), "always the same");
        let begun = self.begun.take().unwrap_or_else(|| Begun {
            which,
            part,
            rows: [(); 3].map(|()| Memory::of(&self.gpu, Kind::F32, n)),
            known: self.known[which].copy(),
            is_whole: true,
        });
        for (row, of) in begun.rows.iter().zip(self.rows(weights)) {
            row.copy_part(0, of, begun.part.clone());
        }
        begun.known.copy_from(&self.known[begun.which]);
        // Where there is no room for copies, nothing else is done, either.
        self.begun = (self.gpu.check().is_ok()).then_some(Begun {
            is_whole: false,
            ..begun
        });
    }

    /// The step has come to its end.
    pub fn end(&mut self) {
        if let Some(begun) = &mut self.begun {
            begun.is_whole = true;
        }
    }

    /// Takes back what a step has done that came to no end.
    pub fn take_back(&mut self, weights: &Weights) {
        let Some(begun) = self.begun.as_mut().filter(|begun| !begun.is_whole) else {
            return;
        };
        begun.is_whole = true;
        let Some(begun) = &self.begun else { return };
        let part = 0..begun.part.len();
        for (row, of) in begun.rows.iter().zip(self.rows(weights)) {
            of.copy_part(begun.part.start, row, part.clone());
        }
        self.known[begun.which].copy_from(&begun.known);
    }

    fn rows<'l>(&'l self, weights: &'l Weights) -> [&'l Memory; 3] {
        let there = weights.there().expect("weights on the device");
        [&there.values, &self.first, &self.second]
    }
}
