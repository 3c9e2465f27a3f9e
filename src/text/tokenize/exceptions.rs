//! Exceptions: tokens that the user wants whole, such as `C++`, `AT&T` or `rock 'n' roll`.
//!
//! An exception holds where it begins with a token and no letter or digit follows it directly. The longest wins. What
//! a token has beyond the exception's end becomes a token of its own.

use super::layout::Gap;
use super::pieces::{Ends, Piece};
use super::shape::Shape;
use std::collections::{BTreeSet, HashSet};

/// A set of tokens that stay whole.
#[derive(Clone, Debug, Default)]
pub struct Exceptions {
    tokens: HashSet<String>,
    /// Their lengths in bytes, descending.
    lengths: Vec<usize>,
}

impl Exceptions {
    /// One exception a line; blank lines are skipped.
    pub fn parse(lines: &str) -> Exceptions {
        let tokens = lines.lines().map(str::trim).filter(|line| !line.is_empty());
        let tokens: HashSet<String> = tokens.map(str::to_owned).collect();
        let lengths: BTreeSet<usize> = tokens.iter().map(String::len).collect();
        Exceptions {
            tokens,
            lengths: lengths.into_iter().rev().collect(),
        }
    }

    /// Whether a token is an exception.
    pub fn has(&self, token: &str) -> bool {
        !self.tokens.is_empty() && self.tokens.contains(token)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// The end of the longest exception that begins at `start`.
    fn end(&self, text: &str, start: usize) -> Option<usize> {
        self.lengths
            .iter()
            .map(|length| start + length)
            .find(|end| {
                text.get(start..*end)
                    .is_some_and(|slice| self.tokens.contains(slice))
                    && !text[*end..].starts_with(char::is_alphanumeric)
            })
    }

    /// Makes exceptions whole in the tokens of a paragraph.
    pub fn merge_units(&self, text: &str, units: &mut Vec<Shape>) {
        if self.is_empty() {
            return;
        }
        let old = std::mem::take(units);
        let mut rest = old.into_iter().peekable();
        while let Some(unit) = rest.next() {
            let Some(end) = self.end(text, unit.start as usize) else {
                units.push(unit);
                continue;
            };
            let (start, mut last) = (unit.start as usize, unit.end as usize);
            units.push(Shape::of(
                &text[start..end],
                unit.start,
                unit.gap,
                unit.line.into(),
            ));
            while let Some(next) = rest.next_if(|next| (next.start as usize) < end) {
                last = next.end as usize;
            }
            if last > end {
                units.push(Shape::of(&text[end..last], end as u32, Gap::None, 0));
            }
        }
    }

    /// Makes exceptions whole in finished pieces.
    pub fn merge_pieces(&self, text: &str, pieces: &mut Vec<Piece>) {
        if self.is_empty() {
            return;
        }
        let old = std::mem::take(pieces);
        let mut rest = old.into_iter().peekable();
        while let Some(mut piece) = rest.next() {
            let Some(end) = self.end(text, piece.start as usize) else {
                pieces.push(piece);
                continue;
            };
            let mut last = piece.end;
            while let Some(next) = rest.next_if(|next| (next.start as usize) < end) {
                last = next.end;
                piece.ends = next.ends;
            }
            let beyond = last as usize > end;
            pieces.push(Piece {
                end: end as u32,
                multiword: None,
                ends: if beyond { Ends::Nothing } else { piece.ends },
                ..piece
            });
            if beyond {
                pieces.push(Piece {
                    start: end as u32,
                    end: last,
                    multiword: None,
                    ends: piece.ends,
                });
            }
        }
    }
}
