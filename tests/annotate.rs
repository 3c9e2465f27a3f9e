//! `wordmill annotate`: layers and columns of its own; that it equals the single commands stands in `pipelines.rs`.

use crate::harness::wordmill;

#[test]
fn tab_separated_output_has_all_columns() {
    let output = wordmill("annotate --to tsv --header")
        .stdin("Ann slept.\n")
        .text();
    let mut lines = output.lines();
    assert_eq!(lines.next(), Some("form\tlemma\tupos\txpos\tfeats\tner"));
    assert!(
        lines
            .next()
            .unwrap()
            .starts_with("Ann\tAnn\tPROPN\tNNP\tNumber=Sing\tB-PER")
    );
    assert_eq!(
        lines.next(),
        Some("slept\tsleep\tVERB\tVBD\tMood=Ind|Number=Sing|Person=3|Tense=Past|VerbForm=Fin\tO")
    );
}

#[test]
fn a_layer_that_does_not_exist_is_wrong_usage() {
    let message = wordmill("annotate --layers tokens,syntax").fails(2);
    assert!(
        message.contains("tokens, pos, lemma, ner, stem"),
        "{message}"
    );
}

#[test]
fn files_are_documents() {
    let output = wordmill("annotate corpora/sample.txt corpora/crlf.txt").text();
    assert_eq!(output.lines().filter(|line| *line == "# newdoc").count(), 2);
}
