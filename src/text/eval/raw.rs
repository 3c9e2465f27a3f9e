//! The raw text that a gold standard annotates: what a system is given when it is scored from raw text.
//!
//! Sentences are their `# text`, joined by what SpaceAfter and SpacesAfter of their last token say, with a blank line
//! before `# newpar` and `# newdoc`; every `# newdoc` begins a document. A `# text` that is not the text of the
//! tokens is rebuilt from them. Treebanks have no line breaks inside paragraphs, users' files do: hence the layouts.

use super::align::{form_of, push_without_spaces};
use crate::text::conllu::comment_value;
use crate::text::document::{Document, Opens, Sentence, Token};
use crate::text::spacing::{push_unescaped, token_misc};
use serde::Serialize;
use std::borrow::Cow;

/// Where the lines of the raw text end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// Where the gold standard says.
    Running,
    /// Before a line of a paragraph gets longer than [`COLUMNS`], as in mail and old books.
    Wrapped,
    /// Behind every sentence.
    SentenceALine,
}

/// The longest line of wrapped text, in code points.
pub const COLUMNS: usize = 72;

impl Layout {
    /// All of them.
    pub const ALL: [Layout; 3] = [Layout::Running, Layout::Wrapped, Layout::SentenceALine];

    /// What the run with this layout is called in a report.
    pub fn name(self) -> &'static str {
        match self {
            Layout::Running => "raw text",
            Layout::Wrapped => "raw text, wrapped at 72 columns",
            Layout::SentenceALine => "raw text, one sentence a line",
        }
    }
}

/// The unsegmented documents of a gold standard.
pub fn raw_documents(gold: &[Document], layout: Layout) -> Vec<Document> {
    let mut documents = Vec::new();
    for document in gold {
        let mut raw: Option<Document> = None;
        let mut gap = Cow::Borrowed("");
        for sentence in document.sentences.iter().filter(|s| !s.tokens.is_empty()) {
            if sentence.opens == Opens::Document {
                documents.extend(raw.take());
            }
            let raw = raw.get_or_insert_with(|| Document {
                id: document.id.clone(),
                text: Some(String::new()),
                opens: sentence.opens,
                ..Document::default()
            });
            let text = raw.text.get_or_insert_default();
            if !text.is_empty() {
                text.push_str(match (sentence.opens, layout) {
                    (Opens::Paragraph, _) => "\n\n",
                    (_, Layout::SentenceALine) => "\n",
                    _ => &gap,
                });
            }
            text.push_str(&text_of(document, sentence));
            gap = gap_after(document, sentence);
        }
        documents.extend(raw);
    }
    for text in documents.iter_mut().filter_map(|d| d.text.as_mut()) {
        if layout == Layout::Wrapped {
            *text = wrap(text);
        }
        if !text.is_empty() {
            text.push('\n');
        }
    }
    documents
}

fn text_of<'a>(document: &'a Document, sentence: &'a Sentence) -> Cow<'a, str> {
    if let Some(text) = located_text(document, sentence) {
        return Cow::Borrowed(text);
    }
    let mut wanted = String::new();
    for token in &sentence.tokens {
        push_without_spaces(surface(sentence, token), &mut wanted);
    }
    let comment = sentence
        .comments
        .iter()
        .find_map(|c| comment_value(c, "text"));
    let agrees = |text: &&str| {
        let mut found = String::new();
        push_without_spaces(text, &mut found);
        found == wanted
    };
    match comment.filter(agrees) {
        Some(text) => Cow::Borrowed(text),
        None => Cow::Owned(rebuilt(sentence)),
    }
}

fn located_text<'a>(document: &'a Document, sentence: &Sentence) -> Option<&'a str> {
    let (first, last) = (sentence.tokens.first()?, sentence.tokens.last()?);
    let bytes = first.span.start as usize..last.span.end as usize;
    document.text.as_ref()?.get(bytes)
}

fn rebuilt(sentence: &Sentence) -> String {
    let mut text = String::new();
    for (i, token) in sentence.tokens.iter().enumerate() {
        text.push_str(surface(sentence, token));
        if i + 1 < sentence.tokens.len() {
            text.push_str(&spaces_after(sentence, token));
        }
    }
    text
}

fn surface<'a>(sentence: &'a Sentence, token: &'a Token) -> &'a str {
    let word = || sentence.words.get(token.words.start as usize);
    match &token.form {
        Some(form) => form,
        None => word().map_or("", form_of),
    }
}

/// What stands between a sentence and the next one of its paragraph.
fn gap_after(document: &Document, sentence: &Sentence) -> Cow<'static, str> {
    let Some(token) = sentence.tokens.last() else {
        return Cow::Borrowed(" ");
    };
    if let Some(text) = &document.text {
        let rest = text.get(token.span.end as usize..).unwrap_or_default();
        let gap = rest.len() - rest.trim_start().len();
        return Cow::Owned(rest[..gap].to_owned());
    }
    spaces_after(sentence, token)
}

fn spaces_after(sentence: &Sentence, token: &Token) -> Cow<'static, str> {
    let item = |key| token_misc(sentence, token)?.get(key);
    if item("SpaceAfter") == Some("No") {
        return Cow::Borrowed("");
    }
    let Some(escaped) = item("SpacesAfter") else {
        return Cow::Borrowed(" ");
    };
    let mut spaces = String::new();
    push_unescaped(escaped, &mut spaces);
    Cow::Owned(spaces)
}

/// Fills the lines of every paragraph; a word longer than a line stands alone on it.
fn wrap(text: &str) -> String {
    let is_space = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r');
    let mut wrapped = String::with_capacity(text.len());
    for paragraph in text.split("\n\n") {
        if !wrapped.is_empty() {
            wrapped.push_str("\n\n");
        }
        let mut column = 0;
        for word in paragraph.split(is_space).filter(|w| !w.is_empty()) {
            let length = word.chars().count();
            let fits = column + 1 + length <= COLUMNS;
            match column {
                0 => {}
                _ if fits => wrapped.push(' '),
                _ => wrapped.push('\n'),
            }
            column = match column {
                0 => length,
                _ if fits => column + 1 + length,
                _ => length,
            };
            wrapped.push_str(word);
        }
    }
    wrapped
}

#[cfg(test)]
mod tests {
    use super::super::sample::document;
    use super::*;

    fn text(gold: &Document, layout: Layout) -> String {
        let raw = raw_documents(std::slice::from_ref(gold), layout);
        let texts: Vec<String> = raw.into_iter().map(|d| d.text.unwrap()).collect();
        texts.join("---\n")
    }

    fn set_misc(gold: &mut Document, sentence: usize, word: usize, item: &str) {
        gold.sentences[sentence].words[word]
            .misc
            .0
            .push(item.into());
    }

    /// Hi, you. Go on! Bye.
    fn gold() -> Document {
        let mut gold = document("Hi , you . | Go on ! | Bye .");
        set_misc(&mut gold, 0, 0, "SpaceAfter=No");
        set_misc(&mut gold, 0, 2, "SpaceAfter=No");
        gold.sentences[1]
            .comments
            .push("# text = Go on!".to_owned());
        gold.sentences[2].comments.push("# text = Bye.".to_owned());
        gold
    }

    #[test]
    fn sentences_are_joined_as_their_spacing_says() {
        let mut gold = gold();
        assert_eq!(text(&gold, Layout::Running), "Hi, you. Go on! Bye.\n");
        set_misc(&mut gold, 0, 3, "SpaceAfter=No");
        set_misc(&mut gold, 1, 2, "SpacesAfter=\\s\\n");
        assert_eq!(text(&gold, Layout::Running), "Hi, you.Go on! \nBye.\n");
    }

    #[test]
    fn paragraphs_are_parted_by_a_blank_line_and_documents_stand_alone() {
        let mut gold = gold();
        gold.sentences[0].opens = Opens::Document;
        gold.sentences[1].opens = Opens::Paragraph;
        gold.sentences[2].opens = Opens::Document;
        assert_eq!(
            text(&gold, Layout::Running),
            "Hi, you.\n\nGo on!\n---\nBye.\n"
        );
    }

    #[test]
    fn a_sentence_a_line_breaks_the_line_behind_each() {
        assert_eq!(
            text(&gold(), Layout::SentenceALine),
            "Hi, you.\nGo on!\nBye.\n"
        );
    }

    #[test]
    fn wrapped_lines_have_72_columns_at_most() {
        let gold = document(&"seven77 ".repeat(20));
        let wrapped = text(&gold, Layout::Wrapped);
        let lengths: Vec<usize> = wrapped.lines().map(str::len).collect();
        assert_eq!(lengths, [71, 71, 15], "9 · 8 − 1 = 71 columns");
    }

    #[test]
    fn a_word_longer_than_a_line_stands_alone() {
        let long = "x".repeat(80);
        let gold = document(&format!("a {long} b"));
        assert_eq!(text(&gold, Layout::Wrapped), format!("a\n{long}\nb\n"));
    }

    #[test]
    fn a_text_comment_of_another_text_is_not_believed() {
        let mut gold = document("a {don't do n't} b");
        gold.sentences[0].comments.push("# text = other".to_owned());
        assert_eq!(text(&gold, Layout::Running), "a don't b\n");
    }

    #[test]
    fn located_documents_give_their_own_text() {
        let mut gold = document("a b | c");
        gold.text = Some("  a\tb  \n c ".to_owned());
        for (sentence, token, span) in [(0, 0, 2..3), (0, 1, 4..5), (1, 0, 9..10)] {
            gold.sentences[sentence].tokens[token].span = span;
        }
        assert_eq!(text(&gold, Layout::Running), "a\tb  \n c\n");
        assert_eq!(text(&gold, Layout::SentenceALine), "a\tb\nc\n");
    }
}
