use super::*;
use crate::text::document::Misc;
use proptest::prelude::*;

fn spec(columns: &str) -> ColumnSpec {
    columns.parse().unwrap()
}

fn printed(text: &str, spec: &ColumnSpec) -> String {
    let mut out = String::new();
    print(&parse(text, 1, spec).unwrap(), spec, &mut out);
    out
}

#[test]
fn files_are_written_back_as_they_were() {
    let conll = "-DOCSTART- -X- O O\n\nEU NNP I-NP B-ORG\n# # O O\n\na | \\ O\n\n";
    assert_eq!(printed(conll, &spec("form,xpos,_,ner")), conll);
    let uner = "# newdoc id = d\n# text = a b c d e\n1\ttampa\tB-LOC\t-\tann\n2\t#x\tO\t-\t\n\n";
    assert_eq!(printed(uner, &spec("_,form,ner,_,_")), uner);
    let wnut = "#Hello\tO\n@you\tB-person\n\n";
    assert_eq!(printed(wnut, &spec("form,ner")), wnut);
}

#[test]
fn labels_come_out_in_iob2() {
    let text = "a I-X\nb I-X\nc B-X\nd O\ne S-Y\n";
    assert_eq!(
        printed(text, &spec("form,ner")),
        "a B-X\nb I-X\nc B-X\nd O\ne B-Y\n\n"
    );
}

#[test]
fn labels_are_renamed_and_dropped() {
    let spec = spec("form,ner")
        .map("OTH=MISC")
        .unwrap()
        .map("X=O")
        .unwrap()
        .map("Y=")
        .unwrap();
    let text = "a I-OTH\nb I-X\nc I-Y\n";
    assert_eq!(printed(text, &spec), "a B-MISC\nb O\nc O\n\n");
    assert!(spec.map("=a").is_err());
}

#[test]
fn a_docstart_line_opens_a_document() {
    let document = parse("-DOCSTART- O\n\na O\n", 1, &spec("form,ner")).unwrap();
    assert_eq!(document.sentences[0].opens, Opens::Document);
    assert_eq!(document.sentences[0].words[0].misc, Misc::default());
}

#[test]
fn documents_from_elsewhere_get_tabs_and_a_docstart_line() {
    let mut document = crate::text::plain::parse_tokens("a b");
    document.sentences[0].opens = Opens::Document;
    let mut out = String::new();
    print(&document, &spec("form,upos,ner"), &mut out);
    assert_eq!(out, "-DOCSTART-\t-X-\tO\n\na\t_\tO\nb\t_\tO\n\n");
}

#[test]
fn another_number_of_columns_is_refused() {
    let error = parse("a O\nb\n", 5, &spec("form,ner")).unwrap_err();
    assert_eq!(
        (error.line, error.problem.as_str()),
        (6, "expected 2 columns, found 1")
    );
    assert!(error.hint.unwrap().contains("--columns"));
    let error = parse("\tO\n", 1, &spec("form,ner")).unwrap_err();
    assert_eq!(error.problem, "the column form is empty");
}

#[test]
fn ignored_columns_at_the_end_of_a_line_may_be_missing() {
    let spec = spec("_,form,ner,_,_");
    let document = parse("1\tTampa\tB-LOC\t-\tx\n2\tis\tO\n", 1, &spec).unwrap();
    assert_eq!(document.sentences[0].words.len(), 2);
    assert!(parse("1\tTampa\n", 1, &spec).is_err());
}

#[test]
fn a_spec_names_known_columns_once_and_the_form() {
    assert!(
        "form,tag"
            .parse::<ColumnSpec>()
            .unwrap_err()
            .contains("`tag`")
    );
    assert!(
        "form,form"
            .parse::<ColumnSpec>()
            .unwrap_err()
            .contains("twice")
    );
    assert!(
        "_,ner"
            .parse::<ColumnSpec>()
            .unwrap_err()
            .contains("`form`")
    );
}

#[test]
fn a_carriage_return_parts_columns_like_a_space() {
    assert_eq!(printed("a\r O\r\n", &spec("form,ner")), "a O\n\n");
}

#[test]
fn a_docstart_line_may_be_indented() {
    assert_eq!(
        printed(" -DOCSTART- O\n\na O\n", &spec("form,ner")),
        "-DOCSTART- O\n\na O\n\n"
    );
}

#[test]
fn a_comment_that_only_begins_like_a_docstart_line_stays_a_comment() {
    let text = "# -DOCSTART-# b\na O\n\n";
    assert_eq!(printed(text, &spec("form,ner")), text);
}

proptest! {
    #[test]
    fn nothing_makes_the_parser_panic(text in "([ \t\n#]|-DOCSTART-|[BIO]-X|\\PC)*") {
        let _ = parse(&text, 1, &spec("form,_,ner"));
    }

    #[test]
    fn what_is_printed_parses_back(text in "(([ab#|\\\\]{1,3}\t[x_ ]{0,2}\t(O|[BIS]-[XY])\n){0,4}\n){0,4}") {
        let spec = spec("form,_,ner");
        let document = parse(&text, 1, &spec).unwrap();
        let mut out = String::new();
        print(&document, &spec, &mut out);
        let back = parse(&out, 1, &spec).unwrap();
        prop_assert_eq!(&back.sentences, &document.sentences);
    }
}

#[test]
fn a_tab_in_any_line_parts_the_whole_file_by_tabs() {
    for (text, columns) in [
        ("#a\tO\n\nb\tO\n\n", "form,ner"),
        ("# text = a\tb c\na\t-\tO\n\n", "form,_,ner"),
        ("-DOCSTART-\r-X- O\n\na b O\n\n", "form,_,ner"),
    ] {
        assert_eq!(printed(text, &spec(columns)), text);
    }
}

#[test]
fn ignored_columns_that_are_missing_or_unset_are_the_same() {
    // Found by fuzzing: what was missing was printed as `_`, and read back as a value.
    let spec: ColumnSpec = "_,form,ner,_".parse().unwrap();
    let document = parse("x a O _\ny b O\n", 1, &spec).unwrap();
    let mut printed = String::new();
    print(&document, &spec, &mut printed);
    assert_eq!(printed, "x a O _\ny b O _\n\n");
    let back = parse(&printed, 1, &spec).unwrap();
    assert_eq!(back.sentences, document.sentences);
}
