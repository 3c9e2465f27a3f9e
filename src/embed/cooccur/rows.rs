//! Rows of a sparse matrix of counts, packed into bytes.
//!
//! ```text
//! row      word, number of pairs, pairs          all numbers as varints; rows by ascending word
//! pair     context − context before, units       contexts ascend; the first stands as it is
//! ```
//!
//! A pair takes four to five bytes of the sixteen that it would take as plain numbers. The bytes lie in memory, or in
//! a temporary file that is mapped when they are too many.

use crate::bag::varint;
use crate::spill::{Bytes, Spill};
use std::io::Write;

/// Packed rows.
pub struct Rows {
    bytes: Bytes,
    pairs: u64,
}

/// What is wrong with packed rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its rows are damaged")]
pub struct Damaged;

impl Rows {
    /// Takes bytes that were read from somewhere, of a matrix over `words` words.
    ///
    /// # Errors
    /// When they are no rows of such a matrix.
    pub fn checked(bytes: Bytes, words: usize, symmetric: bool) -> Result<Rows, Damaged> {
        let mut rest = bytes.as_slice();
        let (mut pairs, mut next) = (0, 0);
        while !rest.is_empty() {
            let (word, length) = (varint::take(&mut rest), varint::take(&mut rest));
            if word < next || word >= words as u64 || length == 0 {
                return Err(Damaged);
            }
            next = word + 1;
            let end = if symmetric { next } else { words as u64 };
            let mut context = 0u64;
            for at in 0..length {
                let (step, units) = (varint::take(&mut rest), varint::take(&mut rest));
                context = context.saturating_add(step);
                if units == 0 || context >= end || (at > 0 && step == 0) {
                    return Err(Damaged);
                }
            }
            pairs += length;
        }
        Ok(Rows { bytes, pairs })
    }

    /// The packed bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.as_slice()
    }

    /// Pairs that are not 0.
    pub fn pairs(&self) -> u64 {
        self.pairs
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.pairs == 0
    }

    /// A walk over the rows.
    pub fn walk(&self) -> Walk<'_> {
        Walk(self.as_bytes())
    }
}

/// Reads packed rows one after the other.
pub struct Walk<'a>(&'a [u8]);

impl Walk<'_> {
    /// The word of the next row; its contexts and units take the place of what is in `pairs`.
    #[inline]
    pub fn next(&mut self, pairs: &mut Vec<(u32, u64)>) -> Option<u32> {
        if self.0.is_empty() {
            return None;
        }
        let word = varint::take(&mut self.0) as u32;
        let length = varint::take(&mut self.0);
        pairs.clear();
        let mut context = 0;
        for _ in 0..length {
            context += varint::take(&mut self.0) as u32;
            pairs.push((context, varint::take(&mut self.0)));
        }
        Some(word)
    }
}

/// Appends a row to `out`; `pairs` ascend, none is 0.
pub fn put(word: u32, pairs: impl ExactSizeIterator<Item = (u32, u64)>, out: &mut Vec<u8>) {
    varint::put(out, u64::from(word));
    varint::put(out, pairs.len() as u64);
    let mut last = 0;
    for (context, units) in pairs {
        varint::put(out, u64::from(context - last));
        varint::put(out, units);
        last = context;
    }
}

/// Adds up matrices over the same words.
///
/// # Errors
/// The temporary file cannot be written.
pub fn sum(all: &[&Rows], memory: u64) -> std::io::Result<Rows> {
    let mut walks: Vec<Walk> = all.iter().map(|rows| rows.walk()).collect();
    let mut heads = Vec::new();
    for walk in &mut walks {
        let mut pairs = Vec::new();
        heads.push((walk.next(&mut pairs), pairs));
    }
    let mut out = Packer::new(memory);
    let (mut row, mut packed) = (Vec::new(), Vec::new());
    while let Some(word) = heads.iter().filter_map(|(word, _)| *word).min() {
        row.clear();
        for (walk, (head, pairs)) in walks.iter_mut().zip(&mut heads) {
            if *head == Some(word) {
                row.append(pairs);
                *head = walk.next(pairs);
            }
        }
        row.sort_unstable();
        row.dedup_by(|next, kept| {
            let is_same = next.0 == kept.0;
            if is_same {
                kept.1 += next.1;
            }
            is_same
        });
        packed.clear();
        put(word, row.iter().copied(), &mut packed);
        out.append(&packed, row.len() as u64)?;
    }
    out.finish()
}

/// Rows on their way to bytes.
pub struct Packer {
    spill: Spill,
    pairs: u64,
}

impl Packer {
    /// Keeps `memory` bytes in memory, more in a temporary file.
    pub fn new(memory: u64) -> Packer {
        Packer {
            spill: Spill::new(memory),
            pairs: 0,
        }
    }

    /// Appends packed rows that hold so many pairs.
    ///
    /// # Errors
    /// The temporary file cannot be written.
    pub fn append(&mut self, rows: &[u8], pairs: u64) -> std::io::Result<()> {
        self.pairs += pairs;
        self.spill.write_all(rows)
    }

    /// All rows.
    ///
    /// # Errors
    /// The temporary file cannot be written.
    pub fn finish(self) -> std::io::Result<Rows> {
        Ok(Rows {
            bytes: self.spill.finish()?,
            pairs: self.pairs,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(rows: &[(u32, &[(u32, u64)])], memory: u64) -> Rows {
        let mut packer = Packer::new(memory);
        for (word, pairs) in rows {
            let mut bytes = Vec::new();
            put(*word, pairs.iter().copied(), &mut bytes);
            packer.append(&bytes, pairs.len() as u64).unwrap();
        }
        packer.finish().unwrap()
    }

    const ROWS: &[(u32, &[(u32, u64)])] = &[(0, &[(0, 7)]), (5, &[(1, 1), (4, 1 << 40)])];

    #[test]
    fn rows_come_back_from_memory_and_from_a_file() {
        for memory in [0, 4, 1000] {
            let rows = packed(ROWS, memory);
            assert_eq!(rows.pairs(), 3);
            let (mut walk, mut pairs) = (rows.walk(), Vec::new());
            for (word, expected) in ROWS {
                assert_eq!(walk.next(&mut pairs), Some(*word));
                assert_eq!(pairs, *expected);
            }
            assert_eq!(walk.next(&mut pairs), None);
        }
    }

    #[test]
    fn sums_take_pairs_of_either() {
        let other = packed(&[(2, &[(1, 3)]), (5, &[(0, 2), (4, 1)])], 1000);
        let total = sum(&[&packed(ROWS, 1000), &other], 1000).unwrap();
        let expected = packed(
            &[
                (0, &[(0, 7)]),
                (2, &[(1, 3)]),
                (5, &[(0, 2), (1, 1), (4, (1 << 40) + 1)]),
            ],
            1000,
        );
        assert_eq!(total.as_bytes(), expected.as_bytes());
        assert_eq!(total.pairs(), 5);
    }

    #[test]
    fn damage_is_seen() {
        let bytes = packed(ROWS, 1000).as_bytes().to_vec();
        let check = |bytes: &[u8], words| {
            Rows::checked(Bytes::Memory(bytes.to_vec()), words, true).map(|rows| rows.pairs())
        };
        assert_eq!(check(&bytes, 6), Ok(3));
        assert_eq!(check(&bytes, 5), Err(Damaged)); // word 5 of five
        assert_eq!(check(&bytes[..bytes.len() - 9], 6), Err(Damaged)); // a pair without its units
        assert_eq!(check(&[0, 1, 1, 1], 6), Err(Damaged)); // above the diagonal
    }
}
