//! A line of words as one vector: the mean of theirs, plain or weighted so that frequent words count less.
//!
//! ```text
//! mean   1/n Σ v(w)
//! sif    1/n Σ a / (a + p(w)) v(w)        a = 10⁻³, p(w) the share of w among all tokens
//! ```
//!
//! Arora, Liang and Ma (2017), A simple but tough-to-beat baseline for sentence embeddings, without its last step, the
//! removal of a common component, which needs all lines before the first can be written. Where counts are not known,
//! rows are taken to be in the order of frequency, as trainers write them, and p(rank) = 1 / (rank · Hₙ): Zipf's law.

use super::Vectors;
use super::evaluate::LineError;
use std::collections::HashMap;

/// What a word counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Weighting {
    /// All words the same
    #[default]
    Mean,
    /// Smooth inverse frequency: frequent words count less
    Sif,
}

const A: f64 = 1e-3;

/// Turns lines into vectors.
pub struct Averager<'a> {
    vectors: &'a Vectors,
    /// Of each row; none when all are one.
    weights: Option<Vec<f32>>,
}

/// Reads counts: a word, a tab and a number a line.
///
/// # Errors
/// When a line is no such line.
pub fn counts(text: &str) -> Result<HashMap<&str, u64>, LineError> {
    let mut counts = HashMap::new();
    for (line, content) in (1..).zip(text.lines()) {
        let fields = content.split_once('\t');
        let count = fields.and_then(|(word, count)| Some((word, count.parse().ok()?)));
        let (word, count) = count.ok_or_else(|| LineError {
            line,
            problem: "expected a word, a tab and a number".to_owned(),
        })?;
        counts.insert(word, count);
    }
    Ok(counts)
}

impl<'a> Averager<'a> {
    /// Words that `counts` does not have count like words that are never seen.
    pub fn new(
        vectors: &'a Vectors,
        weighting: Weighting,
        counts: Option<&HashMap<&str, u64>>,
    ) -> Averager<'a> {
        let weights = (weighting == Weighting::Sif).then(|| match counts {
            Some(counts) => {
                let total = counts.values().sum::<u64>().max(1) as f64;
                let count = |word: &compact_str::CompactString| {
                    counts.get(word.as_str()).copied().unwrap_or(0) as f64
                };
                let words = vectors.view().words.iter();
                words.map(|word| weight(count(word) / total)).collect()
            }
            None => {
                let ranks = 1..=vectors.len();
                let harmonic: f64 = ranks.clone().map(|rank| 1.0 / rank as f64).sum();
                ranks
                    .map(|rank| weight(1.0 / (rank as f64 * harmonic)))
                    .collect()
            }
        });
        Averager { vectors, weights }
    }

    /// The vector of a line, whose words are parted by white space; zeros when it has no known word.
    pub fn line(&self, line: &str) -> Vec<f32> {
        let mut sums = vec![0f64; self.vectors.dim()];
        let mut known = 0;
        for row in line
            .split_whitespace()
            .filter_map(|word| self.vectors.find(word))
        {
            let weights = self.weights.as_ref();
            let weight = weights.map_or(1.0, |weights| f64::from(weights[row as usize]));
            let values = self.vectors.view().row(row as usize);
            (sums.iter_mut().zip(values)).for_each(|(sum, v)| *sum += weight * f64::from(*v));
            known += 1;
        }
        let words = f64::from(known.max(1));
        sums.iter().map(|sum| (sum / words) as f32).collect()
    }
}

fn weight(share: f64) -> f32 {
    (A / (A + share)) as f32
}

/// The head of an npy file of f32, (rows, dim). NumPy's format, version 1.0.
pub fn npy_header(rows: u64, dim: usize) -> Vec<u8> {
    let mut text =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {dim}), }}");
    // The whole head is a multiple of 64 bytes, its last byte a newline.
    while (10 + text.len() + 1) % 64 != 0 {
        text.push(' ');
    }
    text.push('\n');
    let length = (text.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], text.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::super::read::{Options, read};
    use super::*;

    #[test]
    fn lines_are_means_of_known_words_and_frequent_words_count_less() {
        let vectors = read(&b"2 2\nthe 1 1\ncat 3 -1\n"[..], Options::default()).unwrap();
        let mean = Averager::new(&vectors, Weighting::Mean, None);
        assert_eq!(mean.line("The cat purrs"), [2.0, 0.0]);
        assert_eq!(mean.line("purrs"), [0.0, 0.0]);
        let counts = counts("the\t999\ncat\t1\n").unwrap();
        let sif = Averager::new(&vectors, Weighting::Sif, Some(&counts));
        // p = 0.999 and 0.001: weights 0.001 and 0.5.
        let line = sif.line("the cat");
        assert!((line[0] - (0.001 + 1.5) / 2.0).abs() < 1e-5, "{line:?}");
        let zipf = Averager::new(&vectors, Weighting::Sif, None);
        assert!(zipf.line("the")[0] < zipf.line("cat")[0] / 3.0);
    }

    #[test]
    fn the_head_of_npy_is_aligned() {
        let head = npy_header(12, 300);
        assert_eq!(head.len() % 64, 0);
        assert!(head.starts_with(b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f4'"));
    }
}
