use super::train::{Options, train};
use super::*;
use crate::text::document::Sentence;

fn words(text: &str) -> Vec<Word> {
    text.split(' ')
        .filter(|w| !w.is_empty())
        .map(Word::of)
        .collect()
}

fn truecaser() -> Truecaser {
    let text = [
        "The old man met John Smith in London .",
        "She met the young man of the BBC in Paris .",
        "We saw John of the BBC and the old Smith in Paris .",
        "Our man in London met Smith .",
    ];
    let sentences: Vec<Sentence> = text
        .iter()
        .map(|text| Sentence {
            words: words(text),
            ..Sentence::default()
        })
        .collect();
    let counts = [
        ("the", 900),
        ("man", 40),
        ("met", 20),
        ("in", 500),
        ("London", 80),
        ("Madrid", 70),
        ("John", 90),
        ("BBC", 30),
        ("CNN", 30),
        ("iPhone", 12),
        ("İzmir", 5),
        ("bill", 30),
        ("Bill", 30),
    ];
    let forms = counts.map(|(form, count)| (form.to_owned(), count));
    let sentences: Vec<&Sentence> = sentences.iter().collect();
    train(
        &sentences,
        &forms,
        &Options {
            epochs: 20,
            bits: 16,
            min_changes: 1,
            ..Options::default()
        },
        |_, _| {},
    )
}

fn restored(text: &str) -> String {
    let forms = truecaser().restore(&words(text), &mut TruecaseScratch::default());
    forms.join(" ")
}

#[test]
fn sentences_of_one_case_lack_it() {
    for (text, lacks) in [
        ("john smith lives here", true),
        ("JOHN SMITH LIVES HERE", true),
        ("I AM HERE", true),
        ("yes I think so", true),
        ("I think so", false),
        ("The dog barks .", false),
        ("the dog of John", false),
        ("OK", false),
        ("thanks !", false),
        ("I", false),
        ("", false),
        ("1 2 3 . ?", false),
        ("日本 語 です", false),
        ("ДЖОН СМИТ ЗДЕСЬ", true),
        ("Nº 5", false),
    ] {
        assert_eq!(lacks_case(&words(text)), lacks, "{text}");
    }
}

#[test]
fn words_are_written_as_usual() {
    let expected = "The man met John in London .";
    assert_eq!(restored("the man met john in london ."), expected);
    assert_eq!(restored("THE MAN MET JOHN IN LONDON ."), expected);
    // Of words that no sentence had, the list alone tells.
    assert_eq!(
        restored("we met the cnn in madrid ."),
        "We met the CNN in Madrid ."
    );
}

#[test]
fn any_text_is_restored_word_by_word() {
    for text in [
        "",
        "1 . ?",
        "日本 語",
        "İ ı I i İZMİR ß ŉ ǆ ﬁ",
        "IPHONE iphone",
        "\u{345} ª",
    ] {
        let forms = truecaser().restore(&words(text), &mut TruecaseScratch::default());
        assert_eq!(forms.len(), words(text).len(), "{text}");
        assert!(forms.iter().all(|form| !form.is_empty()), "{text}");
    }
}

#[test]
fn a_form_has_the_style_it_is_written_in() {
    use Style::*;
    for (form, style) in [
        ("john", Lower),
        ("John", Capitalized),
        ("I", Capitalized),
        ("BBC", AllCapitals),
        ("iPhone", Mixed),
        ("12", Lower),
    ] {
        assert_eq!(Style::of(form, &lowered(form)), style, "{form}");
    }
}

#[test]
fn save_then_load_is_the_identity() {
    let mut section = Section::default();
    assert_eq!(Truecaser::load(&section).unwrap(), None);
    truecaser().save(&mut section);
    assert_eq!(Truecaser::load(&section).unwrap(), Some(truecaser()));
    section.tensors.remove("truecase.mixed");
    assert!(Truecaser::load(&section).is_err());
}

#[test]
fn swapped_twice_forms_are_as_they_were() {
    let mut sentence = words("a b");
    let mut forms = vec!["A".into(), "B".into()];
    swap_forms(&mut sentence, &mut forms);
    assert_eq!(sentence, words("A B"));
    swap_forms(&mut sentence, &mut forms);
    assert_eq!(sentence, words("a b"));
}
