//! Rows as vectors for a generator, and back: the transform of CTGAN (Xu et al. 2019, §4.2).
//!
//! ```text
//! number      (x − μ_k) / 4 σ_k  of a mode k drawn by its responsibilities for x, cut to [−1, 1];  one-hot of k
//! category    one-hot
//! constant    nothing: known without the generator
//! ```
//!
//! Where numbers are missing, that is one more mode. A mode without width has 0 for its scalar and means its value whatever
//! the scalar is. Back: the mode or category of the largest output; numbers are rounded to the places of the file and kept
//! between its smallest and its largest.

use super::mixture::{Mixture, REACH};
use super::schema::{Category, Schema, Shape, Table, Values};
use crate::random::Random;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// What a generator's output has to go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// A scalar between −1 and 1.
    Tanh,
    /// Shares of modes or categories.
    Softmax,
}

/// A part of the vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Where it begins, and how many outputs it has.
    pub at: usize,
    pub width: usize,
    pub activation: Activation,
    /// The column it is of.
    pub column: usize,
    /// Whether it is that of a column of categories.
    pub discrete: bool,
}

/// All that turns rows of a table into vectors and vectors into rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Encoder {
    pub schema: Schema,
    /// The modes of each column; none of categories.
    modes: Vec<Mixture>,
}

impl Encoder {
    /// Fits the modes of all columns of numbers.
    pub fn fit(table: &Table, seed: u64) -> Encoder {
        let columns = table.schema.columns.par_iter().zip(&table.values);
        let modes = columns.enumerate().map(|(place, (column, values))| {
            let (Shape::Continuous { places, .. }, Values::Numbers(numbers)) =
                (&column.shape, values)
            else {
                return Mixture::default();
            };
            let known = numbers.iter().copied().filter(|value| !value.is_nan());
            let known: Vec<f64> = known.collect();
            let mut random = Random::new(seed, place as u64);
            Mixture::fit(&known, places.step(), &mut random)
        });
        Encoder {
            schema: table.schema.clone(),
            modes: modes.collect(),
        }
    }

    /// The modes of a column; none of categories.
    pub fn modes(&self, column: usize) -> &Mixture {
        &self.modes[column]
    }

    /// The parts of a vector in order.
    pub fn spans(&self) -> Vec<Span> {
        let mut spans = Vec::new();
        let mut at = 0;
        for column in 0..self.modes.len() {
            let shape = &self.schema.columns[column].shape;
            let mut push = |width, activation| {
                spans.push(Span {
                    at,
                    width,
                    activation,
                    column,
                    discrete: matches!(shape, Shape::Categorical { .. }),
                });
                at += width;
            };
            match shape {
                Shape::Categorical { categories } if categories.len() > 1 => {
                    push(categories.len(), Activation::Softmax);
                }
                Shape::Categorical { .. } => {}
                Shape::Continuous { missing, .. } => {
                    push(1, Activation::Tanh);
                    let modes = self.modes[column].modes.len();
                    push(modes + usize::from(missing.is_some()), Activation::Softmax);
                }
            }
        }
        spans
    }

    /// The numbers of a vector.
    pub fn width(&self) -> usize {
        self.spans().last().map_or(0, |span| span.at + span.width)
    }

    /// Writes the vector of a row into `out`, which is as long as [`Encoder::width`]. The table is the one of
    /// [`Encoder::fit`] or read like it; categories that were not there have no output.
    pub fn encode(&self, table: &Table, row: usize, random: &mut Random, out: &mut [f32]) {
        out.fill(0.0);
        let mut at = 0;
        let columns = self.schema.columns.iter().zip(&self.modes);
        for ((column, mixture), values) in columns.zip(&table.values) {
            match (&column.shape, values) {
                (Shape::Categorical { categories }, Values::Codes(codes)) => {
                    let (width, code) = (categories.len(), codes[row] as usize);
                    if width > 1 {
                        if code < width {
                            out[at + code] = 1.0;
                        }
                        at += width;
                    }
                }
                (Shape::Continuous { missing, .. }, Values::Numbers(numbers)) => {
                    let (value, modes) = (numbers[row], &mixture.modes);
                    if !value.is_nan() {
                        let k = mixture.draw(value, random);
                        if modes[k].sd > 0.0 {
                            let scaled = (value - modes[k].mean) / (REACH * modes[k].sd);
                            out[at] = scaled.clamp(-1.0, 1.0) as f32;
                        }
                        out[at + 1 + k] = 1.0;
                    } else if missing.is_some() {
                        out[at + 1 + modes.len()] = 1.0;
                    }
                    at += 1 + modes.len() + usize::from(missing.is_some());
                }
                // A table read like another has the same kinds of columns.
                _ => {}
            }
        }
    }

    /// The texts of the row that a vector means, one for each column.
    pub fn decode(&self, vector: &[f32], row: &mut Vec<String>) {
        row.clear();
        let mut at = 0;
        for (column, mixture) in self.schema.columns.iter().zip(&self.modes) {
            let text = match &column.shape {
                Shape::Categorical { categories } => {
                    let width = match categories.len() {
                        1 => 0,
                        width => width,
                    };
                    let code = largest(&vector[at..at + width]);
                    at += width;
                    categories
                        .get(code)
                        .map(|Category { text, .. }| text.clone())
                }
                Shape::Continuous {
                    min,
                    max,
                    places,
                    missing,
                } => {
                    let width = mixture.modes.len() + usize::from(missing.is_some());
                    let scalar = f64::from(vector[at].clamp(-1.0, 1.0));
                    let mode = mixture.modes.get(largest(&vector[at + 1..at + 1 + width]));
                    at += 1 + width;
                    match mode {
                        Some(mode) => {
                            let value = scalar * REACH * mode.sd + mode.mean;
                            // Not `clamp`, which panics on bounds that a file edited by hand may have.
                            Some(places.print(value.max(*min).min(*max)))
                        }
                        None => missing.clone(),
                    }
                }
            };
            row.push(text.unwrap_or_default());
        }
    }
}

/// The place of the largest; of equal ones the first.
fn largest(outputs: &[f32]) -> usize {
    let mut best = 0;
    for (place, &value) in outputs.iter().enumerate() {
        if value > outputs[best] {
            best = place;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::super::read::{ReadOptions, read};
    use super::*;

    /// Numbers in two groups, some missing; a category, some missing; a constant; a number of few values; zeros and others.
    fn table() -> (String, Table) {
        let mut random = Random::new(4, 0);
        let mut text = String::from("size,colour,unit,grade,gain\n");
        for i in 0..400 {
            let size = if i % 3 == 0 { 10.0 } else { -3.0 } + random.normal();
            let size = if i % 17 == 0 {
                "NA".to_owned()
            } else {
                format!("{size:.2}")
            };
            let colour = ["red", "green", "?", "dark, blue"][random.below(4) as usize];
            let gain = if i % 5 == 0 { random.below(9000) } else { 0 };
            text += &format!("{size},\"{colour}\",cm,{},{gain}\n", i % 4);
        }
        let table = read("t", text.as_bytes(), &ReadOptions::default()).unwrap();
        (text, table)
    }

    #[test]
    fn rows_come_back_as_they_were() {
        let (text, table) = table();
        let encoder = Encoder::fit(&table, 7);
        let (mut vector, mut texts) = (vec![0.0; encoder.width()], Vec::new());
        let mut random = Random::new(0, 0);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        for (row, record) in reader.records().enumerate() {
            encoder.encode(&table, row, &mut random, &mut vector);
            encoder.decode(&vector, &mut texts);
            assert!(record.unwrap().iter().eq(&texts), "row {row}: {texts:?}");
        }
    }

    #[test]
    fn spans_follow_each_other_and_hold_one_category_each() {
        let (_, table) = table();
        let encoder = Encoder::fit(&table, 7);
        let spans = encoder.spans();
        let modes = [0, 4].map(|column| encoder.modes(column).modes.len());
        let widths: Vec<usize> = spans.iter().map(|span| span.width).collect();
        assert_eq!(widths, [1, modes[0] + 1, 4, 4, 1, modes[1]]);
        let columns: Vec<usize> = spans.iter().map(|span| span.column).collect();
        assert_eq!(columns, [0, 0, 1, 3, 4, 4]);
        let mut vector = vec![0.0; encoder.width()];
        encoder.encode(&table, 5, &mut Random::new(0, 0), &mut vector);
        let mut at = 0;
        for span in spans {
            assert_eq!(span.at, at);
            at += span.width;
            let part = &vector[span.at..at];
            match span.activation {
                Activation::Tanh => assert!(part[0].abs() <= 1.0),
                Activation::Softmax => assert_eq!(part.iter().sum::<f32>(), 1.0),
            }
        }
        assert_eq!(at, vector.len());
    }

    #[test]
    fn numbers_stay_between_the_smallest_and_the_largest() {
        let text: String = (0..40).map(|i| format!("{}\n", 5 + i % 20)).collect();
        let table = read("t", text.as_bytes(), &ReadOptions::default()).unwrap();
        let encoder = Encoder::fit(&table, 0);
        let mut texts = Vec::new();
        for k in 0..encoder.modes(0).modes.len() {
            for scalar in [-7.0, -1.0, 0.3, 1.0] {
                let mut vector = vec![0.0; encoder.width()];
                vector[0] = scalar;
                vector[1 + k] = 0.9;
                encoder.decode(&vector, &mut texts);
                let value: i32 = texts[0].parse().unwrap();
                assert!((5..=24).contains(&value), "{value}");
            }
        }
    }

    #[test]
    fn an_encoder_that_was_stored_is_the_same() {
        let (_, table) = table();
        let encoder = Encoder::fit(&table, 7);
        let json = serde_json::to_string(&encoder).unwrap();
        assert_eq!(serde_json::from_str::<Encoder>(&json).unwrap(), encoder);
        assert_eq!(Encoder::fit(&table, 7), encoder);
    }

    #[test]
    fn a_table_of_constants_has_no_vector_and_comes_back() {
        let table = read("t", &b"a,1\na,1\na,1\n"[..], &ReadOptions::default()).unwrap();
        let encoder = Encoder::fit(&table, 0);
        assert_eq!(encoder.width(), 0);
        encoder.encode(&table, 0, &mut Random::new(0, 0), &mut []);
        let mut texts = Vec::new();
        encoder.decode(&[], &mut texts);
        assert_eq!(texts, ["a", "1"]);
    }
}
