//! Text to pieces and back, by every algorithm.

mod dropout;
mod files;

use super::*;
use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization;

const TEXT: &[&str] = &[
    "The cats sat on the mats, and the dogs sat too.",
    "The dog sees the cats; the cats see the dog.",
    "Die Katze sitzt auf der Matte, die Hunde auch: süß, größer, übel.",
    "Die Hunde sehen die Katze, die Katze sieht die Hunde.",
    "2 cats, 22 dogs and 222 mats cost 2222 €.",
];

const ALL: [Algorithm; 5] = [
    Algorithm::Bpe,
    Algorithm::Unigram,
    Algorithm::Wordpiece,
    Algorithm::ByteLevel,
    Algorithm::Char,
];

const REVERSIBLE: [Algorithm; 4] = [
    Algorithm::Bpe,
    Algorithm::Unigram,
    Algorithm::ByteLevel,
    Algorithm::Char,
];

fn options(algorithm: Algorithm) -> Options {
    Options {
        algorithm,
        vocab_size: 400,
        ..Options::default()
    }
}

fn learned(algorithm: Algorithm) -> Subword {
    train(options(algorithm), TEXT.iter().copied()).unwrap()
}

fn with_symbols(algorithm: Algorithm, symbols: &[&str]) -> Result<Subword, SubwordError> {
    let symbols = symbols.iter().map(|s| (*s).to_owned()).collect();
    let options = Options {
        symbols,
        ..options(algorithm)
    };
    train(options, TEXT.iter().copied())
}

fn pieces(model: &Subword, numbers: &[u32]) -> String {
    let pieces: Vec<&str> = numbers.iter().map(|n| model.piece(*n).unwrap()).collect();
    pieces.join(" ")
}

/// What the crate makes of a text by the file alone.
fn by_the_crate(model: &Subword, text: &str) -> Vec<u32> {
    let encoding = model.tokenizer.encode_fast(text, false).unwrap();
    encoding.get_ids().to_vec()
}

#[test]
fn frequent_words_are_one_piece() {
    let model = learned(Algorithm::Bpe);
    let numbers = model.encode("The cats").unwrap();
    assert_eq!(pieces(&model, &numbers), "▁The ▁cats");
}

#[test]
fn characters_are_one_piece_each_and_rare_ones_bytes() {
    let model = learned(Algorithm::Char);
    let numbers = model.encode("The cé 日").unwrap();
    // é and 日 stand nowhere in the text: two bytes and three.
    assert_eq!(
        pieces(&model, &numbers),
        "▁ T h e ▁ c <0xC3> <0xA9> ▁ <0xE6> <0x97> <0xA5>"
    );
    let no_merges = serde_json::from_str::<serde_json::Value>(&model.to_json().unwrap()).unwrap();
    assert_eq!(no_merges["model"]["merges"], serde_json::json!([]));
}

#[test]
fn the_specials_have_the_first_numbers() {
    for algorithm in REVERSIBLE {
        let model = learned(algorithm);
        let found = [model.pad(), model.bos(), model.eos(), model.unk()];
        assert_eq!(found, [0, 1, 2, 3].map(Some), "{algorithm:?}");
    }
    let model = learned(Algorithm::Wordpiece);
    let found = [model.pad(), model.unk(), model.bos(), model.eos()];
    assert_eq!(found, [0, 1, 2, 3].map(Some));
}

#[test]
fn names_of_specials_and_bytes_in_a_text_are_text() {
    // Often enough that they would be pieces if they could.
    let lines = ["a </s> b <0x41> c <unk> d <pad>"; 50];
    for algorithm in REVERSIBLE {
        let model = train(options(algorithm), lines).unwrap();
        let numbers = model.encode(lines[0]).unwrap();
        let named: Vec<u32> = ["</s>", "<0x41>", "<unk>", "<pad>"]
            .iter()
            .filter_map(|p| model.id(p))
            .collect();
        assert!(!numbers.iter().any(|n| named.contains(n)), "{algorithm:?}");
        assert_eq!(model.decode(&numbers).unwrap(), lines[0], "{algorithm:?}");
    }
}

#[test]
fn an_unknown_character_is_its_bytes() {
    for algorithm in [Algorithm::Bpe, Algorithm::Unigram] {
        let model = learned(algorithm);
        let numbers = model.encode("語").unwrap();
        assert!(
            pieces(&model, &numbers).ends_with("<0xE8> <0xAA> <0x9E>"),
            "{algorithm:?}"
        );
    }
}

#[test]
fn bytes_that_are_no_character_become_the_replacement_character() {
    let model = learned(Algorithm::Bpe);
    let broken = [model.id("<0xE8>").unwrap(), model.id("<0xAA>").unwrap()];
    assert!(
        model
            .decode(&broken)
            .unwrap()
            .chars()
            .all(|c| c == '\u{FFFD}')
    );
}

#[test]
fn specials_leave_no_trace_in_text() {
    let model = learned(Algorithm::Unigram);
    let mut numbers = vec![1];
    numbers.extend(model.encode("the dog").unwrap());
    numbers.extend([3, 2, 0, 0]);
    assert_eq!(model.decode(&numbers).unwrap(), "the dog");
}

#[test]
fn every_text_comes_back() {
    let texts = [
        "",
        " ",
        "   ",
        " a",
        "a  b ",
        "\ta\t b",
        "▁",
        " ▁▁ a▁b",
        "␛1 ␛ ␛0␛2",
        "␛2 x",
        "naïve e\u{301}",
        "日本語 العربية 😀👨‍👩‍👧",
        "a\u{a0}b\u{3000}c",
        "\u{0}\u{7f}\u{85}",
    ];
    for algorithm in REVERSIBLE {
        let model = learned(algorithm);
        for text in texts {
            let numbers = model.encode(text).unwrap();
            let expected: String = text.nfc().collect();
            assert_eq!(
                model.decode(&numbers).unwrap(),
                expected,
                "{algorithm:?}: {text:?}"
            );
        }
    }
}

#[test]
fn symbols_are_one_piece_wherever_they_stand() {
    for algorithm in REVERSIBLE {
        let model = with_symbols(algorithm, &["<2de>", "__PH__"]).unwrap();
        let number = model.id("<2de>").unwrap();
        assert_eq!(number, 4, "{algorithm:?}");
        for text in [
            "<2de>",
            "<2de> The dog",
            "x<2de>y",
            " <2de>  __PH__ ",
            "a __PH__<2de>.",
            "▁<2de>▁",
        ] {
            let numbers = model.encode(text).unwrap();
            assert_eq!(
                numbers.iter().filter(|n| **n == number).count(),
                text.matches("<2de>").count(),
                "{algorithm:?}: {text:?}"
            );
            assert_eq!(
                numbers,
                by_the_crate(&model, text),
                "{algorithm:?}: {text:?}"
            );
            assert_eq!(model.decode(&numbers).unwrap(), text, "{algorithm:?}");
        }
    }
}

#[test]
fn symbols_that_cannot_be_are_refused() {
    for symbol in ["", " x", "</s>", "<0x41>"] {
        let refused = with_symbols(Algorithm::Bpe, &[symbol]);
        assert!(
            matches!(refused, Err(SubwordError::Symbol { .. })),
            "{symbol:?}"
        );
    }
    assert!(with_symbols(Algorithm::Bpe, &["x", "x"]).is_err());
    assert!(with_symbols(Algorithm::ByteLevel, &["é"]).is_err());
    assert!(with_symbols(Algorithm::Bpe, &["é▁"]).is_ok());
}

#[test]
fn files_are_read_back_as_they_were_written() {
    for algorithm in ALL {
        let model = learned(algorithm);
        let json = model.to_json().unwrap();
        let again = Subword::from_json(&json).unwrap();
        assert!(again.known.is_some(), "{algorithm:?}");
        assert_eq!(again.to_json().unwrap(), json, "{algorithm:?}");
        for text in TEXT {
            assert_eq!(again.encode(text).unwrap(), model.encode(text).unwrap());
        }
    }
}

#[test]
fn the_same_text_gives_the_same_file_on_any_number_of_threads() {
    for algorithm in ALL {
        let json = |threads, lines: Vec<&str>| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            let model = pool.install(|| train(options(algorithm), lines)).unwrap();
            model.to_json().unwrap()
        };
        let once = json(1, TEXT.to_vec());
        assert_eq!(json(2, TEXT.to_vec()), once, "{algorithm:?}");
        let backwards: Vec<&str> = TEXT.iter().rev().copied().collect();
        assert_eq!(json(3, backwards), once, "{algorithm:?}");
    }
}

#[test]
fn the_vocabulary_is_as_large_as_asked() {
    for algorithm in [Algorithm::Bpe, Algorithm::Unigram] {
        let options = Options {
            vocab_size: 310,
            ..options(algorithm)
        };
        let model = train(options, TEXT.iter().copied()).unwrap();
        assert_eq!(model.vocab_size(), 310, "{algorithm:?}");
    }
}

#[test]
fn a_vocabulary_too_small_for_its_letters_is_refused() {
    for algorithm in ALL {
        let options = Options {
            vocab_size: 5,
            ..options(algorithm)
        };
        let refused = train(options, TEXT.iter().copied());
        assert!(
            matches!(refused, Err(SubwordError::TooSmall { asked: 5, .. })),
            "{algorithm:?}"
        );
    }
}

#[test]
fn no_text_is_an_error() {
    assert!(matches!(
        train(Options::default(), [""]),
        Err(SubwordError::NoText)
    ));
}

#[test]
fn wordpiece_marks_the_insides_of_words() {
    let model = learned(Algorithm::Wordpiece);
    let numbers = model.encode("The catsdog!").unwrap();
    assert!(pieces(&model, &numbers).starts_with("The cats ##d"));
    assert_eq!(
        model
            .decode(&model.encode("the cats, the dog").unwrap())
            .unwrap(),
        "the cats, the dog"
    );
}

#[test]
fn lower_case_and_compatibility_forms_are_asked_for() {
    let options = Options {
        normalization: Normalization::Nfkc,
        lower: true,
        ..options(Algorithm::Bpe)
    };
    let model = train(options, TEXT.iter().copied()).unwrap();
    assert_eq!(
        model.decode(&model.encode("ＴＨＥ ﬁsh").unwrap()).unwrap(),
        "the fish"
    );
}

#[test]
fn many_texts_are_encoded_as_one_by_one() {
    let model = learned(Algorithm::Bpe);
    let texts: Vec<&str> = TEXT.iter().copied().cycle().take(1000).collect();
    let all = model.encode_all(&texts).unwrap();
    assert_eq!(all.len(), 1000);
    for (numbers, text) in all.iter().zip(texts) {
        assert_eq!(*numbers, model.encode(text).unwrap());
    }
}

/// Text with much of what is special: spaces, marks, escapes, bytes, combining marks.
fn odd_text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just(" ".to_owned()),
        Just("▁".to_owned()),
        Just("␛".to_owned()),
        "[012]",
        Just("\u{301}".to_owned()),
        Just("</s>".to_owned()),
        Just("<0x41>".to_owned()),
        Just("<2de>".to_owned()),
        Just("'s".to_owned()),
        "[a-zA-Z]{1,6}",
        "[\t\u{a0}\u{3000}éß한日😀]",
        any::<char>()
            .prop_filter("one line", |c| *c != '\n')
            .prop_map(String::from),
    ];
    proptest::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn any_text_comes_back_in_its_normal_form(text in odd_text()) {
        static MODELS: OnceLock<Vec<Subword>> = OnceLock::new();
        let models = MODELS.get_or_init(|| {
            REVERSIBLE.map(|algorithm| with_symbols(algorithm, &["<2de>"]).unwrap()).into()
        });
        for model in models {
            let numbers = model.encode(&text).unwrap();
            let expected = model.canonical(&text);
            prop_assert_eq!(&model.decode(&numbers).unwrap(), expected.as_ref());
            prop_assert_eq!(&numbers, &by_the_crate(model, &text));
        }
    }

    #[test]
    fn words_are_cut_as_the_crate_cuts_them(text in odd_text()) {
        static MODEL: OnceLock<Subword> = OnceLock::new();
        let model = MODEL.get_or_init(|| learned(Algorithm::Wordpiece));
        prop_assert_eq!(model.encode(&text).unwrap(), by_the_crate(model, &text));
    }
}
