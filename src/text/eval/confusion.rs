//! What stands in the gold standard and what the system wrote instead: how often, and where.
//!
//! ```text
//! NOUN as VERB    12      a gold value, what was taken for it, the count,
//!     … with a [run] of luck                        and a few places, five words to each side
//! ```

use super::align::{Side, SpannedWord, form_of};
use serde::Serialize;
use std::collections::HashMap;
use std::ops::Range;

/// A gold value, and what the system wrote instead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Confusion {
    /// [`NONE`] for a spurious entity.
    pub gold: String,
    /// [`NONE`] for a missed entity.
    pub system: String,
    /// Of entities.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<EntityError>,
    pub count: u64,
    /// Up to [`EXAMPLES`], the first in the text of different words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<Example>,
}

/// The label of an entity that one side does not have.
pub const NONE: &str = "none";

/// What is wrong with an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EntityError {
    /// Not found.
    Missed,
    /// Found where there is none.
    Spurious,
    /// The right words, the wrong type.
    Label,
    /// Some of the words, or too many; the type may be wrong as well.
    Boundary,
}

/// A place of the text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Example {
    /// Of the gold standard, counted from 1.
    pub sentence: usize,
    /// Its `sent_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub left: String,
    /// The word or the entity.
    pub text: String,
    pub right: String,
    /// The words of the system's entity, if they are others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
}

/// Places kept of each confusion.
pub const EXAMPLES: usize = 3;
/// Words shown to each side.
const CONTEXT: usize = 5;

impl Confusion {
    /// As a table names it: `NOUN as VERB`, `PER missed`.
    pub fn title(&self) -> String {
        let Confusion { gold, system, .. } = self;
        match self.error {
            Some(EntityError::Missed) => format!("{gold} missed"),
            Some(EntityError::Spurious) => format!("{system} spurious"),
            Some(EntityError::Boundary) if gold == system => format!("{gold}, wrong boundary"),
            Some(EntityError::Boundary) => format!("{gold} as {system}, wrong boundary"),
            Some(EntityError::Label) | None => format!("{gold} as {system}"),
        }
    }
}

impl Example {
    /// Some words of a sentence, and what stands around them.
    pub fn of(side: &Side, words: Range<usize>) -> Example {
        let sentence = side
            .sentence_ends
            .partition_point(|&end| end <= words.start);
        let before = sentence.checked_sub(1);
        let start = before.map_or(0, |before| side.sentence_ends[before]);
        let end = side.sentence_ends[sentence];
        let from = start.max(words.start.saturating_sub(CONTEXT));
        let to = end.min(words.end + CONTEXT);
        let forms = |range: Range<usize>| joined(&side.words[range]);
        let cut = |is_cut: bool| if is_cut { "…" } else { "" };
        let left = [cut(from > start), &forms(from..words.start)].join(" ");
        let right = [&forms(words.end..to), cut(to < end)].join(" ");
        Example {
            sentence: sentence + 1,
            id: side.sentence_ids[sentence].map(str::to_owned),
            left: left.trim().to_owned(),
            text: forms(words),
            right: right.trim().to_owned(),
            found: None,
        }
    }

    /// The sentence it is in, by its `sent_id` if it has one.
    pub fn place(&self) -> String {
        match &self.id {
            Some(id) => id.clone(),
            None => format!("sentence {}", self.sentence),
        }
    }

    /// The same, named by the sentence that another annotation of the text has at a character.
    pub fn named_by(self, side: &Side, character: usize) -> Example {
        let before = side.sentences.partition_point(|s| s.end <= character);
        let sentence = before.min(side.sentences.len().saturating_sub(1));
        let id = side.sentence_ids.get(sentence).copied().flatten();
        Example {
            sentence: sentence + 1,
            id: id.map(str::to_owned),
            ..self
        }
    }

    /// The same, with the words that the system found instead.
    pub fn but_found(self, side: &Side, words: Range<usize>) -> Example {
        Example {
            found: Some(joined(&side.words[words])),
            ..self
        }
    }
}

fn joined(words: &[SpannedWord]) -> String {
    let forms: Vec<&str> = words.iter().map(|w| form_of(w.word)).collect();
    forms.join(" ")
}

/// Counts confusions and keeps examples of them.
#[derive(Debug, Default)]
pub struct Counter {
    found: HashMap<Confused, (u64, Vec<Example>)>,
}

/// The gold value, the system's, and what is wrong with an entity.
type Confused = (String, String, Option<EntityError>);

impl Counter {
    /// Counts one; its example is made if more are wanted.
    pub fn add(
        &mut self,
        (gold, system): (String, String),
        error: Option<EntityError>,
        example: impl FnOnce() -> Example,
    ) {
        let (count, examples) = self.found.entry((gold, system, error)).or_default();
        *count += 1;
        if examples.len() < EXAMPLES {
            let example = example();
            // Three times the same word would show no more than once.
            if examples.iter().all(|other| other.text != example.text) {
                examples.push(example);
            }
        }
    }

    /// The most frequent first, then by name.
    pub fn sorted(self) -> Vec<Confusion> {
        let confusion = |((gold, system, error), (count, examples))| Confusion {
            gold,
            system,
            error,
            count,
            examples,
        };
        let mut all: Vec<Confusion> = self.found.into_iter().map(confusion).collect();
        all.sort_unstable_by(|a, b| {
            let names = || (&a.gold, &a.system, a.error).cmp(&(&b.gold, &b.system, b.error));
            b.count.cmp(&a.count).then_with(names)
        });
        all
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::documents;
    use super::*;

    fn example(text: &str, words: Range<usize>) -> Example {
        Example::of(&Side::of(&documents(text)), words)
    }

    #[test]
    fn an_example_has_five_words_to_each_side_of_its_sentence() {
        let found = example("x | a b c d e f g h i j k l m | y", 7..8);
        assert_eq!(found.sentence, 2);
        assert_eq!(
            (
                found.left.as_str(),
                found.text.as_str(),
                found.right.as_str()
            ),
            ("… b c d e f", "g", "h i j k l …")
        );
    }

    #[test]
    fn an_example_ends_with_its_sentence() {
        let found = example("x | a b c | y", 1..2);
        assert_eq!((found.left.as_str(), found.right.as_str()), ("", "b c"));
    }

    #[test]
    fn examples_are_of_different_words() {
        let (documents, mut counter) = (documents("a b a c d"), Counter::default());
        let side = Side::of(&documents);
        for word in 0..5 {
            let pair = ("X".to_owned(), "Y".to_owned());
            counter.add(pair, None, || Example::of(&side, word..word + 1));
        }
        let found = &counter.sorted()[0];
        let texts: Vec<&str> = found.examples.iter().map(|e| e.text.as_str()).collect();
        assert_eq!((found.count, texts), (5, vec!["a", "b", "c"]));
    }
}
