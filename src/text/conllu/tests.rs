use super::*;
use crate::text::document::Opens;
use crate::text::spacing::rebuild;
use proptest::prelude::*;

const TAIL: &str = "_\t_\t_\t_\t_\t_\t_\t_";

fn printed(text: &str) -> String {
    let mut out = String::new();
    print(&parse(text, 1).unwrap(), 1, &mut out);
    out
}

fn problem(text: &str) -> (u64, String) {
    let error = parse(text, 1).unwrap_err();
    (error.line, error.problem)
}

#[test]
fn every_construct_of_the_format_is_printed_as_it_was_read() {
    let text = "# newdoc id = a\n# newpar\n# sent_id = x\n# text = I don't.\n0.1\tthen\t_\t_\t_\t_\t_\t_\t4:adv\t_\n\
                1\tI\tI\tPRON\tPRP\tCase=Nom|Number=Sing\t3\tnsubj\t3:nsubj\t_\n\
                2-3\tdon't\t_\t_\t_\tTypo=Yes\t_\t_\t_\tSpaceAfter=No|X\n2\tdo\tdo\tAUX\t_\t_\t3\taux\t_\t_\n\
                3\tn't\tnot\tPART\t_\t_\t0\troot\t_\tA=b||C\n3.1\tgo\t_\t_\t_\t_\t_\t_\t_\t_\n3.2\ton\t_\t_\t_\t_\t_\t_\t_\t_\n\
                4\t_\t_\tPUNCT\t_\t_\t3\tpunct\t_\t|x\n\n\
                1\tb c\t_\t_\t_\t_\t_\t_\t_\t_\n\n";
    assert_eq!(printed(text), text);
    let document = parse(text, 1).unwrap();
    assert_eq!(document.id.as_deref(), Some("a"));
    assert_eq!(document.sentences[0].opens, Opens::Document);
    assert_eq!(document.sentences[0].id.as_deref(), Some("x"));
    assert_eq!(document.sentences[0].tokens[1].words, 1..3);
    assert_eq!(document.sentences[0].words[3].lemma, "");
}

#[test]
fn crlf_and_a_missing_last_blank_line_are_accepted() {
    let text = format!("# a\r\n1\tb\t{TAIL}\r\n\r\n\r\n1\tc\t{TAIL}");
    assert_eq!(
        printed(&text),
        format!("# a\n1\tb\t{TAIL}\n\n1\tc\t{TAIL}\n\n")
    );
    assert_eq!(printed(""), "");
}

#[test]
fn a_line_of_three_columns_is_refused() {
    let (line, text) = problem(&format!("1\ta\t{TAIL}\n2\tb\tc\n"));
    assert_eq!((line, text.as_str()), (2, "expected 10 columns, found 3"));
    assert_eq!(
        problem(&format!("1\ta\t{TAIL}\t_\n")).1,
        "expected 10 columns, found 11"
    );
    let spaces = parse("1 a _ _ _ _ _ _ _ _\n", 1).unwrap_err();
    assert!(spaces.hint.unwrap().contains("tabs"));
}

#[test]
fn ids_out_of_order_are_refused() {
    let text = format!("1\ta\t{TAIL}\n3\tb\t{TAIL}\n");
    assert_eq!(problem(&text), (2, "expected word id 2, found 3".into()));
    assert_eq!(
        problem(&format!("01\ta\t{TAIL}\n")).1,
        "`01` is not a word id"
    );
    assert_eq!(
        problem(&format!("x\ta\t{TAIL}\n")).1,
        "`x` is not a word id"
    );
}

#[test]
fn broken_ranges_are_refused() {
    let word = |id| format!("{id}\ta\t{TAIL}\n");
    let cases = [
        (word("2-1"), 1, "the range 2-1 runs backwards"),
        (word("2-3"), 1, "expected word id 1, found the range 2-3"),
        (
            word("1-2") + &word("1") + &word("2-3"),
            3,
            "the range 2-3 overlaps the one that ends at 2",
        ),
        (
            word("1-2") + &word("1-2"),
            2,
            "the range 1-2 overlaps the one that ends at 2",
        ),
        (
            word("1-3") + &word("1") + "\n",
            1,
            "the range ends at 3, but its sentence has 1 words",
        ),
        (
            word("1-2"),
            1,
            "the range ends at 2, but its sentence has 0 words",
        ),
        (
            word("1-2") + &word("0.1"),
            2,
            "the empty node 0.1 stands between a range and its first word",
        ),
    ];
    for (text, line, expected) in cases {
        assert_eq!(problem(&text), (line, expected.to_string()));
    }
    let lemma = format!("1-2\ta\tx{}\n", &TAIL[1..]);
    assert_eq!(
        problem(&lemma).1,
        "the column LEMMA of the range 1-2 holds `x`"
    );
}

#[test]
fn an_empty_form_is_refused() {
    assert_eq!(
        problem(&format!("1\t\t{TAIL}\n")).1,
        "the column FORM is empty"
    );
}

#[test]
fn a_head_that_is_no_number_is_refused() {
    let text = "1\ta\t_\t_\t_\t_\tx\t_\t_\t_\n";
    assert_eq!(problem(text).1, "the column HEAD holds `x`, not a number");
}

#[test]
fn a_comment_inside_a_sentence_is_refused() {
    assert_eq!(
        problem(&format!("1\ta\t{TAIL}\n# b\n")),
        (2, "a comment inside a sentence".into())
    );
}

#[test]
fn wrong_ids_of_empty_nodes_are_refused() {
    let text = format!("1\ta\t{TAIL}\n1.2\tb\t{TAIL}\n");
    assert_eq!(
        problem(&text),
        (2, "expected empty node 1.1, found 1.2".into())
    );
}

#[test]
fn comments_without_a_sentence_are_refused() {
    assert_eq!(problem("# a\n\n"), (2, "a sentence without words".into()));
}

#[test]
fn lines_count_from_the_first_line_given() {
    assert_eq!(parse("x\n", 41).unwrap_err().line, 41);
}

#[test]
fn a_located_document_prints_its_spacing_and_ranges() {
    let mut document = parse(
        &format!("# x = y\n1\tI\t{TAIL}\n2-3\tdon't\t_\t_\t_\t_\t_\t_\t_\tSpacesAfter=\\s\\n|A=b\n2\tdo\t{TAIL}\n3\tn't\t{TAIL}\n\n"),
        1,
    )
    .unwrap();
    document.locate();
    document.start.chars = 10;
    document.sentences[0].opens = Opens::Document;
    document.id = Some("d".into());
    let mut out = String::new();
    print(&document, 7, &mut out);
    let empty = &TAIL[..14];
    assert_eq!(
        out,
        format!(
            "# newdoc id = d\n# newpar\n# x = y\n# sent_id = 7\n# text = I don't\n1\tI\t{empty}TokenRange=10:11\n\
             2-3\tdon't\t{empty}SpacesAfter=\\s\\n|TokenRange=12:17|A=b\n2\tdo\t{TAIL}\n3\tn't\t{TAIL}\n\n"
        )
    );
}

proptest! {
    #[test]
    fn nothing_makes_the_parser_panic(text in "([0-9]{1,2}[-.]?[0-9]?\t|[#a_=|\r\n\t]|\\PC)*") {
        let _ = parse(&text, 1);
    }

    #[test]
    fn what_is_printed_parses_back(sentences in proptest::collection::vec(crate::text::arbitrary::conllu_sentence(), 0..4)) {
        let text = sentences.concat();
        let document = parse(&text, 1).unwrap();
        let mut out = String::new();
        print(&document, 1, &mut out);
        prop_assert_eq!(&out, &text);
        prop_assert_eq!(parse(&out, 1).unwrap(), document);
    }

    #[test]
    fn a_located_document_comes_back_from_what_it_prints(document in crate::text::arbitrary::located()) {
        let mut out = String::new();
        print(&document, 1, &mut out);
        let mut back = parse(&out, 1).unwrap();
        if document.sentences.iter().any(|s| !s.tokens.is_empty()) {
            let mut raw = String::new();
            prop_assert!(rebuild(&back, &mut raw, |_, _| ()));
            prop_assert_eq!(Some(&raw), document.text.as_ref());
        }
        back.locate();
        let mut again = String::new();
        print(&back, 1, &mut again);
        prop_assert_eq!(again, out);
    }
}
