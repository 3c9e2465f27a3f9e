//! Long runs over the parsers, ignored by default: random changes to valid input, and whole files of the user's.
//!
//! ```text
//! WORDMILL_FUZZ_SECONDS=600 WORDMILL_FUZZ_SEED=2 cargo test --lib -- --ignored fuzz
//! WORDMILL_CONLLU="a.conllu b.conllu" cargo test --lib -- --ignored --nocapture files_of_the_user
//! ```

mod layers;

use super::columns::{self, ColumnSpec};
use super::document::Document;
use super::format::OffsetUnit;
use super::highlight::Highlight;
use super::html::{self, Legend};
use super::plain::{View, parse_tokens, print_raw, print_text};
use super::{ansi, conllu, jsonl};
use crate::bag::counts::{Header, tests::check as check_counts};
use std::time::{Duration, Instant};

const CONLLU: &str = "# newdoc id = a\n# newpar\n# sent_id = x\n# text = I don't.\n0.1\tthen\t_\t_\t_\t_\t_\t_\t4:adv\t_\n\
    1\tI\tI\tPRON\tPRP\tCase=Nom|Number=Sing\t3\tnsubj\t3:nsubj\tNER=B-PER|SpacesAfter=\\s\\n\n\
    2-3\tdon't\t_\t_\t_\tTypo=Yes\t_\t_\t_\tSpaceAfter=No|TokenRange=2:7\n2\tdo\tdo\tAUX\t_\t_\t3\taux\t_\tStem=do|NER=B-X\n\
    3\tn't\tnot\tPART\t_\t_\t0\troot\t_\tA=b||C|NER=I-X\n3.1\tgo\t_\t_\t_\t_\t_\t_\t_\t_\n3.2\ton\t_\t_\t_\t_\t_\t_\t_\t_\n\
    4\t_\t_\tPUNCT\t_\t_\t3\tpunct\t_\tSpacesBefore=\\t|SpacesInToken=\\pé😀|Value=1|Score=0.5\n\n# newpar id = p\r\n\
    1\tb c\t_\t_\t_\t_\t_\t_\t_\t_\r\n2\té😀\t_\t_\t_\t_\t_\t_\t_\t_\n\n";
const JSON: &str = concat!(
    r##"{"id":"d","a":[1,2.5,{"b":null}],"text":"é😀 I don't.","offset":3,"offsets":"utf16","sentences":[{"id":"s","comments":["# a"],"##,
    r#""opens":"paragraph","tokens":[{"text":"I","start":4,"end":5,"words":[{"form":"I","lemma":"I","stem":"i","head":0,"misc":"Typo=Yes"}]},"#,
    r#"{"text":"don't","start":6,"end":11,"misc":"A=b","words":[{"form":"do"},{"form":"n't","misc":"NER=B-X|Score=1"}]}],"#,
    r#""empty_nodes":[{"after":1,"number":1,"columns":"a\t_\t_\t_\t_\t_\t_\t_\t_"}]}],"#,
    r#""entities":[{"start":4,"end":11,"label":"PER","text":"I don't","value":"v","score":0.25}]}"#
);
const COLUMNS: &str = "-DOCSTART- -X- O O\n\nEU NNP I-NP B-ORG\n# # O O\na | \\ I-X\nb b b S-Y\n\n# text = a b\n1\ttampa\tB-LOC\t-\n";

/// A generator of random numbers (xorshift64*): the same on every run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % n.max(1)
    }
}

const PIECES: [&str; 44] = [
    "\n",
    "\t",
    "\r",
    " ",
    "#",
    "_",
    "=",
    "|",
    "\\",
    "\\s",
    "\\u",
    "\"",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "-",
    ".",
    "0",
    "1",
    "2",
    "3",
    "9",
    "99999999999",
    "null",
    "B-X",
    "I-X",
    "O",
    "é",
    "😀",
    "\u{0}",
    "\u{a0}",
    "\u{2028}",
    "NER=",
    "Stem=",
    "SpaceAfter=No",
    "SpacesInToken=",
    "TokenRange=5:2",
    "# newdoc",
    "-DOCSTART-",
    "\r\n\r\n",
    "\"start\":",
];

/// Changes a text in one to eight places.
fn mutate(seed: &str, random: &mut Random) -> String {
    let mut text = seed.to_string();
    for _ in 0..=random.below(8) {
        let at = text.floor_char_boundary(random.below(text.len() + 1));
        let length = [1, 1, 2, 8, 60][random.below(5)];
        let end = text.ceil_char_boundary((at + length).min(text.len()));
        match random.below(4) {
            0 => text.replace_range(at..end, ""),
            1 => text.insert_str(at, PIECES[random.below(PIECES.len())]),
            2 => text.replace_range(at..end, PIECES[random.below(PIECES.len())]),
            _ => {
                let to = text.floor_char_boundary(random.below(text.len() + 1));
                let piece = text[at..end].to_string();
                text.insert_str(to, &piece);
            }
        }
    }
    text
}

/// Seconds that this thread has computed: what a busy machine takes away is not counted.
fn computed() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is written, and nothing else.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Calls `check` for WORDMILL_FUZZ_SECONDS of computing, with the random numbers of WORDMILL_FUZZ_SEED, from 1 on.
fn until_the_end(mut check: impl FnMut(&mut Random)) {
    let number = |name| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse::<u64>().ok())
    };
    let end = computed() + Duration::from_secs(number("WORDMILL_FUZZ_SECONDS").unwrap_or(10));
    let seed = number("WORDMILL_FUZZ_SEED").unwrap_or(1);
    let mut random = Random(0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(2 * seed - 1));
    while computed() < end {
        check(&mut random);
    }
}

fn fuzz(seeds: &[&str], check: impl Fn(&str)) {
    until_the_end(|random| {
        let text = mutate(seeds[random.below(seeds.len())], random);
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&text))).is_err() {
            panic!("the input was {text:?}");
        }
    });
}

fn conllu_of(document: &Document) -> String {
    let mut out = String::new();
    conllu::print(document, 1, &mut out);
    out
}

fn json_of(document: &mut Document, unit: OffsetUnit) -> String {
    let mut out = String::new();
    jsonl::print(document, "text", unit, &mut out);
    out
}

pub(super) fn check_conllu(text: &str) {
    let Ok(document) = conllu::parse(text, 1) else {
        return;
    };
    let printed = conllu_of(&document);
    assert_eq!(conllu::parse(&printed, 1).as_ref(), Ok(&document));
    let mut raw = String::new();
    print_raw(&document, &mut raw);
    check_located(document);
}

/// What holds for every document once it is located.
fn check_located(mut document: Document) {
    document.locate();
    let printed = conllu_of(&document);
    let mut again = conllu::parse(&printed, 1).unwrap();
    let mut raw = String::new();
    print_raw(&again, &mut raw);
    if document.sentences.iter().any(|s| !s.tokens.is_empty()) {
        assert_eq!(Some(&raw), document.text.as_ref());
    }
    again.locate();
    assert_eq!(conllu_of(&again), printed);
    print_text(&document, View::Entities, false, &mut raw);
    for highlight in [Highlight::Entities, Highlight::Tags] {
        ansi::print(&mut again, highlight, &mut raw);
        html::print(
            &mut again,
            highlight,
            false,
            &mut Legend::default(),
            &mut raw,
        );
    }
}

pub(super) fn check_json(line: &str) {
    let Ok(mut document) = jsonl::parse(line, 1, "text") else {
        return;
    };
    for unit in [OffsetUnit::Chars, OffsetUnit::Utf16] {
        let printed = json_of(&mut document, unit);
        assert_eq!(printed.matches('\n').count(), 1);
        let mut back = jsonl::parse(&printed, 1, "text").unwrap();
        assert_eq!(json_of(&mut back, unit), printed);
        back.start = document.start;
        assert_eq!(back.sentences, document.sentences);
    }
    check_located(document);
}

pub(super) fn check_columns(text: &str) {
    for columns in ["form,xpos,_,ner", "_,form,ner,_", "form,ner", "form"] {
        let spec: ColumnSpec = columns.parse().unwrap();
        let Ok(document) = columns::parse(text, 1, &spec) else {
            continue;
        };
        let mut printed = String::new();
        columns::print(&document, &spec, &mut printed);
        let back = columns::parse(&printed, 1, &spec).unwrap();
        assert_eq!(back.sentences, document.sentences, "{printed:?}");
        let conllu = conllu::parse(&conllu_of(&document), 1).unwrap();
        assert_eq!(conllu.sentences, document.sentences);
        check_located(document);
    }
}

/// What fuzzing found stays found.
#[test]
fn a_comment_in_json_that_opens_a_document_opens_it() {
    check_json(
        r##"{"text":"a b","sentences":[{"comments":["# newdoc"],"opens":"paragraph","tokens":[{"start":0,"end":1}]}]}"##,
    );
    check_json(
        r##"{"id":"d","text":"a b","sentences":[{"comments":["# newdoc","# newpar","# sent_id = x","# text = c"],"opens":"nothing","tokens":[{"start":0,"end":1}]}]}"##,
    );
}

#[test]
#[ignore = "runs for WORDMILL_FUZZ_SECONDS"]
fn fuzz_conllu() {
    fuzz(&[CONLLU], check_conllu);
}

#[test]
#[ignore = "runs for WORDMILL_FUZZ_SECONDS"]
fn fuzz_jsonl() {
    fuzz(&[JSON, r#"{"text":"a","id":"x"}"#], check_json);
}

#[test]
#[ignore = "runs for WORDMILL_FUZZ_SECONDS"]
fn fuzz_columns() {
    fuzz(&[COLUMNS, "#a\tO\nb\tB-X\n\n"], check_columns);
}

#[test]
#[ignore = "runs for WORDMILL_FUZZ_SECONDS"]
fn fuzz_counts() {
    let header = Header {
        documents: 99,
        tokens: 99,
        ..Header::default()
    };
    let seed = header.to_lines() + "#\t1\t1\na\\t\\n\t9\t2\nb c\t2\t2\né😀\t11\t3\n";
    fuzz(&[&seed], |text| check_counts(text.as_bytes()));
}

#[test]
#[ignore = "runs for WORDMILL_FUZZ_SECONDS"]
fn fuzz_tokens() {
    fuzz(&["a  b\tc é😀 \u{a0}\r", CONLLU], |text| {
        check_located(parse_tokens(text));
    });
}

#[test]
#[ignore = "reads the files that WORDMILL_CONLLU names"]
#[allow(clippy::print_stdout, reason = "it reports the speeds it saw")]
fn files_of_the_user_are_printed_as_they_were_read() {
    for path in std::env::var("WORDMILL_CONLLU").unwrap().split_whitespace() {
        let text = std::fs::read_to_string(path).unwrap();
        let start = Instant::now();
        let mut document = conllu::parse(&text, 1).unwrap();
        let parsed = start.elapsed();
        let mut out = String::with_capacity(text.len());
        let start = Instant::now();
        conllu::print(&document, 1, &mut out);
        let printed = start.elapsed();
        assert!(out == text, "{path} differs");
        check_located(document.clone());
        let start = Instant::now();
        document.locate();
        let located = start.elapsed();
        let mut json = String::with_capacity(4 * text.len());
        let start = Instant::now();
        jsonl::print(&mut document, "text", OffsetUnit::Utf16, &mut json);
        let in_json = start.elapsed();
        let start = Instant::now();
        let back = jsonl::parse(&json, 1, "text").unwrap();
        let from_json = start.elapsed();
        assert!(
            back.sentences == document.sentences,
            "{path} differs through JSON"
        );
        let start = Instant::now();
        let relocated = conllu_of(&document).len();
        let again = start.elapsed();
        let rate = |bytes: usize, time: Duration| bytes as f64 / 1e6 / time.as_secs_f64();
        println!(
            "{path}: MB/s parse {:.0}, print {:.0}, locate {:.0}, print located {:.0}, print JSON {:.0}, parse JSON {:.0}",
            rate(text.len(), parsed),
            rate(text.len(), printed),
            rate(text.len(), located),
            rate(relocated, again),
            rate(json.len(), in_json),
            rate(json.len(), from_json),
        );
    }
}
