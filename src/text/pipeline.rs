//! The layers of annotation in one pass: whatever a command was asked for, in the order in which layers build on each
//! other: sentences and words, tags, lemmas, entities, stems.

use super::document::{Document, Sentence};
use super::lemma::{LemmaScratch, Lemmatizer};
use super::ner::{EntityRecognizer, NerScratch};
use super::pos::{PosScratch, PosTagger};
use super::stem::Stemmer;
use super::tokenize::{Tokenizer, Workspace};
use std::sync::{Mutex, PoisonError};

/// The layers that are present are applied, to one document after another, from any thread.
#[derive(Default)]
pub struct Pipeline {
    /// For documents that have no sentences yet.
    pub tokenizer: Option<Tokenizer>,
    pub pos: Option<PosTagger>,
    /// Tags are a means here, not the end: words that have one keep it.
    pub keep_tags: bool,
    pub lemmatizer: Option<Lemmatizer>,
    pub recognizer: Option<EntityRecognizer>,
    pub stemmer: Option<Stemmer>,
    /// Fill in only what is missing.
    pub keep: bool,
    /// Working memory; a new pipeline has none.
    pub idle: IdleBuffers,
}

/// Buffers of the workers that are idle.
#[derive(Default)]
pub struct IdleBuffers(Mutex<Vec<Buffers>>);

struct Buffers {
    tokenizer: Workspace,
    pos: Option<PosScratch>,
    lemma: LemmaScratch,
    ner: Option<NerScratch>,
}

impl Pipeline {
    /// Adds every layer to a document.
    pub fn annotate(&self, document: &mut Document) {
        let idle = self
            .idle
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let mut buffers = idle.unwrap_or_else(|| self.new_buffers());
        if let Some(tokenizer) = &self.tokenizer {
            tokenizer.segment_with(document, &mut buffers.tokenizer);
        }
        for sentence in &mut document.sentences {
            self.annotate_sentence(sentence, &mut buffers);
        }
        self.idle
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(buffers);
    }

    fn new_buffers(&self) -> Buffers {
        Buffers {
            tokenizer: Workspace::default(),
            pos: self.pos.as_ref().map(PosTagger::scratch),
            lemma: LemmaScratch::default(),
            ner: self.recognizer.as_ref().map(EntityRecognizer::scratch),
        }
    }

    fn annotate_sentence(&self, sentence: &mut Sentence, buffers: &mut Buffers) {
        if let (Some(pos), Some(scratch)) = (&self.pos, &mut buffers.pos) {
            let keep = self.keep || self.keep_tags;
            if !keep || sentence.words.iter().any(|word| word.upos.is_empty()) {
                pos.tag(sentence, keep, scratch);
            }
        }
        if let Some(lemmatizer) = &self.lemmatizer {
            lemmatizer.lemmatize(sentence, self.keep, &mut buffers.lemma);
        }
        if let (Some(recognizer), Some(scratch)) = (&self.recognizer, &mut buffers.ner) {
            recognizer.recognize(sentence, self.keep, scratch);
        }
        match &self.stemmer {
            Some(stemmer) if self.keep => stemmer.annotate_missing(sentence),
            Some(stemmer) => stemmer.annotate(sentence),
            None => {}
        }
    }
}
