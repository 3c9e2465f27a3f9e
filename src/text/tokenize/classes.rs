//! Classes of characters, as the trained segmenter sees them.
//!
//! Letters are told apart by case or by script (Japanese and Chinese are written without spaces, and the change of
//! script is the best sign of a word's end there); punctuation is mostly seen as the character itself.

/// What kind of character one is. Fits in four bits: features pack several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Class {
    /// Beyond the chunk.
    #[default]
    None,
    Lower,
    Upper,
    /// A letter without case.
    Letter,
    Han,
    Hiragana,
    Katakana,
    Digit,
    /// `.` and its relatives `! ?`
    Terminator,
    /// `, ; :`
    Comma,
    /// `' " ` and curly quotes
    Quote,
    Bracket,
    /// `- – —`
    Dash,
    /// `$ € £ % °`: what a number counts
    Unit,
    Symbol,
}

impl Class {
    /// The class of a character.
    #[inline]
    pub fn of(c: char) -> Class {
        if c.is_ascii() {
            ASCII[c as usize]
        } else {
            Class::of_other(c)
        }
    }

    /// Letters and digits: what words and numbers are made of.
    pub fn is_wordlike(self) -> bool {
        (Class::Lower as u8..=Class::Digit as u8).contains(&(self as u8))
    }

    fn of_other(c: char) -> Class {
        match c {
            '\u{2018}'..='\u{201f}' | '«' | '»' | '‹' | '›' | '´' => Class::Quote,
            '\u{2010}'..='\u{2015}' => Class::Dash,
            '…' | '。' | '！' | '？' | '．' | '｡' | '۔' | '।' | '؟' => {
                Class::Terminator
            }
            '、' | '，' | '；' | '：' | '،' | '؛' => Class::Comma,
            '\u{3008}'..='\u{3011}' | '（' | '）' | '\u{3014}'..='\u{301b}' => Class::Bracket,
            '£' | '¥' | '¢' | '\u{20a0}'..='\u{20cf}' => Class::Unit,
            '°' | '‰' | '℃' | '℉' => Class::Unit,
            '\u{3041}'..='\u{309f}' => Class::Hiragana,
            '\u{30a1}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{ff66}'..='\u{ff9f}' => {
                Class::Katakana
            }
            '\u{3400}'..='\u{9fff}'
            | '々'
            | '\u{f900}'..='\u{faff}'
            | '\u{20000}'..='\u{3fffd}' => Class::Han,
            _ if c.is_lowercase() => Class::Lower,
            _ if c.is_uppercase() => Class::Upper,
            _ if c.is_alphabetic() => Class::Letter,
            _ if c.is_numeric() => Class::Digit,
            _ => Class::Symbol,
        }
    }
}

const ASCII: [Class; 128] = {
    let mut table = [Class::Symbol; 128];
    let mut i = 0;
    while i < 128 {
        table[i] = match i as u8 {
            b'a'..=b'z' => Class::Lower,
            b'A'..=b'Z' => Class::Upper,
            b'0'..=b'9' => Class::Digit,
            b'.' | b'!' | b'?' => Class::Terminator,
            b',' | b';' | b':' => Class::Comma,
            b'\'' | b'"' | b'`' => Class::Quote,
            b'(' | b')' | b'[' | b']' | b'{' | b'}' => Class::Bracket,
            b'-' => Class::Dash,
            b'$' | b'%' => Class::Unit,
            _ => Class::Symbol,
        };
        i += 1;
    }
    table
};

/// The character that features see: small, and with one form for each kind of quotation mark and for the signs that always
/// stand behind their number.
#[inline]
pub fn fold(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    match c {
        '\u{2018}' | '\u{2019}' | '\u{02bc}' | '´' => '\'',
        '\u{201c}'..='\u{201e}' => '"',
        '°' | '‰' | '℃' | '℉' => '%',
        _ => c.to_lowercase().next().unwrap_or(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_have_the_class_a_reader_expects() {
        for (c, class) in [
            ('é', Class::Lower),
            ('É', Class::Upper),
            ('日', Class::Han),
            ('の', Class::Hiragana),
            ('ー', Class::Katakana),
            ('ش', Class::Letter),
            ('٣', Class::Digit),
            ('—', Class::Dash),
            ('€', Class::Unit),
            ('%', Class::Unit),
            ('°', Class::Unit),
            ('😀', Class::Symbol),
        ] {
            assert_eq!(Class::of(c), class, "{c}");
        }
    }

    #[test]
    fn relatives_of_a_mark_fold_to_it() {
        assert_eq!("DON’T".chars().map(fold).collect::<String>(), "don't");
        assert_eq!("20‰".chars().map(fold).collect::<String>(), "20%");
    }
}
