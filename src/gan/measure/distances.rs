//! Distances of all samples of one set from all of another, a few rows at a time.
//!
//! ```text
//! ‖x − y‖² = ‖x‖² + ‖y‖² − 2 x·y          x, y less the mean of both sets
//! ```
//!
//! The right side is a product of matrices in f32, which is fast, but what is left of it when x and y are near each
//! other is rounding. So it only bounds a distance; where the bounds do not decide, the distance is taken again in
//! f64 from the values themselves. What is said about distances is then exact: that a copy is one, which neighbour is
//! the k-th. The bound is
//!
//! ```text
//! (dim + 16) · 2⁻²⁴ · (‖x‖² + ‖y‖²)       dim sums, each rounded; the centring, the norms and the last sum
//! ```

use super::{MeasureError, Points};
use crate::nn::matmul::{Into, Panels, Rows, multiply};
use rayon::prelude::*;

/// A set of samples, ready for distances to others that were made ready with it.
pub struct Set<'a> {
    points: Points<'a>,
    /// (n, dim)
    centred: Vec<f32>,
    /// (n)
    squares: Vec<f32>,
    panels: Panels,
}

/// The distances of a sample from all samples of a set.
pub struct Row<'a> {
    /// The number of the sample.
    pub i: usize,
    from: &'a Set<'a>,
    to: &'a Set<'a>,
    products: &'a [f32],
    slack: f32,
}

/// Makes two sets ready.
///
/// # Errors
/// When the dimensions are not the same.
pub fn sets<'a>(a: Points<'a>, b: Points<'a>) -> Result<[Set<'a>; 2], MeasureError> {
    a.comparable(&b, "", 0)?;
    let mut centre = vec![0.0; a.dim()];
    for row in [a, b]
        .iter()
        .flat_map(|set| set.values().chunks_exact(set.dim()))
    {
        (centre.iter_mut().zip(row)).for_each(|(sum, x)| *sum += f64::from(*x));
    }
    let n = (a.n() + b.n()).max(1) as f64;
    centre.iter_mut().for_each(|sum| *sum /= n);
    Ok([a, b].map(|points| Set::new(points, &centre)))
}

impl<'a> Set<'a> {
    fn new(points: Points<'a>, centre: &[f64]) -> Set<'a> {
        let (n, dim) = (points.n(), points.dim());
        let centred: Vec<f32> = (points.values().chunks_exact(dim))
            .flat_map(|row| row.iter().zip(centre))
            .map(|(x, centre)| (f64::from(*x) - centre) as f32)
            .collect();
        let square = |row: &[f32]| row.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() as f32;
        Set {
            points,
            squares: centred.chunks_exact(dim).map(square).collect(),
            panels: Panels::of_columns(Rows::dense(&centred, dim), (dim, n)),
            centred,
        }
    }

    /// How many samples there are.
    pub fn n(&self) -> usize {
        self.points.n()
    }

    /// What `each` makes of the distances from every sample of this set to all of another, on all threads.
    pub fn rows<T: Send>(&self, to: &Set, each: impl Fn(Row) -> T + Sync) -> Vec<T> {
        /// Products of a block: a megabyte.
        const BLOCK: usize = 1 << 18;
        let (dim, n) = (self.points.dim(), to.n());
        let rows = (BLOCK / n.max(1)).clamp(8, 64) / 8 * 8;
        let slack = (dim + 16) as f32 / (1u32 << 24) as f32;
        let blocks: Vec<Vec<T>> = (0..self.n().div_ceil(rows))
            .into_par_iter()
            .map_init(Vec::new, |products, block| {
                let first = block * rows;
                let m = rows.min(self.n() - first);
                products.resize(m * n, 0.0);
                let left = Rows::dense(&self.centred[first * dim..], dim);
                multiply(left, m, &to.panels, products, n, Into::Set);
                let row = |r: usize| Row {
                    i: first + r,
                    from: self,
                    to,
                    products: &products[r * n..(r + 1) * n],
                    slack,
                };
                (0..m).map(|r| each(row(r))).collect()
            })
            .collect();
        blocks.into_iter().flatten().collect()
    }
}

impl Row<'_> {
    /// Two squared distances between which that from sample `j` lies.
    #[inline(always)]
    pub fn bounds(&self, j: usize) -> (f32, f32) {
        let sum = self.from.squares[self.i] + self.to.squares[j];
        let distance = sum - 2.0 * self.products[j];
        // Below the smallest normal number products are no longer what they should be.
        let slack = self.slack * sum + f32::MIN_POSITIVE;
        (distance - slack, distance + slack)
    }

    /// The squared distance from sample `j`.
    pub fn square(&self, j: usize) -> f64 {
        let rows = self
            .from
            .points
            .row(self.i)
            .iter()
            .zip(self.to.points.row(j));
        rows.map(|(x, y)| (f64::from(*x) - f64::from(*y)).powi(2))
            .sum()
    }

    /// Whether the squared distance from sample `j` is below one that is given.
    #[inline(always)]
    pub fn is_below(&self, j: usize, square: f64) -> bool {
        let (low, high) = self.bounds(j);
        match square as f32 {
            // A bound that is not a number decides nothing.
            limit if low > limit => false,
            limit if high < limit => true,
            _ => self.square(j) < square,
        }
    }

    /// The `k` nearest samples with their squared distances, the nearest first, of equal ones the first; without
    /// sample `skip`.
    ///
    /// # Panics
    /// When k is 0.
    pub fn nearest(&self, k: usize, skip: Option<usize>) -> Vec<(f64, usize)> {
        // The k smallest upper bounds, in order: no distance above the last of them can be among the k smallest.
        let mut highest = vec![f32::INFINITY; k];
        let n = self.products.len();
        for j in (0..n).filter(|&j| Some(j) != skip) {
            let high = self.bounds(j).1;
            if high < highest[k - 1] {
                let at = highest.partition_point(|x| *x <= high);
                highest[at..].rotate_right(1);
                highest[at] = high;
            }
        }
        let mut found: Vec<(f64, usize)> = (0..n)
            .filter(|&j| Some(j) != skip)
            .filter(|&j| {
                self.bounds(j).0.partial_cmp(&highest[k - 1]) != Some(std::cmp::Ordering::Greater)
            })
            .map(|j| (self.square(j), j))
            .collect();
        found.sort_by(|x, y| x.0.total_cmp(&y.0).then(x.1.cmp(&y.1)));
        found.truncate(k);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::correlated;
    use super::*;

    fn check(a: &[f32], b: &[f32], dim: usize) {
        let points = |values| Points::new(values, dim).unwrap();
        let [a, b] = sets(points(a), points(b)).unwrap();
        let rows = a.rows(&b, |row| {
            let squares: Vec<f64> = (0..b.n()).map(|j| row.square(j)).collect();
            for (j, square) in squares.iter().enumerate() {
                let (low, high) = row.bounds(j);
                // Bounds of values that overflow are no numbers, and exclude nothing.
                let is_outside = f64::from(low) > *square || f64::from(high) < *square;
                assert!(!is_outside, "{low} {square} {high}");
                assert!(!row.is_below(j, *square));
                assert!(row.is_below(j, square * (1.0 + 1e-12) + 1e-300));
            }
            let mut sorted: Vec<_> = squares.into_iter().zip(0..).collect();
            sorted.sort_by(|x, y| x.partial_cmp(y).unwrap());
            assert_eq!(row.nearest(3, None), sorted[..3]);
        });
        assert_eq!(rows.len(), a.n());
    }

    #[test]
    fn bounds_hold_and_what_they_do_not_decide_is_exact() {
        let (a, b) = (correlated(150, 33, 1), correlated(90, 33, 2));
        check(&a, &b, 33);
        check(&a, &a, 33);
    }

    #[test]
    fn samples_far_from_zero_and_near_each_other_are_told_apart() {
        let near: Vec<f32> = (0..60)
            .map(|i| 1e6 + (i * 7 % 13) as f32 * 0.0625)
            .collect();
        check(&near, &near, 2);
    }

    #[test]
    fn values_whose_squares_no_f32_holds_are_told_apart() {
        for scale in [1e30, 1e-30] {
            let a: Vec<f32> = correlated(30, 4, 1).iter().map(|x| x * scale).collect();
            check(&a, &a, 4);
        }
    }
}
