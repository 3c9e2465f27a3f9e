//! Segmentation: text into sentences, surface tokens and words.
//!
//! ```text
//! text ── paragraphs ── a scheme ──▶ pieces ──▶ Document, or printed at once
//!                       │
//!                       ├ ud          trained: split, boundary, multiword (what a treebank does)
//!                       ├ unicode     UAX #29
//!                       └ whitespace, regex
//! ```
//!
//! Reading order: `pieces`, `plain`, `unicode`; then the trained scheme: `segmenter`, `classes`, `atoms`, `split`,
//! `shape`, `layout`, `boundary`, `multiword`, `exceptions`; what it learns from: `gold`, `signs`, `logistic`, `train`; and `filter`.

mod atoms;
mod boundary;
mod classes;
mod exceptions;
mod filter;
mod gold;
mod layout;
mod logistic;
mod multiword;
mod pieces;
mod plain;
mod segmenter;
mod shape;
mod signs;
mod split;
mod train;
mod unicode;

pub use exceptions::Exceptions;
pub use filter::{Filter, Keep, Normalization, english_stopwords, parse_stopwords};
pub use pieces::{Ends, Piece};
pub use train::{TrainOptions, train};

use crate::text::document::{Document, Opens, Sentence, Token, Word};
use crate::text::model::{ModelError, Section};
use compact_str::CompactString;
use regex::Regex;
use segmenter::Segmenter;

/// Name of the layer in model files.
pub const LAYER: &str = "tokenize";

/// How text is cut into tokens, by the names `--scheme` knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Scheme {
    /// As in Universal Dependencies, by the model's training
    #[default]
    Ud,
    /// Word boundaries of Unicode (UAX #29), any language
    Unicode,
    /// At white space
    Whitespace,
    /// The matches of --pattern
    Regex,
}

/// What becomes a token, by the names `--unit` knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Unit {
    /// A word
    #[default]
    Word,
    /// A whole sentence
    Sentence,
    /// A character as a reader sees it (grapheme cluster)
    Grapheme,
    /// A Unicode code point
    Char,
    /// A line
    Line,
}

/// Cuts text into sentences and tokens.
#[derive(Clone, Debug)]
pub struct Tokenizer {
    method: Method,
    /// What becomes a token.
    pub unit: Unit,
    /// Multi-word tokens are split into words (`ud` only).
    pub split_multiwords: bool,
    /// A line end ends a paragraph; else it is a space inside one.
    pub newline_breaks: bool,
    /// Tokens that stay whole.
    pub exceptions: Exceptions,
}

/// A scheme with what it needs.
#[derive(Clone, Debug)]
enum Method {
    Trained(Box<Segmenter>),
    Unicode,
    Whitespace,
    Pattern(Regex),
}

/// Buffers of a worker, used for one text after another.
#[derive(Default)]
pub struct Workspace {
    segmenter: segmenter::Workspace,
    pieces: Vec<Piece>,
    words: Vec<CompactString>,
}

impl Tokenizer {
    /// The trained scheme, from the `tokenize` layer of a model.
    ///
    /// # Errors
    /// The section does not hold a segmenter.
    pub fn from_section(section: &Section) -> Result<Tokenizer, ModelError> {
        let segmenter = Segmenter::from_section(section)?;
        Ok(Tokenizer::of(Method::Trained(Box::new(segmenter))))
    }

    /// Words and sentences of UAX #29.
    pub fn unicode() -> Tokenizer {
        Tokenizer::of(Method::Unicode)
    }

    /// Tokens are what white space parts; sentences as in UAX #29.
    pub fn whitespace() -> Tokenizer {
        Tokenizer::of(Method::Whitespace)
    }

    /// Tokens are the matches of a pattern; sentences as in UAX #29.
    ///
    /// # Errors
    /// The pattern is not a regular expression.
    pub fn pattern(pattern: &str) -> Result<Tokenizer, regex::Error> {
        Ok(Tokenizer::of(Method::Pattern(Regex::new(pattern)?)))
    }

    fn of(method: Method) -> Tokenizer {
        Tokenizer {
            method,
            unit: Unit::Word,
            split_multiwords: true,
            newline_breaks: false,
            exceptions: Exceptions::default(),
        }
    }

    /// Fills the sentences of a located document that has none yet.
    pub fn segment(&self, document: &mut Document) {
        self.segment_with(document, &mut Workspace::default());
    }

    /// [`Tokenizer::segment`] with buffers to reuse.
    pub fn segment_with(&self, document: &mut Document, work: &mut Workspace) {
        let Some(text) = document
            .text
            .as_deref()
            .filter(|_| document.sentences.is_empty())
        else {
            return;
        };
        self.pieces(text, work);
        let mut opens = document.opens;
        let mut sentence = Sentence::default();
        for i in 0..work.pieces.len() {
            let piece = work.pieces[i];
            self.forms(text, piece, &mut work.words);
            let first = sentence.words.len() as u32;
            sentence
                .words
                .extend(work.words.iter().map(|form| Word::of(form)));
            sentence.tokens.push(Token {
                span: piece.start..piece.end,
                words: first..sentence.words.len() as u32,
                form: (work.words.len() > 1).then(|| text[piece.range()].into()),
                ..Token::default()
            });
            if piece.ends != Ends::Nothing {
                sentence.opens = opens;
                opens = match piece.ends {
                    Ends::Paragraph => Opens::Paragraph,
                    _ => Opens::Nothing,
                };
                document.sentences.push(std::mem::take(&mut sentence));
            }
        }
    }

    /// Prints the words of `text`, without making a document of it.
    pub fn print(&self, text: &str, printing: &Printing, work: &mut Workspace, out: &mut String) {
        if !printing.lines {
            return self.print_document(text, printing, work, out);
        }
        for line in text.split_inclusive('\n') {
            self.print_document(line, printing, work, out);
            if !printing.words {
                out.push('\n');
            }
        }
    }

    fn print_document(&self, text: &str, how: &Printing, work: &mut Workspace, out: &mut String) {
        self.pieces(text, work);
        let between = if how.words { '\n' } else { ' ' };
        // Tokens that can be copied as they stand unless they are several words: none has white space inside.
        let simple = !matches!(self.unit, Unit::Sentence | Unit::Line)
            && !matches!(self.method, Method::Pattern(_))
            && self.exceptions.is_empty();
        let idle = how.filter.is_idle();
        let start = out.len();
        let (mut sentence, mut kept) = (Vec::new(), Vec::new());
        for i in 0..work.pieces.len() {
            let piece = work.pieces[i];
            if idle && simple && piece.multiword.is_none() {
                out.push_str(&text[piece.range()]);
                out.push(between);
            } else {
                self.forms(text, piece, &mut work.words);
                match idle {
                    true => join(&work.words, between, out),
                    false => sentence.append(&mut work.words),
                }
            }
            if piece.ends != Ends::Nothing {
                if !idle {
                    how.filter
                        .sentence(sentence.iter().map(|form| form.as_str()), &mut kept);
                    join(&kept, between, out);
                    sentence.clear();
                }
                // A sentence of which nothing is left is no line.
                if !how.words && !how.lines && (idle || !kept.is_empty()) {
                    out.pop();
                    out.push('\n');
                }
            }
        }
        if how.lines && !how.words && out.len() > start {
            out.pop();
        }
    }

    /// The words of one token.
    fn forms(&self, text: &str, piece: Piece, words: &mut Vec<CompactString>) {
        let surface = &text[piece.range()];
        match (&self.method, piece.multiword) {
            (Method::Trained(segmenter), Some(number)) => segmenter.words(number, surface, words),
            _ => {
                words.clear();
                words.push(on_one_line(surface));
            }
        }
    }

    /// Cuts `text` into pieces: spans in order that cover every character but white space (and what a pattern leaves).
    pub fn pieces<'a>(&self, text: &str, work: &'a mut Workspace) -> &'a [Piece] {
        let pieces = &mut work.pieces;
        pieces.clear();
        if self.unit == Unit::Line {
            plain::lines(text, pieces);
            return pieces;
        }
        let breaks = self.newline_breaks;
        match &self.method {
            Method::Trained(segmenter) => {
                let options = segmenter::Options {
                    multiwords: self.split_multiwords,
                    newline_breaks: breaks,
                    exceptions: &self.exceptions,
                };
                segmenter.segment(text, &options, &mut work.segmenter, pieces);
            }
            Method::Unicode => {
                plain::segment(text, breaks, pieces, |text, token| {
                    unicode::words(text, token)
                });
            }
            Method::Whitespace => plain::segment(text, breaks, pieces, plain::whitespace),
            Method::Pattern(pattern) => {
                plain::segment(text, breaks, pieces, |text, token| {
                    plain::matches(pattern, text, token)
                });
            }
        }
        if !matches!(self.method, Method::Trained(_)) {
            self.exceptions.merge_pieces(text, pieces);
        }
        match self.unit {
            Unit::Word | Unit::Line => {}
            Unit::Sentence => plain::join_sentences(pieces),
            Unit::Grapheme | Unit::Char => {
                plain::cut_tokens(text, self.unit == Unit::Grapheme, pieces)
            }
        }
        pieces
    }
}

/// How [`Tokenizer::print`] prints.
#[derive(Clone, Debug, Default)]
pub struct Printing {
    /// A line of the text is a document, and gives a line. Else a sentence gives one.
    pub lines: bool,
    /// Every word gives a line.
    pub words: bool,
    pub filter: Filter,
}

fn join(words: &[CompactString], between: char, out: &mut String) {
    for word in words {
        out.push_str(word);
        out.push(between);
    }
}

/// A token with its inner white space, which only sentences and exceptions have, as single spaces.
fn on_one_line(surface: &str) -> CompactString {
    if !surface.contains(char::is_whitespace) {
        return surface.into();
    }
    let mut form = CompactString::default();
    for part in surface.split_whitespace() {
        if !form.is_empty() {
            form.push(' ');
        }
        form.push_str(part);
    }
    form
}

#[cfg(test)]
mod tests;
