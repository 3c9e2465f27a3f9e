//! What `ner` and `annotate` do with the entities they find: lists of the user's own, labels, redaction, scores.

use crate::harness::wordmill;

const TEXT: &str = "Ann Lee lives in New York.\nShe paid Ann Lee $5 for zorbin.\n";

fn output(command: &str, text: &str) -> String {
    wordmill(command).stdin(text).text()
}

fn list(lines: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("names.tsv");
    std::fs::write(&path, lines).unwrap();
    let flag = format!("--gazetteer {}", path.display());
    (folder, flag)
}

#[test]
fn redacted_text_keeps_all_but_its_entities() {
    let expected = "[PER] lives in [LOC].\nShe paid [PER] [MONEY] for zorbin.\n";
    assert_eq!(output("ner --redact", TEXT), expected);
    assert_eq!(output("annotate --redact=label", TEXT), expected);
    assert_eq!(
        output("ner --redact --labels PER", TEXT)
            .matches('[')
            .count(),
        2
    );
    assert_eq!(output("ner --redact", ""), "");
    let crlf = output("ner --redact", "Ann Lee lives in New York.\r\n\r\nBye");
    assert_eq!(crlf, "[PER] lives in [LOC].\r\n\r\nBye");
}

#[test]
fn a_pseudonym_is_the_same_for_a_name_in_every_run() {
    let text = output("ner --redact=pseudonym --labels PER", TEXT);
    let names: Vec<&str> = text.matches("[PER-").collect();
    assert_eq!(names.len(), 2, "{text}");
    let (first, second) = (&text[..14], &text[text.rfind("[PER-").unwrap()..][..14]);
    assert_eq!(first, second);
    assert_eq!(output("ner --redact=pseudonym --labels PER", TEXT), text);
    let keyed = output("ner --redact=pseudonym --redact-key k --labels PER", TEXT);
    assert_ne!(keyed, text);
}

#[test]
fn objects_keep_their_fields_when_their_text_is_redacted() {
    let text = "{\"id\":7,\"text\":\"Ann Lee left.\"}\n";
    let output = output("ner --redact --to jsonl", text);
    assert_eq!(output, "{\"id\":7,\"text\":\"[PER] left.\"}\n");
}

#[test]
fn redaction_has_no_other_formats() {
    let outcome = wordmill("ner --redact --to conllu").stdin(TEXT).run();
    assert_eq!(outcome.status, 2);
    assert!(
        outcome
            .stderr
            .contains("--redact writes --to raw or --to jsonl")
    );
}

#[test]
fn names_of_a_list_are_found_and_labelled_as_it_says() {
    let (_folder, flag) = list("zorbin\tDRUG\tZ-1\nNew York\tCITY\n");
    let table = output(&format!("ner --to tsv {flag}"), TEXT);
    assert!(table.contains("\tDRUG\tzorbin\tZ-1\t_\n"), "{table}");
    assert!(table.contains("\tCITY\tNew York\t_\t_\n"), "{table}");
    assert!(table.contains("\tPER\tAnn Lee\t"), "{table}");
    let only = output(&format!("ner --to tsv --labels DRUG {flag}"), TEXT);
    assert_eq!(only.lines().count(), 1);
}

#[test]
fn a_line_of_a_list_without_a_label_is_named() {
    let (_folder, flag) = list("zorbin\tDRUG\nNew York\n");
    let outcome = wordmill(&format!("ner {flag}")).stdin(TEXT).run();
    assert_eq!(outcome.status, 1);
    assert!(
        outcome
            .stderr
            .contains("names.tsv:2: expected a name, a tab and a label")
    );
    let outcome = wordmill("ner --gazetteer missing.tsv").stdin(TEXT).run();
    assert_eq!(outcome.status, 1);
    assert!(outcome.stderr.contains("missing.tsv"));
}

#[test]
fn names_get_a_probability_as_their_score() {
    let table = output("ner --to tsv --scores --labels PER,LOC", TEXT);
    assert_eq!(table.lines().count(), 3);
    for row in table.lines() {
        let score: f64 = row.rsplit('\t').next().unwrap().parse().unwrap();
        assert!(score > 0.3 && score <= 1.0, "{row}");
    }
    let json = output("ner --to jsonl --scores", TEXT);
    assert_eq!(json.matches("\"score\":").count(), 3, "{json}");
}

/// A model that calls a zorbin MONEY, and nothing else.
fn model_of_zorbins(folder: &std::path::Path) -> String {
    let sentence = "1\tShe\t_\tPRON\tPRP\t_\t_\t_\t_\t_\n2\tpaid\t_\tVERB\tVBD\t_\t_\t_\t_\t_\n\
        3\t$\t_\tSYM\t$\t_\t_\t_\t_\t_\n4\t5\t_\tNUM\tCD\t_\t_\t_\t_\t_\n5\tfor\t_\tADP\tIN\t_\t_\t_\t_\t_\n\
        6\tzorbin\t_\tNOUN\tNN\t_\t_\t_\t_\tNER=B-MONEY\n\n";
    let (data, model) = (folder.join("data.conllu"), folder.join("ner.safetensors"));
    std::fs::write(&data, sentence.repeat(20)).unwrap();
    wordmill("ner train -q --language en")
        .arg(&data)
        .arg("-o")
        .arg(&model)
        .text();
    model.display().to_string()
}

#[test]
fn rules_leave_the_labels_that_a_model_knows_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let model = model_of_zorbins(folder.path());
    let text = "She paid $5 for zorbin on Monday.\n";
    for command in ["ner", "annotate"] {
        let flags = format!("{command} --from text --redact --model {model}");
        let redacted = output(&flags, text);
        assert_eq!(redacted, "She paid $5 for [MONEY] on [DATE].\n");
        let without = output(&format!("{command} --redact"), text);
        assert!(without.starts_with("She paid [MONEY] for"), "{without}");
    }
    // A grammar that is asked for by name finds what it has.
    let rules = folder.path().join("rules.txt");
    std::fs::write(&rules, "label MONEY\nrule \\$ <n:int> => $n\n").unwrap();
    let flags = format!("ner --redact --model {model} --grammar {}", rules.display());
    assert!(output(&flags, text).starts_with("She paid [MONEY] for [MONEY]"));
}

#[test]
fn eval_leaves_the_labels_that_a_model_knows_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let model = model_of_zorbins(folder.path());
    let gold = folder.path().join("gold.conllu");
    let words = "1\tShe\t_\tPRON\tPRP\t_\t_\t_\t_\t_\n2\tpaid\t_\tVERB\tVBD\t_\t_\t_\t_\t_\n\
        3\t$\t_\tSYM\t$\t_\t_\t_\t_\tNER=B-MONEY\n4\t5\t_\tNUM\tCD\t_\t_\t_\t_\tNER=I-MONEY\n\n";
    std::fs::write(&gold, words).unwrap();
    let system = |flags: &str| {
        let report = wordmill(&format!("ner eval {flags}")).arg(&gold).text();
        let line = report.lines().find(|line| line.contains("MONEY"));
        let columns = line.unwrap_or_default().split_whitespace();
        columns.last().unwrap_or_default().to_owned()
    };
    assert_eq!(
        [system(""), system(&format!("--model {model}"))],
        ["1", "0"]
    );
}
