//! The layers of annotation in one pass: whatever a command was asked for, in the order in which layers build on each
//! other: sentences and words, tags, lemmas, entities, stems. Sentences in capitals or in lower case throughout are read in
//! their usual case, if the tagger has a [truecaser](super::truecase).

use super::document::{Document, Sentence, Word};
use super::entity;
use super::gazetteer::Gazetteer;
use super::grammar::{Grammar, GrammarScratch};
use super::lemma::{LemmaScratch, Lemmatizer};
use super::ner::{EntityRecognizer, NerScratch};
use super::pos::{PosScratch, PosTagger};
use super::stem::Stemmer;
use super::tokenize::{Tokenizer, Workspace};
use super::truecase::{TruecaseScratch, lacks_case, swap_forms};
use std::sync::{Mutex, PoisonError};

/// Sentences of more words are annotated in parts, so that the tagger's memory is bounded. No treebank has one of half
/// the length.
const LONGEST_SENTENCE: usize = 1000;

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
    /// Dates, amounts and numbers, beside the names of the recognizer.
    pub grammar: Option<Grammar>,
    pub stemmer: Option<Stemmer>,
    /// Say of each name how likely it is one.
    pub scores: bool,
    /// Names of the user's own, which go before all others.
    pub gazetteer: Option<Gazetteer>,
    /// Labels of the entities that stay; `None` is all of them.
    pub labels: Option<Vec<String>>,
    /// Fill in only what is missing.
    pub keep: bool,
    /// Working memory; a new pipeline has none.
    pub idle: IdleBuffers,
}

/// Buffers of the workers that are idle.
#[derive(Default)]
pub struct IdleBuffers(Mutex<Vec<Buffers>>);

#[derive(Default)]
struct Buffers {
    tokenizer: Workspace,
    pos: Option<PosScratch>,
    lemma: LemmaScratch,
    ner: Option<NerScratch>,
    grammar: GrammarScratch,
    truecase: TruecaseScratch,
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
        let mut buffers = idle.unwrap_or_default();
        if let Some(tokenizer) = &self.tokenizer {
            tokenizer.segment_with(document, &mut buffers.tokenizer);
        }
        let text = document.text.as_deref();
        for sentence in &mut document.sentences {
            self.annotate_parts(text, sentence, &mut buffers);
        }
        self.idle
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(buffers);
    }

    /// Annotates a sentence, in parts where it is one of those lists and logs that never end.
    fn annotate_parts(&self, text: Option<&str>, sentence: &mut Sentence, buffers: &mut Buffers) {
        if sentence.words.len() <= LONGEST_SENTENCE {
            return self.annotate_sentence(text, sentence, buffers);
        }
        let mut part = Sentence::default();
        let mut start = 0;
        while start < sentence.words.len() {
            let end = start + part_length(&sentence.words[start..]);
            part.words.clear();
            part.words
                .extend(sentence.words[start..end].iter_mut().map(std::mem::take));
            self.annotate_sentence(text, &mut part, buffers);
            for (place, word) in sentence.words[start..end].iter_mut().zip(&mut part.words) {
                *place = std::mem::take(word);
            }
            start = end;
        }
    }

    fn annotate_sentence(
        &self,
        text: Option<&str>,
        sentence: &mut Sentence,
        buffers: &mut Buffers,
    ) {
        let truecaser = self.pos.as_ref().and_then(|pos| pos.truecaser.as_ref());
        let is_done = self.keep && sentence.words.iter().any(|w| w.misc.get("NER").is_some());
        let finds_entities = self.recognizer.is_some() && !is_done;
        match truecaser.filter(|_| lacks_case(&sentence.words)) {
            Some(truecaser) => {
                let mut forms = truecaser.restore(&sentence.words, &mut buffers.truecase);
                swap_forms(&mut sentence.words, &mut forms);
                self.apply_models(sentence, finds_entities, buffers);
                swap_forms(&mut sentence.words, &mut forms);
            }
            None => self.apply_models(sentence, finds_entities, buffers),
        }
        if finds_entities {
            if let Some(grammar) = &self.grammar {
                grammar.mark(text, sentence, &mut buffers.grammar);
            }
            if let Some(gazetteer) = &self.gazetteer {
                gazetteer.mark(sentence);
            }
            if let Some(labels) = &self.labels {
                entity::keep_only(sentence, |label| labels.iter().any(|l| l == label));
            }
        }
        match &self.stemmer {
            Some(stemmer) if self.keep => stemmer.annotate_missing(sentence),
            Some(stemmer) => stemmer.annotate(sentence),
            None => {}
        }
    }

    /// Tags, lemmas and names: what was learned from text in its usual case.
    fn apply_models(&self, sentence: &mut Sentence, finds_entities: bool, buffers: &mut Buffers) {
        if let Some(pos) = &self.pos {
            let scratch = buffers.pos.get_or_insert_with(|| pos.scratch());
            let keep = self.keep || self.keep_tags;
            if !keep || sentence.words.iter().any(|word| word.upos.is_empty()) {
                pos.tag(sentence, keep, scratch);
            }
        }
        if let Some(lemmatizer) = &self.lemmatizer {
            lemmatizer.lemmatize(sentence, self.keep, &mut buffers.lemma);
        }
        if let Some(recognizer) = self.recognizer.as_ref().filter(|_| finds_entities) {
            let scratch = buffers.ner.get_or_insert_with(|| recognizer.scratch());
            recognizer.recognize(sentence, self.scores, scratch);
        }
    }
}

/// How many of `words` are annotated together: all, or up to the last comma or the like in the second half of what may be,
/// where an entity is not cut.
fn part_length(words: &[Word]) -> usize {
    if words.len() <= LONGEST_SENTENCE {
        return words.len();
    }
    let is_mark = |word: &Word| !word.form.contains(char::is_alphanumeric);
    let second_half = &words[LONGEST_SENTENCE / 2..LONGEST_SENTENCE];
    let mark = second_half.iter().rposition(is_mark);
    mark.map_or(LONGEST_SENTENCE, |i| LONGEST_SENTENCE / 2 + i + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::stem::{Algorithm, Generation, Language};

    fn words(forms: &[&str]) -> Vec<Word> {
        forms.iter().map(|form| Word::of(form)).collect()
    }

    #[test]
    fn a_sentence_without_end_is_cut_behind_a_mark_or_at_the_limit() {
        let mut forms = vec!["a"; 3 * LONGEST_SENTENCE];
        assert_eq!(part_length(&words(&forms)), LONGEST_SENTENCE);
        forms[700] = ",";
        forms[LONGEST_SENTENCE] = ",";
        assert_eq!(part_length(&words(&forms)), 701);
        assert_eq!(part_length(&words(&forms[..10])), 10);
    }

    #[test]
    fn parts_add_up_to_the_sentence() {
        let forms: Vec<String> = (0..2500).map(|i| format!("Words{i}")).collect();
        let mut sentence = Sentence {
            words: forms.iter().map(|form| Word::of(form)).collect(),
            ..Sentence::default()
        };
        let mut whole = sentence.clone();
        let stemmer =
            Stemmer::new(Algorithm::Porter, Language::English, Generation::default()).unwrap();
        stemmer.annotate(&mut whole);
        let mut document = Document {
            sentences: vec![std::mem::take(&mut sentence)],
            ..Document::default()
        };
        let pipeline = Pipeline {
            stemmer: Some(stemmer),
            ..Pipeline::default()
        };
        pipeline.annotate(&mut document);
        assert_eq!(document.sentences, [whole]);
    }
}
