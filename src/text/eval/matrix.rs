//! A confusion matrix: gold labels by rows, predicted labels by columns, and its picture as a table of HTML.
//!
//! A row says what became of a gold label. The share s of its row colours a cell, as √s: most errors are a few in a
//! hundred, and would be invisible in proportion.

use super::confusion::{Confusion, EntityError, NONE};
use super::entities::EntityScores;
use super::page::escape;
use super::scores::Score;
use super::tags::TagTable;
use std::collections::BTreeMap;
use std::fmt::Write;

/// How often each label is predicted for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matrix {
    /// By name; for entities [`NONE`] comes last.
    pub labels: Vec<String>,
    /// (gold, predicted), row by row.
    pub counts: Vec<u64>,
}

/// A larger matrix is no picture.
pub const MAX_LABELS: usize = 40;

impl Matrix {
    /// Of the tags of aligned words: the counts add up to these. For columns that hold one tag.
    pub fn of_tags(table: &TagTable) -> Matrix {
        Matrix::new(&table.tags, table.confusions.iter(), None)
    }

    /// Of entities: right words are needed for a label to count as found. What is not found is predicted as none, and
    /// what should not have been is none in gold; so rows add up to the gold entities and columns to the system's.
    pub fn of_entities(scores: &EntityScores) -> Matrix {
        let errors = scores.confusions.iter();
        let labels = errors.filter(|c| c.error == Some(EntityError::Label));
        let mut matrix = Matrix::new(&scores.types, labels, Some(NONE));
        let none = matrix.labels.len() - 1;
        for (i, score) in scores.types.values().enumerate() {
            let row: u64 = (0..none).map(|j| matrix.count(i, j)).sum();
            let column: u64 = (0..none).map(|j| matrix.count(j, i)).sum();
            *matrix.cell(i, none) = score.gold.saturating_sub(row);
            *matrix.cell(none, i) = score.system.saturating_sub(column);
        }
        matrix
    }

    fn new<'a>(
        scores: &BTreeMap<String, Score>,
        confusions: impl Iterator<Item = &'a Confusion>,
        none: Option<&str>,
    ) -> Matrix {
        let labels: Vec<String> = scores
            .keys()
            .cloned()
            .chain(none.map(str::to_owned))
            .collect();
        let mut matrix = Matrix {
            counts: vec![0; labels.len() * labels.len()],
            labels,
        };
        for (i, score) in scores.values().enumerate() {
            *matrix.cell(i, i) = score.correct;
        }
        let places: BTreeMap<&str, usize> = scores.keys().map(String::as_str).zip(0..).collect();
        for found in confusions {
            // Every label of an aligned word or an entity has a score.
            if let (Some(&i), Some(&j)) = (
                places.get(found.gold.as_str()),
                places.get(found.system.as_str()),
            ) {
                *matrix.cell(i, j) += found.count;
            }
        }
        matrix
    }

    /// How often the i-th label is predicted as the j-th.
    pub fn count(&self, i: usize, j: usize) -> u64 {
        self.counts[i * self.labels.len() + j]
    }

    fn cell(&mut self, i: usize, j: usize) -> &mut u64 {
        let width = self.labels.len();
        &mut self.counts[i * width + j]
    }

    /// The picture; `unit` is what is counted: "words".
    pub fn to_html(&self, unit: &str) -> String {
        let mut out = String::from(
            "<table class=\"matrix\"><thead><tr><th class=\"corner\">predicted →<br>gold ↓</th>",
        );
        for label in &self.labels {
            // Writing to a string cannot fail, here and below.
            let _ = write!(out, "<th scope=\"col\"><span>{}</span></th>", escape(label));
        }
        out.push_str("<th class=\"sum\" scope=\"col\"><span>all</span></th></tr></thead><tbody>\n");
        for i in 0..self.labels.len() {
            self.push_row(i, unit, &mut out);
        }
        out.push_str("</tbody></table>");
        out
    }

    fn push_row(&self, i: usize, unit: &str, out: &mut String) {
        let gold = escape(&self.labels[i]);
        let sum: u64 = (0..self.labels.len()).map(|j| self.count(i, j)).sum();
        let _ = write!(out, "<tr><th scope=\"row\">{gold}</th>");
        for (j, label) in self.labels.iter().enumerate() {
            let count = self.count(i, j);
            if count == 0 {
                out.push_str("<td></td>");
                continue;
            }
            let share = count as f64 / sum as f64;
            let kind = if i == j { "right" } else { "wrong" };
            let _ = write!(
                out,
                "<td class=\"{kind}\" style=\"--s:{:.2}\" title=\"gold {gold}, predicted {}: {count} of {sum} {unit}, \
                 {:.1} %\">{count}</td>",
                share.sqrt(),
                escape(label),
                100.0 * share
            );
        }
        let _ = writeln!(out, "<td class=\"sum\">{sum}</td></tr>");
    }
}

#[cfg(test)]
mod tests {
    use super::super::align::Alignment;
    use super::super::sample::documents;
    use super::super::scores::Metric;
    use super::*;

    fn tags(gold: &str, system: &str) -> (Matrix, u64) {
        let (gold, system) = (documents(gold), documents(system));
        let alignment = Alignment::new(&gold, &system).unwrap();
        let table = TagTable::of(&alignment, Metric::Upos);
        (Matrix::of_tags(&table), alignment.pairs.len() as u64)
    }

    #[test]
    fn the_counts_of_tags_add_up_to_the_words() {
        let (found, words) = tags("a/A b/A c/B d/C", "a/A b/B c/B d/A");
        assert_eq!(found.labels, ["A", "B", "C"]);
        assert_eq!(found.counts, [1, 1, 0, 0, 1, 0, 1, 0, 0]);
        assert_eq!((found.counts.iter().sum::<u64>(), words), (4, 4));
    }

    #[test]
    fn words_without_a_partner_are_not_counted() {
        let (found, words) = tags("ab/A c/B", "a/A b/A c/B");
        assert_eq!((found.counts.iter().sum::<u64>(), words), (1, 1));
    }

    #[test]
    fn entities_not_found_are_none_and_so_is_gold_for_spurious_ones() {
        let labelled = |text: &str| documents(&text.replace('/', "////"));
        let gold = labelled("a/B-LOC b/B-LOC c/I-LOC d/B-PER e");
        let system = labelled("a/B-PER b/B-LOC c d/B-PER e/B-PER");
        let scores = EntityScores::of(&Alignment::new(&gold, &system).unwrap());
        let found = Matrix::of_entities(&scores);
        assert_eq!(found.labels, ["LOC", "PER", "none"]);
        // "a" is of the wrong type; "b c" is missed, and "b" is spurious.
        assert_eq!(found.counts, [0, 1, 1, 0, 1, 0, 1, 1, 0]);
    }

    #[test]
    fn a_cell_shows_its_count_and_its_share_of_the_row() {
        let (found, _) = tags("a/<A> b/<A> c/<A> d/<A>", "a/<A> b/B c/<A> d/<A>");
        let html = found.to_html("words");
        assert!(
            html.contains(
                "<td class=\"wrong\" style=\"--s:0.50\" title=\"gold &lt;A&gt;, predicted B: 1 of 4 words, 25.0 %\">1</td>"
            ),
            "{html}"
        );
    }
}
