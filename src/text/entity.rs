//! Named entities as spans of words, read from and written to the labels `NER=B-PER`, `NER=I-PER` in MISC (IOB2).
//!
//! `B-` always begins an entity. `I-` continues one of the same type and begins one otherwise, so that IOB1 and
//! slightly wrong IOB2 are read as they were meant; the prefixes of BIOES and BILOU and labels without a prefix are
//! understood too. Words outside have no label, or `O`.

use super::document::{Document, Sentence, Token};
use std::ops::Range;

/// An entity: a run of words of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entity {
    /// Indices into [`Sentence::words`].
    pub words: Range<usize>,
    /// Its type without a prefix: `PER`.
    pub label: String,
}

/// The entities of a sentence, in order.
pub fn entities(sentence: &Sentence) -> Vec<Entity> {
    decode(sentence.words.iter().map(|word| word.misc.get("NER")))
}

/// Entities from one label a word; `None` and `O` are outside.
pub fn decode<'a>(labels: impl Iterator<Item = Option<&'a str>>) -> Vec<Entity> {
    let mut entities: Vec<Entity> = Vec::new();
    let mut is_open = false;
    for (i, label) in labels.enumerate() {
        let (prefix, kind) = match label {
            None | Some("O" | "" | "_") => {
                is_open = false;
                continue;
            }
            Some(label) => split_prefix(label),
        };
        let begins = matches!(prefix, b'B' | b'S' | b'U');
        match entities.last_mut() {
            Some(last) if is_open && !begins && last.label == kind => last.words.end = i + 1,
            _ => entities.push(Entity {
                words: i..i + 1,
                label: kind.to_string(),
            }),
        }
        is_open = !matches!(prefix, b'E' | b'L' | b'S' | b'U');
    }
    entities
}

/// `B-PER` as `B` and `PER`; a label without a prefix counts as `I`.
fn split_prefix(label: &str) -> (u8, &str) {
    match label.as_bytes() {
        [
            prefix @ (b'B' | b'I' | b'E' | b'S' | b'L' | b'U' | b'M'),
            b'-',
            _,
            ..,
        ] => (*prefix, &label[2..]),
        _ => (b'I', label),
    }
}

/// Sets the labels of a sentence's words to these entities, in IOB2, and removes all others.
pub fn set_entities(sentence: &mut Sentence, entities: &[Entity]) {
    let mut entities = entities.iter().peekable();
    for (i, word) in sentence.words.iter_mut().enumerate() {
        while entities.next_if(|e| e.words.end <= i).is_some() {}
        match entities.peek() {
            Some(entity) if entity.words.contains(&i) => {
                let prefix = if entity.words.start == i { "B-" } else { "I-" };
                word.misc.set("NER", &format!("{prefix}{}", entity.label));
            }
            _ => {
                word.misc.remove("NER");
            }
        }
    }
}

/// What the first word of an entity says of it, beside its label.
const SAID: [&str; 2] = ["Value", "Score"];

/// Makes words an entity: removes those it overlaps, with what was said of them, and labels the words.
pub fn put(sentence: &mut Sentence, words: Range<usize>, label: &str, value: Option<&str>) {
    let is_free = |i: usize| sentence.words[i].misc.get("NER").is_none();
    if !words.clone().all(is_free) {
        for other in entities(sentence) {
            if other.words.start < words.end && words.start < other.words.end {
                remove(sentence, &other);
            }
        }
    }
    let start = words.start;
    for i in words {
        let misc = &mut sentence.words[i].misc;
        if let Some(value) = value.filter(|_| i == start) {
            misc.set("Value", value);
        }
        let prefix = if i == start { 'B' } else { 'I' };
        misc.set("NER", &format!("{prefix}-{label}"));
    }
}

/// Removes the entities whose label does not pass.
pub fn keep_only(sentence: &mut Sentence, passes: impl Fn(&str) -> bool) {
    for entity in entities(sentence) {
        if !passes(&entity.label) {
            remove(sentence, &entity);
        }
    }
}

fn remove(sentence: &mut Sentence, entity: &Entity) {
    for word in &mut sentence.words[entity.words.clone()] {
        word.misc.remove("NER");
        SAID.iter().for_each(|key| drop(word.misc.remove(key)));
    }
}

impl Entity {
    /// The bytes of a located document's text that the entity takes: those of all surface tokens it has a word of.
    pub fn span(&self, sentence: &Sentence) -> Range<usize> {
        let token = |word: usize| -> Option<&Token> {
            let after = |token: &Token| token.words.end as usize <= word;
            sentence.tokens.get(sentence.tokens.partition_point(after))
        };
        let first = token(self.words.start);
        let last = token(self.words.end.saturating_sub(1));
        match (first, last) {
            (Some(first), Some(last)) => first.span.start as usize..last.span.end as usize,
            _ => 0..0,
        }
    }

    /// The text of the entity in a located document; empty in one that is not.
    pub fn text<'a>(&self, document: &'a Document, sentence: &Sentence) -> &'a str {
        let text = document.text.as_deref().unwrap_or_default();
        text.get(self.span(sentence)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(labels: &str) -> String {
        let labels = labels.split(' ').map(Some);
        let entities = decode(labels).into_iter();
        let entities: Vec<_> = entities
            .map(|e| format!("{}-{}:{}", e.words.start, e.words.end, e.label))
            .collect();
        entities.join(" ")
    }

    #[test]
    fn every_scheme_gives_the_same_entities() {
        let expected = "0-2:PER 2-3:PER 4-5:LOC";
        assert_eq!(spans("B-PER I-PER B-PER O B-LOC"), expected, "IOB2");
        assert_eq!(spans("I-PER I-PER B-PER O I-LOC"), expected, "IOB1");
        assert_eq!(spans("B-PER E-PER S-PER O S-LOC"), expected, "BIOES");
        assert_eq!(spans("B-PER L-PER U-PER O U-LOC"), expected, "BILOU");
    }

    #[test]
    fn another_type_begins_another_entity() {
        assert_eq!(spans("B-PER I-LOC I-LOC"), "0-1:PER 1-3:LOC");
        assert_eq!(spans("O I-LOC _ loc loc"), "1-2:LOC 3-5:loc");
    }

    #[test]
    fn labels_that_were_set_are_read_back() {
        let mut sentence = Sentence {
            words: "a b c d"
                .split(' ')
                .map(crate::text::document::Word::of)
                .collect(),
            ..Sentence::default()
        };
        sentence.words[3].misc.set("NER", "B-OLD");
        let expected = decode("B-X I-X B-X O".split(' ').map(Some));
        set_entities(&mut sentence, &expected);
        assert_eq!(entities(&sentence), expected);
        assert_eq!(sentence.words[3].misc.get("NER"), None);
    }
}
