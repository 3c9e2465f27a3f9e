//! Degrees: from the comparative and superlative forms of adjectives and adverbs to the positive, whatever the tag.
//!
//! ```text
//! better   good 107 ×, well 31 ×  → good
//! more     more (itself); a list says: of many, of much; "many" is the more frequent lemma  → many
//! rather   a list says: of rathe; but in text it has no degree  → not a degree
//! ```
//!
//! A treebank may have *better* under *good* here and under *well* there, and *more* under itself. Here each form has one
//! positive: the lemma that the treebank has most often for it, other than itself; else the most frequent of those that a
//! list of inflected forms gives. Which tags mean a degree is read from the feature `Degree` of the same treebank.

use super::{Rule, train::Rules};
use crate::text::document::{Sentence, Word};
use crate::text::hash;
use crate::text::lexicon::{Lexicon, LexiconBuilder};
use crate::text::model::{ModelError, Section};
use crate::text::word_shape;
use std::collections::{BTreeMap, HashMap};

/// Rules for the forms of degrees, lower-cased.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Degrees {
    lexicon: Lexicon,
}

/// Seeds of keys: forms that are degrees in running text for the most part, and forms that are so by a list only.
const ATTESTED: u64 = 211;
const LISTED: u64 = 212;

fn key(seed: u64, form: &str) -> u64 {
    hash::pair(seed, hash::bytes(102, form.as_bytes()), 0)
}

impl Degrees {
    /// The number of the rule that makes the positive degree of a word; nothing for a word without degrees. `lower` is a
    /// buffer.
    pub(super) fn find(&self, word: &Word, lower: &mut String) -> Option<u16> {
        let graded = is_graded(&word.feats);
        if !graded && !matches!(word.upos.as_str(), "ADJ" | "ADV" | "DET") {
            return None;
        }
        lower.clear();
        word_shape::lower_into(&word.form, lower);
        let listed = || graded.then(|| self.lexicon.find(key(LISTED, lower)))?;
        let found = self.lexicon.find(key(ATTESTED, lower)).or_else(listed)?;
        self.lexicon.list(found).first().copied()
    }

    /// Reads the degrees of sentences and of lists of inflected forms.
    pub(super) fn train(
        sentences: &[&Sentence],
        inflections: &[Word],
        rules: &mut Rules,
    ) -> Degrees {
        let seen = Seen::of(sentences, inflections);
        let positives: BTreeMap<&str, &str> = seen
            .forms
            .iter()
            .filter_map(|(form, seen_form)| Some((form.as_str(), seen.positive(seen_form)?)))
            .collect();
        let mut builder = LexiconBuilder::default();
        for (&form, &positive) in &positives {
            // The positive of a degree may be a degree itself: lesser, less, little.
            let positive = positives.get(positive).copied().unwrap_or(positive);
            let seed = match seen.forms[form].graded {
                0 => LISTED,
                _ => ATTESTED,
            };
            if let Some(rule) = rules.number(Rule::between(form, positive))
                && form != positive
            {
                builder.insert(key(seed, form), vec![rule]);
            }
        }
        Degrees {
            lexicon: builder.build(),
        }
    }

    pub(super) fn save(&self, section: &mut Section) {
        self.lexicon.save(section, NAME);
    }

    /// Reads the degrees back. Models of earlier versions have none.
    pub(super) fn load(section: &Section, rules: usize) -> Result<Degrees, ModelError> {
        let lexicon = match section.tensors.contains_key(&format!("{NAME}.keys")) {
            true => Lexicon::load(section, NAME, rules)?,
            false => LexiconBuilder::default().build(),
        };
        Ok(Degrees { lexicon })
    }
}

const NAME: &str = "degrees";

/// Whether features say that a word is a comparative or a superlative.
fn is_graded(feats: &str) -> bool {
    let degree = feats
        .split('|')
        .find_map(|feature| feature.strip_prefix("Degree="));
    matches!(degree, Some("Cmp" | "Sup"))
}

/// What was seen of words that may have degrees.
#[derive(Default)]
struct Seen {
    forms: BTreeMap<String, SeenForm>,
    /// How often each lemma was seen.
    lemmas: HashMap<String, u32>,
}

fn lowered(word: &Word) -> String {
    word.form.as_str().to_lowercase()
}

/// How often a form was a degree, how often it was none, and of which words.
#[derive(Default)]
struct SeenForm {
    graded: u32,
    plain: u32,
    positives: BTreeMap<String, u32>,
}

impl Seen {
    fn of(sentences: &[&Sentence], inflections: &[Word]) -> Seen {
        let mut seen = Seen::default();
        // How often each XPOS comes with a degree and without.
        let mut tags: HashMap<&str, [u32; 2]> = HashMap::new();
        for word in sentences.iter().flat_map(|s| &s.words) {
            *seen.lemmas.entry(word.lemma.to_string()).or_default() += 1;
            if matches!(word.upos.as_str(), "ADJ" | "ADV" | "DET") {
                let graded = is_graded(&word.feats);
                tags.entry(&word.xpos).or_default()[usize::from(graded)] += 1;
                let form = seen.forms.entry(lowered(word)).or_default();
                match graded {
                    true => form.add(&lowered(word), &word.lemma),
                    false => form.plain += 1,
                }
            }
        }
        for word in inflections {
            let [plain, graded] = tags.get(word.xpos.as_str()).copied().unwrap_or_default();
            if graded > plain && word.form != word.lemma {
                let form = seen.forms.entry(lowered(word)).or_default();
                form.positives.entry(word.lemma.to_string()).or_default();
            }
        }
        seen
    }

    fn positive<'a>(&self, form: &'a SeenForm) -> Option<&'a str> {
        if form.plain > form.graded {
            return None;
        }
        let frequency = |lemma: &str| self.lemmas.get(lemma).copied().unwrap_or(0);
        let candidates = form.positives.iter().rev();
        let best = candidates.max_by_key(|(lemma, count)| (**count, frequency(lemma)));
        best.map(|(lemma, _)| lemma.as_str())
    }
}

impl SeenForm {
    fn add(&mut self, form: &str, lemma: &str) {
        self.graded += 1;
        if lemma != form && !lemma.is_empty() {
            *self.positives.entry(lemma.to_owned()).or_default() += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(form: &str, lemma: &str, upos: &str, xpos: &str, feats: &str) -> Word {
        Word {
            lemma: lemma.into(),
            upos: upos.into(),
            xpos: xpos.into(),
            feats: feats.into(),
            ..Word::of(form)
        }
    }

    /// The positive degrees of forms tagged as adverbs, after a text and a list.
    fn positive(form: &str, feats: &str) -> Option<String> {
        let text = [
            word("better", "good", "ADJ", "C", "Degree=Cmp"),
            word("Better", "good", "ADJ", "C", "Degree=Cmp"),
            word("better", "well", "ADV", "C", "Degree=Cmp"),
            word("more", "more", "ADJ", "C", "Degree=Cmp"),
            word("much", "much", "ADJ", "P", "Degree=Pos"),
            word("less", "less", "ADV", "C", "Degree=Cmp"),
            word("rather", "rather", "ADV", "P", ""),
        ];
        let list = [
            word("more", "many", "ADJ", "C", ""),
            word("more", "much", "ADJ", "C", ""),
            word("less", "little", "ADJ", "C", ""),
            word("lesser", "less", "ADJ", "C", ""),
            word("rather", "rathe", "ADJ", "C", ""),
            word("better", "bet", "NOUN", "N", ""),
        ];
        let sentence = Sentence {
            words: text.to_vec(),
            ..Sentence::default()
        };
        let mut rules = Rules::default();
        let degrees = Degrees::train(&[&sentence], &list, &mut rules);
        let word = word(form, "", "ADV", "", feats);
        let rule = degrees.find(&word, &mut String::new())?;
        rules.list[usize::from(rule)]
            .apply(&form.to_lowercase())
            .map(Into::into)
    }

    #[test]
    fn the_most_frequent_positive_is_taken_whatever_the_tag() {
        assert_eq!(positive("Better", "").as_deref(), Some("good"));
    }

    #[test]
    fn a_list_helps_where_the_treebank_has_the_form_itself() {
        assert_eq!(positive("more", "").as_deref(), Some("much"));
        assert_eq!(positive("less", "").as_deref(), Some("little"));
    }

    #[test]
    fn a_degree_of_a_degree_goes_to_the_positive() {
        assert_eq!(positive("lesser", "Degree=Cmp").as_deref(), Some("little"));
    }

    #[test]
    fn what_only_a_list_calls_a_degree_needs_a_tag_that_does_too() {
        assert_eq!(positive("lesser", "Degree=Pos"), None);
        assert_eq!(positive("rather", "Degree=Cmp"), None);
    }
}
