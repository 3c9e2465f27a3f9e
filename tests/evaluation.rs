//! `wordmill tokenize|pos|lemmatize|ner eval`: reports, and files that cannot be compared.

use crate::harness::{root, shell, wordmill};
use serde_json::Value;
use std::path::{Path, PathBuf};

const GOLD: &str = "corpora/tagged.conllu";

/// The commands, and what each scores.
const METRICS: &[(&str, &[&str])] = &[
    ("tokenize", &["Tokens", "Sentences", "Words"]),
    ("pos", &["UPOS", "XPOS", "UFeats", "AllTags"]),
    ("lemmatize", &["Lemmas"]),
    ("ner", &[]),
];

fn report(args: &str) -> Value {
    serde_json::from_str(&wordmill(&format!("{args} --to json")).text()).expect("one object")
}

/// F1 of every score in a run.
fn scores(run: &Value) -> Vec<(String, f64)> {
    let scores = run["scores"].as_object().expect("scores").iter();
    let mut all: Vec<_> = scores
        .map(|(name, s)| (name.clone(), s["f1"].as_f64().unwrap()))
        .collect();
    if let Some(micro) = run.get("entities").map(|e| &e["micro"]) {
        all.push(("Entities".to_string(), micro["f1"].as_f64().unwrap()));
    }
    all
}

#[test]
fn a_gold_standard_agrees_with_itself() {
    for (command, metrics) in METRICS {
        let report = report(&format!("{command} eval {GOLD} --system {GOLD}"));
        let scores = scores(&report["runs"][0]);
        for metric in *metrics {
            assert!(
                scores.iter().any(|(name, _)| name == metric),
                "{command}: no {metric} in {scores:?}"
            );
        }
        assert!(
            scores.iter().all(|(_, f1)| *f1 == 1.0),
            "{command}: {scores:?}"
        );
        let table = wordmill(&format!("{command} eval {GOLD} --system {GOLD}")).text();
        assert!(table.contains("100.00"), "{table}");
    }
}

#[test]
fn the_models_inside_are_scored_on_gold_tokens_and_on_raw_text() {
    for (command, metrics) in METRICS {
        let report = report(&format!("{command} eval {GOLD}"));
        assert_eq!(report["task"], *command);
        assert_eq!(report["gold"][0], GOLD);
        let runs = report["runs"].as_array().unwrap();
        assert!(runs.len() >= 2, "{command}: {} runs", runs.len());
        for run in runs {
            let scores = scores(run);
            assert!(!scores.is_empty(), "{command}");
            for (name, f1) in &scores {
                // Far below what any model worth its place reaches; the exact figures stand in its card.
                assert!(
                    (0.5..=1.0).contains(f1),
                    "{command} {}: {name} {f1}",
                    run["name"]
                );
            }
            let names: Vec<&String> = scores.iter().map(|(name, _)| name).collect();
            let has = |metric: &&&str| names.iter().any(|name| name.as_str() == **metric);
            assert_eq!(
                metrics.iter().filter(has).count(),
                metrics.len(),
                "{command}: {names:?}"
            );
        }
    }
}

#[test]
fn a_model_that_is_named_is_scored_and_compared() {
    let folder = tempfile::tempdir().unwrap();
    for (command, _) in METRICS {
        let model = folder.path().join(command);
        wordmill(&format!("{command} train {GOLD} -q -o"))
            .arg(&model)
            .text();
        let call = wordmill(&format!("{command} eval {GOLD} --to json --model")).arg(&model);
        let one: Value = serde_json::from_str(&call.text()).unwrap();
        assert!(one["runs"][0].get("scores").is_some());
        let call = wordmill(&format!("{command} eval {GOLD} --against")).arg(&model);
        assert!(call.text().contains('p'), "{command}");
    }
}

#[test]
fn words_unseen_in_training_are_scored_apart() {
    let table = wordmill(&format!("pos eval {GOLD} --train {GOLD}")).text();
    let json = report(&format!("pos eval {GOLD} --train {GOLD}"));
    assert!(
        json["runs"][0].get("unseen").is_some() || table.contains("unseen"),
        "{table}"
    );
}

#[test]
fn a_system_that_annotated_another_text_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other.conllu");
    std::fs::write(&other, "1\tOther\t_\t_\t_\t_\t_\t_\t_\t_\n\n").unwrap();
    for (command, _) in METRICS {
        let call = wordmill(&format!("{command} eval {GOLD} --system")).arg(&other);
        let message = call.fails(1);
        assert!(
            message.starts_with(&format!("wordmill {command} eval: {}: ", other.display())),
            "{message}"
        );
        assert!(
            message.contains("\nhint: it must annotate the text of the gold standard"),
            "{message}"
        );
    }
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty");
    std::fs::write(&empty, "").unwrap();
    for (command, _) in METRICS {
        wordmill(&format!("{command} eval")).fails(2);
        wordmill(&format!("{command} eval {GOLD} --no-such-flag")).fails(2);
        assert!(
            wordmill(&format!("{command} eval no/such"))
                .fails(1)
                .contains("no/such: no such file")
        );
        assert!(
            wordmill(&format!("{command} eval"))
                .arg(&empty)
                .fails(1)
                .contains("empty: no sentences")
        );
        let text = wordmill(&format!("{command} eval corpora/sample.txt")).fails(1);
        assert!(
            text.contains("corpora/sample.txt:1: ") && text.contains("\nhint: "),
            "{text}"
        );
    }
}

#[test]
fn the_report_can_be_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.json");
    let call = wordmill(&format!("ner eval {GOLD} --system {GOLD} --to json -o")).arg(&path);
    assert_eq!(call.text(), "");
    let report: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(report["runs"][0]["entities"]["micro"]["f1"], 1.0);
}

/// The gold standard with a change, as another system's file.
fn changed(folder: &Path, name: &str, change: impl Fn(&str) -> String) -> PathBuf {
    let gold = std::fs::read_to_string(root().join(GOLD)).unwrap();
    let path = folder.join(name);
    std::fs::write(&path, change(&gold)).unwrap();
    path
}

#[test]
fn a_system_is_compared_with_a_file_by_every_metric() {
    let folder = tempfile::tempdir().unwrap();
    let other = changed(folder.path(), "other.conllu", |gold| {
        gold.replace("\tNOUN\t", "\tVERB\t")
            .replace("NER=B-LOC", "NER=B-ORG")
    });
    for (command, metric) in [("pos", "UPOS"), ("ner", "Entities")] {
        let call = format!("{command} eval {GOLD} --system {GOLD} --to json --against");
        let report: Value = serde_json::from_str(&wordmill(&call).arg(&other).text()).unwrap();
        let run = &report["runs"][0];
        assert_eq!(run["against"]["shuffles"], 10_000);
        let all = run["comparisons"].as_array().unwrap();
        let found = all.iter().find(|c| c["metric"] == metric).unwrap();
        assert_eq!(found["f1"], 1.0, "{command}");
        assert!(found["difference"].as_f64().unwrap() > 0.05, "{found}");
        assert!(found["p"].as_f64().unwrap() < 0.05, "{found}");
        let same = all.iter().find(|c| c["metric"] == "Tokens").unwrap();
        assert_eq!(same["p"], 1.0, "{command}");
    }
}

#[test]
fn a_file_with_the_gold_words_is_compared_on_gold_tokens_only() {
    for command in ["pos", "lemmatize", "ner"] {
        let report = report(&format!("{command} eval {GOLD} --against {GOLD}"));
        for run in report["runs"].as_array().unwrap() {
            let is_compared = run.get("comparisons").is_some();
            let is_given_words = run["name"].as_str().unwrap().starts_with("gold tokens");
            assert_eq!(is_compared, is_given_words, "{command} {}", run["name"]);
        }
    }
}

#[test]
fn a_file_is_compared_with_a_model() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model");
    let train = wordmill(&format!("ner train {GOLD} -q -o"));
    train.arg(&model).text();
    let call = wordmill(&format!("ner eval {GOLD} --system {GOLD} --against")).arg(&model);
    let found = call.text();
    assert!(
        found.contains("\nF1 compared ") && found.contains("  p: share of 10000 "),
        "{found}"
    );
}

#[test]
fn the_same_command_prints_the_same_bytes_and_threads_do_not_matter() {
    let folder = tempfile::tempdir().unwrap();
    let other = changed(folder.path(), "other.conllu", |gold| {
        gold.replacen("\tNOUN\t", "\tVERB\t", 9)
    });
    let run = |threads: &str| {
        let line = format!(
            "RAYON_NUM_THREADS={threads} wordmill pos eval {GOLD} --errors 3 --against {}",
            other.display()
        );
        shell(&line).text()
    };
    assert_eq!(run("1"), run("2"));
}

#[test]
fn what_cannot_be_compared_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let against = |command: &str, other: &Path| {
        let call = wordmill(&format!("{command} eval {GOLD} --against"));
        let message = call.arg(other).fails(1);
        let start = format!("wordmill {command} eval: {}", other.display());
        assert!(message.starts_with(&start), "{message}");
        message[start.len()..].to_string()
    };
    assert_eq!(against("pos", &path("missing")), ": no such file\n");
    std::fs::write(path("empty"), "").unwrap();
    assert!(against("ner", &path("empty")).starts_with(": no sentences\nhint: "));
    wordmill("model pack ner -o").arg(path("ner")).text();
    let other_task = against("pos", &path("ner"));
    assert!(
        other_task.starts_with(": the model holds ner, not pos\n"),
        "{other_task}"
    );
    let untagged = changed(folder.path(), "untagged", |gold| {
        let bare = |line: &str| match line.split('\t').collect::<Vec<_>>()[..] {
            [id, form, ..] => format!("{id}\t{form}\t_\t_\t_\t_\t_\t_\t_\t_\n"),
            _ => format!("{line}\n"),
        };
        gold.lines().map(bare).collect()
    });
    assert!(against("pos", &untagged).starts_with(": no word has a part of speech\nhint: "));
    assert!(against("lemmatize", &untagged).starts_with(": no word has a lemma\nhint: "));
    let other_text = changed(folder.path(), "text", |gold| {
        gold.replace("\tovens\t", "\tstoves\t")
            .replace("\toven\t", "\tstove\t")
    });
    let message = against("ner", &other_text);
    assert!(
        message.contains(", in sentence 2 (bakery-2): \"stove"),
        "{message}"
    );
    let broken = changed(folder.path(), "broken", |gold| {
        gold.replacen("\t_\t_\t_\t", "\t", 1)
    });
    assert!(against("pos", &broken).starts_with(":5: expected 10 columns, found 7\n"));
}

#[test]
fn shuffles_need_another_system() {
    for flag in ["--shuffles 10", "--seed 2", "--shuffles 0 --against x"] {
        wordmill(&format!("pos eval {GOLD} {flag}")).fails(2);
    }
    wordmill(&format!("tokenize eval {GOLD} --errors 3")).fails(2);
}

#[test]
fn errors_are_shown_with_their_context() {
    let folder = tempfile::tempdir().unwrap();
    let other = changed(folder.path(), "other.conllu", |gold| {
        gold.replace("Lisbon\tLisbon\tPROPN", "Lisbon\tLisbon\tNOUN")
    });
    let call = wordmill(&format!("pos eval {GOLD} --errors 1 --system")).arg(&other);
    let table = call.text();
    let expected = "… opened a small bakery in [Lisbon] in 2009 .  (bakery-1)\n";
    assert!(table.contains(expected), "{table}");
    let call = wordmill(&format!("pos eval {GOLD} --errors 1 --to json --system")).arg(&other);
    let report: Value = serde_json::from_str(&call.text()).unwrap();
    let upos = &report["runs"][0]["tags"][0]["confusions"][0];
    assert_eq!(upos["examples"][0]["text"], "Lisbon");
    let call = wordmill(&format!("pos eval {GOLD} --to json --system")).arg(&other);
    let report: Value = serde_json::from_str(&call.text()).unwrap();
    let upos = &report["runs"][0]["tags"][0]["confusions"][0];
    assert!(
        upos.get("examples").is_none(),
        "only when asked for: {upos}"
    );
}

#[test]
fn the_page_leaves_the_report_as_it_is_and_stands_alone() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    for (command, _) in METRICS {
        let plain = wordmill(&format!("{command} eval {GOLD}")).text();
        let call = wordmill(&format!("{command} eval {GOLD} --report")).arg(&page);
        assert_eq!(call.text(), plain, "{command}");
        let html = std::fs::read_to_string(&page).unwrap();
        assert!(html.starts_with("<!doctype html>") && html.ends_with("</html>\n"));
        assert!(html.contains("<h3>Scores</h3>"), "{command}");
        let has_matrix = html.contains("<table class=\"matrix\">");
        assert_eq!(has_matrix, matches!(*command, "pos" | "ner"), "{command}");
        for part in ["<script", "<link", "<img", "src=", "href=", "url("] {
            assert!(!html.contains(part), "{command}: {part}");
        }
    }
}

#[test]
fn a_page_that_cannot_be_written_is_named_before_anything_is_printed() {
    let outcome = wordmill(&format!("pos eval {GOLD} --report no/such/page.html")).run();
    let expected = "wordmill pos eval: no/such/page.html: no such folder\n";
    outcome.expect(outcome.status == 1 && outcome.stderr == expected, expected);
    outcome.expect(outcome.stdout.is_empty(), "nothing printed");
    wordmill(&format!("pos eval {GOLD} --report -")).fails(2);
    let folder = tempfile::tempdir().unwrap();
    let page = wordmill("pos eval no/such --report").arg(folder.path().join("page"));
    page.fails(1);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_gold_standard_in_columns_is_compared_with_conllu() {
    let folder = tempfile::tempdir().unwrap();
    let gold = folder.path().join("gold.iob");
    std::fs::write(&gold, "Ann B-PER\nsleeps O\n\n").unwrap();
    let other = folder.path().join("other.conllu");
    let words = "1\tAnn\t_\t_\t_\t_\t_\t_\t_\tNER=B-PER\n2\tsleeps\t_\t_\t_\t_\t_\t_\t_\t_\n\n";
    std::fs::write(&other, words).unwrap();
    let call = wordmill("ner eval --columns form,ner --against").arg(&other);
    assert!(call.arg(&gold).text().contains("\nF1 compared "));
}
