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

/// Words with their tags and the lemmas that they have in each mode, worked out by hand.
const LEMMAS: &str = include_str!("lemmas.tsv");

#[test]
fn each_mode_gives_the_lemmas_of_the_table() {
    let rows: Vec<Vec<&str>> = LEMMAS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split('\t').collect())
        .collect();
    // Not first in its sentence, where a capital says less.
    let sentence = |row: &Vec<&str>| {
        let word = format!("2\t{}\t_\t{}\t{}\t{}", row[0], row[1], row[2], row[3]);
        format!("1\t,\t,\tPUNCT\t,\t_\t_\t_\t_\t_\n{word}\t_\t_\t_\t_\n\n")
    };
    let text: String = rows.iter().map(sentence).collect();
    for (mode, column) in [("ud", 4), ("dictionary", 5)] {
        let call = wordmill(&format!("lemmatize --to tsv --mode {mode}"));
        let output = call.stdin(text.as_str()).text();
        let lemmas = output.lines().filter(|line| !line.is_empty()).skip(1);
        let lemmas = lemmas.step_by(2).map(|line| line.split('\t').nth(1));
        let wrong: Vec<String> = (rows.iter().zip(lemmas))
            .filter(|(row, lemma)| *lemma != Some(row[column]))
            .map(|(row, lemma)| format!("{} {}: {lemma:?}, not {}", row[0], row[1], row[column]))
            .collect();
        assert!(wrong.is_empty(), "--mode {mode}: {wrong:#?}");
    }
}

#[test]
fn a_mode_changes_degrees_and_names() {
    let input = "More people sang better than the Americans did.\n";
    let lemmas = |flags: &str| wordmill(&format!("lemmatize {flags}")).stdin(input).text();
    assert_eq!(lemmas("--mode ud"), lemmas(""));
    let dictionary = lemmas("--mode dictionary");
    assert!(dictionary.starts_with("many people sing good than the Americans do"));
    let annotated = wordmill("annotate --layers tokens,lemma --mode dictionary --to tsv");
    let column = |line: &str| line.split('\t').nth(1).map(str::to_owned);
    let annotated = annotated.stdin(input).text();
    let annotated: Vec<String> = annotated.lines().filter_map(column).collect();
    assert_eq!(annotated.join(" "), dictionary.trim_end());
}

#[test]
fn an_unknown_mode_is_wrong_usage() {
    let message = wordmill("lemmatize --mode latin").fails(2);
    assert!(message.contains("ud, dictionary"), "{message}");
}
