//! Numbers as tables write them, and how they are written again.
//!
//! A number is a sign, digits with or without a point, and an exponent, and less than 1e150, so that its square is
//! finite. A zero before other digits
//! makes a text of it: `02134` is the code of a place, and would come back as 2134.

use serde::{Deserialize, Serialize};

/// More digits behind the point are the noise of a computation, and more than a generator of f32 can tell.
const MOST_PLACES: u8 = 7;

/// No number is as large as this or larger.
const LARGEST: f64 = 1e150;

/// How the numbers of a column are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Places {
    /// With that many digits behind the point; 0 makes integers.
    Fixed(u8),
    /// With seven digits in all, and an exponent where zeros would be many: the file has exponents, or more places than fit.
    Seven,
}

impl Places {
    /// How a number is written so that it may stand beside others: with the most places of all.
    pub fn or(self, other: Places) -> Places {
        match (self, other) {
            (Places::Fixed(a), Places::Fixed(b)) => Places::Fixed(a.max(b)),
            _ => Places::Seven,
        }
    }

    /// The step from a number to the next that can be written; 0 where it depends on the number.
    pub fn step(self) -> f64 {
        match self {
            Places::Fixed(places) => 10f64.powi(-i32::from(places)),
            Places::Seven => 0.0,
        }
    }

    /// The text of a number.
    pub fn print(self, value: f64) -> String {
        match self {
            Places::Fixed(places) => {
                let text = format!("{value:.*}", usize::from(places));
                match text.strip_prefix('-') {
                    Some(zero) if zero.bytes().all(|c| c == b'0' || c == b'.') => zero.to_owned(),
                    _ => text,
                }
            }
            Places::Seven => {
                // Both directions are exact to the digits printed, so this cannot fail.
                let rounded: f64 = format!("{value:.6e}").parse().unwrap_or(value);
                match rounded.abs() {
                    size if size != 0.0 && !(1e-5..1e16).contains(&size) => format!("{rounded:e}"),
                    _ => format!("{}", rounded + 0.0),
                }
            }
        }
    }
}

/// The number that a text is, and how it is written; none when it is none.
pub fn parse(text: &str) -> Option<(f64, Places)> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text).as_bytes();
    match digits {
        [b'0', b'0'..=b'9', ..] => return None,
        [b'0'..=b'9' | b'.', ..] => {}
        _ => return None,
    }
    let value: f64 = text.parse().ok()?;
    if value.abs() >= LARGEST {
        return None;
    }
    if digits.iter().any(|c| matches!(c, b'e' | b'E')) {
        return Some((value, Places::Seven));
    }
    let point = digits.iter().position(|&c| c == b'.');
    let places = point.map_or(0, |point| digits.len() - point - 1);
    let places = u8::try_from(places)
        .ok()
        .filter(|&places| places <= MOST_PLACES);
    Some((value, places.map_or(Places::Seven, Places::Fixed)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_that_come_back_as_they_were() {
        for text in [
            "0", "-7", "3.50", "0.0", "-0.25", "1000000", "1e-7", "2.5e30",
        ] {
            let (value, places) = parse(text).unwrap();
            assert_eq!(places.print(value), text);
        }
    }

    #[test]
    fn codes_words_and_what_is_beyond_all_bounds_are_texts() {
        for text in [
            "", "-", "007", "-01", "1,5", "1_000", "inf", "nan", "1e999", "0x1F", "1 2", "٣",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_most_places_of_a_column_are_written() {
        let of = |text| parse(text).unwrap().1;
        assert_eq!(of("1").or(of("2.25")).print(7.1249), "7.12");
        assert_eq!(of("1").or(of("1e3")).print(0.123456789), "0.1234568");
        assert_eq!(of("0.30000000000000004"), Places::Seven);
    }

    #[test]
    fn zero_has_no_sign() {
        assert_eq!(Places::Fixed(1).print(-0.04), "0.0");
        assert_eq!(Places::Seven.print(-0.0), "0");
    }
}
