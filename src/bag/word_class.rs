//! Python's `\w` and `\s`, character by character.
//!
//! `\w` of Python's `re` is `str.isalnum()` or `_`: every letter (general category L) and every number (N: decimal
//! digits, ², ½, Ⅷ), and the underscore. Combining marks are not in it, unlike in Unicode's own `\w` (UTS #18), which
//! has marks and all connecting punctuation but no ². `\s` is `str.isspace()`: White_Space and U+001C to U+001F.
//!
//! Python 3.11 knows Unicode 14, the tables here come with regex-syntax (Unicode 16 in 0.8): characters added between
//! the two are letters here only.

use std::sync::OnceLock;

const WORDS: usize = 0x11_0000 / 64;

/// Whether Python's `\w` matches `c`.
#[inline]
pub fn is_word(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || c == '_';
    }
    let c = c as usize;
    beyond_ascii()[c / 64] >> (c % 64) & 1 == 1
}

/// Whether Python's `\s` matches `c`.
#[inline]
pub fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// A bit for each code point, 136 KB that only texts beyond ASCII make.
fn beyond_ascii() -> &'static [u64; WORDS] {
    static TABLE: OnceLock<Box<[u64; WORDS]>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table = Box::new([0; WORDS]);
        for (first, last) in ranges() {
            for c in first as usize..=last as usize {
                table[c / 64] |= 1 << (c % 64);
            }
        }
        table
    })
}

fn ranges() -> Vec<(char, char)> {
    let Ok(class) = regex_syntax::parse(r"[\p{L}\p{N}_]") else {
        return Vec::new();
    };
    match class.kind() {
        regex_syntax::hir::HirKind::Class(regex_syntax::hir::Class::Unicode(class)) => {
            let ranges = class.ranges().iter();
            ranges.map(|range| (range.start(), range.end())).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Python 3.11: `[c for c in … if re.match(r"\w", c)]` and the same with `\s`.
    #[test]
    fn characters_are_classed_as_python_does() {
        let words = "aZ0_éßñµªº²½Ⅷ٣あ漢ʰเ";
        let others = "-'.·€\u{301}\u{e31}\u{203f}①ⓐ".replace(['①', 'ⓐ'], "");
        assert!(words.chars().all(is_word));
        assert!(!others.chars().any(is_word));
        // A circled digit is a number (No), a circled letter a symbol (So).
        assert!(is_word('①') && !is_word('ⓐ'));
        assert!(
            "\t\n\u{b}\u{1c}\u{1f}\u{85}\u{a0}\u{3000}"
                .chars()
                .all(is_space)
        );
        assert!(!"\u{200b}\u{180e}a".chars().any(is_space));
    }
}
