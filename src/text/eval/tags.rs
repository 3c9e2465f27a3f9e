//! Scores tag by tag, what is taken for what, and how words fare that training has not seen.
//!
//! A tag's precision is over the system's words that bear it, its recall over the gold words that do; both count
//! words that align with none. A features column is taken apart: `Number=Plur` is scored wherever it stands.

use super::align::{Alignment, Side, form_of};
use super::confusion::{Confusion, Counter, Example};
use super::scores::{Metric, Score, Scores, correct_pairs, universal_features};
use crate::text::document::{Document, Word};
use compact_str::CompactString;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::Hash;

/// One column, tag by tag.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TagTable {
    pub column: Metric,
    /// By name. Empty for lemmas: there are too many.
    pub tags: BTreeMap<String, Score>,
    /// The most frequent first.
    pub confusions: Vec<Confusion>,
}

/// The forms a model was trained on, as they were written.
pub type Vocabulary = HashSet<CompactString>;

/// The forms of these documents.
pub fn vocabulary(documents: &[Document]) -> Vocabulary {
    let sentences = documents.iter().flat_map(|d| &d.sentences);
    let words = sentences.flat_map(|s| &s.words);
    words.map(|w| w.form.clone()).collect()
}

impl TagTable {
    /// Scores a column: `Upos`, `Xpos`, `Ufeats` or `Lemmas`.
    pub fn of(alignment: &Alignment, column: Metric) -> TagTable {
        let Alignment { gold, system, .. } = alignment;
        // Columns repeat, so whatever is taken apart or copied is done once per pair of columns.
        let pairs = alignment.pairs.iter().map(|&(g, s)| {
            let (gold, system) = (gold.words[g].word, system.words[s].word);
            (column_of(gold, column), column_of(system, column))
        });
        let tags = match column {
            Metric::Lemmas => BTreeMap::new(),
            _ => score_tags(
                &columns(gold, column),
                &columns(system, column),
                &count(pairs),
                column,
            ),
        };
        TagTable {
            column,
            tags,
            confusions: confusions(alignment, column),
        }
    }
}

/// The column as it was read.
fn column_of(word: &Word, column: Metric) -> &str {
    match column {
        Metric::Lemmas => &word.lemma,
        Metric::Ufeats => &word.feats,
        Metric::Xpos => &word.xpos,
        _ => &word.upos,
    }
}

fn columns<'a>(side: &Side<'a>, column: Metric) -> HashMap<&'a str, u64> {
    count(side.words.iter().map(|w| column_of(w.word, column)))
}

fn count<K: Hash + Eq>(items: impl Iterator<Item = K>) -> HashMap<K, u64> {
    let mut counts = HashMap::new();
    items.for_each(|item| *counts.entry(item).or_default() += 1);
    counts
}

fn score_tags(
    gold: &HashMap<&str, u64>,
    system: &HashMap<&str, u64>,
    pairs: &HashMap<(&str, &str), u64>,
    column: Metric,
) -> BTreeMap<String, Score> {
    let mut scores: HashMap<&str, Score> = HashMap::new();
    for (value, n) in gold {
        for tag in tags_of(value, column) {
            scores.entry(tag).or_default().gold += n;
        }
    }
    for (value, n) in system {
        for tag in tags_of(value, column) {
            scores.entry(tag).or_default().system += n;
        }
    }
    for ((gold, system), n) in pairs {
        let found = tags_of(system, column);
        for tag in tags_of(gold, column) {
            let score = scores.entry(tag).or_default();
            *score.aligned.get_or_insert(0) += n;
            score.correct += if found.contains(&tag) { *n } else { 0 };
        }
    }
    let named = scores.into_iter().map(|(tag, s)| (tag.to_owned(), s));
    named.collect()
}

fn tags_of(value: &str, column: Metric) -> Vec<&str> {
    match column {
        Metric::Ufeats => universal_features(value),
        _ => vec![or_unset(value)],
    }
}

fn or_unset(value: &str) -> &str {
    if value.is_empty() { "_" } else { value }
}

fn confusions(alignment: &Alignment, column: Metric) -> Vec<Confusion> {
    let Alignment { gold, system, .. } = alignment;
    let shown = |value| or_unset(&tags_of(value, column).join("|")).to_owned();
    let mut counter = Counter::default();
    for &(g, s) in &alignment.pairs {
        let (a, b) = (gold.words[g].word, system.words[s].word);
        let (a, b) = (column_of(a, column), column_of(b, column));
        if a == b {
            continue;
        }
        let pair = (shown(a), shown(b));
        let counts_as_right = column == Metric::Lemmas && pair.0 == "_";
        if pair.0 != pair.1 && !counts_as_right {
            counter.add(pair, None, || Example::of(gold, g..g + 1));
        }
    }
    counter.sorted()
}

/// The scores on words whose form is not in `known`: gold and aligned words by the gold form, the system's by its own.
pub fn score_unseen(alignment: &Alignment, metrics: &[Metric], known: &Vocabulary) -> Scores {
    let is_unseen = |word: &Word| !known.contains(form_of(word));
    let Alignment { gold, system, .. } = alignment;
    let unseen: Vec<bool> = gold.words.iter().map(|w| is_unseen(w.word)).collect();
    let count = |n: usize| n as u64;
    let gold_total = count(unseen.iter().filter(|&&u| u).count());
    let system_total = count(system.words.iter().filter(|w| is_unseen(w.word)).count());
    let aligned = count(alignment.pairs.iter().filter(|p| unseen[p.0]).count());
    let on_words = |m: &&Metric| !matches!(m, Metric::Tokens | Metric::Sentences);
    let score = |&metric: &Metric| {
        let correct = correct_pairs(alignment, metric).filter(|p| unseen[p.0]);
        let score = Score {
            gold: gold_total,
            system: system_total,
            correct: count(correct.count()),
            aligned: Some(aligned),
        };
        (metric, score)
    };
    Scores(metrics.iter().filter(on_words).map(score).collect())
}

#[cfg(test)]
mod tests {
    use super::super::sample::documents;
    use super::*;

    fn table(gold: &str, system: &str, column: Metric) -> TagTable {
        let (gold, system) = (documents(gold), documents(system));
        TagTable::of(&Alignment::new(&gold, &system).unwrap(), column)
    }

    fn counts(table: &TagTable, tag: &str) -> (u64, u64, u64) {
        let score = table.tags[tag];
        (score.gold, score.system, score.correct)
    }

    #[test]
    fn a_tag_counts_where_either_side_has_it() {
        let found = table(
            "a/DET bc/NOUN d/NOUN e/VERB",
            "a/DET b/NOUN c/NOUN d/NOUN e/NOUN",
            Metric::Upos,
        );
        assert_eq!(counts(&found, "DET"), (1, 1, 1));
        assert_eq!(counts(&found, "NOUN"), (2, 4, 1));
        assert_eq!(counts(&found, "VERB"), (1, 0, 0));
    }

    #[test]
    fn features_are_scored_one_by_one() {
        let found = table(
            "a/X//Case=Nom|Number=Sing b/X//Number=Plur",
            "a/X//Case=Acc|Number=Sing b/X//Number=Plur",
            Metric::Ufeats,
        );
        assert_eq!(counts(&found, "Number=Sing"), (1, 1, 1));
        assert_eq!(counts(&found, "Case=Nom"), (1, 0, 0));
        assert_eq!(counts(&found, "Case=Acc"), (0, 1, 0));
        assert_eq!(found.confusions[0].gold, "Case=Nom|Number=Sing");
    }

    #[test]
    fn confusions_come_with_the_most_frequent_first() {
        let found = table(
            "a/NOUN b/NOUN c/VERB d/ADJ",
            "a/PROPN b/PROPN c/NOUN d/ADJ",
            Metric::Upos,
        );
        let pairs: Vec<_> = found.confusions.iter().collect();
        let shown = |c: &&Confusion| format!("{} {} {}", c.gold, c.system, c.count);
        let shown: Vec<String> = pairs.iter().map(shown).collect();
        assert_eq!(shown, ["NOUN PROPN 2", "VERB NOUN 1"]);
    }

    #[test]
    fn lemmas_are_confused_but_not_tabulated() {
        let found = table("a/X/be b/X", "a/X/is b/X/b", Metric::Lemmas);
        assert!(found.tags.is_empty());
        assert_eq!(found.confusions.len(), 1, "b has no gold lemma");
    }

    #[test]
    fn unseen_words_are_those_outside_the_vocabulary() {
        let known = vocabulary(&documents("a b"));
        let (gold, system) = (
            documents("a/X B/Y cd/Z b/X"),
            documents("a/Y B/Y c/Z d/Z b/X"),
        );
        let alignment = Alignment::new(&gold, &system).unwrap();
        let found = score_unseen(&alignment, &[Metric::Tokens, Metric::Upos], &known);
        let score = Score {
            gold: 2,
            system: 3,
            correct: 1,
            aligned: Some(1),
        };
        assert_eq!(found, Scores(vec![(Metric::Upos, score)]));
    }
}
