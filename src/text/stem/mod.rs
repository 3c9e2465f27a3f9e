//! Stems: what is left of a word when its endings are cut off, so that *fishing* and *fished* count as one.
//!
//! | module | what is in it |
//! |---|---|
//! | this one | [`Stemmer`]: a word to its stem, a sentence to the layer `Stem=…` in MISC |
//! | [`running`] | text to text: every word replaced by its stem, every other byte copied |
//! | [`snowball`] | the generated stemmers: Snowball for 35 languages, Porter, Lovins |
//! | [`lancaster`] | Paice and Husk's rules |
//! | `cache` | stems of words seen before |

mod cache;
pub mod lancaster;
pub mod running;
pub mod snowball;

pub use cache::CachedStemmer;
pub use running::Running;
pub use snowball::{Generation, Language};

use crate::text::document::{Sentence, Word};
use snowball::Snowball;
use std::borrow::Cow;

/// How words are cut to their stems, from the mildest to the most drastic for English.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Algorithm {
    /// Snowball, in the language of --language
    #[default]
    Snowball,
    /// Porter's original of 1980, English
    Porter,
    /// Lovins 1968, English
    Lovins,
    /// Paice/Husk 1990, English; the shortest stems
    Lancaster,
}

/// A choice of options that no stemmer answers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StemError {
    /// Generation 2 has fewer languages than generation 3.
    #[error("snowball 2 has no stemmer for {0:?}; snowball 3 has")]
    OnlyInGenerationThree(Language),
    /// An algorithm made for English was asked for another language.
    #[error("{0:?} is for English only; for {1:?} use snowball")]
    EnglishOnly(Algorithm, Language),
}

/// Longer words, in bytes, keep all their letters: no natural word is that long, and some algorithms take time
/// quadratic in the length.
const LONGEST_WORD: usize = 255;

/// A stemmer; made once, used from any number of threads.
pub struct Stemmer {
    kind: Kind,
    language: Language,
}

enum Kind {
    Snowball(Snowball),
    Lancaster,
}

impl Stemmer {
    /// The stemmer of an algorithm; `language` and `generation` are for Snowball.
    ///
    /// # Errors
    ///
    /// When the algorithm or generation lacks the language.
    pub fn new(
        algorithm: Algorithm,
        language: Language,
        generation: Generation,
    ) -> Result<Stemmer, StemError> {
        if algorithm != Algorithm::Snowball && language != Language::English {
            return Err(StemError::EnglishOnly(algorithm, language));
        }
        let kind = match algorithm {
            Algorithm::Snowball => Kind::Snowball(
                Snowball::new(language, generation)
                    .ok_or(StemError::OnlyInGenerationThree(language))?,
            ),
            Algorithm::Porter => Kind::Snowball(Snowball::porter()),
            Algorithm::Lovins => Kind::Snowball(Snowball::lovins()),
            Algorithm::Lancaster => Kind::Lancaster,
        };
        Ok(Stemmer { kind, language })
    }

    /// Appends the stem of a word in any case.
    ///
    /// Never empty unless the word is: where an algorithm takes all letters away (Greek *ίδια*, Turkish *ları*, Porter
    /// *s*: 45 words of the official lists of generation 3), the word stays as it is, so that no token is lost from a line.
    pub fn stem(&self, word: &str, out: &mut String) {
        let word = self.lower(word);
        if word.len() > LONGEST_WORD {
            out.push_str(&word);
            return;
        }
        match &self.kind {
            Kind::Snowball(snowball) => {
                let stem = snowball.stem(&word);
                out.push_str(if stem.is_empty() { &word } else { &stem });
            }
            Kind::Lancaster => lancaster::stem(&word, out),
        }
    }

    /// Gives every word of a sentence its stem, as `Stem=…` in MISC.
    pub fn annotate(&self, sentence: &mut Sentence) {
        let mut stem = String::new();
        for word in &mut sentence.words {
            self.annotate_word(word, &mut stem);
        }
    }

    /// Gives every word a stem that has none.
    pub fn annotate_missing(&self, sentence: &mut Sentence) {
        let mut stem = String::new();
        for word in &mut sentence.words {
            if word.misc.get("Stem").is_none() {
                self.annotate_word(word, &mut stem);
            }
        }
    }

    fn annotate_word(&self, word: &mut Word, stem: &mut String) {
        stem.clear();
        self.stem(&word.form, stem);
        // A bar parts the items of MISC and cannot stand in one; such a form (`|` itself, mostly) is its own stem.
        if stem.contains('|') {
            word.misc.remove("Stem");
        } else {
            word.misc.set("Stem", stem);
        }
    }

    /// The word in lower case and with the apostrophe the algorithms know.
    fn lower<'w>(&self, word: &'w str) -> Cow<'w, str> {
        if word.is_ascii() && self.language != Language::Turkish {
            if word.bytes().any(|b| b.is_ascii_uppercase()) {
                return Cow::Owned(word.to_ascii_lowercase());
            }
            return Cow::Borrowed(word);
        }
        // Typographic apostrophes are common in print, and Snowball's rules are written for the other kind.
        let plain = word.replace('\u{2019}', "'");
        if self.language == Language::Turkish {
            // Turkish has two letters: dotted i İ, dotless ı I.
            let dotted = plain.replace('İ', "i").replace('I', "ı");
            return Cow::Owned(dotted.to_lowercase());
        }
        Cow::Owned(plain.to_lowercase())
    }
}

#[cfg(test)]
mod tests;
