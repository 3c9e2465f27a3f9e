//! `wordmill tokenize`: units, schemes, filters.

use crate::harness::wordmill;

fn tokenized(flags: &str, text: &str) -> String {
    wordmill(&format!("tokenize {flags}")).stdin(text).text()
}

#[test]
fn contractions_are_printed_as_their_words_or_as_they_stand() {
    let text = "I don't know.\n";
    assert_eq!(tokenized("", text), "I do n't know .\n");
    assert_eq!(
        tokenized("--no-split-contractions", text),
        "I don't know .\n"
    );
    assert!(tokenized("--to conllu", text).contains("\n2-3\tdon't\t"));
}

#[test]
fn signs_are_parted_from_numbers_and_from_the_marks_behind_them() {
    for (text, words) in [
        ("It fell 5%.\n", "It fell 5 % .\n"),
        (
            "It fell 5%. It rose 3%.\n",
            "It fell 5 % .\nIt rose 3 % .\n",
        ),
        ("Is it (20°)?\n", "Is it ( 20 ° ) ?\n"),
        ("It costs 5€, not 6£.\n", "It costs 5 € , not 6 £ .\n"),
    ] {
        assert_eq!(tokenized("", text), words);
    }
}

#[test]
fn an_abbreviation_before_capitals_ends_no_sentence() {
    let text = "We meet at 8 p.m. EDT on Friday.\n";
    assert_eq!(tokenized("", text), "We meet at 8 p.m. EDT on Friday .\n");
}

#[test]
fn what_the_data_splits_in_half_of_its_places_is_split_as_its_ending_tells() {
    assert_eq!(
        tokenized("", "The company's plan.\n"),
        "The company 's plan .\n"
    );
}

#[test]
fn schemes_differ_in_where_words_end() {
    let text = "Ann's e-mail: a@b.org, $3.50!\n";
    assert_eq!(
        tokenized("--scheme unicode", text),
        "Ann's e - mail : a @ b.org , $ 3.50 !\n"
    );
    assert_eq!(
        tokenized("--scheme whitespace", text),
        "Ann's e-mail: a@b.org, $3.50!\n"
    );
    let pattern = wordmill("tokenize --scheme regex --pattern [a-z]+");
    assert_eq!(pattern.stdin(text).text(), "nn s e mail a b org\n");
}

#[test]
fn a_pattern_is_needed_and_must_be_one() {
    assert!(
        wordmill("tokenize --scheme regex")
            .fails(2)
            .contains("--pattern")
    );
    let message = wordmill("tokenize --scheme regex --pattern (")
        .stdin("a")
        .fails(2);
    assert!(
        message.starts_with("wordmill tokenize: --pattern: "),
        "{message}"
    );
}

#[test]
fn a_unit_is_what_stands_on_a_line_of_words() {
    let text = "Go on. Nai\u{308}ve\u{a0}👩\u{200d}🔬!\nYes.\n";
    let units = |unit: &str| tokenized(&format!("--to words --unit {unit}"), text);
    assert!(units("sentence").starts_with("Go on.\n"));
    assert_eq!(units("line").lines().count(), 2);
    assert!(
        units("grapheme").contains("\ni\u{308}\n")
            && units("grapheme").contains("\n👩\u{200d}🔬\n")
    );
    assert!(units("char").contains("\ni\n"));
}

#[test]
fn things_that_look_like_several_tokens_stay_whole() {
    let text = "See https://a.org/b?c=1&d, mail x.y@b.org, use v2.0.1 #tag @name now.\n";
    let words = tokenized("--to words", text);
    for whole in [
        "https://a.org/b?c=1&d",
        "x.y@b.org",
        "v2.0.1",
        "#tag",
        "@name",
    ] {
        assert!(
            words.lines().any(|word| word == whole),
            "{whole} is cut:\n{words}"
        );
    }
}

#[test]
fn filters_change_or_drop_words() {
    let text = "The 3 Ｃafés of Rome, and I.\n";
    assert_eq!(tokenized("--lower", "Ann SAW it.\n"), "ann saw it .\n");
    assert_eq!(
        tokenized("--keep alpha", text),
        "The Ｃafés of Rome and I\n"
    );
    assert_eq!(
        tokenized("--keep alnum", text),
        "The 3 Ｃafés of Rome and I\n"
    );
    assert_eq!(
        tokenized("--keep alpha --min-len 3", text),
        "The Ｃafés Rome and\n"
    );
    assert_eq!(
        tokenized("--keep alpha --stopwords en", text),
        "Ｃafés Rome\n"
    );
    assert_eq!(
        tokenized("--keep alpha --normalize nfkc --min-len 5", text),
        "Cafés\n"
    );
}

#[test]
fn lists_of_words_are_read_from_files() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("list");
    std::fs::write(&list, "rome\nA-/b+\n").unwrap();
    let run = |flag: &str| {
        let call = wordmill(&format!("tokenize {flag}")).arg(&list);
        call.stdin("Rome has A-/b+ now\n").text()
    };
    assert!(run("--stopwords").starts_with("has "));
    assert!(run("--exceptions").trim_end().ends_with("has A-/b+ now"));
    wordmill("tokenize --exceptions no/such")
        .stdin("a")
        .fails(1);
    wordmill("tokenize --stopwords no/such").stdin("a").fails(1);
}

#[test]
fn ngrams_are_joined_runs_inside_a_sentence() {
    let ngrams = |range: &str| tokenized(&format!("--to words --ngrams {range}"), "a b c\n\nd\n");
    assert_eq!(
        ngrams("2")
            .lines()
            .filter(|l| !l.is_empty())
            .collect::<Vec<_>>(),
        ["a_b", "b_c"]
    );
    assert_eq!(ngrams("1-3").lines().filter(|l| l.contains('_')).count(), 3);
    wordmill("tokenize --ngrams 3-1").fails(2);
    wordmill("tokenize --ngrams 4").fails(2);
}

#[test]
fn filters_that_drop_words_need_a_format_without_gaps() {
    let message = wordmill("tokenize --stopwords en --to conllu")
        .stdin("a")
        .fails(2);
    assert!(message.contains("--to text or --to words"), "{message}");
}

#[test]
fn forms_change_and_the_text_does_not() {
    let output = tokenized("--lower --to jsonl", "Ann SAW it.\n");
    assert!(
        output.contains(r#""text":"SAW","start":4,"end":7,"words":[{"form":"saw"}]"#),
        "{output}"
    );
    assert_eq!(
        tokenized("--lower --to raw", "Ann SAW it.\n"),
        "Ann SAW it.\n"
    );
}

#[test]
fn a_newline_is_a_space_or_a_break() {
    let text = "Roses are red\nViolets are blue\n";
    assert_eq!(tokenized("", text).lines().count(), 1);
    assert_eq!(
        tokenized("--newline break", text)
            .lines()
            .filter(|l| !l.is_empty())
            .count(),
        2
    );
}

#[test]
fn documents_that_have_tokens_keep_them() {
    let text = "1\tdo_not\t_\t_\t_\t_\t_\t_\t_\t_\n\n";
    assert_eq!(tokenized("", text), text);
}
