//! BLEU: the share of a translation's n-grams that stand in a reference, less for what is shorter than it.
//!
//! ```text
//! BLEU = 100 · BP · (p₁ · p₂ · p₃ · p₄)^¼        pₙ = matches of length n / n-grams of length n
//! BP   = min(1, exp(1 − r/c))                    c, r = words of the hypotheses, of the references
//! ```
//!
//! An n-gram matches as often as it stands in the reference where it stands most often; of several references the one
//! nearest in length counts for r, the shorter of two. Papineni et al. 2002, "BLEU: a method for automatic evaluation
//! of machine translation". Smoothing: Chen and Cherry 2014, "A systematic comparison of smoothing techniques for
//! sentence-level BLEU".

use super::ngrams::{Ngrams, Shape};
use super::numbers::Numbers;
use super::tokenize::{Tokenizer, words};
use super::{Metric, cased, yes};
use std::borrow::Cow;

/// The greatest length of n-grams.
const ORDER: usize = 4;

const SHAPE: Shape = Shape {
    order: ORDER as u32,
    bits: 32,
};

/// What becomes of a length of which no n-gram matches.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Smoothing {
    /// The first such length counts as half a match, the second as a quarter, …
    #[default]
    Exp,
    /// It counts as this many matches.
    Floor(f64),
    /// This is added to matches and n-grams of all lengths above 1.
    AddK(f64),
    /// The score is 0.
    None,
}

/// BLEU and how it is computed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bleu {
    pub tokenizer: Tokenizer,
    /// Ignore case.
    pub lower: bool,
    pub smoothing: Smoothing,
    /// Leave out lengths that the hypothesis is too short for: for single sentences.
    pub effective_order: bool,
}

/// The parts of a BLEU score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BleuParts {
    /// By length, in percent, smoothed.
    pub precisions: [f64; ORDER],
    pub brevity_penalty: f64,
    /// Words of the hypotheses.
    pub hypothesis: i64,
    /// Words of the references.
    pub reference: i64,
    /// 0 to 100.
    pub score: f64,
}

impl Bleu {
    /// The score and its parts, of counts summed over sentences.
    pub fn parts(&self, sums: &[i64]) -> BleuParts {
        let (lengths, counts) = sums.split_at(2);
        let (correct, total) = counts.split_at(ORDER);
        let (hypothesis, reference) = (lengths[0], lengths[1]);
        let mut parts = BleuParts {
            precisions: [0.0; ORDER],
            brevity_penalty: brevity_penalty(hypothesis, reference),
            hypothesis,
            reference,
            score: 0.0,
        };
        if correct.iter().all(|&matches| matches == 0) {
            return parts;
        }
        let mut order = ORDER;
        let mut halving = 1.0;
        for n in 0..ORDER {
            let (mut matches, mut ngrams) = (correct[n] as f64, total[n] as f64);
            if let Smoothing::AddK(k) = self.smoothing
                && n > 0
            {
                matches += k;
                ngrams += k;
            }
            if ngrams == 0.0 {
                break;
            }
            if self.effective_order {
                order = n + 1;
            }
            if matches == 0.0 {
                matches = match self.smoothing {
                    Smoothing::Exp => {
                        halving /= 2.0;
                        halving
                    }
                    Smoothing::Floor(matches) => matches,
                    Smoothing::AddK(_) | Smoothing::None => 0.0,
                };
            }
            parts.precisions[n] = 100.0 * matches / ngrams;
        }
        // The logarithm of 0 is −∞, and the score 0.
        let logs: f64 = parts.precisions[..order].iter().map(|p| p.ln()).sum();
        parts.score = parts.brevity_penalty * (logs / order as f64).exp();
        parts
    }
}

fn brevity_penalty(hypothesis: i64, reference: i64) -> f64 {
    match hypothesis {
        _ if hypothesis >= reference => 1.0,
        0 => 0.0,
        _ => (1.0 - reference as f64 / hypothesis as f64).exp(),
    }
}

impl Metric for Bleu {
    fn name(&self) -> String {
        "BLEU".to_owned()
    }

    /// Words of the hypothesis and of the reference, matches by length, n-grams by length.
    fn width(&self) -> usize {
        2 + 2 * ORDER
    }

    fn count(&self, hypothesis: &str, references: &[&str], row: &mut Vec<u32>) {
        let cased = |text| cased(text, self.lower);
        let hypothesis = cased(hypothesis);
        let hypothesis = self.tokenizer.spaced(&hypothesis);
        let references: Vec<Cow<str>> = references.iter().map(|text| cased(text)).collect();
        let references: Vec<Cow<str>> = (references.iter())
            .map(|text| self.tokenizer.spaced(text))
            .collect();
        let mut numbers = Numbers::default();
        let mut ngrams = |text| Ngrams::of(&numbers.all(words(text)), SHAPE);
        let theirs: Vec<Ngrams> = references.iter().map(|text| ngrams(text)).collect();
        let ours = ngrams(&hypothesis);
        let length = ours.count(1);
        let nearest = (theirs.iter().map(|reference| reference.count(1)))
            .min_by_key(|&reference| (reference.abs_diff(length), reference));
        row.extend([length, nearest.unwrap_or(0)]);
        row.extend((1..=SHAPE.order).map(|n| ours.matches(&theirs, n)));
        row.extend((1..=SHAPE.order).map(|n| ours.count(n)));
    }

    fn score(&self, sums: &[i64]) -> f64 {
        self.parts(sums).score
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        let smooth = match self.smoothing {
            Smoothing::Exp => "exp".to_owned(),
            Smoothing::Floor(value) => format!("floor[{value:.2}]"),
            Smoothing::AddK(value) => format!("add-k[{value:.2}]"),
            Smoothing::None => "none".to_owned(),
        };
        let case = if self.lower { "lc" } else { "mixed" };
        vec![
            ("case", case.to_owned()),
            ("eff", yes(self.effective_order)),
            ("tok", self.tokenizer.name().to_owned()),
            ("smooth", smooth),
        ]
    }

    /// `63.1/41.2/28.0/19.4 (BP = 1.000 ratio = 1.012 hyp_len = 1234 ref_len = 1219)`, as sacreBLEU has it.
    fn details(&self, sums: &[i64]) -> String {
        let parts = self.parts(sums);
        let precisions = parts.precisions.map(|p| format!("{p:.1}")).join("/");
        let ratio = match parts.reference {
            0 => 0.0,
            reference => parts.hypothesis as f64 / reference as f64,
        };
        format!(
            "{precisions} (BP = {:.3} ratio = {ratio:.3} hyp_len = {} ref_len = {})",
            parts.brevity_penalty, parts.hypothesis, parts.reference
        )
    }
}
