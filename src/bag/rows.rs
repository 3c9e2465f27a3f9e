//! Documents between the two passes: what is left of a batch of them when its terms are numbers.
//!
//! Blocks lie one behind the other in memory, or in a nameless file when they are many. Of every document, as varints: its name, label
//! and snippet (their length plus one, or 0 for none, then the bytes), how many terms it has, the bytes of its cells, then
//! of every cell (number ‖ 0) where the count is 1, else (number ‖ 1) and the count.

use super::BagError;
use super::counter::Cell;
use super::varint;
use std::io::{BufReader, BufWriter, Read, Seek, Write};
use std::path::Path;
use tempfile::SpooledTempFile;

/// Documents of one batch, with the numbers that one run gives to their terms.
#[derive(Debug, Default)]
pub struct Block {
    /// The worker whose run it is.
    pub worker: usize,
    /// The place of the run among those of the worker.
    pub run: usize,
    pub documents: u64,
    bytes: Vec<u8>,
    /// Room for the cells of one document.
    packed: Vec<u8>,
}

/// What is kept of a document besides its terms.
#[derive(Clone, Copy, Debug, Default)]
pub struct About<'a> {
    pub id: Option<&'a str>,
    pub label: Option<&'a str>,
    /// Its first words.
    pub snippet: Option<&'a str>,
}

/// A document of a block.
#[derive(Clone, Copy, Debug)]
pub struct StoredDocument<'a> {
    pub about: About<'a>,
    /// Its terms in all, those without a number too.
    pub length: u64,
    cells: &'a [u8],
}

impl<'a> StoredDocument<'a> {
    /// Its cells.
    #[inline]
    pub fn cells(&self) -> impl Iterator<Item = Cell> + use<'a> {
        let mut rest = self.cells;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let number = varint::take(&mut rest);
            let count = match number & 1 {
                0 => 1,
                _ => unzigzag(varint::take(&mut rest)),
            };
            Some(((number >> 1) as u32, count))
        })
    }
}

impl Block {
    /// An empty one of run number `run` of a worker.
    pub fn new(worker: usize, run: usize) -> Block {
        Block {
            worker,
            run,
            ..Block::default()
        }
    }

    /// Adds a document.
    pub fn push(&mut self, about: About, length: u64, cells: &[Cell]) {
        self.documents += 1;
        for name in [about.id, about.label, about.snippet] {
            varint::put(
                &mut self.bytes,
                name.map_or(0, |name| name.len() as u64 + 1),
            );
            self.bytes.extend_from_slice(name.unwrap_or("").as_bytes());
        }
        varint::put(&mut self.bytes, length);
        let mut packed = std::mem::take(&mut self.packed);
        packed.clear();
        for &(number, count) in cells {
            let number = u64::from(number) << 1;
            if count == 1 {
                varint::put(&mut packed, number);
            } else {
                varint::put(&mut packed, number | 1);
                varint::put(&mut packed, zigzag(count));
            }
        }
        varint::put(&mut self.bytes, packed.len() as u64);
        self.bytes.extend_from_slice(&packed);
        self.packed = packed;
    }

    /// Its documents, in order.
    pub fn documents(&self) -> impl Iterator<Item = StoredDocument<'_>> {
        let mut rest = self.bytes.as_slice();
        (0..self.documents).map(move |_| {
            let about = About {
                id: take_name(&mut rest),
                label: take_name(&mut rest),
                snippet: take_name(&mut rest),
            };
            let length = varint::take(&mut rest);
            let bytes = varint::take(&mut rest) as usize;
            let (cells, behind) = rest.split_at(bytes.min(rest.len()));
            rest = behind;
            StoredDocument {
                about,
                length,
                cells,
            }
        })
    }
}

/// Spooled blocks up to this size stay in memory.
const IN_MEMORY: usize = 16 << 20;

/// The blocks of all batches, in order: written first, then read.
pub struct Spool {
    file: BufWriter<SpooledTempFile>,
    blocks: u64,
}

impl Spool {
    /// An empty one, whose file will be in `folder`.
    pub fn new(folder: &Path) -> Spool {
        let file = tempfile::spooled_tempfile_in(IN_MEMORY, folder);
        Spool {
            file: BufWriter::with_capacity(1 << 16, file),
            blocks: 0,
        }
    }

    /// Adds a block.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn push(&mut self, block: &Block) -> Result<(), BagError> {
        self.blocks += 1;
        let mut head = Vec::new();
        let sizes = [block.worker as u64, block.run as u64, block.documents];
        for value in sizes.into_iter().chain([block.bytes.len() as u64]) {
            varint::put(&mut head, value);
        }
        let written = self.file.write_all(&head);
        let written = written.and_then(|()| self.file.write_all(&block.bytes));
        written.map_err(BagError::temporary)
    }

    /// Reads the blocks from the first on.
    ///
    /// # Errors
    /// When what is buffered cannot be written.
    pub fn read(self) -> Result<SpoolReader, BagError> {
        let file = self.file.into_inner();
        let mut file = file.map_err(|error| BagError::temporary(error.into_error()))?;
        file.rewind().map_err(BagError::temporary)?;
        Ok(SpoolReader {
            file: BufReader::with_capacity(1 << 16, file),
            left: self.blocks,
        })
    }
}

/// Reads a [`Spool`].
pub struct SpoolReader {
    file: BufReader<SpooledTempFile>,
    left: u64,
}

impl SpoolReader {
    /// The next block; none behind the last.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn next_block(&mut self) -> Result<Option<Block>, BagError> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        self.block().map(Some).map_err(BagError::temporary)
    }

    fn block(&mut self) -> std::io::Result<Block> {
        let mut number = || varint::read(&mut self.file);
        let (worker, run) = (number()? as usize, number()? as usize);
        let (documents, length) = (number()?, number()? as usize);
        let mut bytes = vec![0; length];
        self.file.read_exact(&mut bytes)?;
        Ok(Block {
            worker,
            run,
            documents,
            bytes,
            packed: Vec::new(),
        })
    }
}

fn take_name<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let length = varint::take(rest).checked_sub(1)? as usize;
    let (name, behind) = rest.split_at_checked(length)?;
    *rest = behind;
    std::str::from_utf8(name).ok()
}

/// Small numbers on either side of 0 become small numbers.
fn zigzag(count: i32) -> u64 {
    u64::from((count << 1 ^ count >> 31) as u32)
}

fn unzigzag(value: u64) -> i32 {
    (value >> 1) as i32 ^ -((value & 1) as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_come_back() {
        let documents = [
            (None, None, vec![]),
            (Some("é"), Some(""), vec![(0, 1), (u32::MAX, i32::MAX)]),
            (Some(""), None, vec![(7, -1), (300, 0), (2, i32::MIN)]),
        ];
        let mut block = Block::default();
        for (id, snippet, cells) in &documents {
            let about = About {
                id: *id,
                snippet: *snippet,
                label: None,
            };
            block.push(about, 7, cells);
        }
        let found: Vec<_> = block.documents().collect();
        for (found, (id, snippet, cells)) in found.iter().zip(documents) {
            assert_eq!(found.about.id, id);
            assert_eq!(found.about.snippet, snippet);
            assert_eq!(found.about.label, None);
            assert_eq!((found.length, found.cells().collect()), (7, cells));
        }
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn blocks_come_back_in_order() {
        let mut spool = Spool::new(&std::env::temp_dir());
        for run in 0..40 {
            let mut block = Block::new(0, run);
            block.push(About::default(), 2, &[(run as u32, 2)]);
            spool.push(&block).unwrap();
        }
        let mut reader = spool.read().unwrap();
        for run in 0..40 {
            let block = reader.next_block().unwrap().unwrap();
            assert_eq!(block.run, run);
            let mut cells = block.documents().next().unwrap().cells();
            assert_eq!(cells.next(), Some((run as u32, 2)));
        }
        assert!(reader.next_block().unwrap().is_none());
    }
}
