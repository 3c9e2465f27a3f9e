//! Long runs over what stands around the parsers: the cutting of streams, model files, and the layers on any text.

use super::{CONLLU, JSON, Random, check_located, conllu_of, fuzz, json_of, until_the_end};
use crate::text::conllu;
use crate::text::document::{Document, Opens};
use crate::text::english;
use crate::text::format::OffsetUnit;
use crate::text::lemma::Lemmatizer;
use crate::text::model::{Bundle, ModelError, Section};
use crate::text::ner::EntityRecognizer;
use crate::text::pipeline::Pipeline;
use crate::text::pos::PosTagger;
use crate::text::tokenize::Tokenizer;
use crate::text::units::tests::check_units;
use std::panic::{AssertUnwindSafe, catch_unwind};

const TEXT: &str = "Dr. Ada Lovelace didn't work at Apple Inc. in the U.S.; she can't've known (see https://a.b/c?d=e).\n\n\
    \"Really?\" he asked… Mail a.b@c.org, #tag, @name, v1.2.3, $4.50, 10%. cannot gonna 'tis John's dogs'.\r\n\
    مرحبا بالعالم שלום 日本語 👨‍👩‍👧‍👦👍🏽🇩🇪 e\u{301}\u{301} \u{0}\u{200d}\u{202e}\u{feff} ﬁ İ ß\u{2028}x\u{85}y -- ... ''' ``` \t\u{b}\u{c} z";

/// What must hold of any text that was annotated.
pub fn check_annotated(pipeline: &Pipeline, text: &str) {
    let mut document = Document {
        text: Some(text.to_string()),
        opens: Opens::Document,
        ..Document::default()
    };
    pipeline.annotate(&mut document);
    let mut end = 0;
    for sentence in &document.sentences {
        assert!(!sentence.tokens.is_empty());
        let mut next_word = 0;
        for token in &sentence.tokens {
            assert!(token.span.start >= end && token.span.end > token.span.start);
            let between = &text[end as usize..token.span.start as usize];
            assert!(
                between.chars().all(char::is_whitespace),
                "{between:?} is lost"
            );
            assert!(!text[token.span.start as usize..token.span.end as usize].is_empty());
            assert_eq!(token.words.start, next_word);
            assert!(token.words.end > next_word);
            (end, next_word) = (token.span.end, token.words.end);
        }
        assert_eq!(next_word as usize, sentence.words.len());
        assert!(sentence.words.iter().all(|word| !word.form.is_empty()));
    }
    assert!(text[end as usize..].chars().all(char::is_whitespace));
    assert!(conllu::parse(&conllu_of(&document), 1).is_ok());
    json_of(&mut document, OffsetUnit::Utf16);
    check_located(document);
}

fn english_pipeline() -> Pipeline {
    let section = |layer| english::section(layer).unwrap();
    Pipeline {
        tokenizer: Tokenizer::from_section(&section("tokenize")).ok(),
        pos: PosTagger::from_section(&section("pos")).ok(),
        lemmatizer: Lemmatizer::from_section(&section("lemmatize")).ok(),
        recognizer: EntityRecognizer::from_section(&section("ner")).ok(),
        ..Pipeline::default()
    }
}

#[test]
#[ignore = "runs for WORDMILL_FUZZ_SECONDS"]
fn fuzz_units() {
    let seeds = [
        CONLLU,
        TEXT,
        "a b\nc\n\n# newdoc\n1\tx\n\n",
        "éé éé éé éé éé éé éé\u{3000}b. C\r\n\r\n",
    ];
    fuzz(&seeds, |text| {
        let hash = crc32fast::hash(text.as_bytes()) as usize;
        check_units(text, 1 + hash % 40, hash / 64);
    });
}

#[test]
#[ignore = "runs for WORDMILL_FUZZ_SECONDS"]
fn fuzz_pipeline() {
    let pipeline = english_pipeline();
    fuzz(&[TEXT, CONLLU, JSON], |text| {
        check_annotated(&pipeline, text)
    });
}

#[test]
#[ignore = "runs for WORDMILL_FUZZ_SECONDS"]
fn fuzz_model_file() {
    let mut section = Section::default();
    section.save_strings("labels", &["NOUN", "VERB"]);
    let mut bundle = Bundle::default();
    bundle.layers.insert("pos".to_owned(), section);
    let bytes = bundle.to_bytes().unwrap();
    let packed = zstd::encode_all(&bytes[..], 3).unwrap();
    until_the_end(|random| {
        let mut bytes = [&bytes, &packed][random.below(2)].clone();
        change(&mut bytes, random);
        drop(Bundle::from_bytes(&bytes));
    });
}

/// Flips, sets, cuts or doubles some bytes; how.
fn change(bytes: &mut Vec<u8>, random: &mut Random) -> String {
    let at = random.below(bytes.len());
    let kind = random.below(6);
    match kind {
        0 => bytes.truncate(at),
        1 => bytes.extend_from_within(at..),
        2 => bytes.clear(),
        3 if !bytes.is_empty() => {
            let end = (at + random.below(64)).min(bytes.len());
            bytes[at..end].fill(0xff);
        }
        _ => {
            for _ in 0..=random.below(8) {
                let (at, value) = (random.below(bytes.len()), random.below(256) as u8);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = value;
                }
            }
        }
    }
    format!("change {kind} at {at}")
}

/// Damages a layer's arrays behind the back of the checksum: it may be refused, but nothing may panic later.
fn damage(layer: &str, put: impl Fn(&Section, &mut Pipeline) -> Result<(), ModelError>) {
    let whole = english::section(layer).unwrap();
    let names: Vec<String> = whole.tensors.keys().cloned().collect();
    until_the_end(|random| {
        let name = &names[random.below(names.len())];
        let mut section = whole.clone();
        let Some(tensor) = section.tensors.get_mut(name) else {
            return;
        };
        let how = change(&mut tensor.data, random);
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let mut pipeline = Pipeline {
                tokenizer: Some(Tokenizer::unicode()),
                ..Pipeline::default()
            };
            if put(&section, &mut pipeline).is_ok() {
                check_annotated(&pipeline, TEXT);
            }
        }));
        assert!(outcome.is_ok(), "tensor {name} of {layer}: {how}");
    });
}

#[test]
#[ignore = "runs for WORDMILL_FUZZ_SECONDS"]
fn fuzz_model_tokenize() {
    damage("tokenize", |section, pipeline| {
        pipeline.tokenizer = Some(Tokenizer::from_section(section)?);
        Ok(())
    });
}

#[test]
#[ignore = "runs for WORDMILL_FUZZ_SECONDS"]
fn fuzz_model_pos() {
    damage("pos", |section, pipeline| {
        pipeline.pos = Some(PosTagger::from_section(section)?);
        Ok(())
    });
}

#[test]
#[ignore = "runs for WORDMILL_FUZZ_SECONDS"]
fn fuzz_model_lemmatize() {
    damage("lemmatize", |section, pipeline| {
        pipeline.lemmatizer = Some(Lemmatizer::from_section(section)?);
        Ok(())
    });
}

#[test]
#[ignore = "runs for WORDMILL_FUZZ_SECONDS"]
fn fuzz_model_ner() {
    damage("ner", |section, pipeline| {
        pipeline.recognizer = Some(EntityRecognizer::from_section(section)?);
        Ok(())
    });
}

proptest::proptest! {
    /// Words of any text slice it, cover it and can be printed, whatever cuts it.
    #[test]
    fn any_text_is_segmented_whole(text in "(\\PC|[a-z'.,!?@#$ \t\r\n\u{0}\u{301}\u{200d}]|n't|U\\.S\\.|https://a\\.b/c|👨‍👩‍👧){0,60}") {
        thread_local! {
            static CUTTERS: Vec<Pipeline> = vec![
                Pipeline {
                    tokenizer: Some(Tokenizer::from_section(&english::section("tokenize").unwrap()).unwrap()),
                    ..Pipeline::default()
                },
                Pipeline { tokenizer: Some(Tokenizer::unicode()), ..Pipeline::default() },
                Pipeline { tokenizer: Some(Tokenizer::whitespace()), ..Pipeline::default() },
            ];
        }
        CUTTERS.with(|cutters| cutters.iter().for_each(|cutter| check_annotated(cutter, &text)));
    }

    /// Any bytes are a model or a refusal.
    #[test]
    fn any_bytes_may_claim_to_be_a_model(bytes: Vec<u8>, header in "\\{\"__metadata__\":\\{\"wordmill\":\"[{}:,a-z0-9\\\\\"]{0,40}\"\\}\\}") {
        drop(Bundle::from_bytes(&bytes));
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend(header.bytes());
        file.extend(bytes);
        proptest::prop_assert!(Bundle::from_bytes(&file).is_err());
    }
}
