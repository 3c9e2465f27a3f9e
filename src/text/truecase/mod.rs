//! The usual case of words, for sentences that are written in capitals or in lower case throughout.
//!
//! A [`tagger`](super::tagger) chooses for each lower-cased word between four ways to write it: `john` → `John`, `us` →
//! `us` or `US`, `iphone` → `iPhone`. It knows how words are written in running text, sees the words beside them, and
//! what their endings suggest. The annotation of the sentence is then that of the restored one. Lita et al. (2003),
//! tRuEcasIng.

mod extractor;
pub mod train;

use super::document::Word;
use super::lexicon::Lexicon;
use super::model::{ModelError, Section};
use super::tagger::Decoder;
use super::tagger::Lattice;
use super::weights::Weights;
use super::word_shape;
use compact_str::CompactString;
use extractor::{Extractor, USAGES};
use std::collections::BTreeMap;

/// Restores the case of words.
#[derive(Clone, Debug, PartialEq)]
pub struct Truecaser {
    /// How a lower-cased word is written in running text, as a number below [`USAGES`].
    words: Lexicon,
    /// Forms in mixed case, such as iPhone and McDonald, under the lower-cased word.
    mixed: BTreeMap<String, CompactString>,
    weights: Weights,
}

/// Names of the tensors in the section of a tagger.
const WORDS: &str = "truecase.words";
const MIXED: &str = "truecase.mixed";
const WEIGHTS: &str = "truecase.weights";

/// Paths that are followed at a time.
const BEAM: usize = 4;

/// A sentence of fewer words may be without case by chance: `OK`, `thanks`. Chosen on held-back training documents.
const ENOUGH_WORDS: usize = 2;

/// Whether all letters of a sentence are capitals, or all in lower case, so that case says nothing. The pronoun `I` is
/// no capital behind other words: *yes I think so*.
pub fn lacks_case(words: &[Word]) -> bool {
    let (mut upper, mut lower, mut starts_with_pronoun) = (false, false, false);
    let mut cased_words = 0;
    for word in words {
        if word.form == "I" {
            starts_with_pronoun |= cased_words == 0;
            continue;
        }
        let mut is_cased = false;
        for c in word.form.chars() {
            let (is_upper, is_lower) = (c.is_uppercase(), c.is_lowercase());
            upper |= is_upper;
            lower |= is_lower;
            is_cased |= is_upper || is_lower;
        }
        if upper && lower {
            return false;
        }
        cased_words += usize::from(is_cased);
    }
    cased_words >= ENOUGH_WORDS && !(lower && starts_with_pronoun)
}

/// Exchanges the forms of words with `forms`: once to read the sentence as restored, once more to have it as it was.
pub fn swap_forms(words: &mut [Word], forms: &mut [CompactString]) {
    for (word, form) in words.iter_mut().zip(forms) {
        std::mem::swap(&mut word.form, form);
    }
}

/// Buffers for restoring case, one per thread.
#[derive(Debug)]
pub struct TruecaseScratch {
    extractor: Extractor,
    lattice: Lattice,
    decoder: Decoder<i32>,
    styles: Vec<u16>,
}

impl Default for TruecaseScratch {
    fn default() -> TruecaseScratch {
        TruecaseScratch {
            extractor: Extractor::default(),
            lattice: Lattice::default(),
            decoder: Decoder::new(BEAM),
            styles: Vec::new(),
        }
    }
}

impl Truecaser {
    /// The forms of a sentence in their usual case, whatever case they are in.
    pub fn restore(&self, words: &[Word], scratch: &mut TruecaseScratch) -> Vec<CompactString> {
        let TruecaseScratch {
            extractor,
            lattice,
            decoder,
            styles,
        } = scratch;
        extractor.fill(words, &self.words, &self.mixed, lattice);
        decoder.decode(lattice, &self.weights, styles);
        let restored = extractor.words().zip(styles.iter());
        restored
            .map(|(lower, &style)| match Style::ALL[usize::from(style)] {
                Style::Lower => lower.into(),
                Style::Capitalized => capitalized(lower),
                Style::AllCapitals => lower.to_uppercase().into(),
                Style::Mixed => match self.mixed.get(lower) {
                    Some(form) => form.clone(),
                    None => lower.into(),
                },
            })
            .collect()
    }

    /// Adds the truecaser to the section of a tagger.
    pub fn save(&self, section: &mut Section) {
        self.words.save(section, WORDS);
        section.save_strings(MIXED, &self.mixed.values().collect::<Vec<_>>());
        self.weights.save(section, WEIGHTS);
    }

    /// Reads it back, if there is one.
    ///
    /// # Errors
    /// A tensor is missing or does not fit the others.
    pub fn load(section: &Section) -> Result<Option<Truecaser>, ModelError> {
        if !section.tensors.contains_key(WEIGHTS) {
            return Ok(None);
        }
        Ok(Some(Truecaser {
            words: Lexicon::load(section, WORDS, USAGES)?,
            mixed: keyed(section.strings(MIXED)?.iter().map(String::as_str)),
            weights: Weights::load(section, WEIGHTS)?,
        }))
    }
}

/// Forms under their lower-cased words.
fn keyed<'a>(forms: impl Iterator<Item = &'a str>) -> BTreeMap<String, CompactString> {
    forms.map(|form| (lowered(form), form.into())).collect()
}

/// A way to write a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    Lower,
    Capitalized,
    AllCapitals,
    Mixed,
}

impl Style {
    const ALL: [Style; 4] = [
        Style::Lower,
        Style::Capitalized,
        Style::AllCapitals,
        Style::Mixed,
    ];

    /// How a form is written, whose lower-cased word is given. One capital alone is a capitalized word.
    fn of(form: &str, lower: &str) -> Style {
        if form == lower {
            Style::Lower
        } else if form == capitalized(lower) {
            Style::Capitalized
        } else if form == lower.to_uppercase() {
            Style::AllCapitals
        } else {
            Style::Mixed
        }
    }
}

fn lowered(form: &str) -> String {
    let mut lower = String::with_capacity(form.len());
    word_shape::lower_into(form, &mut lower);
    lower
}

/// A word with its first character as a capital.
fn capitalized(lower: &str) -> CompactString {
    let mut chars = lower.chars();
    let first = chars.next().into_iter().flat_map(char::to_uppercase);
    let mut form: CompactString = first.collect();
    form.push_str(chars.as_str());
    form
}

#[cfg(test)]
mod tests;
