//! Sentences and their translations, as they are read.
//!
//! ```text
//! two files    line N of one is the translation of line N of the other
//! columns      source TAB target                           further columns are left alone, or others are chosen
//! JSON Lines   {"source": "A cat.", "target": "Eine Katze."}
//!              {"translation": {"en": "A cat.", "de": "Eine Katze."}}          with the keys en and de
//! ```
//!
//! In a single file a blank line is no pair; in columns, a tab alone is one whose sides are empty.

use super::lines::Lines;
use crate::text::format::FormatError;
use crate::text::jsonl;
use serde_json::{Map, Value};
use std::io::BufRead;
use std::sync::Arc;

/// A sentence and its translation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pair {
    pub source: String,
    pub target: String,
}

/// Why there is no next pair.
#[derive(Debug, thiserror::Error)]
pub enum PairError {
    #[error("{file}: {error}")]
    Io {
        file: Arc<str>,
        error: std::io::Error,
    },
    /// A byte that does not belong there, counted from 0 through the file.
    #[error("{file}:{line}: invalid UTF-8 at byte {at}")]
    InvalidUtf8 { file: Arc<str>, line: u64, at: u64 },
    /// A line that does not follow its format.
    #[error("{file}:{}: {error}", error.line)]
    Format { file: Arc<str>, error: FormatError },
    /// Two files that cannot be translations of each other, line by line.
    #[error("{longer} has {longer_lines} line{}, but {shorter} has {shorter_lines}", plural(*longer_lines))]
    Unequal {
        longer: Arc<str>,
        longer_lines: u64,
        shorter: Arc<str>,
        shorter_lines: u64,
    },
}

fn plural(number: u64) -> &'static str {
    if number == 1 { "" } else { "s" }
}

/// How a file holds both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    Columns,
    JsonLines,
}

/// Where the sides stand in a line.
#[derive(Clone, Debug)]
pub struct Places {
    /// Columns of source and target, counted from 0.
    pub columns: (usize, usize),
    /// Keys of source and target, in the object or in the object under its key `translation`.
    pub keys: (String, String),
}

impl Default for Places {
    fn default() -> Places {
        Places {
            columns: (0, 1),
            keys: ("source".to_owned(), "target".to_owned()),
        }
    }
}

/// Pairs, one after the other; an error is the last.
pub struct Pairs<R> {
    input: Input<R>,
    is_over: bool,
}

enum Input<R> {
    Aligned {
        source: Lines<R>,
        target: Lines<R>,
    },
    Single {
        lines: Lines<R>,
        layout: Option<Layout>,
        places: Places,
    },
}

impl<R: BufRead> Pairs<R> {
    /// Pairs of two files, each with its name.
    pub fn aligned(source: (&str, R), target: (&str, R)) -> Pairs<R> {
        Pairs::of(Input::Aligned {
            source: Lines::new(source.0, source.1),
            target: Lines::new(target.0, target.1),
        })
    }

    /// Pairs of one file; without a layout, it is JSON Lines when the first line that is not blank is an object.
    pub fn single(name: &str, input: R, layout: Option<Layout>, places: Places) -> Pairs<R> {
        Pairs::of(Input::Single {
            lines: Lines::new(name, input),
            layout,
            places,
        })
    }

    fn of(input: Input<R>) -> Pairs<R> {
        Pairs {
            input,
            is_over: false,
        }
    }
}

impl<R: BufRead> Iterator for Pairs<R> {
    type Item = Result<Pair, PairError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let next = match &mut self.input {
            Input::Aligned { source, target } => next_of_two(source, target),
            Input::Single {
                lines,
                layout,
                places,
            } => next_of_one(lines, layout, places),
        };
        self.is_over = !matches!(next, Ok(Some(_)));
        next.transpose()
    }
}

fn next_of_two<R: BufRead>(
    source: &mut Lines<R>,
    target: &mut Lines<R>,
) -> Result<Option<Pair>, PairError> {
    match (source.advance()?, target.advance()?) {
        (true, true) => Ok(Some(Pair {
            source: source.text()?.to_owned(),
            target: target.text()?.to_owned(),
        })),
        (false, false) => Ok(None),
        (true, false) => Err(unequal(source, target)?),
        (false, true) => Err(unequal(target, source)?),
    }
}

/// The error that names the lines of both, of which the longer is read to its end.
fn unequal<R: BufRead>(longer: &mut Lines<R>, shorter: &Lines<R>) -> Result<PairError, PairError> {
    while longer.advance()? {}
    Ok(PairError::Unequal {
        longer: Arc::clone(longer.name()),
        longer_lines: longer.count(),
        shorter: Arc::clone(shorter.name()),
        shorter_lines: shorter.count(),
    })
}

fn next_of_one<R: BufRead>(
    lines: &mut Lines<R>,
    layout: &mut Option<Layout>,
    places: &Places,
) -> Result<Option<Pair>, PairError> {
    while lines.advance()? {
        let line = lines.text()?;
        let can_be_pair = *layout != Some(Layout::JsonLines) && line.contains('\t');
        if line.trim_ascii().is_empty() && !can_be_pair {
            continue;
        }
        let pair = match *layout.get_or_insert_with(|| layout_of(line)) {
            Layout::JsonLines => of_object(line, lines.count(), &places.keys),
            Layout::Columns => of_columns(line, lines.count(), places.columns),
        };
        return pair.map(Some).map_err(|error| lines.error(error));
    }
    Ok(None)
}

fn layout_of(line: &str) -> Layout {
    // A sentence may begin with a brace; a broken object without a tab is no pair of columns either.
    let looks = line.trim_ascii_start().starts_with('{');
    match looks && (!line.contains('\t') || serde_json::from_str::<Value>(line).is_ok()) {
        true => Layout::JsonLines,
        false => Layout::Columns,
    }
}

fn of_columns(line: &str, number: u64, columns: (usize, usize)) -> Result<Pair, FormatError> {
    let text = |column: usize| line.split('\t').nth(column).map(str::to_owned);
    match (text(columns.0), text(columns.1)) {
        (Some(source), Some(target)) => Ok(Pair { source, target }),
        _ => {
            let found = 1 + memchr::memchr_iter(b'\t', line.as_bytes()).count();
            let wanted = 1 + columns.0.max(columns.1);
            let plural = plural(wanted as u64);
            let problem = format!("expected {wanted} column{plural}, found {found}");
            Err(FormatError::new(number, problem)
                .hint("a tab parts the sentence from its translation"))
        }
    }
}

fn of_object(line: &str, number: u64, keys: &(String, String)) -> Result<Pair, FormatError> {
    let value: Value = serde_json::from_str(line).map_err(|e| jsonl::json_error(&e, number))?;
    let mut object = match value {
        Value::Object(object) => object,
        other => {
            let problem = format!("expected an object, found {}", jsonl::kind(&other));
            return Err(FormatError::new(number, problem));
        }
    };
    let source = take_text(&mut object, &keys.0, number)?;
    let target = take_text(&mut object, &keys.1, number)?;
    Ok(Pair { source, target })
}

fn take_text(
    object: &mut Map<String, Value>,
    key: &str,
    number: u64,
) -> Result<String, FormatError> {
    let found = match object.get_mut(key) {
        Some(value) => Some(value.take()),
        None => match object.get_mut("translation") {
            Some(Value::Object(inner)) => inner.get_mut(key).map(Value::take),
            _ => None,
        },
    };
    match found {
        Some(Value::String(text)) => Ok(text),
        Some(other) => {
            let kind = jsonl::kind(&other);
            let problem = format!("the field \"{key}\" holds {kind}, not a string");
            Err(FormatError::new(number, problem))
        }
        None => Err(
            FormatError::new(number, format!("no field \"{key}\" in the object"))
                .hint(format!("this object has {}", names(object))),
        ),
    }
}

/// The keys of an object, those under `translation` behind a dot.
fn names(object: &Map<String, Value>) -> String {
    let mut names = Vec::new();
    for (key, value) in object {
        match value {
            Value::Object(inner) if key == "translation" => {
                names.extend(inner.keys().map(|inner| format!("{key}.{inner}")));
            }
            _ => names.push(key.clone()),
        }
    }
    names.truncate(8);
    match names.is_empty() {
        true => "no fields".to_owned(),
        false => names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Found = (Vec<(String, String)>, Option<String>);

    /// The pairs, and the message of what ended them.
    fn collect<R: BufRead>(pairs: Pairs<R>) -> Found {
        let (mut found, mut message) = (Vec::new(), None);
        for pair in pairs {
            assert!(message.is_none(), "nothing follows an error");
            match pair {
                Ok(pair) => found.push((pair.source, pair.target)),
                Err(error) => message = Some(error.to_string()),
            }
        }
        (found, message)
    }

    fn aligned(source: &str, target: &str) -> Found {
        let sides = (("a.en", source.as_bytes()), ("a.de", target.as_bytes()));
        collect(Pairs::aligned(sides.0, sides.1))
    }

    fn single(text: &str, layout: Option<Layout>, places: Places) -> Found {
        collect(Pairs::single("a", text.as_bytes(), layout, places))
    }

    fn keyed(source: &str, target: &str) -> Places {
        Places {
            keys: (source.to_owned(), target.to_owned()),
            ..Places::default()
        }
    }

    fn pair(source: &str, target: &str) -> (String, String) {
        (source.to_owned(), target.to_owned())
    }

    #[test]
    fn lines_of_two_files_go_together_whatever_ends_them() {
        let expected = vec![pair("a", "x"), pair("", "y"), pair("c", "z")];
        assert_eq!(aligned("a\n\nc\n", "\u{feff}x\r\ny\r\nz"), (expected, None));
    }

    #[test]
    fn files_of_different_length_are_named_with_both_lengths() {
        let message = "a.en has 4 lines, but a.de has 1";
        assert_eq!(
            aligned("a\nb\nc\nd", "x\n"),
            (vec![pair("a", "x")], Some(message.to_owned()))
        );
        let message = "a.de has 1 line, but a.en has 0";
        assert_eq!(aligned("", "x"), (vec![], Some(message.to_owned())));
    }

    #[test]
    fn bad_bytes_are_named_in_the_file_they_stand_in() {
        let pairs = Pairs::aligned(("a.en", &b"a\nb\n"[..]), ("a.de", &b"x\n\xC3\n"[..]));
        let (found, message) = collect(pairs);
        assert_eq!(found.len(), 1);
        assert_eq!(message.unwrap(), "a.de:2: invalid UTF-8 at byte 2");
    }

    #[test]
    fn columns_behind_the_second_are_left_alone() {
        let found = single("\na\tx\tCC-BY\n\t\n\n\ty\n", None, Places::default());
        let expected = vec![pair("a", "x"), pair("", ""), pair("", "y")];
        assert_eq!(found, (expected, None));
    }

    #[test]
    fn other_columns_can_be_chosen() {
        let places = Places {
            columns: (3, 1),
            ..Places::default()
        };
        let found = single("1\tx\t2\ta\n", None, places);
        assert_eq!(found.0, [pair("a", "x")]);
    }

    #[test]
    fn a_line_without_a_tab_is_an_error() {
        let found = single("a\tx\na x\n", None, Places::default());
        let message = "a:2: expected 2 columns, found 1";
        assert_eq!(found, (vec![pair("a", "x")], Some(message.to_owned())));
    }

    #[test]
    fn objects_hold_both_sides_at_once_or_one_level_down() {
        let expected = (vec![pair("a\0\n", "x")], None);
        let flat = "\n{\"source\":\"a\\u0000\\n\",\"target\":\"x\",\"id\":1}\n\n";
        assert_eq!(single(flat, None, Places::default()), expected);
        let nested = "{\"id\":7,\"translation\":{\"en\":\"a\\u0000\\n\",\"de\":\"x\"}}";
        assert_eq!(single(nested, None, keyed("en", "de")), expected);
    }

    #[test]
    fn what_is_wrong_with_an_object_is_said() {
        let message = |line: &str| single(line, Some(Layout::JsonLines), keyed("en", "de")).1;
        let expected = [
            ("[1]", "a:1: expected an object, found an array"),
            ("{\"en\":\"a\"}", "a:1: no field \"de\" in the object"),
            (
                "{\"en\":3,\"de\":\"x\"}",
                "a:1: the field \"en\" holds a number, not a string",
            ),
        ];
        for (line, problem) in expected {
            let found = message(line).unwrap();
            assert!(found.starts_with(problem), "{found}");
        }
        let broken = message("{\"en\":\"a\"").unwrap();
        assert!(
            broken.starts_with("a:1: invalid JSON at column"),
            "{broken}"
        );
    }

    #[test]
    fn a_missing_key_comes_with_those_that_are_there() {
        let line = "{\"id\":1,\"translation\":{\"en\":\"a\",\"fr\":\"x\"}}";
        let mut pairs = Pairs::single("a", line.as_bytes(), None, keyed("en", "de"));
        let Some(Err(PairError::Format { error, .. })) = pairs.next() else {
            panic!("an error was expected");
        };
        let hint = "this object has id, translation.en, translation.fr";
        assert_eq!(error.hint.as_deref(), Some(hint));
    }

    #[test]
    fn a_sentence_in_braces_is_no_object() {
        let found = single("{a}\tx\n", None, Places::default());
        assert_eq!(found, (vec![pair("{a}", "x")], None));
    }

    #[test]
    fn the_sample_has_a_translation_for_every_sentence() {
        let (found, message) = aligned(
            include_str!("../../corpora/parallel.en"),
            include_str!("../../corpora/parallel.de"),
        );
        assert_eq!((found.len(), message), (60, None));
        assert!(
            found
                .iter()
                .all(|(en, de)| !en.is_empty() && !de.is_empty())
        );
    }

    proptest::proptest! {
        #[test]
        fn what_was_written_is_read_in_every_layout(
            sides in proptest::collection::vec(("[a-cß{}\0\u{2028} ]{1,6}", "[x-zé\" ]{0,6}"), 0..20)
        ) {
            let expected: Vec<_> = sides.iter().map(|(a, b)| pair(a, b)).collect();
            let join = |side: fn(&(String, String)) -> &str| {
                sides.iter().map(|both| format!("{}\n", side(both))).collect::<String>()
            };
            let found = aligned(&join(|both| &both.0), &join(|both| &both.1));
            proptest::prop_assert_eq!(&found.0, &expected);
            let columns: String = sides.iter().map(|(a, b)| format!("{a}\t{b}\n")).collect();
            let found = single(&columns, Some(Layout::Columns), Places::default());
            proptest::prop_assert_eq!(&found.0, &expected);
            let object = |(a, b): &(String, String)| {
                format!("{}\n", serde_json::json!({"source": a, "target": b}))
            };
            let objects: String = sides.iter().map(object).collect();
            let found = single(&objects, None, Places::default());
            proptest::prop_assert_eq!(&found.0, &expected);
        }
    }
}
