//! Raw text of annotated documents, with the places where its tokens and sentences end: what the segmenter learns from.
//!
//! `# text` of the sentences, joined as SpaceAfter and SpacesAfter say, a blank line where a paragraph or document
//! begins. Treebanks have no line ends inside paragraphs but mail and books do, so text can also be wrapped at a width,
//! or put one sentence a line.

use crate::text::document::{Document, Misc, Opens, Sentence, Token};
use std::ops::Range;

/// How the lines of the raw text are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// As the documents have it.
    Raw,
    /// Wrapped hard, at so many characters.
    Wrapped(usize),
    /// A line for each sentence.
    SentenceLines,
}

/// A raw text and its surface tokens.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gold {
    pub text: String,
    pub tokens: Vec<GoldToken>,
}

/// A surface token in the raw text.
#[derive(Clone, Debug, PartialEq)]
pub struct GoldToken {
    pub span: Range<usize>,
    pub ends_sentence: bool,
    /// The words of a multi-word token; empty for the others.
    pub words: Vec<String>,
}

impl Gold {
    /// Lays out documents that are not located.
    pub fn of(documents: &[Document], layout: Layout) -> Gold {
        let mut gold = Gold::default();
        for document in documents {
            gold.add(&document.sentences, layout);
        }
        gold.finish(layout)
    }

    /// Lays out sentences of one document, the first of which begins a paragraph.
    pub fn of_sentences(sentences: &[Sentence], layout: Layout) -> Gold {
        let mut gold = Gold::default();
        gold.add(sentences, layout);
        gold.finish(layout)
    }

    fn add(&mut self, sentences: &[Sentence], layout: Layout) {
        for (i, sentence) in sentences.iter().enumerate() {
            let opens = sentence.opens != Opens::Nothing || i == 0;
            if opens && !self.text.is_empty() {
                self.end_paragraph();
            }
            for token in &sentence.tokens {
                self.add_token(sentence, token);
            }
            if let Some(last) = self.tokens.last_mut() {
                last.ends_sentence = true;
            }
            if layout == Layout::SentenceLines {
                self.text.truncate(self.text.trim_end().len());
                self.text.push('\n');
            }
        }
    }

    fn add_token(&mut self, sentence: &Sentence, token: &Token) {
        let words = &sentence.words[token.words.start as usize..token.words.end as usize];
        let many = token.form.is_some();
        let misc = match words {
            [word] if !many => &word.misc,
            _ => &token.misc,
        };
        let start = self.text.len();
        self.text.push_str(sentence.surface(token));
        self.tokens.push(GoldToken {
            span: start..self.text.len(),
            ends_sentence: false,
            words: match many {
                true => words.iter().map(|w| w.form.to_string()).collect(),
                false => Vec::new(),
            },
        });
        self.text.push_str(spacing(misc));
    }

    fn finish(mut self, layout: Layout) -> Gold {
        if let Layout::Wrapped(width) = layout {
            wrap(&mut self.text, width);
        }
        self
    }

    /// Adds another text behind this one, as a new paragraph.
    pub fn append(&mut self, other: Gold) {
        if !self.text.is_empty() {
            self.end_paragraph();
        }
        let start = self.text.len();
        self.text.push_str(&other.text);
        self.tokens
            .extend(other.tokens.into_iter().map(|token| GoldToken {
                span: token.span.start + start..token.span.end + start,
                ..token
            }));
    }

    fn end_paragraph(&mut self) {
        self.text.truncate(self.text.trim_end().len());
        self.text.push_str("\n\n");
    }
}

/// The white space after a token. Inside a paragraph every kind counts as one space, but none is none.
fn spacing(misc: &Misc) -> &'static str {
    match (misc.get("SpaceAfter"), misc.get("SpacesAfter")) {
        (Some("No"), _) => "",
        (_, Some(escaped)) if escaped.contains("\\n") => "\n",
        _ => " ",
    }
}

/// Breaks lines at spaces so that they have at most `width` characters, where words allow. Lengths stay.
fn wrap(text: &mut String, width: usize) {
    let mut wrapped = std::mem::take(text).into_bytes();
    let (mut column, mut space) = (0, None);
    for at in 0..wrapped.len() {
        let b = wrapped[at];
        if b & 0xc0 == 0x80 {
            continue; // not the first byte of a character
        }
        if b == b' ' || b == b'\n' {
            if column > width
                && let Some((earlier, since)) = space
            {
                wrapped[earlier] = b'\n';
                column -= since;
            }
            space = Some((at, column + 1));
        }
        column += 1;
        if b == b'\n' {
            (column, space) = (0, None);
        }
    }
    // Only spaces were replaced, by another ASCII byte: it is UTF-8 as before.
    *text = String::from_utf8(wrapped).unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapping_breaks_at_spaces_and_keeps_every_length() {
        let mut text = "aa bb cc dd\n\nee ffffff g".to_owned();
        wrap(&mut text, 5);
        assert_eq!(
            text,
            "aa bb\ncc dd\n\nee\nffffff\ng".replace("ffffff\ng", "ffffff g")
        );
    }
}
