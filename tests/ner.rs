//! `wordmill ner`: entities in every format.

use crate::harness::wordmill;

const TEXT: &str = "Ann Lee lives in New York.\n";

#[test]
fn tab_separated_output_has_an_entity_a_row() {
    let output = wordmill("ner --to tsv --header").stdin(TEXT).text();
    assert_eq!(
        output,
        "document\tstart\tend\tlabel\ttext\tvalue\tscore\n-\t0\t7\tPER\tAnn Lee\t_\t_\n-\t17\t25\tLOC\tNew York\t_\t_\n"
    );
}

#[test]
fn offsets_count_through_the_document_it_names() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.txt");
    std::fs::write(&path, format!("Nothing here.\n\n{TEXT}")).unwrap();
    let output = wordmill("ner --to tsv").arg(&path).text();
    let expected = format!("{}\t15\t22\tPER\tAnn Lee\t_\t_\n", path.display());
    assert!(output.starts_with(&expected), "{output}");
}

#[test]
fn entities_are_items_of_misc_spans_of_json_and_marks_of_text() {
    let conllu = wordmill("ner").stdin(TEXT).text();
    assert!(
        conllu.contains("NER=B-PER") && conllu.contains("NER=I-LOC"),
        "{conllu}"
    );
    let json = wordmill("ner --to jsonl").stdin(TEXT).text();
    assert!(
        json.contains(r#"{"start":0,"end":7,"label":"PER","text":"Ann Lee"}"#),
        "{json}"
    );
    let text = wordmill("ner --to text").stdin(TEXT).text();
    assert!(text.starts_with("Ann/B-PER Lee/I-PER lives/O "), "{text}");
}

#[test]
fn columns_go_in_and_come_out_in_their_own_scheme() {
    let text = "-DOCSTART- -X- -X- O\n\nAnn NNP B-NP O\nsleeps VBZ B-VP O\n\n";
    let output = wordmill("ner --from columns --to columns --columns form,xpos,_,ner").stdin(text);
    let output = output.text();
    assert!(output.starts_with("-DOCSTART-"), "{output}");
    assert!(output.contains("\nsleeps VBZ "), "{output}");
    assert!(
        output
            .lines()
            .any(|line| line.starts_with("Ann ") && line.ends_with("-PER")),
        "{output}"
    );
}

#[test]
fn old_entities_are_replaced_or_kept() {
    let text = "1\tit\t_\tPRON\tPRP\t_\t_\t_\t_\tNER=B-ORG\n\n";
    assert!(
        wordmill("ner --keep")
            .stdin(text)
            .text()
            .contains("NER=B-ORG")
    );
    assert!(!wordmill("ner").stdin(text).text().contains("NER=B-ORG"));
}
