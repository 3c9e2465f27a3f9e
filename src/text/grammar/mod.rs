//! Dates, times, durations, amounts of money, percentages, quantities and numbers, found by rules and given values.
//!
//! ```text
//! On 23rd Dec she paid $3.5 million.
//!    DATE              MONEY
//!    XXXX-12-23        USD 3500000
//! ```
//!
//! Words are cut into pieces (`piece`), numbers are read by `number`, and the rules of a language's files (`rules`, their
//! lines by `pattern`) are matched wherever a piece begins one (`matcher`). Of two entities that overlap the longer
//! stays, and one inside a name goes. Values are those of ISO 8601, with X for what is unknown, of TIMEX3 (durations;
//! Pustejovsky et al. 2003) and ISO 4217 (currencies); dates relative to a day get theirs when the day is known
//! (`calendar`).

mod calendar;
mod kind;
mod matcher;
mod number;
mod pattern;
mod piece;
mod role;
mod rules;
mod sequence;
mod template;
mod vocabulary;

#[cfg(test)]
mod tests;

pub use sequence::DateOrder;

use super::document::Sentence;
use super::entity::{self, Entity};
use super::format::FormatError;
use jiff::civil::Date;
use matcher::{Match, Matcher};
use number::Readings;
use piece::Piece;
use rules::Rules;

/// The rules of a language, and how its dates are read.
#[derive(Clone, Debug)]
pub struct Grammar {
    rules: Rules,
    /// The day that `yesterday` is the day before of.
    pub reference: Option<Date>,
    pub order: DateOrder,
    /// Labels to find.
    labels: Vec<String>,
}

/// Buffers for [`Grammar::mark`], one per thread.
#[derive(Debug, Default)]
pub struct GrammarScratch {
    pieces: Vec<Piece>,
    readings: Vec<Readings>,
}

impl Grammar {
    /// Reads the files of a grammar, each with its name. A class of words must stand before its use.
    ///
    /// # Errors
    /// A line of a file cannot be understood; with the index of the file.
    pub fn parse<'a>(
        files: impl IntoIterator<Item = &'a str>,
    ) -> Result<Grammar, (usize, FormatError)> {
        let mut rules = Rules::default();
        let mut count = 0;
        for (i, text) in files.into_iter().enumerate() {
            rules.add(text).map_err(|error| (i, error))?;
            count = i;
        }
        rules
            .index()
            .map_err(|problem| (count, FormatError::new(1, problem)))?;
        Ok(Grammar {
            labels: rules.labels.clone(),
            rules,
            reference: None,
            order: DateOrder::default(),
        })
    }

    /// Adds the entities of the grammar to those that a sentence has already, and their values as `Value=` in the MISC of
    /// their first words. `text` is that of a located document.
    pub fn mark(&self, text: Option<&str>, sentence: &mut Sentence, scratch: &mut GrammarScratch) {
        let GrammarScratch { pieces, readings } = scratch;
        if !piece::cut(text, sentence, &self.rules.vocabulary, pieces) {
            return;
        }
        readings.clear();
        readings.resize(pieces.len(), Readings::default());
        let matcher = Matcher::new(&self.rules, &sentence.words, pieces, readings);
        let matches = matcher.find(self.order);
        if matches.is_empty() {
            return;
        }
        let names = entity::entities(sentence);
        for found in matches {
            self.set(found, &names, sentence);
        }
    }

    /// Leaves labels that do not pass to others. What has one is still no part of another entity: the day of a date is no
    /// number.
    pub fn keep_only(&mut self, passes: impl Fn(&str) -> bool) {
        self.labels.retain(|label| passes(label));
    }

    fn set(&self, found: Match, names: &[Entity], sentence: &mut Sentence) {
        let label = &self.rules.labels[found.label];
        if !self.labels.contains(label) {
            return;
        }
        let overlaps = |name: &&Entity| {
            name.words.start < found.words.end && found.words.start < name.words.end
        };
        if names
            .iter()
            .filter(overlaps)
            .any(|name| name.words.len() >= found.words.len())
        {
            return;
        }
        let value = self.value(found.value);
        entity::put(sentence, found.words, label, value.as_deref());
    }

    /// A value as it is shown: a relative one resolved, or not at all.
    fn value(&self, value: Option<String>) -> Option<String> {
        match value {
            Some(value) if value.starts_with('@') => calendar::resolve(&value, self.reference?),
            value => value.filter(|value| !value.is_empty()),
        }
    }
}
