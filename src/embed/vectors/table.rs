//! Vectors that own their matrix or map it from a file, and find the row of a word.

use super::View;
use crate::text::hash;
use compact_str::CompactString;
use hashbrown::HashTable;
use memmap2::Mmap;

/// Word vectors. No word stands twice.
pub struct Vectors {
    words: Vec<CompactString>,
    /// Rows by the hash of their word.
    rows: HashTable<u32>,
    dim: usize,
    data: Data,
    /// Rows that were left out because their word had a row already.
    pub duplicates: usize,
}

/// The matrix, (words, dim).
enum Data {
    Owned(Vec<f32>),
    /// f32 from this byte of a file on; the place is a multiple of four.
    Mapped(Mmap, usize),
}

/// What sets these tables apart from others.
const SEED: u64 = 0x7665_6374;

impl Vectors {
    /// An empty table.
    pub(super) fn new(dim: usize) -> Vectors {
        Vectors {
            words: Vec::new(),
            rows: HashTable::new(),
            dim,
            data: Data::Owned(Vec::new()),
            duplicates: 0,
        }
    }

    /// Makes room where there is enough memory; a header may promise anything.
    pub(super) fn reserve(&mut self, words: usize) {
        if let (Data::Owned(values), Some(more)) = (&mut self.data, words.checked_mul(self.dim)) {
            // It grows by itself where this fails.
            let _ = values.try_reserve_exact(more);
        }
    }

    /// Appends a row unless its word is known.
    pub(super) fn push(&mut self, word: CompactString, values: &[f32]) {
        if !self.add_word(word) {
            self.duplicates += 1;
        } else if let Data::Owned(data) = &mut self.data {
            data.extend_from_slice(values);
        }
    }

    /// From words that are all different, as many as the matrix has rows; none when two are the same.
    pub(super) fn of_matrix(
        words: Vec<CompactString>,
        dim: usize,
        data: Vec<f32>,
    ) -> Option<Vectors> {
        let mut vectors = Vectors::new(dim);
        vectors.words.reserve_exact(words.len());
        vectors.data = Data::Owned(data);
        words
            .into_iter()
            .all(|word| vectors.add_word(word))
            .then_some(vectors)
    }

    /// The same with a matrix in a file, which begins at byte `start`, a multiple of four, and lies inside.
    pub(super) fn of_map(
        words: Vec<CompactString>,
        dim: usize,
        map: Mmap,
        start: usize,
    ) -> Option<Vectors> {
        assert!(start.is_multiple_of(4) && map.len() - start >= words.len() * dim * 4);
        let mut vectors = Vectors::of_matrix(words, dim, Vec::new())?;
        vectors.data = Data::Mapped(map, start);
        Some(vectors)
    }

    fn add_word(&mut self, word: CompactString) -> bool {
        let hash = hash::bytes(SEED, word.as_bytes());
        let words = &self.words;
        if (self.rows.find(hash, |row| words[*row as usize] == word)).is_some() {
            return false;
        }
        let rehash = |row: &u32| hash::bytes(SEED, words[*row as usize].as_bytes());
        self.rows.insert_unique(hash, words.len() as u32, rehash);
        self.words.push(word);
        true
    }

    pub fn len(&self) -> usize {
        self.words.len()
    }

    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    pub fn dim(&self) -> usize {
        self.dim
    }

    pub fn word(&self, row: u32) -> &str {
        &self.words[row as usize]
    }

    /// All of it.
    pub fn view(&self) -> View<'_> {
        let data = match &self.data {
            Data::Owned(data) => data,
            Data::Mapped(map, start) => {
                let bytes = &map[*start..][..self.words.len() * self.dim * 4];
                // SAFETY: every pattern of bits is an f32, and the place was checked to be aligned: maps begin at pages.
                let (_, values, _) = unsafe { bytes.align_to::<f32>() };
                values
            }
        };
        View {
            words: &self.words,
            dim: self.dim,
            stride: self.dim,
            data,
        }
    }

    /// The row of a word as it is, or else of the word in lower case.
    pub fn find(&self, word: &str) -> Option<u32> {
        self.exact(word)
            .or_else(|| self.exact(&word.to_lowercase()))
    }

    fn exact(&self, word: &str) -> Option<u32> {
        let hash = hash::bytes(SEED, word.as_bytes());
        let found = self
            .rows
            .find(hash, |row| self.words[*row as usize] == word);
        found.copied()
    }
}
