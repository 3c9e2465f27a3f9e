//! `wordmill pos`: what is printed, and which tags are possible.

use crate::harness::{root, wordmill};

const UPOS: &str = "ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X";

#[test]
fn every_word_of_a_text_gets_a_tag_of_universal_dependencies() {
    let output = wordmill("pos corpora/sample.txt --to tsv").text();
    let mut count = 0;
    for line in output.lines().filter(|line| !line.is_empty()) {
        let columns: Vec<&str> = line.split('\t').collect();
        assert_eq!(columns.len(), 4, "{line}");
        assert!(UPOS.split(' ').any(|tag| tag == columns[1]), "{line}");
        assert!(!columns[2].is_empty() && columns[2] != "_", "{line}");
        count += 1;
    }
    assert!(count > 200, "{count}");
}

#[test]
fn text_output_joins_word_and_tag() {
    let output = wordmill("pos --to text")
        .stdin("The dogs were old.\n")
        .text();
    assert_eq!(output, "The_DET dogs_NOUN were_AUX old_ADJ ._PUNCT\n");
}

#[test]
fn words_that_are_tagged_already_are_tagged_anew_unless_they_are_to_stay() {
    let text = "1\tThe\t_\tX\tXX\t_\t_\t_\t_\t_\n2\tdog\t_\t_\t_\t_\t_\t_\t_\t_\n\n";
    let tags = |flags: &str| {
        let output = wordmill(&format!("pos {flags} --to text"))
            .stdin(text)
            .text();
        output.trim_end().to_string()
    };
    assert_eq!(tags(""), "The_DET dog_NOUN");
    assert_eq!(tags("--keep"), "The_X dog_NOUN");
}

#[test]
fn words_of_multi_word_tokens_are_tagged_and_their_tokens_are_not() {
    let output = wordmill("pos corpora/tagged.conllu").text();
    let gold = std::fs::read_to_string(root().join("corpora/tagged.conllu")).unwrap();
    assert_eq!(output.lines().count(), gold.lines().count());
    for (line, gold) in output.lines().zip(gold.lines()) {
        let is_token = gold.split('\t').next().is_some_and(|id| id.contains('-'));
        if is_token || gold.starts_with('#') || gold.is_empty() {
            assert_eq!(line, gold);
        }
    }
}
