//! What is wrong with the entities that a system got wrong.
//!
//! ```text
//! gold     [PER      ]  O      [LOC]  [ORG]      1. the same words and type: right
//! system   [PER] O      [PER]  [ORG]   O         2. the same words, another type: label
//!          boundary  spurious  label  missed     3. an entity that overlaps: boundary
//!                                                4. what is left: missed, spurious
//! ```
//!
//! Each entity takes part once, so right + label + boundary + missed = gold entities, and with spurious in the place of
//! missed, the system's.

use super::align::Alignment;
use super::confusion::{Confusion, Counter, EntityError, Example, NONE};
use super::entities::Entity;
use std::cmp::Ordering;

/// The errors among the entities of two aligned annotations, both in the order of the text.
pub(super) fn errors<'a>(
    alignment: &Alignment,
    gold: &[Entity<'a>],
    system: &[Entity<'a>],
) -> Vec<Confusion> {
    let overlap = |a: &Entity, b: &Entity| match (a.end <= b.start, b.end <= a.start) {
        (true, _) => Ordering::Less,
        (_, true) => Ordering::Greater,
        _ => Ordering::Equal,
    };
    let all = (gold.iter().collect(), system.iter().collect());
    let (_, rest) = match_off(all, |a, b| a.key().cmp(&b.key()));
    let (labels, rest) = match_off(rest, |a, b| (a.start, a.end).cmp(&(b.start, b.end)));
    let (boundaries, (missed, spurious)) = match_off(rest, overlap);

    let (gold, system) = (&alignment.gold, &alignment.system);
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    let mut counter = Counter::default();
    for (a, b) in labels {
        let example = || Example::of(gold, a.words.clone());
        counter.add(pair(a.label, b.label), Some(EntityError::Label), example);
    }
    for (a, b) in boundaries {
        let example = || Example::of(gold, a.words.clone()).but_found(system, b.words.clone());
        counter.add(pair(a.label, b.label), Some(EntityError::Boundary), example);
    }
    for a in missed {
        let example = || Example::of(gold, a.words.clone());
        counter.add(pair(a.label, NONE), Some(EntityError::Missed), example);
    }
    for b in spurious {
        let example = || Example::of(system, b.words.clone()).named_by(gold, b.at);
        counter.add(pair(NONE, b.label), Some(EntityError::Spurious), example);
    }
    counter.sorted()
}

type Lists<'e, 'a> = (Vec<&'e Entity<'a>>, Vec<&'e Entity<'a>>);

/// The pairs of two lists that are equal by `order`, which both follow, and what has no partner.
fn match_off<'e, 'a>(
    (gold, system): Lists<'e, 'a>,
    order: impl Fn(&Entity, &Entity) -> Ordering,
) -> (Vec<(&'e Entity<'a>, &'e Entity<'a>)>, Lists<'e, 'a>) {
    let (mut pairs, mut rest) = (Vec::new(), (Vec::new(), Vec::new()));
    let (mut gold, mut system) = (gold.into_iter().peekable(), system.into_iter().peekable());
    loop {
        let order = match (gold.peek(), system.peek()) {
            (Some(a), Some(b)) => order(a, b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return (pairs, rest),
        };
        match order {
            Ordering::Less => rest.0.extend(gold.next()),
            Ordering::Greater => rest.1.extend(system.next()),
            Ordering::Equal => pairs.extend(gold.next().zip(system.next())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::entities::EntityScores;
    use super::super::sample::documents;
    use super::*;

    /// The errors of labels, as `PER missed 1`, and the counts (gold, system, correct).
    fn found(gold: &str, system: &str) -> (Vec<String>, (u64, u64, u64)) {
        let labelled = |text: &str| documents(&text.replace('/', "////"));
        let (gold, system) = (labelled(gold), labelled(system));
        let scores = EntityScores::of(&Alignment::new(&gold, &system).unwrap());
        let shown = |c: &Confusion| format!("{} {}", c.title(), c.count);
        let micro = scores.micro;
        let (mut of_gold, mut of_system) = (micro.correct, micro.correct);
        for c in &scores.confusions {
            of_gold += if c.gold == NONE { 0 } else { c.count };
            of_system += if c.system == NONE { 0 } else { c.count };
        }
        assert_eq!((of_gold, of_system), (micro.gold, micro.system));
        let errors = scores.confusions.iter().map(shown).collect();
        (errors, (micro.gold, micro.system, micro.correct))
    }

    #[test]
    fn there_are_four_kinds_of_errors() {
        let gold = "a/B-PER b/I-PER c d/B-LOC e/B-ORG f/B-LOC";
        let system = "a/B-PER b c/B-PER d/B-ORG e f/B-LOC";
        let (errors, counts) = found(gold, system);
        assert_eq!(
            errors,
            [
                "LOC as ORG 1",
                "ORG missed 1",
                "PER, wrong boundary 1",
                "PER spurious 1"
            ]
        );
        assert_eq!(counts, (4, 4, 1));
    }

    #[test]
    fn a_split_entity_has_a_wrong_boundary_and_a_spurious_rest() {
        let (errors, _) = found("a/B-PER b/I-PER", "a/B-PER b/B-ORG");
        assert_eq!(errors, ["PER, wrong boundary 1", "ORG spurious 1"]);
    }

    #[test]
    fn a_boundary_may_go_with_a_wrong_type() {
        let (errors, _) = found("a/B-PER b", "a/B-ORG b/I-ORG");
        assert_eq!(errors, ["PER as ORG, wrong boundary 1"]);
    }

    #[test]
    fn a_spurious_entity_is_named_by_its_gold_sentence() {
        let labelled = |text: &str| documents(&text.replace('/', "////"));
        let (gold, system) = (labelled("a | b | c"), labelled("a b | c/B-PER"));
        let scores = EntityScores::of(&Alignment::new(&gold, &system).unwrap());
        let example = &scores.confusions[0].examples[0];
        assert_eq!((example.sentence, example.text.as_str()), (3, "c"));
    }

    #[test]
    fn a_wrong_boundary_shows_what_was_found() {
        let labelled = |text: &str| documents(&text.replace('/', "////"));
        let gold = labelled("in New/B-LOC York/I-LOC City now");
        let system = labelled("in New/B-LOC York/I-LOC City/I-LOC now");
        let scores = EntityScores::of(&Alignment::new(&gold, &system).unwrap());
        let example = &scores.confusions[0].examples[0];
        assert_eq!(example.text, "New York");
        assert_eq!(example.found.as_deref(), Some("New York City"));
        assert_eq!(example.right, "City now");
    }
}
