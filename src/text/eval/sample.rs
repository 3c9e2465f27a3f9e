//! Documents in shorthand, for the tests of this folder.
//!
//! ```text
//! The/DET dog/NOUN/dog/Number=Sing/B-PER | {don't do/AUX n't/PART} .
//! ```
//!
//! Words are `form/UPOS/lemma/FEATS/NER`, what is left out is unset; ` | ` ends a sentence, braces hold a multi-word
//! token and its words.

use crate::text::document::{Document, Sentence, Token, Word};

/// One document.
pub fn document(shorthand: &str) -> Document {
    let sentences = shorthand.split(" | ").map(sentence);
    Document {
        sentences: sentences.filter(|s| !s.words.is_empty()).collect(),
        ..Document::default()
    }
}

/// One document, as the slice that the functions of this folder take.
pub fn documents(shorthand: &str) -> Vec<Document> {
    vec![document(shorthand)]
}

fn sentence(shorthand: &str) -> Sentence {
    let mut sentence = Sentence::default();
    let mut items = shorthand.split_whitespace();
    while let Some(item) = items.next() {
        let start = sentence.words.len() as u32;
        let form = item.strip_prefix('{').map(Into::into);
        match form {
            None => sentence.words.push(word(item)),
            Some(_) => {
                for item in items.by_ref() {
                    sentence.words.push(word(item.trim_end_matches('}')));
                    if item.ends_with('}') {
                        break;
                    }
                }
            }
        }
        sentence.tokens.push(Token {
            words: start..sentence.words.len() as u32,
            form,
            ..Token::default()
        });
    }
    sentence
}

fn word(item: &str) -> Word {
    let mut fields = item.split('/');
    let mut next = || fields.next().unwrap_or_default();
    let mut word = Word::of(next());
    word.upos = next().into();
    word.lemma = next().into();
    word.feats = next().into();
    match next() {
        "" => {}
        label => word.misc.set("NER", label),
    }
    word
}
