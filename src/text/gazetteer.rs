//! Names of the user's own: a list of names and their labels, found wherever their words stand.
//!
//! ```text
//! Acme Corp →ORG →Q42       name, label, and a value if it has one, parted by tabs (→)
//! aspirin →DRUG             lower case: in any case
//! ```
//!
//! A name with a capital letter is found as it is written and in capitals alone. Of several names that begin at a word the
//! longest is found. A name of the list goes before what model and rules found, unless theirs is longer and of the same
//! label.

use super::document::{Sentence, Word};
use super::entity::{self, entities};
use super::format::FormatError;
use hashbrown::HashMap;
use std::collections::hash_map::RandomState;

/// A list of names.
#[derive(Clone, Debug, Default)]
pub struct Gazetteer {
    /// By the first word of the name, lower-cased; the longest first.
    names: HashMap<String, Vec<Name>, RandomState>,
}

#[derive(Clone, Debug)]
struct Name {
    words: Vec<String>,
    /// It is found in any case.
    any_case: bool,
    label: String,
    value: Option<String>,
}

impl Gazetteer {
    /// Adds the names of a file. `cut` gives the words of a name as the tokenizer sees them.
    ///
    /// # Errors
    /// A line has no label, or no name.
    pub fn add(
        &mut self,
        text: &str,
        cut: impl Fn(&str) -> Vec<String>,
    ) -> Result<(), FormatError> {
        for (i, line) in text.lines().enumerate() {
            let line = line.trim_end_matches('\r');
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let mut fields = line.split('\t').map(str::trim);
            let name = fields.next().unwrap_or_default();
            let label = fields.next().unwrap_or_default();
            let words = cut(name);
            let (Some(first), false) = (words.first(), label.is_empty()) else {
                let error = FormatError::new(i as u64 + 1, "expected a name, a tab and a label");
                return Err(error.hint("as in: Acme Corp<tab>ORG"));
            };
            if label.contains(char::is_whitespace) || label.contains('|') {
                let problem = format!("{label:?} is not a label");
                return Err(FormatError::new(i as u64 + 1, problem));
            }
            let names = self.names.entry(first.to_lowercase()).or_default();
            let value = fields.next().filter(|value| !value.is_empty());
            names.push(Name {
                any_case: !name.contains(char::is_uppercase),
                label: label.to_owned(),
                value: value.map(str::to_owned),
                words,
            });
        }
        for names in self.names.values_mut() {
            names.sort_by_key(|name| std::cmp::Reverse(name.words.len()));
        }
        Ok(())
    }

    /// How many names it has.
    pub fn len(&self) -> usize {
        self.names.values().map(Vec::len).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Labels the names of the list in a sentence.
    pub fn mark(&self, sentence: &mut Sentence) {
        let mut at = 0;
        while at < sentence.words.len() {
            let Some(name) = self.name_at(&sentence.words[at..]) else {
                at += 1;
                continue;
            };
            let words = at..at + name.words.len();
            let is_part = |other: &entity::Entity| {
                other.label == name.label
                    && other.words.start <= words.start
                    && other.words.end >= words.end
                    && other.words.len() > words.len()
            };
            at = words.end;
            match entities(sentence).iter().find(|other| is_part(other)) {
                Some(longer) => at = longer.words.end,
                None => entity::put(sentence, words, &name.label, name.value.as_deref()),
            }
        }
    }

    fn name_at(&self, words: &[Word]) -> Option<&Name> {
        let first = words.first()?.form.to_lowercase();
        let names = self.names.get(first.as_str())?;
        names.iter().find(|name| name.fits(words))
    }
}

impl Name {
    fn fits(&self, words: &[Word]) -> bool {
        let Some(words) = words.get(..self.words.len()) else {
            return false;
        };
        let all = |same: fn(&str, &str) -> bool| {
            let mut pairs = words.iter().zip(&self.words);
            pairs.all(|(word, name)| same(&word.form, name))
        };
        if self.any_case {
            return all(|word, name| word.to_lowercase() == name.to_lowercase());
        }
        all(|word, name| word == name) || all(|word, name| word == name.to_uppercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::plain::parse_tokens;

    fn gazetteer(text: &str) -> Result<Gazetteer, FormatError> {
        let mut gazetteer = Gazetteer::default();
        let cut = |name: &str| name.split_whitespace().map(str::to_owned).collect();
        gazetteer.add(text, cut).map(|()| gazetteer)
    }

    fn marked(list: &str, text: &str) -> String {
        let mut sentence = parse_tokens(text).sentences.remove(0);
        sentence.words[0].misc.set("NER", "B-PER");
        gazetteer(list).unwrap().mark(&mut sentence);
        let labels = sentence.words.iter().map(|word| {
            let of = |key| word.misc.get(key).unwrap_or("-").to_owned();
            of("NER") + "=" + &of("Value")
        });
        labels.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_longest_name_is_found_and_goes_before_others() {
        let list = "Acme\tORG\nAcme Tower\tLOC\t7\r\n# no name\n\n";
        assert_eq!(marked(list, "Acme Tower fell"), "B-LOC=7 I-LOC=- -=-");
        assert_eq!(marked(list, "x Acme fell"), "B-PER=- B-ORG=- -=-");
    }

    #[test]
    fn case_counts_where_the_name_has_capitals() {
        let list = "Acme\tORG\naspirin\tDRUG\n";
        assert_eq!(
            marked(list, "x acme ACME Aspirin"),
            "B-PER=- -=- B-ORG=- B-DRUG=-"
        );
    }

    #[test]
    fn a_longer_name_of_the_same_label_stays() {
        let mut sentence = parse_tokens("Acme Inc. won").sentences.remove(0);
        sentence.words[0].misc.set("NER", "B-ORG");
        sentence.words[1].misc.set("NER", "I-ORG");
        gazetteer("Acme\tORG\n").unwrap().mark(&mut sentence);
        assert_eq!(entities(&sentence)[0].words, 0..2);
    }

    #[test]
    fn a_line_without_a_label_is_named() {
        let error = gazetteer("Acme\tORG\nNo label\n").unwrap_err();
        assert_eq!(error.line, 2);
        assert!(gazetteer("\tORG\n").is_err());
    }
}
