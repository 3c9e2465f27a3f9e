//! Merges that are left out at random.

use super::*;

#[test]
fn no_dropout_changes_nothing() {
    for algorithm in [Algorithm::Bpe, Algorithm::ByteLevel] {
        let model = learned(algorithm);
        let merges = model.merges().unwrap();
        let mut random = Random::new(1, 0);
        for text in TEXT {
            let plain = model.encode(text).unwrap();
            assert_eq!(
                model.encode_with_dropout(text, 0.0, &mut random).unwrap(),
                plain
            );
            // The merge loop itself, too.
            let (layout, symbols) = model.known.as_ref().unwrap();
            let mut cut = Vec::new();
            layout.parts(&layout.normalized(text), symbols.as_ref(), |part| {
                if let Part::Word(word) = part {
                    merges.cut(word, 0.0, &mut random, &mut cut).unwrap();
                }
            });
            assert_eq!(cut, plain, "{algorithm:?}: {text}");
        }
    }
}

#[test]
fn full_dropout_leaves_characters() {
    let model = learned(Algorithm::Bpe);
    let numbers = model
        .encode_with_dropout("the cat", 1.0, &mut Random::new(1, 0))
        .unwrap();
    assert_eq!(pieces(&model, &numbers), "▁ t h e ▁ c a t");
}

#[test]
fn dropout_repeats_by_its_seed_and_keeps_the_text() {
    let model = learned(Algorithm::Bpe);
    let cut = |seed| {
        let mut random = Random::new(seed, 0);
        let cut = |text: &&str| model.encode_with_dropout(text, 0.3, &mut random).unwrap();
        TEXT.iter().map(cut).collect::<Vec<_>>()
    };
    assert_eq!(cut(1), cut(1));
    assert_ne!(cut(1), cut(2));
    for (numbers, text) in cut(3).iter().zip(TEXT) {
        assert_eq!(model.decode(numbers).unwrap(), *text);
    }
}

#[test]
fn one_merge_is_left_out_as_often_as_asked() {
    let model = train(options(Algorithm::Bpe), ["ab"; 3]).unwrap();
    let mut random = Random::new(5, 0);
    let mut whole = 0;
    for _ in 0..10_000 {
        // ▁ab is made by two merges, each of which must stay: 0.9 · 0.9.
        let numbers = model.encode_with_dropout("ab", 0.1, &mut random).unwrap();
        whole += usize::from(numbers.len() == 1);
    }
    // A standard deviation is 39.
    assert!((7950..8250).contains(&whole), "{whole}");
}

#[test]
fn dropout_without_merges_is_refused() {
    let model = learned(Algorithm::Unigram);
    let refused = model.encode_with_dropout("a", 0.1, &mut Random::new(1, 0));
    assert!(matches!(refused, Err(SubwordError::NoMerges)));
}
