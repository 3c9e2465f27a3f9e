//! The sorted terms of a counter: in memory, or in a temporary file when memory is short.
//!
//! In the file, of every term in byte order: how many bytes it shares with the term before it, how many follow, these
//! bytes, its number in the counter, df, count; all numbers as varints.

use super::BagError;
use super::counter::{Counter, Total};
use super::merge::{Entry, SortedTerms};
use super::varint;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, Write};
use std::path::Path;

/// The terms of a counter in byte order.
pub struct Run {
    terms: usize,
    kept: Kept,
}

enum Kept {
    Memory {
        counter: Box<Counter>,
        order: Vec<u32>,
    },
    Disk(File),
}

impl Run {
    /// Sorts the terms of a counter.
    pub fn in_memory(counter: Counter) -> Run {
        Run {
            terms: counter.terms().len(),
            kept: Kept::Memory {
                order: counter.terms().sorted(),
                counter: Box::new(counter),
            },
        }
    }

    /// Sorts the terms of a counter into a nameless file in `folder`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn on_disk(counter: &Counter, folder: &Path) -> Result<Run, BagError> {
        let file = tempfile::tempfile_in(folder).map_err(BagError::temporary)?;
        let mut out = BufWriter::with_capacity(1 << 16, file);
        let mut last: &[u8] = b"";
        let mut numbers = Vec::new();
        for number in counter.terms().sorted() {
            let term = counter.terms().string(number);
            let shared = last.iter().zip(term).take_while(|(a, b)| a == b).count();
            let total = counter.total(number);
            numbers.clear();
            varint::put(&mut numbers, shared as u64);
            varint::put(&mut numbers, (term.len() - shared) as u64);
            numbers.extend_from_slice(&term[shared..]);
            for value in [u64::from(number), total.df, total.count] {
                varint::put(&mut numbers, value);
            }
            out.write_all(&numbers).map_err(BagError::temporary)?;
            last = term;
        }
        let file = out
            .into_inner()
            .map_err(|error| BagError::temporary(error.into_error()))?;
        Ok(Run {
            terms: counter.terms().len(),
            kept: Kept::Disk(file),
        })
    }

    /// The number of its terms.
    pub fn terms(&self) -> usize {
        self.terms
    }

    /// The terms from the first on. One reader at a time.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(&self) -> Result<RunReader<'_>, BagError> {
        let place = match &self.kept {
            Kept::Memory { counter, order } => Place::Memory(counter, order.iter()),
            Kept::Disk(file) => {
                let mut file = file;
                file.rewind().map_err(BagError::temporary)?;
                Place::Disk(BufReader::with_capacity(1 << 16, file))
            }
        };
        Ok(RunReader {
            left: self.terms,
            place,
        })
    }
}

/// Reads a [`Run`].
pub struct RunReader<'a> {
    left: usize,
    place: Place<'a>,
}

enum Place<'a> {
    Memory(&'a Counter, std::slice::Iter<'a, u32>),
    Disk(BufReader<&'a File>),
}

impl SortedTerms for RunReader<'_> {
    fn next(&mut self, entry: &mut Entry) -> Result<bool, BagError> {
        if self.left == 0 {
            return Ok(false);
        }
        self.left -= 1;
        match &mut self.place {
            Place::Memory(counter, order) => {
                let Some(&number) = order.next() else {
                    return Ok(false);
                };
                entry.term.clear();
                entry.term.extend_from_slice(counter.terms().string(number));
                entry.number = number;
                entry.total = counter.total(number);
            }
            Place::Disk(file) => read_entry(file, entry).map_err(BagError::temporary)?,
        }
        Ok(true)
    }
}

fn read_entry(file: &mut impl Read, entry: &mut Entry) -> std::io::Result<()> {
    let shared = varint::read(file)? as usize;
    let rest = varint::read(file)? as usize;
    entry.term.resize(shared + rest, 0);
    file.read_exact(&mut entry.term[shared..])?;
    entry.number = varint::read(file)? as u32;
    let df = varint::read(file)?;
    let count = varint::read(file)?;
    entry.total = Total { count, df };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(run: &Run) -> Vec<Entry> {
        let mut reader = run.read().unwrap();
        let mut entry = Entry::default();
        let mut entries = Vec::new();
        while reader.next(&mut entry).unwrap() {
            entries.push(entry.clone());
        }
        entries
    }

    #[test]
    fn a_run_reads_the_same_from_memory_and_from_disk() {
        let mut counter = Counter::default();
        for i in 0..3000u32 {
            counter.add((i * i % 1009).to_string().as_bytes());
            if i % 7 == 0 {
                counter.end_document(false);
            }
        }
        counter.add(b"");
        counter.end_document(false);
        let disk = Run::on_disk(&counter, &std::env::temp_dir()).unwrap();
        let memory = Run::in_memory(counter);
        let entries = all(&memory);
        assert_eq!(entries.len(), memory.terms());
        assert!(entries.is_sorted_by(|a, b| a.term < b.term));
        assert_eq!(entries.iter().map(|e| e.total.count).sum::<u64>(), 3001);
        assert_eq!(all(&disk), entries);
        // A second reading begins at the first term again.
        assert_eq!(all(&disk), entries);
    }
}
