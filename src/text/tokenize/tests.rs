//! What holds for every scheme and unit, on any text; and a model small enough to train here.

use super::*;
use crate::text::document::Misc;
use proptest::prelude::*;
use std::sync::OnceLock;
use unicode_segmentation::UnicodeSegmentation;

/// Sentences of `surface` or `surface=word+word` tokens; `_` before a token joins it to the one before.
fn annotated(sentences: &[&str]) -> Document {
    let mut document = Document::default();
    for line in sentences {
        let mut sentence = Sentence::default();
        for item in line.split(' ') {
            let joined = item.strip_prefix('_');
            if joined.is_some()
                && let Some(token) = sentence.tokens.last_mut()
            {
                let misc = Misc(vec!["SpaceAfter=No".into()]);
                match token.form {
                    Some(_) => token.misc = misc,
                    None => sentence.words[token.words.start as usize].misc = misc,
                }
            }
            let item = joined.unwrap_or(item);
            let (surface, words) = item.split_once('=').unwrap_or((item, item));
            let first = sentence.words.len() as u32;
            sentence.words.extend(words.split('+').map(Word::of));
            let many = words.contains('+');
            sentence.tokens.push(Token {
                words: first..sentence.words.len() as u32,
                form: many.then(|| surface.into()),
                ..Token::default()
            });
        }
        document.sentences.push(sentence);
    }
    document
}

fn trained() -> &'static Tokenizer {
    static TOKENIZER: OnceLock<Tokenizer> = OnceLock::new();
    TOKENIZER.get_or_init(|| Tokenizer::from_section(&section()).unwrap())
}

fn section() -> Section {
    let mut documents = Vec::new();
    let names = ["Ann", "Bob", "Carl", "Dora", "Emil", "Frida"];
    let verbs = ["likes", "sees", "hears", "calls", "meets", "knows"];
    for (i, name) in names.iter().enumerate() {
        for (j, verb) in verbs.iter().enumerate() {
            let other = names[(i + j + 1) % names.len()];
            documents.push(annotated(&[
                &format!("{name} {verb} {other} _."),
                &format!("Mr. {name} does {verb} _, but {other} doesn't=does+n't _."),
                "( _It's=It+'s $ _5 _) _!",
                &format!("{other}'s={other}+'s dog {verb} {name} _?"),
            ]));
        }
    }
    train(&documents, &TrainOptions::default())
}

fn printed(tokenizer: &Tokenizer, text: &str) -> String {
    let mut out = String::new();
    tokenizer.print(
        text,
        &Printing::default(),
        &mut Workspace::default(),
        &mut out,
    );
    out
}

fn every_tokenizer() -> Vec<Tokenizer> {
    let mut all = vec![
        trained().clone(),
        Tokenizer::unicode(),
        Tokenizer::whitespace(),
    ];
    for unit in [Unit::Sentence, Unit::Grapheme, Unit::Char, Unit::Line] {
        all.push(Tokenizer {
            unit,
            ..trained().clone()
        });
        all.push(Tokenizer {
            unit,
            ..Tokenizer::unicode()
        });
    }
    all
}

#[test]
fn a_trained_segmenter_parts_what_its_data_parts() {
    assert_eq!(
        printed(
            trained(),
            "Mr. Bob doesn't. (It's $5)! Zoe's dog calls Ann?\n\nEmil sees Bob."
        ),
        "Mr. Bob does n't .\n( It 's $ 5 ) !\nZoe 's dog calls Ann ?\nEmil sees Bob .\n"
    );
}

#[test]
fn surface_tokens_are_kept_on_request() {
    let tokenizer = Tokenizer {
        split_multiwords: false,
        ..trained().clone()
    };
    assert_eq!(printed(&tokenizer, "Bob doesn't."), "Bob doesn't .\n");
}

#[test]
fn a_document_gets_spans_words_and_openings() {
    let mut document = Document {
        text: Some("Bob sees Ann. Ann doesn't.\n\nCarl calls.".to_owned()),
        opens: Opens::Document,
        ..Document::default()
    };
    trained().segment(&mut document);
    let opens: Vec<Opens> = document.sentences.iter().map(|s| s.opens).collect();
    assert_eq!(opens, [Opens::Document, Opens::Nothing, Opens::Paragraph]);
    let token = &document.sentences[1].tokens[1];
    assert_eq!((token.span.clone(), token.words.clone()), (18..25, 1..3));
    assert_eq!(token.form.as_deref(), Some("doesn't"));
    assert_eq!(document.sentences[1].words[2].form, "n't");
    let before = document.clone();
    trained().segment(&mut document);
    assert_eq!(document, before, "a segmented document is left alone");
}

#[test]
fn training_twice_gives_the_same_bytes() {
    assert_eq!(section(), section());
}

#[test]
fn exceptions_stay_whole_in_every_scheme() {
    for mut tokenizer in [trained().clone(), Tokenizer::unicode()] {
        tokenizer.exceptions = Exceptions::parse("C++\nAT&T\nrock 'n' roll\n");
        assert_eq!(
            printed(&tokenizer, "Ann likes C++, AT&T and rock 'n' roll"),
            "Ann likes C++ , AT&T and rock 'n' roll\n"
        );
    }
}

#[test]
fn white_space_inside_a_token_is_printed_as_one_space() {
    for tokenizer in [
        Tokenizer {
            unit: Unit::Line,
            ..Tokenizer::unicode()
        },
        Tokenizer::pattern(r"\w\s+\w").unwrap(),
    ] {
        assert_eq!(printed(&tokenizer, "A\t\tB"), "A B\n");
    }
}

#[test]
fn sentences_are_one_token_on_one_line() {
    let tokenizer = Tokenizer {
        unit: Unit::Sentence,
        ..Tokenizer::unicode()
    };
    assert_eq!(
        printed(&tokenizer, "One  is\nhere. Two."),
        "One is here.\nTwo.\n"
    );
}

#[test]
fn line_ends_break_when_asked_to() {
    let tokenizer = Tokenizer {
        newline_breaks: true,
        ..Tokenizer::unicode()
    };
    assert_eq!(
        printed(&tokenizer, "a rose\nis a rose"),
        "a rose\nis a rose\n"
    );
    assert_eq!(
        printed(&Tokenizer::unicode(), "a rose\nis a rose"),
        "a rose is a rose\n"
    );
}

#[test]
fn one_line_gives_one_line() {
    let mut out = String::new();
    let printing = Printing {
        lines: true,
        ..Printing::default()
    };
    let text = "One. Two.\n\n \nThree";
    Tokenizer::unicode().print(text, &printing, &mut Workspace::default(), &mut out);
    assert_eq!(out, "One . Two .\n\n\nThree\n");
}

#[test]
fn filters_leave_words_out_and_keep_the_sentences() {
    let mut out = String::new();
    let filter = Filter {
        lower: true,
        keep: Keep::Alnum,
        ..Filter::default()
    };
    let mut printing = Printing {
        filter,
        ..Printing::default()
    };
    let text = "Ann's Dog. (!) It is.";
    let mut work = Workspace::default();
    Tokenizer::unicode().print(text, &printing, &mut work, &mut out);
    assert_eq!(out, "ann's dog\nit is\n");
    out.clear();
    printing.words = true;
    Tokenizer::unicode().print(text, &printing, &mut work, &mut out);
    assert_eq!(out, "ann's\ndog\nit\nis\n");
}

#[test]
fn a_pattern_gives_its_matches() {
    let tokenizer = Tokenizer::pattern(r"[a-z]+").unwrap();
    assert_eq!(printed(&tokenizer, "ab 12 cd. Ef"), "ab cd\nf\n");
}

#[test]
fn a_long_chunk_takes_linear_time() {
    // A quadratic step would take minutes here.
    for part in ["a.", "(", "x@", "1.", "'", "a+", "é", ". "] {
        let text = part.repeat(500_000);
        let mut work = Workspace::default();
        assert!(!trained().pieces(&text, &mut work).is_empty());
        assert!(!Tokenizer::unicode().pieces(&text, &mut work).is_empty());
    }
}

fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => "[a-zA-Z]{1,6}",
        3 => "[ \t\n\r]{1,2}",
        3 => "[.!?,:;'\"()$%#@/&*-]",
        1 => "[0-9]{1,3}",
        1 => "(https://a\\.b/c|x@y\\.org|v1\\.2\\.3|#tag|@name|doesn't|it’s)",
        1 => "[é“”’—中のア\u{a0}\u{3000}]",
        1 => "(👍🏽|🇩🇪|👨\u{200d}👩\u{200d}👧|e\u{301}|क\u{94d}ष)",
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn pieces_cover_every_character_but_white_space_once(text in texts()) {
        for tokenizer in every_tokenizer() {
            let mut work = Workspace::default();
            let mut at = 0;
            for piece in tokenizer.pieces(&text, &mut work) {
                let start = piece.start as usize;
                prop_assert!(text[at..start].chars().all(char::is_whitespace));
                prop_assert!(piece.end > piece.start);
                at = piece.end as usize;
                prop_assert!(text.is_char_boundary(at));
            }
            prop_assert!(text[at..].chars().all(char::is_whitespace));
        }
    }

    #[test]
    fn the_last_piece_ends_its_paragraph(text in texts()) {
        for tokenizer in every_tokenizer() {
            let mut work = Workspace::default();
            if let Some(last) = tokenizer.pieces(&text, &mut work).last() {
                prop_assert_eq!(last.ends, Ends::Paragraph);
            }
        }
    }

    #[test]
    fn no_grapheme_cluster_is_split(text in texts()) {
        let starts: Vec<usize> = text.grapheme_indices(true).map(|(at, _)| at).collect();
        for tokenizer in [trained().clone(), Tokenizer::unicode()] {
            let mut work = Workspace::default();
            let pieces = tokenizer.pieces(&text, &mut work);
            for pair in pieces.windows(2).filter(|pair| pair[0].end == pair[1].start) {
                prop_assert!(starts.contains(&(pair[1].start as usize)));
            }
        }
    }

    #[test]
    fn paragraphs_do_not_see_each_other(a in texts(), b in texts()) {
        let joined = format!("{a}\n\n{b}");
        for tokenizer in every_tokenizer() {
            let alone = printed(&tokenizer, &a) + &printed(&tokenizer, &b);
            prop_assert_eq!(printed(&tokenizer, &joined), alone);
        }
    }

    #[test]
    fn print_shows_the_words_of_the_document(text in texts()) {
        for tokenizer in every_tokenizer() {
            let mut document = Document { text: Some(text.clone()), ..Document::default() };
            tokenizer.segment(&mut document);
            let lines: Vec<String> = document.sentences.iter().map(|sentence| {
                let forms: Vec<&str> = sentence.words.iter().map(|w| w.form.as_str()).collect();
                forms.join(" ") + "\n"
            }).collect();
            prop_assert_eq!(printed(&tokenizer, &text), lines.concat());
        }
    }
}
