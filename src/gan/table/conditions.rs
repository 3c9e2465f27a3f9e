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
