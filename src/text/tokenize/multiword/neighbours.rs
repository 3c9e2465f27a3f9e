//! Whether a surface that is several words in some places only is so here: what a linear model sees of its neighbours.

use super::super::shape::{OUTSIDE, Shape};
use crate::text::hash::pair;

/// What the model sees of token `i`.
#[rustfmt::skip]
pub fn features(units: &[Shape], i: usize, out: &mut Vec<u64>) {
    let at = |k: isize| match i.checked_add_signed(k) {
        Some(j) if j < units.len() => &units[j],
        _ => &OUTSIDE,
    };
    let (l2, l, token, r, r2) = (at(-2), at(-1), at(0), at(1), at(2));
    let mut add = |template: u64, x: u64, y: u64| out.push(pair(200 + template, token.form, pair(0, x, y)));
    add(0, 0, 0);
    add(1, l.form, 0);
    add(2, r.form, 0);
    add(3, l.form, r.form);
    add(4, l.kind as u64, r.kind as u64);
    add(5, l.tail, 0);
    add(6, r.tail, 0);
    add(7, r2.form, 0);
    add(8, l2.form, 0);
    add(9, l2.form, l.form);
    add(10, r.form, r2.form);
    add(11, l.tail, r.tail);
    add(12, token.kind as u64, l.kind as u64);
}
