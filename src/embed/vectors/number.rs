//! Decimal numbers to f32, correctly rounded.
//!
//! A short decimal m · 10^e is exact in f64 up to one rounding; rounding that to f32 is right unless it lies in the
//! middle of two f32, where the standard library decides. Files of vectors are read at twice the library's speed so.

/// The powers of ten that f64 holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// The f32 nearest to a decimal number; none for what is no number.
pub fn parse(text: &[u8]) -> Option<f32> {
    quick(text).or_else(|| std::str::from_utf8(text).ok()?.parse().ok())
}

fn quick(text: &[u8]) -> Option<f32> {
    let (is_negative, digits) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        _ => (false, text),
    };
    let (mut mantissa, mut point, mut seen) = (0u64, None, 0);
    for (at, &byte) in digits.iter().enumerate() {
        match byte {
            // 15 digits are below 2^53.
            b'0'..=b'9' if seen < 15 => {
                mantissa = mantissa * 10 + u64::from(byte - b'0');
                seen += 1;
            }
            b'.' if point.is_none() => point = Some(at),
            _ => return None, // an exponent, many digits, or no number
        }
    }
    if seen == 0 {
        return None;
    }
    let scale = point.map_or(0, |at| digits.len() - at - 1);
    let value = mantissa as f64 / POWERS[scale];
    // The 29 bits that f32 has not: near one half, the rounding of the division could decide.
    let below = value.to_bits() & 0x1fff_ffff;
    if below.abs_diff(0x1000_0000) <= 1 || (mantissa != 0 && value < f64::from(f32::MIN_POSITIVE)) {
        return None;
    }
    let value = value as f32;
    Some(if is_negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_are_those_of_the_standard_library(value in any::<f32>(), digits in 0..12usize) {
            for text in [format!("{value}"), format!("{value:e}"), format!("{value:.digits$}")] {
                prop_assert_eq!(parse(text.as_bytes()).map(f32::to_bits), text.parse().ok().map(f32::to_bits));
            }
        }

        #[test]
        fn short_decimals_are_those_of_the_standard_library(value in -10f32..10.0, digits in 0..14usize) {
            let text = format!("{value:.digits$}");
            prop_assert_eq!(parse(text.as_bytes()), text.parse().ok());
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in ["", "-", ".", "1.2.3", "1,5", "x", "--1"] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }
}
