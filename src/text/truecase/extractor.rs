//! What a truecaser sees of a sentence: for each lower-cased word the ways it may be written, and the features that
//! choose between them.

use super::{Style, capitalized};
use crate::text::document::Word;
use crate::text::hash;
use crate::text::lexicon::Lexicon;
use crate::text::tagger::Lattice;
use crate::text::word_shape::{self, WordShape};
use compact_str::CompactString;
use std::collections::BTreeMap;
use std::ops::Range;

/// How many usages there are: 0 is that of words which are not listed.
pub const USAGES: usize = 129;

/// Shares of a word's occurrences that part its usages: in lower case, and in all capitals or mixed case.
const LOWER_SHARES: [f64; 7] = [0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.98];
const OTHER_SHARES: [f64; 3] = [0.05, 0.5, 0.9];
/// Counts that part them too.
const COUNTS: [f64; 3] = [8.0, 30.0, 200.0];

/// The usage of a word, by how often it was seen in each [`Style`].
pub fn usage(counts: [u64; 4]) -> u16 {
    fn level<const N: usize>(value: f64, bounds: [f64; N]) -> u16 {
        bounds.iter().filter(|bound| value >= **bound).count() as u16
    }
    let all = counts.iter().sum::<u64>() as f64;
    let lower = level(counts[Style::Lower as usize] as f64 / all, LOWER_SHARES);
    let other = counts[Style::AllCapitals as usize] + counts[Style::Mixed as usize];
    let other = level(other as f64 / all, OTHER_SHARES);
    1 + lower + 8 * (other + 4 * level(all, COUNTS))
}

/// The key of a lower-cased word in the lexicon of usages.
pub fn usage_key(shape: &WordShape) -> u64 {
    shape.lower
}

/// What is seen of a word.
#[derive(Clone, Copy, Debug)]
struct View {
    /// Of the lower-cased word.
    shape: WordShape,
    usage: u64,
    /// Its length, up to 5 bytes.
    length: u64,
}

impl View {
    fn outside(number: u64) -> View {
        let shape = WordShape::outside(number);
        View {
            shape,
            usage: shape.lower,
            length: 0,
        }
    }
}

/// Words of context on either side.
const PADDING: usize = 2;

/// Fills lattices; keeps its buffers between sentences.
#[derive(Clone, Debug, Default)]
pub struct Extractor {
    /// The lower-cased words, one behind the other.
    text: String,
    words: Vec<Range<usize>>,
    views: Vec<View>,
    lower: String,
    unary: Vec<u64>,
    candidates: Vec<u16>,
}

impl Extractor {
    /// The lower-cased words of the sentence.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(|range| &self.text[range.clone()])
    }

    /// Fills the lattice of a sentence.
    pub fn fill(
        &mut self,
        words: &[Word],
        usages: &Lexicon,
        mixed: &BTreeMap<String, CompactString>,
        lattice: &mut Lattice,
    ) {
        self.read(words, usages);
        lattice.clear();
        let mut is_first = true;
        for i in 0..words.len() {
            let lower = &self.text[self.words[i].clone()];
            candidates(lower, mixed, &mut self.candidates);
            self.add_features(i + PADDING, is_first, lattice);
            is_first &= self.candidates.len() == 1;
        }
    }

    fn read(&mut self, words: &[Word], usages: &Lexicon) {
        self.text.clear();
        self.words.clear();
        self.views.clear();
        self.views.extend([View::outside(1), View::outside(2)]);
        for word in words {
            let start = self.text.len();
            word_shape::lower_into(&word.form, &mut self.text);
            self.words.push(start..self.text.len());
            let lower = &self.text[start..];
            let shape = WordShape::new(lower, &mut self.lower);
            let usage = usages.find(usage_key(&shape));
            self.views.push(View {
                shape,
                usage: usage.map_or(0, |number| u64::from(usages.list(number)[0])),
                length: lower.len().min(5) as u64,
            });
        }
        self.views.extend([View::outside(3), View::outside(4)]);
    }

    /// `is_first` says that no word before has letters with case.
    fn add_features(&mut self, i: usize, is_first: bool, lattice: &mut Lattice) {
        let [far_left, left, here, right, far_right] =
            [i - 2, i - 1, i, i + 1, i + 2].map(|at| &self.views[at]);
        let word = here.shape.lower;
        let unary = &mut self.unary;
        unary.clear();
        if self.candidates.len() > 1 {
            let first = u64::from(is_first);
            let (left_word, right_word) = (left.shape.lower, right.shape.lower);
            unary.extend([
                hash::pair(1, word, first),
                hash::pair(2, word, 0),
                hash::pair(3, here.usage, first),
                hash::pair(4, hash::pair(4, here.shape.shape, here.length), here.usage),
                hash::pair(5, left_word, 0),
                hash::pair(6, right_word, 0),
                hash::pair(7, left_word, here.usage),
                hash::pair(8, right_word, here.usage),
                hash::pair(9, left_word, word),
                hash::pair(10, word, right_word),
                hash::pair(11, left.usage, here.usage),
                hash::pair(12, here.usage, right.usage),
                hash::pair(13, hash::pair(13, left.usage, here.usage), right.usage),
                hash::pair(14, far_left.shape.lower, 0),
                hash::pair(15, far_right.shape.lower, 0),
            ]);
            let is_unlisted = u64::from(here.usage == 0);
            for (k, &suffix) in here.shape.suffixes[..4].iter().enumerate() {
                let usage = if k == 2 { here.usage } else { is_unlisted };
                unary.push(hash::pair(20 + k as u64, suffix, usage));
            }
            for (k, &prefix) in here.shape.prefixes[1..3].iter().enumerate() {
                unary.push(hash::pair(30 + k as u64, prefix, is_unlisted));
            }
        }
        let first = [hash::pair(40, 0, 0), hash::pair(41, word, 0)];
        lattice.push(unary, &first, &[], &self.candidates);
    }
}

/// The ways a lower-cased word may be written: those that differ.
fn candidates(lower: &str, mixed: &BTreeMap<String, CompactString>, candidates: &mut Vec<u16>) {
    candidates.clear();
    candidates.push(Style::Lower as u16);
    if lower.chars().all(|c| !c.is_lowercase()) {
        return;
    }
    let (capital, capitals) = (capitalized(lower), lower.to_uppercase());
    if capital != lower {
        candidates.push(Style::Capitalized as u16);
    }
    if capitals != lower && capital != capitals {
        candidates.push(Style::AllCapitals as u16);
    }
    if mixed.contains_key(lower) {
        candidates.push(Style::Mixed as u16);
    }
}
