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

#[test]
fn stems_are_those_of_the_models_language() {
    let folder = tempfile::tempdir().unwrap();
    let annotate = |language: &str| {
        let model = folder.path().join(format!("{language}.safetensors"));
        let path = model.to_str().unwrap();
        wordmill("tokenize train -q corpora/tagged.conllu --language")
            .arg(language)
            .arg("-o")
            .arg(path)
            .text();
        wordmill("annotate --layers tokens,stem --to jsonl --model")
            .arg(path)
            .stdin("continuellement\n")
            .run()
    };
    let french = annotate("fr");
    assert!(
        String::from_utf8_lossy(&french.stdout).contains(r#""stem":"continuel""#),
        "{french:?}"
    );
    let unknown = annotate("tlh");
    assert_eq!(unknown.status, 1);
    assert!(
        unknown
            .stderr
            .contains(r#"there is no Snowball stemmer for "tlh""#),
        "{unknown:?}"
    );
}
