//! Positions of a text in code points, bytes and UTF-16 code units, counted in one pass.
//!
//! A cursor remembers where it counted last, so that asking for ascending positions of a window costs as much as
//! reading it once; in ASCII text all three units are the byte.

use super::format::OffsetUnit;

/// Turns ascending byte positions of a text into another unit, and back.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    text: &'a str,
    unit: OffsetUnit,
    is_identity: bool,
    byte: usize,
    count: u64,
}

impl<'a> Cursor<'a> {
    /// A cursor at the start of `text`.
    pub fn new(text: &'a str, unit: OffsetUnit) -> Cursor<'a> {
        Cursor {
            text,
            unit,
            is_identity: unit == OffsetUnit::Bytes || text.is_ascii(),
            byte: 0,
            count: 0,
        }
    }

    /// The position of byte `byte` in the cursor's unit. Positions past the end count as the end, positions inside
    /// a character as its start.
    pub fn count_at(&mut self, byte: usize) -> u64 {
        let byte = self.text.floor_char_boundary(byte);
        if self.is_identity {
            return byte as u64;
        }
        if byte < self.byte {
            (self.byte, self.count) = (0, 0);
        }
        self.count += length(&self.text[self.byte..byte], self.unit);
        self.byte = byte;
        self.count
    }

    /// The byte at `count` units, if a character starts or the text ends there.
    pub fn byte_at(&mut self, count: u64) -> Option<usize> {
        if self.is_identity {
            let byte = usize::try_from(count).ok()?;
            return self.text.is_char_boundary(byte).then_some(byte);
        }
        if count < self.count {
            (self.byte, self.count) = (0, 0);
        }
        for c in self.text[self.byte..].chars() {
            if self.count >= count {
                break;
            }
            self.byte += c.len_utf8();
            self.count += match self.unit {
                OffsetUnit::Chars => 1,
                OffsetUnit::Bytes => c.len_utf8() as u64,
                OffsetUnit::Utf16 => c.len_utf16() as u64,
            };
        }
        (self.count == count).then_some(self.byte)
    }
}

/// The length of `text` in `unit`.
pub fn length(text: &str, unit: OffsetUnit) -> u64 {
    let bytes = text.as_bytes();
    // Every byte that does not continue a character starts one; characters of four bytes (lead byte 0xF0 and up) are
    // two units of UTF-16.
    let starts = || count(bytes, |byte| byte & 0xC0 != 0x80);
    match unit {
        OffsetUnit::Bytes => bytes.len() as u64,
        OffsetUnit::Chars => starts(),
        OffsetUnit::Utf16 => starts() + count(bytes, |byte| byte >= 0xF0),
    }
}

/// How many bytes are of a kind.
fn count(bytes: &[u8], is_of_kind: impl Fn(u8) -> bool) -> u64 {
    // Counters of one byte fill a vector register, and cannot overflow in 192 steps: the one thread that reads counts
    // every unit of text, and with counters of eight bytes that took half of its time.
    let kinds = |chunk: &[u8]| {
        chunk.iter().fold(0u8, |count, &byte| {
            count.wrapping_add(u8::from(is_of_kind(byte)))
        })
    };
    bytes.chunks(192).map(|chunk| u64::from(kinds(chunk))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emoji_is_one_character_two_utf16_units_and_four_bytes() {
        let text = "é😀b";
        for (unit, at) in [
            (OffsetUnit::Chars, [0, 1, 2, 3]),
            (OffsetUnit::Utf16, [0, 1, 3, 4]),
            (OffsetUnit::Bytes, [0, 2, 6, 7]),
        ] {
            let mut cursor = Cursor::new(text, unit);
            assert_eq!([0, 2, 6, 7].map(|byte| cursor.count_at(byte)), at);
            assert_eq!(cursor.count_at(2), at[1], "going back is allowed");
            assert_eq!(at.map(|n| cursor.byte_at(n)), [0, 2, 6, 7].map(Some));
        }
    }

    #[test]
    fn lengths_hold_for_texts_of_any_length() {
        for repeats in [0, 1, 84, 85, 86, 200, 1000] {
            let text = "é€😀".repeat(repeats);
            let n = repeats as u64;
            assert_eq!(length(&text, OffsetUnit::Chars), 3 * n);
            assert_eq!(length(&text, OffsetUnit::Utf16), 4 * n);
            assert_eq!(length(&text, OffsetUnit::Bytes), 9 * n);
        }
    }

    #[test]
    fn a_position_inside_a_character_or_past_the_end_has_no_byte() {
        assert_eq!(Cursor::new("😀", OffsetUnit::Utf16).byte_at(1), None);
        assert_eq!(Cursor::new("😀", OffsetUnit::Bytes).byte_at(2), None);
        assert_eq!(Cursor::new("ab", OffsetUnit::Chars).byte_at(3), None);
    }
}
