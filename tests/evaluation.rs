//! `wordmill tokenize|pos|lemmatize|ner eval`: reports, and files that cannot be compared.

use crate::harness::wordmill;
use serde_json::Value;

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
