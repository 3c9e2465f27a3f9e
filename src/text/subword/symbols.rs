//! Symbols of the user's that text is never cut inside: placeholders, language tags, markup.

use regex::Regex;
use std::collections::HashMap;

/// Symbols and how they are found.
pub struct Symbols {
    /// All of them, the longest first: where several begin, the longest is meant.
    any: Regex,
    numbers: HashMap<String, u32>,
}

impl Symbols {
    /// Symbols as they stand in normalised text, and the numbers of their pieces; none if there are none, or so many
    /// that no expression holds them.
    pub fn new(numbers: HashMap<String, u32>) -> Option<Symbols> {
        let mut longest: Vec<&String> = numbers.keys().filter(|text| !text.is_empty()).collect();
        if longest.is_empty() {
            return None;
        }
        longest.sort_by_key(|text| (std::cmp::Reverse(text.len()), text.as_str()));
        let escaped: Vec<String> = longest.iter().map(|text| regex::escape(text)).collect();
        Some(Symbols {
            any: Regex::new(&escaped.join("|")).ok()?,
            numbers,
        })
    }

    /// Where symbols stand in a text: start, end, number.
    pub fn find<'t>(&'t self, text: &'t str) -> impl Iterator<Item = (usize, usize, u32)> + 't {
        self.any.find_iter(text).filter_map(|found| {
            let number = self.numbers.get(found.as_str())?;
            Some((found.start(), found.end(), *number))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_symbol_is_found() {
        let numbers = [("<b".to_owned(), 7), ("<b>".to_owned(), 8)].into();
        let symbols = Symbols::new(numbers).unwrap();
        let found: Vec<_> = symbols.find("a<b><b").collect();
        assert_eq!(found, [(1, 4, 8), (4, 6, 7)]);
    }

    #[test]
    fn no_symbols_are_nothing_to_look_for() {
        assert!(Symbols::new(HashMap::new()).is_none());
    }
}
