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
    /// The weight of a term in `df` of `documents` documents. Where a formula divides by df, a term of no document
    /// weighs as one of a single document.
    pub fn of(self, df: u64, documents: u64) -> f64 {
        let (some, df) = (df.max(1) as f64, df as f64);
        let n = documents.max(1) as f64;
        match self {
            Idf::None => 1.0,
            Idf::Standard => (n / some).ln() + 1.0,
            Idf::Smooth => ((n + 1.0) / (df + 1.0)).ln() + 1.0,
            Idf::Probabilistic => ((n - some) / some).ln().max(0.0),
            Idf::SmoothProbabilistic => ((n - df + 0.5) / (df + 0.5)).ln().max(0.0),
            Idf::Log2 => (n / some).log2(),
            Idf::ZeroCorrectedLog2 => ((n + 1.0) / some).log2(),
            Idf::ProbabilisticLog2 => ((n - some) / some).log2().max(0.0),
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
                // Never 0, for others are divided by it.
                mean_length: tokens.max(1) as f64 / documents.max(1) as f64,
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
            .push(weights.options.idf.of(total.df, self.documents));
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
    /// Whether every cell of every row has a weight: none is 0.
    pub fn keep_all(&self) -> bool {
        self.idf.iter().all(|idf| idf.abs() > EPSILON)
    }

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

    /// The function of a count that is tf in this document. As in [`Tf::of_count`], only the size of a count below 0
    /// goes through the formula, and none gives 0.
    fn tf(&self, cells: &[Cell], length: u64) -> impl Fn(f64) -> f64 + use<> {
        let tf = self.options.tf;
        let sizes = || cells.iter().map(|&(_, count)| f64::from(count).abs());
        // What the document as a whole adds.
        let whole = match tf {
            Tf::Augmented => sizes().fold(0.0, f64::max),
            Tf::LogAverage => {
                let terms = sizes().filter(|&size| size > 0.0).count();
                1.0 + (sizes().sum::<f64>() / terms as f64).log2()
            }
            Tf::Bm25 { k1, b } => k1 * (1.0 - b + b * length as f64 / self.mean_length),
            _ => 0.0,
        };
        move |f| {
            let size = f.abs();
            let value = match tf {
                _ if size == 0.0 => 0.0,
                Tf::Augmented => 0.5 + 0.5 * size / whole,
                Tf::LogAverage => Tf::Log2.of_count(size) / whole,
                Tf::Bm25 { k1, .. } => size * (k1 + 1.0) / (size + whole),
                _ => tf.of_count(size),
            };
            value.copysign(f)
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
                    f64::from(count).abs() * f64::from(self.characters[column as usize])
                });
                (1.0 - slope) * self.pivot + slope * characters.sum::<f64>()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_close(found: f64, expected: f64) {
        // Both are computed in double precision, in another order.
        let tolerance = 4.0 * f64::EPSILON * expected.abs();
        assert!(
            (found - expected).abs() <= tolerance,
            "{found} is not {expected}"
        );
    }

    /// The weights of columns 0, 1, … with (characters, count, df) each, of 8 documents with 40 terms in all.
    fn weights(options: WeightOptions, columns: &[(usize, u64, u64)]) -> Weights {
        let mut builder = WeightsBuilder::new(options, 8, 40);
        for &(characters, count, df) in columns {
            builder.column("é".repeat(characters).as_bytes(), Total { count, df });
        }
        builder.finish()
    }

    #[track_caller]
    fn assert_row(weights: &Weights, cells: &[Cell], length: u64, expected: &[(u32, f64)]) {
        let mut row = Vec::new();
        weights.row(cells, length, &mut row);
        let columns = |row: &[(u32, f64)]| row.iter().map(|cell| cell.0).collect::<Vec<_>>();
        assert_eq!(columns(&row), columns(expected), "{row:?}");
        for (&(_, found), &(_, expected)) in row.iter().zip(expected) {
            assert_close(found, expected);
        }
    }

    fn smart(letters: &str) -> WeightOptions {
        WeightOptions::smart(letters).unwrap()
    }

    /// With N = 8: ln 2 = 0.693…, ln 3 = 1.098….
    #[test]
    fn idfs_follow_their_formulas() {
        const LN_3: f64 = 1.098_612_288_668_109_8;
        let ln_2 = std::f64::consts::LN_2;
        assert_close(Idf::None.of(2, 8), 1.0);
        // ln(8 / 2) + 1
        assert_close(Idf::Standard.of(2, 8), 2.0 * ln_2 + 1.0);
        // ln(9 / 3) + 1
        assert_close(Idf::Smooth.of(2, 8), LN_3 + 1.0);
        // ln(6 / 2)
        assert_close(Idf::Probabilistic.of(2, 8), LN_3);
        // ln(6.5 / 2.5)
        assert_close(Idf::SmoothProbabilistic.of(2, 8), 0.955_511_445_027_436_4);
        // log2(8 / 2)
        assert_close(Idf::Log2.of(2, 8), 2.0);
        // log2(9 / 3)
        assert_close(Idf::ZeroCorrectedLog2.of(3, 8), LN_3 / ln_2);
        // log2(6 / 2)
        assert_close(Idf::ProbabilisticLog2.of(2, 8), LN_3 / ln_2);
        // ln(1 + 6.5 / 2.5)
        assert_close(Idf::Bm25.of(2, 8), 1.280_933_845_462_064_3);
    }

    #[test]
    fn odds_of_terms_in_most_documents_are_0() {
        for idf in [
            Idf::Probabilistic,
            Idf::SmoothProbabilistic,
            Idf::ProbabilisticLog2,
        ] {
            for df in 4..=8 {
                assert_eq!(idf.of(df, 8), 0.0, "{idf:?} {df}");
            }
        }
    }

    /// A vocabulary has terms that no document has.
    #[test]
    fn a_term_of_no_document_has_an_idf() {
        assert_close(Idf::Smooth.of(0, 8), 9f64.ln() + 1.0);
        assert_close(Idf::SmoothProbabilistic.of(0, 8), 17f64.ln());
        assert_close(Idf::Bm25.of(0, 8), 18f64.ln());
        for idf in [
            Idf::Standard,
            Idf::Probabilistic,
            Idf::Log2,
            Idf::ZeroCorrectedLog2,
            Idf::ProbabilisticLog2,
        ] {
            assert_eq!(idf.of(0, 8), idf.of(1, 8), "{idf:?}");
            // A vocabulary may be all that is known.
            assert!(idf.of(0, 0).is_finite(), "{idf:?}");
        }
    }

    #[test]
    fn lengths_are_compared_with_those_of_no_text() {
        let options = WeightOptions {
            tf: Tf::Bm25 { k1: 1.2, b: 0.0 },
            idf: Idf::None,
            norm: Norm::None,
        };
        let mut builder = WeightsBuilder::new(options, 1, 0);
        builder.column(b"a", Total::default());
        // With b = 0 the length does not count: 1 · 2.2 / (1 + 1.2).
        assert_row(&builder.finish(), &[(0, 1)], 9, &[(0, 1.0)]);
    }

    #[test]
    fn tfs_follow_their_formulas() {
        let of = |tf: Tf| [1.0, 2.0, 4.0].map(|f| tf.of_count(f));
        let ln_2 = std::f64::consts::LN_2;
        assert_eq!(of(Tf::Raw), [1.0, 2.0, 4.0]);
        assert_eq!(of(Tf::Sublinear), [1.0, 1.0 + ln_2, 1.0 + 4f64.ln()]);
        assert_eq!(of(Tf::Binary), [1.0, 1.0, 1.0]);
        assert_eq!(of(Tf::Log2), [1.0, 2.0, 3.0]);
        assert_eq!(of(Tf::DoubleLog2), [1.0, 2.0, 1.0 + 3f64.log2()]);
        for tf in [Tf::Raw, Tf::Sublinear, Tf::Binary, Tf::Log2, Tf::DoubleLog2] {
            assert_eq!(tf.of_count(0.0), 0.0, "{tf:?}");
            assert_eq!(tf.of_count(-4.0), -tf.of_count(4.0), "{tf:?}");
        }
    }

    #[test]
    fn smart_letters_name_tf_idf_and_norm() {
        let of = |letters: &str| {
            let options = smart(letters);
            (options.tf, options.idf, options.norm)
        };
        let slope = 0.25;
        assert_eq!(of("nnn"), (Tf::Raw, Idf::None, Norm::None));
        assert_eq!(of("txx"), of("nnn"));
        assert_eq!(of("bfc"), (Tf::Binary, Idf::Log2, Norm::L2));
        let unique = Norm::PivotedUnique { slope };
        assert_eq!(of("ltu"), (Tf::Log2, Idf::ZeroCorrectedLog2, unique));
        let characters = Norm::PivotedCharacters { slope };
        assert_eq!(
            of("dpb"),
            (Tf::DoubleLog2, Idf::ProbabilisticLog2, characters)
        );
        assert_eq!(of("ann").0, Tf::Augmented);
        assert_eq!(of("Lnn").0, Tf::LogAverage);
        for wrong in ["", "nt", "ntcc", "xnn", "nbn", "nnl", "NTC", "ñtc"] {
            assert_eq!(WeightOptions::smart(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn tf_may_look_at_the_whole_document() {
        let columns = [(1, 9, 4); 3];
        let cells = [(0, 1), (1, 4), (2, 1)];
        // max f = 4.
        let expected = [(0, 0.625), (1, 1.0), (2, 0.625)];
        assert_row(&weights(smart("ann"), &columns), &cells, 6, &expected);
        // Mean f = 2, whose 1 + log2 is 2.
        let expected = [(0, 0.5), (1, 1.5), (2, 0.5)];
        assert_row(&weights(smart("Lnn"), &columns), &cells, 6, &expected);
    }

    #[test]
    fn rows_are_divided_by_their_norm() {
        let columns = [(1, 9, 4); 2];
        let of = |norm| {
            let options = WeightOptions {
                tf: Tf::Raw,
                idf: Idf::None,
                norm,
            };
            weights(options, &columns)
        };
        let cells = [(0, 3), (1, -4)];
        assert_row(&of(Norm::None), &cells, 7, &[(0, 3.0), (1, -4.0)]);
        assert_row(&of(Norm::L1), &cells, 7, &[(0, 3.0 / 7.0), (1, -4.0 / 7.0)]);
        assert_row(&of(Norm::L2), &cells, 7, &[(0, 0.6), (1, -0.8)]);
        assert_row(&of(Norm::L2), &[], 0, &[]);
    }

    #[test]
    fn pivoted_norms_look_at_terms_or_characters() {
        // p = (4 + 2 + 6) / 8 = 1.5; the document has v = 2.
        let columns = [(3, 8, 4), (1, 4, 2), (4, 8, 6)];
        let norm = 0.75 * 1.5 + 0.25 * 2.0;
        let cells = [(0, 1), (2, 2)];
        let expected = [(0, 1.0 / norm), (2, 2.0 / norm)];
        assert_row(&weights(smart("nnu"), &columns), &cells, 3, &expected);
        // With the space behind each term p = (4·8 + 2·4 + 5·8) / 8 = 10 and v = 4 + 2·5 = 14.
        let norm = 0.75 * 10.0 + 0.25 * 14.0;
        let expected = [(0, 1.0 / norm), (2, 2.0 / norm)];
        assert_row(&weights(smart("nnb"), &columns), &cells, 3, &expected);
    }

    #[test]
    fn bm25_saturates_and_looks_at_the_length() {
        let of = |k1, b| {
            let options = WeightOptions {
                tf: Tf::Bm25 { k1, b },
                idf: Idf::Bm25,
                norm: Norm::None,
            };
            // idf = ln(1 + 6.5 / 2.5) = ln 3.6
            weights(options, &[(1, 9, 2)])
        };
        let idf = 3.6f64.ln();
        // d = 10 and d̄ = 5: k1 (1 - b + b d / d̄) = 1.2 (0.25 + 1.5) = 2.1; 3 · 2.2 / (3 + 2.1).
        assert_row(&of(1.2, 0.75), &[(0, 3)], 10, &[(0, idf * 6.6 / 5.1)]);
        // The length does not count; 3 · 3 / (3 + 2).
        assert_row(&of(2.0, 0.0), &[(0, 3)], 10, &[(0, idf * 1.8)]);
        // No more than once counts.
        assert_row(&of(0.0, 0.75), &[(0, 3)], 10, &[(0, idf)]);
    }

    #[test]
    fn weights_of_0_are_left_out() {
        let columns = [(1, 9, 8), (1, 9, 2)];
        // log2(8 / 8) = 0
        let found = weights(smart("nfn"), &columns);
        assert_row(&found, &[(0, 3), (1, 1)], 4, &[(1, 2.0)]);
        assert_row(&found, &[(0, 3)], 3, &[]);
    }

    /// Of hashed columns.
    #[test]
    fn counts_below_0_weigh_as_much_with_the_other_sign() {
        let bm25 = WeightOptions {
            tf: Tf::Bm25 { k1: 1.2, b: 0.75 },
            idf: Idf::Bm25,
            norm: Norm::None,
        };
        let all = "ann Lnn nnn dnc ltu npb".split(' ').map(smart);
        for options in all.chain([bm25]) {
            let weights = weights(options, &[(1, 9, 2); 3]);
            let (mut plus, mut minus) = (Vec::new(), Vec::new());
            weights.row(&[(0, 2), (1, 1), (2, 0)], 3, &mut plus);
            weights.row(&[(0, -2), (1, -1), (2, 0)], 3, &mut minus);
            assert_eq!(plus.len(), 2, "{options:?}");
            minus.iter_mut().for_each(|(_, weight)| *weight = -*weight);
            assert_eq!(plus, minus, "{options:?}");
            assert!(
                plus.iter()
                    .all(|(_, weight)| *weight > 0.0 && weight.is_finite())
            );
        }
    }
}
