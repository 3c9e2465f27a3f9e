//! Counts the terms of documents, one document after the other.
//!
//! Of every term: its number, in how many documents it stands (df), how often in all. Of the document at hand: a row of
//! term numbers and counts. A term remembers in which document it was seen last and where in the row, so that a word
//! costs one look into the table of terms and one into that memory.

use super::interner::Interner;

/// A term or column by its number, and how often it stands in a document; below 0 where hashing gives signs.
pub type Cell = (u32, i32);

/// What all documents have of a term.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Total {
    /// Occurrences.
    pub count: u64,
    /// Documents.
    pub df: u64,
}

impl Total {
    pub fn add(&mut self, other: Total) {
        self.count += other.count;
        self.df += other.df;
    }
}

/// Terms and their counts over all documents so far.
#[derive(Default)]
pub struct Counter {
    terms: Interner,
    totals: Vec<Total>,
    row: Row,
}

impl Counter {
    /// Adds an occurrence to the document at hand.
    #[inline]
    pub fn add(&mut self, term: &[u8]) {
        let number = self.terms.intern(term);
        self.row.add(number, 1);
    }

    /// Ends the document at hand and gives its cells, in order of first occurrence. With `binary`, a term counts once.
    pub fn end_document(&mut self, binary: bool) -> &[Cell] {
        self.totals.resize(self.terms.len(), Total::default());
        let cells = self.row.end(binary);
        for &(number, count) in &*cells {
            self.totals[number as usize].add(Total {
                count: u64::from(count.unsigned_abs()),
                df: 1,
            });
        }
        cells
    }

    pub fn terms(&self) -> &Interner {
        &self.terms
    }

    /// What all documents have of the term `number`.
    pub fn total(&self, number: u32) -> Total {
        self.totals[number as usize]
    }

    /// Bytes of memory taken.
    pub fn memory(&self) -> usize {
        self.terms.memory() + 16 * self.totals.capacity() + self.row.memory()
    }
}

/// Gathers the cells of one document after the other.
#[derive(Default)]
pub struct Row {
    cells: Vec<Cell>,
    /// Of every number, the document it was last seen in and its place among the cells.
    seen: Vec<(u32, u32)>,
    /// Documents ended, plus one: 0 is none.
    document: u32,
    is_open: bool,
}

impl Row {
    /// Adds `count` to the cell of a number.
    #[inline]
    pub fn add(&mut self, number: u32, count: i32) {
        if !self.is_open {
            self.begin();
        }
        if self.seen.len() <= number as usize {
            self.seen.resize(number as usize + 1, (0, 0));
        }
        let seen = &mut self.seen[number as usize];
        if seen.0 == self.document {
            let cell = &mut self.cells[seen.1 as usize];
            cell.1 = cell.1.saturating_add(count);
        } else {
            *seen = (self.document, self.cells.len() as u32);
            self.cells.push((number, count));
        }
    }

    /// Ends the row and gives its cells, in order of first occurrence; with `binary`, every count is 1.
    pub fn end(&mut self, binary: bool) -> &mut Vec<Cell> {
        if !self.is_open {
            self.begin();
        }
        self.is_open = false;
        if binary {
            self.cells.iter_mut().for_each(|cell| cell.1 = 1);
        }
        &mut self.cells
    }

    #[cold]
    fn begin(&mut self) {
        self.cells.clear();
        self.is_open = true;
        if self.document == u32::MAX {
            self.seen.fill((0, 0));
            self.document = 0;
        }
        self.document += 1;
    }

    fn memory(&self) -> usize {
        8 * (self.seen.capacity() + self.cells.capacity())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(counter: &mut Counter, words: &str, binary: bool) -> Vec<Cell> {
        for word in words.split_whitespace() {
            counter.add(word.as_bytes());
        }
        counter.end_document(binary).to_vec()
    }

    #[test]
    fn terms_are_counted_in_documents_and_in_all() {
        let mut counter = Counter::default();
        assert_eq!(count(&mut counter, "a b a", false), [(0, 2), (1, 1)]);
        assert_eq!(count(&mut counter, "", false), []);
        assert_eq!(count(&mut counter, "b c b b", true), [(1, 1), (2, 1)]);
        let totals: Vec<_> = (0..3).map(|i| counter.total(i)).collect();
        let of = |count, df| Total { count, df };
        assert_eq!(totals, [of(2, 1), of(2, 2), of(1, 1)]);
    }

    #[test]
    fn counts_with_signs_may_cancel_out() {
        let mut row = Row::default();
        row.add(7, 1);
        row.add(7, -1);
        row.add(3, -1);
        assert_eq!(row.end(false), &[(7, 0), (3, -1)]);
    }
}
