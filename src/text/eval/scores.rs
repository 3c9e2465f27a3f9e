//! Scores of a segmentation and of what is written on its words.
//!
//! ```text
//! precision = correct / system    recall = correct / gold    F1 = 2·correct / (system + gold)
//! aligned accuracy = correct / aligned words
//! ```
//!
//! Tokens and sentences are correct when both ends agree; words when they are aligned; a column when it holds the
//! same on two aligned words. Definitions: the scorer of the CoNLL 2018 shared task (Zeman et al. 2018). All counts
//! over 0 give 0.

use super::align::{Alignment, match_spans};
use crate::text::document::Word;
use rayon::prelude::*;
use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};
use std::ops::AddAssign;

/// What there was to find, what was found, and what of it is right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Score {
    pub gold: u64,
    pub system: u64,
    pub correct: u64,
    /// Words in both, for what is written on words.
    pub aligned: Option<u64>,
}

impl Score {
    pub fn precision(&self) -> f64 {
        ratio(self.correct, self.system)
    }

    pub fn recall(&self) -> f64 {
        ratio(self.correct, self.gold)
    }

    /// The harmonic mean of the two.
    pub fn f1(&self) -> f64 {
        ratio(2 * self.correct, self.system + self.gold)
    }

    /// The share of the aligned words that is correct: how good the tags are, whatever the segmentation.
    pub fn aligned_accuracy(&self) -> Option<f64> {
        Some(ratio(self.correct, self.aligned?))
    }
}

impl AddAssign for Score {
    fn add_assign(&mut self, other: Score) {
        self.gold += other.gold;
        self.system += other.system;
        self.correct += other.correct;
        self.aligned = match (self.aligned, other.aligned) {
            (None, None) => None,
            (a, b) => Some(a.unwrap_or(0) + b.unwrap_or(0)),
        };
    }
}

impl Serialize for Score {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Score", 8)?;
        out.serialize_field("precision", &self.precision())?;
        out.serialize_field("recall", &self.recall())?;
        out.serialize_field("f1", &self.f1())?;
        if let (Some(aligned), Some(accuracy)) = (self.aligned, self.aligned_accuracy()) {
            out.serialize_field("aligned_accuracy", &accuracy)?;
            out.serialize_field("aligned", &aligned)?;
        }
        out.serialize_field("gold", &self.gold)?;
        out.serialize_field("system", &self.system)?;
        out.serialize_field("correct", &self.correct)?;
        out.end()
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

/// What is scored, in the order of the shared task's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
pub enum Metric {
    Tokens,
    Sentences,
    Words,
    #[serde(rename = "UPOS")]
    Upos,
    #[serde(rename = "XPOS")]
    Xpos,
    #[serde(rename = "UFeats")]
    Ufeats,
    AllTags,
    Lemmas,
}

impl Metric {
    /// All of them.
    pub const ALL: [Metric; 8] = [
        Metric::Tokens,
        Metric::Sentences,
        Metric::Words,
        Metric::Upos,
        Metric::Xpos,
        Metric::Ufeats,
        Metric::AllTags,
        Metric::Lemmas,
    ];

    /// The shared task's name.
    pub fn name(self) -> &'static str {
        match self {
            Metric::Tokens => "Tokens",
            Metric::Sentences => "Sentences",
            Metric::Words => "Words",
            Metric::Upos => "UPOS",
            Metric::Xpos => "XPOS",
            Metric::Ufeats => "UFeats",
            Metric::AllTags => "AllTags",
            Metric::Lemmas => "Lemmas",
        }
    }

    /// Whether two aligned words agree. Segmentation metrics always do: the words are aligned.
    pub fn agrees(self, gold: &Word, system: &Word) -> bool {
        match self {
            Metric::Tokens | Metric::Sentences | Metric::Words => true,
            Metric::Upos => gold.upos == system.upos,
            Metric::Xpos => gold.xpos == system.xpos,
            Metric::Ufeats => same_universal_features(&gold.feats, &system.feats),
            Metric::AllTags => {
                gold.upos == system.upos
                    && gold.xpos == system.xpos
                    && same_universal_features(&gold.feats, &system.feats)
            }
            // A treebank without lemmas, or without this one, does not count against the system.
            Metric::Lemmas => matches!(gold.lemma.as_str(), "" | "_") || gold.lemma == system.lemma,
        }
    }
}

/// The features that UD defined for all languages when the shared task was held.
const UNIVERSAL_FEATURES: [&str; 21] = [
    "Abbr", "Animacy", "Aspect", "Case", "Definite", "Degree", "Evident", "Foreign", "Gender",
    "Mood", "NumType", "Number", "Person", "Polarity", "Polite", "Poss", "PronType", "Reflex",
    "Tense", "VerbForm", "Voice",
];

/// Whether two FEATS columns hold the same universal features, in any order.
pub fn same_universal_features(a: &str, b: &str) -> bool {
    a == b || universal_features(a) == universal_features(b)
}

/// The universal features of a FEATS column, sorted.
pub fn universal_features(feats: &str) -> Vec<&str> {
    let is_universal = |item: &&str| {
        let name = item.split('=').next().unwrap_or_default();
        UNIVERSAL_FEATURES.binary_search(&name).is_ok()
    };
    let mut items: Vec<&str> = feats.split('|').filter(is_universal).collect();
    items.sort_unstable();
    items
}

/// The scores of some metrics.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scores(pub Vec<(Metric, Score)>);

impl Scores {
    /// Scores an alignment.
    pub fn of(alignment: &Alignment, metrics: &[Metric]) -> Scores {
        let score = |&metric: &Metric| (metric, score(alignment, metric));
        Scores(metrics.par_iter().map(score).collect())
    }

    /// The score of a metric, if it is among them.
    pub fn get(&self, metric: Metric) -> Option<&Score> {
        self.0.iter().find(|(m, _)| *m == metric).map(|(_, s)| s)
    }
}

impl Serialize for Scores {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (metric, score) in &self.0 {
            map.serialize_entry(metric, score)?;
        }
        map.end()
    }
}

/// The score of one metric.
pub fn score(alignment: &Alignment, metric: Metric) -> Score {
    let Alignment { gold, system, .. } = alignment;
    let spans = |gold: &[_], system: &[_]| Score {
        gold: gold.len() as u64,
        system: system.len() as u64,
        correct: match_spans(gold, system).len() as u64,
        aligned: None,
    };
    match metric {
        Metric::Tokens => spans(&gold.tokens, &system.tokens),
        Metric::Sentences => spans(&gold.sentences, &system.sentences),
        _ => Score {
            gold: gold.words.len() as u64,
            system: system.words.len() as u64,
            correct: correct_pairs(alignment, metric).count() as u64,
            aligned: Some(alignment.pairs.len() as u64).filter(|_| metric != Metric::Words),
        },
    }
}

/// The score of one metric by gold sentence: what a system found belongs to the sentence it starts in. They add up
/// to [`score`].
pub fn score_by_sentence(alignment: &Alignment, metric: Metric) -> Vec<Score> {
    let Alignment { gold, system, .. } = alignment;
    let mut scores = vec![Score::default(); gold.sentences.len()];
    let starts: Vec<usize> = gold.sentences.iter().map(|s| s.start).collect();
    let sentence_of = |start: usize| starts.partition_point(|&s| s <= start).saturating_sub(1);
    let mut add = |start: usize, found: Score| {
        // No gold sentence, no text: then nothing is added either.
        if let Some(score) = scores.get_mut(sentence_of(start)) {
            *score += found;
        }
    };
    let one = |gold, system, correct| Score {
        gold,
        system,
        correct,
        aligned: None,
    };
    if matches!(metric, Metric::Tokens | Metric::Sentences) {
        let (gold, system) = match metric {
            Metric::Tokens => (&gold.tokens, &system.tokens),
            _ => (&gold.sentences, &system.sentences),
        };
        gold.iter().for_each(|s| add(s.start, one(1, 0, 0)));
        system.iter().for_each(|s| add(s.start, one(0, 1, 0)));
        for (g, _) in match_spans(gold, system) {
            add(gold[g].start, one(0, 0, 1));
        }
    } else {
        let (gold, system) = (&gold.words, &system.words);
        gold.iter().for_each(|w| add(w.span.start, one(1, 0, 0)));
        system.iter().for_each(|w| add(w.span.start, one(0, 1, 0)));
        for (g, _) in correct_pairs(alignment, metric) {
            add(gold[g].span.start, one(0, 0, 1));
        }
    }
    scores
}

/// The aligned words that a metric counts as right.
pub fn correct_pairs<'a>(
    alignment: &'a Alignment<'a>,
    metric: Metric,
) -> impl Iterator<Item = (usize, usize)> + 'a {
    let Alignment { gold, system, .. } = alignment;
    let agrees =
        move |&(g, s): &(usize, usize)| metric.agrees(gold.words[g].word, system.words[s].word);
    alignment.pairs.iter().copied().filter(agrees)
}

#[cfg(test)]
mod tests {
    use super::super::sample::documents;
    use super::*;

    /// (gold, system, correct, aligned)
    fn counts(gold: &str, system: &str, metric: Metric) -> (u64, u64, u64, Option<u64>) {
        let (gold, system) = (documents(gold), documents(system));
        let alignment = Alignment::new(&gold, &system).unwrap();
        let total = score(&alignment, metric);
        let mut sum = Score::default();
        for score in score_by_sentence(&alignment, metric) {
            sum += score;
        }
        assert_eq!(
            (sum.gold, sum.system, sum.correct),
            (total.gold, total.system, total.correct),
            "the sentences add up to the whole"
        );
        (total.gold, total.system, total.correct, total.aligned)
    }

    #[test]
    fn a_split_token_costs_one_and_adds_two() {
        let found = counts("a bcd e", "a b cd e", Metric::Tokens);
        assert_eq!(found, (3, 4, 2, None));
    }

    #[test]
    fn a_merged_token_costs_two_and_adds_one() {
        let found = counts("a b cd e", "a bcd e", Metric::Words);
        assert_eq!(found, (4, 3, 2, None));
    }

    #[test]
    fn a_moved_sentence_end_costs_both_sentences() {
        let found = counts("a b | c d | e", "a b c | d | e", Metric::Sentences);
        assert_eq!(found, (3, 3, 1, None));
    }

    #[test]
    fn a_missed_sentence_end_costs_two_for_one() {
        let found = counts("a b | c d | e", "a b c d | e", Metric::Sentences);
        assert_eq!(found, (3, 2, 1, None));
    }

    #[test]
    fn a_dropped_multi_word_token_keeps_its_words() {
        let (gold, system) = ("I {don't do n't}", "I do n't");
        assert_eq!(counts(gold, system, Metric::Tokens), (2, 3, 1, None));
        assert_eq!(counts(gold, system, Metric::Words), (3, 3, 3, None));
    }

    #[test]
    fn tags_are_scored_on_aligned_words() {
        let (gold, system) = ("a/DET bcd/NOUN e/VERB", "a/DET b/NOUN cd/NOUN e/ADJ");
        assert_eq!(counts(gold, system, Metric::Upos), (3, 4, 1, Some(2)));
    }

    #[test]
    fn only_universal_features_count_and_their_order_does_not() {
        assert!(same_universal_features(
            "Number=Sing|Case=Nom|Typo=Yes",
            "Case=Nom|Number=Sing"
        ));
        assert!(!same_universal_features("Number=Sing", "Number=Plur"));
        assert!(!same_universal_features("Number=Sing", ""));
        assert!(same_universal_features("ExtPos=ADV", ""));
        // A layered feature is not the universal one.
        assert!(same_universal_features("Number[psor]=Sing", ""));
    }

    #[test]
    fn universal_features_are_sorted_for_the_search() {
        assert!(UNIVERSAL_FEATURES.is_sorted());
    }

    #[test]
    fn all_tags_needs_upos_xpos_and_features() {
        let gold = "a/X//Case=Nom b/X//Case=Nom c/X//Case=Nom";
        let system = "a/X//Case=Nom b/Y//Case=Nom c/X//Case=Acc";
        assert_eq!(counts(gold, system, Metric::AllTags), (3, 3, 1, Some(3)));
    }

    #[test]
    fn a_word_without_gold_lemma_counts_as_right() {
        let found = counts("a/X/a b/X c/X/c", "a/X/a b/X/b c/X/d", Metric::Lemmas);
        assert_eq!(found, (3, 3, 2, Some(3)));
    }

    #[test]
    fn precision_recall_and_f1_follow_their_formulas() {
        let score = Score {
            gold: 8,
            system: 5,
            correct: 4,
            aligned: Some(5),
        };
        assert_eq!(score.precision(), 0.8);
        assert_eq!(score.recall(), 0.5);
        assert_eq!(score.f1(), 8.0 / 13.0);
        assert_eq!(score.aligned_accuracy(), Some(0.8));
        assert_eq!(Score::default().f1(), 0.0);
    }
}
