//! TER: how many edits make a reference of a translation, in a hundred words of the reference.
//!
//! ```text
//! TER = 100 · edits / words of the reference         edits = words put in, left out or replaced + phrases moved
//! ```
//!
//! Of several references that counts which takes the fewest edits, over their mean length. Snover et al. 2006, "A study
//! of translation edit rate with targeted human annotation"; which phrases are tried, and how far from the diagonal
//! words are compared, are the limits of its program, tercom: see [`shifts`] and [`edits`].

pub mod edits;
pub mod shifts;

use super::numbers::Numbers;
use super::tokenize::{is_space, normalized, words};
use super::{Metric, cased, yes};
use std::borrow::Cow;

/// TER and how it is computed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ter {
    /// Do not ignore case.
    pub cased: bool,
    /// Cut punctuation off words first.
    pub normalize: bool,
    /// Leave out punctuation: `. , ? : ; ! " ( )`.
    pub no_punctuation: bool,
}

impl Ter {
    fn prepared<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = cased(text, !self.cased);
        if self.normalize {
            text = normalized(text.trim_end_matches(is_space)).into();
        }
        if self.no_punctuation {
            text = text
                .replace(['.', ',', '?', ':', ';', '!', '"', '(', ')'], "")
                .into();
        }
        text
    }
}

impl Metric for Ter {
    fn name(&self) -> String {
        "TER".to_owned()
    }

    /// Edits times the number of references, words of all references: whole numbers whose ratio is that of edits and
    /// mean length.
    fn width(&self) -> usize {
        2
    }

    fn count(&self, hypothesis: &str, references: &[&str], row: &mut Vec<u32>) {
        let hypothesis = self.prepared(hypothesis);
        // sacreBLEU normalizes references twice, which cuts `,,1` once more than it does in hypotheses.
        let twice = |text: &&str| self.prepared(&self.prepared(text)).into_owned();
        let references: Vec<String> = references.iter().map(twice).collect();
        let mut numbers = Numbers::default();
        let ours = numbers.all(words(&hypothesis));
        let (mut fewest, mut length) = (u32::MAX, 0);
        for reference in &references {
            let theirs = numbers.all(words(reference));
            fewest = fewest.min(shifts::edits(&ours, &theirs));
            length += theirs.len() as u32;
        }
        row.extend([fewest.saturating_mul(references.len() as u32), length]);
    }

    fn score(&self, sums: &[i64]) -> f64 {
        match (sums[0], sums[1]) {
            (0, 0) => 0.0,
            // Words where there should be none: as wrong as can be.
            (_, 0) => 100.0,
            // In this order as sacreBLEU has it, to the last bit: shuffles that are as far apart compare alike.
            (edits, length) => 100.0 * (edits as f64 / length as f64),
        }
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        let case = if self.cased { "mixed" } else { "lc" };
        vec![
            ("case", case.to_owned()),
            ("tok", "tercom".to_owned()),
            ("norm", yes(self.normalize)),
            ("punct", yes(!self.no_punctuation)),
            ("asian", yes(false)),
        ]
    }
}
