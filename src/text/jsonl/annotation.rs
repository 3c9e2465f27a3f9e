//! The annotation of a JSON object: `sentences`, `entities` and the unit they count, checked against the text.

use super::labels;
use crate::text::conllu::{parse_misc, take_comment};
use crate::text::document::{Document, EmptyNode, Opens, Sentence, Token, Word};
use crate::text::format::OffsetUnit;
use crate::text::offsets::Cursor;
use crate::text::spacing::{drop_made_comments, is_spacing};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// The part of an object that [`super::print`] makes.
#[derive(Default)]
pub struct Annotation<'a> {
    sentences: Vec<SentenceObject<'a>>,
    entities: Vec<EntityObject>,
    unit: OffsetUnit,
    start: u64,
}

#[derive(Deserialize)]
pub struct SentenceObject<'a> {
    id: Option<String>,
    opens: Option<OpensName>,
    #[serde(default)]
    comments: Vec<String>,
    #[serde(borrow)]
    tokens: Vec<TokenObject<'a>>,
    #[serde(default)]
    empty_nodes: Vec<EmptyNodeObject>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum OpensName {
    Nothing,
    Paragraph,
    Document,
}

/// No `text` is the same as an empty one: there are no empty tokens.
#[derive(Deserialize)]
struct TokenObject<'a> {
    #[serde(default, borrow)]
    text: Cow<'a, str>,
    start: u64,
    end: u64,
    form: Option<String>,
    #[serde(default)]
    feats: String,
    #[serde(default)]
    misc: String,
    #[serde(default, borrow)]
    words: Vec<WordObject<'a>>,
}

/// A word without a form has the text of its token.
#[derive(Default, Deserialize)]
#[serde(default)]
struct WordObject<'a> {
    #[serde(borrow)]
    form: Cow<'a, str>,
    #[serde(borrow)]
    lemma: Cow<'a, str>,
    #[serde(borrow)]
    upos: Cow<'a, str>,
    #[serde(borrow)]
    xpos: Cow<'a, str>,
    #[serde(borrow)]
    feats: Cow<'a, str>,
    stem: Option<String>,
    head: Option<u32>,
    #[serde(borrow)]
    deprel: Cow<'a, str>,
    #[serde(borrow)]
    deps: Cow<'a, str>,
    #[serde(borrow)]
    misc: Cow<'a, str>,
}

#[derive(Deserialize)]
struct EmptyNodeObject {
    after: u32,
    number: u32,
    columns: String,
}

#[derive(Deserialize)]
struct EntityObject {
    start: u64,
    end: u64,
    label: String,
    value: Option<String>,
    score: Option<Value>,
}

impl<'a> Annotation<'a> {
    /// Takes what belongs to the sentences out of their object.
    ///
    /// # Errors
    /// A field has the wrong type.
    pub fn take(
        sentences: Vec<SentenceObject<'a>>,
        object: &mut Map<String, Value>,
    ) -> Result<Annotation<'a>, String> {
        let mut annotation = Annotation {
            sentences,
            ..Annotation::default()
        };
        if let Some(entities) = object.shift_remove("entities") {
            annotation.entities = serde_json::from_value(entities)
                .map_err(|e| format!("the field \"entities\": {e}"))?;
        }
        if let Some(offset) = object.shift_remove("offset") {
            annotation.start =
                serde_json::from_value(offset).map_err(|e| format!("the field \"offset\": {e}"))?;
        }
        annotation.unit = match object.shift_remove("offsets") {
            None => OffsetUnit::Chars,
            Some(Value::String(unit)) if unit == "chars" => OffsetUnit::Chars,
            Some(Value::String(unit)) if unit == "bytes" => OffsetUnit::Bytes,
            Some(Value::String(unit)) if unit == "utf16" => OffsetUnit::Utf16,
            Some(other) => {
                return Err(format!(
                    "the field \"offsets\" holds {other}: expected \"chars\", \"bytes\" or \"utf16\""
                ));
            }
        };
        Ok(annotation)
    }

    /// Adds the annotation to the document of this text.
    ///
    /// # Errors
    /// A span does not slice the text, or tokens and entities do not fit each other.
    pub fn apply(self, text: &str, document: &mut Document) -> Result<(), String> {
        match self.unit {
            OffsetUnit::Chars => document.start.chars = self.start,
            OffsetUnit::Bytes => document.start.bytes = self.start,
            OffsetUnit::Utf16 => document.start.utf16 = self.start,
        }
        let mut cursor = Cursor::new(text, self.unit);
        let mut end = 0;
        for (i, object) in self.sentences.into_iter().enumerate() {
            let mut sentence = object
                .read(i == 0, text, &mut cursor, &mut end)
                .map_err(|problem| format!("sentence {}: {problem}", i + 1))?;
            drop_made_comments(document.id.as_deref(), &mut sentence);
            document.sentences.push(sentence);
        }
        for (i, entity) in self.entities.iter().enumerate() {
            entity
                .apply(text, &mut cursor, &mut document.sentences)
                .map_err(|problem| format!("entity {}: {problem}", i + 1))?;
        }
        Ok(())
    }
}

impl SentenceObject<'_> {
    /// `end` is where the token before it ended.
    fn read(
        self,
        is_first: bool,
        text: &str,
        cursor: &mut Cursor,
        end: &mut usize,
    ) -> Result<Sentence, String> {
        let opens = match self.opens {
            Some(OpensName::Nothing) => Opens::Nothing,
            Some(OpensName::Paragraph) => Opens::Paragraph,
            Some(OpensName::Document) => Opens::Document,
            None if is_first => Opens::Document,
            None => Opens::Nothing,
        };
        // As it would be read from a comment.
        let id = self
            .id
            .as_deref()
            .map(str::trim)
            .filter(|id| !id.is_empty());
        let mut sentence = Sentence {
            opens,
            id: id.map(Into::into),
            ..Sentence::default()
        };
        for comment in self.comments {
            if !comment.starts_with('#') || comment.contains(['\n', '\r']) {
                return Err(format!(
                    "{comment:?} is not a comment line that starts with #"
                ));
            }
            // What it says of the sentence counts, as in CoNLL-U; the name of the document is that of the object.
            take_comment(&comment, &mut sentence, &mut Some(String::new()));
        }
        for (i, token) in self.tokens.into_iter().enumerate() {
            let span = slice(text, token.start, token.end, cursor)
                .map_err(|problem| format!("token {}: {problem}", i + 1))?;
            if span.start < *end {
                return Err(format!(
                    "token {} starts before the end of the one before it",
                    i + 1
                ));
            }
            *end = span.end;
            let piece = &text[span.clone()];
            if !token.text.is_empty() && token.text != piece {
                let (start, end) = (token.start, token.end);
                return Err(format!(
                    "token {}: {start} to {end} is {piece:?} in the text, not {:?}",
                    i + 1,
                    token.text
                ));
            }
            token.read(piece, span, &mut sentence);
        }
        for node in self.empty_nodes {
            let is_in_order = match sentence.empty_nodes.last() {
                Some(last) if last.after == node.after => node.number == last.number + 1,
                Some(last) => last.after < node.after && node.number == 1,
                None => node.number == 1,
            };
            let is_line = node.columns.split('\t').count() == 9
                && !node.columns.contains(['\n', '\r'])
                && !node.columns.starts_with('\t');
            if !is_in_order || !is_line || node.after as usize > sentence.words.len() {
                return Err(format!(
                    "the empty node {}.{} is broken",
                    node.after, node.number
                ));
            }
            sentence.empty_nodes.push(EmptyNode {
                after: node.after,
                number: node.number,
                columns: node.columns,
            });
        }
        Ok(sentence)
    }
}

/// The bytes between two offsets.
fn slice(
    text: &str,
    start: u64,
    end: u64,
    cursor: &mut Cursor,
) -> Result<std::ops::Range<usize>, String> {
    match (cursor.byte_at(start), cursor.byte_at(end)) {
        (Some(start), Some(end)) if start < end && end <= text.len() => Ok(start..end),
        _ => Err(format!("{start} to {end} is no span of the text")),
    }
}

impl TokenObject<'_> {
    fn read(self, piece: &str, span: std::ops::Range<usize>, sentence: &mut Sentence) {
        let first = sentence.words.len() as u32;
        let is_multiword = self.words.len() > 1 || self.form.is_some();
        if self.words.is_empty() {
            sentence
                .words
                .push(Word::of(self.form.as_deref().unwrap_or(piece)));
        }
        for word in self.words {
            let mut misc = parse_misc(&word.misc);
            if let Some(stem) = &word.stem
                && misc.get("Stem").is_none()
            {
                misc.set("Stem", &in_misc(stem));
            }
            sentence.words.push(Word {
                form: if word.form.is_empty() {
                    piece.into()
                } else {
                    (&*word.form).into()
                },
                lemma: (&*word.lemma).into(),
                upos: (&*word.upos).into(),
                xpos: (&*word.xpos).into(),
                feats: (&*word.feats).into(),
                head: word.head,
                deprel: (&*word.deprel).into(),
                deps: (&*word.deps).into(),
                misc,
            });
        }
        sentence.tokens.push(Token {
            span: span.start as u32..span.end as u32,
            words: first..sentence.words.len() as u32,
            form: is_multiword.then(|| self.form.as_deref().unwrap_or(piece).into()),
            feats: self.feats.into(),
            misc: parse_misc(&self.misc),
        });
        // The spans say it, whatever was said beside them.
        if let Some(token) = sentence.tokens.last_mut() {
            let misc = match token.form {
                Some(_) => &mut token.misc,
                None => &mut sentence.words[first as usize].misc,
            };
            misc.0.retain(|item| !is_spacing(item));
        }
    }
}

impl EntityObject {
    fn apply(
        &self,
        text: &str,
        cursor: &mut Cursor,
        sentences: &mut [Sentence],
    ) -> Result<(), String> {
        let span = slice(text, self.start, self.end, cursor)?;
        let end_of = |s: &Sentence| s.tokens.last().map_or(0, |t| t.span.end as usize);
        // Sentences without tokens stand nowhere and are stepped over.
        let sentence = sentences.iter_mut().find(|s| end_of(s) > span.start);
        let problem = || {
            let (start, end) = (self.start, self.end);
            format!("{start} to {end} are no whole tokens of one sentence")
        };
        let sentence = sentence.ok_or_else(problem)?;
        let tokens = &sentence.tokens;
        let first = tokens.iter().find(|t| t.span.start as usize == span.start);
        let last = tokens.iter().find(|t| t.span.end as usize == span.end);
        let (Some(first), Some(last)) = (first, last) else {
            return Err(problem());
        };
        let words = first.words.start as usize..last.words.end as usize;
        let start = words.start;
        let value = self.value.as_deref().map(in_misc);
        let label = in_misc(&self.label);
        if !labels::say(&mut sentence.words, words, &label, value.as_deref()) {
            return Ok(());
        }
        let misc = &mut sentence.words[start].misc;
        let score = match &self.score {
            None | Some(Value::Null) => return Ok(()),
            Some(Value::String(score)) => score.clone(),
            Some(score) => score.to_string(),
        };
        if misc.get("Score").is_none() {
            misc.set("Score", &in_misc(&score));
        }
        Ok(())
    }
}

/// A value that is to stand in MISC, where a bar would end it.
fn in_misc(value: &str) -> String {
    value.replace('|', "\\p")
}
