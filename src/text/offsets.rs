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
    match unit {
        OffsetUnit::Bytes => text.len() as u64,
        // Every byte that does not continue a character starts one.
        OffsetUnit::Chars => text.bytes().filter(|b| b & 0xC0 != 0x80).count() as u64,
        // Characters of four bytes (lead byte 0xF0 and up) are two units.
        OffsetUnit::Utf16 => text
            .bytes()
            .map(|b| u64::from(b & 0xC0 != 0x80) + u64::from(b >= 0xF0))
            .sum(),
    }
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
    fn a_position_inside_a_character_or_past_the_end_has_no_byte() {
        assert_eq!(Cursor::new("😀", OffsetUnit::Utf16).byte_at(1), None);
        assert_eq!(Cursor::new("😀", OffsetUnit::Bytes).byte_at(2), None);
        assert_eq!(Cursor::new("ab", OffsetUnit::Chars).byte_at(3), None);
    }
}
