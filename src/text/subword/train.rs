//! From text to a `tokenizer.json`: words are counted, pieces are learned, and both are written down.
//!
//! | algorithm | pieces in this order |
//! |---|---|
//! | bpe | `<pad> <s> </s> <unk>`, symbols, 256 bytes `<0x00>`…, characters, merges in their order |
//! | unigram | the same specials, symbols and bytes, then pieces by probability |
//! | char | the same specials, symbols and bytes, then characters |
//! | byte-level | the same specials, symbols, GPT-2's 256 letters, merges |
//! | wordpiece | `[PAD] [UNK] [CLS] [SEP] [MASK]`, symbols, characters, merges |
//!
//! Specials and bytes are in the vocabulary only: nothing that stands in a text is read as one.

use super::layout::{Layout, Normalization, Part, Scheme, letter};
use super::mixed::{Map, Set};
use super::symbols::Symbols;
use super::{Subword, SubwordError, merge, unigram};
use rayon::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// How pieces are learned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Algorithm {
    /// Byte pair encoding of words; what has no piece is written as bytes
    #[default]
    Bpe,
    /// Pieces of a unigram language model; what has no piece is written as bytes
    Unigram,
    /// BERT's: words without spaces and their insides; what has no piece is unknown
    Wordpiece,
    /// Byte pair encoding of bytes, as GPT-2 has it
    ByteLevel,
    /// Characters; what has no piece is written as bytes
    Char,
}

/// What is learned.
#[derive(Clone, Debug)]
pub struct Options {
    pub algorithm: Algorithm,
    /// Pieces, at most.
    pub vocab_size: usize,
    /// Texts that are one piece each, wherever they stand.
    pub symbols: Vec<String>,
    pub normalization: Normalization,
    /// All letters are made small.
    pub lower: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            algorithm: Algorithm::default(),
            vocab_size: 8000,
            symbols: Vec::new(),
            normalization: Normalization::default(),
            lower: false,
        }
    }
}

/// The specials of all algorithms but wordpiece, from number 0 on.
pub const SPECIALS: [&str; 4] = ["<pad>", "<s>", "</s>", "<unk>"];

/// BERT's specials.
const BERT_SPECIALS: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

/// The logarithm of a probability that no text is worth: bytes and specials of a unigram model stay out of it, as the
/// characters of their names all have pieces, which are likelier together.
const NEVER: f64 = -1000.0;

/// The characters of those names.
const NAMES: &str = "</0123456789ABCDEF>adknpsux";

/// Lines that one thread counts the words of at a time.
const LINES: usize = 512;

/// Counts words and learns pieces from them.
pub struct Trainer {
    options: Options,
    layout: Layout,
    symbols: Option<Symbols>,
    counts: Map<String, u64>,
}

impl Trainer {
    /// A trainer that has seen no text.
    ///
    /// # Errors
    /// When a symbol is empty, has white space at an end, is there twice, or is a special or a byte.
    pub fn new(options: Options) -> Result<Trainer, SubwordError> {
        let layout = Layout {
            scheme: match options.algorithm {
                Algorithm::Bpe | Algorithm::Unigram | Algorithm::Char => Scheme::Metaspace,
                Algorithm::Wordpiece => Scheme::Words,
                Algorithm::ByteLevel => Scheme::ByteLevel,
            },
            normalization: options.normalization,
            lower: options.lower,
        };
        let reserved: Set<String> = reserved(options.algorithm).into_iter().collect();
        let mut numbers = std::collections::HashMap::new();
        for symbol in &options.symbols {
            let refuse = |problem| SubwordError::Symbol {
                symbol: symbol.clone(),
                problem,
            };
            if symbol.is_empty() || symbol.trim() != symbol {
                return Err(refuse("it is empty or has white space at an end"));
            }
            if reserved.contains(symbol) {
                return Err(refuse("the model has a piece of that name"));
            }
            let number = numbers.len() as u32;
            if numbers
                .insert(layout.normalized(symbol).into_owned(), number)
                .is_some()
            {
                return Err(refuse("it is there twice"));
            }
        }
        Ok(Trainer {
            layout,
            symbols: Symbols::new(numbers),
            options,
            counts: Map::default(),
        })
    }

    /// Counts the words of some lines, on all threads.
    pub fn add(&mut self, lines: &[&str]) {
        let (layout, symbols) = (self.layout, self.symbols.as_ref());
        let count = |lines: &[&str]| {
            let mut counts: Map<String, u64> = Map::default();
            for line in lines {
                let line = layout.normalized(line);
                layout.parts(&line, symbols, |part| {
                    let Part::Word(word) = part else { return };
                    match counts.get_mut(word) {
                        Some(count) => *count += 1,
                        None => drop(counts.insert(word.to_owned(), 1)),
                    }
                });
            }
            counts
        };
        let counted: Vec<_> = lines.par_chunks(LINES).map(count).collect();
        for counts in counted {
            for (word, count) in counts {
                *self.counts.entry(word).or_default() += count;
            }
        }
    }

    /// Learns pieces from all lines.
    ///
    /// # Errors
    /// When there were no words, or the vocabulary is to be smaller than what must be in it.
    pub fn finish(self) -> Result<Subword, SubwordError> {
        let Trainer {
            options,
            layout,
            counts,
            ..
        } = self;
        if counts.is_empty() {
            return Err(SubwordError::NoText);
        }
        let mut words: Vec<(String, u64)> = counts.into_iter().collect();
        words.par_sort_unstable();
        let mut fixed = specials(options.algorithm);
        let first_symbol = fixed.len();
        fixed.extend(options.symbols.iter().cloned());
        fixed.extend(bytes(options.algorithm));
        let forms = if options.algorithm == Algorithm::Wordpiece {
            2
        } else {
            1
        };
        let letters = letters(&words, &options, fixed.len());
        let least = fixed.len() + forms * letters.len();
        if options.vocab_size < least {
            return Err(SubwordError::TooSmall {
                asked: options.vocab_size,
                least,
            });
        }
        let model = match options.algorithm {
            Algorithm::Unigram => unigram(&words, &fixed, &letters, options.vocab_size),
            algorithm => {
                let prefix = if forms == 2 { "##" } else { "" };
                let size = match algorithm {
                    Algorithm::Char => least,
                    _ => options.vocab_size,
                };
                let learned = merge::learn(&words, &fixed, &letters, prefix, size);
                merged(algorithm, &learned)
            }
        };
        let added: Vec<Value> = options
            .symbols
            .iter()
            .zip(first_symbol..)
            .map(|(symbol, id)| {
                json!({
                    "id": id, "content": symbol, "single_word": false, "lstrip": false, "rstrip": false,
                    "normalized": true, "special": false,
                })
            })
            .collect();
        let file = json!({
            "version": "1.0", "truncation": null, "padding": null, "added_tokens": added,
            "normalizer": layout.normalizer(), "pre_tokenizer": layout.pre_tokenizer(), "post_processor": null,
            "decoder": layout.decoder(), "model": model,
        });
        let subword = Subword::from_json(&file.to_string())?;
        for symbol in &options.symbols {
            if !layout.lower
                && subword.decode(&subword.encode(symbol)?)? != *subword.canonical(symbol)
            {
                return Err(SubwordError::Symbol {
                    symbol: symbol.clone(),
                    problem: "this algorithm does not give it back: it needs ASCII only",
                });
            }
        }
        Ok(subword)
    }
}

/// Learns pieces from lines.
///
/// # Errors
/// As [`Trainer::new`] and [`Trainer::finish`].
pub fn train<'t>(
    options: Options,
    lines: impl IntoIterator<Item = &'t str>,
) -> Result<Subword, SubwordError> {
    let mut trainer = Trainer::new(options)?;
    trainer.add(&lines.into_iter().collect::<Vec<_>>());
    trainer.finish()
}

fn specials(algorithm: Algorithm) -> Vec<String> {
    let names: &[&str] = match algorithm {
        Algorithm::Wordpiece => &BERT_SPECIALS,
        _ => &SPECIALS,
    };
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Pieces for bytes that stand beside those for characters.
fn bytes(algorithm: Algorithm) -> Vec<String> {
    match algorithm {
        Algorithm::Bpe | Algorithm::Unigram | Algorithm::Char => {
            (0..256).map(|b| format!("<0x{b:02X}>")).collect()
        }
        Algorithm::Wordpiece | Algorithm::ByteLevel => Vec::new(),
    }
}

fn reserved(algorithm: Algorithm) -> Vec<String> {
    [specials(algorithm), bytes(algorithm)].concat()
}

/// The characters that get pieces, in their order: those seen more than once, as far as they leave half of the room to
/// longer pieces where there are any.
fn letters(words: &[(String, u64)], options: &Options, fixed: usize) -> Vec<char> {
    if options.algorithm == Algorithm::ByteLevel {
        let mut all: Vec<char> = (0..=255).map(letter).collect();
        all.sort_unstable();
        return all;
    }
    let mut counts: BTreeMap<char, u64> = BTreeMap::new();
    for (word, count) in words {
        for letter in word.chars() {
            *counts.entry(letter).or_default() += count;
        }
    }
    let needed: &str = match options.algorithm {
        Algorithm::Unigram => NAMES,
        _ => "",
    };
    let mut seen: Vec<(char, u64)> = counts.into_iter().filter(|(_, n)| *n > 1).collect();
    // Of equally frequent ones the first stays: the sort is stable.
    seen.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let room = options.vocab_size.saturating_sub(fixed + needed.len());
    let most = match options.algorithm {
        Algorithm::Wordpiece => room / 4,
        Algorithm::Char => room,
        _ => room / 2,
    };
    // A vocabulary without room for one letter is refused.
    seen.truncate(most.max(1));
    let mut letters: Vec<char> = seen.into_iter().map(|(letter, _)| letter).collect();
    letters.extend(needed.chars());
    letters.sort_unstable();
    letters.dedup();
    letters
}

/// The part `model` of what merges have made.
fn merged(algorithm: Algorithm, learned: &merge::Learned) -> Value {
    let vocab: serde_json::Map<String, Value> = learned
        .pieces
        .iter()
        .zip(0..)
        .map(|(piece, number)| (piece.clone(), Value::from(number)))
        .collect();
    match algorithm {
        Algorithm::Wordpiece => json!({
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": vocab,
        }),
        _ => json!({
            "type": "BPE", "dropout": null,
            "unk_token": if algorithm == Algorithm::ByteLevel { Value::Null } else { Value::from(SPECIALS[3]) },
            "continuing_subword_prefix": null, "end_of_word_suffix": null, "fuse_unk": false,
            "byte_fallback": algorithm != Algorithm::ByteLevel, "ignore_merges": false,
            "vocab": vocab, "merges": learned.merges,
        }),
    }
}

/// The part `model` of a unigram model.
fn unigram(words: &[(String, u64)], fixed: &[String], letters: &[char], size: usize) -> Value {
    let taboo: Set<&str> = fixed.iter().map(String::as_str).collect();
    let learned = unigram::learn(words, letters, &taboo, size - fixed.len());
    let fixed = fixed.iter().map(|name| json!([name, NEVER]));
    let vocab: Vec<Value> = fixed
        .chain(learned.iter().map(|(piece, score)| json!([piece, score])))
        .collect();
    json!({"type": "Unigram", "unk_id": 3, "vocab": vocab, "byte_fallback": true})
}
