//! Files of other programs, and files that are none.

use super::*;

/// A file as the Python package writes it, with a special piece that is matched in text.
const FOREIGN: &str = r###"{"version": "1.0", "truncation": {"direction": "Right", "max_length": 2, "strategy": "LongestFirst",
 "stride": 0}, "padding": null, "added_tokens": [{"id": 0, "content": "</s>", "single_word": false, "lstrip": false,
 "rstrip": false, "normalized": false, "special": true}], "normalizer": null, "pre_tokenizer": {"type": "Whitespace"},
 "post_processor": null, "decoder": null, "model": {"type": "BPE", "dropout": null, "unk_token": null,
 "continuing_subword_prefix": null, "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false,
 "ignore_merges": false, "vocab": {"</s>": 0, "a": 1, "b": 2, "<": 3, "/": 4, "s": 5, ">": 6, "ab": 7}, "merges": ["a b"]}}"###;

#[test]
fn special_pieces_of_other_files_are_found_in_text_until_told_otherwise() {
    let mut model = Subword::from_json(FOREIGN).unwrap();
    assert_eq!(model.encode("ab </s> ba").unwrap(), [7, 0, 2, 1]);
    model.set_literal(true);
    assert_eq!(model.encode("ab </s>").unwrap(), [7, 3, 4, 5, 6]);
}

#[test]
fn other_files_have_dropout_too() {
    let model = Subword::from_json(FOREIGN).unwrap();
    let numbers = model.encode_with_dropout("ab </s> ba", 1.0, &mut Random::new(1, 0));
    assert_eq!(numbers.unwrap(), [1, 2, 0, 2, 1]);
}

#[test]
fn a_file_that_is_none_is_refused() {
    for json in ["", "{}", "[1]", "{\"model\": {\"type\": \"BPE\"}}"] {
        assert!(
            matches!(Subword::from_json(json), Err(SubwordError::Json(_))),
            "{json}"
        );
    }
}

#[test]
fn merges_of_what_is_no_piece_are_refused() {
    for merge in ["\"a z\"", "\"b a\"", "\"ab\"", "7", "[\"a\"]"] {
        let json = FOREIGN.replace("\"a b\"", merge);
        assert!(
            matches!(Subword::from_json(&json), Err(SubwordError::Json(_))),
            "{merge}"
        );
    }
    let prefixed = FOREIGN.replace(
        "\"continuing_subword_prefix\": null",
        "\"continuing_subword_prefix\": \"####\"",
    );
    assert!(Subword::from_json(&prefixed).is_err());
}

#[test]
fn numbers_far_apart_are_refused() {
    let json = FOREIGN.replace("\"ab\": 7", "\"ab\": 4000000000");
    assert!(matches!(
        Subword::from_json(&json),
        Err(SubwordError::Json(_))
    ));
}
