//! Stage 2 of the trained segmenter: where sentences end.
//!
//! ```text
//! tokens    He  met  Dr.  Smith  .  "  Why  ?  "  she  asked
//! possible                       ^  ^      ^ ^                 behind what can end a sentence, before what can begin one,
//!                                                             and at line ends
//! ```
//!
//! A linear model decides each possible boundary, left to right, from the forms and shapes of the tokens around it, what
//! parts them, and what is open. A word with its abbreviating dot is one token by now, so abbreviations need no list.

use super::layout::Gap;
use super::shape::{Kind, OUTSIDE, Shape};
use crate::text::hash::pair;

/// Words that the training data writes small more often than not, as a set of hash bits: "The" begins a sentence,
/// "Bush" need not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Smalls {
    pub bits: Vec<u32>,
}

/// 2^19 bits hold fifteen thousand words with three false ones in a hundred.
const SMALL_BITS: u32 = 19;

impl Smalls {
    /// The set of these forms.
    pub fn of(forms: impl Iterator<Item = u64>) -> Smalls {
        let mut bits = vec![0; 1 << (SMALL_BITS - 5)];
        for form in forms {
            let bit = form >> (64 - SMALL_BITS);
            bits[(bit >> 5) as usize] |= 1u32 << (bit & 31);
        }
        Smalls { bits }
    }

    fn has(&self, form: u64) -> bool {
        let bit = form >> (64 - SMALL_BITS);
        self.bits
            .get((bit >> 5) as usize)
            .is_some_and(|word| word >> (bit & 31) & 1 == 1)
    }
}

/// What is open while the tokens of a paragraph go by.
#[derive(Clone, Copy, Default)]
struct Open {
    /// Tokens since the last boundary.
    tokens: u32,
    brackets: i32,
    quotes: u32,
}

/// Asks `decide(token, features)` at every possible boundary behind a token of a paragraph but the last.
/// `ends` gets the indices of the tokens that end a sentence, the last one of the paragraph included.
pub fn find(
    units: &[Shape],
    smalls: &Smalls,
    features: &mut Vec<u64>,
    mut decide: impl FnMut(usize, &[u64]) -> bool,
    mut ends: impl FnMut(usize),
) {
    let mut open = Open::default();
    for i in 0..units.len() {
        open.tokens += 1;
        match units[i].kind {
            Kind::Opener => open.brackets += 1,
            Kind::Closer => open.brackets = (open.brackets - 1).max(0),
            Kind::Quote if units[i].length == 1 => open.quotes += 1,
            _ => {}
        }
        let end = match units.get(i + 1) {
            None => true,
            Some(next) if !possible(&units[i], next) => false,
            Some(_) => {
                features.clear();
                collect(units, i, open, smalls, features);
                decide(i, features)
            }
        };
        if end {
            ends(i);
            open = Open::default();
        }
    }
}

/// Whether a sentence can end between two tokens: a cheap test that spares most of them the model.
fn possible(left: &Shape, right: &Shape) -> bool {
    use Kind::*;
    if right.gap == Gap::Hard {
        return true;
    }
    match left.kind {
        Terminator | Ellipsis | Abbreviation | Closer | Quote | Colon | Symbol | Bullet => {
            right.gap != Gap::None || !matches!(right.kind, Comma | Number)
        }
        _ => match right.kind {
            Title | Capitals | Initial | Opener | Quote | Bullet | Dash | Symbol | Number
            | Mixed => right.gap != Gap::None,
            _ => false,
        },
    }
}

/// What the model sees of the boundary behind token `i`.
#[rustfmt::skip]
fn collect(units: &[Shape], i: usize, open: Open, smalls: &Smalls, features: &mut Vec<u64>) {
    let at = |k: isize| match i.checked_add_signed(k) {
        Some(j) if j < units.len() => &units[j],
        _ => &OUTSIDE,
    };
    let (l3, l2, l, r, r2, r3) = (at(-2), at(-1), at(0), at(1), at(2), at(3));
    let gap = match r.gap { Gap::Soft => Gap::Space, gap => gap } as u64;
    let kinds = |units: &[&Shape]| units.iter().fold(1, |h, u| h << 5 | u.kind as u64);
    // The last word before the closing punctuation, and the first after the opening one.
    let outer = |u: &Shape| matches!(u.kind, Kind::Terminator | Kind::Ellipsis | Kind::Quote | Kind::Closer);
    let word = [l, l2, l3].into_iter().find(|u| !outer(u)).unwrap_or(&OUTSIDE);
    let begins = |u: &Shape| matches!(u.kind, Kind::Quote | Kind::Opener | Kind::Dash | Kind::Bullet);
    let next = [r, r2, r3].into_iter().find(|u| !begins(u)).unwrap_or(&OUTSIDE);
    let small = u64::from(smalls.has(next.form)) | u64::from(smalls.has(word.form)) << 1;
    let since = match open.tokens { n @ 0..=4 => n, 5..=7 => 5, 8..=12 => 6, 13..=20 => 7, 21..=35 => 8, _ => 9 } as u64;
    let rest = match units.len() - i - 1 { n @ 0..=3 => n, 4..=6 => 4, 7..=15 => 5, _ => 6 } as u64;
    let inside = u64::from(open.brackets > 0) | u64::from(open.quotes % 2) << 1;
    let whole = u64::from(open.tokens as usize == i + 1);
    let pair_of_kinds = kinds(&[l, r]) << 2 | gap;
    let mut add = |template: u64, x: u64, y: u64| features.push(pair(100 + template, x, y));
    add(0, pair_of_kinds, 0);
    add(1, l.form, gap);
    add(2, r.form, gap);
    add(3, l.form, r.kind as u64 | gap << 5);
    add(4, r.form, l.kind as u64 | gap << 5);
    add(5, l.form, r.form);
    add(6, l2.form, l.form);
    add(7, r.form, r2.form);
    add(8, kinds(&[l2, l, r]), gap);
    add(9, kinds(&[l, r, r2]), gap);
    add(10, kinds(&[l2, l, r, r2]), gap);
    add(11, kinds(&[l3, l2, l, r, r2, r3]), gap);
    add(12, word.form, kinds(&[l, r]));
    add(13, next.form, kinds(&[l, r]));
    add(14, small, pair_of_kinds);
    add(15, small, kinds(&[l, next]) << 4 | since.min(6));
    add(16, since, pair_of_kinds);
    add(17, rest, pair_of_kinds);
    add(18, inside, pair_of_kinds);
    add(19, since << 4 | rest, whole << 4 | gap);
    add(20, l.tail, r.kind as u64);
    add(21, word.length as u64, kinds(&[word, l, r]));
    add(22, l.form, since << 8 | gap);
    add(23, r.line as u64, pair_of_kinds);
    add(24, r.line as u64, small << 8 | r.gap as u64);
    add(25, r.line as u64, since << 8 | rest << 4 | u64::from(outer(l)));
    add(26, r.line as u64, l2.form);
    add(27, l2.form, pair_of_kinds);
    add(28, r2.form, pair_of_kinds);
    add(29, next.form, since << 4 | gap);
    add(30, l.kind as u64, inside << 8 | since << 4 | gap);
    add(31, next.length as u64, kinds(&[l, r, r2]));
    add(32, word.form, small);
}
