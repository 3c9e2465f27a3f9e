//! The category that a row has to have: the conditional vector and the training by sampling of CTGAN.
//!
//! ```text
//! training    a column, each as likely as the others; in it a category, with probability ∝ log(rows with it + 1);
//!             a real row with that category, each as likely as the others
//! sampling    a column, each as likely as the others; in it a category, as often as real rows have it
//! ```
//!
//! A generator is given the one-hot of the condition, and made to give the category it asks for; so that categories which
//! few rows have are seen often (Xu et al. 2019, §4.3).

use super::encode::{Encoder, Span};
use super::schema::{Shape, Table, Values};
use crate::random::Random;
use serde::{Deserialize, Serialize};

/// Columns of categories, constants left out, and how many rows have each category.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Conditions {
    columns: Vec<Counts>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Counts {
    column: usize,
    rows: Vec<u64>,
}

/// A category that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The column among those of categories that are not constant: the number of its span among the discrete ones.
    pub column: usize,
    pub category: usize,
}

impl Conditions {
    /// Counts the categories of the table that an encoder was fitted to.
    pub fn new(table: &Table) -> Conditions {
        let columns = table.schema.columns.iter().zip(&table.values).enumerate();
        let counts = columns.filter_map(|(column, (of, values))| {
            let (Shape::Categorical { categories }, Values::Codes(codes)) = (&of.shape, values)
            else {
                return None;
            };
            let mut rows = vec![0; categories.len()];
            codes.iter().for_each(|&code| rows[code as usize] += 1);
            (!of.shape.is_constant()).then_some(Counts { column, rows })
        });
        Conditions {
            columns: counts.collect(),
        }
    }

    /// Numbers of the conditional vector; 0 where no column has categories.
    pub fn width(&self) -> usize {
        self.columns.iter().map(|counts| counts.rows.len()).sum()
    }

    /// The spans of a row's vector that conditions speak of, in their order.
    pub fn spans(&self, encoder: &Encoder) -> Vec<Span> {
        let spans = encoder.spans().into_iter();
        spans.filter(|span| span.discrete).collect()
    }

    /// A condition of training; none where no column has categories.
    pub fn draw(&self, random: &mut Random) -> Option<Condition> {
        self.pick(random, |rows| (rows as f64).ln_1p())
    }

    /// A condition as often as rows have it, to sample with.
    pub fn draw_real(&self, random: &mut Random) -> Option<Condition> {
        self.pick(random, |rows| rows as f64)
    }

    fn pick(&self, random: &mut Random, weight: impl Fn(u64) -> f64) -> Option<Condition> {
        if self.columns.is_empty() {
            return None;
        }
        let column = random.below(self.columns.len() as u32) as usize;
        let rows = &self.columns[column].rows;
        let total: f64 = rows.iter().map(|&rows| weight(rows)).sum();
        let mut left = f64::from(random.unit()) * total;
        let drawn = rows.iter().position(|&rows| {
            left -= weight(rows);
            left < 0.0
        });
        // Rounding may leave a little of the last one.
        let last = rows.iter().rposition(|&rows| rows > 0);
        drawn
            .or(last)
            .map(|category| Condition { column, category })
    }

    /// The condition that a column has a category, by the names in the file.
    pub fn find(&self, encoder: &Encoder, column: &str, text: &str) -> Option<Condition> {
        let named = |counts: &Counts| encoder.schema.columns[counts.column].name == column;
        let at = self.columns.iter().position(named)?;
        match &encoder.schema.columns[self.columns[at].column].shape {
            Shape::Categorical { categories } => {
                let category = categories
                    .iter()
                    .position(|category| category.text == text)?;
                let column = at;
                Some(Condition { column, category })
            }
            Shape::Continuous { .. } => None,
        }
    }

    /// Writes the one-hot of a condition into `out`, which is as long as [`Conditions::width`].
    pub fn write(&self, condition: Condition, out: &mut [f32]) {
        out.fill(0.0);
        let before = self.columns[..condition.column].iter();
        let at: usize = before.map(|counts| counts.rows.len()).sum();
        out[at + condition.category] = 1.0;
    }
}

/// The rows with each category.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowsByCategory {
    /// By columns of conditions: where the rows of each category begin, and all rows in order of their categories.
    columns: Vec<(Vec<usize>, Vec<u32>)>,
}

impl RowsByCategory {
    /// Orders the rows of the table that conditions were counted in.
    pub fn new(conditions: &Conditions, table: &Table) -> RowsByCategory {
        let columns = conditions.columns.iter().map(|counts| {
            let mut starts = vec![0];
            for &rows in &counts.rows {
                starts.push(starts[starts.len() - 1] + rows as usize);
            }
            let mut ends = starts.clone();
            let mut order = vec![0; table.rows];
            if let Values::Codes(codes) = &table.values[counts.column] {
                for (row, &code) in codes.iter().enumerate() {
                    let end = &mut ends[code as usize];
                    order[*end] = row as u32;
                    *end += 1;
                }
            }
            (starts, order)
        });
        RowsByCategory {
            columns: columns.collect(),
        }
    }

    /// A row that fulfils a condition, each as likely as the others; none where no row does.
    pub fn row_with(&self, condition: Condition, random: &mut Random) -> Option<usize> {
        let (starts, order) = &self.columns[condition.column];
        let rows = &order[starts[condition.category]..starts[condition.category + 1]];
        match rows.len() {
            0 => None,
            count => Some(rows[random.below(count as u32) as usize] as usize),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::read::{ReadOptions, read};
    use super::*;

    /// 900 rows of a, 90 of b, 10 of c; a constant; a column of p and q in turn.
    fn table() -> Table {
        let rows = (0..1000).map(|i| {
            let letter = match i % 100 {
                0 => "c",
                1..10 => "b",
                _ => "a",
            };
            format!("{letter},same,{}\n", ["p", "q"][i % 2])
        });
        let text: String = rows.collect();
        read("t", text.as_bytes(), &ReadOptions::default()).unwrap()
    }

    fn shares(draw: impl Fn(&mut Random) -> Option<Condition>) -> [f64; 5] {
        let mut random = Random::new(9, 0);
        let mut shares = [0.0; 5];
        for _ in 0..40_000 {
            let drawn = draw(&mut random).unwrap();
            // The rows begin with the category c.
            shares[3 * drawn.column + drawn.category] += 1.0 / 20_000.0;
        }
        shares
    }

    /// ln 901 = 6.804, ln 91 = 4.511, ln 11 = 2.398, in all 13.713; 0.015 is more than four standard deviations.
    #[test]
    fn conditions_of_training_follow_the_logarithm_of_frequencies() {
        let conditions = Conditions::new(&table());
        let found = shares(|random| conditions.draw(random));
        for (found, expected) in found.into_iter().zip([0.1749, 0.3290, 0.4962, 0.5, 0.5]) {
            assert!((found - expected).abs() < 0.015, "{found} {expected}");
        }
    }

    #[test]
    fn conditions_of_sampling_are_as_frequent_as_in_real_rows() {
        let conditions = Conditions::new(&table());
        let found = shares(|random| conditions.draw_real(random));
        for (found, expected) in found.into_iter().zip([0.01, 0.09, 0.9, 0.5, 0.5]) {
            assert!((found - expected).abs() < 0.015, "{found} {expected}");
        }
    }

    #[test]
    fn rows_fulfil_their_conditions_and_none_is_left_out() {
        let table = table();
        let conditions = Conditions::new(&table);
        let rows = RowsByCategory::new(&conditions, &table);
        let mut random = Random::new(1, 0);
        let condition = Condition {
            column: 0,
            category: 0,
        };
        let drawn = (0..500).map(|_| rows.row_with(condition, &mut random).unwrap());
        let drawn: std::collections::BTreeSet<usize> = drawn.collect();
        assert!(drawn.into_iter().eq((0..1000).step_by(100)));
    }

    #[test]
    fn a_condition_is_a_one_hot_over_all_columns() {
        let table = table();
        let conditions = Conditions::new(&table);
        let encoder = Encoder::fit(&table, 0);
        assert_eq!(conditions.width(), 5);
        let condition = conditions.find(&encoder, "c3", "q").unwrap();
        let mut out = [7.0; 5];
        conditions.write(condition, &mut out);
        assert_eq!(out, [0.0, 0.0, 0.0, 0.0, 1.0]);
        let spans = conditions.spans(&encoder);
        assert_eq!(spans.iter().map(|span| span.at).collect::<Vec<_>>(), [0, 3]);
        assert_eq!(conditions.find(&encoder, "c2", "same"), None);
        assert_eq!(conditions.find(&encoder, "c3", "r"), None);
    }

    #[test]
    fn a_table_of_numbers_has_no_conditions() {
        let table = read("t", &b"1\n2\n3\n"[..], &ReadOptions::default()).unwrap();
        let conditions = Conditions::new(&table);
        assert_eq!(conditions.width(), 0);
        assert_eq!(conditions.draw(&mut Random::new(0, 0)), None);
    }
}
