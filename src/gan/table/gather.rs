//! What the texts of a column turn out to be: numbers, or categories.
//!
//! ```text
//! all texts are numbers, more than 10 different ones                     continuous
//! all texts are numbers, up to 10, each there twice on the average       categorical
//! a text that is no number                                               categorical
//! ```
//!
//! Texts that stand for nothing do not count. A column of more than 1,000 different numbers is taken for one of numbers
//! while it is read, so that it costs eight bytes a row; a text behind them is an error, not a change of mind.

use super::number::{self, Places};
use super::schema::{Category, Shape, Values};
use std::collections::HashMap;

/// So many different numbers may be categories.
const FEW: usize = 10;

/// With more different numbers, a column is continuous while it is still read.
const MANY: usize = 1000;

/// What is said of a column beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    Auto,
    Categories,
    Numbers,
}

/// A text among numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotANumber;

/// Most rows have a text of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identifier {
    /// Different texts.
    pub distinct: usize,
}

/// The values of a column so far.
pub struct Gatherer<'a> {
    missing: &'a [String],
    wanted: Wanted,
    /// Different texts in order of appearance.
    texts: Vec<Text>,
    numbers_of: HashMap<Box<str>, u32>,
    codes: Vec<u32>,
    /// How many of the texts are numbers; how many are neither numbers nor missing.
    numeric: usize,
    other: usize,
    /// Categories of a table that this one is read like.
    known: usize,
    /// Whether the shape is that of another table.
    alike: bool,
    /// The values, once they are known to be numbers.
    numbers: Option<Vec<f64>>,
    places: Places,
}

struct Text {
    text: Box<str>,
    /// NaN where it is none.
    number: f64,
    missing: bool,
    count: usize,
}

impl<'a> Gatherer<'a> {
    /// A column of which no value is known. `missing` are the texts that stand for nothing.
    pub fn new(wanted: Wanted, missing: &'a [String]) -> Gatherer<'a> {
        Gatherer {
            missing,
            wanted,
            texts: Vec::new(),
            numbers_of: HashMap::new(),
            codes: Vec::new(),
            numeric: 0,
            other: 0,
            known: 0,
            alike: false,
            numbers: None,
            places: Places::Fixed(0),
        }
    }

    /// A column of the same shape as another: its categories keep their numbers, others come behind them.
    pub fn like(shape: &Shape, missing: &'a [String]) -> Gatherer<'a> {
        match shape {
            Shape::Continuous { .. } => Gatherer {
                alike: true,
                ..Gatherer::new(Wanted::Numbers, missing)
            },
            Shape::Categorical { categories } => {
                let mut column = Gatherer::new(Wanted::Categories, missing);
                for category in categories {
                    column.enter(&category.text, category.missing);
                }
                column.known = categories.len();
                column
            }
        }
    }

    /// Takes the value of the next row.
    ///
    /// # Errors
    /// At a text in a column of numbers.
    pub fn push(&mut self, text: &str) -> Result<(), NotANumber> {
        if self.numbers.is_some() {
            return self.push_number(text);
        }
        let code = match self.numbers_of.get(text) {
            Some(&code) => code,
            None => self.meet(text)?,
        };
        self.texts[code as usize].count += 1;
        self.codes.push(code);
        if self.wanted != Wanted::Categories && self.numeric > MANY && self.other == 0 {
            let value = |&code: &u32| self.texts[code as usize].number;
            self.numbers = Some(self.codes.iter().map(value).collect());
            self.codes = Vec::new();
            // Only what is missing has still to be known by its text.
            self.texts.retain(|text| text.missing);
            self.numbers_of.clear();
        }
        Ok(())
    }

    fn push_number(&mut self, text: &str) -> Result<(), NotANumber> {
        let value = match number::parse(text) {
            Some((value, places)) => {
                self.places = self.places.or(places);
                value
            }
            None if self.missing.iter().any(|missing| missing == text) => {
                match self.texts.iter_mut().find(|known| *known.text == *text) {
                    Some(known) => known.count += 1,
                    None => self.texts.push(Text {
                        text: text.into(),
                        number: f64::NAN,
                        missing: true,
                        count: 1,
                    }),
                }
                f64::NAN
            }
            None => return Err(NotANumber),
        };
        self.numbers.get_or_insert_default().push(value);
        Ok(())
    }

    /// The code of a text that was not there so far.
    fn meet(&mut self, text: &str) -> Result<u32, NotANumber> {
        let missing = self.missing.iter().any(|missing| missing == text);
        let known = &self.texts[..self.known];
        let same = match number::parse(text) {
            _ if missing => known.iter().position(|known| known.missing),
            // Other programs write 1.0 where the file had 1.
            Some((value, _)) => known.iter().position(|known| known.number == value),
            None => None,
        };
        if let Some(code) = same {
            self.numbers_of.insert(text.into(), code as u32);
            return Ok(code as u32);
        }
        let code = self.enter(text, missing);
        match self.wanted == Wanted::Numbers && self.other > 0 {
            true => Err(NotANumber),
            false => Ok(code),
        }
    }

    fn enter(&mut self, text: &str, missing: bool) -> u32 {
        let code = self.texts.len() as u32;
        let number = match number::parse(text) {
            Some((value, places)) if !missing => {
                self.places = self.places.or(places);
                self.numeric += 1;
                value
            }
            _ => {
                self.other += usize::from(!missing);
                f64::NAN
            }
        };
        self.texts.push(Text {
            text: text.into(),
            number,
            missing,
            count: 0,
        });
        self.numbers_of.insert(text.into(), code);
        code
    }

    /// The shape of the column and its values.
    ///
    /// # Errors
    /// When most rows have a text of their own.
    pub fn end(mut self) -> Result<(Shape, Values), Identifier> {
        let numbers = match self.numbers.take() {
            Some(numbers) => Some(numbers),
            None if self.is_continuous() => {
                let value = |&code: &u32| self.texts[code as usize].number;
                Some(self.codes.iter().map(value).collect())
            }
            None => None,
        };
        if let Some(numbers) = numbers {
            return Ok((self.continuous(&numbers), Values::Numbers(numbers)));
        }
        let distinct = self.numeric + self.other;
        let rows = self.codes.len();
        if self.wanted == Wanted::Auto && distinct > MANY && 2 * distinct > rows {
            return Err(Identifier { distinct });
        }
        let categories = self.texts.into_iter().map(|text| Category {
            text: text.text.into(),
            missing: text.missing,
        });
        let categories = categories.collect();
        Ok((Shape::Categorical { categories }, Values::Codes(self.codes)))
    }

    fn is_continuous(&self) -> bool {
        match self.wanted {
            Wanted::Categories => false,
            // What is read like numbers stays so without any.
            Wanted::Numbers => self.numeric > 0 || self.alike,
            Wanted::Auto if self.other > 0 || self.numeric == 0 => false,
            Wanted::Auto => {
                let present = self.texts.iter().filter(|text| !text.missing);
                let rows: usize = present.map(|text| text.count).sum();
                self.numeric > FEW || self.numeric > 1 && 2 * self.numeric > rows
            }
        }
    }

    fn continuous(&self, numbers: &[f64]) -> Shape {
        // NaN is neither the smaller nor the larger of two.
        let min = numbers.iter().copied().fold(f64::NAN, f64::min);
        let max = numbers.iter().copied().fold(f64::NAN, f64::max);
        let missing = (self.texts.iter().filter(|text| text.missing))
            .max_by_key(|text| text.count)
            .map(|text| text.text.to_string());
        Shape::Continuous {
            min,
            max,
            places: self.places,
            missing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gathered(wanted: Wanted, texts: &[&str]) -> Option<(Shape, Values)> {
        let missing = ["", "NA", "?"].map(str::to_owned);
        let mut column = Gatherer::new(wanted, &missing);
        texts.iter().try_for_each(|text| column.push(text)).ok()?;
        column.end().ok()
    }

    fn categories(shape: &Shape) -> Vec<(&str, bool)> {
        let Shape::Categorical { categories } = shape else {
            panic!("{shape:?}");
        };
        (categories.iter())
            .map(|category| (category.text.as_str(), category.missing))
            .collect()
    }

    fn many(count: usize) -> Vec<String> {
        (0..count).map(|i| format!("{i}.5")).collect()
    }

    #[test]
    fn numbers_have_a_range_places_and_a_text_for_none() {
        let texts = ["3", "-1.25", "NA", "10.0", "?", "NA"];
        let (shape, values) = gathered(Wanted::Auto, &texts).unwrap();
        let expected = Shape::Continuous {
            min: -1.25,
            max: 10.0,
            places: Places::Fixed(2),
            missing: Some("NA".to_owned()),
        };
        assert_eq!(shape, expected);
        let Values::Numbers(numbers) = values else {
            panic!("{values:?}");
        };
        assert_eq!(numbers[3], 10.0);
        assert!(numbers[2].is_nan() && numbers[4].is_nan());
    }

    #[test]
    fn few_numbers_are_categories_and_what_is_missing_is_one_more() {
        let (shape, values) =
            gathered(Wanted::Auto, &["1", "2", "?", "1", "2", "NA", "2"]).unwrap();
        let expected = [("1", false), ("2", false), ("?", true), ("NA", true)];
        assert_eq!(categories(&shape), expected);
        assert_eq!(values, Values::Codes(vec![0, 1, 2, 0, 1, 3, 1]));
    }

    #[test]
    fn numbers_of_a_short_table_are_not_few() {
        let (shape, _) = gathered(Wanted::Auto, &["1", "2", "3"]).unwrap();
        assert!(matches!(shape, Shape::Continuous { .. }));
    }

    #[test]
    fn one_value_is_a_constant_be_it_missing() {
        for text in ["7", "a", "NA"] {
            for wanted in [Wanted::Auto, Wanted::Categories] {
                assert!(gathered(wanted, &[text; 3]).unwrap().0.is_constant());
            }
        }
        let (shape, _) = gathered(Wanted::Auto, &["7", "", "7"]).unwrap();
        assert_eq!(categories(&shape), [("7", false), ("", true)]);
    }

    #[test]
    fn what_is_wanted_goes_before_what_is_seen() {
        let texts = many(1500);
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let (shape, _) = gathered(Wanted::Categories, &texts).unwrap();
        assert_eq!(categories(&shape).len(), 1500);
        let (shape, _) = gathered(Wanted::Numbers, &["1", "2", "1", "2"]).unwrap();
        assert!(matches!(shape, Shape::Continuous { .. }));
    }

    #[test]
    fn many_numbers_are_numbers_before_the_column_ends() {
        let mut texts = many(1200);
        texts.insert(3, "?".to_owned());
        texts.extend(["", "?", "0.125"].map(str::to_owned));
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let (shape, values) = gathered(Wanted::Auto, &texts).unwrap();
        let Shape::Continuous {
            min,
            places,
            missing,
            ..
        } = shape
        else {
            panic!("{shape:?}");
        };
        let expected = (0.125, Places::Fixed(3), Some("?".to_owned()));
        assert_eq!((min, places, missing), expected);
        assert!(matches!(values, Values::Numbers(numbers) if numbers.len() == texts.len()));
    }

    #[test]
    fn a_text_among_many_numbers_or_wanted_ones_is_an_error() {
        let mut texts = many(1200);
        texts.push("x".to_owned());
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        assert_eq!(gathered(Wanted::Auto, &texts), None);
        assert_eq!(gathered(Wanted::Numbers, &["1", "x"]), None);
    }

    #[test]
    fn a_text_of_its_own_in_most_rows_is_an_identifier() {
        let names: Vec<String> = (0..1100).map(|i| format!("id{i}")).collect();
        let mut texts: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(gathered(Wanted::Auto, &texts), None);
        texts.extend(vec!["id0"; 1100]);
        assert!(gathered(Wanted::Auto, &texts).is_some());
    }

    #[test]
    fn a_table_like_another_keeps_its_categories() {
        let (shape, _) = gathered(Wanted::Auto, &["1", "2", "NA", "1", "2"]).unwrap();
        let missing = ["", "NA"].map(str::to_owned);
        let mut column = Gatherer::like(&shape, &missing);
        for text in ["2.0", "", "other", "1", "NA"] {
            column.push(text).unwrap();
        }
        let (like, values) = column.end().unwrap();
        assert_eq!(values, Values::Codes(vec![1, 2, 3, 0, 2]));
        assert_eq!(categories(&like)[3], ("other", false));
    }
}
