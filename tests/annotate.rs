//! `wordmill annotate`: layers and columns of its own; that it equals the single commands stands in `pipelines.rs`.

use crate::harness::wordmill;

#[test]
fn tab_separated_output_has_all_columns() {
    let output = wordmill("annotate --to tsv --header")
        .stdin("The dogs ran.\n")
        .text();
    assert!(
        output.starts_with(
            "form\tlemma\tupos\txpos\tfeats\tner\n\
             The\tthe\tDET\tDT\tDefinite=Def|PronType=Art\tO\n\
             dogs\tdog\tNOUN\tNNS\tNumber=Plur\tO\n"
        ),
        "{output}"
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
