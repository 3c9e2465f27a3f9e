//! Documents as they are read: in batches, each read whole by one worker.

use super::analyzer::{Analyzer, Layer, Workspace};
use crate::text::boundary;
use crate::text::conllu;
use crate::text::document::Word;
use crate::text::format::FormatError;
use crate::text::jsonl;
use crate::text::units::Unit;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use std::borrow::Cow;
use std::fmt::Formatter;
use std::sync::Arc;

/// Documents that stand one after the other in the input.
#[derive(Debug)]
pub struct Batch {
    /// The file they come from, for messages.
    pub file: Arc<str>,
    /// The number of its first document, from 0, through all files.
    pub first: u64,
    pub source: Source,
}

/// How documents are cut.
#[derive(Debug)]
pub enum Source {
    /// A line is a document.
    Lines(Unit),
    /// A JSON object on a line is a document; blank lines are none.
    Jsonl(Unit),
    /// Whole documents of CoNLL-U.
    Conllu(Unit),
    /// Texts that were cut already.
    Texts(Vec<Text>),
}

/// A document that was cut out of its input already.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Text {
    pub id: Option<String>,
    pub label: Option<String>,
    pub text: String,
}

/// The fields of a JSON object that matter.
#[derive(Clone, Debug)]
pub struct Fields {
    pub text: String,
    pub id: String,
    pub label: Option<String>,
}

/// A document whose terms are wanted.
pub struct Document<'a> {
    pub id: Option<Cow<'a, str>>,
    pub label: Option<Cow<'a, str>>,
    pub content: Content<'a>,
}

/// What a document's terms are made of.
pub enum Content<'a> {
    Text(Cow<'a, str>),
    /// Words that are known already, each on its own.
    Words(Vec<Word>),
}

impl Batch {
    /// The number of its documents.
    pub fn count(&self) -> u64 {
        match &self.source {
            Source::Lines(unit) => {
                let bytes = unit.text.as_bytes();
                let open = !bytes.is_empty() && !bytes.ends_with(b"\n");
                memchr::memchr_iter(b'\n', bytes).count() as u64 + u64::from(open)
            }
            Source::Jsonl(unit) => {
                let lines = unit.text.as_bytes().split(|&byte| byte == b'\n');
                let objects = lines.filter(|line| !line.trim_ascii().is_empty());
                objects.count() as u64
            }
            Source::Conllu(unit) => boundary::documents(&unit.text).count() as u64,
            Source::Texts(texts) => texts.len() as u64,
        }
    }

    /// Calls `each` with every document, in order.
    ///
    /// # Errors
    /// A line that does not follow its format, or the first of `each`.
    pub fn documents<E: From<FormatError>>(
        &self,
        fields: &Fields,
        mut each: impl FnMut(Document) -> Result<(), E>,
    ) -> Result<(), E> {
        match &self.source {
            Source::Lines(unit) => unit.text.split_inclusive('\n').try_for_each(|line| {
                let line = line.strip_suffix('\n').unwrap_or(line);
                each(Document {
                    id: None,
                    label: None,
                    content: Content::Text(line.strip_suffix('\r').unwrap_or(line).into()),
                })
            }),
            Source::Jsonl(unit) => {
                let lines = unit.text.split('\n').enumerate();
                let mut objects = lines.filter(|(_, line)| !line.trim_ascii().is_empty());
                objects.try_for_each(|(i, line)| {
                    let number = unit.line + i as u64 * unit.line_step;
                    each(json_document(line, number, fields)?)
                })
            }
            Source::Conllu(unit) => {
                boundary::documents(&unit.text).try_for_each(|(lines, text)| {
                    let document = conllu::parse(text, unit.line + lines)?;
                    let sentences = document.sentences.into_iter();
                    each(Document {
                        id: document.id.map(Cow::Owned),
                        label: None,
                        content: Content::Words(sentences.flat_map(|s| s.words).collect()),
                    })
                })
            }
            Source::Texts(texts) => texts.iter().try_for_each(|text| {
                each(Document {
                    id: text.id.as_deref().map(Cow::Borrowed),
                    label: text.label.as_deref().map(Cow::Borrowed),
                    content: Content::Text(text.text.as_str().into()),
                })
            }),
        }
    }
}

impl Content<'_> {
    /// The first words, as many as `most` characters hold, one space between them; of a word that is longer, its beginning.
    pub fn snippet(&self, most: usize) -> String {
        match self {
            Content::Text(text) => first_words(text.split_whitespace(), most),
            Content::Words(words) => first_words(words.iter().map(|word| &*word.form), most),
        }
    }

    /// Calls `term` with every term.
    pub fn terms(&self, analyzer: &Analyzer, work: &mut Workspace, term: impl FnMut(&[u8])) {
        let options = analyzer.options();
        match self {
            Content::Text(text) => analyzer.text(text, work, term),
            Content::Words(words) => {
                let stays = |word: &&Word| {
                    options.pos.is_empty() || options.pos.contains(word.upos.as_str())
                };
                let shown = words.iter().filter(stays).map(|word| match options.layer {
                    Layer::Lemma if !word.lemma.is_empty() => word.lemma.as_str(),
                    Layer::Stem => word.misc.get("Stem").unwrap_or(&word.form),
                    _ => word.form.as_str(),
                });
                analyzer.tokens(shown, work, term);
            }
        }
    }
}

fn first_words<'a>(words: impl Iterator<Item = &'a str>, most: usize) -> String {
    let mut out = String::new();
    let mut length = 0;
    for word in words {
        // A word of a gigabyte is not looked at to its end.
        let characters = word.chars().take(most + 1).count();
        if out.is_empty() {
            out.extend(word.chars().take(most));
        } else if length + 1 + characters <= most {
            out.push(' ');
            out.push_str(word);
            length += 1;
        } else {
            break;
        }
        length += characters;
    }
    out
}

fn json_document<'a>(
    line: &'a str,
    number: u64,
    fields: &Fields,
) -> Result<Document<'a>, FormatError> {
    let mut input = serde_json::Deserializer::from_str(line);
    let found = FieldsSeed(fields).deserialize(&mut input);
    match found.and_then(|found| input.end().map(|()| found)) {
        Ok(Found {
            text: Some(text),
            id,
            label,
        }) => Ok(Document {
            id,
            label,
            content: Content::Text(text),
        }),
        // What is wrong is said by the reader that looks at everything.
        Err(_) | Ok(Found { text: None, .. }) => {
            Err(match jsonl::parse(line, number, &fields.text) {
                Err(error) => error,
                Ok(_) => FormatError::new(number, "the id or label is no string or number"),
            })
        }
    }
}

#[derive(Default)]
struct Found<'a> {
    text: Option<Cow<'a, str>>,
    id: Option<Cow<'a, str>>,
    label: Option<Cow<'a, str>>,
}

/// Reads the fields that matter and skips the others.
struct FieldsSeed<'f>(&'f Fields);

impl<'de> DeserializeSeed<'de> for FieldsSeed<'_> {
    type Value = Found<'de>;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Found<'de>, D::Error> {
        input.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for FieldsSeed<'_> {
    type Value = Found<'de>;

    fn expecting(&self, f: &mut Formatter) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Found<'de>, A::Error> {
        let mut found = Found::default();
        while let Some(Slice(key)) = map.next_key()? {
            if key == self.0.text {
                found.text = Some(map.next_value::<Slice>()?.0);
            } else if key == self.0.id {
                found.id = scalar(map.next_value()?)?;
            } else if self.0.label.as_deref() == Some(&*key) {
                found.label = scalar(map.next_value()?)?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// A string that is copied only where it has escapes.
#[derive(Deserialize)]
struct Slice<'a>(#[serde(borrow)] Cow<'a, str>);

/// A string, number or boolean as text; null is nothing.
fn scalar<'a, E: Error>(value: Value) -> Result<Option<Cow<'a, str>>, E> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.into())),
        Value::Number(_) | Value::Bool(_) => Ok(Some(value.to_string().into())),
        _ => Err(E::custom("expected a string or a number")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields() -> Fields {
        Fields {
            text: "text".to_owned(),
            id: "id".to_owned(),
            label: Some("group".to_owned()),
        }
    }

    /// id, label and text of the documents of a batch, whose count must agree.
    fn read(source: Source) -> Result<Vec<(String, String, String)>, FormatError> {
        let batch = Batch {
            file: "-".into(),
            first: 0,
            source,
        };
        let mut found = Vec::new();
        batch.documents(&fields(), |document| {
            let text = match document.content {
                Content::Text(text) => text.into_owned(),
                Content::Words(words) => {
                    let forms: Vec<_> = words.iter().map(|word| word.form.as_str()).collect();
                    forms.join(" ")
                }
            };
            let name = |name: Option<Cow<str>>| name.unwrap_or_default().into_owned();
            found.push((name(document.id), name(document.label), text));
            Ok::<(), FormatError>(())
        })?;
        assert_eq!(batch.count(), found.len() as u64);
        Ok(found)
    }

    fn unit(text: &str) -> Unit {
        Unit {
            text: text.to_owned(),
            line: 5,
            line_step: 1,
            ..Unit::default()
        }
    }

    #[test]
    fn blank_lines_are_documents_too() {
        let texts = |text| {
            let found = read(Source::Lines(unit(text))).unwrap();
            found.into_iter().map(|found| found.2).collect::<Vec<_>>()
        };
        assert_eq!(texts("a b\r\n\nc\n"), ["a b", "", "c"]);
        assert_eq!(texts("a\nb"), ["a", "b"]);
        assert!(texts("").is_empty());
    }

    #[test]
    fn objects_give_text_id_and_label() {
        let text =
            "{\"id\":7,\"x\":[1,{}],\"text\":\"a\\n\\u00e9\",\"group\":\"g\"}\n\n{\"text\":\"\"}\n";
        let found = read(Source::Jsonl(unit(text))).unwrap();
        let of = |id: &str, label: &str, text: &str| (id.into(), label.into(), text.into());
        assert_eq!(found, [of("7", "g", "a\né"), of("", "", "")]);
    }

    #[test]
    fn an_object_without_text_is_named_by_its_line() {
        let error = |text| read(Source::Jsonl(unit(text))).unwrap_err();
        let missing = error("{\"text\":\"\"}\n{\"body\":\"a\"}\n");
        assert_eq!(
            (missing.line, &*missing.problem),
            (6, "no field \"text\" in the object")
        );
        assert_eq!(error("{\"text\":1}").line, 5);
        assert_eq!(
            error("{\"text\":\"a\",\"id\":[]}").problem,
            "the id or label is no string or number"
        );
        assert!(error("{\"text\":\"a\"} x").problem.contains("trailing"));
    }

    proptest::proptest! {
        /// [`read`] compares both.
        #[test]
        fn a_batch_has_as_many_documents_as_it_says(text in "[a#\\-\n\r\t ]{0,40}") {
            let _ = read(Source::Lines(unit(&text)));
            let objects = text.replace('a', "{\"text\":\"\"}");
            let _ = read(Source::Jsonl(unit(&objects)));
            let conllu = text.replace('#', "# newdoc\n");
            let conllu = conllu.replace('a', "1\ta\t_\t_\t_\t_\t_\t_\t_\t_\n");
            let _ = read(Source::Conllu(unit(&conllu)));
        }
    }

    #[test]
    fn snippets_end_with_a_word() {
        let of = |text: &str| Content::Text(text.to_owned().into()).snippet(6);
        assert_eq!(of("  ab\t\tcd\ne"), "ab cd");
        assert_eq!(of("ab cde f"), "ab cde");
        assert_eq!(of("äöüäöüß x"), "äöüäöü");
        assert_eq!(of(" \n"), "");
    }

    #[test]
    fn conllu_gives_words() {
        let row = |form: &str| format!("1\t{form}\t_\t_\t_\t_\t_\t_\t_\t_\n\n");
        let text = format!(
            "# newdoc id = a\n{}{}# newdoc\n{}",
            row("x"),
            row("y"),
            row("z")
        );
        let found = read(Source::Conllu(unit(&text))).unwrap();
        assert_eq!((&*found[0].0, &*found[0].2), ("a", "x y"));
        assert_eq!((&*found[1].0, &*found[1].2), ("", "z"));
    }
}
