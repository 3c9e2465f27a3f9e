//! Numbers in as few bytes as they need: seven bits a byte, the lowest first, the top bit set on all but the last
//! (LEB128).

use std::io::{Error, ErrorKind, Read};

/// Appends a number.
#[inline]
pub fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Takes a number off the front of `bytes`; 0 behind their end.
#[inline]
pub fn take(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    let mut shift = 0;
    while let Some((&byte, rest)) = bytes.split_first() {
        *bytes = rest;
        value |= u64::from(byte & 0x7F) << shift;
        shift += 7;
        if byte < 0x80 || shift > 63 {
            break;
        }
    }
    value
}

/// Reads a number.
///
/// # Errors
/// When reading fails, and when the number has more than 64 bits.
pub fn read(input: &mut impl Read) -> std::io::Result<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let mut byte = [0];
        input.read_exact(&mut byte)?;
        value |= u64::from(byte[0] & 0x7F) << shift;
        if byte[0] < 0x80 {
            return Ok(value);
        }
    }
    Err(Error::new(ErrorKind::InvalidData, "a number without end"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        let numbers = [0, 1, 127, 128, 16_383, 16_384, 1 << 40, u64::MAX];
        let mut bytes = Vec::new();
        numbers.iter().for_each(|&number| put(&mut bytes, number));
        assert_eq!(bytes.len(), 1 + 1 + 1 + 2 + 2 + 3 + 6 + 10);
        let (mut slice, mut reader) = (bytes.as_slice(), bytes.as_slice());
        for number in numbers {
            assert_eq!(take(&mut slice), number);
            assert_eq!(read(&mut reader).unwrap(), number);
        }
        assert!(slice.is_empty() && read(&mut reader).is_err());
    }
}
