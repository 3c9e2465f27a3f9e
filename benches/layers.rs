//! Each layer of annotation on sentences that have those below it: tags, lemmas, entities, and all in one pass.
//! Throughput is in words, not bytes.

mod texts;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use wordmill::text::document::Document;
use wordmill::text::english;
use wordmill::text::lemma::{self, Lemmatizer};
use wordmill::text::model::Section;
use wordmill::text::ner::{self, EntityRecognizer};
use wordmill::text::pipeline::Pipeline;
use wordmill::text::pos::{self, PosTagger};
use wordmill::text::tokenize::{self, Tokenizer};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Words for a measurement: the tagger takes a tenth of a second for so many.
const WORDS: usize = 10_000;

fn section(layer: &str) -> Section {
    english::section(layer).expect("the benches are built with the models")
}

fn tokenizer() -> Tokenizer {
    Tokenizer::from_section(&section(tokenize::LAYER)).expect("the embedded model is whole")
}

fn tagger() -> PosTagger {
    PosTagger::from_section(&section(pos::LAYER)).expect("the embedded model is whole")
}

fn lemmatizer() -> Lemmatizer {
    Lemmatizer::from_section(&section(lemma::LAYER)).expect("the embedded model is whole")
}

fn recognizer() -> EntityRecognizer {
    EntityRecognizer::from_section(&section(ner::LAYER)).expect("the embedded model is whole")
}

/// The first words of `text`, in whole sentences, as a document.
fn first_words(text: &str) -> Document {
    let mut document = located(text);
    tokenizer().segment(&mut document);
    let mut words = 0;
    document.sentences.retain(|sentence| {
        words += sentence.words.len();
        words <= WORDS
    });
    document
}

fn located(text: &str) -> Document {
    Document {
        text: Some(text.to_owned()),
        ..Document::default()
    }
}

fn layers(criterion: &mut Criterion) {
    let tags = Pipeline {
        pos: Some(tagger()),
        ..Pipeline::default()
    };
    let lemmas = Pipeline {
        lemmatizer: Some(lemmatizer()),
        ..Pipeline::default()
    };
    let entities = Pipeline {
        recognizer: Some(recognizer()),
        ..Pipeline::default()
    };
    let all = Pipeline {
        tokenizer: Some(tokenizer()),
        pos: Some(tagger()),
        lemmatizer: Some(lemmatizer()),
        recognizer: Some(recognizer()),
        ..Pipeline::default()
    };
    let mut group = criterion.benchmark_group("layers");
    group.sample_size(10);
    for (name, text) in &texts::texts() {
        let segmented = first_words(text);
        let mut tagged = segmented.clone();
        tags.annotate(&mut tagged);
        let spans = segmented.sentences.iter().flat_map(|s| &s.tokens);
        let end = spans.map(|token| token.span.end).max().unwrap_or(0);
        let raw = located(&text[..end as usize]);
        let words: usize = segmented.sentences.iter().map(|s| s.words.len()).sum();
        group.throughput(Throughput::Elements(words as u64));
        for (layer, pipeline, given) in [
            ("pos", &tags, &segmented),
            ("lemma", &lemmas, &tagged),
            ("ner", &entities, &tagged),
            ("all", &all, &raw),
        ] {
            group.bench_function(format!("{name}/{layer}"), |bencher| {
                bencher.iter_batched_ref(
                    || given.clone(),
                    |document| pipeline.annotate(document),
                    BatchSize::LargeInput,
                );
            });
        }
    }
    group.finish();
}

criterion_group!(benches, layers);
criterion_main!(benches);
