//! How good vectors are: analogies, and similarity as people judged it.
//!
//! ```text
//! analogies    a is to b as c is to d: right when d is the row nearest to b̂ + ĉ − â, those three left out
//! similarity   Spearman's ρ between cosines and judgements, ranks of equal values averaged
//! ```
//!
//! The rules are those of gensim's evaluators, so the numbers are too: case is folded, the first of several words that
//! fold to the same is meant, and what has an unknown word is skipped. Mikolov et al. (2013), Efficient estimation of
//! word representations in vector space.

use super::View;
use super::search::{Query, Search};
use std::collections::HashMap;

/// A line that is not as it should be.
#[derive(Debug, thiserror::Error)]
#[error("{problem}")]
pub struct LineError {
    pub line: u64,
    pub problem: String,
}

/// Questions under one heading.
#[derive(Debug)]
pub struct Section {
    pub name: String,
    questions: Vec<[String; 4]>,
}

/// Pairs of words with what people thought of their likeness.
#[derive(Debug)]
pub struct Judgements(Vec<(String, String, f64)>);

/// How a section came out.
#[derive(Clone, Debug, PartialEq)]
pub struct Accuracy {
    pub section: String,
    pub correct: usize,
    /// Questions whose words are known.
    pub known: usize,
    pub questions: usize,
}

/// How a set of pairs came out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Correlation {
    /// None of fewer than two known pairs, or when all values are the same.
    pub spearman: Option<f64>,
    /// Pairs whose words are known.
    pub known: usize,
    pub pairs: usize,
}

/// Reads questions: four words a line, under headings `: name`. Words are folded.
///
/// # Errors
/// When a line has another number of words, or stands before the first heading.
pub fn sections(text: &str) -> Result<Vec<Section>, LineError> {
    let mut sections: Vec<Section> = Vec::new();
    for (line, content) in (1..).zip(text.lines()) {
        if let Some(name) = content.strip_prefix(':') {
            let name = name.trim().to_owned();
            let questions = Vec::new();
            sections.push(Section { name, questions });
            continue;
        }
        let words: Vec<String> = content.split_whitespace().map(fold).collect();
        if words.is_empty() {
            continue;
        }
        let found = words.len();
        let question = words.try_into().map_err(|_| LineError {
            line,
            problem: format!("expected four words, found {found}"),
        })?;
        let last = sections.last_mut().ok_or_else(|| LineError {
            line,
            problem: "a question stands before the first `: section`".to_owned(),
        })?;
        last.questions.push(question);
    }
    Ok(sections)
}

/// Reads pairs: two words and a number a line, parted by tabs or spaces; lines that start with # are remarks.
///
/// # Errors
/// When a line is no such line.
pub fn judgements(text: &str) -> Result<Judgements, LineError> {
    let mut pairs = Vec::new();
    for (line, content) in (1..).zip(text.lines()) {
        if content.starts_with('#') || content.trim().is_empty() {
            continue;
        }
        let fields: Vec<&str> = match content.contains('\t') {
            true => content.split('\t').map(str::trim).collect(),
            false => content.split_whitespace().collect(),
        };
        let pair = match fields[..] {
            [a, b, score] => (score.parse().ok()).map(|score: f64| (fold(a), fold(b), score)),
            _ => None,
        };
        pairs.push(
            pair.filter(|pair| pair.2.is_finite())
                .ok_or_else(|| LineError {
                    line,
                    problem: "expected two words and a number".to_owned(),
                })?,
        );
    }
    Ok(Judgements(pairs))
}

fn fold(word: &str) -> String {
    word.to_uppercase()
}

/// Vectors under test.
pub struct Evaluator<'a> {
    search: Search<'a>,
    /// The words of all rows, folded.
    folded: Vec<String>,
    rows: HashMap<String, u32>,
}

impl<'a> Evaluator<'a> {
    pub fn new(view: View<'a>) -> Evaluator<'a> {
        let folded: Vec<String> = view.words.iter().map(|word| fold(word)).collect();
        let mut rows = HashMap::with_capacity(folded.len());
        for (row, word) in (0..).zip(&folded) {
            rows.entry(word.clone()).or_insert(row);
        }
        Evaluator {
            search: Search::new(view),
            folded,
            rows,
        }
    }

    /// The accuracy of each section, then of all semantic ones, of all syntactic ones (their names start with `gram`),
    /// and of all.
    pub fn analogies(&self, sections: &[Section]) -> Vec<Accuracy> {
        let mut scores: Vec<_> = sections
            .iter()
            .map(|section| self.section(section))
            .collect();
        let is_syntactic = |score: &Accuracy| score.section.starts_with("gram");
        let semantic = total("semantic", scores.iter().filter(|s| !is_syntactic(s)));
        let syntactic = total("syntactic", scores.iter().filter(|s| is_syntactic(s)));
        let all = total("total", scores.iter());
        scores.extend([semantic, syntactic, all]);
        scores
    }

    fn section(&self, section: &Section) -> Accuracy {
        let row = |word: &String| self.rows.get(word).copied();
        let is_known = |question: &&[String; 4]| question.iter().all(|word| row(word).is_some());
        let known: Vec<&[String; 4]> = section.questions.iter().filter(is_known).collect();
        let query = |question: &&[String; 4]| -> Query {
            let rows = question
                .each_ref()
                .map(|word| row(word).unwrap_or_default());
            self.search.query(&rows[1..3], &rows[..1])
        };
        let queries: Vec<Query> = known.iter().map(query).collect();
        // A word that folds to one of the question's is passed over; five are enough to find another.
        let answers = self.search.top(&queries, 5);
        let is_right = |(question, hits): &(&&[String; 4], Vec<super::search::Hit>)| {
            let words = || hits.iter().map(|hit| &self.folded[hit.row as usize]);
            let fresh = words().find(|word| !question[..3].contains(word));
            fresh.or(words().next_back()) == Some(&question[3])
        };
        Accuracy {
            section: section.name.clone(),
            correct: known.iter().zip(answers).filter(is_right).count(),
            known: known.len(),
            questions: section.questions.len(),
        }
    }

    /// The correlation with judgements.
    pub fn similarity(&self, judgements: &Judgements) -> Correlation {
        let mut values = (Vec::new(), Vec::new());
        for (a, b, judged) in &judgements.0 {
            if let (Some(a), Some(b)) = (self.rows.get(a), self.rows.get(b)) {
                values.0.push(*judged);
                values.1.push(f64::from(self.search.cosine(*a, *b)));
            }
        }
        Correlation {
            spearman: spearman(&values.0, &values.1),
            known: values.0.len(),
            pairs: judgements.0.len(),
        }
    }
}

fn total<'s>(name: &str, scores: impl Iterator<Item = &'s Accuracy>) -> Accuracy {
    let mut total = Accuracy {
        section: name.to_owned(),
        correct: 0,
        known: 0,
        questions: 0,
    };
    for score in scores {
        total.correct += score.correct;
        total.known += score.known;
        total.questions += score.questions;
    }
    total
}

/// Pearson's correlation of the ranks.
pub fn spearman(a: &[f64], b: &[f64]) -> Option<f64> {
    let (a, b) = (ranks(a), ranks(b));
    let mean = (a.len() as f64 + 1.0) / 2.0;
    let products = |a: &[f64], b: &[f64]| -> f64 {
        (a.iter().zip(b))
            .map(|(x, y)| (x - mean) * (y - mean))
            .sum()
    };
    let spread = (products(&a, &a) * products(&b, &b)).sqrt();
    (spread > 0.0).then(|| products(&a, &b) / spread)
}

/// Ranks from 1; equal values share the mean of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    for same in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let rank = start as f64 + (same.len() as f64 + 1.0) / 2.0;
        same.iter().for_each(|at| ranks[*at] = rank);
        start += same.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_share_their_rank() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [3.5, 1.0, 3.5, 2.0]);
    }

    #[test]
    fn rank_correlation_is_that_of_the_textbook() {
        // 1 − 6 Σd² / n(n² − 1) with d = 0, −1, 1, 0 and n = 4.
        let rho = spearman(&[1.0, 2.0, 3.0, 4.0], &[10.0, 30.0, 20.0, 40.0]);
        assert!((rho.unwrap() - 0.8).abs() < 1e-12);
        // scipy.stats.spearmanr([1, 2, 2, 3], [1, 2, 3, 4]): 0.9486832980505138
        let rho = spearman(&[1.0, 2.0, 2.0, 3.0], &[1.0, 2.0, 3.0, 4.0]);
        assert!((rho.unwrap() - 0.948_683_298_050_513_8).abs() < 1e-12);
        assert_eq!(spearman(&[1.0, 1.0], &[1.0, 2.0]), None);
    }

    /// A plane in which king − man = queen − woman.
    fn evaluator<'a>(words: &'a [compact_str::CompactString], data: &'a [f32]) -> Evaluator<'a> {
        Evaluator::new(View {
            words,
            dim: 2,
            stride: 2,
            data,
        })
    }

    #[test]
    fn questions_are_answered_in_any_case_and_skipped_when_a_word_is_unknown() {
        let words = ["man", "king", "woman", "queen", "King"].map(Into::into);
        let data = [1.0, 0.1, 1.0, 1.0, 0.1, 0.9, -0.4, 1.0, 1.0, 1.0];
        let text = ": people\nMan King Woman Queen\nman king woman emperor\n: gram1\nking man queen king\n";
        let scores = evaluator(&words, &data).analogies(&sections(text).unwrap());
        let counts: Vec<_> = scores
            .iter()
            .map(|s| (s.section.as_str(), s.correct, s.known, s.questions))
            .collect();
        // `King` is nearer than `queen`, and passed over.
        assert_eq!(
            counts,
            [
                ("people", 1, 1, 2),
                ("gram1", 0, 1, 1),
                ("semantic", 1, 1, 2),
                ("syntactic", 0, 1, 1),
                ("total", 1, 2, 3)
            ]
        );
    }

    #[test]
    fn broken_lines_are_named() {
        assert_eq!(sections(": a\n\na b c\n").unwrap_err().line, 3);
        assert_eq!(sections("a b c d\n").unwrap_err().line, 1);
        assert_eq!(judgements("# x\na\tb\tc\n").unwrap_err().line, 2);
        assert_eq!(judgements("a b 1\nc d\n").unwrap_err().line, 2);
    }
}
