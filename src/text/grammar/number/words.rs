//! Numbers in words: `twenty-three hundred`, `two thirds`, `a dozen`, `three million and a half`.

use super::{Reader, Scaled, rounded};
use crate::text::grammar::piece::Kind;
use crate::text::grammar::role::Role;

impl Reader<'_> {
    pub(super) fn below_hundred(&self, at: usize) -> Option<(f64, usize)> {
        match self.role(at)? {
            Role::Unit(unit) => Some((unit, at + 1)),
            Role::Tens(tens) => {
                let next = at + 1 + usize::from(self.role(at + 1) == Some(Role::Hyphen));
                match self.role(next) {
                    Some(Role::Unit(unit)) if unit > 0.0 && unit < 10.0 => {
                        Some((tens + unit, next + 1))
                    }
                    _ => Some((tens, at + 1)),
                }
            }
            _ => None,
        }
    }

    pub(super) fn in_words(&self, at: usize) -> Option<Scaled> {
        // `half a million`, `a dozen`, `½`
        let (first, mut next) = match self.role(at)? {
            Role::Half(half) => {
                let one = usize::from(self.role(at + 1) == Some(Role::One));
                match self.role(at + 1 + one) {
                    Some(Role::Scale(_)) => (half, at + 1 + one),
                    _ if self.pieces[at].kind == Kind::Mark => (half, at + 1),
                    _ => return None,
                }
            }
            Role::One => match self.role(at + 1) {
                Some(Role::Scale(_)) => (1.0, at + 1),
                _ => return None,
            },
            _ => self.below_hundred(at)?,
        };
        let begins_whole = matches!(self.role(at), Some(Role::Unit(_) | Role::Tens(_)));
        // `two thirds`
        let part = next + usize::from(self.role(next) == Some(Role::Hyphen));
        if let Some(Role::Part(under)) = self.role(part)
            && begins_whole
            && first < under
            && first > 0.0
        {
            return Some(Scaled {
                end: part + 1,
                base: rounded(first / under),
                scale: 1.0,
                in_words: true,
            });
        }
        let mut small = first;
        next = self.and_a_half(next, &mut small);
        // What the greater scales have made so far, and the number the next one multiplies.
        let (mut total, mut last, mut end) = (0.0, f64::INFINITY, next);
        let mut scale_alone = 1.0;
        // A scale was the last word, so that a smaller number may follow.
        let mut is_open = false;
        loop {
            let scale_at = end + usize::from(self.role(end) == Some(Role::Hyphen));
            if let Some(Role::Scale(scale)) = self.role(scale_at) {
                if scale == 100.0 && small < 100.0 && small > 0.0 {
                    small *= scale;
                } else if scale != 100.0 && scale < last && small > 0.0 {
                    total += small * scale;
                    (small, last) = (0.0, scale);
                } else {
                    break;
                }
                scale_alone *= scale;
                is_open = true;
                end = scale_at + 1;
                continue;
            }
            let and = usize::from(self.role(end) == Some(Role::And));
            let room = if small >= 100.0 { 100.0 } else { last };
            match self.below_hundred(end + and) {
                Some((more, after)) if is_open && more < room => {
                    small += more;
                    end = after;
                    is_open = false;
                    scale_alone = 0.0;
                }
                _ => break,
            }
        }
        let value = total + small;
        // A single factor behind a number may be shared by the other end of a range.
        let (base, scale) = if scale_alone > 0.0 {
            (value / scale_alone, scale_alone)
        } else {
            (value, 1.0)
        };
        Some(Scaled {
            end,
            base,
            scale,
            in_words: true,
        })
    }
}
