//! A table in memory: its columns, and for each the numbers or the categories of all rows.

use super::number::Places;
use crate::random::Random;
use serde::{Deserialize, Serialize};

/// How a file writes a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Format {
    /// The byte between fields.
    pub delimiter: u8,
    /// Whether the first line has the names.
    pub header: bool,
}

/// All that is known of a table but its rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schema {
    pub format: Format,
    pub columns: Vec<Column>,
}

/// A column by its name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Column {
    pub name: String,
    pub shape: Shape,
}

/// What the values of a column are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// Numbers.
    Continuous {
        /// The smallest and the largest.
        min: f64,
        max: f64,
        places: Places,
        /// What stands where there is none; none when there always is one.
        missing: Option<String>,
    },
    /// Texts, or numbers that are few. One category makes a constant.
    Categorical { categories: Vec<Category> },
}

/// A category as the file writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Category {
    pub text: String,
    /// Whether it says that there is no value.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub missing: bool,
}

impl Shape {
    /// Whether the column has the same value in all rows.
    pub fn is_constant(&self) -> bool {
        matches!(self, Shape::Categorical { categories } if categories.len() == 1)
    }
}

/// The values of a column, a row after the other.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Numbers; NaN where there is none.
    Numbers(Vec<f64>),
    /// Numbers of categories.
    Codes(Vec<u32>),
}

/// A table.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    pub schema: Schema,
    /// By columns.
    pub values: Vec<Values>,
    pub rows: usize,
}

impl Table {
    /// The rows of these numbers, in this order.
    pub fn select(&self, rows: &[usize]) -> Table {
        let values = self.values.iter().map(|values| match values {
            Values::Numbers(all) => Values::Numbers(rows.iter().map(|&row| all[row]).collect()),
            Values::Codes(all) => Values::Codes(rows.iter().map(|&row| all[row]).collect()),
        });
        Table {
            schema: self.schema.clone(),
            values: values.collect(),
            rows: rows.len(),
        }
    }

    /// The table in two halves, drawn by lot: how well one does for the other is the most that can be asked of made rows.
    pub fn halves(&self, seed: u64) -> (Table, Table) {
        let mut order: Vec<usize> = (0..self.rows).collect();
        Random::new(seed, 0).shuffle(&mut order);
        let (first, second) = order.split_at(self.rows / 2);
        (self.select(first), self.select(second))
    }

    /// Columns in which values are missing, and in how many rows.
    pub fn missing(&self) -> Vec<(&str, usize)> {
        let columns = self.schema.columns.iter().zip(&self.values);
        let counts = columns.map(|(column, values)| (column.name.as_str(), count(column, values)));
        counts.filter(|&(_, count)| count > 0).collect()
    }
}

fn count(column: &Column, values: &Values) -> usize {
    match (values, &column.shape) {
        (Values::Numbers(numbers), _) => numbers.iter().filter(|value| value.is_nan()).count(),
        (Values::Codes(codes), Shape::Categorical { categories }) => {
            let missing = |&&code: &&u32| {
                (categories.get(code as usize)).is_some_and(|category| category.missing)
            };
            codes.iter().filter(missing).count()
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::super::read::{ReadOptions, read};

    #[test]
    fn halves_have_every_row_once() {
        let text: String = (0..21).map(|i| format!("{i},{}\n", i % 3)).collect();
        let table = read("t", text.as_bytes(), &ReadOptions::default()).unwrap();
        let (first, second) = table.halves(3);
        assert_eq!((first.rows, second.rows), (10, 11));
        let super::Values::Numbers(mut all) = first.values[0].clone() else {
            panic!("{first:?}");
        };
        if let super::Values::Numbers(more) = &second.values[0] {
            all.extend(more);
        }
        all.sort_by(f64::total_cmp);
        assert!(all.into_iter().eq((0..21).map(f64::from)));
        assert_eq!(table.halves(3).0, first);
        assert_ne!(table.halves(4).0, first);
    }
}
