//! `wordmill lemmatize`: lemmas of running text and of tagged words.

use crate::harness::wordmill;

#[test]
fn text_gives_lemmas_a_sentence_a_line() {
    let output = wordmill("lemmatize")
        .stdin("The dogs ran. It was late.\n")
        .text();
    assert_eq!(output, "the dog run .\nit be late .\n");
}

#[test]
fn a_tag_that_is_given_decides() {
    let lemma = |tags: &str| {
        let text = format!("1\tmeeting\t_\t{tags}\t_\t_\t_\t_\t_\n\n");
        let output = wordmill("lemmatize --to text").stdin(text).text();
        output.trim_end().to_string()
    };
    assert_eq!(lemma("VERB\tVBG"), "meet");
    assert_eq!(lemma("NOUN\tNN"), "meeting");
}

#[test]
fn tab_separated_columns_are_form_lemma_and_tag() {
    let output = wordmill("lemmatize --to tsv --header")
        .stdin("Dogs\n")
        .text();
    assert!(
        output.starts_with("form\tlemma\tupos\nDogs\tdog\t"),
        "{output}"
    );
}

#[test]
fn a_line_in_is_a_line_out() {
    let output = wordmill("lemmatize --from lines")
        .stdin("Dogs ran. Cats sat.\n\nYes\n")
        .text();
    assert_eq!(output.lines().count(), 3);
    assert_eq!(output.lines().nth(1), Some(""));
}
