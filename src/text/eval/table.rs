//! The report as tables for people.

use super::compare::Comparison;
use super::confusion::{Confusion, Example};
use super::entities::MatchedBy;
use super::report::{Against, ENTITIES, Run};
use super::scores::Score;
use std::fmt::Write;

/// Appends the tables of a run, with so many confusions for each column.
pub fn print_run(run: &Run, groups: usize, out: &mut String) {
    print_header(&run.name, out);
    for (metric, score) in &run.scores.0 {
        print_score(metric.name(), score, out);
    }
    if let Some(entities) = &run.entities {
        print_score(ENTITIES, &entities.micro, out);
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
        print_confusions(table.column.name(), &table.confusions, groups, out);
    }
    if let Some(entities) = &run.entities {
        print_confusions(ENTITIES, &entities.confusions, groups, out);
    }
    if let Some(against) = &run.against {
        print_comparisons(against, &run.comparisons, out);
    }
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

fn print_confusions(column: &str, confusions: &[Confusion], groups: usize, out: &mut String) {
    if confusions.is_empty() {
        return;
    }
    line(out, "");
    let name = format!("{column} confused");
    line(out, &format!("{name:NAME$}{:>11}", "count"));
    for confusion in confusions.iter().take(groups) {
        let pair = format!("  {}", confusion.title());
        line(out, &format!("{pair:NAME$}{:>11}", confusion.count));
        for example in &confusion.examples {
            print_example(example, out);
        }
    }
    if let Some(rest) = confusions.get(groups..)
        && !rest.is_empty()
    {
        let count: u64 = rest.iter().map(|c| c.count).sum();
        let pair = format!("  {} other pairs", rest.len());
        line(out, &format!("{pair:NAME$}{count:>11}"));
    }
}

/// One place: the words around it, and the sentence for whoever wants to look it up.
fn print_example(example: &Example, out: &mut String) {
    let Example {
        left, text, right, ..
    } = example;
    let mut words = format!("{left} [{text}] {right}").trim().to_owned();
    if let Some(found) = &example.found {
        words += &format!("  found: [{found}]");
    }
    line(out, &format!("      {words}  ({})", example.place()));
}

fn print_comparisons(against: &Against, comparisons: &[Comparison], out: &mut String) {
    line(out, "");
    let columns = ["ours", "other", "difference", "p"];
    let columns: String = columns.iter().map(|c| format!("{c:>11}")).collect();
    line(out, &format!("{:NAME$}{columns}", "F1 compared"));
    for found in comparisons {
        let name = match &found.label {
            Some(label) => format!("    {label}"),
            None => format!("  {}", found.metric),
        };
        let [f1, against] = [found.f1, found.against_f1].map(|f1| 100.0 * f1);
        let (difference, p) = (100.0 * found.difference, found.p);
        let numbers = format!("{f1:>11.2}{against:>11.2}{difference:>+11.2}{p:>11.4}");
        line(out, &format!("{name:NAME$}{numbers}"));
    }
    line(out, &format!("  other: {}", against.name));
    line(out, &format!("  {}", against.meaning_of_p()));
}

fn line(out: &mut String, text: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{}", text.trim_end());
}
