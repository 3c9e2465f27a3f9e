use super::*;
use crate::text::document::{Document, Opens};
use crate::text::format::OffsetUnit;
use proptest::prelude::*;

fn printed(mut document: Document, unit: OffsetUnit) -> String {
    let mut out = String::new();
    print(&mut document, "text", unit, &mut out);
    out
}

fn problem(line: &str) -> String {
    let error = parse(line, 3, "text").unwrap_err();
    assert_eq!(error.line, 3);
    error.problem
}

#[test]
fn fields_keep_their_order() {
    for line in [
        r#"{"text":"a"}"#,
        r#"{"id":"x","text":"a","b":[1,{"c":null}]}"#,
        r#"{"b":1,"text":"a","id":7,"c":"\u0001\"\\\n"}"#,
        r#"{"text":"a","id":"x"}"#,
    ] {
        let document = parse(line, 1, "text").unwrap();
        assert_eq!(document.text.as_deref(), Some("a"));
        assert_eq!(document.opens, Opens::Document);
        assert_eq!(printed(document, OffsetUnit::Chars), format!("{line}\n"));
    }
    assert_eq!(
        parse(r#"{"text":"","id":7}"#, 1, "text")
            .unwrap()
            .id
            .as_deref(),
        Some("7")
    );
}

#[test]
fn annotation_is_read_and_printed_again() {
    let line = concat!(
        r##"{"text":"😀 I don't.","sentences":[{"id":"s","comments":["# a"],"tokens":[{"text":"I","start":2,"end":3,"##,
        r#""words":[{"form":"I","lemma":"I","stem":"i","head":0,"misc":"Typo=Yes"}]},"#,
        r#"{"text":"don't","start":4,"end":9,"misc":"A=b","words":[{"form":"do"},{"form":"n't"}]}]}],"#,
        r#""entities":[{"start":2,"end":9,"label":"PER","text":"I don't"}]}"#
    );
    let document = parse(line, 1, "text").unwrap();
    let words = &document.sentences[0].words;
    assert_eq!(words[0].misc.0, ["Typo=Yes", "Stem=i", "NER=B-PER"]);
    assert_eq!(words[2].misc.0, ["NER=I-PER"]);
    assert_eq!(printed(document, OffsetUnit::Chars), format!("{line}\n"));
}

#[test]
fn the_value_of_an_entity_is_printed_once() {
    let object = |misc: &str| {
        let token =
            format!(r#"{{"text":"five","start":0,"end":4,"words":[{{"form":"five"{misc}}}]}}"#);
        let entity = r#"{"start":0,"end":4,"label":"N","text":"five","value":"5"}"#;
        format!(r#"{{"text":"five","sentences":[{{"tokens":[{token}]}}],"entities":[{entity}]}}"#)
    };
    let document = parse(&object(r#","misc":"A=b|Value=5|NER=B-N""#), 1, "text").unwrap();
    let line = object(r#","misc":"A=b""#);
    assert_eq!(parse(&line, 1, "text").unwrap(), document);
    assert_eq!(printed(document, OffsetUnit::Chars), line + "\n");
    // Two values, and one in another place, are not what reading the entity would give.
    for misc in ["Value=5|Value=6", "Value=5|A=b"] {
        let line = object(&format!(r#","misc":"{misc}""#));
        let document = parse(&line, 1, "text").unwrap();
        assert_eq!(printed(document, OffsetUnit::Chars), line + "\n");
    }
}

#[test]
fn spans_count_the_unit_asked_for() {
    let line = r#"{"text":"é😀 b","sentences":[{"tokens":[{"start":3,"end":4}]}]}"#;
    let document = parse(line, 1, "text").unwrap();
    for (unit, span) in [
        (OffsetUnit::Chars, r#""start":3,"end":4"#),
        (OffsetUnit::Bytes, r#""start":7,"end":8"#),
        (OffsetUnit::Utf16, r#""start":4,"end":5"#),
    ] {
        let out = printed(document.clone(), unit);
        assert!(out.contains(span), "{out}");
        assert_eq!(parse(&out, 1, "text").unwrap(), document);
    }
}

#[test]
fn the_field_with_the_text_can_have_another_name() {
    let line = r#"{"body":"a","text":7}"#;
    let mut document = parse(line, 1, "body").unwrap();
    let mut out = String::new();
    print(&mut document, "body", OffsetUnit::Chars, &mut out);
    assert_eq!(out, format!("{line}\n"));
}

#[test]
fn an_object_without_the_field_is_refused_with_a_hint() {
    let error = parse(r#"{"body":"a","id":1}"#, 1, "text").unwrap_err();
    assert_eq!(error.problem, "no field \"text\" in the object");
    let hint = "--field names the field with the text; this object has body, id";
    assert_eq!(error.hint.as_deref(), Some(hint));
}

#[test]
fn lines_that_are_no_object_with_a_text_are_refused() {
    assert_eq!(problem("[1]"), "expected an object, found an array");
    assert_eq!(
        problem(r#"{"text":null}"#),
        "the field \"text\" holds null, not a string"
    );
    assert!(problem(r#"{"text":"a""#).starts_with("invalid JSON at column 11: EOF"));
    assert!(problem("").starts_with("invalid JSON"));
}

#[test]
fn an_unpaired_surrogate_is_refused_with_a_hint() {
    for line in [
        r#"{"text":"\ud83d"}"#,
        r#"{"text":"\ude00"}"#,
        r#"{"text":"\ud83dx"}"#,
    ] {
        let error = parse(line, 1, "text").unwrap_err();
        assert!(error.hint.is_some(), "{error:?}");
    }
}

#[test]
fn spans_that_do_not_slice_the_text_are_refused() {
    let with = |tokens: &str| {
        problem(&format!(
            r#"{{"text":"a b","sentences":[{{"tokens":[{tokens}]}}]}}"#
        ))
    };
    assert_eq!(
        with(r#"{"start":2,"end":4}"#),
        "sentence 1: token 1: 2 to 4 is no span of the text"
    );
    assert_eq!(
        with(r#"{"start":1,"end":1}"#),
        "sentence 1: token 1: 1 to 1 is no span of the text"
    );
    assert_eq!(
        with(r#"{"start":0,"end":1,"text":"x"}"#),
        "sentence 1: token 1: 0 to 1 is \"a\" in the text, not \"x\""
    );
    assert_eq!(
        with(r#"{"start":2,"end":3},{"start":0,"end":1}"#),
        "sentence 1: token 2 starts before the end of the one before it"
    );
    assert!(with(r#"{"start":"0","end":1}"#).starts_with("the field \"sentences\": invalid type"));
    let line = r#"{"text":"ab","sentences":[{"tokens":[{"start":0,"end":2}]}],"entities":[{"start":1,"end":2,"label":"X"}]}"#;
    assert_eq!(
        problem(line),
        "entity 1: 1 to 2 are no whole tokens of one sentence"
    );
}

#[test]
fn spacing_in_misc_gives_way_to_the_spans() {
    let token = r#"{"start":0,"end":1,"words":[{"misc":"SpaceAfter=No|A=b"}]}"#;
    let line = format!(r#"{{"text":"a b","sentences":[{{"tokens":[{token}]}}]}}"#);
    let document = parse(&line, 1, "text").unwrap();
    assert_eq!(document.sentences[0].words[0].misc.0, ["A=b"]);
}

#[test]
fn a_bar_in_a_label_is_escaped() {
    let token = r#"{"start":0,"end":1,"words":[{"stem":"a|b"}]}"#;
    let entity = r#"{"start":0,"end":1,"label":"X|Y"}"#;
    let line =
        format!(r#"{{"text":"a","sentences":[{{"tokens":[{token}]}}],"entities":[{entity}]}}"#);
    let document = parse(&line, 1, "text").unwrap();
    assert_eq!(
        document.sentences[0].words[0].misc.0,
        [r"Stem=a\pb", r"NER=B-X\pY"]
    );
}

#[test]
fn an_empty_node_without_a_form_is_refused() {
    let line = concat!(
        r#"{"text":"a","sentences":[{"tokens":[{"start":0,"end":1}],"#,
        r#""empty_nodes":[{"after":1,"number":1,"columns":"\t_\t_\t_\t_\t_\t_\t_\t_"}]}]}"#
    );
    assert_eq!(problem(line), "sentence 1: the empty node 1.1 is broken");
}

proptest! {
    #[test]
    fn nothing_makes_the_parser_panic(line in "\\PC*|[{}\\[\\]:,\"a0-9\\\\]*") {
        let _ = parse(&line, 1, "text");
    }

    #[test]
    fn what_is_printed_parses_back(mut document in crate::text::arbitrary::located(), unit in 0usize..3) {
        let unit = [OffsetUnit::Chars, OffsetUnit::Bytes, OffsetUnit::Utf16][unit];
        document.opens = Opens::Document;
        let out = printed(document.clone(), unit);
        prop_assert_eq!(out.matches('\n').count(), 1);
        prop_assert_eq!(parse(&out, 1, "text").unwrap(), document);
    }
}
