//! Decoding: the words of a translation, one after the other, by any model that can take a step.
//!
//! | module | what is in it |
//! |---|---|
//! | [`words`] | the best next words of each row |
//! | [`search`] | the hypotheses of one sentence: beam search, sampling, given beginnings |
//! | [`stream`] | many sentences at once, each joining when another has finished |
//! | [`looks`] | what words attended to |
//!
//! ```text
//! score(y) = ln p(y | x) = Σ_t ln p(y_t | y_<t, x)          normalised: score / |y|^α
//! ```
//!
//! |y| counts the mark of the end. With α = 1, that of CTranslate2 and fairseq by default, hypotheses are compared by the
//! mean of their words' logarithms. A sentence's translation does not depend on the sentences that are translated with
//! it, nor on the number of threads.

#[cfg(test)]
pub mod check;
pub mod looks;
pub mod search;
pub mod stream;
pub mod words;

use crate::nn::packed::Packed;
use crate::translate::batch::{BOS, EOS};
use crate::translate::heat::Maps;
use words::{Found, Wanted};

/// A hypothesis that is to be continued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The number of its sentence among the states.
    pub sentence: u32,
    /// The row it continues, among those of its sentence in the last step.
    pub parent: u32,
    /// Its last token.
    pub token: u32,
}

/// The number of each row among those of its sentence.
pub fn places(rows: &[Row]) -> Vec<usize> {
    let mut places = Vec::with_capacity(rows.len());
    for (i, row) in rows.iter().enumerate() {
        let is_first = i == 0 || rows[i - 1].sentence != row.sentence;
        places.push(if is_first { 0 } else { places[i - 1] + 1 });
    }
    places
}

/// The rows of each sentence, without an end.
pub fn each_sentence(rows: &[Row]) -> impl Iterator<Item = &[Row]> {
    let border = |s: usize| rows.partition_point(|row| (row.sentence as usize) < s);
    (0..).map(move |s| &rows[border(s)..border(s + 1)])
}

/// Of each row of the last step, which of all rows of its sentence led to it.
#[derive(Clone, Debug, Default)]
pub struct Paths(Vec<Vec<u32>>);

impl Paths {
    /// Makes them those of new rows, each of which comes behind `written` others.
    pub fn follow(&mut self, rows: &[Row], written: u32) {
        let path = |(row, place): (&Row, u32)| {
            let old = self.0.get(row.parent as usize);
            let old = old.map_or(&[][..], Vec::as_slice);
            let mut path = Vec::with_capacity(old.len() + 1);
            path.extend_from_slice(old);
            path.push(place);
            path
        };
        self.0 = rows.iter().zip(written..).map(path).collect();
    }

    pub fn of(&self, row: usize) -> &[u32] {
        &self.0[row]
    }
}

/// A model that translates step by step. Rows of one sentence stand together, in the order of the states.
pub trait Model: Sync {
    /// What it remembers of a sentence under way: its source, and each row of the last step.
    type State: Send;

    /// Values of the vector that scores of words are made of.
    fn dim(&self) -> usize;

    /// Tokens that a source or a translation may have at most, with their marks.
    fn limit(&self) -> usize;

    /// Reads sources, which end with EOS.
    fn begin(&self, sources: &Packed) -> Vec<Self::State>;

    /// Takes every row a token further: `h` becomes their vectors, (rows, dim).
    fn step(&self, states: &mut [&mut Self::State], rows: &[Row], h: &mut [f32]);

    /// Takes every row a token further, and finds what is wanted of the scores of the words that may follow.
    fn find(&self, states: &mut [&mut Self::State], rows: &[Row], wanted: &[Wanted]) -> Vec<Found>;

    /// For each token that led to a row of the last step, and for the one that comes next: the source token that it
    /// attended to most.
    fn alignment(&self, state: &Self::State, row: usize) -> Vec<u32>;

    /// Bytes that are kept for a token of a source while its translation is under way, with `beam` hypotheses that become
    /// `factor` times as long.
    fn bytes(&self, beam: usize, factor: f32) -> usize;

    /// Layers that attend to the source, and heads of each.
    fn heads(&self) -> (usize, usize);

    /// Where every weight of that attention is written, where it is wanted: (rows, layers, heads, source tokens).
    fn record(state: &mut Self::State) -> &mut Option<Vec<f32>>;

    /// What each token of a translation attended to, both without marks.
    fn maps(&self, source: &[u32], target: &[u32]) -> Maps {
        let mut packed = Packed::default();
        packed.push(source.iter().copied().chain([EOS]));
        let mut weights = Vec::new();
        let mut h = vec![0.0; self.dim()];
        for mut state in self.begin(&packed) {
            *Self::record(&mut state) = Some(Vec::new());
            for token in [BOS].iter().chain(target) {
                let row = Row {
                    sentence: 0,
                    parent: 0,
                    token: *token,
                };
                self.step(&mut [&mut state], &[row], &mut h);
            }
            weights.extend(Self::record(&mut state).take().unwrap_or_default());
        }
        let (layers, heads) = self.heads();
        Maps {
            layers,
            heads,
            source: source.len() + 1,
            target: target.len() + 1,
            weights,
        }
    }
}

/// How translations are searched for.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Hypotheses that are kept of each sentence; 1 is greedy search. When sampling: how many samples.
    pub beam: usize,
    /// Translations that are given of each sentence, at most as many as the beam has.
    pub best: usize,
    /// α of the length penalty.
    pub length_penalty: f32,
    /// A translation has at most `factor` · (tokens of the source, with its mark) + `plus` tokens.
    pub factor: f32,
    pub plus: usize,
    /// Runs of so many tokens do not come twice in a translation; 0 allows them.
    pub no_repeat: usize,
    pub sample: Option<Sample>,
    /// Whether greedy search computes scores, too.
    pub scores: bool,
    pub alignment: bool,
    /// Tokens that never come: padding, the mark of the beginning, the unknown word.
    pub forbidden: Vec<u32>,
}

/// How words are drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Scores are divided by it.
    pub temperature: f32,
    /// Only the best so many words are drawn from; 0 for all.
    pub top_k: usize,
    /// Only the most probable words that have so much of the probability together; 1 for all.
    pub top_p: f32,
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            beam: 5,
            best: 1,
            length_penalty: 1.0,
            factor: 1.5,
            plus: 10,
            no_repeat: 0,
            sample: None,
            scores: false,
            alignment: false,
            forbidden: vec![0, 1, 3],
        }
    }
}

/// A sentence to be translated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Task {
    /// Its number, which picks the random numbers of its samples.
    pub number: u64,
    /// Tokens of the source, without marks.
    pub source: Vec<u32>,
    /// Tokens that the translation begins with.
    pub prefix: Vec<u32>,
    /// Whether the prefix is the whole translation, whose score is wanted.
    pub is_given: bool,
}

/// A translation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hypothesis {
    /// Its tokens, without marks.
    pub tokens: Vec<u32>,
    /// ln p of each, and of the end; empty when no scores were wanted.
    pub words: Vec<f32>,
    /// Their sum.
    pub score: f32,
    /// The sum by the length penalty.
    pub normalised: f32,
    /// For each token the source token it attended to most, when that was wanted.
    pub alignment: Vec<u32>,
}
