//! Texts into terms.
//!
//! ```text
//! text ── lower ── strip accents ── words ── stop words ── stem ── runs of words       word
//!                             └─── white space to one space ───── runs of characters  char
//!                             └─── words between spaces ───────── runs of characters  char_wb
//! ```
//!
//! The order is scikit-learn's. Where a tokenizer of the tool cuts the words it gets the text as it is (it looks at
//! capitals), and its words are lowered after.

use super::accents::Accents;
use super::interner::Interner;
use super::ngrams::Pieces;
use super::scan::{next_word, one_space, words_and_beyond};
use super::word_class::is_space;
use crate::text::stem::{Algorithm, CachedStemmer, Generation, Language, StemError, Stemmer};
use crate::text::tokenize::{self, Printing, Tokenizer};
use regex::Regex;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// What a term is, by the names `--analyzer` knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum TermUnit {
    /// Words
    #[default]
    Word,
    /// Characters
    Char,
    /// Characters inside words, a space before and behind
    CharWb,
}

/// Where words end, by the names `--scheme` knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum WordScheme {
    /// The matches of --pattern
    #[default]
    Regex,
    /// Word boundaries of Unicode (UAX #29) with a letter or digit between them
    Unicode,
    /// As in Universal Dependencies, by the English model
    Ud,
    /// At white space
    Whitespace,
}

/// The layer of annotated documents that terms are made of, by the names `--layer` knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Layer {
    /// The words
    #[default]
    Form,
    /// Their lemmas; words without one stand for themselves
    Lemma,
    /// Their stems; words without one stand for themselves
    Stem,
}

/// How documents become terms. Stored with everything that is counted, for only like adds up with like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TermOptions {
    pub analyzer: TermUnit,
    pub scheme: WordScheme,
    /// The regular expression of [`WordScheme::Regex`]; none is scikit-learn's `\b\w\w+\b` with Python's `\w`.
    pub pattern: Option<String>,
    pub lower: bool,
    pub strip_accents: Option<Accents>,
    pub stopwords: BTreeSet<String>,
    pub stem: Option<Language>,
    /// The lengths of runs, from and to.
    pub ngrams: (usize, usize),
    /// Every term counts once in a document.
    pub binary: bool,
    pub layer: Layer,
    /// Universal parts of speech that stay, of annotated documents; none is all.
    pub pos: BTreeSet<String>,
}

impl TermOptions {
    /// Whether terms are what white space parts, all of it as it stands.
    pub fn are_tokens(&self) -> bool {
        *self
            == TermOptions {
                scheme: WordScheme::Whitespace,
                lower: false,
                ..TermOptions::default()
            }
    }
}

impl Default for TermOptions {
    fn default() -> TermOptions {
        TermOptions {
            analyzer: TermUnit::Word,
            scheme: WordScheme::Regex,
            pattern: None,
            lower: true,
            strip_accents: None,
            stopwords: BTreeSet::new(),
            stem: None,
            ngrams: (1, 1),
            binary: false,
            layer: Layer::Form,
            pos: BTreeSet::new(),
        }
    }
}

impl TermOptions {
    /// The options as JSON, the same text for the same options.
    pub fn to_json(&self) -> String {
        // A struct of strings, numbers and enums: nothing in it can fail to be JSON.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Why no analyzer could be made.
#[derive(Debug, thiserror::Error)]
pub enum AnalyzerError {
    #[error("{0}")]
    Pattern(#[from] regex::Error),
    #[error("more than one group in the pattern")]
    Groups,
    #[error(transparent)]
    Stem(#[from] StemError),
}

/// Makes terms of texts. Used from any number of threads, each with a [`Workspace`].
pub struct Analyzer {
    options: TermOptions,
    words: Words,
    stopwords: Interner,
    stemmer: Option<Stemmer>,
}

enum Words {
    /// Python's `\b\w\w+\b`.
    TwoOrMore,
    Pattern(Regex),
    Tokenizer(Box<Tokenizer>, Printing),
}

/// Buffers of a worker.
#[derive(Default)]
pub struct Workspace {
    pieces: Pieces,
    /// Words before some are left out or cut to their stems.
    found: Pieces,
    tokenizer: tokenize::Workspace,
    lines: String,
    stems: Option<CachedStemmer>,
}

impl Analyzer {
    /// `tokenizer` cuts words where `options.scheme` is not `regex`.
    ///
    /// # Errors
    /// When the pattern is no regular expression or has more than one group, and when there is no such stemmer.
    pub fn new(
        options: TermOptions,
        tokenizer: Option<Tokenizer>,
    ) -> Result<Analyzer, AnalyzerError> {
        let words = match (tokenizer, &options.pattern) {
            (Some(tokenizer), _) => {
                let printing = Printing {
                    words: true,
                    ..Printing::default()
                };
                Words::Tokenizer(Box::new(tokenizer), printing)
            }
            (None, None) => Words::TwoOrMore,
            (None, Some(pattern)) => {
                let pattern = Regex::new(pattern)?;
                // The whole match counts as one.
                if pattern.captures_len() > 2 {
                    return Err(AnalyzerError::Groups);
                }
                Words::Pattern(pattern)
            }
        };
        let mut stopwords = Interner::default();
        for word in &options.stopwords {
            stopwords.intern(word.as_bytes());
        }
        let stemmer = |language| Stemmer::new(Algorithm::Snowball, language, Generation::default());
        Ok(Analyzer {
            words,
            stopwords,
            stemmer: options.stem.map(stemmer).transpose()?,
            options,
        })
    }

    pub fn options(&self) -> &TermOptions {
        &self.options
    }

    /// Calls `term` with every term of a text, in order of length.
    pub fn text(&self, text: &str, work: &mut Workspace, term: impl FnMut(&[u8])) {
        self.begin(work);
        let as_it_is = match self.words {
            Words::TwoOrMore => self.lowers_words(text),
            Words::Pattern(_) => false,
            Words::Tokenizer(..) => true,
        };
        let as_it_is = as_it_is && self.options.analyzer == TermUnit::Word;
        let text = match as_it_is {
            true => Cow::Borrowed(text),
            false => self.normalized(text),
        };
        match (self.options.analyzer, &self.words) {
            (TermUnit::Char, _) => one_space(&text, &mut work.pieces.text),
            (TermUnit::CharWb, _) => {
                let words = text.split(is_space).filter(|word| !word.is_empty());
                words.for_each(|word| work.pieces.push(word.as_bytes()));
            }
            (TermUnit::Word, Words::TwoOrMore) if as_it_is => self.quick_words(&text, work),
            (TermUnit::Word, Words::TwoOrMore) => self.two_or_more(&text, work),
            (TermUnit::Word, Words::Pattern(pattern)) => {
                let whole = pattern.captures_len() == 1;
                for found in pattern.captures_iter(&text) {
                    if let Some(word) = found.get(usize::from(!whole)) {
                        self.word(word.as_str(), work);
                    }
                }
            }
            (TermUnit::Word, Words::Tokenizer(tokenizer, printing)) => {
                let mut lines = std::mem::take(&mut work.lines);
                lines.clear();
                tokenizer.print(&text, printing, &mut work.tokenizer, &mut lines);
                let shown = |word: &&str| {
                    self.options.scheme != WordScheme::Unicode
                        || word.chars().any(char::is_alphanumeric)
                };
                for word in lines.lines().filter(shown) {
                    self.word(&self.normalized(word), work);
                }
                work.lines = lines;
            }
        }
        self.runs(&work.pieces, term);
    }

    /// Calls `term` with every term of a document whose words are known.
    pub fn tokens<'a>(
        &self,
        words: impl Iterator<Item = &'a str>,
        work: &mut Workspace,
        term: impl FnMut(&[u8]),
    ) {
        self.begin(work);
        match self.options.analyzer {
            TermUnit::Word => {
                words.for_each(|word| self.word(&self.normalized(word), work));
            }
            TermUnit::CharWb => {
                words.for_each(|word| work.pieces.push(self.normalized(word).as_bytes()));
            }
            TermUnit::Char => {
                words.for_each(|word| work.pieces.push(self.normalized(word).as_bytes()));
                // The space behind the last word.
                work.pieces.text.pop();
            }
        }
        self.runs(&work.pieces, term);
    }

    fn begin(&self, work: &mut Workspace) {
        work.pieces.clear();
        if self.options.analyzer != TermUnit::Char {
            work.pieces.text.push(b' ');
        }
    }

    fn runs(&self, pieces: &Pieces, term: impl FnMut(&[u8])) {
        let ngrams = self.options.ngrams;
        match self.options.analyzer {
            TermUnit::Word => pieces.words(ngrams, term),
            TermUnit::Char => pieces.characters(ngrams, term),
            TermUnit::CharWb => pieces.characters_of_words(ngrams, term),
        }
    }

    fn normalized<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let lowered = match self.options.lower && text.chars().any(|c| !c.is_lowercase()) {
            true => Cow::Owned(text.to_lowercase()),
            false => Cow::Borrowed(text),
        };
        match self.options.strip_accents {
            None => lowered,
            Some(accents) => match lowered {
                Cow::Borrowed(text) => accents.strip(text),
                Cow::Owned(text) => Cow::Owned(accents.strip(&text).into_owned()),
            },
        }
    }

    #[inline]
    fn word(&self, word: &str, work: &mut Workspace) {
        if !self.stopwords.is_empty() && self.stopwords.get(word.as_bytes()).is_some() {
            return;
        }
        let Some(stemmer) = &self.stemmer else {
            return work.pieces.push(word.as_bytes());
        };
        let stems = work.stems.get_or_insert_default();
        work.pieces.push(stems.stem(stemmer, word));
    }

    /// The words of Python's `\b\w\w+\b`.
    fn two_or_more(&self, text: &str, work: &mut Workspace) {
        let mut at = 0;
        while let Some((from, to)) = next_word(text, at) {
            at = to;
            if text[from..to].chars().nth(1).is_some() {
                self.word(&text[from..to], work);
            }
        }
    }

    /// Whether a text may be cut first and its words lowered then. Sigma at the end of a word is another letter, and
    /// where a word ends for it is for the whole text to say.
    fn lowers_words(&self, text: &str) -> bool {
        text.is_ascii()
            || self.options.strip_accents.is_none() && !(self.options.lower && text.contains('Σ'))
    }

    /// The same words of a text as it is: what ASCII parts is looked at more closely only where it is not ASCII itself.
    fn quick_words(&self, text: &str, work: &mut Workspace) {
        let lower = self.options.lower;
        // Runs of words need them one behind the other.
        let stay = self.options.ngrams == (1, 1) && self.stemmer.is_none();
        if stay && self.stopwords.is_empty() && text.is_ascii() {
            return words_and_beyond(text.as_bytes(), lower, &mut work.pieces);
        }
        let mut found = std::mem::take(&mut work.found);
        found.clear();
        words_and_beyond(text.as_bytes(), lower, &mut found);
        for &(start, end) in &found.words {
            match std::str::from_utf8(&found.text[start..end]) {
                Ok(word) if word.is_ascii() => self.word(word, work),
                _ if lower => self.two_or_more(&text[start..end].to_lowercase(), work),
                _ => self.two_or_more(&text[start..end], work),
            }
        }
        work.found = found;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(options: TermOptions, text: &str) -> Vec<String> {
        let analyzer = Analyzer::new(options, None).unwrap();
        let mut found = Vec::new();
        analyzer.text(text, &mut Workspace::default(), |term| {
            found.push(String::from_utf8(term.to_vec()).unwrap());
        });
        found
    }

    fn of(change: impl FnOnce(&mut TermOptions)) -> TermOptions {
        let mut options = TermOptions::default();
        change(&mut options);
        options
    }

    #[test]
    fn words_have_two_letters_or_more() {
        let found = terms(TermOptions::default(), "I saw  A.B. at 10 o'clock_x, B");
        assert_eq!(found, ["saw", "at", "10", "clock_x"]);
        assert!(terms(TermOptions::default(), "").is_empty());
        assert_eq!(terms(TermOptions::default(), "ab"), ["ab"]);
    }

    #[test]
    fn words_of_ascii_are_those_of_any_text() {
        let mut state = 1u64;
        for length in 0..300 {
            let letters = (0..length).map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                b"aZ09_@[`{/: -bcdefg"[(state >> 33) as usize % 19]
            });
            let text = String::from_utf8(letters.collect()).unwrap();
            let mut expected = Vec::new();
            let mut at = 0;
            while let Some((from, to)) = next_word(&text, at) {
                at = to;
                expected.push(text[from..to].to_lowercase());
            }
            expected.retain(|word| word.len() > 1);
            assert_eq!(terms(TermOptions::default(), &text), expected, "{text}");
        }
    }

    /// scikit-learn 1.9: `CountVectorizer().build_analyzer()(…)`. The İ becomes i and a dot above, which is no letter.
    #[test]
    fn words_beyond_ascii_are_pythons() {
        let found = terms(
            TermOptions::default(),
            "Éa İstanbul ΟΔΟΣ m² naïve e\u{301}t é a1",
        );
        assert_eq!(found, ["éa", "stanbul", "οδος", "m²", "naïve", "a1"]);
        // No letter of these is a sigma.
        let found = terms(TermOptions::default(), "“Éa’s” AB—ÀB… İstanbul x");
        assert_eq!(found, ["éa", "ab", "àb", "stanbul"]);
        let found = terms(of(|o| o.ngrams = (2, 2)), "Éa x-AB ÀB");
        assert_eq!(found, ["éa ab", "ab àb"]);
    }

    #[test]
    fn capitals_and_accents_may_stay() {
        assert_eq!(
            terms(of(|o| o.lower = false), "Été AB ab"),
            ["Été", "AB", "ab"]
        );
        let plain = of(|o| o.strip_accents = Some(Accents::Unicode));
        assert_eq!(terms(plain, "Été AB"), ["ete", "ab"]);
    }

    #[test]
    fn stop_words_go_before_runs_are_made() {
        let options = of(|o| {
            o.stopwords = BTreeSet::from(["the".to_owned()]);
            o.ngrams = (2, 2);
        });
        assert_eq!(
            terms(options, "Over the lazy dog"),
            ["over lazy", "lazy dog"]
        );
    }

    #[test]
    fn stems_take_the_place_of_words() {
        let options = of(|o| o.stem = Some(Language::English));
        assert_eq!(
            terms(options, "Running dogs, naïvely"),
            ["run", "dog", "naïv"]
        );
    }

    #[test]
    fn a_pattern_gives_its_matches_or_its_group() {
        let whole = of(|o| o.pattern = Some("[a-z]-[a-z]".to_owned()));
        assert_eq!(terms(whole, "A-B c-d"), ["a-b", "c-d"]);
        let group = of(|o| o.pattern = Some("#([a-z]+)".to_owned()));
        assert_eq!(terms(group, "#one two #three"), ["one", "three"]);
        let two = of(|o| o.pattern = Some("(a)(b)".to_owned()));
        assert!(matches!(
            Analyzer::new(two, None),
            Err(AnalyzerError::Groups)
        ));
    }

    /// scikit-learn 1.9: `CountVectorizer(analyzer="char", ngram_range=(1, 2)).build_analyzer()("A \n b\t")`.
    #[test]
    fn characters_see_runs_of_white_space_as_one() {
        let options = of(|o| {
            o.analyzer = TermUnit::Char;
            o.ngrams = (1, 2);
        });
        let expected = ["a", " ", "b", "\t", "a ", " b", "b\t"];
        assert_eq!(terms(options, "A \n b\t"), expected);
    }

    #[test]
    fn known_words_are_lowered_and_not_cut() {
        let of_words = |analyzer| {
            let analyzer = Analyzer::new(of(|o| o.analyzer = analyzer), None).unwrap();
            let mut found = Vec::new();
            analyzer.tokens(
                ["A-B", "É"].into_iter(),
                &mut Workspace::default(),
                |term| {
                    found.push(String::from_utf8(term.to_vec()).unwrap());
                },
            );
            found
        };
        assert_eq!(of_words(TermUnit::Word), ["a-b", "é"]);
        assert_eq!(of_words(TermUnit::Char), ["a", "-", "b", " ", "é"]);
    }
}
