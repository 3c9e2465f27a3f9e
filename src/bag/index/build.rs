//! Makes an index: postings are put where they belong as documents come by, for the lengths of all lists are known.

use super::arrays::{Array, write};
use super::{FORMAT, IndexError, VERSION};
use crate::bag::counter::Cell;
use crate::bag::counts::Header;
use crate::bag::matrix::Names;
use memmap2::MmapMut;
use safetensors::Dtype;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

/// An index in the making.
pub struct IndexBuilder {
    /// Of each column, where its postings end.
    ends: Vec<u64>,
    /// Of each column, where its next posting goes.
    next: Vec<u64>,
    documents: MmapMut,
    counts: MmapMut,
    lengths: Vec<u8>,
    norms: Vec<u8>,
    ids: Names,
    snippets: Names,
}

impl IndexBuilder {
    /// For columns that stand in `dfs` documents each; `folder` is for what does not fit into memory.
    ///
    /// # Errors
    /// When no temporary file can be made.
    pub fn new(dfs: impl Iterator<Item = u64>, folder: &Path) -> Result<IndexBuilder, IndexError> {
        let ends: Vec<u64> = dfs
            .scan(0, |end, df| {
                *end += df;
                Some(*end)
            })
            .collect();
        let postings = ends.last().copied().unwrap_or(0);
        Ok(IndexBuilder {
            next: [0].iter().chain(&ends).take(ends.len()).copied().collect(),
            ends,
            documents: scratch(folder, 4 * postings)?,
            counts: scratch(folder, 4 * postings)?,
            lengths: Vec::new(),
            norms: Vec::new(),
            ids: Names::default(),
            snippets: Names::default(),
        })
    }

    /// Adds the next document: its name and first words, its cells by column, how many terms it has in all, and its norm.
    ///
    /// # Errors
    /// When a column has more documents than was said, or there are more than 2^32 documents.
    pub fn add(
        &mut self,
        (id, snippet): (&str, &str),
        cells: &[Cell],
        length: u64,
        norm: f64,
    ) -> Result<(), IndexError> {
        let document = u32::try_from(self.ids.len());
        let document = document.map_err(|_| IndexError::Damaged("more than 2^32 documents"))?;
        for &(column, count) in cells {
            let next = &mut self.next[column as usize];
            if *next == self.ends[column as usize] {
                return Err(IndexError::Damaged(
                    "a term has more postings than documents",
                ));
            }
            let at = 4 * *next as usize;
            *next += 1;
            self.documents[at..at + 4].copy_from_slice(&document.to_le_bytes());
            self.counts[at..at + 4].copy_from_slice(&count.unsigned_abs().to_le_bytes());
        }
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        self.lengths.extend(length.to_le_bytes());
        self.norms.extend((norm as f32).to_le_bytes());
        self.ids.push(id.as_bytes());
        self.snippets.push(snippet.as_bytes());
        Ok(())
    }

    /// Writes the index.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn finish(self, header: &Header, terms: &Names, out: impl Write) -> Result<(), IndexError> {
        let postings = 4 * self.ends.last().map_or(0, |&end| end as usize);
        let bytes = |numbers: &[u64]| -> Vec<u8> {
            numbers
                .iter()
                .flat_map(|number| number.to_le_bytes())
                .collect()
        };
        let longs = [
            ("terms.ends", bytes(terms.ends())),
            ("postings.ends", bytes(&self.ends)),
            ("ids.ends", bytes(self.ids.ends())),
            ("snippets.ends", bytes(self.snippets.ends())),
        ];
        let numbers = [
            ("postings.documents", &self.documents[..postings]),
            ("postings.counts", &self.counts[..postings]),
            ("lengths", &self.lengths[..]),
        ];
        let texts = [
            ("terms.bytes", terms.bytes()),
            ("ids.bytes", self.ids.bytes()),
            ("snippets.bytes", self.snippets.bytes()),
        ];
        fn array<'a>((name, bytes): (&'static str, &'a [u8]), kind: Dtype) -> Array<'a> {
            Array { name, kind, bytes }
        }
        let mut arrays: Vec<Array> = (longs.iter())
            .map(|(name, bytes)| array((name, bytes), Dtype::U64))
            .collect();
        arrays.extend(numbers.map(|named| array(named, Dtype::U32)));
        arrays.push(array(("norms", &self.norms), Dtype::F32));
        arrays.extend(texts.map(|named| array(named, Dtype::U8)));
        let metadata = [
            ("format", FORMAT.to_owned()),
            ("version", VERSION.to_owned()),
            ("wordmill", env!("CARGO_PKG_VERSION").to_owned()),
            ("documents", header.documents.to_string()),
            ("tokens", header.tokens.to_string()),
            (
                "options",
                serde_json::to_string(&header.options).unwrap_or_default(),
            ),
        ];
        Ok(write(&arrays, &metadata, out)?)
    }
}

/// Room for `bytes` bytes in a nameless file. Zeros are written there: a disk that is full says so now, while a page
/// of a map that finds no room ends the program.
fn scratch(folder: &Path, bytes: u64) -> Result<MmapMut, IndexError> {
    let mut file: File = tempfile::tempfile_in(folder)?;
    // Nothing cannot be mapped.
    std::io::copy(&mut std::io::repeat(0).take(bytes.max(1)), &mut file)?;
    // SAFETY: the file has no name and was made here: nobody else can open, change or shorten it.
    Ok(unsafe { MmapMut::map_mut(&file)? })
}
