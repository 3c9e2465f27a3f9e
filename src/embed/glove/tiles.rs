//! Pairs grouped into tiles: all that touch the same two blocks of words.
//!
//! ```text
//!            block 0  block 1  block 2          word n stands in block n mod blocks, at place n div blocks,
//! block 0    tile 0                             so that frequent words are in all of them and tiles of like size
//! block 1    tile 1   tile 2                    symmetric: the triangle; else a tile for every two blocks
//! block 2    tile 3   tile 4   tile 5
//! ```
//!
//! A tile needs no rows but those of its two blocks: they stay in the cache while its pairs are gone over, and tiles
//! without a common block can run at once. Its pairs are 8 bytes each, in random order.

use super::kernel::Record;
use crate::embed::cooccur::Cooccurrence;
use crate::random::Random;
use memmap2::MmapMut;
use rayon::prelude::*;

/// The tiles of a matrix.
pub struct Tiles {
    pub blocks: usize,
    pub symmetric: bool,
    /// Where the records of each tile end.
    ends: Vec<usize>,
    records: Records,
}

/// Words to a block: two blocks of rows of 100 dimensions are 2 MB.
const BLOCK: usize = 512;
/// More blocks than these make tiles too small to be worth the hand-over.
const MOST: usize = 128;

impl Tiles {
    /// Sorts the pairs into tiles; more than `memory` bytes of them lie in a temporary file.
    ///
    /// # Errors
    /// When the temporary file cannot be made.
    pub fn new(counts: &Cooccurrence, seed: u64, memory: u64) -> std::io::Result<Tiles> {
        let words = counts.vocabulary.len();
        let most = MOST.max(words.div_ceil(1 << 16));
        let blocks = words.div_ceil(BLOCK).clamp(1, most);
        let mut tiles = Tiles {
            blocks,
            symmetric: counts.options.symmetric,
            ends: Vec::new(),
            records: Records::Memory(Vec::new()),
        };
        let place = |word: u32| (word as usize % blocks, (word as usize / blocks) as u16);
        tiles.ends = vec![0; tiles.all().count()];
        let (mut walk, mut pairs) = (counts.rows.walk(), Vec::new());
        while let Some(word) = walk.next(&mut pairs) {
            for &(context, _) in &pairs {
                let tile = tiles.number(place(word).0, place(context).0);
                tiles.ends[tile] += 1;
            }
        }
        let mut total = 0;
        for end in &mut tiles.ends {
            total += std::mem::replace(end, total);
        }
        tiles.records = Records::new(total, memory)?;
        let unit = counts.options.unit() as f64;
        let mut walk = counts.rows.walk();
        while let Some(word) = walk.next(&mut pairs) {
            let (a, row) = place(word);
            for &(context, units) in &pairs {
                let (b, column) = place(context);
                let tile = tiles.number(a, b);
                let log = (units as f64 / unit).ln() as f32;
                // Of the triangle, the later block is the rows'.
                let (row, column) = match tiles.symmetric && a < b {
                    true => (column, row),
                    false => (row, column),
                };
                tiles.records.as_mut_slice()[tiles.ends[tile]] = Record { row, column, log };
                tiles.ends[tile] += 1;
            }
        }
        tiles.shuffle(seed);
        Ok(tiles)
    }

    fn shuffle(&mut self, seed: u64) {
        let mut rest = self.records.as_mut_slice();
        let mut parts = Vec::new();
        let mut start = 0;
        for &end in &self.ends {
            let (part, behind) = rest.split_at_mut(end - start);
            parts.push(part);
            (rest, start) = (behind, end);
        }
        (parts.into_par_iter().enumerate())
            .for_each(|(tile, part)| shuffle(part, &mut Random::new(seed, tile as u64)));
    }

    /// The blocks of rows and columns of every tile, by number.
    pub fn all(&self) -> impl Iterator<Item = (usize, usize)> {
        let (blocks, symmetric) = (self.blocks, self.symmetric);
        (0..blocks).flat_map(move |row| {
            let columns = if symmetric { row + 1 } else { blocks };
            (0..columns).map(move |column| (row, column))
        })
    }

    fn number(&self, row: usize, column: usize) -> usize {
        match self.symmetric {
            true => row.max(column) * (row.max(column) + 1) / 2 + row.min(column),
            false => row * self.blocks + column,
        }
    }

    /// The records of a tile.
    pub fn records(&self, tile: usize) -> &[Record] {
        let start = if tile == 0 { 0 } else { self.ends[tile - 1] };
        &self.records.as_slice()[start..self.ends[tile]]
    }

    /// Words of a block, of so many in all.
    pub fn block_words(&self, block: usize, words: usize) -> usize {
        (words - block).div_ceil(self.blocks)
    }
}

/// Puts `items` in random order.
pub fn shuffle<T>(items: &mut [T], random: &mut Random) {
    for end in (1..items.len()).rev() {
        items.swap(end, random.below(end as u32 + 1) as usize);
    }
}

enum Records {
    Memory(Vec<Record>),
    Mapped(MmapMut),
}

impl Records {
    fn new(count: usize, memory: u64) -> std::io::Result<Records> {
        let size = (count * size_of::<Record>()) as u64;
        if size <= memory {
            return Ok(Records::Memory(vec![Record::default(); count]));
        }
        let file = tempfile::tempfile()?;
        reserve(&file, size)?;
        // SAFETY: the file has no name and no other handle: nobody else can change it.
        Ok(Records::Mapped(unsafe { MmapMut::map_mut(&file)? }))
    }

    fn as_slice(&self) -> &[Record] {
        match self {
            Records::Memory(records) => records,
            // SAFETY: a map begins at a page, its length is a multiple of a record's, and every value is a record.
            Records::Mapped(map) => unsafe {
                std::slice::from_raw_parts(map.as_ptr().cast(), map.len() / size_of::<Record>())
            },
        }
    }

    fn as_mut_slice(&mut self) -> &mut [Record] {
        match self {
            Records::Memory(records) => records,
            // SAFETY: as above, and `self` is borrowed mutably.
            Records::Mapped(map) => unsafe {
                let length = map.len() / size_of::<Record>();
                std::slice::from_raw_parts_mut(map.as_mut_ptr().cast(), length)
            },
        }
    }
}

/// Makes a file so long and gives it its place on the disk: a full disk is an error here, and would be a signal on
/// writing to the map.
fn reserve(file: &std::fs::File, size: u64) -> std::io::Result<()> {
    use std::os::fd::AsRawFd;
    // SAFETY: the descriptor is that of an open file.
    match unsafe { libc::posix_fallocate(file.as_raw_fd(), 0, size as libc::off_t) } {
        0 => Ok(()),
        code => Err(std::io::Error::from_raw_os_error(code)),
    }
}
