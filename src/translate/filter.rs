//! Which pairs are learned from, and how many were dropped for what.
//!
//! A pair stays when both sides hold something, neither is longer than the longest, and neither has more than so many
//! times the tokens of the other. Lengths count tokens, without those that mark the ends.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What a pair must keep to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Tokens of a side at most.
    pub longest: u32,
    /// The longer side has at most so many times the tokens of the shorter; nothing is asked by default.
    pub ratio: Option<f64>,
}

impl Default for Limits {
    /// No limits.
    fn default() -> Limits {
        Limits {
            longest: u32::MAX,
            ratio: None,
        }
    }
}

/// Why a pair is dropped: the first that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    Empty,
    TooLong,
    Unlike,
}

impl Limits {
    /// Why a pair with sides of so many tokens is dropped, if it is.
    pub fn reason(&self, source: usize, target: usize) -> Option<Reason> {
        let (shorter, longer) = (source.min(target), source.max(target));
        if shorter == 0 {
            Some(Reason::Empty)
        } else if longer > self.longest as usize {
            Some(Reason::TooLong)
        } else if (self.ratio).is_some_and(|ratio| longer as f64 > ratio * shorter as f64) {
            Some(Reason::Unlike)
        } else {
            None
        }
    }
}

/// Pairs that were dropped, of how many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// One side, or both, held nothing.
    pub empty: u64,
    /// A side was longer than the longest.
    pub too_long: u64,
    /// The lengths differed by more than the ratio.
    pub unlike: u64,
    /// Pairs that were read, dropped or not.
    pub of: u64,
}

impl Dropped {
    /// Counts a pair.
    pub fn count(&mut self, reason: Option<Reason>) {
        self.of += 1;
        match reason {
            Some(Reason::Empty) => self.empty += 1,
            Some(Reason::TooLong) => self.too_long += 1,
            Some(Reason::Unlike) => self.unlike += 1,
            None => {}
        }
    }

    /// Adds what was counted elsewhere.
    pub fn add(&mut self, other: Dropped) {
        self.empty += other.empty;
        self.too_long += other.too_long;
        self.unlike += other.unlike;
        self.of += other.of;
    }

    /// Pairs dropped for any reason.
    pub fn total(&self) -> u64 {
        self.empty + self.too_long + self.unlike
    }
}

/// As in `dropped 3 of 1000 pairs: 2 with an empty side, 1 too long`.
impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let plural = if self.of == 1 { "" } else { "s" };
        write!(f, "dropped {} of {} pair{plural}", self.total(), self.of)?;
        let reasons = [
            (self.empty, "with an empty side"),
            (self.too_long, "too long"),
            (self.unlike, "with sides too unlike in length"),
        ];
        let mut before = ": ";
        for (number, reason) in reasons.iter().filter(|(number, _)| *number > 0) {
            write!(f, "{before}{number} {reason}")?;
            before = ", ";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_the_last_that_stays() {
        let limits = Limits {
            longest: 6,
            ratio: Some(1.5),
        };
        for (source, target, reason) in [
            (4, 6, None),
            (6, 4, None),
            (0, 3, Some(Reason::Empty)),
            (7, 0, Some(Reason::Empty)),
            (7, 6, Some(Reason::TooLong)),
            (1, 7, Some(Reason::TooLong)),
            (3, 5, Some(Reason::Unlike)),
            (5, 3, Some(Reason::Unlike)),
        ] {
            assert_eq!(
                limits.reason(source, target),
                reason,
                "{source} and {target}"
            );
        }
    }

    #[test]
    fn nothing_but_empty_sides_is_dropped_without_limits() {
        let limits = Limits::default();
        assert_eq!(limits.reason(1, 100_000), None);
        assert_eq!(limits.reason(1, 0), Some(Reason::Empty));
    }

    #[test]
    fn counts_are_shown_with_their_reasons() {
        let mut dropped = Dropped::default();
        assert_eq!(dropped.to_string(), "dropped 0 of 0 pairs");
        dropped.count(None);
        assert_eq!(dropped.to_string(), "dropped 0 of 1 pair");
        dropped.count(Some(Reason::TooLong));
        dropped.count(Some(Reason::Unlike));
        dropped.add(Dropped {
            too_long: 2,
            of: 7,
            ..Dropped::default()
        });
        assert_eq!(
            dropped.to_string(),
            "dropped 4 of 10 pairs: 3 too long, 1 with sides too unlike in length"
        );
    }
}
