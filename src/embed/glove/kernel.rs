//! Steps of AdaGrad over the pairs of a tile, in registers.
//!
//! ```text
//! row of a word    w, b, 0… | Σ(ηg)² of w, b | w̃, b̃, 0… | Σ(ηg)² of w̃, b̃        four times `padded` values
//! prediction       s = w(i)·w̃(j) + b(i) + b̃(j)
//! gradients        with e = f (s − ln x):  e w̃(j) for w(i),  e for b(i),  e w(i) for w̃(j),  e for b̃(j)
//! ```
//!
//! The bias stands behind its vector. Where the other side's vector is a factor, its bias is read as 1, so that the
//! product and the gradients take the bias along; the one register where that happens is `mixed`. A pair of a symmetric
//! matrix is two steps that share no parameter, (i,j) and (j,i), done at once.
//!
//! This is the one file of `glove` that works with pointers; `tiles` has `unsafe` only for its mapped file.

use crate::simd::{LINE, Lanes, Level, dispatch, padded, prefetch};

/// A pair of words of a tile.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C)]
pub struct Record {
    /// Places in the blocks of the tile.
    pub row: u16,
    pub column: u16,
    /// ln x
    pub log: f32,
}

/// What all steps share.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub dim: usize,
    /// η
    pub rate: f32,
    /// α
    pub alpha: f32,
    /// ln x_max
    pub log_max: f32,
    pub symmetric: bool,
}

impl Shape {
    /// Values of a vector with its bias and padding.
    pub fn padded(&self) -> usize {
        padded(self.dim + 1)
    }

    /// Values of the row of a word.
    pub fn stride(&self) -> usize {
        4 * self.padded()
    }

    /// f(x)
    #[inline(always)]
    fn weight(&self, log: f32) -> f32 {
        if log >= self.log_max {
            1.0
        } else {
            (self.alpha * (log - self.log_max)).exp()
        }
    }
}

/// Goes once over a tile; Σ f (s − ln x)², before each step.
///
/// `rows` and `columns` are whole rows of words, `stride` values each; a tile on the diagonal gives no `columns`.
///
/// # Panics
/// When a record names a word that is not there.
pub fn run(
    level: Level,
    records: &[Record],
    rows: &mut [f32],
    columns: Option<&mut [f32]>,
    shape: &Shape,
) -> f64 {
    let stride = shape.stride();
    let highest = |of: fn(&Record) -> u16| records.iter().map(of).max().map(usize::from);
    let (Some(row), Some(column)) = (highest(|r| r.row), highest(|r| r.column)) else {
        return 0.0;
    };
    let width = columns.as_ref().map_or(rows.len(), |columns| columns.len());
    assert!((row + 1) * stride <= rows.len() && (column + 1) * stride <= width);
    let first = rows.as_mut_ptr();
    let second = columns.map_or(first, |columns| columns.as_mut_ptr());
    // SAFETY: every record's rows lie within the slices, as was checked. `first` and `second` are of the same slice or
    // of two that do not overlap; the kernel takes care of pairs of a word with itself. The level is the processor's.
    unsafe { run_at(level, records, first, second, shape) }
}

dispatch!(unsafe fn run_at(records: &[Record], rows: *mut f32, columns: *mut f32, shape: &Shape) -> f64 = run_in);

/// Records ahead whose rows are fetched.
const AHEAD: usize = 2;

#[inline(always)]
unsafe fn run_in<L: Lanes>(
    records: &[Record],
    rows: *mut f32,
    columns: *mut f32,
    shape: &Shape,
) -> f64 {
    let (padded, stride) = (shape.padded(), shape.stride());
    let whole = shape.dim / L::N * L::N;
    let mut known = [0.0f32; LINE];
    let mut one = [0.0f32; LINE];
    known[..shape.dim - whole].fill(1.0);
    one[shape.dim - whole] = 1.0;
    let mut cost = 0.0f64;
    // SAFETY: offsets stay within the rows of words that the caller has checked; `known` and `one` have LINE ≥ N values;
    // `mixed` registers end at whole + N ≤ padded. Prefetching touches nothing.
    unsafe {
        let layout = Layout {
            padded,
            whole,
            bias: shape.dim,
            known: L::load(known.as_ptr()),
            one: L::load(one.as_ptr()),
        };
        for (at, record) in records.iter().enumerate() {
            if let Some(later) = records.get(at + AHEAD) {
                let row = rows.add(usize::from(later.row) * stride);
                let column = columns.add(usize::from(later.column) * stride);
                prefetch(row, stride);
                prefetch(column, stride);
            }
            let i = rows.add(usize::from(record.row) * stride);
            let j = columns.add(usize::from(record.column) * stride);
            let f = shape.weight(record.log);
            let scale = -shape.rate * f;
            if shape.symmetric && i != j {
                let (there, back) = layout.predict_both(i, j);
                let (there, back) = (there - record.log, back - record.log);
                cost += f64::from(f * (there * there + back * back));
                layout.step_both(i, j, scale * there, scale * back);
            } else {
                let error = layout.predict(i, j) - record.log;
                cost += f64::from(f * (error * error));
                layout.step(i, j.add(2 * padded), scale * error);
            }
        }
    }
    cost
}

/// Where things are in the row of a word.
struct Layout<L> {
    padded: usize,
    /// The registers before the mixed one.
    whole: usize,
    bias: usize,
    /// In the mixed register: 1 for values of the vector,
    known: L,
    /// and 1 for the bias.
    one: L,
}

impl<L: Lanes> Layout<L> {
    /// The mixed register with 1 for the bias.
    #[inline(always)]
    unsafe fn factor(&self, from: *const f32) -> L {
        unsafe { L::load(from.add(self.whole)).mul_add(self.known, self.one) }
    }

    #[inline(always)]
    unsafe fn predict(&self, i: *const f32, j: *const f32) -> f32 {
        unsafe {
            let j = j.add(2 * self.padded);
            let mut sum = L::load(i.add(self.whole)).mul(self.factor(j));
            for k in (0..self.whole).step_by(L::N) {
                sum = L::load(i.add(k)).mul_add(L::load(j.add(k)), sum);
            }
            sum.sum() + *j.add(self.bias)
        }
    }

    #[inline(always)]
    unsafe fn predict_both(&self, i: *const f32, j: *const f32) -> (f32, f32) {
        unsafe {
            let (ci, cj) = (i.add(2 * self.padded), j.add(2 * self.padded));
            let mut there = L::load(i.add(self.whole)).mul(self.factor(cj));
            let mut back = L::load(j.add(self.whole)).mul(self.factor(ci));
            for k in (0..self.whole).step_by(L::N) {
                there = L::load(i.add(k)).mul_add(L::load(cj.add(k)), there);
                back = L::load(j.add(k)).mul_add(L::load(ci.add(k)), back);
            }
            (
                there.sum() + *cj.add(self.bias),
                back.sum() + *ci.add(self.bias),
            )
        }
    }

    /// Moves two vectors by their gradients, −η e times the other.
    #[inline(always)]
    unsafe fn step(&self, a: *mut f32, b: *mut f32, scale: f32) {
        unsafe {
            let scale = L::splat(scale);
            for k in (0..self.whole).step_by(L::N) {
                self.exchange(a.add(k), b.add(k), scale);
            }
            let (of_a, of_b) = (self.factor(a), self.factor(b));
            self.adapt(a.add(self.whole), scale.mul(of_b));
            self.adapt(b.add(self.whole), scale.mul(of_a));
        }
    }

    #[inline(always)]
    unsafe fn step_both(&self, i: *mut f32, j: *mut f32, there: f32, back: f32) {
        unsafe {
            let (ci, cj) = (i.add(2 * self.padded), j.add(2 * self.padded));
            self.step(i, cj, there);
            self.step(j, ci, back);
        }
    }

    #[inline(always)]
    unsafe fn exchange(&self, a: *mut f32, b: *mut f32, scale: L) {
        unsafe {
            let (of_a, of_b) = (L::load(a), L::load(b));
            self.adapt(a, scale.mul(of_b));
            self.adapt(b, scale.mul(of_a));
        }
    }

    /// θ += move/√sum, sum += move²
    #[inline(always)]
    unsafe fn adapt(&self, at: *mut f32, step: L) {
        unsafe {
            let sum = L::load(at.add(self.padded));
            step.mul_add(sum.inverse_sqrt(), L::load(at)).store(at);
            step.mul_add(step, sum).store(at.add(self.padded));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(dim: usize, symmetric: bool) -> Shape {
        Shape {
            dim,
            rate: 0.05,
            alpha: 0.75,
            log_max: 10f32.ln(),
            symmetric,
        }
    }

    /// Rows of `words` words: values like noise, sums from 1 on, padding as the model leaves it.
    fn rows(words: usize, shape: &Shape) -> Vec<f32> {
        let mut rows = vec![0.0; words * shape.stride()];
        for (part, values) in rows.chunks_exact_mut(shape.padded()).enumerate() {
            for (at, value) in values[..=shape.dim].iter_mut().enumerate() {
                *value = ((part * 31 + at) as f32 * 0.7).sin() * 0.4;
            }
            if part % 2 == 1 {
                values.fill(1.0);
                values[..=shape.dim].iter_mut().for_each(|sum| *sum += 0.5);
            }
        }
        rows
    }

    /// J of one pair in f64, by its definition, with value `at` of the rows of words moved by `by`.
    fn objective(
        rows: &[f32],
        (i, j): (usize, usize),
        log: f64,
        shape: &Shape,
        (at, by): (usize, f64),
    ) -> f64 {
        let value = |index: usize| f64::from(rows[index]) + if index == at { by } else { 0.0 };
        let (w, c) = (i * shape.stride(), j * shape.stride() + 2 * shape.padded());
        let product: f64 = (0..shape.dim).map(|k| value(w + k) * value(c + k)).sum();
        let error = product + value(w + shape.dim) + value(c + shape.dim) - log;
        let f = (f64::from(shape.alpha) * (log - f64::from(shape.log_max)))
            .exp()
            .min(1.0);
        0.5 * f * error * error
    }

    #[test]
    fn a_step_moves_every_value_by_its_central_difference() {
        for (dim, symmetric, i, j, log) in [
            (1, false, 0, 1, 0.3),
            (5, true, 0, 2, 1.1),
            (15, true, 1, 2, 4.0), // above x_max
            (16, false, 2, 2, 0.5),
            (16, true, 2, 2, 0.5), // a word with itself: one step
            (37, true, 2, 1, -2.0),
        ] {
            let shape = shape(dim, symmetric);
            let old = rows(3, &shape);
            let record = Record {
                row: i as u16,
                column: j as u16,
                log: log as f32,
            };
            let pairs = match symmetric && i != j {
                true => vec![(i, j), (j, i)],
                false => vec![(i, j)],
            };
            for level in Level::all() {
                let mut new = old.clone();
                let cost = run(level, &[record], &mut new, None, &shape);
                let total = |at: usize, by: f64| -> f64 {
                    let one = |&pair: &_| objective(&old, pair, log, &shape, (at, by));
                    pairs.iter().map(one).sum()
                };
                assert!((0.5 * cost - total(0, 0.0)).abs() < 1e-5, "{level:?}");
                for at in (0..old.len()).filter(|at| (at / shape.padded()).is_multiple_of(2)) {
                    let sum = at + shape.padded();
                    let slope = (total(at, 1e-4) - total(at, -1e-4)) / 2e-4;
                    let step = f64::from(shape.rate) * slope;
                    let expected = f64::from(old[at]) - step / f64::from(old[sum]).sqrt();
                    // f32 has seven digits, and steps are below 1.
                    assert!(
                        (f64::from(new[at]) - expected).abs() < 2e-6,
                        "{level:?} dim {dim} value {at}: {} {expected}",
                        new[at]
                    );
                    let expected = f64::from(old[sum]) + step * step;
                    assert!(
                        (f64::from(new[sum]) - expected).abs() < 2e-6,
                        "{level:?} {at}"
                    );
                }
            }
        }
    }

    #[test]
    fn two_blocks_are_as_one() {
        let shape = shape(20, true);
        let record = |row, column| Record {
            row,
            column,
            log: 0.5,
        };
        let mut one = rows(4, &shape);
        let (mut first, mut second) = {
            let (a, b) = one.split_at(2 * shape.stride());
            (a.to_vec(), b.to_vec())
        };
        let level = Level::best();
        let within = [record(0, 2), record(1, 3), record(0, 3)];
        let across = [record(0, 0), record(1, 1), record(0, 1)];
        let cost = run(level, &within, &mut one, None, &shape);
        let apart = run(level, &across, &mut first, Some(&mut second), &shape);
        // The pair of the same places is no word with itself here.
        assert_eq!((cost, one), (apart, [first, second].concat()));
    }
}
