use super::*;
use crate::translate::filter::Limits;

/// A token a letter; with random numbers, each letter twice half of the time.
fn letters(side: Side, text: &str, mut random: Option<&mut Random>) -> Vec<u32> {
    let base = if side == Side::Source { 0 } else { 1000 };
    let mut ids = Vec::new();
    for letter in text.chars() {
        ids.push(base + letter as u32);
        if random.as_mut().is_some_and(|random| random.below(2) == 1) {
            ids.push(base + letter as u32);
        }
    }
    ids
}

fn pairs(count: usize) -> Vec<Pair> {
    let text = |number: usize| char::from(b'a' + (number % 26) as u8).to_string();
    let pair = |number: usize| Pair {
        source: text(number).repeat(1 + number % 5),
        target: text(number / 26).repeat(1 + number % 7),
    };
    (0..count).map(pair).collect()
}

fn build(pairs: Vec<Pair>, keep: Keep, limits: Limits, memory: u64) -> Store {
    build_with(pairs, keep, limits, (memory, 2))
}

fn build_with(
    pairs: Vec<Pair>,
    keep: Keep,
    limits: Limits,
    (memory, threads): (u64, usize),
) -> Store {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        limits,
        keep,
        memory,
        folder: folder.path(),
        threads,
    };
    let pairs = pairs.into_iter().map(Ok::<Pair, StoreError>);
    Store::build(pairs, &letters, &options).unwrap()
}

fn all(store: &Store, seed: Option<u64>) -> Encoded {
    let mut all = Encoded::default();
    for block in 0..store.blocks() {
        all.append(&store.read(block, &letters, seed));
    }
    all
}

fn expected(pairs: &[Pair]) -> Encoded {
    let mut expected = Encoded::default();
    for pair in pairs {
        let source = letters(Side::Source, &pair.source, None);
        expected.push(&source, &letters(Side::Target, &pair.target, None));
    }
    expected
}

#[test]
fn pairs_come_back_in_order_from_memory_and_from_a_file() {
    for keep in [Keep::Ids, Keep::Text] {
        for memory in [0, 5000, 1 << 20] {
            let store = build(pairs(5432), keep, Limits::default(), memory);
            assert_eq!((store.len(), store.blocks()), (5432, 55));
            assert_eq!(matches!(store.bytes, Bytes::Mapped(_)), memory < 1 << 20);
            assert!(all(&store, None) == expected(&pairs(5432)), "{keep:?}");
        }
    }
}

#[test]
fn blocks_are_read_in_any_order() {
    let store = build(pairs(250), Keep::Ids, Limits::default(), 1 << 20);
    assert_eq!(store.read(2, &letters, None).len(), 50);
    let first = store.read(0, &letters, None);
    assert_eq!((first.len(), first.lengths(13)), (100, (4, 7)));
}

#[test]
fn dropped_pairs_leave_no_gap_and_are_counted() {
    let limits = Limits {
        longest: 5,
        ratio: Some(3.0),
    };
    let sides = [
        ("ab", "cd"),
        ("", "c"),
        (" \u{a0}", "c"),
        ("abcdef", "c"),
        ("abcd", "c"),
        ("abc", "c"),
    ];
    let given: Vec<Pair> = sides
        .iter()
        .map(|(source, target)| Pair {
            source: (*source).to_owned(),
            target: (*target).to_owned(),
        })
        .collect();
    for keep in [Keep::Ids, Keep::Text] {
        let store = build(given.clone(), keep, limits, 1 << 20);
        let kept = [given[0].clone(), given[5].clone()];
        assert_eq!(all(&store, None), expected(&kept));
        let dropped = Dropped {
            empty: 2,
            too_long: 1,
            unlike: 1,
            of: 6,
        };
        assert_eq!(store.dropped(), dropped);
    }
}

#[test]
fn threads_change_nothing() {
    let of = |threads| build_with(pairs(5000), Keep::Ids, Limits::default(), (0, threads));
    let (one, four) = (of(1), of(4));
    assert_eq!(one.bytes.as_slice(), four.bytes.as_slice());
    assert_eq!(one.blocks, four.blocks);
    assert_eq!(one.fingerprint(), four.fingerprint());
}

#[test]
fn other_pairs_and_other_orders_have_other_fingerprints() {
    let print = |pairs| build(pairs, Keep::Ids, Limits::default(), 0).fingerprint();
    let mut swapped = pairs(300);
    swapped.swap(7, 8);
    assert_ne!(print(pairs(300)), print(swapped));
    assert_ne!(print(pairs(300)), print(pairs(299)));
    assert_eq!(print(pairs(300)), print(pairs(300)));
}

#[test]
fn text_is_encoded_by_chance_and_the_same_for_the_same_seed() {
    let store = build(pairs(500), Keep::Text, Limits::default(), 0);
    assert_eq!(all(&store, Some(1)), all(&store, Some(1)));
    assert_ne!(all(&store, Some(1)), all(&store, Some(2)));
    // A block read alone is what it is among others.
    let third = store.read(3, &letters, Some(1));
    assert_eq!(third.pair(5), all(&store, Some(1)).pair(305));
}

#[test]
fn an_encoding_by_chance_that_gets_too_long_is_not_taken() {
    let limits = Limits {
        longest: 7,
        ratio: None,
    };
    let store = build(pairs(500), Keep::Text, limits, 0);
    let (found, plain) = (all(&store, Some(1)), expected(&pairs(500)));
    let longest = |n| found.lengths(n).0.max(found.lengths(n).1);
    assert!((0..500).all(|n| longest(n) <= 7));
    assert_ne!(found, plain);
}

#[test]
fn the_first_error_of_the_pairs_ends_all() {
    let good = pairs(3000).into_iter().map(Ok);
    let error = Err(StoreError::Pair(PairError::InvalidUtf8 {
        file: "a".into(),
        line: 3001,
        at: 9,
    }));
    let options = Options {
        limits: Limits::default(),
        keep: Keep::Ids,
        memory: 0,
        folder: &std::env::temp_dir(),
        threads: 2,
    };
    let found = Store::build(good.chain([error]), &letters, &options);
    let message = found.map(|_| ()).unwrap_err().to_string();
    assert_eq!(message, "a:3001: invalid UTF-8 at byte 9");
}

#[test]
fn nothing_is_a_store_of_nothing() {
    let store = build(vec![], Keep::Ids, Limits::default(), 0);
    assert!(store.is_empty() && store.blocks() == 0);
}

proptest::proptest! {
    #[test]
    fn what_is_kept_is_what_was_encoded(
        sides in proptest::collection::vec(("[a-z\u{7f}-\u{10ffff}]{1,9}", "\\PC{1,300}"), 0..150),
        memory in 0..5000u64,
    ) {
        let given: Vec<Pair> = sides
            .into_iter()
            .filter(|(source, target)| !source.trim().is_empty() && !target.trim().is_empty())
            .map(|(source, target)| Pair { source, target })
            .collect();
        let limits = Limits::default();
        for keep in [Keep::Ids, Keep::Text] {
            let store = build(given.clone(), keep, limits, memory);
            proptest::prop_assert!(all(&store, None) == expected(&given));
        }
    }
}
