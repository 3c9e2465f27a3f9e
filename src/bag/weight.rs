//! What a term weighs in a document: w = tf · idf / norm.
//!
//! Letters: f = occurrences in the document, df = documents with the term, N = documents, d = length of the document
//! in terms, d̄ = mean length.
//!
//! | tf | |
//! |---|---|
//! | raw | f |
//! | sublinear | 1 + ln f |
//! | SMART n b l a | f; 1; 1 + log₂ f; ½ + ½ f / max f |
//! | SMART d L | 1 + log₂(1 + log₂ f); (1 + log₂ f) / (1 + log₂ mean f) |
//! | bm25 | f (k₁ + 1) / (f + k₁ (1 − b + b d / d̄)) |
//!
//! | idf | |
//! |---|---|
//! | standard | ln(N / df) + 1; smooth: ln((N + 1) / (df + 1)) + 1 |
//! | probabilistic | ln((N − df) / df); smooth: ln((N − df + ½) / (df + ½)); never below 0 |
//! | SMART f t p | log₂(N / df); log₂((N + 1) / df); log₂((N − df) / df), never below 0 |
//! | bm25 | ln(1 + (N − df + ½) / (df + ½)) |
//!
//! | norm | |
//! |---|---|
//! | l1, l2, SMART c | Σ abs w; √Σ w² |
//! | SMART u b | (1 − s) p + s v: v is the number of different terms (u) or characters (b) of the document, p the mean of v, s the slope |
//!
//! As scikit-learn's TfidfTransformer and gensim's TfidfModel compute them. G. Salton, C. Buckley, *Term-weighting
//! approaches in automatic text retrieval*, 1988; A. Singhal et al., *Pivoted document length normalization*, 1996;
//! S. Robertson, H. Zaragoza, *The probabilistic relevance framework: BM25 and beyond*, 2009, with the idf of Lucene.

use super::counter::{Cell, Total};
use serde::{Deserialize, Serialize};

/// How rows are weighted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WeightOptions {
    pub tf: Tf,
    pub idf: Idf,
    pub norm: Norm,
}

/// What the occurrences in a document count.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tf {
    Raw,
    Sublinear,
    Binary,
    Log2,
    DoubleLog2,
    Augmented,
    LogAverage,
    Bm25 { k1: f64, b: f64 },
}

/// What being rare counts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Idf {
    None,
    Standard,
    Smooth,
    Probabilistic,
    SmoothProbabilistic,
    Log2,
    ZeroCorrectedLog2,
    ProbabilisticLog2,
    Bm25,
}

/// What a row is divided by.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Norm {
    None,
    L1,
    L2,
    PivotedUnique { slope: f64 },
    PivotedCharacters { slope: f64 },
}

/// gensim's slope.
const SLOPE: f64 = 0.25;

impl WeightOptions {
    /// SMART notation: a letter each for tf, idf and norm, as in `ntc`.
    pub fn smart(letters: &str) -> Option<WeightOptions> {
        let mut letters = letters.chars();
        let (tf, idf, norm) = (letters.next()?, letters.next()?, letters.next()?);
        if letters.next().is_some() {
            return None;
        }
        Some(WeightOptions {
            tf: match tf {
                'n' | 't' => Tf::Raw,
                'b' => Tf::Binary,
                'l' => Tf::Log2,
                'd' => Tf::DoubleLog2,
                'a' => Tf::Augmented,
                'L' => Tf::LogAverage,
                _ => return None,
            },
            idf: match idf {
                'n' | 'x' => Idf::None,
                'f' => Idf::Log2,
                't' => Idf::ZeroCorrectedLog2,
                'p' => Idf::ProbabilisticLog2,
                _ => return None,
            },
            norm: match norm {
                'n' | 'x' => Norm::None,
                'c' => Norm::L2,
                'u' => Norm::PivotedUnique { slope: SLOPE },
                'b' => Norm::PivotedCharacters { slope: SLOPE },
                _ => return None,
            },
        })
    }
}

impl Tf {
    /// tf of f occurrences, where it looks at nothing else; 0 of none. Where columns are hashed a count may be below 0,
    /// and logarithms look at its size.
    pub fn of_count(self, f: f64) -> f64 {
        let size = f.abs();
        let value = match self {
            _ if f == 0.0 => 0.0,
            Tf::Sublinear => 1.0 + size.ln(),
            Tf::Binary => 1.0,
            Tf::Log2 => 1.0 + size.log2(),
            Tf::DoubleLog2 => 1.0 + (1.0 + size.log2()).log2(),
            Tf::Raw | Tf::Augmented | Tf::LogAverage | Tf::Bm25 { .. } => size,
        };
        if f < 0.0 { -value } else { value }
    }
}

impl Idf {
    /// The weight of a term in `df` of `documents` documents.
    pub fn of(self, df: u64, documents: u64) -> f64 {
        let (df, n) = (df as f64, documents as f64);
        match self {
            Idf::None => 1.0,
            Idf::Standard => (n / df).ln() + 1.0,
            Idf::Smooth => ((n + 1.0) / (df + 1.0)).ln() + 1.0,
            Idf::Probabilistic => ((n - df) / df).ln().max(0.0),
            Idf::SmoothProbabilistic => ((n - df + 0.5) / (df + 0.5)).ln().max(0.0),
            Idf::Log2 => (n / df).log2(),
            Idf::ZeroCorrectedLog2 => ((n + 1.0) / df).log2(),
            Idf::ProbabilisticLog2 => ((n - df) / df).log2().max(0.0),
            Idf::Bm25 => (1.0 + (n - df + 0.5) / (df + 0.5)).ln(),
        }
    }
}

/// Weights rows of cells; the cells' numbers are columns.
pub struct Weights {
    options: WeightOptions,
    idf: Vec<f64>,
    mean_length: f64,
    /// Of the columns, when the norm asks for them.
    characters: Vec<u32>,
    /// The mean of what the pivoted norms look at.
    pivot: f64,
}

/// Gathers what [`Weights`] needs to know of the columns, one after the other.
pub struct WeightsBuilder {
    weights: Weights,
    documents: u64,
}

impl WeightsBuilder {
    /// For `documents` documents with `tokens` terms in all.
    pub fn new(options: WeightOptions, documents: u64, tokens: u64) -> WeightsBuilder {
        WeightsBuilder {
            weights: Weights {
                options,
                idf: Vec::new(),
                mean_length: tokens as f64 / documents.max(1) as f64,
                characters: Vec::new(),
                pivot: 0.0,
            },
            documents,
        }
    }

    /// Adds a column: its term (empty where columns are hashed) and its totals.
    pub fn column(&mut self, term: &[u8], total: Total) {
        let weights = &mut self.weights;
        weights
            .idf
            .push(weights.options.idf.of(total.df.max(1), self.documents));
        match weights.options.norm {
            Norm::PivotedUnique { .. } => weights.pivot += total.df as f64,
            Norm::PivotedCharacters { .. } => {
                // Every term is followed by a space.
                let characters = term.iter().filter(|&&b| b & 0xC0 != 0x80).count() as u32 + 1;
                weights.characters.push(characters);
                weights.pivot += f64::from(characters) * total.count as f64;
            }
            Norm::None | Norm::L1 | Norm::L2 => {}
        }
    }

    pub fn finish(mut self) -> Weights {
        self.weights.pivot /= self.documents.max(1) as f64;
        self.weights
    }
}

/// Smaller idfs and weights count as 0, as in gensim.
const EPSILON: f64 = 1e-12;

impl Weights {
    /// Puts the weights of a document's cells into `out`; `length` counts all terms of the document, known or not.
    /// Weights of 0 are left out.
    pub fn row(&self, cells: &[Cell], length: u64, out: &mut Vec<(u32, f64)>) {
        out.clear();
        let tf = self.tf(cells, length);
        let weighted = cells.iter().map(|&(column, count)| {
            let idf = self.idf[column as usize];
            (column, tf(f64::from(count)) * idf, idf)
        });
        out.extend(
            weighted
                .filter(|&(_, _, idf)| idf.abs() > EPSILON)
                .map(|(column, weight, _)| (column, weight)),
        );
        let norm = self.norm(cells, out);
        if norm != 0.0 {
            out.iter_mut().for_each(|(_, weight)| *weight /= norm);
        }
        out.retain(|&(_, weight)| weight != 0.0);
    }

    /// The function of a count that is tf in this document.
    fn tf(&self, cells: &[Cell], length: u64) -> impl Fn(f64) -> f64 + use<> {
        let tf = self.options.tf;
        let counts = || cells.iter().map(|&(_, count)| f64::from(count));
        // What the document as a whole adds.
        let whole = match tf {
            Tf::Augmented => counts().fold(0.0, f64::max),
            Tf::LogAverage => 1.0 + (counts().sum::<f64>() / cells.len() as f64).log2(),
            Tf::Bm25 { k1, b } => k1 * (1.0 - b + b * length as f64 / self.mean_length),
            _ => 0.0,
        };
        move |f| match tf {
            Tf::Augmented => 0.5 + 0.5 * f / whole,
            Tf::LogAverage => Tf::Log2.of_count(f) / whole,
            Tf::Bm25 { k1, .. } => f * (k1 + 1.0) / (f + whole),
            _ => tf.of_count(f),
        }
    }

    fn norm(&self, cells: &[Cell], row: &[(u32, f64)]) -> f64 {
        match self.options.norm {
            Norm::None => 1.0,
            Norm::L1 => row.iter().map(|(_, weight)| weight.abs()).sum(),
            Norm::L2 => row.iter().map(|(_, w)| w * w).sum::<f64>().sqrt(),
            Norm::PivotedUnique { slope } => (1.0 - slope) * self.pivot + slope * row.len() as f64,
            Norm::PivotedCharacters { slope } => {
                let characters = cells.iter().map(|&(column, count)| {
                    f64::from(count) * f64::from(self.characters[column as usize])
                });
                (1.0 - slope) * self.pivot + slope * characters.sum::<f64>()
            }
        }
    }
}
