//! Column files in the manner of CoNLL-2003: a word a line, columns parted by a tab or by spaces, an empty line after
//! each sentence.
//!
//! ```text
//! -DOCSTART- -X- O O      a new document
//!
//! EU NNP I-NP I-ORG       --columns form,xpos,_,ner
//! rejects VBZ I-VP O
//! ```
//!
//! A file that holds a tab is parted by tabs, any other by runs of spaces. Lines that start with `#` and have another
//! number of columns are comments (as in UNER); those after the last sentence are dropped. Columns named `_`
//! are kept in MISC as `Column3=…` unless they hold `_` or are missing at the end of a line, with the escapes of
//! `SpacesAfter`, and `-DOCSTART-` lines as comments, so that what is printed has them again. Entity labels are read in IOB1, IOB2, BIOES, BILOU or without prefixes (see
//! [`super::entity`]) and printed in IOB2.
//! Format: <https://www.clips.uantwerpen.be/conll2003/ner/>.

mod spec;

pub use spec::ColumnSpec;

use super::conllu::{push_clean, push_line, take_comment};
use super::document::{Document, Opens, Sentence, Token, Word};
use super::entity::{decode, entities, set_entities};
use super::format::FormatError;
use super::spacing::{push_escaped, push_unescaped};
use spec::Column;

const DOCUMENT_START: &str = "-DOCSTART-";

/// Reads whole sentences into an unlocated document; `first_line` is the number of the first line in the file.
///
/// # Errors
/// A line with another number of columns than `spec`, or without a form.
pub fn parse(text: &str, first_line: u64, spec: &ColumnSpec) -> Result<Document, FormatError> {
    let has_tabs = spec.columns.len() > 1 && memchr::memchr(b'\t', text.as_bytes()).is_some();
    let mut document = Document {
        separator: Some(if has_tabs { '\t' } else { ' ' }),
        ..Document::default()
    };
    let mut reader = Reader {
        spec,
        sentence: Sentence::default(),
        labels: Vec::new(),
    };
    for (number, line) in (first_line..).zip(text.split('\n')) {
        let line = line.trim_end_matches('\r');
        let columns: Vec<&str> = if has_tabs {
            line.split('\t').collect()
        } else {
            line.split([' ', '\t', '\r'])
                .filter(|c| !c.is_empty())
                .collect()
        };
        let is_blank = columns.iter().all(|c| c.is_empty());
        let is_comment = line.starts_with('#') && columns.len() != spec.columns.len();
        if is_blank {
            reader.end_sentence(&mut document);
        } else if line.split([' ', '\t', '\r']).find(|word| !word.is_empty())
            == Some(DOCUMENT_START)
        {
            reader.end_sentence(&mut document);
            reader.sentence.opens = Opens::Document;
            reader.sentence.comments.push("# newdoc".to_string());
            reader
                .sentence
                .comments
                .push(format!("# {}", line.trim_start()));
        } else if is_comment && (!has_tabs || columns.len() == 1 || line.starts_with("# ")) {
            if !reader.sentence.words.is_empty() {
                reader.end_sentence(&mut document);
            }
            if is_document_start(line) {
                take_comment("# newdoc", &mut reader.sentence, &mut document.id);
            }
            take_comment(line, &mut reader.sentence, &mut document.id);
        } else {
            reader.read_word(&columns, number)?;
        }
    }
    reader.end_sentence(&mut document);
    Ok(document)
}

struct Reader<'a> {
    spec: &'a ColumnSpec,
    sentence: Sentence,
    /// The entity labels of its words, as they stand in the file.
    labels: Vec<String>,
}

impl Reader<'_> {
    fn read_word(&mut self, columns: &[&str], line: u64) -> Result<(), FormatError> {
        let expected = self.spec.columns.len();
        if !self.spec.fits(columns.len()) {
            let found = columns.len();
            return Err(FormatError::new(
                line,
                format!("expected {expected} columns, found {found}"),
            )
            .hint(
                "--columns names every column of the file, _ for those without a use: form,_,_,ner",
            ));
        }
        let mut word = Word::default();
        let mut label = String::new();
        for (i, (column, &value)) in self.spec.columns.iter().zip(columns).enumerate() {
            let set = if value == "_" { "" } else { value };
            match column {
                Column::Form if value.is_empty() => {
                    return Err(FormatError::new(line, "the column form is empty"));
                }
                Column::Form => word.form = value.into(),
                Column::Lemma => word.lemma = set.into(),
                Column::Upos => word.upos = set.into(),
                Column::Xpos => word.xpos = set.into(),
                Column::Feats => word.feats = set.into(),
                Column::Stem if set.is_empty() => (),
                Column::Stem => word.misc.set("Stem", &escaped(value)),
                Column::Ner => label = escaped(value),
                // A line may end before its ignored columns; those are then as good as unset.
                Column::Ignored if value == "_" => (),
                Column::Ignored => word.misc.set(&format!("Column{}", i + 1), &escaped(value)),
            }
        }
        let id = self.sentence.words.len() as u32;
        self.sentence.words.push(word);
        self.sentence.tokens.push(Token {
            words: id..id + 1,
            ..Token::default()
        });
        self.labels.push(label);
        Ok(())
    }

    fn end_sentence(&mut self, document: &mut Document) {
        if self.sentence.words.is_empty() {
            return;
        }
        let mut found = decode(self.labels.iter().map(|label| Some(label.as_str())));
        for entity in &mut found {
            entity.label = self.spec.rename(&entity.label).to_string();
        }
        found.retain(|entity| !entity.label.is_empty());
        set_entities(&mut self.sentence, &found);
        self.labels.clear();
        document.sentences.push(std::mem::take(&mut self.sentence));
    }
}

fn escaped(value: &str) -> String {
    let mut out = String::new();
    push_escaped(value, &mut out);
    out
}

/// Prints a word a line, with the separator and the comments of the columns file it came from, else with tabs and a
/// `-DOCSTART-` line for each document. A column without a value is `_`, a word outside of entities `O`.
pub fn print(document: &Document, spec: &ColumnSpec, out: &mut String) {
    let separator = document.separator.unwrap_or('\t');
    for sentence in &document.sentences {
        if sentence.words.is_empty() {
            continue;
        }
        if document.separator.is_some() {
            print_comments(sentence, out);
        } else if sentence.opens == Opens::Document {
            print_document_start(spec, out);
        }
        let mut labels = vec![String::new(); sentence.words.len()];
        for entity in entities(sentence) {
            for i in entity.words.clone() {
                let prefix = if i == entity.words.start { "B-" } else { "I-" };
                labels[i] = format!("{prefix}{}", entity.label);
            }
        }
        for (word, label) in sentence.words.iter().zip(&labels) {
            for (i, column) in spec.columns.iter().enumerate() {
                if i > 0 {
                    out.push(separator);
                }
                print_column(word, label, *column, i, separator, out);
            }
            out.push('\n');
        }
        out.push('\n');
    }
}

fn print_column(
    word: &Word,
    label: &str,
    column: Column,
    index: usize,
    separator: char,
    out: &mut String,
) {
    let mut kept = String::new();
    let mut unescape = |key: &str| {
        push_unescaped(word.misc.get(key).unwrap_or("_"), &mut kept);
    };
    let value = match column {
        Column::Form => word.form.as_str(),
        Column::Lemma => &word.lemma,
        Column::Upos => &word.upos,
        Column::Xpos => &word.xpos,
        Column::Feats => &word.feats,
        Column::Ner if label.is_empty() => "O",
        Column::Ner => {
            push_unescaped(label, &mut kept);
            &kept
        }
        Column::Stem => {
            unescape("Stem");
            &kept
        }
        Column::Ignored => {
            unescape(&format!("Column{}", index + 1));
            &kept
        }
    };
    if value.is_empty() && (column != Column::Ignored || separator == ' ') {
        out.push('_');
    } else if separator == ' ' && value.contains(' ') {
        out.push_str(&value.replace(' ', "_"));
    } else {
        push_clean(value, out);
    }
}

/// The comments of a columns file, `-DOCSTART-` lines as they were.
fn print_comments(sentence: &Sentence, out: &mut String) {
    let mut comments = sentence.comments.iter().peekable();
    while let Some(comment) = comments.next() {
        let is_before_start = comments.peek().is_some_and(|next| is_document_start(next));
        if is_document_start(comment) {
            push_line(&comment[2..], out);
            out.push('\n');
        } else if !(is_before_start && comment == "# newdoc") {
            push_line(comment, out);
        }
    }
}

/// Whether a comment is a `-DOCSTART-` line that was kept.
fn is_document_start(comment: &str) -> bool {
    let words = comment.strip_prefix("# ").unwrap_or_default();
    words.split([' ', '\t', '\r']).next() == Some(DOCUMENT_START)
}

fn print_document_start(spec: &ColumnSpec, out: &mut String) {
    for (i, column) in spec.columns.iter().enumerate() {
        if i > 0 {
            out.push('\t');
        }
        out.push_str(match column {
            _ if i == 0 => DOCUMENT_START,
            Column::Ner => "O",
            _ => "-X-",
        });
    }
    out.push_str("\n\n");
}

#[cfg(test)]
mod tests;
