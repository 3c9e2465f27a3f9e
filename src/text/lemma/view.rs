//! What the lexicon and the classifier see of a word: hashes of its form and its tag.
//!
//! The tag is UPOS and XPOS. Where these say too little, FEATS are part of it: in treebanks without XPOS, and in those of
//! *rich* languages, whose XPOS leaves open which of many forms a word is in (Turkish: one XPOS for all forms of a noun).

use crate::text::document::Word;
use crate::text::hash;
use crate::text::lexicon::Lexicon;
use crate::text::tagger::Lattice;
use crate::text::word_shape::{self, Kind, WordShape};
use std::borrow::Cow;

/// Seeds of the lexicon's keys: a form with its tag, with its UPOS, alone; an ending with a UPOS and kind, with a tag.
const FORM: u64 = 201;
const UPOS_FORM: u64 = 220;
const ANY_TAG: u64 = 202;
const ENDING: u64 = 203;
const TAG_ENDING: u64 = 221;
/// Endings of unknown forms are tried from this many characters down.
pub const LONGEST_ENDING: usize = 5;

/// The form that rules work on: capitals that can only mark a title or the start of a sentence are lowered.
pub fn folded(word: &Word, initial: bool) -> Cow<'_, str> {
    let named = matches!(word.upos.as_str(), "PROPN" | "NOUN" | "ADJ" | "X" | "SYM");
    let marked = match word_shape::kind(&word.form) {
        Kind::AllCapitals => true,
        Kind::Capitalized => initial || !named,
        _ => false,
    };
    if marked && word.upos != "PROPN" {
        let mut lower = String::with_capacity(word.form.len());
        word_shape::lower_into(&word.form, &mut lower);
        Cow::Owned(lower)
    } else {
        Cow::Borrowed(word.form.as_str())
    }
}

/// Whether a word of this tag may be a form of a word of another, wrongly tagged. Names and foreign words are not.
pub fn takes_any_tag(word: &Word) -> bool {
    !matches!(word.upos.as_str(), "PROPN" | "X" | "SYM" | "PUNCT")
}

/// Features of FEATS that are looked at.
const VALUES: usize = 10;

/// What is seen of a word.
#[derive(Clone, Copy, Debug)]
pub struct View {
    shape: WordShape,
    upos: u64,
    tag: u64,
    vowels: u64,
    /// Of a rich language, each of FEATS; 0 where there are fewer.
    values: [u64; VALUES],
    rich: bool,
}

impl View {
    pub fn new(form: &str, word: &Word, rich: bool, scratch: &mut String) -> View {
        let shape = WordShape::new(form, scratch);
        let upos = hash::bytes(1, word.upos.as_bytes());
        let tag = hash::pair(2, upos, hash::bytes(3, word.xpos.as_bytes()));
        // Without XPOS the features of the word must tell `walks` from `walked`.
        let tag = if rich || word.xpos.is_empty() {
            hash::pair(4, tag, hash::bytes(5, word.feats.as_bytes()))
        } else {
            tag
        };
        let vowels = scratch
            .bytes()
            .filter(|b| b"aeiouy".contains(b))
            .count()
            .min(4) as u64;
        let mut values = [0; VALUES];
        if rich {
            for (value, feature) in values.iter_mut().zip(word.feats.split('|')) {
                *value = hash::pair(6, upos, hash::bytes(7, feature.as_bytes()));
            }
        }
        View {
            shape,
            upos,
            tag,
            vowels,
            values,
            rich,
        }
    }

    pub fn ending_key(&self, length: usize) -> Option<u64> {
        let group = hash::pair(8, self.upos, self.shape.kind);
        Some(hash::pair(
            ENDING + length as u64,
            group,
            self.shape.suffix(length)?,
        ))
    }

    /// The key of an ending with the whole tag; rich languages only.
    pub fn tag_ending_key(&self, length: usize) -> Option<u64> {
        let suffix = self.shape.suffix(length)?;
        self.rich
            .then(|| hash::pair(TAG_ENDING + length as u64, self.tag, suffix))
    }

    pub fn form_key(&self) -> u64 {
        hash::pair(FORM, self.shape.exact, self.tag)
    }

    /// The key of the form with its UPOS.
    pub fn upos_key(&self) -> u64 {
        hash::pair(UPOS_FORM, self.shape.exact, self.upos)
    }

    /// The key of the form under whatever tag.
    pub fn any_tag_key(&self) -> u64 {
        hash::pair(ANY_TAG, self.shape.exact, 0)
    }

    /// The key of a lemma with this word's UPOS.
    pub fn lemma_key(&self, lemma: &str) -> u64 {
        hash::pair(231, self.upos, hash::bytes(232, lemma.as_bytes()))
    }

    /// The rules that its endings suggest: those of the longest known ending with the tag, then those with the UPOS.
    pub fn guess(&self, lexicon: &Lexicon, rules: &mut Vec<u16>) {
        rules.clear();
        let lengths = || (0..=LONGEST_ENDING).rev();
        let with_tag = lengths().find_map(|length| lexicon.find(self.tag_ending_key(length)?));
        let with_upos = lengths().find_map(|length| lexicon.find(self.ending_key(length)?));
        for list in [with_tag, with_upos].into_iter().flatten() {
            for rule in lexicon.list(list) {
                if !rules.contains(rule) {
                    rules.push(*rule);
                }
            }
        }
    }

    /// Fills a lattice of one position.
    pub fn fill(&self, candidates: &[u16], lattice: &mut Lattice) {
        let tag = self.tag;
        let mut features = [0; 20 + 7 + 4 * VALUES];
        let mut n = 0;
        let mut add = |feature| {
            features[n] = feature;
            n += 1;
        };
        let WordShape {
            exact,
            kind,
            suffixes,
            prefixes,
            ..
        } = self.shape;
        add(hash::pair(30, tag, kind));
        add(hash::pair(31, tag, exact));
        add(hash::pair(32, self.upos, prefixes[3]));
        add(hash::pair(
            33,
            hash::pair(34, tag, self.vowels),
            suffixes[2],
        ));
        for (k, &suffix) in suffixes.iter().enumerate().filter(|s| *s.1 != 0) {
            add(hash::pair(40 + k as u64, tag, suffix));
            add(hash::pair(50 + k as u64, kind, suffix));
        }
        if self.rich {
            for (k, &suffix) in suffixes.iter().enumerate().filter(|s| *s.1 != 0) {
                add(hash::pair(60 + k as u64, self.upos, suffix));
            }
            for &value in self.values.iter().filter(|value| **value != 0) {
                for (k, &suffix) in suffixes[1..5].iter().enumerate().filter(|s| *s.1 != 0) {
                    add(hash::pair(70 + k as u64, value, suffix));
                }
            }
        }
        lattice.clear();
        lattice.push(&features[..n], &[], &[], candidates);
    }
}
