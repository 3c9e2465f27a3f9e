//! The words that BLEU counts, as the scripts of machine-translation campaigns cut them.
//!
//! Each rule takes a character and one of its neighbours, and puts spaces around the mark among them. What a rule has
//! taken once it does not take again: `..` behind a letter is cut at the first dot only by the first of two rules.
//!
//! | name | what is cut off |
//! |---|---|
//! | 13a | ASCII symbols; `.` and `,` unless between digits; `-` behind a digit; after `&quot; &amp; &lt; &gt;` are characters again |
//! | intl | punctuation of any script unless between numbers, symbols |
//! | char | every character |
//! | none | nothing: white space parts words |
//!
//! 13a is that of NIST's mteval-v13a, intl that of mteval-v14 with its international option.

use regex_syntax::hir::{Class, HirKind};
use std::borrow::Cow;
use std::sync::LazyLock;

/// How a line is cut into words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Tokenizer {
    /// Marks of ASCII off words, as in NIST's mteval-v13a
    #[default]
    #[value(name = "13a")]
    Mteval13a,
    /// Punctuation and symbols of all scripts off words, as in mteval-v14
    Intl,
    /// Every character a word, for Chinese and Japanese
    Char,
    /// Words as they are parted by spaces, for text that is tokenized
    None,
}

impl Tokenizer {
    /// As signatures have it.
    pub fn name(self) -> &'static str {
        match self {
            Tokenizer::Mteval13a => "13a",
            Tokenizer::Intl => "intl",
            Tokenizer::Char => "char",
            Tokenizer::None => "none",
        }
    }

    /// The line with white space between its words, more than one in places.
    pub fn spaced(self, line: &str) -> Cow<'_, str> {
        match self {
            Tokenizer::Mteval13a => mteval_13a(line).into(),
            Tokenizer::Intl => intl(line.trim_end_matches(is_space)).into(),
            Tokenizer::Char => line
                .chars()
                .flat_map(|c| [c, ' '])
                .collect::<String>()
                .into(),
            Tokenizer::None => line.into(),
        }
    }
}

/// The words of a line that was spaced.
pub fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(is_space).filter(|word| !word.is_empty())
}

/// White space, and the four separators of ASCII that are none to Unicode but are to Python.
pub fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

/// 13a, with a space at both ends.
fn mteval_13a(line: &str) -> String {
    match line.contains("<skipped>") {
        true => marks(&symbols(&line.replace("<skipped>", ""))),
        false => marks(&symbols(line)),
    }
}

/// What TER's normalization makes of a line: 13a, and `'s` a word of its own.
pub fn normalized(line: &str) -> String {
    marks(&symbols(line).replace("'s ", " 's "))
}

/// Entities as characters, and spaces around symbols and at both ends.
fn symbols(line: &str) -> String {
    let mut line = Cow::Borrowed(line);
    if line.contains('&') {
        line = (line.replace("&quot;", "\"").replace("&amp;", "&"))
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .into();
    }
    cut(&format!(" {line} "), |text, at, _| {
        is_symbol(text[at]).then_some(at + 1)
    })
}

/// Periods, commas and hyphens, by what stands beside them.
fn marks(line: &str) -> String {
    let is_stop = |byte: u8| matches!(byte, b'.' | b',');
    // Characters of several bytes are no digits and no marks, and neither are their bytes.
    let behind_word = cut(line, |text, at, free| {
        let holds = is_stop(text[at]) && at > free && !text[at - 1].is_ascii_digit();
        holds.then_some(at + 1)
    });
    let before_word = cut(&behind_word, |text, at, _| {
        let next = text.get(at + 1);
        let holds = is_stop(text[at]) && next.is_some_and(|next| !next.is_ascii_digit());
        holds.then_some(at + 2)
    });
    cut(&before_word, |text, at, free| {
        let holds = text[at] == b'-' && at > free && text[at - 1].is_ascii_digit();
        holds.then_some(at + 1)
    })
}

/// The symbols of ASCII but for `'`, `,`, `-` and `.`.
fn is_symbol(byte: u8) -> bool {
    byte.is_ascii_punctuation() && !matches!(byte, b'\'' | b',' | b'-' | b'.')
}

/// Puts spaces around every byte of ASCII for which `rule` says where the bytes begin that are free again. It is given
/// the text, the place of the byte, and the first byte that no match before has taken.
fn cut(text: &str, rule: impl Fn(&[u8], usize, usize) -> Option<usize>) -> String {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len() + text.len() / 4 + 8);
    let (mut from, mut free) = (0, 0);
    for (at, byte) in bytes.iter().enumerate() {
        if at < free || !byte.is_ascii_punctuation() {
            continue;
        }
        if let Some(end) = rule(bytes, at, free) {
            out.push_str(&text[from..at]);
            out.extend([' ', char::from(*byte), ' ']);
            (from, free) = (at + 1, end);
        }
    }
    out.push_str(&text[from..]);
    out
}

/// The general categories that intl goes by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Category {
    Number,
    Punctuation,
    Symbol,
    Other,
}

/// First and last characters of the numbers, punctuation and symbols of Unicode, in order.
static RANGES: LazyLock<Vec<(char, char, Category)>> = LazyLock::new(|| {
    let mut ranges = Vec::new();
    let categories = [
        (r"\p{N}", Category::Number),
        (r"\p{P}", Category::Punctuation),
        (r"\p{S}", Category::Symbol),
    ];
    for (pattern, category) in categories {
        // The patterns are right, and a class of Unicode is what they give.
        if let Ok(hir) = regex_syntax::parse(pattern)
            && let HirKind::Class(Class::Unicode(class)) = hir.kind()
        {
            ranges.extend(
                class
                    .iter()
                    .map(|range| (range.start(), range.end(), category)),
            );
        }
    }
    ranges.sort_unstable_by_key(|range| range.0);
    ranges
});

impl Category {
    fn of(c: char) -> Category {
        match c {
            'a'..='z' | 'A'..='Z' | ' ' => return Category::Other,
            '0'..='9' => return Category::Number,
            _ => {}
        }
        let behind = RANGES.partition_point(|range| range.0 <= c);
        match behind.checked_sub(1).map(|i| RANGES[i]) {
            Some((_, last, category)) if c <= last => category,
            _ => Category::Other,
        }
    }
}

fn intl(line: &str) -> String {
    use Category::{Number, Punctuation, Symbol};
    let behind_word = cut_categories(line, |before, this, _| {
        let holds = this == Punctuation && before.is_some_and(|before| before != Number);
        holds.then_some(false)
    });
    let before_word = cut_categories(&behind_word, |_, this, next| {
        let holds = this == Punctuation && next.is_some_and(|next| next != Number);
        holds.then_some(true)
    });
    cut_categories(&before_word, |_, this, _| (this == Symbol).then_some(false))
}

/// Puts spaces around every character for which `rule` says whether it takes the next one too. It is given the
/// categories of the character before, if no match has taken that, of the character, and of the next.
fn cut_categories(
    text: &str,
    rule: impl Fn(Option<Category>, Category, Option<Category>) -> Option<bool>,
) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 4 + 8);
    let mut rest = text.chars().map(|c| (c, Category::of(c))).peekable();
    let mut before = None;
    while let Some((c, this)) = rest.next() {
        let next = rest.peek().copied();
        match rule(before, this, next.map(|next| next.1)) {
            None => {
                out.push(c);
                before = Some(this);
            }
            Some(takes_next) => {
                out.extend([' ', c, ' ']);
                before = None;
                if let Some((next, _)) = next.filter(|_| takes_next) {
                    out.push(next);
                    rest.next();
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut_by(tokenizer: Tokenizer, line: &str) -> String {
        let spaced = tokenizer.spaced(line);
        words(&spaced).collect::<Vec<_>>().join(" ")
    }

    // from sacrebleu.metrics import BLEU   (2.6.0)
    // for line in LINES: print(BLEU(tokenize="13a").tokenizer(line))
    #[test]
    fn marks_are_cut_off_as_mteval_13a_does() {
        let cases = [
            ("Hallo, Welt!", "Hallo , Welt !"),
            ("1,000.5 kg - 2-3 m.", "1,000.5 kg - 2 - 3 m ."),
            ("a.b,c ..., 1990.", "a . b , c . . . , 1990 ."),
            (
                "A &quot;B&quot; &lt;&amp;&gt; <skipped>C",
                "A \" B \" < & > C",
            ),
            (
                "it's \"x-ray\" (50%) @a/b",
                "it's \" x-ray \" ( 50 % ) @ a / b",
            ),
            ("Größe: 5.–6. „Hm“…", "Größe : 5 . –6 . „Hm“…"),
            ("", ""),
        ];
        for (line, expected) in cases {
            assert_eq!(cut_by(Tokenizer::Mteval13a, line), expected, "{line}");
        }
    }

    // for line in LINES: print(BLEU(tokenize="intl").tokenizer(line))
    #[test]
    fn punctuation_of_all_scripts_is_cut_off_by_intl() {
        let cases = [
            (
                "„Hm“, sagte er – und ging…",
                "„ Hm “ , sagte er – und ging …",
            ),
            ("Im Jahr 1990.", "Im Jahr 1990."),
            ("1990. Nein", "1990 . Nein"),
            ("5 €, 3,5 % +2½.", "5 € , 3,5 % + 2½."),
            ("東京、大阪。", "東京 、 大阪 。"),
            ("«¿Qué?»", "« ¿ Qué ? »"),
        ];
        for (line, expected) in cases {
            assert_eq!(cut_by(Tokenizer::Intl, line), expected, "{line}");
        }
    }

    // print(TER(normalized=True).tokenizer("Ann's dog's 5-6, it's.")), case aside
    #[test]
    fn a_possessive_is_a_word_of_its_own_to_ter() {
        let line = normalized("Ann's dog's 5-6, it's.");
        let found = words(&line).collect::<Vec<_>>().join(" ");
        assert_eq!(found, "Ann 's dog 's 5 - 6 , it's .");
    }

    #[test]
    fn every_character_but_spaces_is_a_word_by_char() {
        assert_eq!(cut_by(Tokenizer::Char, "東京 へ"), "東 京 へ");
    }

    #[test]
    fn separators_of_ascii_part_words_as_in_python() {
        assert_eq!(
            cut_by(Tokenizer::None, "a\x1cb\u{a0}c\u{200b}d."),
            "a b c\u{200b}d."
        );
    }
}
