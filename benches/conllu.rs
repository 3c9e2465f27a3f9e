//! CoNLL-U parsed, and printed from both states of a document: as it was read, and with its text located.

mod texts;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use wordmill::text::conllu;
use wordmill::text::document::Document;
use wordmill::text::tokenize::Tokenizer;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A segmented document whose words look like annotated ones.
fn annotated(text: &str) -> Document {
    let mut document = Document {
        text: Some(text.to_owned()),
        ..Document::default()
    };
    Tokenizer::unicode().segment(&mut document);
    for (i, word) in document
        .sentences
        .iter_mut()
        .flat_map(|sentence| &mut sentence.words)
        .enumerate()
    {
        word.lemma = word.form.to_lowercase();
        word.upos = "NOUN".into();
        word.xpos = "NN".into();
        word.feats = "Number=Sing".into();
        if i % 10 == 0 {
            word.misc.set("NER", "B-PER");
        }
    }
    document
}

fn formats(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("conllu");
    group.sample_size(10);
    for (name, text) in &texts::texts() {
        let located = annotated(text);
        let mut printed = String::new();
        conllu::print(&located, 1, &mut printed);
        let parsed = conllu::parse(&printed, 1).expect("what was printed can be parsed");
        group.throughput(Throughput::Bytes(printed.len() as u64));
        group.bench_function(format!("{name}/parse"), |bencher| {
            bencher.iter(|| conllu::parse(black_box(&printed), 1));
        });
        let mut out = String::with_capacity(printed.len());
        for (state, document) in [("located", &located), ("unlocated", &parsed)] {
            group.bench_function(format!("{name}/print {state}"), |bencher| {
                bencher.iter(|| {
                    out.clear();
                    conllu::print(black_box(document), 1, &mut out);
                    black_box(out.len())
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, formats);
criterion_main!(benches);
