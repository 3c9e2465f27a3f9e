//! chrF: how many character n-grams, and word n-grams if asked for, hypothesis and reference have in common.
//!
//! ```text
//! chrFβ = 100 · (1 + β²) · P · R / (β² · P + R)
//! ```
//!
//! P and R are precision and recall, each the mean over all lengths of which both sides have n-grams. Of several
//! references that counts by which the sentence has the highest score. Popović 2015, "chrF: character n-gram F-score for
//! automatic MT evaluation"; with words: 2017, "chrF++: words helping character n-grams".

use super::ngrams::{Ngrams, Shape};
use super::numbers::Numbers;
use super::tokenize::{is_space, words};
use super::{Metric, cased, yes};

/// The most characters, and the most words, of an n-gram: what fits into a window.
pub const MOST_CHARACTERS: u32 = 6;
pub const MOST_WORDS: u32 = 4;

/// chrF and how it is computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chrf {
    /// The greatest length of character n-grams, 1 to [`MOST_CHARACTERS`].
    pub characters: u32,
    /// The greatest length of word n-grams, 0 to [`MOST_WORDS`]; 2 for chrF++.
    pub words: u32,
    /// How many times recall weighs what precision does.
    pub beta: u32,
    /// Ignore case.
    pub lower: bool,
    /// White space is a character too.
    pub whitespace: bool,
}

impl Default for Chrf {
    fn default() -> Chrf {
        Chrf {
            characters: 6,
            words: 0,
            beta: 2,
            lower: false,
            whitespace: false,
        }
    }
}

/// The n-grams of a sentence.
struct Sentence {
    characters: Ngrams,
    words: Ngrams,
}

impl Chrf {
    fn sentence<'a>(&self, text: &'a str, numbers: &mut Numbers<'a>) -> Sentence {
        let kept = text.chars().filter(|&c| self.whitespace || !is_space(c));
        // Items are numbers from 1, and NUL is a character.
        let characters: Vec<u32> = kept.map(|c| u32::from(c) + 1).collect();
        let parted = match self.words {
            0 => Vec::new(),
            _ => numbers.all(
                words(text)
                    .flat_map(without_mark)
                    .filter(|part| !part.is_empty()),
            ),
        };
        let of_characters = Shape {
            order: self.characters,
            bits: 21,
        };
        let of_words = Shape {
            order: self.words.max(1),
            bits: 32,
        };
        Sentence {
            characters: Ngrams::of(&characters, of_characters),
            words: Ngrams::of(&parted, of_words),
        }
    }

    /// n-grams of the hypothesis, of the reference, and matches, by length: characters, then words.
    fn compare(&self, hypothesis: &Sentence, reference: &Sentence) -> Vec<u32> {
        let mut row = Vec::with_capacity(self.width());
        let pairs = [
            (
                self.characters,
                &hypothesis.characters,
                &reference.characters,
            ),
            (self.words, &hypothesis.words, &reference.words),
        ];
        for (order, ours, theirs) in pairs {
            for n in 1..=order {
                // What nothing can match is not held against the hypothesis.
                let found = if theirs.count(n) > 0 {
                    ours.count(n)
                } else {
                    0
                };
                let matches = ours.matches(std::slice::from_ref(theirs), n);
                row.extend([found, theirs.count(n), matches]);
            }
        }
        row
    }
}

/// A word and the mark at its end, or the mark at its beginning and the word: two parts, one of them empty for a word
/// without marks. Only one mark is cut off, and only marks of ASCII.
fn without_mark(word: &str) -> [&str; 2] {
    let is_mark = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_punctuation);
    let bytes = word.as_bytes();
    match bytes.len() {
        1 => [word, ""],
        length if is_mark(bytes.last()) => word.split_at(length - 1).into(),
        _ if is_mark(bytes.first()) => word.split_at(1).into(),
        _ => [word, ""],
    }
}

impl Metric for Chrf {
    fn name(&self) -> String {
        format!("chrF{}{}", self.beta, "+".repeat(self.words as usize))
    }

    fn width(&self) -> usize {
        3 * (self.characters + self.words) as usize
    }

    fn count(&self, hypothesis: &str, references: &[&str], row: &mut Vec<u32>) {
        let cased = |text| cased(text, self.lower);
        let hypothesis = cased(hypothesis);
        let references: Vec<_> = references.iter().map(|text| cased(text)).collect();
        let mut numbers = Numbers::default();
        let ours = self.sentence(&hypothesis, &mut numbers);
        let mut best: Option<(f64, Vec<u32>)> = None;
        for reference in &references {
            let found = self.compare(&ours, &self.sentence(reference, &mut numbers));
            let sums: Vec<i64> = found.iter().copied().map(i64::from).collect();
            let score = self.score(&sums);
            if best.as_ref().is_none_or(|(most, _)| score > *most) {
                best = Some((score, found));
            }
        }
        // A row for a sentence, whatever there is to compare it with.
        row.extend(best.map_or_else(|| vec![0; self.width()], |(_, found)| found));
    }

    fn score(&self, sums: &[i64]) -> f64 {
        let (mut precision, mut recall, mut lengths) = (0.0, 0.0, 0.0);
        for counts in sums.chunks_exact(3) {
            if counts[0] > 0 && counts[1] > 0 {
                precision += counts[2] as f64 / counts[0] as f64;
                recall += counts[2] as f64 / counts[1] as f64;
                lengths += 1.0;
            }
        }
        if precision + recall == 0.0 {
            return 0.0;
        }
        let (precision, recall) = (precision / lengths, recall / lengths);
        let weight = f64::from(self.beta).powi(2);
        100.0 * (1.0 + weight) * precision * recall / (weight * precision + recall)
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        let case = if self.lower { "lc" } else { "mixed" };
        vec![
            ("case", case.to_owned()),
            ("eff", yes(true)),
            ("nc", self.characters.to_string()),
            ("nw", self.words.to_string()),
            ("space", yes(self.whitespace)),
        ]
    }
}
