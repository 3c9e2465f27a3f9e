//! The report of an evaluation: its runs, as tables and a page for people and as JSON for programs.
//!
//! ```text
//! gold tokens        precision     recall         F1   accuracy       gold     system
//!   UPOS                 88.95      88.95      88.95      88.95      25147      25147
//! ```
//!
//! Percentages, two decimals; JSON has the fractions and every confusion. "accuracy" is that of aligned words.

use super::align::{Alignment, TextsDiffer};
use super::compare::{Comparison, Randomization, compare};
use super::confusion::Confusion;
use super::entities::{EntityScores, score_entities_by_sentence};
use super::page::page;
use super::scores::{Metric, Score, Scores, score_by_sentence};
use super::table::print_run;
use super::tags::{TagTable, Vocabulary, score_unseen};
use super::task::Task;
use crate::text::document::Document;
use rayon::prelude::*;
use serde::Serialize;
use std::collections::BTreeSet;

/// An evaluation: one table per run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    pub task: Task,
    /// The gold files, as they were named.
    pub gold: Vec<String>,
    /// What is scored: the models or the file, as they were named.
    pub system: Vec<String>,
    pub runs: Vec<Run>,
}

/// One annotation scored against the gold standard.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Run {
    /// How it came about: "gold tokens", "raw text", the name of a file.
    pub name: String,
    pub scores: Scores,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entities: Option<EntityScores>,
    /// On words unseen in training, if the words seen are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unseen: Option<Scores>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<TagTable>,
    /// The other system that it is compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against: Option<Against>,
    /// By every metric.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub comparisons: Vec<Comparison>,
}

/// Another system, and how it is compared.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Against {
    /// As it was named.
    pub name: String,
    #[serde(flatten)]
    pub randomization: Randomization,
}

impl Against {
    /// What p means, in one line.
    pub fn meaning_of_p(&self) -> String {
        format!(
            "p: share of {} shuffles, each swapping the two systems' sentences at random, with as large a difference",
            self.randomization.shuffles
        )
    }
}

impl Run {
    /// Scores one annotation by `metrics`.
    ///
    /// # Errors
    /// `system` is not an annotation of the text of `gold`.
    pub fn of(
        name: &str,
        (task, metrics): (Task, &[Metric]),
        gold: &[Document],
        system: &[Document],
        known: Option<&Vocabulary>,
    ) -> Result<Run, TextsDiffer> {
        let alignment = Alignment::new(gold, system)?;
        let on_words = metrics
            .iter()
            .any(|m| !Task::Tokenize.raw_metrics().contains(m));
        let table = |&column: &Metric| TagTable::of(&alignment, column);
        Ok(Run {
            name: name.to_owned(),
            scores: Scores::of(&alignment, metrics),
            entities: (task == Task::Ner).then(|| EntityScores::of(&alignment)),
            unseen: known
                .filter(|_| on_words)
                .map(|known| score_unseen(&alignment, metrics, known)),
            tags: task.columns().par_iter().map(table).collect(),
            against: None,
            comparisons: Vec::new(),
        })
    }

    /// Adds the comparison with another system's annotation of the same text.
    ///
    /// # Errors
    /// One of them is not an annotation of the text of `gold`.
    pub fn compare(
        &mut self,
        gold: &[Document],
        system: &[Document],
        (against, other): (&Against, &[Document]),
    ) -> Result<(), TextsDiffer> {
        let first = Alignment::new(gold, system)?;
        let second = Alignment::new(gold, other)?;
        let mut add = |metric: &str, label: Option<&str>, a: &[Score], b: &[Score]| {
            self.comparisons.push(Comparison {
                label: label.map(str::to_owned),
                ..compare(metric, a, b, &against.randomization)
            });
        };
        for &(metric, _) in &self.scores.0 {
            let by_sentence = |alignment| score_by_sentence(alignment, metric);
            let (a, b) = (by_sentence(&first), by_sentence(&second));
            add(metric.name(), None, &a, &b);
        }
        if self.entities.is_some() {
            let (all, types) = score_entities_by_sentence(&first);
            let (other_all, other_types) = score_entities_by_sentence(&second);
            add(ENTITIES, None, &all, &other_all);
            // A type that one of them has nowhere, and the gold standard neither, is all zeros there.
            let none = vec![Score::default(); all.len()];
            let labels: BTreeSet<&String> = types.keys().chain(other_types.keys()).collect();
            for label in labels {
                let [a, b] = [&types, &other_types].map(|types| types.get(label).unwrap_or(&none));
                add(ENTITIES, Some(label), a, b);
            }
        }
        self.against = Some(against.clone());
        Ok(())
    }

    /// Keeps the examples of the first confusions of every kind only.
    fn keep_examples(&mut self, groups: usize) {
        let of_tags = self.tags.iter_mut().map(|table| &mut table.confusions);
        let of_entities = self.entities.iter_mut().map(|e| &mut e.confusions);
        let all = of_tags
            .chain(of_entities)
            .flat_map(|c: &mut Vec<Confusion>| c.iter_mut().skip(groups));
        all.for_each(|confusion| confusion.examples.clear());
    }
}

impl Run {
    /// The F1 of every metric and of entities in percent, as in `{"UPOS":95.27}`.
    pub fn summary(&self) -> serde_json::Value {
        let percent = |score: &Score| serde_json::json!((score.f1() * 1e4).round() / 100.0);
        let metrics = self
            .scores
            .0
            .iter()
            .map(|(metric, score)| (metric.name().to_owned(), percent(score)));
        let entities = self
            .entities
            .iter()
            .map(|e| (ENTITIES.to_owned(), percent(&e.micro)));
        metrics
            .chain(entities)
            .collect::<serde_json::Map<_, _>>()
            .into()
    }
}

/// What the entities of all types together are called beside the metrics.
pub const ENTITIES: &str = "Entities";

/// Confusions that a table shows unless told otherwise; JSON has all.
pub const SHOWN_CONFUSIONS: usize = 15;

impl Report {
    /// Keeps the examples of the most frequent confusions only, so many for each column.
    pub fn keep_examples(&mut self, groups: usize) {
        self.runs
            .iter_mut()
            .for_each(|run| run.keep_examples(groups));
    }

    /// The report as a page of HTML that needs nothing else, with so many confusions for each column.
    pub fn to_html(&self, groups: usize) -> String {
        page(self, groups)
    }

    /// The report as tables, ending in a line end, with so many confusions for each column and the examples kept.
    pub fn to_text(&self, groups: usize) -> String {
        let mut out = String::new();
        for (i, run) in self.runs.iter().enumerate() {
            if i > 0 {
                out.push('\n');
            }
            print_run(run, groups, &mut out);
        }
        out
    }

    /// The report as one line of JSON, ending in a line end.
    ///
    /// # Errors
    /// None that is known: every value is a string or a finite number.
    pub fn to_json(&self) -> serde_json::Result<String> {
        let mut out = serde_json::to_string(self)?;
        out.push('\n');
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::documents;
    use super::super::tags::vocabulary;
    use super::*;

    fn report(task: Task, metrics: &[Metric], gold: &str, system: &str) -> Report {
        let (gold, system) = (documents(gold), documents(system));
        let known = vocabulary(&documents("a"));
        let run = Run::of("gold tokens", (task, metrics), &gold, &system, Some(&known));
        Report {
            task,
            gold: vec!["gold.conllu".to_owned()],
            system: vec!["model".to_owned()],
            runs: vec![run.unwrap()],
        }
    }

    #[test]
    fn the_table_shows_scores_unseen_words_tags_and_confusions() {
        let metrics = [Metric::Words, Metric::Upos];
        let found =
            report(Task::Pos, &metrics, "a/DET b/NOUN", "a/DET b/VERB").to_text(SHOWN_CONFUSIONS);
        let expected = "\
gold tokens                       precision     recall         F1   accuracy       gold     system
  Words                              100.00     100.00     100.00                     2          2
  UPOS                                50.00      50.00      50.00      50.00          2          2

words unseen in training          precision     recall         F1   accuracy       gold     system
  Words                              100.00     100.00     100.00     100.00          1          1
  UPOS                                 0.00       0.00       0.00       0.00          1          1
";
        assert!(found.starts_with(expected), "{found}");
        assert!(found.contains("\nUPOS by tag "), "{found}");
        assert!(
            found.contains("\n  NOUN as VERB                            1\n"),
            "{found}"
        );
    }

    #[test]
    fn json_has_the_fractions() {
        let found = report(
            Task::Lemmatize,
            &[Metric::Lemmas],
            "a/X/a b/X/b",
            "a/X/a b/X/c",
        );
        let found: serde_json::Value = serde_json::from_str(&found.to_json().unwrap()).unwrap();
        assert_eq!(found["task"], "lemmatize");
        let run = &found["runs"][0];
        assert_eq!(run["scores"]["Lemmas"]["f1"], 0.5);
        assert_eq!(run["tags"][0]["confusions"][0]["system"], "c");
        assert_eq!(run["unseen"]["Lemmas"]["gold"], 1);
    }

    #[test]
    fn entities_stand_under_their_total() {
        let (gold, system) = ("a////B-PER b////B-LOC", "a////B-PER b////B-ORG");
        let found = report(Task::Ner, &[], gold, system).to_text(SHOWN_CONFUSIONS);
        assert!(found.contains("\n  Entities  "), "{found}");
        assert!(found.contains("\n    ORG  "), "{found}");
        assert!(found.contains("\n  LOC as ORG "), "{found}");
    }

    #[test]
    fn two_systems_are_compared_by_every_metric() {
        let (gold, system, against) = (
            documents("a/DET | b/NOUN"),
            documents("a/DET | b/NOUN"),
            documents("a/DET | b/VERB"),
        );
        let metrics = (Task::Pos, &[Metric::Upos][..]);
        let mut run = Run::of("raw text", metrics, &gold, &system, None).unwrap();
        let other = Against {
            name: "other".to_owned(),
            randomization: Randomization::default(),
        };
        run.compare(&gold, &system, (&other, &against)).unwrap();
        assert_eq!(run.comparisons[0].difference, 0.5);
        let report = Report {
            task: Task::Pos,
            gold: Vec::new(),
            system: Vec::new(),
            runs: vec![run],
        };
        assert!(report.to_text(SHOWN_CONFUSIONS).contains("+50.00"));
    }
}
