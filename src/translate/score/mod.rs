//! How close translations come to those of people: BLEU, chrF and TER, equal to sacreBLEU's.
//!
//! Every metric sums a few counts over the sentences and makes a score of the sums. The counts of each sentence are
//! kept ([`Statistics`]), so that a sample or a shuffle of the sentences is scored without looking at them again.
//!
//! Reading order:
//!
//! | module | what is in it |
//! |---|---|
//! | [`tokenize`] | the words that BLEU counts: 13a, intl, char, none |
//! | [`ngrams`], [`numbers`] | n-grams of all lengths by one sort; words as numbers |
//! | [`bleu`], [`chrf`], [`ter`] | the metrics |
//! | [`significance`] | intervals by the bootstrap, and whether two systems differ |
//! | [`pcg64`] | numpy's random numbers, for these |

pub mod bleu;
pub mod chrf;
pub mod ngrams;
pub mod numbers;
pub mod pcg64;
pub mod significance;
pub mod ter;
pub mod tokenize;

pub use bleu::Bleu;
pub use chrf::Chrf;
pub use ter::Ter;

use rayon::prelude::*;

/// Sentences that one task measures.
const CHUNK: usize = 256;

/// A score that is computed from sums over sentences.
pub trait Metric: Sync {
    /// As tables and signatures have it: `BLEU`, `chrF2++`, `TER`.
    fn name(&self) -> String;

    /// How many counts a sentence has.
    fn width(&self) -> usize;

    /// Appends the counts of a sentence: [`Metric::width`] numbers.
    fn count(&self, hypothesis: &str, references: &[&str], row: &mut Vec<u32>);

    /// The score, 0 to 100 (TER may be more), of counts summed over sentences.
    fn score(&self, sums: &[i64]) -> f64;

    /// What the score depends on, as names and values for [`signature`].
    fn settings(&self) -> Vec<(&'static str, String)>;

    /// The parts of the score, for people; empty if there are none.
    fn details(&self, _sums: &[i64]) -> String {
        String::new()
    }
}

/// A hypothesis and a reference differ in their number of sentences, or there is no reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatisticsError {
    #[error("{hypotheses} sentences, but {sentences} in reference {}", reference + 1)]
    Lengths {
        hypotheses: usize,
        /// Which reference, from 0.
        reference: usize,
        sentences: usize,
    },
    #[error("no references")]
    NoReferences,
}

/// The counts of every sentence of a system by one metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statistics {
    width: usize,
    /// (sentences × width)
    counts: Vec<u32>,
}

impl Statistics {
    /// Measures `hypotheses` against one or more `references`, each a translation of every sentence; line ends are not
    /// part of a sentence.
    ///
    /// # Errors
    /// When there are no references, or one has more or fewer sentences.
    pub fn of<S: AsRef<str> + Sync>(
        metric: &dyn Metric,
        hypotheses: &[S],
        references: &[&[S]],
    ) -> Result<Statistics, StatisticsError> {
        if references.is_empty() {
            return Err(StatisticsError::NoReferences);
        }
        if let Some(reference) = (references.iter()).position(|r| r.len() != hypotheses.len()) {
            return Err(StatisticsError::Lengths {
                hypotheses: hypotheses.len(),
                reference,
                sentences: references[reference].len(),
            });
        }
        let width = metric.width();
        let rows = |(chunk, sentences): (usize, &[S])| {
            let mut rows = Vec::with_capacity(sentences.len() * width);
            let mut of_sentence = Vec::with_capacity(references.len());
            for (i, hypothesis) in sentences.iter().enumerate() {
                of_sentence.clear();
                of_sentence.extend(references.iter().map(|r| r[chunk * CHUNK + i].as_ref()));
                metric.count(hypothesis.as_ref(), &of_sentence, &mut rows);
            }
            rows
        };
        let chunks: Vec<Vec<u32>> = (hypotheses.par_chunks(CHUNK).enumerate())
            .map(rows)
            .collect();
        Ok(Statistics {
            width,
            counts: chunks.concat(),
        })
    }

    /// The number of sentences.
    pub fn len(&self) -> usize {
        self.counts.len() / self.width
    }

    /// Whether there is no sentence.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// The counts of each sentence, in order.
    pub fn rows(&self) -> std::slice::ChunksExact<'_, u32> {
        self.counts.chunks_exact(self.width)
    }

    /// The sums over all sentences.
    pub fn sums(&self) -> Vec<i64> {
        let mut sums = vec![0; self.width];
        self.rows().for_each(|row| add(&mut sums, row));
        sums
    }
}

/// Adds the counts of a sentence to sums.
fn add(sums: &mut [i64], row: &[u32]) {
    for (sum, &count) in sums.iter_mut().zip(row) {
        *sum += i64::from(count);
    }
}

/// What a score was computed with, in one line: how many references, what was drawn at random, what the metric was set
/// to, which program. The names are those of sacreBLEU.
///
/// ```text
/// nrefs:1|bs:1000|seed:12345|case:mixed|eff:no|tok:13a|smooth:exp|version:wordmill-0.1.0
/// ```
pub fn signature(metric: &dyn Metric, references: usize, drawn: &[(&str, u64)]) -> String {
    let mut signature = format!("nrefs:{references}");
    let drawn = drawn.iter().map(|(name, value)| (*name, value.to_string()));
    let version = concat!("wordmill-", env!("CARGO_PKG_VERSION")).to_owned();
    for (name, value) in drawn.chain(metric.settings()).chain([("version", version)]) {
        signature += &format!("|{name}:{value}");
    }
    signature
}

/// BLEU of a corpus with one reference, 0 to 100, as `sacrebleu` prints it by default: words by 13a, cased.
///
/// # Panics
/// When there are not as many references as hypotheses.
pub fn corpus_bleu(hypotheses: &[String], references: &[String]) -> f64 {
    corpus_score(&Bleu::default(), hypotheses, references)
}

/// chrF2 of a corpus with one reference, 0 to 100, cased.
///
/// # Panics
/// When there are not as many references as hypotheses.
pub fn corpus_chrf(hypotheses: &[String], references: &[String]) -> f64 {
    corpus_score(&Chrf::default(), hypotheses, references)
}

fn corpus_score(metric: &dyn Metric, hypotheses: &[String], references: &[String]) -> f64 {
    assert_eq!(hypotheses.len(), references.len(), "pairs of sentences");
    let statistics = Statistics::of(metric, hypotheses, &[references]);
    // The lengths are equal, and there is a reference.
    statistics.map_or(0.0, |statistics| metric.score(&statistics.sums()))
}

/// Text as these metrics compare it: small letters if asked for.
fn cased(text: &str, lower: bool) -> std::borrow::Cow<'_, str> {
    match lower {
        true => text.to_lowercase().into(),
        false => text.into(),
    }
}

/// `yes` or `no`, for signatures.
fn yes(holds: bool) -> String {
    if holds { "yes" } else { "no" }.to_owned()
}

#[cfg(test)]
mod tests;
