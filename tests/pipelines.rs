//! Commands joined by pipes do what one command does, and nothing of a text is lost on the way.

use crate::harness::{root, shell, wordmill};

/// Spacing and characters that are easily lost: NBSP, tabs, a joined emoji, combining marks, a soft hyphen, runs of
/// blank lines, no newline at the end.
const ODD: &str = "  Ann\u{a0}Lee  met\tBob 👩\u{200d}🔬 in Rome.\n\n\n\n\u{3000}Cafe\u{301}s don't \
                   co\u{ad}operate (much) …\r\n \r\n“Why?” asked I.B.M.'s   boss\u{2028}twice: e-mail a@b.org   ";

const STEPS: &str =
    "wordmill tokenize --to conllu | wordmill pos | wordmill lemmatize | wordmill ner";

fn sample(name: &str) -> String {
    std::fs::read_to_string(root().join("corpora").join(name)).expect("the sample is there")
}

#[test]
fn four_steps_equal_one_pass() {
    let crlf = sample("sample.txt").replace('\n', "\r\n");
    for text in [
        &sample("sample.txt"),
        &sample("crlf.txt"),
        &crlf,
        ODD,
        "one word",
        "\n\n \n",
    ] {
        let steps = shell(STEPS).stdin(text).text();
        assert_eq!(steps, wordmill("annotate").stdin(text).text());
    }
}

#[test]
fn four_steps_equal_one_pass_on_lines_and_json() {
    let lines = shell(&STEPS.replacen("tokenize", "tokenize --from lines", 1));
    let text = format!("{}\n\n{ODD}", sample("sample.txt"));
    let one = wordmill("annotate --from lines").stdin(&text).text();
    assert_eq!(lines.stdin(&text).text(), one);
    let json = shell(&STEPS.replacen(" --to conllu", "", 1));
    let one = wordmill("annotate").stdin(sample("notes.jsonl")).text();
    assert_eq!(json.stdin(sample("notes.jsonl")).text(), one);
}

#[test]
fn stems_may_join_the_pipe_at_its_end() {
    let line = "wordmill tokenize --to conllu corpora/sample.txt | wordmill pos | wordmill stem";
    let one = wordmill("annotate --layers tokens,pos,stem corpora/sample.txt").text();
    assert_eq!(shell(line).text(), one);
}

#[test]
fn the_text_comes_back_from_conllu_byte_for_byte() {
    for text in [&sample("sample.txt"), &sample("crlf.txt"), ODD, "x", " a "] {
        let line = format!("{STEPS} | wordmill tokenize --to raw");
        assert_eq!(shell(&line).stdin(text).text(), text);
    }
}

#[test]
fn the_text_comes_back_from_json_byte_for_byte() {
    let line = "wordmill annotate --to jsonl | wordmill pos | wordmill tokenize --to conllu \
                | wordmill stem --to raw";
    assert_eq!(shell(line).stdin(ODD).text(), ODD);
}

/// What stands in a text between two offsets.
type Slice = fn(&str, usize, usize) -> String;

#[test]
fn spans_slice_back_to_the_text_in_every_unit() {
    let slices: [(&str, Slice); 3] = [
        ("chars", |text, from, to| {
            text.chars().skip(from).take(to - from).collect()
        }),
        ("bytes", |text, from, to| text[from..to].to_string()),
        ("utf16", |text, from, to| {
            let units: Vec<u16> = text.encode_utf16().collect();
            String::from_utf16(&units[from..to]).expect("no pair is cut")
        }),
    ];
    for (unit, slice) in slices {
        let flags = format!("annotate --to jsonl --offsets {unit}");
        let object: serde_json::Value =
            serde_json::from_str(&wordmill(&flags).stdin(ODD).text()).unwrap();
        let text = object["text"].as_str().unwrap();
        assert_eq!(text, ODD);
        let mut count = 0;
        let tokens = object["sentences"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|s| s["tokens"].as_array().unwrap());
        let entities = object["entities"].as_array().into_iter().flatten();
        for span in tokens.chain(entities) {
            let at = |key: &str| span[key].as_u64().unwrap() as usize;
            assert_eq!(slice(text, at("start"), at("end")), span["text"], "{unit}");
            count += 1;
        }
        assert!(count > 20, "{count}");
    }
}

#[test]
fn a_layer_that_is_there_is_replaced_or_kept() {
    let text = "1\tDogs\tKAT\tX\t_\t_\t_\t_\t_\tNER=B-LOC\n2\tbark\t_\t_\t_\t_\t_\t_\t_\t_\n\n";
    let run = |command: &str| wordmill(command).stdin(text).text();
    assert!(run("pos --keep").starts_with("1\tDogs\tKAT\tX\t"));
    assert!(!run("pos").starts_with("1\tDogs\tKAT\tX\t"));
    assert!(run("lemmatize --keep").starts_with("1\tDogs\tKAT\tX\t"));
    assert!(!run("lemmatize").contains("KAT"));
    assert!(run("ner --keep").contains("NER=B-LOC"));
    // What one command adds leaves the layers of the others alone.
    assert!(run("pos").contains("KAT") && run("pos").contains("NER=B-LOC"));
    assert!(
        run("annotate --keep").contains("2\tbark\tbark\t"),
        "what is missing is filled in"
    );
}

#[test]
fn the_layers_asked_for_are_the_layers_printed() {
    let columns = |layers: &str| {
        let call = wordmill(&format!("annotate --layers {layers}"));
        let output = call.stdin("Ann Lee saw dogs.\n").text();
        let word = output
            .lines()
            .find(|line| line.starts_with("4\t"))
            .unwrap()
            .to_string();
        let set = |i: usize| word.split('\t').nth(i) != Some("_");
        (set(2), set(3), output.contains("Stem="))
    };
    assert_eq!(columns("tokens"), (false, false, false));
    assert_eq!(columns("pos"), (false, true, false));
    assert_eq!(columns("tokens,stem"), (false, false, true));
    assert!(columns("lemma").0);
    assert_eq!(columns("tokens,pos,lemma,ner,stem"), (true, true, true));
}
