//! The pairs of a training run, encoded once, in memory or in a mapped temporary file.
//!
//! ```text
//! ids     per pair: number of tokens, tokens; the same of the target        all numbers as varints
//! text    per pair: number of bytes, bytes; the same of the target          for encodings that differ by epoch
//! blocks  where every hundredth pair begins                                 in memory: 4 MB for 50 million pairs
//! ```
//!
//! Reading goes block by block: blocks can be taken in any order, pairs inside one lie together on disk. Subword
//! regularisation (Provilkov, Emelianenko and Voita 2020, *BPE-Dropout*) cuts words in other ways each time a sentence
//! is seen: it needs the text.

use super::filter::{Dropped, Limits};
use super::pairs::{Pair, PairError};
use crate::bag::varint;
use crate::ordered::ordered;
use crate::random::Random;
use crate::spill::{Bytes, Spill};
use crate::text::hash;
use std::borrow::Cow;
use std::io::Write;
use std::path::Path;

/// Pairs of a block.
pub const BLOCK: usize = 100;

/// Pairs handed to a worker at a time, or fewer when they hold so many bytes.
const CHUNK_PAIRS: usize = 1024;
const CHUNK_BYTES: usize = 1 << 20;

/// The language of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Source,
    Target,
}

/// Turns a text of a side into tokens, without marks of begin and end. Given random numbers, it may cut words in other
/// ways than usual; without, it must give the same every time.
pub type Encode<'a> = dyn Fn(Side, &str, Option<&mut Random>) -> Vec<u32> + Sync + 'a;

/// What is kept of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    Ids,
    /// Text, which is encoded whenever it is read.
    Text,
}

/// How a store is made.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    pub limits: Limits,
    pub keep: Keep,
    /// Bytes kept in memory; more go to a file without a name in `folder`.
    pub memory: u64,
    pub folder: &'a Path,
    pub threads: usize,
}

/// Why pairs cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error(transparent)]
    Pair(#[from] PairError),
    #[error("temporary file: {0}")]
    Temporary(std::io::Error),
    #[error("more than 4 billion pairs")]
    TooMany,
}

/// Pairs that are learned from, numbered from 0.
pub struct Store {
    keep: Keep,
    limits: Limits,
    bytes: Bytes,
    /// Where each block begins.
    blocks: Vec<usize>,
    pairs: u32,
    dropped: Dropped,
    fingerprint: u64,
}

impl Store {
    /// Reads all pairs and keeps those within the limits, in their order.
    ///
    /// # Errors
    /// The first pair that cannot be read; the temporary file cannot be written.
    pub fn build<E: From<StoreError> + Send + 'static>(
        mut pairs: impl Iterator<Item = Result<Pair, E>> + Send + 'static,
        encode: &Encode,
        options: &Options,
    ) -> Result<Store, E> {
        let mut spill = Spill::in_folder(options.memory, options.folder);
        let mut store = Store {
            keep: options.keep,
            limits: options.limits,
            bytes: Bytes::Memory(Vec::new()),
            blocks: Vec::new(),
            pairs: 0,
            dropped: Dropped::default(),
            fingerprint: 0,
        };
        let mut end = 0;
        ordered(
            options.threads,
            move || chunk(&mut pairs),
            |_| (),
            |(), pairs: Vec<Pair>| Ok(Records::of(&pairs, encode, options)),
            |records| Ok(store.append(&records, &mut end, &mut spill)?),
        )?;
        store.bytes = spill.finish().map_err(StoreError::Temporary)?;
        Ok(store)
    }

    fn append(
        &mut self,
        records: &Records,
        end: &mut usize,
        spill: &mut Spill,
    ) -> Result<(), StoreError> {
        let mut start = 0;
        for &stop in &records.ends {
            if (self.pairs as usize).is_multiple_of(BLOCK) {
                self.blocks.push(*end + start);
            }
            self.pairs = self.pairs.checked_add(1).ok_or(StoreError::TooMany)?;
            self.fingerprint = hash::bytes(self.fingerprint, &records.bytes[start..stop]);
            start = stop;
        }
        *end += records.bytes.len();
        self.dropped.add(records.dropped);
        spill
            .write_all(&records.bytes)
            .map_err(StoreError::Temporary)
    }

    /// Pairs.
    pub fn len(&self) -> u32 {
        self.pairs
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.pairs == 0
    }

    /// Pairs that were dropped, of those that were read.
    pub fn dropped(&self) -> Dropped {
        self.dropped
    }

    /// A number that other pairs, or another order of them, would not have: a run that goes on must find the same.
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// Blocks of [`BLOCK`] pairs; the last may have fewer.
    pub fn blocks(&self) -> u32 {
        self.blocks.len() as u32
    }

    /// The pairs of a block. From a store of text, pair `i` is encoded with the random numbers of place `i` under
    /// `seed`, and without them when there is no seed or a side gets longer than the limit.
    ///
    /// # Panics
    /// When there are not so many blocks.
    pub fn read(&self, block: u32, encode: &Encode, seed: Option<u64>) -> Encoded {
        let mut rest = &self.bytes.as_slice()[self.blocks[block as usize]..];
        let first = block * BLOCK as u32;
        let mut encoded = Encoded::default();
        for number in first..self.pairs.min(first.saturating_add(BLOCK as u32)) {
            match self.keep {
                Keep::Ids => {
                    encoded.take_side(&mut rest);
                    encoded.take_side(&mut rest);
                }
                Keep::Text => {
                    let (source, target) = (take_text(&mut rest), take_text(&mut rest));
                    let sides = self.encode((&source, &target), encode, (seed, number));
                    encoded.push(&sides.0, &sides.1);
                }
            }
        }
        encoded
    }

    fn encode(
        &self,
        (source, target): (&str, &str),
        encode: &Encode,
        (seed, number): (Option<u64>, u32),
    ) -> (Vec<u32>, Vec<u32>) {
        if let Some(seed) = seed {
            let mut random = Random::new(seed, u64::from(number));
            let source = encode(Side::Source, source, Some(&mut random));
            let target = encode(Side::Target, target, Some(&mut random));
            if source.len().max(target.len()) <= self.limits.longest as usize {
                return (source, target);
            }
        }
        (
            encode(Side::Source, source, None),
            encode(Side::Target, target, None),
        )
    }
}

/// The next pairs for a worker; none behind the last.
fn chunk<E>(pairs: &mut impl Iterator<Item = Result<Pair, E>>) -> Result<Option<Vec<Pair>>, E> {
    let mut chunk = Vec::new();
    let mut bytes = 0;
    while chunk.len() < CHUNK_PAIRS && bytes < CHUNK_BYTES {
        let Some(pair) = pairs.next().transpose()? else {
            break;
        };
        bytes += pair.source.len() + pair.target.len();
        chunk.push(pair);
    }
    Ok((!chunk.is_empty()).then_some(chunk))
}

/// Pairs of a chunk, as they are kept.
struct Records {
    bytes: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
    dropped: Dropped,
}

impl Records {
    fn of(pairs: &[Pair], encode: &Encode, options: &Options) -> Records {
        let mut records = Records {
            bytes: Vec::new(),
            ends: Vec::new(),
            dropped: Dropped::default(),
        };
        for Pair { source, target } in pairs {
            // White space is nothing, whatever an encoding makes of it.
            let ids = |side, text: &str| match text.trim().is_empty() {
                true => Vec::new(),
                false => encode(side, text, None),
            };
            let sides = [ids(Side::Source, source), ids(Side::Target, target)];
            let reason = options.limits.reason(sides[0].len(), sides[1].len());
            records.dropped.count(reason);
            if reason.is_some() {
                continue;
            }
            match options.keep {
                Keep::Ids => sides.iter().for_each(|ids| records.put_ids(ids)),
                Keep::Text => [source, target].iter().for_each(|text| {
                    varint::put(&mut records.bytes, text.len() as u64);
                    records.bytes.extend_from_slice(text.as_bytes());
                }),
            }
            records.ends.push(records.bytes.len());
        }
        records
    }

    fn put_ids(&mut self, ids: &[u32]) {
        varint::put(&mut self.bytes, ids.len() as u64);
        for &id in ids {
            varint::put(&mut self.bytes, u64::from(id));
        }
    }
}

/// A text off the front of `bytes`, which was UTF-8 when it was written.
fn take_text<'b>(bytes: &mut &'b [u8]) -> Cow<'b, str> {
    let length = varint::take(bytes) as usize;
    let (text, rest) = bytes.split_at(length);
    *bytes = rest;
    String::from_utf8_lossy(text)
}

/// Encoded pairs one behind the other, without marks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    ids: Vec<u32>,
    /// Where each side ends in `ids`, behind a 0.
    ends: Vec<usize>,
}

impl Default for Encoded {
    fn default() -> Encoded {
        Encoded {
            ids: Vec::new(),
            ends: vec![0],
        }
    }
}

impl Encoded {
    /// Pairs.
    pub fn len(&self) -> usize {
        self.ends.len() / 2
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The tokens of source and target.
    ///
    /// # Panics
    /// When there are not so many pairs.
    pub fn pair(&self, number: usize) -> (&[u32], &[u32]) {
        let ends = &self.ends[2 * number..2 * number + 3];
        (&self.ids[ends[0]..ends[1]], &self.ids[ends[1]..ends[2]])
    }

    /// Numbers of tokens of source and target.
    ///
    /// # Panics
    /// When there are not so many pairs.
    pub fn lengths(&self, number: usize) -> (usize, usize) {
        let (source, target) = self.pair(number);
        (source.len(), target.len())
    }

    /// Appends a pair.
    pub fn push(&mut self, source: &[u32], target: &[u32]) {
        for side in [source, target] {
            self.ids.extend_from_slice(side);
            self.ends.push(self.ids.len());
        }
    }

    /// Appends pairs.
    pub fn append(&mut self, other: &Encoded) {
        let before = self.ids.len();
        self.ids.extend_from_slice(&other.ids);
        self.ends
            .extend(other.ends[1..].iter().map(|end| before + end));
    }

    fn take_side(&mut self, bytes: &mut &[u8]) {
        let length = varint::take(bytes);
        self.ids
            .extend((0..length).map(|_| varint::take(bytes) as u32));
        self.ends.push(self.ids.len());
    }
}

#[cfg(test)]
mod tests;
