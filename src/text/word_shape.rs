//! What a word looks like: its shape, its kind, its lower-cased form.
//!
//! The shape maps capitals to `X`, other letters to `x`, digits to `d`, keeps the rest, and shortens runs to two:
//! `McDonald's` → `XxXxx'x`, `2026-11-22` → `dd-dd-dd`.

use super::hash;

/// Hashes of what can be seen of a word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WordShape {
    /// Of the word as it is.
    pub exact: u64,
    /// Of the lower-cased word.
    pub lower: u64,
    /// Of the last 1 to 6 characters, lower-cased; 0 where the word is shorter.
    pub suffixes: [u64; 6],
    /// Of the first 1 to 4 characters, lower-cased; 0 where the word is shorter.
    pub prefixes: [u64; 4],
    /// Of the shape.
    pub shape: u64,
    /// The kind as a number.
    pub kind: u64,
}

impl WordShape {
    /// Looks at a word; `lower` is a buffer and holds the lower-cased word afterwards.
    pub fn new(word: &str, lower: &mut String) -> WordShape {
        lower.clear();
        lower_into(word, lower);
        let bytes = lower.as_bytes();
        let mut result = WordShape {
            exact: hash::bytes(101, word.as_bytes()),
            lower: hash::bytes(102, bytes),
            shape: shape(word),
            kind: kind(word) as u64,
            ..WordShape::default()
        };
        for (length, (at, _)) in lower.char_indices().rev().take(6).enumerate() {
            result.suffixes[length] = hash::bytes(length as u64 + 1, &bytes[at..]);
        }
        for (length, (at, c)) in lower.char_indices().take(4).enumerate() {
            result.prefixes[length] = hash::bytes(length as u64 + 11, &bytes[..at + c.len_utf8()]);
        }
        result
    }

    /// A place outside the sentence.
    pub fn outside(number: u64) -> WordShape {
        let n = hash::pair(number, 1, 1);
        WordShape {
            exact: n,
            lower: n,
            shape: n,
            kind: n,
            ..WordShape::default()
        }
    }

    /// The hash of the last `length` characters; 0 for none, nothing where the word is shorter.
    pub fn suffix(&self, length: usize) -> Option<u64> {
        let suffix = if length == 0 {
            0
        } else {
            self.suffixes[length - 1]
        };
        (length == 0 || suffix != 0).then_some(suffix)
    }
}

/// Coarse kinds of words, for guessing what unknown ones are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Lower,
    Capitalized,
    AllCapitals,
    MixedCase,
    Number,
    WithDigit,
    Hyphenated,
    Punctuation,
    Other,
}

/// The hash of a word's shape.
pub fn shape(word: &str) -> u64 {
    let mut state = 7;
    let (mut last, mut run) = (0, 0);
    for c in word.chars() {
        let class = class(c);
        run = if class == last { run + 1 } else { 1 };
        last = class;
        if run <= 2 {
            state = hash::mix(state, u64::from(class));
        }
    }
    state
}

fn class(c: char) -> u32 {
    match c {
        'a'..='z' => 'x' as u32,
        'A'..='Z' => 'X' as u32,
        '0'..='9' => 'd' as u32,
        c if c.is_ascii() => c as u32,
        c if c.is_uppercase() => 'X' as u32,
        c if c.is_alphabetic() => 'x' as u32,
        c if c.is_numeric() => 'd' as u32,
        c => c as u32,
    }
}

/// The kind of a word.
pub fn kind(word: &str) -> Kind {
    let (mut upper, mut lower, mut digits, mut hyphens, mut others) = (0, 0, 0, 0, 0);
    for c in word.chars() {
        match char::from_u32(class(c)).unwrap_or(c) {
            'X' => upper += 1,
            'x' => lower += 1,
            'd' => digits += 1,
            '-' => hyphens += 1,
            _ => others += 1,
        }
    }
    let capital = word.chars().next().is_some_and(char::is_uppercase);
    match (upper, lower, digits) {
        (0, 0, 0) => Kind::Punctuation,
        (0, 0, _) => Kind::Number,
        (_, _, 1..) => Kind::WithDigit,
        _ if hyphens > 0 => Kind::Hyphenated,
        _ if others > 0 => Kind::Other,
        (0, _, _) => Kind::Lower,
        (_, 0, _) if upper > 1 => Kind::AllCapitals,
        (1, _, _) if capital => Kind::Capitalized,
        _ => Kind::MixedCase,
    }
}

/// Appends the lower-cased word.
pub fn lower_into(word: &str, out: &mut String) {
    if word.is_ascii() {
        let start = out.len();
        out.push_str(word);
        out[start..].make_ascii_lowercase();
    } else {
        out.extend(word.chars().flat_map(lower));
    }
}

/// A lower-cased character. That of `İ` is one character, `i`: the dot which Unicode puts behind it would part it from
/// every `i` of the same word.
pub fn lower(c: char) -> impl Iterator<Item = char> {
    match c {
        'İ' => 'i'.to_lowercase(),
        c => c.to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_tell_what_a_word_looks_like() {
        let kinds = [
            "fish", "Fish", "NATO", "McDonald", "1,000", "G8", "e-mail", "...", "don't", "É",
        ];
        use Kind::*;
        assert_eq!(
            kinds.map(kind),
            [
                Lower,
                Capitalized,
                AllCapitals,
                MixedCase,
                Number,
                WithDigit,
                Hyphenated,
                Punctuation,
                Other,
                Capitalized
            ]
        );
    }

    #[test]
    fn runs_are_shortened_in_shapes() {
        assert_eq!(shape("Mississippi"), shape("Ohio"));
        assert_eq!(shape("2026"), shape("199"));
        assert_ne!(shape("2026"), shape("7"));
        assert_ne!(shape("Ohio"), shape("ohio"));
    }
}
