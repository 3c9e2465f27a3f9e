//! How text becomes words and pieces become text again, around the model that cuts words into pieces.
//!
//! ```text
//! text ─ normalised ─ escaped ─ cut into words ─▶ model ─▶ pieces ─ joined ─ unescaped ─▶ text
//!
//! metaspace   " A, ▁" →  ␛2␣A,␣␛1 →  ▁␛2 ▁A , ▁␛1   a space is ▁, one more stands before the first word
//! byte-level  "A é!"  →  A ␣é !   →  A ĠÃ© !        a byte is a letter of GPT-2's alphabet
//! words       "A é!"  →  A é !                      spaces are lost
//! ```
//!
//! In metaspace the text's own `▁` is written `␛1`, its own `␛` is `␛0`, and `␛2` stands before a leading space, so that
//! every text comes back as it was. All of it is said in the parts of `tokenizer.json` too, for other programs to do
//! the same; what is here is the same done faster, which a test checks.

use super::symbols::Symbols;
use regex::Regex;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::sync::LazyLock;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::{
    NormalizedString, Normalizer, NormalizerWrapper, OffsetReferential, OffsetType,
    PreTokenizedString, PreTokenizer,
};
use unicode_normalization::{IsNormalized, is_nfc_quick, is_nfkc_quick};

/// What parts a word from the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Spaces, which stay as `▁` at the beginning of words, and punctuation, whose runs are words of their own.
    Metaspace,
    /// GPT-2's rule: spaces, and borders between letters, digits and other signs.
    ByteLevel,
    /// BERT's rule: white space, which is lost, and punctuation.
    Words,
}

/// The form that characters are brought to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Normalization {
    /// Composed characters, the look of the text kept
    #[default]
    Nfc,
    /// Compatibility characters, such as ﬁ and ２, replaced too
    Nfkc,
    /// As they are
    None,
}

/// A way from text to words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    pub scheme: Scheme,
    pub normalization: Normalization,
    /// All letters are made small.
    pub lower: bool,
}

/// What a text is cut into.
#[derive(Debug, PartialEq, Eq)]
pub enum Part<'t> {
    /// Something for the model to cut further.
    Word(&'t str),
    /// A symbol of the user's, by its number.
    Symbol(u32),
}

const ESCAPE: char = '␛';
const SPACE: &str = "▁";

/// A run of punctuation with the space before it: "cat," must not become a piece beside "cat".
const PUNCTUATION: &str = r"▁?\p{P}+";

impl Layout {
    /// The layout that parts of a `tokenizer.json` describe, if it is one of these.
    pub fn of(normalizer: &Value, pre_tokenizer: &Value) -> Option<Layout> {
        let schemes = [Scheme::Metaspace, Scheme::ByteLevel, Scheme::Words];
        let forms = [Normalization::Nfc, Normalization::Nfkc, Normalization::None];
        let all = schemes.into_iter().flat_map(|scheme| {
            forms.into_iter().flat_map(move |normalization| {
                [false, true].map(|lower| Layout {
                    scheme,
                    normalization,
                    lower,
                })
            })
        });
        all.into_iter().find(|layout| {
            layout.normalizer() == *normalizer && layout.pre_tokenizer() == *pre_tokenizer
        })
    }

    /// The part `normalizer` of a `tokenizer.json`.
    pub fn normalizer(&self) -> Value {
        let mut steps = Vec::new();
        match self.normalization {
            Normalization::Nfc => steps.push(json!({"type": "NFC"})),
            Normalization::Nfkc => steps.push(json!({"type": "NFKC"})),
            Normalization::None => {}
        }
        if self.lower {
            steps.push(json!({"type": "Lowercase"}));
        }
        if self.scheme == Scheme::Metaspace {
            steps.push(replace(json!({"String": "␛"}), "␛0"));
            steps.push(replace(json!({"String": SPACE}), "␛1"));
            steps.push(replace(json!({"Regex": r"\A "}), "␛2 "));
        }
        match steps.is_empty() {
            true => Value::Null,
            false => json!({"type": "Sequence", "normalizers": steps}),
        }
    }

    /// The part `pre_tokenizer`.
    pub fn pre_tokenizer(&self) -> Value {
        match self.scheme {
            Scheme::Metaspace => json!({"type": "Sequence", "pretokenizers": [
                {"type": "Metaspace", "replacement": SPACE, "prepend_scheme": "first", "split": true},
                {"type": "Split", "pattern": {"Regex": PUNCTUATION}, "behavior": "Isolated", "invert": false},
            ]}),
            Scheme::ByteLevel => {
                json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true})
            }
            Scheme::Words => json!({"type": "BertPreTokenizer"}),
        }
    }

    /// The part `decoder`.
    pub fn decoder(&self) -> Value {
        match self.scheme {
            Scheme::Metaspace => json!({"type": "Sequence", "decoders": [
                replace(json!({"String": SPACE}), " "),
                {"type": "ByteFallback"},
                {"type": "Fuse"},
                {"type": "Strip", "content": " ", "start": 1, "stop": 0},
                replace(json!({"String": "␛1"}), SPACE),
                replace(json!({"String": "␛2"}), ""),
                replace(json!({"String": "␛0"}), "␛"),
            ]}),
            Scheme::ByteLevel => {
                json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true})
            }
            Scheme::Words => json!({"type": "WordPiece", "prefix": "##", "cleanup": true}),
        }
    }

    /// The text in its normal form.
    pub fn visible<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let text = self.composed(text);
        match self.lower {
            true => Cow::Owned(text.chars().flat_map(char::to_lowercase).collect()),
            false => text,
        }
    }

    /// The text in its normal form, escaped.
    pub fn normalized<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut text = self.visible(text);
        if self.scheme == Scheme::Metaspace {
            if text.contains([ESCAPE, '▁']) {
                text = Cow::Owned(text.replace(ESCAPE, "␛0").replace(SPACE, "␛1"));
            }
            if text.starts_with(' ') {
                text = Cow::Owned(format!("␛2{text}"));
            }
        }
        text
    }

    fn composed<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let (step, is_normal) = match self.normalization {
            Normalization::None => return Cow::Borrowed(text),
            // Below U+0300 nothing composes; is_nfc_quick is a look-up a character.
            Normalization::Nfc => (
                NormalizerWrapper::NFC(tokenizers::normalizers::NFC),
                text.chars().all(|c| c < '\u{300}')
                    || is_nfc_quick(text.chars()) == IsNormalized::Yes,
            ),
            Normalization::Nfkc => (
                NormalizerWrapper::NFKC(tokenizers::normalizers::NFKC),
                text.is_ascii() || is_nfkc_quick(text.chars()) == IsNormalized::Yes,
            ),
        };
        if is_normal {
            return Cow::Borrowed(text);
        }
        // The tables of `tokenizers` are those of an older Unicode: where they matter, they are asked.
        let mut normalized = NormalizedString::from(text);
        match step.normalize(&mut normalized) {
            Ok(()) => Cow::Owned(normalized.get().to_owned()),
            Err(_) => Cow::Borrowed(text),
        }
    }

    /// Calls `take` with the words and symbols of a text in its normal form.
    pub fn parts(&self, text: &str, symbols: Option<&Symbols>, mut take: impl FnMut(Part)) {
        let mut scratch = String::new();
        let mut words = |start: usize, end: usize, take: &mut dyn FnMut(Part)| {
            let segment = &text[start..end];
            if segment.is_empty() {
                return;
            }
            match self.scheme {
                Scheme::Metaspace => metaspace(segment, start == 0, &mut scratch, take),
                Scheme::ByteLevel => byte_level(segment, &mut scratch, take),
                Scheme::Words if segment.is_ascii() => ascii_words(segment, take),
                Scheme::Words => unicode_words(segment, take),
            }
        };
        let mut behind = 0;
        if let Some(symbols) = symbols {
            for (start, end, number) in symbols.find(text) {
                words(behind, start, &mut take);
                take(Part::Symbol(number));
                behind = end;
            }
        }
        words(behind, text.len(), &mut take);
    }
}

fn replace(pattern: Value, content: &str) -> Value {
    json!({"type": "Replace", "pattern": pattern, "content": content})
}

/// A word begins at each `▁`, and ends at punctuation.
fn metaspace(segment: &str, is_first: bool, scratch: &mut String, take: &mut dyn FnMut(Part)) {
    scratch.clear();
    if is_first {
        scratch.push_str(SPACE);
    }
    let mut rest = segment;
    while let Some(at) = memchr::memchr(b' ', rest.as_bytes()) {
        scratch.push_str(&rest[..at]);
        punctuated(scratch, take);
        scratch.clear();
        scratch.push_str(SPACE);
        rest = &rest[at + 1..];
    }
    scratch.push_str(rest);
    punctuated(scratch, take);
}

// A literal that a test compiles.
#[allow(clippy::unwrap_used)]
static RUNS: LazyLock<Regex> = LazyLock::new(|| Regex::new(PUNCTUATION).unwrap());

/// The runs of punctuation in a word, and what is between them.
fn punctuated(word: &str, take: &mut dyn FnMut(Part)) {
    let mut word_of = |start: usize, end: usize| {
        if start < end {
            take(Part::Word(&word[start..end]));
        }
    };
    let letters = word.strip_prefix(SPACE).unwrap_or(word);
    // Most words: the expression need not be asked.
    if letters.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return word_of(0, word.len());
    }
    let mut behind = 0;
    for run in RUNS.find_iter(word) {
        word_of(behind, run.start());
        word_of(run.start(), run.end());
        behind = run.end();
    }
    word_of(behind, word.len());
}

// GPT-2's expression without `\s+(?!\S)`, which the loop below stands for: this one needs no backtracking.
// A literal that a test compiles.
#[allow(clippy::unwrap_used)]
static WORDS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+").unwrap()
});

fn byte_level(segment: &str, scratch: &mut String, take: &mut dyn FnMut(Part)) {
    let mut start = 0;
    while let Some(found) = WORDS.find_at(segment, start) {
        let mut end = found.end();
        let run = found.as_str();
        // White space in front of something leaves its last character to it.
        if end < segment.len()
            && run.chars().all(char::is_whitespace)
            && let Some((last, _)) = run.char_indices().next_back()
            && last > 0
        {
            end = found.start() + last;
        }
        scratch.clear();
        scratch.extend(segment.as_bytes()[start..end].iter().map(|&b| letter(b)));
        take(Part::Word(scratch));
        start = end;
    }
}

/// The letter that stands for a byte: itself if it is printable Latin-1, else the next of U+0100 and on.
pub fn letter(byte: u8) -> char {
    let code = match byte {
        b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF => u32::from(byte),
        0..=b' ' => 0x100 + u32::from(byte),
        0x7F..=0xA0 => 0x121 + u32::from(byte) - 0x7F,
        0xAD => 0x143,
    };
    // All are below U+0144.
    char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn ascii_words(segment: &str, take: &mut dyn FnMut(Part)) {
    let is_space = |c: char| c.is_whitespace();
    for word in segment.split(is_space) {
        let mut start = 0;
        for (at, _) in word.match_indices(|c: char| c.is_ascii_punctuation()) {
            if start < at {
                take(Part::Word(&word[start..at]));
            }
            take(Part::Word(&word[at..at + 1]));
            start = at + 1;
        }
        if start < word.len() {
            take(Part::Word(&word[start..]));
        }
    }
}

/// The same with white space and punctuation of all scripts, by the tables of `tokenizers`.
fn unicode_words(segment: &str, take: &mut dyn FnMut(Part)) {
    let mut words = PreTokenizedString::from(segment);
    if BertPreTokenizer.pre_tokenize(&mut words).is_ok() {
        for (word, _, _) in words.get_splits(OffsetReferential::Normalized, OffsetType::None) {
            take(Part::Word(word));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(scheme: Scheme, text: &str) -> Vec<String> {
        let layout = Layout {
            scheme,
            normalization: Normalization::Nfc,
            lower: false,
        };
        let mut words = Vec::new();
        let text = layout.normalized(text);
        layout.parts(&text, None, |part| match part {
            Part::Word(word) => words.push(word.to_owned()),
            Part::Symbol(_) => {}
        });
        words
    }

    #[test]
    fn spaces_become_marks_at_the_beginning_of_words() {
        assert_eq!(
            cut(Scheme::Metaspace, "A cat  sat "),
            ["▁A", "▁cat", "▁", "▁sat", "▁"]
        );
    }

    #[test]
    fn marks_of_the_text_and_a_leading_space_are_escaped() {
        assert_eq!(cut(Scheme::Metaspace, " a▁b␛"), ["▁␛2", "▁a␛1b␛0"]);
    }

    #[test]
    fn runs_of_punctuation_are_words_with_the_space_before_them() {
        assert_eq!(
            cut(Scheme::Metaspace, "(Don't, „go“...)"),
            ["▁(", "Don", "'", "t", ",", "▁„", "go", "“...)"]
        );
    }

    #[test]
    fn gpt_2_parts_letters_digits_and_signs() {
        assert_eq!(
            cut(Scheme::ByteLevel, "It's  10 é!"),
            ["It", "'s", "Ġ", "Ġ10", "ĠÃ©", "!"]
        );
    }

    #[test]
    fn every_byte_has_a_letter_of_its_own() {
        let letters: std::collections::HashSet<char> = (0..=255).map(letter).collect();
        assert_eq!(letters.len(), 256);
        assert_eq!((letter(b' '), letter(0xA0), letter(0xAD)), ('Ġ', 'ł', 'Ń'));
    }

    #[test]
    fn bert_parts_punctuation_and_drops_spaces() {
        assert_eq!(
            cut(Scheme::Words, " Don't  go."),
            ["Don", "'", "t", "go", "."]
        );
    }
}
