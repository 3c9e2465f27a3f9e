//! `wordmill tokenize|pos|lemmatize|ner train`, on a corpus small enough for a test.

use crate::harness::{root, wordmill};
use std::path::{Path, PathBuf};

const COMMANDS: &[&str] = &["tokenize", "pos", "lemmatize", "ner"];

fn trained(command: &str, flags: &str, path: &Path) -> PathBuf {
    let call = wordmill(&format!(
        "{command} train corpora/tagged.conllu -q {flags} -o"
    ));
    call.arg(path).text();
    path.to_path_buf()
}

#[test]
fn training_twice_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    for command in COMMANDS {
        let train =
            |name: &str| std::fs::read(trained(command, "", &folder.path().join(name))).unwrap();
        assert!(train("one") == train("two"), "{command}");
    }
}

#[test]
fn a_tagger_learns_from_vectors_too() {
    let folder = tempfile::tempdir().unwrap();
    let train = |name: &str, flags: &str| {
        std::fs::read(trained("pos", flags, &folder.path().join(name))).unwrap()
    };
    let first = train("one", "--vectors corpora/vectors.vec");
    assert!(first == train("two", "--vectors corpora/vectors.vec"));
    assert!(first.len() > train("three", "").len() + 1_000_000);
    let gold = std::fs::read_to_string(root().join("corpora/tagged.conllu")).unwrap();
    let tags = |text: &str| -> Vec<String> {
        let words = (text.lines()).filter(|l| l.starts_with(|c: char| c.is_ascii_digit()));
        let tag = |line: &str| line.split('\t').nth(3).unwrap().to_owned();
        words.map(tag).collect()
    };
    // Trusted alone, the network must have learned something.
    let flags = "--vectors corpora/vectors.vec --trust 1000";
    let model = trained("pos", flags, &folder.path().join("trusting"));
    let call = wordmill("pos corpora/tagged.conllu --model").arg(&model);
    let (found, expected) = (tags(&call.text()), tags(&gold));
    let right = found.iter().zip(&expected).filter(|(a, b)| a == b).count();
    assert!(
        100 * right >= 70 * found.len(),
        "{right} of {}",
        found.len()
    );
}

#[test]
fn vectors_that_are_none_are_named() {
    let train = "pos train corpora/tagged.conllu -q -o /dev/null";
    let message = wordmill(&format!("{train} --vectors no/such.vec")).fails(1);
    assert!(message.contains("no/such.vec: no such file"), "{message}");
    let message = wordmill(&format!("{train} --vectors corpora/tagged.conllu")).fails(1);
    assert!(message.contains("corpora/tagged.conllu"), "{message}");
    wordmill(&format!("{train} --trust 3")).fails(2);
    wordmill(&format!(
        "{train} --vectors corpora/vectors.vec --trust nan"
    ))
    .fails(2);
}

#[test]
fn what_was_learned_is_known_after_loading() {
    let folder = tempfile::tempdir().unwrap();
    let gold = std::fs::read_to_string(root().join("corpora/tagged.conllu")).unwrap();
    let words = gold
        .lines()
        .filter(|line| line.starts_with(|c: char| c.is_ascii_digit()));
    let column = |text: &str, i: usize| -> Vec<String> {
        let words = text
            .lines()
            .filter(|line| line.starts_with(|c: char| c.is_ascii_digit()));
        words
            .map(|line| line.split('\t').nth(i).unwrap().to_string())
            .collect()
    };
    let count = words.count();
    // So few sentences teach a tagger little about rare words, which it knows by their endings only.
    for (command, i, share) in [("pos", 3, 75), ("lemmatize", 2, 95)] {
        let model = trained(command, "", &folder.path().join(command));
        let call = wordmill(&format!("{command} corpora/tagged.conllu --model")).arg(&model);
        let (found, expected) = (column(&call.text(), i), column(&gold, i));
        let right = found.iter().zip(&expected).filter(|(a, b)| a == b).count();
        assert!(
            100 * right >= share * count,
            "{command}: {right} of {count}"
        );
    }
}

#[test]
fn scores_on_validation_data_are_shown_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    for command in COMMANDS {
        let path = folder.path().join(command);
        let call = wordmill(&format!(
            "{command} train corpora/tagged.conllu --valid corpora/tagged.conllu -o"
        ));
        let outcome = call.arg(&path).run();
        outcome.expect(
            outcome.status == 0 && outcome.stdout.is_empty(),
            "messages on stderr only",
        );
        outcome.expect(outcome.stderr.contains("tagged.conllu: "), "the scores");
        let info = wordmill("model info").arg(&path).text();
        let info: serde_json::Value = serde_json::from_str(&info).unwrap();
        let valid = &info["layers"][*command]["valid"];
        assert_eq!(valid["data"], "tagged.conllu", "{command}");
        assert!(valid["scores"].is_object(), "{command}: {valid}");
    }
}

#[test]
fn language_and_licence_are_kept_in_the_model() {
    let folder = tempfile::tempdir().unwrap();
    for command in COMMANDS {
        let path = trained(
            command,
            "--language en --license CC0",
            &folder.path().join(command),
        );
        let info = wordmill("model info").arg(&path).text();
        assert!(
            info.contains("\"language\": \"en\"") && info.contains("\"license\": \"CC0\""),
            "{info}"
        );
    }
}

#[test]
fn data_that_cannot_be_learned_from_is_named_and_leaves_no_model() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model");
    let empty = folder.path().join("empty.conllu");
    std::fs::write(&empty, "").unwrap();
    let broken = folder.path().join("broken.conllu");
    std::fs::write(&broken, "1\tA\t_\t_\t_\t_\t_\t_\t_\t_\n2\tB\n\n").unwrap();
    let bytes = folder.path().join("bytes.conllu");
    std::fs::write(&bytes, b"1\t\xFF\t_\t_\t_\t_\t_\t_\t_\t_\n\n").unwrap();
    for command in COMMANDS {
        for (data, problem) in [
            (&empty, "empty.conllu: no sentences to learn from\n"),
            (
                &broken,
                "broken.conllu:2: expected 10 columns, found 2\nhint: ",
            ),
            (&bytes, "bytes.conllu:1: invalid UTF-8 at byte 2\n"),
            (&folder.path().join("missing"), "missing: no such file\n"),
        ] {
            let call = wordmill(&format!("{command} train"))
                .arg(data)
                .arg("-o")
                .arg(&model);
            let message = call.fails(1);
            assert!(
                message.starts_with(&format!("wordmill {command} train: ")),
                "{message}"
            );
            assert!(message.contains(problem), "{message}");
        }
        assert!(!model.exists());
        let call = wordmill(&format!(
            "{command} train corpora/tagged.conllu -q -o no/such/model"
        ));
        assert!(call.fails(1).contains("no/such/model: no such folder"));
    }
}

#[test]
fn training_needs_data_and_a_file_to_write() {
    for command in COMMANDS {
        wordmill(&format!("{command} train")).fails(2);
        assert!(
            wordmill(&format!("{command} train corpora/tagged.conllu"))
                .fails(2)
                .contains("--out")
        );
        wordmill(&format!("{command} train --no-such-flag a -o b")).fails(2);
    }
}

#[test]
fn a_calibrated_recognizer_finds_the_same_and_says_how_sure_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("train.txt");
    // A fifth is held back: sentences 2,000 to 2,499.
    let certain = "Ann B-PER\nslept O\n\n".repeat(3);
    let sentences = certain.repeat(600) + &"Bob O\nslept O\n\n".repeat(700);
    std::fs::write(&data, sentences).unwrap();
    let found = |flag: &str| {
        let model = folder.path().join("model");
        let command = format!("ner train -q --epochs 1 --columns form,ner {flag} -o");
        wordmill(&command).arg(&model).arg(&data).text();
        let call = wordmill("ner --to tsv --scores --model").arg(&model);
        call.stdin("Ann slept.\n").text()
    };
    let (plain, calibrated) = (found(""), found("--calibrate"));
    let without_score = |row: &str| row.rsplit_once('\t').map(|(row, _)| row.to_owned());
    assert_eq!(without_score(&plain), without_score(&calibrated));
    assert!(plain.contains("\tPER\tAnn\t"), "{plain}");
}

#[test]
fn a_recognizer_learns_from_columns() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("train.txt");
    std::fs::write(&data, "Ann B-X\nslept O\n\nBob B-X\nleft O\n\n".repeat(10)).unwrap();
    let model = folder.path().join("model");
    let call = wordmill("ner train -q --columns form,ner --map X=PER")
        .arg(&data)
        .arg("-o")
        .arg(&model);
    call.text();
    let output = wordmill("ner --to tsv --model")
        .arg(&model)
        .stdin("Ann slept.\n")
        .text();
    assert!(output.contains("\tPER\tAnn\t_\t_\n"), "{output}");
}

/// Nouns of a language that puts plural and case behind the stem, all under one XPOS: every stem in all forms but one, which
/// `of_left_out` asks for.
fn agglutinating(of_left_out: bool) -> String {
    let endings = [
        ("", "Case=Nom|Number=Sing"),
        ("da", "Case=Loc|Number=Sing"),
        ("nin", "Case=Gen|Number=Sing"),
        ("lar", "Case=Nom|Number=Plur"),
        ("larda", "Case=Loc|Number=Plur"),
        ("larnin", "Case=Gen|Number=Plur"),
    ];
    let mut text = String::new();
    for (s, onset) in "bçdfghkmpstvyz".chars().enumerate() {
        for (t, middle) in ["ak", "İl", "us", "ev"].iter().enumerate() {
            let stem = format!("{onset}{middle}e");
            for (e, (ending, feats)) in endings.iter().enumerate() {
                if ((s + t) % endings.len() == e) == of_left_out {
                    let lemma = stem.replace('İ', "i");
                    let noun = format!("1\t{stem}{ending}\t{lemma}\tNOUN\tN\t{feats}\t_\t_\t_\t_");
                    text += &format!("{noun}\n2\t.\t.\tPUNCT\tP\t_\t_\t_\t_\t_\n\n");
                }
            }
        }
    }
    text
}

#[test]
fn forms_never_seen_of_a_language_rich_in_forms_are_taken_apart() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("train.conllu");
    std::fs::write(&data, agglutinating(false)).unwrap();
    let gold = agglutinating(true);
    let model = |command: &str, flags: &str| {
        let path = folder.path().join(command);
        let call = wordmill(&format!("{command} train -q {flags} -o"));
        call.arg(&path).arg(&data).text();
        path
    };
    let pos = model("pos", "");
    let lemmatize = model("lemmatize", "");
    let call = wordmill("annotate --layers pos,lemma --to conllu --model").arg(&pos);
    let bare: String = (gold.lines().map(|line| match line.split('\t').nth(1) {
        Some(form) => format!("{}\t{form}{}\n", &line[..1], "\t_".repeat(8)),
        None => "\n".to_owned(),
    }))
    .collect();
    let output = call.arg("--model").arg(&lemmatize).stdin(bare).text();
    let columns = |text: &str| -> Vec<Vec<String>> {
        let words = text.lines().filter(|line| line.starts_with('1'));
        let word = |line: &str| line.split('\t').map(str::to_owned).collect();
        words.map(word).collect()
    };
    let (found, expected) = (columns(&output), columns(&gold));
    assert_eq!(found.len(), expected.len());
    let wrong: Vec<_> = (found.iter().zip(&expected))
        .filter(|(found, expected)| found[2..6] != expected[2..6])
        .collect();
    assert!(10 * wrong.len() <= expected.len(), "{wrong:#?}");
}

#[test]
fn words_without_spaces_between_them_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("train.conllu");
    let nouns = ["犬", "猫", "先生", "学生", "東京"];
    let verbs = ["走る", "食べる", "見る", "話す"];
    let particles = ["は", "が", "も"];
    let mut text = String::new();
    let mut sentence = |words: &[&str]| {
        for (i, word) in words.iter().enumerate() {
            text += &format!("{}\t{word}{}\tSpaceAfter=No\n", i + 1, "\t_".repeat(7));
        }
        text.push('\n');
    };
    for (i, noun) in nouns.iter().enumerate() {
        for (j, verb) in verbs.iter().enumerate() {
            if (i + j) % 3 != 0 {
                sentence(&[noun, particles[(i + j) % 3], verb, "。"]);
            }
        }
    }
    std::fs::write(&data, text).unwrap();
    let model = folder.path().join("model");
    let call = wordmill("tokenize train -q -o").arg(&model).arg(&data);
    call.text();
    let call = wordmill("tokenize --to text --model").arg(&model);
    let output = call.stdin("先生は食べる。猫も話す。\n").text();
    assert_eq!(output, "先生 は 食べる 。\n猫 も 話す 。\n");
}
