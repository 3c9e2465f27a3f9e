//! Pairs of sentences into a store, and out of it in batches.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use wordmill::random::Random;
use wordmill::translate::feed::{Feed, Plan, Position, WINDOW};
use wordmill::translate::filter::Limits;
use wordmill::translate::order::Budget;
use wordmill::translate::pairs::Pairs;
use wordmill::translate::store::{Keep, Options, Side, Store, StoreError};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const PAIRS: usize = 1_000_000;

/// Lines of 3 to 30 words.
fn text(seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed, 0);
    let mut text = String::new();
    for _ in 0..PAIRS {
        for _ in 0..3 + random.below(28) {
            text += ["a ", "dog ", "plays ", "garden "][random.below(4) as usize];
        }
        text += "\n";
    }
    text.into_bytes()
}

/// Words by their length: as little work as an encoding can be.
fn encode(_: Side, text: &str, _: Option<&mut Random>) -> Vec<u32> {
    text.split_ascii_whitespace()
        .map(|word| 1000 * word.len() as u32)
        .collect()
}

fn build(sides: &'static [Vec<u8>; 2]) -> Store {
    let options = Options {
        limits: Limits::default(),
        keep: Keep::Ids,
        memory: 0,
        folder: &std::env::temp_dir(),
        threads: rayon::current_num_threads(),
    };
    let pairs = Pairs::aligned(("source", &sides[0][..]), ("target", &sides[1][..]));
    let pairs = pairs.map(|pair| pair.map_err(StoreError::Pair));
    Store::build(pairs, &encode, &options).expect("the texts are two of a length")
}

fn pairs(criterion: &mut Criterion) {
    let sides: &'static [Vec<u8>; 2] = Box::leak(Box::new([text(1), text(2)]));
    let mut group = criterion.benchmark_group("pairs");
    group.sample_size(10);
    group.throughput(Throughput::Elements(PAIRS as u64));
    group.bench_function("store", |bencher| bencher.iter(|| build(black_box(sides))));
    let store = build(sides);
    let plan = Plan {
        budget: Budget::Tokens(4096),
        window: WINDOW,
        seed: 1,
    };
    let epoch = || {
        let mut feed = Feed::new(&store, &encode, plan, Position::default());
        let mut batches = 0u64;
        while feed.position().epoch == 0 {
            black_box(feed.next());
            batches += 1;
        }
        batches
    };
    group.throughput(Throughput::Elements(epoch()));
    group.bench_function("batches", |bencher| bencher.iter(epoch));
    group.finish();
}

criterion_group!(benches, pairs);
criterion_main!(benches);
