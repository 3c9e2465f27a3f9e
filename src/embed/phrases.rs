//! Words that stand together more often than chance, joined: `new york` becomes `new_york`.
//!
//! ```text
//! score(a, b) = (n_ab − δ) · N / (n_a · n_b) > threshold
//! ```
//!
//! N tokens, n_a and n_b those of the two words, n_ab those of the pair, and δ a discount that keeps rare pairs apart.
//! From left to right, a word joins at most one pair; another pass joins longer phrases. Mikolov, Sutskever, Chen,
//! Corrado and Dean (2013), Distributed representations of words and phrases and their compositionality.

use super::corpus::BREAK;
use crate::bag::interner::Interner;
use std::collections::HashMap;

/// How phrases are found.
#[derive(Clone, Copy, Debug)]
pub struct Phrases {
    /// Times to go over the text; n of them join up to 2^n words.
    pub passes: u32,
    pub threshold: f64,
    /// Words seen fewer times join nothing.
    pub min_count: u64,
    /// δ
    pub discount: u64,
}

impl Phrases {
    /// Joins phrases in a stream, in place, and names and counts the new words; how many tokens are left.
    pub fn join(&self, tokens: &mut [u32], words: &mut Interner, counts: &mut Vec<u64>) -> usize {
        let mut length = tokens.len();
        for _ in 0..self.passes {
            let joined = self.pass(&mut tokens[..length], words, counts);
            if joined == length {
                break;
            }
            length = joined;
        }
        length
    }

    fn pass(&self, tokens: &mut [u32], words: &mut Interner, counts: &mut Vec<u64>) -> usize {
        let is_frequent = |&word: &u32| word != BREAK && counts[word as usize] >= self.min_count;
        let mut pairs: HashMap<(u32, u32), u64> = HashMap::new();
        for pair in tokens
            .windows(2)
            .filter(|pair| pair.iter().all(is_frequent))
        {
            *pairs.entry((pair[0], pair[1])).or_default() += 1;
        }
        let total: u64 = counts.iter().sum();
        pairs.retain(|&(a, b), n| {
            let product = counts[a as usize] as f64 * counts[b as usize] as f64;
            let beyond = n.saturating_sub(self.discount) as f64;
            beyond * total as f64 / product > self.threshold
        });
        let (mut at, mut kept) = (0, 0);
        let mut names: HashMap<(u32, u32), u32> = HashMap::new();
        while at < tokens.len() {
            let next = tokens.get(at + 1).copied().unwrap_or(BREAK);
            let pair = (tokens[at], next);
            let token = if pairs.contains_key(&pair) {
                at += 1;
                let name = *names
                    .entry(pair)
                    .or_insert_with(|| name(pair, words, counts));
                counts[pair.0 as usize] -= 1;
                counts[pair.1 as usize] -= 1;
                counts[name as usize] += 1;
                name
            } else {
                tokens[at]
            };
            tokens[kept] = token;
            kept += 1;
            at += 1;
        }
        kept
    }
}

/// The number of a joined word, new or not.
fn name((a, b): (u32, u32), words: &mut Interner, counts: &mut Vec<u64>) -> u32 {
    let joined = [words.string(a), b"_", words.string(b)].concat();
    let number = words.intern(&joined);
    if number as usize == counts.len() {
        counts.push(0);
    }
    number
}

#[cfg(test)]
mod tests {
    use crate::embed::corpus::{Limits, Reader};
    use crate::embed::phrases::Phrases;

    fn joined(text: &str, passes: u32) -> Vec<(String, u64)> {
        let mut reader = Reader::default();
        reader.read(text.as_bytes(), false).unwrap();
        let phrases = Phrases {
            passes,
            threshold: 2.0,
            min_count: 2,
            discount: 1,
        };
        reader.join(&phrases).unwrap();
        let corpus = reader
            .finish(Limits {
                min_count: 1,
                max_words: None,
            })
            .unwrap();
        let found = corpus.vocabulary.clone();
        assert_eq!(
            corpus.tokens().len() as u64,
            found.tokens() + text.lines().count() as u64
        );
        found
            .words
            .iter()
            .map(ToString::to_string)
            .zip(found.counts)
            .collect()
    }

    #[test]
    fn words_that_stand_together_are_joined_and_counted() {
        // 24 tokens. new york: (4 − 1) · 24 / (5 · 4) = 3.6; york is: (2 − 1) · 24 / (4 · 4) = 1.5.
        let text = "a new york is x\nb new york is y\nc new york z is\nd new york w\nnew e is q\n";
        let found = joined(text, 1);
        assert!(found.contains(&("new_york".to_owned(), 4)), "{found:?}");
        assert!(found.contains(&("new".to_owned(), 1)), "{found:?}");
        assert!(
            found.iter().all(|(word, _)| !word.contains("york_is")),
            "{found:?}"
        );
    }

    #[test]
    fn a_second_pass_joins_longer_phrases_and_none_crosses_a_line() {
        // Every neighbour is another word, seen once: only the phrase itself is frequent.
        let mut text = String::from("los\nangeles\n");
        (0..4).for_each(|i| text += &format!("a{i} los angeles times b{i}\n"));
        (0..3).for_each(|i| text += &format!("c{i} los angeles d{i}\ne{i} times f{i}\n"));
        let one = joined(&text, 1);
        assert!(one.contains(&("los_angeles".to_owned(), 7)), "{one:?}");
        let two = joined(&text, 2);
        assert!(
            two.contains(&("los_angeles_times".to_owned(), 4)),
            "{two:?}"
        );
        assert!(two.contains(&("los".to_owned(), 1)), "{two:?}");
    }
}
