//! The trained segmenter: tokens in chunks, exceptions, sentence boundaries, multi-word tokens.
//!
//! ```text
//! paragraph ─ chunks ─ split ─▶ tokens ─ boundary ─▶ sentences ─ multiword ─▶ pieces
//! ```
//!
//! Everything is linear in the length of the text: features look at bounded neighbourhoods and at hashes of runs.

use super::boundary::{self, Smalls};
use super::exceptions::Exceptions;
use super::layout::{Gap, Lines};
use super::multiword::{Multiwords, neighbours};
use super::pieces::{Ends, Piece, paragraphs};
use super::shape::Shape;
use super::split::Chunk;
use crate::text::model::{ModelError, Section, Tensor};
use crate::text::weights::Weights;
use compact_str::CompactString;
use serde_json::{Value, json};
use std::ops::Range;

/// What `tokenize train` learns of a language.
#[derive(Clone, Debug)]
pub struct Segmenter {
    /// Whether tokens end inside runs of letters, as in Japanese.
    pub(super) dense: bool,
    pub(super) cuts: Weights,
    pub(super) boundaries: Weights,
    /// For surfaces that are several words in some places only.
    pub(super) splits: Weights,
    pub(super) smalls: Smalls,
    pub(super) multiwords: Multiwords,
}

/// Buffers that one text after another uses.
#[derive(Default)]
pub struct Workspace {
    chunk: Chunk,
    pub(super) units: Vec<Shape>,
    lines: Lines,
    features: Vec<u64>,
    ends: Vec<usize>,
}

impl Segmenter {
    /// Cuts `text` into pieces, appended to `pieces`.
    pub fn segment(
        &self,
        text: &str,
        options: &Options<'_>,
        work: &mut Workspace,
        pieces: &mut Vec<Piece>,
    ) {
        let Workspace { features, .. } = work;
        let mut features = std::mem::take(features);
        let mut ends = std::mem::take(&mut work.ends);
        for paragraph in paragraphs(text, options.newline_breaks) {
            self.units(text, paragraph, work, options, |_, features| {
                sum(&self.cuts, features) > 0
            });
            ends.clear();
            let decide = |_: usize, features: &[u64]| sum(&self.boundaries, features) > 0;
            boundary::find(&work.units, &self.smalls, &mut features, decide, |i| {
                ends.push(i)
            });
            let mut next_end = ends.iter().copied().peekable();
            for (i, unit) in work.units.iter().enumerate() {
                let token = &text[unit.start as usize..unit.end as usize];
                let whole = !options.multiwords || options.exceptions.has(token);
                pieces.push(Piece {
                    start: unit.start,
                    end: unit.end,
                    multiword: match whole {
                        true => None,
                        false => self.multiword(token, i, &work.units, &mut features),
                    },
                    ends: match next_end.next_if_eq(&i) {
                        Some(_) if i + 1 == work.units.len() => Ends::Paragraph,
                        Some(_) => Ends::Sentence,
                        None => Ends::Nothing,
                    },
                });
            }
        }
        work.features = features;
        work.ends = ends;
    }

    /// The split of token `i`, if it is one here.
    #[inline]
    fn multiword(
        &self,
        token: &str,
        i: usize,
        units: &[Shape],
        features: &mut Vec<u64>,
    ) -> Option<u32> {
        let number = self.multiwords.find(token)?;
        if self.multiwords.asks(number) {
            features.clear();
            neighbours::features(units, i, features);
            return (sum(&self.splits, features) > 0).then_some(number);
        }
        Some(number)
    }

    /// Cuts one paragraph into tokens, `work.units`; `decide(offset in the text, features)` answers each possible cut.
    pub(super) fn units(
        &self,
        text: &str,
        paragraph: Range<usize>,
        work: &mut Workspace,
        options: &Options<'_>,
        mut decide: impl FnMut(usize, &[u64]) -> bool,
    ) {
        let Workspace {
            chunk,
            units,
            lines,
            features,
            ..
        } = work;
        units.clear();
        lines.read(&text[paragraph.clone()], paragraph.start);
        let mut chunks = Chunks::new(text, paragraph);
        let mut current = chunks.next();
        let mut end_before = None;
        while let Some((range, plain)) = current {
            let following = chunks.next();
            let word = &text[range.clone()];
            let (mut gap, line) = match end_before {
                None => (Gap::None, 0),
                Some(end) => gap_between(text, end..range.start, lines),
            };
            let mut push = |token: Range<usize>| {
                let (start, end) = (range.start + token.start, range.start + token.end);
                units.push(Shape::of(&text[start..end], start as u32, gap, line));
                gap = Gap::None;
            };
            if plain && !self.dense {
                push(0..word.len());
            } else {
                let next = following
                    .as_ref()
                    .map_or("", |(next, _)| &text[next.clone()]);
                chunk.read(word, next, self.dense);
                let decide = |at: usize, features: &[u64]| decide(range.start + at, features);
                chunk.cut(word.len(), features, decide, push);
            }
            end_before = Some(range.end);
            current = following;
        }
        options.exceptions.merge_units(text, units);
    }

    /// The words of a multi-word token, by the number that its piece bears.
    pub fn words(&self, number: u32, surface: &str, words: &mut Vec<CompactString>) {
        self.multiwords.words(number, surface, words);
    }

    /// The segmenter as a layer of a model file.
    pub fn to_section(&self) -> Section {
        let mut section = Section::default();
        section.meta.insert("dense".to_owned(), json!(self.dense));
        self.cuts.save(&mut section, "cuts");
        self.boundaries.save(&mut section, "boundaries");
        self.splits.save(&mut section, "splits");
        let smalls = Tensor::from_u32(&self.smalls.bits);
        section.tensors.insert("smalls".to_owned(), smalls);
        self.multiwords.save(&mut section);
        section
    }

    /// Reads the layer of a model file.
    ///
    /// # Errors
    /// A tensor or field is missing or of another type.
    pub fn from_section(section: &Section) -> Result<Segmenter, ModelError> {
        let dense = section.meta.get("dense").and_then(Value::as_bool);
        Ok(Segmenter {
            dense: dense.ok_or_else(|| ModelError::Meta {
                field: "dense".to_owned(),
            })?,
            cuts: Weights::load(section, "cuts")?,
            boundaries: Weights::load(section, "boundaries")?,
            splits: Weights::load(section, "splits")?,
            smalls: Smalls {
                bits: section.u32s("smalls")?,
            },
            multiwords: Multiwords::load(section)?,
        })
    }
}

/// What the user can ask of a trained segmenter.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// Multi-word tokens are split into words.
    pub multiwords: bool,
    /// Every line is a paragraph (verse, mail).
    pub newline_breaks: bool,
    /// Tokens that stay whole.
    pub exceptions: &'a Exceptions,
}

#[inline]
fn sum(weights: &Weights, features: &[u64]) -> i32 {
    features.iter().map(|f| weights.at(*f)).sum()
}

/// What parts two chunks.
fn gap_between(text: &str, between: Range<usize>, lines: &Lines) -> (Gap, u64) {
    let white = &text.as_bytes()[between.clone()];
    if !lines.is_one() && memchr::memchr(b'\n', white).is_some() {
        lines.end(between.start)
    } else {
        (Gap::Space, 0)
    }
}

/// The chunks of a paragraph: stretches without white space, and whether they hold ASCII letters only.
struct Chunks<'a> {
    text: &'a str,
    at: usize,
    end: usize,
}

impl<'a> Chunks<'a> {
    fn new(text: &'a str, paragraph: Range<usize>) -> Chunks<'a> {
        Chunks {
            text,
            at: paragraph.start,
            end: paragraph.end,
        }
    }
}

impl Iterator for Chunks<'_> {
    type Item = (Range<usize>, bool);

    #[inline]
    fn next(&mut self) -> Option<(Range<usize>, bool)> {
        let bytes = &self.text.as_bytes()[..self.end];
        let start = loop {
            match bytes.get(self.at) {
                None => return None,
                Some(b) if b.is_ascii() => match is_white(*b) {
                    true => self.at += 1,
                    false => break self.at,
                },
                Some(_) => match self.text[self.at..self.end].chars().next() {
                    Some(c) if c.is_whitespace() => self.at += c.len_utf8(),
                    _ => break self.at,
                },
            }
        };
        let letters = bytes[start..]
            .iter()
            .take_while(|b| b.is_ascii_alphabetic())
            .count();
        self.at += letters;
        if bytes.get(self.at).is_none_or(|b| is_white(*b)) {
            return Some((start..self.at, true));
        }
        while let Some(b) = bytes.get(self.at) {
            if b.is_ascii() {
                if is_white(*b) {
                    break;
                }
                self.at += 1;
            } else {
                match self.text[self.at..self.end].chars().next() {
                    Some(c) if !c.is_whitespace() => self.at += c.len_utf8(),
                    _ => break,
                }
            }
        }
        Some((start..self.at, false))
    }
}

#[inline]
fn is_white(b: u8) -> bool {
    matches!(b, b' ' | b'\t'..=b'\r')
}
