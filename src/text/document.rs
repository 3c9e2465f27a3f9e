//! The document model: what every format is parsed into, every layer works on, and every format is printed from.
//!
//! ```text
//! Document   text = "I don't."            what was read, if it is known
//!  └ Sentence
//!     ├ tokens   I      don't       .     surface tokens: byte spans of the text
//!     │          │      ┌─┴─┐       │
//!     └ words    I      do  n't     .     syntactic words: lemma, tags, head, MISC
//! ```
//!
//! A document is in one of two states. *Located* (`text` is `Some`): the spans of its tokens slice its text,
//! and spacing is read off the gaps between them. *Unlocated* (`text` is `None`: it came from CoNLL-U, columns or
//! tokens): spans are empty, and spacing stands in `misc` as `SpaceAfter=No`, `SpacesAfter=…`.
//! `Document::locate` (in `spacing`) turns the second into the first.

use compact_str::CompactString;
use std::ops::Range;

/// A document, or one window of a long one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    /// The name after `# newdoc id =`, or the `id` of a JSON object.
    pub id: Option<String>,
    /// The original text; `None` while only its tokens are known.
    pub text: Option<String>,
    /// Where the text of this window starts in the whole document.
    pub start: Offset,
    /// What the first sentence will open, for a document still to be segmented.
    pub opens: Opens,
    /// The other fields of the JSON object it came from, kept for the way out.
    pub fields: serde_json::Map<String, serde_json::Value>,
    /// What parts the columns of the `columns` file it came from: a tab or a space.
    pub separator: Option<char>,
    pub sentences: Vec<Sentence>,
}

/// A position in a document, in the three units that `--offsets` knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offset {
    /// Unicode code points.
    pub chars: u64,
    /// UTF-8 bytes.
    pub bytes: u64,
    /// UTF-16 code units.
    pub utf16: u64,
}

/// What a sentence is the first of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Opens {
    /// Nothing: it continues its paragraph.
    #[default]
    Nothing,
    /// `# newpar`
    Paragraph,
    /// `# newdoc`, and so a paragraph too.
    Document,
}

/// A sentence: surface tokens over syntactic words.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sentence {
    pub opens: Opens,
    /// Comment lines without their line end, each starting with `#`, in order. In an unlocated document all of them,
    /// as read; in a located one those that the printer does not make itself (newdoc, newpar, sent_id, text).
    pub comments: Vec<String>,
    /// The value of `# sent_id`, if it was given; the printer numbers the others.
    pub id: Option<CompactString>,
    /// In order; together they cover `words` exactly.
    pub tokens: Vec<Token>,
    pub words: Vec<Word>,
    /// Empty nodes of the enhanced dependencies, in order.
    pub empty_nodes: Vec<EmptyNode>,
}

/// A surface token: one word, or a multi-word token such as `don't`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Token {
    /// Bytes of [`Document::text`]; empty when the document is not located.
    pub span: Range<u32>,
    /// Indices into [`Sentence::words`].
    pub words: Range<u32>,
    /// The form of a multi-word token's range line; a token of one word has that word's form.
    pub form: Option<CompactString>,
    /// FEATS of a range line (`Typo=Yes` is the only use Universal Dependencies has for it).
    pub feats: CompactString,
    /// MISC of the range line; a token of one word keeps it in the word.
    pub misc: Misc,
}

/// A syntactic word. An empty string is a column that holds `_`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Word {
    pub form: CompactString,
    pub lemma: CompactString,
    pub upos: CompactString,
    pub xpos: CompactString,
    pub feats: CompactString,
    pub head: Option<u32>,
    pub deprel: CompactString,
    pub deps: CompactString,
    /// Layers without a column of their own stand here: `NER=B-PER`, `Stem=…`, `Value=…`, `Score=…`.
    pub misc: Misc,
}

/// An empty node `8.1`: kept and printed, not annotated.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EmptyNode {
    /// The word it follows: 0 before the first.
    pub after: u32,
    /// The number behind the point, from 1.
    pub number: u32,
    /// Columns 2 to 10 as read, joined by tabs.
    pub columns: String,
}

/// The items of a MISC column, in order: `Key=Value`, or a bare word.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Misc(pub Vec<CompactString>);

impl Misc {
    /// The value of `key`, if it is there.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0
            .iter()
            .find_map(|item| item.strip_prefix(key)?.strip_prefix('='))
    }

    /// Sets `key` to `value`, in its old place or at the end.
    pub fn set(&mut self, key: &str, value: &str) {
        let item = compact_str::format_compact!("{key}={value}");
        match self.position(key) {
            Some(i) => self.0[i] = item,
            None => self.0.push(item),
        }
    }

    /// Takes `key` out; its value, if it was there.
    pub fn remove(&mut self, key: &str) -> Option<CompactString> {
        let item = self.0.remove(self.position(key)?);
        Some(CompactString::from(&item[key.len() + 1..]))
    }

    fn position(&self, key: &str) -> Option<usize> {
        self.0.iter().position(|item| {
            item.strip_prefix(key)
                .is_some_and(|rest| rest.starts_with('='))
        })
    }
}

impl Sentence {
    /// The form of a surface token.
    pub fn surface<'a>(&'a self, token: &'a Token) -> &'a str {
        match &token.form {
            Some(form) => form,
            None => &self.words[token.words.start as usize].form,
        }
    }

    /// Whether a token stands for several words.
    pub fn is_multiword(token: &Token) -> bool {
        token.form.is_some()
    }
}

impl Word {
    /// A word of which only the form is known.
    pub fn of(form: &str) -> Word {
        Word {
            form: form.into(),
            ..Word::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misc_keeps_the_order_of_its_items() {
        let mut misc = Misc(vec!["Typo=Yes".into(), "bare".into(), "NER=O".into()]);
        misc.set("NER", "B-PER");
        misc.set("Typo", "No");
        assert_eq!(misc.0, ["Typo=No", "bare", "NER=B-PER"]);
        assert_eq!(misc.get("bare"), None);
        assert_eq!(misc.remove("Typo").as_deref(), Some("No"));
        assert_eq!(misc.get("NER"), Some("B-PER"));
    }
}
