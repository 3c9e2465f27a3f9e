//! Tab-separated tables: a word a row, or an entity a row.

use super::conllu::push_number;
use super::document::{Document, Sentence, Token, Word};
use super::entity::entities;
use super::format::OffsetUnit;
use super::offsets::Cursor;
use super::plain::{or_unset, push_flat};

/// A column of the table of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum TsvColumn {
    /// The surface token the word belongs to
    Token,
    /// The word
    Form,
    /// Its lemma
    Lemma,
    /// Its universal part of speech
    Upos,
    /// Its part of speech in the tag set of the treebank
    Xpos,
    /// Its morphological features
    Feats,
    /// Its stem
    Stem,
    /// Its entity label: B-PER, I-PER, O
    Ner,
}

impl TsvColumn {
    /// Its name in a header line.
    pub fn name(self) -> &'static str {
        match self {
            TsvColumn::Token => "token",
            TsvColumn::Form => "form",
            TsvColumn::Lemma => "lemma",
            TsvColumn::Upos => "upos",
            TsvColumn::Xpos => "xpos",
            TsvColumn::Feats => "feats",
            TsvColumn::Stem => "stem",
            TsvColumn::Ner => "ner",
        }
    }

    fn value<'a>(self, sentence: &'a Sentence, token: &'a Token, word: &'a Word) -> &'a str {
        match self {
            TsvColumn::Token => sentence.surface(token),
            TsvColumn::Form => &word.form,
            TsvColumn::Lemma => or_unset(&word.lemma),
            TsvColumn::Upos => or_unset(&word.upos),
            TsvColumn::Xpos => or_unset(&word.xpos),
            TsvColumn::Feats => or_unset(&word.feats),
            TsvColumn::Stem => word.misc.get("Stem").unwrap_or("_"),
            TsvColumn::Ner => word.misc.get("NER").unwrap_or("O"),
        }
    }
}

/// The names of the columns of [`print_entities`].
pub const ENTITY_COLUMNS: [&str; 7] = [
    "document", "start", "end", "label", "text", "value", "score",
];

/// Prints a word a row and an empty line after each sentence.
pub fn print_tsv(document: &Document, columns: &[TsvColumn], out: &mut String) {
    for sentence in &document.sentences {
        for token in &sentence.tokens {
            let words = token.words.start as usize..token.words.end as usize;
            for word in sentence.words.get(words).unwrap_or_default() {
                for (i, column) in columns.iter().enumerate() {
                    if i > 0 {
                        out.push('\t');
                    }
                    push_flat(column.value(sentence, token, word), out);
                }
                out.push('\n');
            }
        }
        if !sentence.tokens.is_empty() {
            out.push('\n');
        }
    }
}

/// Prints an entity a row: document, start, end, label, text, value, score. Start and end count code points of the document, which
/// is located for that; its own id goes before `document_name`.
pub fn print_entities(document: &mut Document, document_name: &str, out: &mut String) {
    document.locate();
    let text = document.text.as_deref().unwrap_or_default();
    let name = document.id.as_deref().unwrap_or(document_name);
    let mut characters = Cursor::new(text, OffsetUnit::Chars);
    for sentence in &document.sentences {
        for entity in entities(sentence) {
            let span = entity.span(sentence);
            push_flat(name, out);
            for end in [span.start, span.end] {
                out.push('\t');
                push_number(document.start.chars + characters.count_at(end), out);
            }
            out.push('\t');
            push_flat(&entity.label, out);
            out.push('\t');
            for (i, run) in entity
                .text(document, sentence)
                .split_whitespace()
                .enumerate()
            {
                if i > 0 {
                    out.push(' ');
                }
                out.push_str(run);
            }
            let first = sentence.words.get(entity.words.start);
            for key in ["Value", "Score"] {
                out.push('\t');
                let said = first.and_then(|word| word.misc.get(key));
                push_flat(said.unwrap_or("_"), out);
            }
            out.push('\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::plain::parse_tokens;

    fn document() -> Document {
        let mut document = parse_tokens("é Steve Jobs left");
        document.sentences[0].words[1].misc.set("NER", "B-PER");
        document.sentences[0].words[2].misc.set("NER", "I-PER");
        document
    }

    #[test]
    fn a_word_a_row_and_an_empty_line_after_each_sentence() {
        let mut document = document();
        document.sentences[0].words.truncate(2);
        document.sentences[0].tokens.truncate(2);
        let mut out = String::new();
        print_tsv(
            &document,
            &[TsvColumn::Form, TsvColumn::Lemma, TsvColumn::Ner],
            &mut out,
        );
        assert_eq!(out, "é\t_\tO\nSteve\t_\tB-PER\n\n");
    }

    #[test]
    fn an_entity_a_row_in_code_points() {
        let mut out = String::new();
        let mut document = document();
        document.start.chars = 10;
        print_entities(&mut document, "a.txt", &mut out);
        assert_eq!(out, "a.txt\t12\t22\tPER\tSteve Jobs\t_\t_\n");
    }
}
