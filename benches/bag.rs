//! Bags of words: texts into terms, terms into counts, counts into weights, a document a line.

mod texts;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use wordmill::bag::analyzer::{Analyzer, TermOptions, TermUnit, Workspace};
use wordmill::bag::counter::{Cell, Counter};
use wordmill::bag::weight::{WeightOptions, WeightsBuilder};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Option sets by name.
fn analyzers() -> Vec<(&'static str, Analyzer)> {
    let words = TermOptions::default();
    let pairs = TermOptions {
        ngrams: (1, 2),
        ..words.clone()
    };
    let characters = TermOptions {
        analyzer: TermUnit::CharWb,
        ngrams: (3, 3),
        ..words.clone()
    };
    let named = [("words", words), ("pairs", pairs), ("char_wb", characters)];
    let analyzer = |options| Analyzer::new(options, None).expect("the options need no tokenizer");
    named
        .map(|(name, options)| (name, analyzer(options)))
        .into()
}

fn counting(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("count");
    group.sample_size(20);
    for (text_name, text) in &texts::texts() {
        group.throughput(Throughput::Bytes(text.len() as u64));
        for (name, analyzer) in &analyzers() {
            let mut work = Workspace::default();
            let mut counter = Counter::default();
            group.bench_function(format!("{text_name}/{name}"), |bencher| {
                bencher.iter(|| {
                    for line in black_box(text).lines() {
                        analyzer.text(line, &mut work, |term| counter.add(term));
                        black_box(counter.end_document(false).len());
                    }
                });
            });
        }
    }
    group.finish();
}

fn weighting(criterion: &mut Criterion) {
    let (name, analyzer) = &analyzers()[0];
    let mut group = criterion.benchmark_group("weigh");
    group.sample_size(20);
    for (text_name, text) in &texts::texts() {
        let mut work = Workspace::default();
        let mut counter = Counter::default();
        let rows: Vec<Vec<Cell>> = (text.lines())
            .map(|line| {
                analyzer.text(line, &mut work, |term| counter.add(term));
                counter.end_document(false).to_vec()
            })
            .collect();
        let options = WeightOptions::smart("ltc").expect("three letters of SMART");
        let mut builder = WeightsBuilder::new(options, rows.len() as u64, 0);
        for number in 0..counter.terms().len() as u32 {
            builder.column(counter.terms().string(number), counter.total(number));
        }
        let weights = builder.finish();
        let cells = rows.iter().map(|row| row.len() as u64).sum();
        group.throughput(Throughput::Elements(cells));
        let mut out = Vec::new();
        group.bench_function(format!("{text_name}/{name}"), |bencher| {
            bencher.iter(|| {
                for row in black_box(&rows) {
                    weights.row(row, row.len() as u64, &mut out);
                    black_box(out.len());
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, counting, weighting);
criterion_main!(benches);
