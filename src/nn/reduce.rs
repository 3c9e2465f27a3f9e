//! Gradients of a batch that several ranks compute, each a part of it, and what else is summed over it on devices.
//!
//! ```text
//! g = Σ g of all ranks        in the order of parts that become complete on the way back, while the pass goes on
//! ```
//!
//! Every rank has the whole model, knows the whole batch, and computes a part of it: the loss is divided by the tokens of
//! the batch, and a row drops what it would drop if one rank computed them all. So N ranks learn what one would, but for
//! the order of sums. Rank 0 evaluates, tells and writes. Data parallelism with all-reduce, gradients in buckets while
//! the pass goes back: Li et al. 2020 (PyTorch distributed).

use super::device::Memory;
use super::tape::{Complete, Tape};
use crate::ranks::Ranks;
use std::ops::Range;
use std::sync::mpsc;

/// Runs a pass back and gives the gradients of the whole batch: those that are complete are summed by a thread while the
/// pass goes on, the others behind it.
pub fn backward(ranks: &dyn Ranks, tape: Tape) -> Vec<f32> {
    let (complete, receive) = mpsc::channel::<Complete>();
    std::thread::scope(|scope| {
        let summing = scope.spawn(move || {
            let sum = |(range, mut values): Complete| {
                ranks.sum(&mut values);
                (range, values)
            };
            receive.into_iter().map(sum).collect::<Vec<_>>()
        });
        let mut gradients = tape.backward_telling(complete);
        let summed = match summing.join() {
            Ok(summed) => summed,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        let rest = gaps(
            summed.iter().map(|(range, _)| range.clone()),
            gradients.len(),
        );
        for (range, values) in &summed {
            gradients[range.clone()].copy_from_slice(values);
        }
        sum_parts(ranks, &mut gradients, &rest);
        gradients
    })
}

/// Sums a part of what lies on a device, by way of the host where devices do not reach each other.
pub fn sum_there(ranks: &dyn Ranks, values: &Memory, part: Range<usize>) {
    if ranks.sum_there(values, part.clone()) {
        return;
    }
    let mut own = vec![0.0; part.len()];
    values.read_part(part.start, &mut own);
    ranks.sum(&mut own);
    let sums = Memory::from_f32(values.gpu(), &own);
    values.copy_part(part.start, &sums, 0..own.len());
}

/// Sums what is in some places, in one call.
fn sum_parts(ranks: &dyn Ranks, values: &mut [f32], parts: &[Range<usize>]) {
    let mut together: Vec<f32> = parts
        .iter()
        .flat_map(|part| &values[part.clone()])
        .copied()
        .collect();
    ranks.sum(&mut together);
    let mut from = &together[..];
    for part in parts {
        let (own, others) = from.split_at(part.len());
        values[part.clone()].copy_from_slice(own);
        from = others;
    }
}

/// What ranges leave of `0..len`.
fn gaps(ranges: impl Iterator<Item = Range<usize>>, len: usize) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = ranges.collect();
    ranges.sort_by_key(|range| range.start);
    let mut gaps = Vec::new();
    let mut at = 0;
    for range in ranges.into_iter().chain(std::iter::once(len..len)) {
        if at < range.start {
            gaps.push(at..range.start);
        }
        at = range.end;
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ranks::threads;

    #[test]
    fn what_is_not_in_a_range_is_in_a_gap() {
        let of = |ranges: &[Range<usize>]| gaps(ranges.iter().cloned(), 10);
        assert_eq!(of(&[7..9, 2..4]), [0..2, 4..7, 9..10]);
        assert!(of(&[0..4, 4..10]).is_empty());
        assert!(of(&[]).contains(&(0..10)));
    }

    #[test]
    fn only_some_parts_are_summed_when_only_they_are_asked_for() {
        let found = threads::run(2, |ranks| {
            let mut values = [1.0, 2.0, 3.0, 4.0];
            sum_parts(ranks, &mut values, &[0..1, 2..4]);
            values
        });
        assert_eq!(found, [[2.0, 2.0, 6.0, 8.0]; 2]);
    }
}
