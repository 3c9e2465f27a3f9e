//! Memory for matrices that come and go with every step: what one drops, the next takes.
//!
//! Fresh memory has to be asked of the system, cleared, and faulted in page by page; a step of a small Transformer
//! spends as long on that as on its products. A dropped buffer waits in its thread's list, by size, for the next
//! matrix that fits. Sizes are rounded up to an eighth, so that batches of slightly different length share.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};

thread_local! {
    static FREE: RefCell<BTreeMap<usize, Vec<Vec<f32>>>> = const { RefCell::new(BTreeMap::new()) };
}

/// Below so many values the allocator is as fast.
const SMALL: usize = 1024;

/// Values in memory that is used again.
#[derive(Debug, Default)]
pub struct Buffer {
    /// All that the memory holds, so that nothing is cleared when it is taken again.
    values: Vec<f32>,
    len: usize,
}

impl Buffer {
    /// Room for `n` values; what is in it is what its last owner left.
    pub fn of(n: usize) -> Buffer {
        let class = class(n);
        let found = FREE.with_borrow_mut(|free| {
            // A buffer of up to a quarter more will do.
            let mut near = free.range_mut(class..=class + class / 4);
            near.find(|(_, list)| !list.is_empty())?.1.pop()
        });
        Buffer {
            values: found.unwrap_or_else(|| vec![0.0; class]),
            len: n,
        }
    }

    /// `n` zeros.
    pub fn zeros(n: usize) -> Buffer {
        let mut buffer = Buffer::of(n);
        buffer.fill(0.0);
        buffer
    }

    /// A copy of values.
    pub fn copy_of(values: &[f32]) -> Buffer {
        let mut buffer = Buffer::of(values.len());
        buffer.copy_from_slice(values);
        buffer
    }

    /// Makes it `n` values long; what they are is not said.
    pub fn resize(&mut self, n: usize) {
        if n > self.values.len() {
            *self = Buffer::of(n);
        }
        self.len = n;
    }

    /// Gives the memory of all buffers that wait on this thread back to the system.
    pub fn release() {
        FREE.with_borrow_mut(BTreeMap::clear);
    }
}

/// Cuts values into pieces of these sizes, one after the other.
///
/// # Panics
/// When there are too few.
pub fn split(mut values: &mut [f32], sizes: impl Iterator<Item = usize>) -> Vec<&mut [f32]> {
    let pieces = sizes.map(|size| {
        let (piece, rest) = std::mem::take(&mut values).split_at_mut(size);
        values = rest;
        piece
    });
    pieces.collect()
}

/// The size that is asked for when `n` values are wanted: `n` rounded up to an eighth of its power of two.
fn class(n: usize) -> usize {
    let step = (n.next_power_of_two() / 16).max(1);
    n.div_ceil(step) * step
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let values = std::mem::take(&mut self.values);
        if values.len() < SMALL {
            return;
        }
        // A thread that ends has no list any more; its buffers are freed.
        let _ = FREE.try_with(|free| {
            free.borrow_mut()
                .entry(values.len())
                .or_default()
                .push(values)
        });
    }
}

impl Deref for Buffer {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        &self.values[..self.len]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.values[..self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_buffer_is_taken_again_by_one_of_nearly_its_size() {
        let first = Buffer::zeros(10_000);
        let place = first.as_ptr();
        drop(first);
        let second = Buffer::of(9_900);
        assert_eq!((second.as_ptr(), second.len()), (place, 9_900));
        assert_ne!(Buffer::of(9_900).as_ptr(), place);
    }

    #[test]
    fn a_buffer_grows_to_any_length() {
        let mut buffer = Buffer::default();
        for n in [0, 3, 5_000, 17, 1_000_000] {
            buffer.resize(n);
            assert_eq!(buffer.len(), n);
        }
    }
}
