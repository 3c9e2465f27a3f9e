//! Scores of named entities: an entity counts when its first word, its last word and its type all agree.
//!
//! ```text
//! B-PER I-PER O B-LOC B-LOC I-ORG     Strict IOB2: an entity is B-X and the I-X that follow it at once;
//! └── PER ──┘   LOC   LOC  (nothing)  an I-X without one is no entity.
//! ```
//!
//! as in seqeval's `mode="strict", scheme=IOB2`, and, on strict input, as in conlleval (Tjong Kim Sang and De
//! Meulder 2003). On raw text, where the words may differ, an entity is the characters it covers without spaces.
//! The labels stand in MISC as `NER=B-PER`.

use super::align::{Alignment, Side, SpannedWord};
use super::confusion::Confusion;
use super::entity_errors::errors;
use super::scores::Score;
use serde::Serialize;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Range;

/// The scores of the entities of a text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EntityScores {
    pub matched_by: MatchedBy,
    /// All types together.
    pub micro: Score,
    pub types: BTreeMap<String, Score>,
    /// Entities missed, spurious, or found with another type or other words.
    pub confusions: Vec<Confusion>,
}

/// What two entities must share besides their type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MatchedBy {
    /// Both sides have the same words in the same sentences.
    Words,
    /// The characters they cover, because words or sentences differ.
    Characters,
}

/// An entity of a text.
#[derive(Clone, Debug)]
pub(super) struct Entity<'a> {
    /// Words or characters.
    pub start: usize,
    pub end: usize,
    pub label: &'a str,
    /// Indices into [`Side::words`].
    pub words: Range<usize>,
    /// The character it starts with.
    pub at: usize,
}

impl<'a> Entity<'a> {
    /// What makes two entities the same, in the order of the text.
    pub fn key(&self) -> (usize, usize, &'a str) {
        (self.start, self.end, self.label)
    }
}

impl EntityScores {
    /// Scores the entities of two aligned annotations.
    pub fn of(alignment: &Alignment) -> EntityScores {
        let matched_by = matched_by(alignment);
        let gold = entities(&alignment.gold, matched_by);
        let system = entities(&alignment.system, matched_by);
        let mut types: BTreeMap<String, Score> = BTreeMap::new();
        let mut micro = Score::default();
        walk(&gold, &system, |entity, score| {
            micro += score;
            *types.entry(entity.label.to_owned()).or_default() += score;
        });
        EntityScores {
            matched_by,
            micro,
            types,
            confusions: errors(alignment, &gold, &system),
        }
    }
}

/// The scores of all types together, and of each, by gold sentence; a system's entity belongs to the sentence it starts
/// in.
pub fn score_entities_by_sentence(
    alignment: &Alignment,
) -> (Vec<Score>, BTreeMap<String, Vec<Score>>) {
    let matched_by = matched_by(alignment);
    let gold = entities(&alignment.gold, matched_by);
    let system = entities(&alignment.system, matched_by);
    let sentences = &alignment.gold.sentences;
    let none = vec![Score::default(); sentences.len()];
    let (mut all, mut types) = (none.clone(), BTreeMap::new());
    walk(&gold, &system, |entity, score| {
        let sentence = sentences.partition_point(|s| s.start <= entity.at);
        let of_type: &mut Vec<Score> = types
            .entry(entity.label.to_owned())
            .or_insert_with(|| none.clone());
        for scores in [&mut all, of_type] {
            if let Some(total) = scores.get_mut(sentence.saturating_sub(1)) {
                *total += score;
            }
        }
    });
    (all, types)
}

fn matched_by(alignment: &Alignment) -> MatchedBy {
    match alignment.has_same_words() {
        true => MatchedBy::Words,
        false => MatchedBy::Characters,
    }
}

/// Sorted by position, then label.
fn entities<'a>(side: &Side<'a>, matched_by: MatchedBy) -> Vec<Entity<'a>> {
    let mut found = Vec::new();
    let mut start = 0;
    for &end in &side.sentence_ends {
        let words = &side.words[start..end];
        for (range, label) in strict_entities(words.iter().map(label_of)) {
            let Range { start: a, end: b } = range;
            let (first, last) = (words[a].span, words[b - 1].span);
            let (from, to) = match matched_by {
                MatchedBy::Words => (start + a, start + b),
                MatchedBy::Characters => (first.start, last.end),
            };
            found.push(Entity {
                start: from,
                end: to,
                label,
                words: start + a..start + b,
                at: first.start,
            });
        }
        start = end;
    }
    found.sort_by_key(Entity::key);
    found
}

fn label_of<'a>(word: &SpannedWord<'a>) -> &'a str {
    word.word.misc.get("NER").unwrap_or("O")
}

/// The entities of a sentence's labels: their words, and their type.
pub fn strict_entities<'a>(labels: impl Iterator<Item = &'a str>) -> Vec<(Range<usize>, &'a str)> {
    let mut found: Vec<(Range<usize>, &str)> = Vec::new();
    for (i, label) in labels.enumerate() {
        if let Some(label) = label.strip_prefix("B-") {
            found.push((i..i + 1, type_of(label)));
        } else if let Some(label) = label.strip_prefix("I-")
            && let Some((range, begun)) = found.last_mut()
            && range.end == i
            && *begun == type_of(label)
        {
            range.end = i + 1;
        }
    }
    found
}

/// seqeval drops hyphens around a type, and calls one without a name `_`.
fn type_of(label: &str) -> &str {
    match label.trim_matches('-') {
        "" => "_",
        label => label,
    }
}

/// Hands each entity over with what it adds to the score; those in both lists once.
fn walk<'a>(gold: &[Entity<'a>], system: &[Entity<'a>], mut found: impl FnMut(&Entity<'a>, Score)) {
    let (mut g, mut s) = (0, 0);
    loop {
        let (entity, order) = match (gold.get(g), system.get(s)) {
            (None, None) => return,
            (Some(a), None) => (a, Ordering::Less),
            (None, Some(b)) => (b, Ordering::Greater),
            (Some(a), Some(b)) => match a.key().cmp(&b.key()) {
                Ordering::Greater => (b, Ordering::Greater),
                order => (a, order),
            },
        };
        let score = Score {
            gold: u64::from(order.is_le()),
            system: u64::from(order.is_ge()),
            correct: u64::from(order.is_eq()),
            aligned: None,
        };
        found(entity, score);
        g += usize::from(order.is_le());
        s += usize::from(order.is_ge());
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::documents;
    use super::*;

    /// Words with labels, as `form/B-PER`.
    fn labelled(shorthand: &str) -> Vec<crate::text::document::Document> {
        documents(&shorthand.replace('/', "////"))
    }

    fn scores(gold: &str, system: &str) -> EntityScores {
        let (gold, system) = (labelled(gold), labelled(system));
        let alignment = Alignment::new(&gold, &system).unwrap();
        let found = EntityScores::of(&alignment);
        let mut sum = Score::default();
        let (all, types) = score_entities_by_sentence(&alignment);
        all.into_iter().for_each(|score| sum += score);
        assert_eq!(sum, found.micro, "the sentences add up to the whole");
        let mut sum = Score::default();
        types.into_values().flatten().for_each(|score| sum += score);
        assert_eq!(sum, found.micro, "so do the types");
        found
    }

    fn counts(score: Score) -> (u64, u64, u64) {
        (score.gold, score.system, score.correct)
    }

    fn strict(labels: &str) -> Vec<(Range<usize>, &str)> {
        strict_entities(labels.split_whitespace())
    }

    #[test]
    fn an_entity_is_b_and_the_i_of_its_type_that_follow() {
        assert_eq!(
            strict("B-PER I-PER O B-LOC"),
            [(0..2, "PER"), (3..4, "LOC")]
        );
    }

    #[test]
    fn adjacent_entities_stay_apart() {
        assert_eq!(strict("B-LOC B-LOC I-LOC"), [(0..1, "LOC"), (1..3, "LOC")]);
    }

    #[test]
    fn an_i_without_b_is_no_entity() {
        assert_eq!(strict("I-PER I-PER O I-LOC"), []);
    }

    #[test]
    fn an_i_of_another_type_ends_the_entity_and_begins_none() {
        assert_eq!(strict("B-PER I-LOC I-PER"), [(0..1, "PER")]);
    }

    #[test]
    fn a_wrong_type_is_wrong_for_both_types() {
        let found = scores("a/B-PER b/I-PER", "a/B-ORG b/I-ORG");
        assert_eq!(counts(found.micro), (1, 1, 0));
        assert_eq!(counts(found.types["PER"]), (1, 0, 0));
        assert_eq!(counts(found.types["ORG"]), (0, 1, 0));
        assert_eq!(found.confusions[0].system, "ORG");
    }

    #[test]
    fn a_shifted_end_is_wrong() {
        let found = scores("a/B-PER b/I-PER c", "a/B-PER b c");
        assert_eq!(counts(found.micro), (1, 1, 0));
        assert_eq!(found.matched_by, MatchedBy::Words);
    }

    #[test]
    fn a_split_entity_is_wrong_twice() {
        let found = scores("a/B-PER b/I-PER", "a/B-PER b/B-PER");
        assert_eq!(counts(found.micro), (1, 2, 0));
    }

    #[test]
    fn entities_end_with_their_sentence() {
        let found = scores("a/B-PER | b/I-PER", "a/B-PER | b");
        assert_eq!(counts(found.micro), (1, 1, 1));
    }

    #[test]
    fn other_words_are_matched_by_their_characters() {
        let found = scores(
            "New/B-LOC York/I-LOC City",
            "New/B-LOC Yo/I-LOC rk/I-LOC City",
        );
        assert_eq!(found.matched_by, MatchedBy::Characters);
        assert_eq!(counts(found.micro), (1, 1, 1));
    }

    #[test]
    fn other_sentences_are_matched_by_their_characters() {
        let found = scores("a/B-PER b/I-PER | c/B-LOC", "a/B-PER | b/B-PER c/B-LOC");
        assert_eq!(found.matched_by, MatchedBy::Characters);
        assert_eq!(counts(found.micro), (2, 3, 1));
    }

    #[test]
    fn entities_of_one_multi_word_token_are_counted_each() {
        let found = scores("{du/ de/B-LOC le/B-LOC} x", "{du/ de/B-LOC le} | x");
        assert_eq!(counts(found.micro), (2, 1, 1));
    }
}
