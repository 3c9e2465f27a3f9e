//! The rows nearest to queries: exact, many queries at once.
//!
//! ```text
//! score(row, query) = row · query / ‖row‖          the cosine, for queries of length one
//! ```
//!
//! Queries lie side by side in panels, (dim, 32); a tile multiplies six rows with a panel and keeps all sums in
//! registers, so that every value of a row meets 32 queries once it is loaded, and no row needs padding. Sums run over
//! the dimensions in order: neither threads nor the other queries of a batch change a score.

use super::View;
use crate::simd::{Lanes, Level, dispatch};
use rayon::prelude::*;
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::ops::Range;

/// Queries in a panel.
const PANEL: usize = 32;

/// Panels that are searched in one pass over the rows: they stay in the second cache.
const PANELS: usize = 8;

/// Rows of a tile: with two registers a row, their sums and what is loaded fit into sixteen registers.
const TILE: usize = 6;

/// Rows that all panels are multiplied with while they are in the cache.
const BLOCK: usize = 32 * TILE;

/// Vectors that can be searched.
pub struct Search<'a> {
    view: View<'a>,
    /// 1/‖row‖, and 0 for a row of zeros.
    inverse_norms: Vec<f32>,
    level: Level,
}

/// What is searched for.
#[derive(Clone, Debug, Default)]
pub struct Query {
    pub vector: Vec<f32>,
    /// Rows that are no answer.
    pub excluded: Vec<u32>,
}

/// A row that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    pub row: u32,
    pub score: f32,
}

impl Eq for Hit {}

/// The better hit is the smaller one: that of the higher score, and of the earlier row where scores are the same.
impl Ord for Hit {
    fn cmp(&self, other: &Hit) -> Ordering {
        (other.score.total_cmp(&self.score)).then(self.row.cmp(&other.row))
    }
}

impl PartialOrd for Hit {
    fn partial_cmp(&self, other: &Hit) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<'a> Search<'a> {
    pub fn new(view: View<'a>) -> Search<'a> {
        let inverse = |row: usize| match norm(view.row(row)) {
            0.0 => 0.0,
            norm => (1.0 / norm) as f32,
        };
        Search {
            inverse_norms: (0..view.words.len()).into_par_iter().map(inverse).collect(),
            view,
            level: Level::best(),
        }
    }

    /// A row divided by its length.
    pub fn unit(&self, row: u32) -> Vec<f32> {
        let inverse = self.inverse_norms[row as usize];
        let row = self.view.row(row as usize);
        row.iter().map(|value| value * inverse).collect()
    }

    /// The query for what is like the rows added and unlike the rows taken away, none of which is an answer: the mean of
    /// their directions. With `b`, `c` added and `a` taken away it answers "a is to b as c is to what" (3CosAdd).
    pub fn query(&self, added: &[u32], taken: &[u32]) -> Query {
        let mut vector = vec![0.0; self.view.dim];
        for (rows, sign) in [(added, 1.0), (taken, -1.0)] {
            for row in rows {
                let unit = self.unit(*row);
                vector
                    .iter_mut()
                    .zip(unit)
                    .for_each(|(v, u)| *v += sign * u);
            }
        }
        normalize(&mut vector);
        Query {
            vector,
            excluded: [added, taken].concat(),
        }
    }

    /// Which of some rows is farthest from the mean of their directions: the first of several, and 0 of none.
    pub fn odd_one(&self, rows: &[u32]) -> usize {
        let mean = self.query(rows, &[]).vector;
        let score = |row: &u32| -> f32 {
            let unit = self.unit(*row);
            unit.iter().zip(&mean).map(|(a, b)| a * b).sum()
        };
        let scores = rows.iter().map(score).enumerate();
        let odd = scores.min_by(|a, b| a.1.total_cmp(&b.1));
        odd.map_or(0, |(at, _)| at)
    }

    /// The cosine of two rows.
    pub fn cosine(&self, a: u32, b: u32) -> f32 {
        let (a, b) = (self.view.row(a as usize), self.view.row(b as usize));
        let dot: f64 = (a.iter().zip(b))
            .map(|(x, y)| f64::from(*x) * f64::from(*y))
            .sum();
        match norm(a) * norm(b) {
            0.0 => 0.0,
            norms => (dot / norms) as f32,
        }
    }

    /// For each query the `most` best rows, the best first.
    pub fn top(&self, queries: &[Query], most: usize) -> Vec<Vec<Hit>> {
        let mut answers = Vec::with_capacity(queries.len());
        for batch in queries.chunks(PANEL * PANELS) {
            let panels = self.panels(batch);
            let wanted: Vec<usize> = batch.iter().map(|q| most + q.excluded.len()).collect();
            let parts: Vec<_> = (self.parts().into_par_iter())
                .map(|rows| self.top_of(rows, &panels, &wanted))
                .collect();
            for (at, query) in batch.iter().enumerate() {
                let found = parts.iter().flat_map(|part| part[at].iter().copied());
                let mut hits: Vec<Hit> = found
                    .filter(|hit| !query.excluded.contains(&hit.row))
                    .collect();
                hits.sort_unstable();
                hits.truncate(most);
                answers.push(hits);
            }
        }
        answers
    }

    /// Rows for one worker each.
    fn parts(&self) -> Vec<Range<usize>> {
        let rows = self.view.words.len();
        let size = rows
            .div_ceil(4 * rayon::current_num_threads())
            .next_multiple_of(BLOCK)
            .max(BLOCK);
        (0..rows)
            .step_by(size)
            .map(|start| start..(start + size).min(rows))
            .collect()
    }

    /// Queries side by side, (panels, dim, PANEL).
    fn panels(&self, queries: &[Query]) -> Vec<f32> {
        let size = self.view.dim * PANEL;
        let mut panels = vec![0.0; queries.len().div_ceil(PANEL) * size];
        for (at, query) in queries.iter().enumerate() {
            let panel = &mut panels[at / PANEL * size..][..size];
            for (line, value) in panel.chunks_exact_mut(PANEL).zip(&query.vector) {
                line[at % PANEL] = *value;
            }
        }
        panels
    }

    /// The best of some rows, for each query as many as it wants.
    fn top_of(&self, rows: Range<usize>, panels: &[f32], wanted: &[usize]) -> Vec<Vec<Hit>> {
        let (dim, stride) = (self.view.dim, self.view.stride);
        let mut bests: Vec<Best> = wanted.iter().map(|most| Best::new(*most)).collect();
        let mut scores = [0.0; BLOCK * PANEL];
        let mut limits = vec![f32::NEG_INFINITY; panels.len() / dim];
        for start in rows.clone().step_by(BLOCK) {
            let end = (start + BLOCK).min(rows.end);
            let values = &self.view.data[start * stride..][..(end - start - 1) * stride + dim];
            for (number, panel) in panels.chunks_exact(dim * PANEL).enumerate() {
                let shape = (end - start, stride, dim);
                // SAFETY: the block has that many rows of that shape, the panel `dim` lines and `scores` room for them.
                unsafe { multiply(self.level, values, shape, panel, &mut scores) };
                let first = number * PANEL;
                let limits = &mut limits[first..first + PANEL];
                let bests = &mut bests[first..wanted.len().min(first + PANEL)];
                for (row, scores) in (start..end).zip(scores.chunks_exact_mut(PANEL)) {
                    let inverse = self.inverse_norms[row];
                    scores.iter_mut().for_each(|score| *score *= inverse);
                    let better = scores.iter().zip(limits.iter());
                    if better.fold(false, |any, (score, limit)| any | (score > limit)) {
                        offer(row as u32, scores, bests, limits);
                    }
                }
            }
        }
        bests.into_iter().map(Best::into_hits).collect()
    }
}

/// Hands a row to the queries that it is good enough for.
fn offer(row: u32, scores: &[f32], bests: &mut [Best], limits: &mut [f32]) {
    for ((best, &score), limit) in bests.iter_mut().zip(scores).zip(limits) {
        if score > *limit {
            best.push(Hit { row, score });
            *limit = best.limit();
        }
    }
}

/// The best hits so far.
struct Best {
    most: usize,
    /// The worst on top.
    heap: BinaryHeap<Hit>,
}

impl Best {
    fn new(most: usize) -> Best {
        Best {
            most,
            heap: BinaryHeap::new(),
        }
    }

    fn push(&mut self, hit: Hit) {
        if self.heap.len() == self.most {
            self.heap.pop();
        }
        self.heap.push(hit);
    }

    /// What a later row must score more than.
    fn limit(&self) -> f32 {
        match self.heap.peek() {
            Some(worst) if self.heap.len() == self.most => worst.score,
            _ => f32::NEG_INFINITY,
        }
    }

    fn into_hits(self) -> Vec<Hit> {
        self.heap.into_vec()
    }
}

dispatch!(unsafe fn multiply(rows: &[f32], shape: (usize, usize, usize), panel: &[f32], scores: &mut [f32]) = multiply_in);

/// (rows, dim) of a stride times (dim, PANEL) to (rows, PANEL).
///
/// # Safety
/// The slices must be as long as `shape`, (rows, stride, dim), says.
#[inline(always)]
unsafe fn multiply_in<L: Lanes>(
    rows: &[f32],
    (count, stride, dim): (usize, usize, usize),
    panel: &[f32],
    scores: &mut [f32],
) {
    debug_assert!(
        count > 0 && rows.len() >= (count - 1) * stride + dim && scores.len() >= count * PANEL
    );
    let mut row = 0;
    // SAFETY: tiles stay below `count`.
    unsafe {
        while row + TILE <= count {
            let from = rows.as_ptr().add(row * stride);
            let to = scores.as_mut_ptr().add(row * PANEL);
            tile::<L, TILE>(from, (stride, dim), panel.as_ptr(), to);
            row += TILE;
        }
        while row < count {
            let from = rows.as_ptr().add(row * stride);
            let to = scores.as_mut_ptr().add(row * PANEL);
            tile::<L, 1>(from, (stride, dim), panel.as_ptr(), to);
            row += 1;
        }
    }
}

/// `R` rows times a panel.
///
/// # Safety
/// `R` rows must be at `rows`, `dim` lines at `panel`, and room for `R` lines at `scores`.
#[inline(always)]
unsafe fn tile<L: Lanes, const R: usize>(
    rows: *const f32,
    (stride, dim): (usize, usize),
    panel: *const f32,
    scores: *mut f32,
) {
    // SAFETY: PANEL is a multiple of two registers of every width; all places are inside what the caller gives.
    unsafe {
        for column in (0..PANEL).step_by(2 * L::N) {
            let mut sums = [[L::zero(); 2]; R];
            for i in 0..dim {
                let line = panel.add(i * PANEL + column);
                let (left, right) = (L::load(line), L::load(line.add(L::N)));
                for (r, sums) in sums.iter_mut().enumerate() {
                    let value = L::splat(*rows.add(r * stride + i));
                    sums[0] = value.mul_add(left, sums[0]);
                    sums[1] = value.mul_add(right, sums[1]);
                }
            }
            for (r, sums) in sums.iter().enumerate() {
                sums[0].store(scores.add(r * PANEL + column));
                sums[1].store(scores.add(r * PANEL + column + L::N));
            }
        }
    }
}

fn norm(values: &[f32]) -> f64 {
    let squares = values.iter().map(|value| f64::from(*value).powi(2));
    squares.sum::<f64>().sqrt()
}

/// Makes the length of a vector one, unless it is zero.
pub fn normalize(vector: &mut [f32]) {
    let norm = norm(vector);
    if norm > 0.0 {
        vector
            .iter_mut()
            .for_each(|value| *value = (f64::from(*value) / norm) as f32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use compact_str::CompactString;

    fn words(count: usize) -> Vec<CompactString> {
        (0..count).map(|i| format!("w{i}").into()).collect()
    }

    fn random(count: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1664525).wrapping_add(1013904223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..count).map(|_| next()).collect()
    }

    /// Shapes that fill no tile, no block, no panel.
    const SHAPES: [(usize, usize, usize, usize); 4] = [
        (1, 1, 1, 1),
        (200, 7, 9, 3),
        (401, 33, 33, 70),
        (1000, 100, 112, 300),
    ];

    #[test]
    fn the_nearest_rows_are_those_of_a_plain_search() {
        for (rows, dim, stride, count) in SHAPES {
            let (words, data) = (words(rows), random(rows * stride, 1));
            let view = View {
                words: &words,
                dim,
                stride,
                data: &data,
            };
            let search = Search::new(view);
            let queries: Vec<Query> = (0..count as u32)
                .map(|at| search.query(&[at % rows as u32], &[]))
                .collect();
            let found = search.top(&queries, 10);
            for (query, hits) in queries.iter().zip(found) {
                let score = |row: usize| {
                    let products = view
                        .row(row)
                        .iter()
                        .zip(&query.vector)
                        .map(|(a, b)| f64::from(*a) * f64::from(*b));
                    products.sum::<f64>() / norm(view.row(row))
                };
                let mut exact: Vec<(f64, u32)> =
                    (0..rows).map(|row| (score(row), row as u32)).collect();
                exact.retain(|(_, row)| !query.excluded.contains(row));
                exact.sort_by(|a, b| b.0.total_cmp(&a.0));
                assert_eq!(hits.len(), exact.len().min(10));
                for (hit, (score, _)) in hits.iter().zip(exact) {
                    assert!(
                        (f64::from(hit.score) - score).abs() < 1e-5,
                        "{hit:?} {score}"
                    );
                }
            }
        }
    }

    #[test]
    fn neither_threads_nor_neighbours_in_the_batch_change_an_answer() {
        let (words, data) = (words(3000), random(3000 * 20, 5));
        let view = View {
            words: &words,
            dim: 20,
            stride: 20,
            data: &data,
        };
        let search = Search::new(view);
        let queries: Vec<Query> = (0..100)
            .map(|row| search.query(&[row], &[row + 1]))
            .collect();
        let pool = |threads| {
            rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap()
        };
        let one = pool(1).install(|| search.top(&queries, 5));
        assert_eq!(one, pool(3).install(|| search.top(&queries, 5)));
        let alone: Vec<_> = queries
            .iter()
            .flat_map(|query| search.top(std::slice::from_ref(query), 5))
            .collect();
        assert_eq!(one, alone);
    }

    #[test]
    fn every_instruction_set_finds_the_same_rows() {
        let (words, data) = (words(500), random(500 * 30, 9));
        let view = View {
            words: &words,
            dim: 30,
            stride: 30,
            data: &data,
        };
        let mut search = Search::new(view);
        let queries = [search.query(&[3], &[]), search.query(&[4, 5], &[6])];
        let rows = |search: &Search| -> Vec<u32> {
            search
                .top(&queries, 8)
                .iter()
                .flatten()
                .map(|hit| hit.row)
                .collect()
        };
        let best = rows(&search);
        for level in Level::all() {
            search.level = level;
            assert_eq!(rows(&search), best, "{level:?}");
        }
    }

    #[test]
    fn rows_of_the_same_score_come_in_their_order() {
        let words = words(50);
        let data = vec![1.0; 50];
        let view = View {
            words: &words,
            dim: 1,
            stride: 1,
            data: &data,
        };
        let search = Search::new(view);
        let hits = &search.top(&[search.query(&[2], &[])], 3)[0];
        assert_eq!(
            hits.iter().map(|hit| hit.row).collect::<Vec<_>>(),
            [0, 1, 3]
        );
    }
}
