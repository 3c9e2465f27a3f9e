//! Filters behind the tokenizer: forms made small or normalised, words left out, n-grams.
//!
//! `--lower` and `--normalize` change forms only; spans still slice the original. The filters that leave words out, and
//! n-grams, make sense for text and word lists only: in an annotated document every token must stay.

use crate::text::document::{Document, Token, Word};
use compact_str::CompactString;
use std::borrow::Cow;
use std::collections::HashSet;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick, is_nfkc_quick};

/// The Unicode normal forms offered, by the names `--normalize` knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Normalization {
    /// Canonical composition
    Nfc,
    /// Compatibility composition: ﬁ becomes fi, ² becomes 2
    Nfkc,
}

/// Which words stay, by the names `--keep` knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Keep {
    /// Words of letters only
    Alpha,
    /// Words with a letter or a digit
    Alnum,
    /// All
    #[default]
    All,
}

/// What is done to the words.
#[derive(Clone, Debug)]
pub struct Filter {
    pub lower: bool,
    pub normalization: Option<Normalization>,
    /// Words left out, compared in small letters.
    pub stopwords: HashSet<String>,
    /// Shorter words are left out; counted in characters.
    pub min_length: usize,
    pub keep: Keep,
    /// The lengths of the n-grams printed, from and to.
    pub ngrams: (usize, usize),
}

impl Default for Filter {
    fn default() -> Filter {
        Filter {
            lower: false,
            normalization: None,
            stopwords: HashSet::new(),
            min_length: 0,
            keep: Keep::All,
            ngrams: (1, 1),
        }
    }
}

impl Filter {
    /// Whether it changes nothing.
    pub fn is_idle(&self) -> bool {
        !self.changes_forms() && !self.drops()
    }

    /// Whether it changes forms.
    pub fn changes_forms(&self) -> bool {
        self.lower || self.normalization.is_some()
    }

    /// Whether words are left out or joined, which only text and word lists can show.
    pub fn drops(&self) -> bool {
        !self.stopwords.is_empty()
            || self.min_length > 1
            || self.keep != Keep::All
            || self.ngrams != (1, 1)
    }

    /// The form as it is printed.
    pub fn form<'a>(&self, form: &'a str) -> Cow<'a, str> {
        let mut form = Cow::Borrowed(form);
        let normal = |form: &str| match self.normalization {
            None => None,
            Some(Normalization::Nfc) => {
                (is_nfc_quick(form.chars()) != IsNormalized::Yes).then(|| form.nfc().collect())
            }
            Some(Normalization::Nfkc) => {
                (is_nfkc_quick(form.chars()) != IsNormalized::Yes).then(|| form.nfkc().collect())
            }
        };
        if let Some(changed) = normal(&form) {
            form = Cow::Owned(changed);
        }
        if self.lower && form.chars().any(|c| !c.is_lowercase()) {
            // The dot that Unicode puts behind the small letter of İ would part it from every i.
            form = Cow::Owned(form.replace('İ', "i").to_lowercase());
            // Small letters can need composing again.
            if let Some(changed) = normal(&form) {
                form = Cow::Owned(changed);
            }
        }
        form
    }

    /// Whether a word stays.
    pub fn keeps(&self, form: &str) -> bool {
        let shaped = match self.keep {
            Keep::All => true,
            Keep::Alpha => {
                form.chars().all(|c| c.is_alphabetic() || is_mark(c))
                    && form.chars().any(char::is_alphabetic)
            }
            Keep::Alnum => form.chars().any(char::is_alphanumeric),
        };
        shaped
            && (self.min_length <= 1 || form.chars().nth(self.min_length - 1).is_some())
            && !self.is_stopword(form)
    }

    fn is_stopword(&self, form: &str) -> bool {
        if self.stopwords.is_empty() {
            return false;
        }
        match form.bytes().all(|b| b.is_ascii_lowercase()) {
            true => self.stopwords.contains(form),
            false => self.stopwords.contains(&straight(&form.to_lowercase())),
        }
    }

    /// The words of a sentence that stay, as n-grams: words joined by `_`, the short ones of each place first.
    pub fn sentence<'a>(&self, forms: impl Iterator<Item = &'a str>, out: &mut Vec<CompactString>) {
        out.clear();
        let kept = forms
            .map(|form| self.form(form))
            .filter(|form| self.keeps(form));
        if self.ngrams == (1, 1) {
            out.extend(kept.map(CompactString::from));
            return;
        }
        let kept: Vec<_> = kept.collect();
        let (from, to) = self.ngrams;
        for start in 0..kept.len() {
            for length in from.max(1)..=to {
                if let Some(words) = kept.get(start..start + length) {
                    out.push(words.join("_").into());
                }
            }
        }
    }
}

impl Filter {
    /// Changes the forms of a segmented document; where words are left out, what stays of each sentence is left without
    /// spans, good for text and word lists only.
    pub fn apply(&self, document: &mut Document) {
        let mut kept = Vec::new();
        for sentence in &mut document.sentences {
            if self.drops() {
                self.sentence(
                    sentence.words.iter().map(|word| word.form.as_str()),
                    &mut kept,
                );
                sentence.words = kept.iter().map(|form| Word::of(form)).collect();
                sentence.tokens = (0..kept.len() as u32)
                    .map(|i| Token {
                        words: i..i + 1,
                        ..Token::default()
                    })
                    .collect();
            } else if self.changes_forms() {
                let surfaces = sentence
                    .tokens
                    .iter_mut()
                    .filter_map(|token| token.form.as_mut());
                let words = sentence.words.iter_mut().map(|word| &mut word.form);
                for form in surfaces.chain(words) {
                    if let Cow::Owned(changed) = self.form(form) {
                        *form = changed.into();
                    }
                }
            }
        }
    }
}

/// Combining marks belong to the letter before them.
fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

fn straight(word: &str) -> String {
    word.replace('\u{2019}', "'")
}

/// A stop word list: a word a line; blank lines and lines that begin with `#` are skipped.
pub fn parse_stopwords(lines: &str) -> HashSet<String> {
    let words = lines
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    words.map(|word| straight(&word.to_lowercase())).collect()
}

/// English function words: articles, pronouns, prepositions, conjunctions, auxiliaries, and the pieces that contractions
/// are split into.
pub fn english_stopwords() -> HashSet<String> {
    let words = "a an the this that these those \
        i me my mine myself we us our ours ourselves you your yours yourself yourselves he him his himself she her \
        hers herself it its itself they them their theirs themselves one ones who whom whose which what \
        am is are was were be been being have has had having do does did doing done will would shall should can could \
        may might must ought ca wo sha ai \
        'm 're 's 've 'd 'll n't ' not no nor cannot \
        don't doesn't didn't isn't aren't wasn't weren't won't wouldn't can't couldn't shouldn't haven't hasn't hadn't \
        i'm you're he's she's it's we're they're i've you've we've they've i'd you'd he'd she'd we'd they'd i'll you'll \
        he'll she'll it'll we'll they'll that's there's here's what's who's let's \
        of in on at by for with about against between into through during before after above below to from up down out \
        off over under upon within without toward towards among since until till per via onto \
        and or but if because as while though although than whether so unless \
        here there when where why how then again further once now \
        all any both each few more most other others another some such only own same too very just also even ever";
    words.split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(filter: &Filter, sentence: &str) -> String {
        let mut out = Vec::new();
        filter.sentence(sentence.split(' '), &mut out);
        out.join(" ")
    }

    #[test]
    fn words_are_lowered_and_normalised() {
        let filter = Filter {
            lower: true,
            normalization: Some(Normalization::Nfkc),
            ..Filter::default()
        };
        assert_eq!(run(&filter, "ﬁSH E\u{301}TÉ x²"), "fish été x2");
    }

    #[test]
    fn stop_words_and_short_words_are_left_out() {
        let filter = Filter {
            stopwords: english_stopwords(),
            min_length: 2,
            keep: Keep::Alpha,
            ..Filter::default()
        };
        assert_eq!(
            run(&filter, "The cats do n’t X like 42 b2b mice ."),
            "cats like mice"
        );
    }

    #[test]
    fn n_grams_run_over_the_words_that_stay() {
        let filter = Filter {
            keep: Keep::Alnum,
            ngrams: (1, 2),
            ..Filter::default()
        };
        assert_eq!(run(&filter, "a b , c"), "a a_b b b_c c");
    }

    #[test]
    fn a_filter_that_does_nothing_says_so() {
        assert!(Filter::default().is_idle());
        assert!(
            !Filter {
                min_length: 3,
                ..Filter::default()
            }
            .is_idle()
        );
    }
}
