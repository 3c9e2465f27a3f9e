//! Stemming of running text; and of the words of `tests/stems/english.tsv` in an order that repeats some more than
//! others, as a book does.

mod texts;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use wordmill::text::stem::{Algorithm, Generation, Language, Running, Stemmer};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A megabyte of words, the n-th one about 1/n as often as the first.
fn prose() -> String {
    let words: Vec<&str> = include_str!("../tests/stems/english.tsv")
        .lines()
        .filter_map(|line| line.split('\t').next())
        .collect();
    let mut text = String::new();
    let mut state: u64 = 1;
    while text.len() < 1 << 20 {
        state = state.wrapping_mul(6_364_136_223_846_793_005) + 1;
        let uniform = (state >> 11) as f64 / (1u64 << 53) as f64;
        let rank = (words.len() as f64).powf(uniform) as usize - 1;
        text.push_str(words[rank]);
        text.push_str(if state >> 60 == 0 { ",\n" } else { " " });
    }
    text
}

fn running(criterion: &mut Criterion) {
    let mut texts = texts::texts();
    texts.push(("words", prose()));
    let mut group = criterion.benchmark_group("stem");
    group.sample_size(20);
    for (name, text) in &texts {
        group.throughput(Throughput::Bytes(text.len() as u64));
        for algorithm in [Algorithm::Snowball, Algorithm::Lancaster] {
            let stemmer = Stemmer::new(algorithm, Language::English, Generation::Two)
                .expect("English has every algorithm");
            let running = Running::new(stemmer);
            let mut out = String::new();
            group.bench_function(format!("{name}/{algorithm:?}"), |bencher| {
                bencher.iter(|| {
                    out.clear();
                    running.stem(black_box(text), &mut out);
                    black_box(out.len())
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, running);
criterion_main!(benches);
