//! The report of an evaluation: its runs, as a table for people and as JSON for programs.
//!
//! ```text
//! gold tokens        precision     recall         F1   accuracy       gold     system
//!   UPOS                 88.95      88.95      88.95      88.95      25147      25147
//! ```
//!
//! Percentages, two decimals; JSON has the fractions and every confusion. "accuracy" is that of aligned words.

use super::align::{Alignment, TextsDiffer};
use super::compare::{Comparison, compare};
use super::entities::{EntityScores, MatchedBy, score_entities_by_sentence};
use super::scores::{Metric, Score, Scores, score_by_sentence};
use super::tags::{Confusion, TagTable, Vocabulary, score_unseen};
use crate::text::document::Document;
use crate::text::{lemma, ner, pos, tokenize};
use rayon::prelude::*;
use serde::Serialize;
use std::fmt::Write;

/// What is evaluated, which decides what is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    Tokenize,
    Pos,
    Lemmatize,
    Ner,
}

impl Task {
    /// The name of the layer, and of the command.
    pub fn name(self) -> &'static str {
        match self {
            Task::Tokenize => tokenize::LAYER,
            Task::Pos => pos::LAYER,
            Task::Lemmatize => lemma::LAYER,
            Task::Ner => ner::LAYER,
        }
    }

    /// What is scored from raw text.
    pub fn raw_metrics(self) -> &'static [Metric] {
        match self {
            Task::Tokenize | Task::Ner => &[Metric::Tokens, Metric::Sentences, Metric::Words],
            Task::Pos => &[
                Metric::Tokens,
                Metric::Sentences,
                Metric::Words,
                Metric::Upos,
                Metric::Xpos,
                Metric::Ufeats,
                Metric::AllTags,
            ],
            Task::Lemmatize => &[
                Metric::Tokens,
                Metric::Sentences,
                Metric::Words,
                Metric::Lemmas,
            ],
        }
    }

    /// What is scored when the system was given the gold words.
    pub fn word_metrics(self) -> &'static [Metric] {
        &self.raw_metrics()[3..]
    }

    /// What is scored when the annotation comes from elsewhere.
    pub fn system_metrics(self) -> &'static [Metric] {
        match self {
            Task::Tokenize | Task::Ner => self.raw_metrics(),
            Task::Pos | Task::Lemmatize => &Metric::ALL,
        }
    }

    /// The columns that are reported value by value.
    fn columns(self) -> &'static [Metric] {
        match self {
            Task::Pos => &[Metric::Upos, Metric::Xpos, Metric::Ufeats],
            Task::Lemmatize => &[Metric::Lemmas],
            Task::Tokenize | Task::Ner => &[],
        }
    }
}

/// An evaluation: one table per run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    pub task: Task,
    /// The gold files, as they were named.
    pub gold: Vec<String>,
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
    /// With another system's annotation of the same text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub comparisons: Vec<Comparison>,
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
        against: &[Document],
    ) -> Result<(), TextsDiffer> {
        let first = Alignment::new(gold, system)?;
        let second = Alignment::new(gold, against)?;
        for &(metric, _) in &self.scores.0 {
            let by_sentence = |alignment| score_by_sentence(alignment, metric);
            let (a, b) = (by_sentence(&first), by_sentence(&second));
            self.comparisons.push(compare(metric.name(), &a, &b));
        }
        if self.entities.is_some() {
            let (a, b) = (&first, &second);
            let (a, b) = (score_entities_by_sentence(a), score_entities_by_sentence(b));
            self.comparisons.push(compare("Entities", &a, &b));
        }
        Ok(())
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
            .map(|e| ("Entities".to_owned(), percent(&e.micro)));
        metrics
            .chain(entities)
            .collect::<serde_json::Map<_, _>>()
            .into()
    }
}

/// Confusions that the table shows; JSON has all.
const SHOWN_CONFUSIONS: usize = 15;

impl Report {
    /// The report as tables, ending in a line end.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        for (i, run) in self.runs.iter().enumerate() {
            if i > 0 {
                out.push('\n');
            }
            print_run(run, &mut out);
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

fn print_run(run: &Run, out: &mut String) {
    print_header(&run.name, out);
    for (metric, score) in &run.scores.0 {
        print_score(metric.name(), score, out);
    }
    if let Some(entities) = &run.entities {
        print_score("Entities", &entities.micro, out);
        for (label, score) in &entities.types {
            print_score(&format!("  {label}"), score, out);
        }
        if entities.matched_by == MatchedBy::Characters {
            line(
                out,
                "  (entities by their characters: words or sentences differ)",
            );
        }
    }
    if let Some(unseen) = &run.unseen {
        out.push('\n');
        print_header("words unseen in training", out);
        for (metric, score) in &unseen.0 {
            print_score(metric.name(), score, out);
        }
    }
    for table in run.tags.iter().filter(|t| !t.tags.is_empty()) {
        out.push('\n');
        print_header(&format!("{} by tag", table.column.name()), out);
        for (tag, score) in &table.tags {
            print_score(tag, score, out);
        }
    }
    for table in &run.tags {
        print_confusions(table.column.name(), &table.confusions, out);
    }
    if let Some(entities) = &run.entities {
        print_confusions("Entities", &entities.confusions, out);
    }
    print_comparisons(&run.comparisons, out);
}

/// The width of the first column; longer names push the line to the right.
const NAME: usize = 32;

fn print_header(name: &str, out: &mut String) {
    let columns = ["precision", "recall", "F1", "accuracy", "gold", "system"];
    let columns: String = columns.iter().map(|c| format!("{c:>11}")).collect();
    line(out, &format!("{name:NAME$}{columns}"));
}

fn print_score(name: &str, score: &Score, out: &mut String) {
    let percent = |share: f64| format!("{:>11.2}", 100.0 * share);
    let accuracy = match score.aligned_accuracy() {
        Some(accuracy) => percent(accuracy),
        None => " ".repeat(11),
    };
    let name = format!("  {name}");
    let shares = [score.precision(), score.recall(), score.f1()].map(percent);
    let (gold, system) = (score.gold, score.system);
    let shares = shares.concat();
    line(
        out,
        &format!("{name:NAME$}{shares}{accuracy}{gold:>11}{system:>11}"),
    );
}

fn print_confusions(column: &str, confusions: &[Confusion], out: &mut String) {
    if confusions.is_empty() {
        return;
    }
    line(out, "");
    let name = format!("{column} confused");
    line(out, &format!("{name:NAME$}{:>11}", "count"));
    for confusion in confusions.iter().take(SHOWN_CONFUSIONS) {
        let pair = format!("  {} as {}", confusion.gold, confusion.system);
        line(out, &format!("{pair:NAME$}{:>11}", confusion.count));
    }
    if let Some(rest) = confusions.get(SHOWN_CONFUSIONS..)
        && !rest.is_empty()
    {
        let count: u64 = rest.iter().map(|c| c.count).sum();
        let pair = format!("  {} other pairs", rest.len());
        line(out, &format!("{pair:NAME$}{count:>11}"));
    }
}

fn print_comparisons(comparisons: &[Comparison], out: &mut String) {
    if comparisons.is_empty() {
        return;
    }
    line(out, "");
    let columns = ["F1", "against", "difference", "p"];
    let columns: String = columns.iter().map(|c| format!("{c:>11}")).collect();
    line(out, &format!("{:NAME$}{columns}", "compared"));
    for found in comparisons {
        let name = format!("  {}", found.metric);
        let [f1, against] = [found.f1, found.against_f1].map(|f1| 100.0 * f1);
        let (difference, p) = (100.0 * found.difference, found.p);
        let numbers = format!("{f1:>11.2}{against:>11.2}{difference:>+11.2}{p:>11.4}");
        line(out, &format!("{name:NAME$}{numbers}"));
    }
}

fn line(out: &mut String, text: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{}", text.trim_end());
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
            runs: vec![run.unwrap()],
        }
    }

    #[test]
    fn the_table_shows_scores_unseen_words_tags_and_confusions() {
        let metrics = [Metric::Words, Metric::Upos];
        let found = report(Task::Pos, &metrics, "a/DET b/NOUN", "a/DET b/VERB").to_text();
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
        let found = report(Task::Ner, &[], gold, system).to_text();
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
        run.compare(&gold, &system, &against).unwrap();
        assert_eq!(run.comparisons[0].difference, 0.5);
        let report = Report {
            task: Task::Pos,
            gold: Vec::new(),
            runs: vec![run],
        };
        assert!(report.to_text().contains("+50.00"));
    }
}
