//! Tokens as the models behind the cuts see them: their form in small letters, and what kind of token they are.

use super::classes::{Class, fold};
use super::layout::Gap;
use crate::text::hash::mix;

/// What a token looks like to the sentence model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    Outside,
    Lower,
    Title,
    Capitals,
    /// One capital letter.
    Initial,
    /// A word of a script without case.
    Caseless,
    Number,
    /// Letters and digits, or inner punctuation.
    Mixed,
    /// Letters that end with a dot.
    Abbreviation,
    Terminator,
    Ellipsis,
    Colon,
    Comma,
    Opener,
    Closer,
    Quote,
    Dash,
    Bullet,
    Symbol,
}

/// A token as the sentence model sees it.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub start: u32,
    pub end: u32,
    pub kind: Kind,
    /// What parts it from the token before it, and what is known of the line end between them.
    pub gap: Gap,
    pub line: u16,
    /// The hash of the folded form.
    pub form: u64,
    /// The folded last three characters.
    pub tail: u64,
    /// In characters, 20 at most.
    pub length: u8,
}

/// What lies beyond the paragraph.
pub const OUTSIDE: Shape = Shape {
    start: 0,
    end: 0,
    kind: Kind::Outside,
    gap: Gap::None,
    line: 0,
    form: 0,
    tail: 0,
    length: 0,
};

impl Shape {
    /// Looks at a token.
    pub fn of(token: &str, start: u32, gap: Gap, line: u64) -> Shape {
        let (mut form, mut tail, mut length) = (1u64, 0u64, 0usize);
        let (mut seen, mut first, mut second, mut last) = (0u32, Class::None, Class::None, '\0');
        for c in token.chars() {
            let class = Class::of(c);
            let folded = u64::from(fold(c) as u32);
            form = mix(form, folded);
            tail = (tail << 21 | folded) & ((1 << 63) - 1);
            seen |= 1 << class as u32;
            match length {
                0 => first = class,
                1 => second = class,
                _ => {}
            }
            length += 1;
            last = c;
        }
        Shape {
            start,
            end: start + token.len() as u32,
            kind: kind(token, seen, (first, second), (length, last)),
            gap,
            line: line as u16,
            form,
            tail,
            length: length.min(20) as u8,
        }
    }
}

fn kind(
    token: &str,
    seen: u32,
    (first, second): (Class, Class),
    (length, last): (usize, char),
) -> Kind {
    let bit = |class: Class| 1u32 << class as u32;
    let letters = bit(Class::Lower) | bit(Class::Upper);
    let scripts =
        bit(Class::Letter) | bit(Class::Han) | bit(Class::Hiragana) | bit(Class::Katakana);
    let only = |classes: u32| seen & !classes == 0;
    if seen & (letters | scripts) != 0 {
        return match first {
            _ if only(bit(Class::Lower)) => Kind::Lower,
            Class::Upper if length == 1 => Kind::Initial,
            _ if last == '.' && only(letters | scripts | bit(Class::Terminator)) => {
                Kind::Abbreviation
            }
            _ if only(bit(Class::Upper)) => Kind::Capitals,
            Class::Upper if second != Class::Upper && seen & bit(Class::Digit) == 0 => Kind::Title,
            Class::Lower if seen & bit(Class::Digit) == 0 => Kind::Lower,
            _ if only(scripts) => Kind::Caseless,
            _ => Kind::Mixed,
        };
    }
    if seen & bit(Class::Digit) != 0 {
        return Kind::Number;
    }
    match first {
        Class::Terminator if only(bit(Class::Terminator)) => match token {
            "…" => Kind::Ellipsis,
            _ if length > 1 && token.starts_with('.') && !token.contains(['!', '?']) => {
                Kind::Ellipsis
            }
            _ => Kind::Terminator,
        },
        Class::Comma if length == 1 => match last {
            ':' | ';' | '：' | '；' => Kind::Colon,
            _ => Kind::Comma,
        },
        Class::Bracket if length == 1 => match last {
            '(' | '[' | '{' | '「' | '『' | '（' | '【' | '〈' | '《' => Kind::Opener,
            _ => Kind::Closer,
        },
        Class::Quote => Kind::Quote,
        Class::Dash => Kind::Dash,
        _ if matches!(last, '*' | '•' | '·' | '#' | '=' | '_' | '|' | '>' | '~') => Kind::Bullet,
        _ => Kind::Symbol,
    }
}
