//! The best next words of each row, found while the scores of all words are computed, so that these are never stored.
//!
//! ```text
//! l = h · Eᵀ     ln p[v] = l[v] − most − ln Σ_w e^(l[w] − most)
//! ```
//!
//! Scores come 256 words at a time; of each row are kept its best words, and for probabilities its largest score so far
//! and the sum relative to it (Milakov and Gimelshein 2018).

use crate::nn::buffer::Buffer;
use crate::nn::dense::Table;
use crate::nn::device::Gpu;
use crate::nn::matmul::PANEL;
use crate::nn::ops::cuda::projection;
use crate::nn::parameters::{Parameter, Weights};
use crate::nn::tape::Var;
use crate::simd::{Lanes, Level, dispatch};

/// Panels whose scores are computed before they are looked at: those of 64 rows then are 64 KB.
const PANELS: usize = 8;

/// Words that are looked at together.
const GROUP: usize = 16;

/// What is wanted of a row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wanted {
    /// How many of the best words.
    pub best: usize,
    /// Whether their probabilities matter, too.
    pub with_sum: bool,
    /// A word whose score is wanted, whatever it is.
    pub word: Option<u32>,
    /// Words that are not among the best.
    pub forbidden: Vec<u32>,
    /// Whether all scores are kept.
    pub with_all: bool,
}

/// What was found for a row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// Scores and words, the best first; of two equal ones the lower word.
    pub best: Vec<(f32, u32)>,
    /// The score of the wanted word.
    pub word: f32,
    /// All scores.
    pub all: Vec<f32>,
    /// The largest of all scores, and the sum of e to what they are above it.
    most: f32,
    sum: f32,
}

impl Found {
    /// What is subtracted from a score to make it the logarithm of a probability.
    pub fn normaliser(&self) -> f32 {
        self.most + self.sum.ln()
    }

    /// What is found in scores, or logarithms of probabilities, that are there already.
    pub fn among(scores: Vec<f32>, wanted: &Wanted) -> Found {
        let mut found = Found::new();
        for (i, part) in scores.chunks(PANELS * PANEL).enumerate() {
            found.look(part, (i * PANELS * PANEL) as u32, wanted);
        }
        found.all = scores;
        found
    }

    /// What a device has found: the largest of all scores, and the sum of e to what they are above it.
    pub fn of(best: Vec<(f32, u32)>, word: f32, (most, sum): (f32, f32)) -> Found {
        Found {
            best,
            word,
            most,
            sum,
            ..Found::default()
        }
    }

    fn new() -> Found {
        Found {
            most: f32::MIN,
            ..Found::default()
        }
    }

    fn look(&mut self, scores: &[f32], first: u32, wanted: &Wanted) {
        let full = self.best.len() == wanted.best;
        let threshold = match self.best.last() {
            Some((score, _)) if full => *score,
            _ => f32::MIN,
        };
        let before = self.most;
        // SAFETY: the level is that of this processor.
        let summary =
            unsafe { summary(Level::best(), scores, self.most, threshold, wanted.with_sum) };
        self.most = summary.most;
        if wanted.with_sum {
            if self.most > before {
                self.sum *= (before - self.most).max(-87.0).exp();
            }
            self.sum += summary.sum;
        }
        if wanted.best > 0 {
            let mut groups = summary.above;
            while groups != 0 {
                let group = groups.trailing_zeros() as usize;
                groups &= groups - 1;
                let end = scores.len().min(group * GROUP + GROUP);
                self.insert(
                    &scores[group * GROUP..end],
                    first + (group * GROUP) as u32,
                    wanted,
                );
            }
        }
        if let Some(word) = wanted.word.and_then(|word| word.checked_sub(first)) {
            self.word = scores.get(word as usize).copied().unwrap_or(self.word);
        }
        if wanted.with_all {
            self.all.extend_from_slice(scores);
        }
    }

    fn insert(&mut self, scores: &[f32], first: u32, wanted: &Wanted) {
        for (score, word) in scores.iter().zip(first..) {
            let full = self.best.len() == wanted.best;
            let last = self.best.last().map_or(f32::MIN, |(score, _)| *score);
            if (full && *score <= last) || wanted.forbidden.contains(&word) {
                continue;
            }
            if full {
                self.best.pop();
            }
            let place = self.best.partition_point(|(other, _)| other >= score);
            self.best.insert(place, (*score, word));
        }
    }
}

/// The same on the device where `h` is, which keeps all but what is found.
pub fn find_there(
    gpu: &Gpu,
    weights: &Weights,
    (h, table): (&Var, Parameter),
    wanted: &[Wanted],
) -> Vec<Found> {
    // Words that must not be among the best are left out here.
    let most = wanted.iter().map(|own| match own.best {
        0 => 0,
        best => best + own.forbidden.len(),
    });
    let k = most.max().unwrap_or(0);
    if k > projection::MOST_WORDS || wanted.iter().any(|own| own.with_all) {
        let scores = projection::scores(gpu, weights, h, table);
        let rows = scores.chunks_exact(table.rows).zip(wanted);
        return rows
            .map(|(scores, wanted)| Found::among(scores.to_vec(), wanted))
            .collect();
    }
    let k = k.min(table.rows);
    let asked: Vec<u32> = (wanted.iter())
        .map(|own| own.word.unwrap_or(u32::MAX))
        .collect();
    let found = projection::find(gpu, weights, (h, table), k, &asked);
    let rows = found.chunks_exact(2 * k + 3).zip(wanted);
    rows.map(|(row, wanted)| {
        let (scores, words, rest) = (&row[..k], &row[k..2 * k], &row[2 * k..]);
        let best = scores
            .iter()
            .copied()
            .zip(words.iter().map(|w| w.to_bits()));
        let best = best.filter(|(_, word)| {
            // Where no score is a number, there is no best word.
            (*word as usize) < table.rows && !wanted.forbidden.contains(word)
        });
        Found::of(
            best.take(wanted.best).collect(),
            rest[2],
            (rest[0], rest[1]),
        )
    })
    .collect()
}

/// What a part of the scores holds.
struct Summary {
    /// The largest of them, or of those before.
    most: f32,
    /// The sum of e to what they are above it.
    sum: f32,
    /// Which groups of [`GROUP`] have one above the threshold: a bit each.
    above: u32,
}

dispatch!(unsafe fn summary(
    scores: &[f32], most: f32, threshold: f32, with_sum: bool
) -> Summary = summary_in);

#[inline(always)]
unsafe fn summary_in<L: Lanes>(
    scores: &[f32],
    most: f32,
    threshold: f32,
    with_sum: bool,
) -> Summary {
    let (chunks, rest) = scores.as_chunks::<GROUP>();
    let mut largest = [most; GROUP];
    let mut above = 0;
    for (i, chunk) in chunks.iter().enumerate() {
        let mut any = 0;
        for (m, score) in largest.iter_mut().zip(chunk) {
            *m = if *score > *m { *score } else { *m };
            any |= u32::from(*score > threshold);
        }
        above |= any << i;
    }
    let most = (largest.iter().chain(rest)).fold(most, |m, s| if *s > m { *s } else { m });
    let any = u32::from(rest.iter().any(|score| *score > threshold));
    above |= any << chunks.len();
    let mut sum = 0.0;
    if with_sum {
        let mut sums = [0.0f32; GROUP];
        for chunk in chunks {
            for (sum, score) in sums.iter_mut().zip(chunk) {
                *sum += exp::<L>(score - most);
            }
        }
        let rest: f32 = rest.iter().map(|score| exp::<L>(score - most)).sum();
        sum = sums.iter().sum::<f32>() + rest;
    }
    Summary { most, sum, above }
}

/// eˣ for x ≤ 0, to a relative error of 3·10⁻⁶: as the sum of thousands needs it, in half the instructions of
/// [`crate::nn::ops::exp`], which a gradient needs more exactly.
#[inline(always)]
fn exp<L: Lanes>(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0;
    // Where there are registers for it there is the instruction, too.
    let fused = |a: f32, b: f32, c: f32| match L::REGISTERS > 8 {
        true => a.mul_add(b, c),
        false => a * b + c,
    };
    let x = if x > -87.0 { x } else { -87.0 };
    let shifted = fused(x, std::f32::consts::LOG2_E, ROUND);
    let r = fused(shifted - ROUND, -std::f32::consts::LN_2, x);
    let high = fused(r, 1.0 / 120.0, 1.0 / 24.0);
    let high = fused(r, fused(r, high, 1.0 / 6.0), 0.5);
    let series = fused(r, fused(r, high, 1.0), 1.0);
    series * f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23))
}

/// What is wanted of each row of `h`, (rows, d).
pub fn find(table: &Table, h: &[f32], wanted: &[Wanted]) -> Vec<Found> {
    let n = wanted.len();
    let mut found = vec![Found::new(); n];
    let vectors = table.prepare(h);
    let mut scores = Buffer::of(n * PANELS * PANEL);
    for start in (0..table.panels()).step_by(PANELS) {
        let panels = start..table.panels().min(start + PANELS);
        let first = start * PANEL;
        let columns = table.words().min(panels.end * PANEL) - first;
        table.scores(&vectors, n, panels, &mut scores, columns);
        let rows = scores.chunks_exact(columns).zip(wanted).zip(&mut found);
        for ((scores, wanted), found) in rows {
            found.look(scores, first as u32, wanted);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores() -> Vec<f32> {
        (0..1000)
            .map(|i| ((i * 37 % 1009) as f32 * 0.7).sin() * 3.0)
            .collect()
    }

    #[test]
    fn the_best_words_are_those_of_a_sorted_list() {
        let scores = scores();
        let mut sorted: Vec<(f32, u32)> = scores.iter().copied().zip(0..).collect();
        sorted.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let forbidden = vec![sorted[0].1, sorted[3].1];
        sorted.retain(|(_, word)| !forbidden.contains(word));
        let wanted = Wanted {
            best: 7,
            forbidden,
            ..Wanted::default()
        };
        assert_eq!(Found::among(scores, &wanted).best, sorted[..7]);
    }

    #[test]
    fn probabilities_sum_to_one() {
        let wanted = Wanted {
            best: 1,
            with_sum: true,
            ..Wanted::default()
        };
        let found = Found::among(scores(), &wanted);
        let normaliser = f64::from(found.normaliser());
        let sum: f64 = scores()
            .iter()
            .map(|s| (f64::from(*s) - normaliser).exp())
            .sum();
        assert!((sum - 1.0).abs() < 1e-5, "{sum}");
    }

    #[test]
    fn a_wanted_word_is_found_in_any_part() {
        for word in [0, 255, 256, 999] {
            let wanted = Wanted {
                word: Some(word),
                ..Wanted::default()
            };
            assert_eq!(
                Found::among(scores(), &wanted).word,
                scores()[word as usize]
            );
        }
    }
}
