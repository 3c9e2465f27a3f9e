//! Numbers in digits and in words, as a grammar's classes `number.…` spell them.
//!
//! ```text
//! 1,234.5      3.5 million     twenty-three hundred and five     two and a half     half a million
//! 100k         2 1/2           two-thirds                        a dozen            5–7 million
//! ```
//!
//! A number in words adds up small ones and multiplies by what follows them: in `two thousand three hundred and
//! five`, 2 is multiplied by 1,000, 3 by 100, and 5 is added.

mod words;

use super::piece::{Kind, Piece};
use super::role::{Role, Roles};
use std::cell::Cell;

/// A number that was read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Number {
    /// The piece behind it.
    pub end: usize,
    pub low: f64,
    /// The other end of a range.
    pub high: Option<f64>,
}

impl Number {
    /// A single number.
    pub fn of(low: f64, end: usize) -> Number {
        let high = None;
        Number { end, low, high }
    }

    /// Another number in the same place.
    pub fn map(self, change: impl Fn(f64) -> f64) -> Number {
        Number::of(change(self.low), self.end)
    }
}

/// Reads numbers from the pieces of a sentence.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    pub pieces: &'a [Piece],
    /// The roles of the pieces' literals.
    pub roles: &'a [Roles],
    /// One for each piece, empty at first.
    pub readings: &'a [Readings],
}

/// What was read at a piece: every rule that may begin there asks again.
#[derive(Clone, Debug, Default)]
pub struct Readings {
    number: Reading,
    range: Reading,
    ordinal: Reading,
    small: Reading,
    year: Reading,
}

/// Nothing yet, or what was read: a number or none.
type Reading = Cell<Option<Option<Number>>>;

/// A number before its scale is known to be shared: `5` in `5–7 million`.
struct Scaled {
    end: usize,
    base: f64,
    scale: f64,
    in_words: bool,
}

impl Reader<'_> {
    fn role(&self, at: usize) -> Option<Role> {
        self.roles(at)?.cardinal
    }

    fn ordinal_role(&self, at: usize) -> Option<Role> {
        self.roles(at)?.ordinal
    }

    fn roles(&self, at: usize) -> Option<Roles> {
        let literal = self.pieces.get(at)?.literal;
        self.roles.get(literal as usize).copied()
    }

    fn digits(&self, at: usize) -> Option<(f64, u8)> {
        match self.pieces.get(at)?.kind {
            Kind::Digits(value, digits) => Some((value, digits)),
            _ => None,
        }
    }

    /// Whether a numeral stands at `at`.
    pub fn digits_at(&self, at: usize) -> bool {
        self.digits(at).is_some()
    }

    /// Reads what was not yet read at `at`.
    fn once(
        &self,
        at: usize,
        reading: impl Fn(&Readings) -> &Reading,
        read: impl Fn(&Self, usize) -> Option<Number>,
    ) -> Option<Number> {
        let reading = reading(self.readings.get(at)?);
        reading.get().unwrap_or_else(|| {
            let number = read(self, at);
            reading.set(Some(number));
            number
        })
    }

    /// The longest number that begins at `at`, no range.
    pub fn number(&self, at: usize) -> Option<Number> {
        self.once(at, |readings| &readings.number, Self::read_number)
    }

    /// The longest number or range of numbers that begins at `at`.
    pub fn range(&self, at: usize) -> Option<Number> {
        self.once(at, |readings| &readings.range, Self::read_range)
    }

    /// The number before a suffix or in a word that says a place in an order: `21st`, `twenty-third`.
    pub fn ordinal(&self, at: usize) -> Option<Number> {
        self.once(at, |readings| &readings.ordinal, Self::read_ordinal)
    }

    /// A numeral or a number word below a hundred, as hours and days are said.
    pub fn small(&self, at: usize) -> Option<Number> {
        self.once(at, |readings| &readings.small, Self::read_small)
    }

    /// A year in words: `nineteen ninety-five`, `twenty twenty`.
    pub fn year_in_words(&self, at: usize) -> Option<Number> {
        self.once(at, |readings| &readings.year, Self::read_year_in_words)
    }

    fn read_number(&self, at: usize) -> Option<Number> {
        let (sign, at) = self.sign(at);
        let number = self.scaled(at)?;
        let value = sign * number.base * number.scale;
        Some(Number::of(value, number.end))
    }

    fn read_range(&self, at: usize) -> Option<Number> {
        let (sign, at) = self.sign(at);
        let low = self.scaled(at)?;
        let alone = Number::of(sign * low.base * low.scale, low.end);
        let high = match self.role(low.end) {
            Some(Role::To | Role::Hyphen | Role::Or) => self.scaled(low.end + 1),
            _ => None,
        };
        let Some(high) = high else {
            return Some(alone);
        };
        // `5–7 million`: the scale is of both.
        let scale = if low.scale == 1.0 && low.base <= high.base {
            high.scale
        } else {
            low.scale
        };
        let (from, to) = (low.base * scale, high.base * high.scale);
        let are_neighbours = to - from <= scale && low.in_words == high.in_words;
        if sign < 0.0 || from >= to || (self.role(low.end) == Some(Role::Or) && !are_neighbours) {
            return Some(alone);
        }
        // A chain of hyphens is a date, a telephone number, an identifier.
        let goes_on = self.role(high.end) == Some(Role::Hyphen)
            && self.pieces[high.end].glued
            && self.digits(high.end + 1).is_some();
        if goes_on {
            return Some(alone);
        }
        Some(Number {
            end: high.end,
            low: from,
            high: Some(to),
        })
    }

    fn read_ordinal(&self, at: usize) -> Option<Number> {
        let found = |end, low| Some(Number::of(low, end));
        if let Some((value, _)) = self.digits(at).filter(|(value, _)| value.fract() == 0.0) {
            let suffix = self.ordinal_role(at + 1) == Some(Role::Place);
            return if suffix && self.pieces[at + 1].glued {
                found(at + 2, value)
            } else {
                None
            };
        }
        if let Some(Role::Ordinal(value)) = self.ordinal_role(at) {
            return found(at + 1, value);
        }
        let Some(Role::Tens(tens)) = self.role(at) else {
            return None;
        };
        let next = at + 1 + usize::from(self.role(at + 1) == Some(Role::Hyphen));
        match self.ordinal_role(next) {
            Some(Role::Ordinal(unit)) if unit < 10.0 => found(next + 1, tens + unit),
            _ => None,
        }
    }

    /// A plain numeral: its value and how many digits it has.
    pub fn numeral(&self, at: usize) -> Option<(f64, u8)> {
        self.digits(at).filter(|(_, digits)| *digits > 0)
    }

    fn read_small(&self, at: usize) -> Option<Number> {
        if let Some((value, _)) = self.numeral(at) {
            return Some(Number::of(value, at + 1));
        }
        let (low, end) = self.below_hundred(at)?;
        Some(Number::of(low, end))
    }

    fn read_year_in_words(&self, at: usize) -> Option<Number> {
        let (century, next) = self.below_hundred(at)?;
        let next = next + usize::from(self.role(next) == Some(Role::Hyphen));
        let (year, end) = self.below_hundred(next)?;
        let fits = (10.0..=20.0).contains(&century) && year >= 10.0;
        fits.then_some(Number::of(century * 100.0 + year, end))
    }

    /// A minus sign that stands before a numeral and behind a space.
    fn sign(&self, at: usize) -> (f64, usize) {
        let is_minus = self.role(at) == Some(Role::Hyphen)
            && !self.pieces[at].glued
            && self.digits(at + 1).is_some()
            && self.pieces[at + 1].glued;
        if is_minus { (-1.0, at + 1) } else { (1.0, at) }
    }

    fn scaled(&self, at: usize) -> Option<Scaled> {
        let Some((value, digits)) = self.digits(at) else {
            return self.in_words(at);
        };
        let mut number = Scaled {
            end: at + 1,
            base: value,
            scale: 1.0,
            in_words: false,
        };
        if let Some((part, end)) = self.fraction(at, value, digits) {
            number.base = part;
            number.end = end;
            return Some(number);
        }
        if let Some(Role::Half(half)) = self.role(at + 1)
            && self.pieces[at + 1].glued
        {
            number.base += half;
            number.end += 1;
        } else if let Some((more, 1..)) = self.digits(at + 1)
            && let Some((part, end)) = self.fraction(at + 1, more, 1)
        {
            number.base += part;
            number.end = end;
        }
        if let Some(Role::Suffix(scale)) = self.role(number.end)
            && self.pieces[number.end].glued
        {
            number.scale = scale;
            number.end += 1;
            return Some(number);
        }
        number.end = self.and_a_half(number.end, &mut number.base);
        let mut next = number.end + usize::from(self.role(number.end) == Some(Role::Hyphen));
        while let Some(Role::Scale(scale)) = self.role(next) {
            number.scale *= scale;
            number.end = next + 1;
            next = number.end;
        }
        Some(number)
    }

    /// `2/3`: a small fraction whose value, and the piece behind it.
    fn fraction(&self, at: usize, value: f64, digits: u8) -> Option<(f64, usize)> {
        let slash = self.pieces.get(at + 1)?;
        if digits == 0 || self.role(at + 1) != Some(Role::Slash) || !slash.glued {
            return None;
        }
        let (under, _) = self.numeral(at + 2)?;
        let goes_on = self.role(at + 3) == Some(Role::Slash);
        let is_small = (2.0..=16.0).contains(&under) && value < under && value > 0.0;
        (is_small && !goes_on).then(|| (rounded(value / under), at + 3))
    }

    /// Adds `and a half`, `and three quarters`; the piece behind.
    fn and_a_half(&self, at: usize, base: &mut f64) -> usize {
        if self.role(at) != Some(Role::And) {
            return at;
        }
        match (self.role(at + 1), self.role(at + 2)) {
            (Some(Role::One), Some(Role::Half(part))) => {
                *base += part;
                at + 3
            }
            (Some(Role::One), Some(Role::Part(under))) => {
                *base += rounded(1.0 / under);
                at + 3
            }
            (Some(Role::Unit(over)), Some(Role::Part(under))) if over < under => {
                *base += rounded(over / under);
                at + 3
            }
            (Some(Role::Half(part)), _) => {
                *base += part;
                at + 2
            }
            _ => at,
        }
    }
}

/// Fractions that do not end keep four decimals.
fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

/// A number without trailing zeros; products of decimals lose the noise of binary fractions.
pub fn print(value: f64) -> String {
    let magnitude = value.abs().log10().floor().max(0.0) as i32;
    let digits = 10f64.powi((12 - magnitude).max(0));
    let clean = (value * digits).round() / digits;
    format!("{}", if clean == 0.0 { 0.0 } else { clean })
}
