//! Segmentation of running text into sentences and words, printed as `tokenize` prints it.

mod texts;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use wordmill::text::english;
use wordmill::text::tokenize::{LAYER, Printing, Tokenizer, Workspace};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn tokenize(criterion: &mut Criterion) {
    let section = english::section(LAYER).expect("the benches are built with the models");
    let trained = Tokenizer::from_section(&section).expect("the embedded model is whole");
    let mut group = criterion.benchmark_group("tokenize");
    group.sample_size(20);
    for (name, text) in &texts::texts() {
        group.throughput(Throughput::Bytes(text.len() as u64));
        for (scheme, tokenizer) in [("unicode", &Tokenizer::unicode()), ("ud", &trained)] {
            let mut work = Workspace::default();
            let mut out = String::new();
            group.bench_function(format!("{name}/{scheme}"), |bencher| {
                bencher.iter(|| {
                    out.clear();
                    tokenizer.print(black_box(text), &Printing::default(), &mut work, &mut out);
                    black_box(out.len())
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, tokenize);
criterion_main!(benches);
