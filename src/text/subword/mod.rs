//! Subwords: pieces that any text is cut into, frequent words whole, rare ones in parts.
//!
//! | module | what is in it |
//! |---|---|
//! | this one | [`Subword`]: text to numbers of pieces and back, by a `tokenizer.json` |
//! | [`mod@train`] | learning one from text |
//! | [`layout`], [`symbols`] | text to words and pieces to text; what is never cut |
//! | `merge`, `unigram`, `seeds` | byte pair encoding; unigram language models |
//! | `dropout` | merges left out at random |
//! | [`sentencepiece`] | models of SentencePiece |
//! | `mixed` | tables with a quick hash |
//!
//! The file format and what its parts mean are those of the crate `tokenizers`, which does the work for files whose
//! layout is not one of ours; for those that are, words are cut here and only new words are asked for.

mod dropout;
pub mod layout;
mod merge;
mod mixed;
mod seeds;
pub mod sentencepiece;
pub mod symbols;
#[cfg(test)]
mod tests;
pub mod train;
mod unigram;

pub use layout::Normalization;
pub use train::{Algorithm, Options, Trainer, train};

use crate::random::Random;
use dropout::Merges;
use layout::{Layout, Part};
use mixed::{Map, Set};
use rayon::prelude::*;
use serde_json::Value;
use std::borrow::Cow;
use std::sync::{Mutex, OnceLock, PoisonError};
use symbols::Symbols;
use tokenizers::{Model, PreTokenizer, Tokenizer};

/// Why there is no model, or no text or pieces by it.
#[derive(Debug, thiserror::Error)]
pub enum SubwordError {
    #[error("not a tokenizer.json: {0}")]
    Json(String),
    #[error("not a model of SentencePiece: {0}")]
    SentencePiece(String),
    #[error("no text to learn from")]
    NoText,
    #[error(
        "a vocabulary of {asked} is too small: {least} pieces are needed for specials, symbols, bytes and letters"
    )]
    TooSmall { asked: usize, least: usize },
    #[error("`{symbol}` cannot be a symbol: {problem}")]
    Symbol {
        symbol: String,
        problem: &'static str,
    },
    #[error("dropout is for BPE models: this one has no merges")]
    NoMerges,
    #[error("the model cannot cut this text: {0}")]
    Model(String),
}

impl SubwordError {
    fn model(error: tokenizers::Error) -> SubwordError {
        SubwordError::Model(error.to_string())
    }
}

/// Names that the pieces for padding, begin, end and unknown go by in files.
const PAD: &[&str] = &["<pad>", "[PAD]", "<|pad|>"];
const BOS: &[&str] = &[
    "<s>",
    "[CLS]",
    "<bos>",
    "<|begin_of_text|>",
    "<|startoftext|>",
];
const EOS: &[&str] = &["</s>", "[SEP]", "<eos>", "<|end_of_text|>", "<|endoftext|>"];
const UNK: &[&str] = &["<unk>", "[UNK]", "<|unk|>"];

/// Numbers of pieces may have gaps, but not such as to fill the memory.
const MOST_GAPS: usize = 16;
const LEAST_ROOM: usize = 1 << 16;

/// Words whose pieces a cache remembers.
const REMEMBERED: usize = 1 << 16;

/// Longer words, in bytes, are hardly seen twice.
const LONGEST_REMEMBERED: usize = 64;

/// Lines that one thread encodes at a time.
const LINES: usize = 256;

/// A subword model. Made once, used from any number of threads.
pub struct Subword {
    tokenizer: Tokenizer,
    model: Value,
    /// The layout and the symbols, if they are such as can be cut here.
    known: Option<(Layout, Option<Symbols>)>,
    pieces: Vec<Option<String>>,
    pad: Option<u32>,
    bos: Option<u32>,
    eos: Option<u32>,
    unk: Option<u32>,
    /// Pieces that leave no trace in text.
    hidden: Set<u32>,
    caches: Mutex<Vec<Cache>>,
    merges: OnceLock<Merges>,
}

/// The pieces of words seen before, as ranges of one list. What is in it never shows: it only saves time.
#[derive(Default)]
struct Cache {
    words: Map<Box<str>, (u32, u32)>,
    pieces: Vec<u32>,
}

impl Subword {
    /// Reads the text of a `tokenizer.json`. Its truncation and padding are left out: a line stays a line.
    ///
    /// # Errors
    /// When it is none.
    pub fn from_json(json: &str) -> Result<Subword, SubwordError> {
        let damaged = |error: String| SubwordError::Json(error);
        let mut file: Value = serde_json::from_str(json).map_err(|e| damaged(e.to_string()))?;
        dropout::table(&file["model"])?;
        let mut tokenizer: Tokenizer = json
            .parse()
            .map_err(|e: tokenizers::Error| damaged(e.to_string()))?;
        tokenizer.with_padding(None);
        tokenizer
            .with_truncation(None)
            .map_err(|e| damaged(e.to_string()))?;
        let model = file["model"].take();
        let vocab = tokenizer.get_vocab(true);
        let length = vocab
            .values()
            .max()
            .map_or(0, |largest| *largest as usize + 1);
        if length > vocab.len() * MOST_GAPS + LEAST_ROOM {
            return Err(damaged(format!("a piece has the number {}", length - 1)));
        }
        let mut pieces = vec![None; length];
        for (piece, number) in vocab {
            pieces[number as usize] = Some(piece);
        }
        let named = |names: &[&str]| names.iter().find_map(|name| tokenizer.token_to_id(name));
        let (pad, bos, eos, unk) = (named(PAD), named(BOS), named(EOS), named(UNK));
        let mut hidden: Set<u32> = [pad, bos, eos].into_iter().flatten().collect();
        let writes_bytes = model["byte_fallback"] == Value::Bool(true);
        hidden.extend(unk.filter(|_| writes_bytes));
        for (number, token) in tokenizer.get_added_tokens_decoder() {
            if token.special {
                hidden.insert(number);
            }
        }
        let mut subword = Subword {
            tokenizer,
            model,
            known: None,
            pieces,
            pad,
            bos,
            eos,
            unk,
            hidden,
            caches: Mutex::default(),
            merges: OnceLock::new(),
        };
        subword.known = subword.known_layout();
        Ok(subword)
    }

    /// Reads a `tokenizer.json`, or a `.model` of SentencePiece.
    ///
    /// # Errors
    /// When it is neither.
    pub fn from_bytes(bytes: &[u8]) -> Result<Subword, SubwordError> {
        match std::str::from_utf8(bytes) {
            Ok(text) if text.trim_ascii_start().starts_with('{') => Subword::from_json(text),
            _ => Subword::from_json(&sentencepiece::to_json(bytes)?),
        }
    }

    fn known_layout(&self) -> Option<(Layout, Option<Symbols>)> {
        let part = |part: Result<Value, _>| part.ok();
        let normalizer = part(serde_json::to_value(self.tokenizer.get_normalizer()))?;
        let cutter = part(serde_json::to_value(self.tokenizer.get_pre_tokenizer()))?;
        let layout = Layout::of(&normalizer, &cutter)?;
        let mut numbers = std::collections::HashMap::new();
        for (number, token) in self.tokenizer.get_added_tokens_decoder() {
            if token.special
                || token.single_word
                || token.lstrip
                || token.rstrip
                || !token.normalized
            {
                return None;
            }
            numbers.insert(layout.normalized(&token.content).into_owned(), number);
        }
        let count = numbers.len();
        let symbols = Symbols::new(numbers);
        (count == 0 || symbols.is_some()).then_some((layout, symbols))
    }

    /// Whether names of special pieces in a text, such as `</s>`, are read as text. They always are with models of our
    /// own; in files of others they are special pieces, as their programs read them, until this is set.
    pub fn set_literal(&mut self, is_literal: bool) {
        self.tokenizer.set_encode_special_tokens(is_literal);
    }

    /// The `tokenizer.json`, as other programs read it.
    ///
    /// # Errors
    /// When a part cannot be written as JSON.
    pub fn to_json(&self) -> Result<String, SubwordError> {
        self.tokenizer.to_string(true).map_err(SubwordError::model)
    }

    /// One more than the largest number of a piece.
    pub fn vocab_size(&self) -> usize {
        self.pieces.len()
    }

    /// Whether no piece is longer than a character or a byte: a model of merges that has none.
    pub fn is_char(&self) -> bool {
        let merges = self.model.get("merges").and_then(Value::as_array);
        merges.is_some_and(Vec::is_empty)
    }

    /// The piece that fills up rows.
    pub fn pad(&self) -> Option<u32> {
        self.pad
    }

    /// The piece that begins a sentence.
    pub fn bos(&self) -> Option<u32> {
        self.bos
    }

    /// The piece that ends a sentence.
    pub fn eos(&self) -> Option<u32> {
        self.eos
    }

    /// The piece for what has no other.
    pub fn unk(&self) -> Option<u32> {
        self.unk
    }

    /// The piece of a number, as it is written in the vocabulary.
    pub fn piece(&self, number: u32) -> Option<&str> {
        self.pieces.get(number as usize)?.as_deref()
    }

    /// The number of a piece.
    pub fn id(&self, piece: &str) -> Option<u32> {
        self.tokenizer.token_to_id(piece)
    }

    /// The numbers of a text's pieces, without those that begin and end a sentence.
    ///
    /// # Errors
    /// When the model has no piece for a character and none for what is unknown.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, SubwordError> {
        let mut cache = self.lend();
        let mut out = Vec::new();
        let encoded = self.append(text, &mut cache, &mut out);
        self.take_back(cache);
        encoded.map(|()| out)
    }

    /// The same of many texts, on all threads.
    ///
    /// # Errors
    /// As [`Subword::encode`].
    pub fn encode_all<T: AsRef<str> + Sync>(
        &self,
        texts: &[T],
    ) -> Result<Vec<Vec<u32>>, SubwordError> {
        let encode = |texts: &[T]| {
            let mut cache = self.lend();
            let mut encoded = Vec::with_capacity(texts.len());
            for text in texts {
                let mut out = Vec::new();
                self.append(text.as_ref(), &mut cache, &mut out)?;
                encoded.push(out);
            }
            self.take_back(cache);
            Ok(encoded)
        };
        let blocks: Result<Vec<Vec<Vec<u32>>>, SubwordError> =
            texts.par_chunks(LINES).map(encode).collect();
        Ok(blocks?.into_iter().flatten().collect())
    }

    fn lend(&self) -> Cache {
        let mut caches = self.caches.lock().unwrap_or_else(PoisonError::into_inner);
        caches.pop().unwrap_or_default()
    }

    fn take_back(&self, cache: Cache) {
        self.caches
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(cache);
    }

    fn append(
        &self,
        text: &str,
        cache: &mut Cache,
        out: &mut Vec<u32>,
    ) -> Result<(), SubwordError> {
        let Some((layout, symbols)) = &self.known else {
            let encoding = self
                .tokenizer
                .encode_fast(text, false)
                .map_err(SubwordError::model)?;
            out.extend_from_slice(encoding.get_ids());
            return Ok(());
        };
        let mut failure = None;
        layout.parts(
            &layout.normalized(text),
            symbols.as_ref(),
            |part| match part {
                Part::Symbol(number) => out.push(number),
                Part::Word(word) => {
                    if let Err(error) = self.append_word(word, cache, out) {
                        failure.get_or_insert(error);
                    }
                }
            },
        );
        failure.map_or(Ok(()), Err)
    }

    fn append_word(
        &self,
        word: &str,
        cache: &mut Cache,
        out: &mut Vec<u32>,
    ) -> Result<(), SubwordError> {
        if let Some(&(start, end)) = cache.words.get(word) {
            out.extend_from_slice(&cache.pieces[start as usize..end as usize]);
            return Ok(());
        }
        let tokens = self
            .tokenizer
            .get_model()
            .tokenize(word)
            .map_err(SubwordError::model)?;
        let start = cache.pieces.len();
        out.extend(tokens.iter().map(|token| token.id));
        if word.len() <= LONGEST_REMEMBERED && cache.words.len() < REMEMBERED {
            cache.pieces.extend(tokens.iter().map(|token| token.id));
            // 2^16 words of 64 bytes have fewer pieces than 2^32.
            cache
                .words
                .insert(word.into(), (start as u32, cache.pieces.len() as u32));
        }
        Ok(())
    }

    /// The numbers of a text's pieces when each merge is left out with probability `p`: none gives what
    /// [`Subword::encode`] gives, 1 gives characters. The same state of `random` gives the same pieces.
    ///
    /// # Errors
    /// As [`Subword::encode`], and when the model is no BPE model.
    pub fn encode_with_dropout(
        &self,
        text: &str,
        p: f32,
        random: &mut Random,
    ) -> Result<Vec<u32>, SubwordError> {
        let merges = self.merges()?;
        if p <= 0.0 {
            return self.encode(text);
        }
        let mut out = Vec::new();
        let mut failure = None;
        let mut cut = |part: Part| match part {
            Part::Symbol(number) => out.push(number),
            Part::Word(word) => {
                if let Err(error) = merges.cut(word, p, random, &mut out) {
                    failure.get_or_insert(error);
                }
            }
        };
        match &self.known {
            Some((layout, symbols)) => {
                layout.parts(&layout.normalized(text), symbols.as_ref(), cut)
            }
            None => self.foreign_parts(text, &mut cut)?,
        }
        failure.map_or(Ok(out), Err)
    }

    /// Made when they are first asked for: nothing else needs them.
    fn merges(&self) -> Result<&Merges, SubwordError> {
        if let Some(merges) = self.merges.get() {
            return Ok(merges);
        }
        let table = dropout::table(&self.model)?.ok_or(SubwordError::NoMerges)?;
        let merges = Merges::new(&self.model, table)?;
        Ok(self.merges.get_or_init(|| merges))
    }

    /// The words and added pieces of a text by a layout that is not ours.
    fn foreign_parts(&self, text: &str, take: &mut dyn FnMut(Part)) -> Result<(), SubwordError> {
        let added = self.tokenizer.get_added_vocabulary();
        let mut parts = added.extract_and_normalize(self.tokenizer.get_normalizer(), text);
        if let Some(cutter) = self.tokenizer.get_pre_tokenizer() {
            cutter
                .pre_tokenize(&mut parts)
                .map_err(SubwordError::model)?;
        }
        let by = (
            tokenizers::OffsetReferential::Normalized,
            tokenizers::OffsetType::None,
        );
        for (word, _, tokens) in parts.get_splits(by.0, by.1) {
            match tokens {
                Some(tokens) => tokens.iter().for_each(|token| take(Part::Symbol(token.id))),
                None => take(Part::Word(word)),
            }
        }
        Ok(())
    }

    /// The text of pieces. Those that begin, end and fill up sentences leave no trace, and numbers of no piece neither;
    /// bytes that are no UTF-8 together become U+FFFD.
    ///
    /// # Errors
    /// When the file's decoder fails.
    pub fn decode(&self, numbers: &[u32]) -> Result<String, SubwordError> {
        let shown: Vec<u32> = numbers
            .iter()
            .copied()
            .filter(|n| !self.hidden.contains(n))
            .collect();
        self.tokenizer
            .decode(&shown, false)
            .map_err(SubwordError::model)
    }

    /// The text as [`Subword::decode`] gives it back, where the layout is ours and keeps spaces: in its normal form.
    pub fn canonical<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match &self.known {
            Some((layout, _)) => layout.visible(text),
            None => Cow::Borrowed(text),
        }
    }
}
