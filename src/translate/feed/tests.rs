use super::*;
use crate::translate::batch::{BOS, EOS};
use crate::translate::filter::Limits;
use crate::translate::pairs::Pair;
use crate::translate::store::{Keep, Options, Side, StoreError};

/// Tokens are numbers in the text; with random numbers, some are said twice.
fn numbers(_: Side, text: &str, mut random: Option<&mut Random>) -> Vec<u32> {
    let mut ids = Vec::new();
    for word in text.split(' ') {
        let id = word.parse().unwrap();
        ids.push(id);
        if random.as_mut().is_some_and(|random| random.below(4) == 0) {
            ids.push(id);
        }
    }
    ids
}

/// Pair `n` begins with the token n + 10 on both sides, and has up to 12 and 15 tokens.
fn store(pairs: usize, keep: Keep) -> Store {
    let pair = |number: usize| {
        let text = |length| vec![(number + 10).to_string(); length].join(" ");
        let hash = crate::text::hash::mix(7, number as u64);
        Ok::<Pair, StoreError>(Pair {
            source: text(1 + (hash % 12) as usize),
            target: text(1 + (hash % 12 + hash / 64 % 4) as usize),
        })
    };
    let options = Options {
        limits: Limits::default(),
        keep,
        memory: 1 << 20,
        folder: &std::env::temp_dir(),
        threads: 1,
    };
    let given: Vec<_> = (0..pairs).map(pair).collect();
    Store::build(given.into_iter(), &numbers, &options).unwrap()
}

fn plan(tokens: u32, window: u32) -> Plan {
    Plan {
        budget: Budget::Tokens(tokens),
        window,
        seed: 3,
    }
}

/// The batches of the first epochs, and the position of each.
fn epochs(store: &Store, plan: Plan, epochs: u64) -> Vec<(Position, Batch)> {
    let mut feed = Feed::new(store, &numbers, plan, Position::default());
    let mut all = Vec::new();
    while feed.position().epoch < epochs {
        let at = feed.position();
        all.push((at, feed.next().unwrap()));
    }
    all
}

/// The numbers of the pairs of a batch.
fn members(batch: &Batch) -> Vec<u32> {
    let rows = 0..batch.rows();
    rows.map(|row| batch.source.row(row)[0] - 10).collect()
}

fn longer_side(batch: &Batch, row: usize) -> usize {
    let (source, target) = (batch.source.row(row), batch.target_in.row(row));
    source.len().max(target.len())
}

#[test]
fn every_pair_is_seen_once_an_epoch() {
    for (keep, window) in [(Keep::Ids, 100_000), (Keep::Ids, 300), (Keep::Text, 300)] {
        let store = store(1234, keep);
        let all = epochs(&store, plan(100, window), 3);
        for epoch in 0..3 {
            let batches = all.iter().filter(|(at, _)| at.epoch == epoch);
            let mut seen: Vec<u32> = batches.flat_map(|(_, batch)| members(batch)).collect();
            seen.sort_unstable();
            assert_eq!(seen, (0..1234).collect::<Vec<u32>>());
        }
    }
}

#[test]
fn sides_stay_together_and_batches_keep_to_the_budget() {
    let store = store(1000, Keep::Text);
    for (_, batch) in epochs(&store, plan(100, 500), 1) {
        assert!(batch.padded() <= 100);
        for row in 0..batch.rows() {
            let (source, target) = (batch.source.row(row), batch.target_in.row(row));
            assert_eq!((target[0], source[0]), (BOS, target[1]));
            assert_eq!(source.last(), Some(&EOS));
        }
    }
}

#[test]
fn from_every_position_on_come_the_batches_that_would_have_come() {
    for keep in [Keep::Ids, Keep::Text] {
        let store = store(450, keep);
        let all = epochs(&store, plan(60, 200), 2);
        for (i, (at, _)) in all.iter().enumerate() {
            let mut feed = Feed::new(&store, &numbers, plan(60, 200), *at);
            for (position, batch) in all[i..].iter().take(60) {
                assert_eq!(feed.position(), *position);
                assert!(feed.next().as_ref() == Some(batch), "{position:?}");
            }
        }
    }
}

#[test]
fn threads_change_nothing() {
    let store = store(700, Keep::Text);
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let pool = pool.build().unwrap();
        pool.install(|| epochs(&store, plan(80, 300), 2))
    };
    assert!(on(1) == on(2));
}

#[test]
fn epochs_differ_and_seeds_differ() {
    let store = store(300, Keep::Ids);
    let order = |seed, epoch| {
        let plan = Plan {
            seed,
            ..plan(60, 100)
        };
        let all = epochs(&store, plan, 2);
        let batches = all.iter().filter(|(at, _)| at.epoch == epoch);
        let members = batches.flat_map(|(_, batch)| members(batch));
        members.collect::<Vec<u32>>()
    };
    assert_ne!(order(1, 0), order(1, 1));
    assert_ne!(order(1, 0), order(2, 0));
}

#[test]
fn text_is_cut_in_other_ways_in_other_epochs() {
    let store = store(200, Keep::Text);
    let all = epochs(&store, plan(60, 100), 2);
    let tokens = |epoch| {
        let batches = all.iter().filter(|(at, _)| at.epoch == epoch);
        batches.map(|(_, batch)| batch.source.ids.len()).sum()
    };
    let (first, second): (usize, usize) = (tokens(0), tokens(1));
    assert_ne!(first, second);
}

#[test]
fn the_share_of_an_epoch_grows_from_0() {
    let store = store(400, Keep::Ids);
    let mut feed = Feed::new(&store, &numbers, plan(60, 200), Position::default());
    assert_eq!(feed.share(), 0.0);
    let mut last = 0.0;
    while feed.next().is_some() && feed.position().epoch == 0 {
        assert!(feed.share() > last && feed.share() < 1.0);
        last = feed.share();
    }
    assert_eq!(feed.share(), 0.0);
}

#[test]
fn an_empty_store_has_no_batches() {
    let store = store(0, Keep::Ids);
    let mut feed = Feed::new(&store, &numbers, plan(60, 100), Position::default());
    assert_eq!(feed.next(), None);
    assert!(fixed(&store, &numbers, Budget::Rows(2)).is_empty());
}

#[test]
fn a_position_in_other_data_does_no_harm() {
    let store = store(150, Keep::Ids);
    let at = |window, batch| Position {
        epoch: 4,
        window,
        batch,
    };
    for (position, begin) in [(at(9, 9), 0), (at(0, 9999), 1), (at(u32::MAX, 0), 0)] {
        let mut feed = Feed::new(&store, &numbers, plan(60, 100), position);
        assert!(feed.next().is_some(), "{position:?}");
        assert_eq!(feed.position().window, begin, "{position:?}");
    }
}

#[test]
fn batches_for_validation_are_in_order_of_length_and_without_chance() {
    let store = store(321, Keep::Text);
    let batches = fixed(&store, &numbers, Budget::Rows(8));
    assert_eq!(batches.len(), 41);
    let lengths: Vec<usize> = batches
        .iter()
        .flat_map(|(_, batch)| (0..batch.rows()).map(|row| longer_side(batch, row)))
        .collect();
    assert!(lengths.is_sorted());
    let mut seen: Vec<u32> = Vec::new();
    for (numbers, batch) in &batches {
        assert_eq!(*numbers, members(batch));
        seen.extend(numbers);
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..321).collect::<Vec<u32>>());
    assert!(batches == fixed(&store, &numbers, Budget::Rows(8)));
}

#[test]
fn a_position_survives_being_written() {
    let position = Position {
        epoch: 2,
        window: 1,
        batch: 7,
    };
    let json = serde_json::to_string(&position).unwrap();
    assert_eq!(json, "{\"epoch\":2,\"window\":1,\"batch\":7}");
    assert_eq!(serde_json::from_str::<Position>(&json).unwrap(), position);
}
