//! Lemmatization: a lemma is the form under an edit rule, and a linear classifier chooses the rule.
//!
//! ```text
//! rule        form → lemma
//! l,2,e       hoping → hope          lower-case, take 2 characters off the end, add "e"
//! k,0,        Paris → Paris          keep the case
//! =be         is → be                the lemma itself
//! ```
//!
//! Rules for a word come from a lexicon: those seen with the form and its tag, else those of its longest known ending
//! and UPOS. Where several remain, hashed features of form and tag decide between them. Chrupała (2006), Simple
//! data-driven context-sensitive lemmatization; Gesmundo and Samardžić (2012), Lemmatisation as a tagging task.

pub mod train;

use super::document::{Sentence, Word};
use super::hash;
use super::lexicon::Lexicon;
use super::model::{ModelError, Section};
use super::tagger::{Decoder, Lattice};
use super::weights::Weights;
use super::word_shape::{self, Kind, WordShape};
use compact_str::CompactString;
use std::borrow::Cow;

/// Name of the layer in model files.
pub const LAYER: &str = "lemmatize";

/// A trained lemmatizer. It needs words with UPOS, XPOS and FEATS.
#[derive(Clone, Debug, PartialEq)]
pub struct Lemmatizer {
    rules: Vec<Rule>,
    lexicon: Lexicon,
    weights: Weights,
}

/// How a lemma is made from a form.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Rule {
    /// Adjust the case, take characters off the end, add a suffix.
    Edit {
        case: Case,
        strip: u8,
        add: CompactString,
    },
    /// The lemma itself: nothing of the form is left.
    Whole(CompactString),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Case {
    Keep,
    Lower,
    /// First letter upper, others lower: `PARIS` → `Paris`.
    Title,
}

impl Rule {
    /// The rule that makes `lemma` from `form`.
    fn between(form: &str, lemma: &str) -> Rule {
        let mut best: Option<(usize, Case)> = None;
        for case in [Case::Lower, Case::Keep, Case::Title] {
            let shared = shared_prefix(&case.apply(form), lemma);
            if best.is_none_or(|(most, _)| shared > most) {
                best = Some((shared, case));
            }
        }
        match best {
            Some((shared, case)) if shared > 0 => {
                let cased = case.apply(form);
                let strip = cased.chars().count() - shared;
                let add: CompactString = lemma.chars().skip(shared).collect();
                u8::try_from(strip).map_or(Rule::Whole(lemma.into()), |strip| Rule::Edit {
                    case,
                    strip,
                    add,
                })
            }
            _ => Rule::Whole(lemma.into()),
        }
    }

    /// The lemma of a form; none when the form is too short for the rule.
    fn apply(&self, form: &str) -> Option<CompactString> {
        match self {
            Rule::Whole(lemma) => Some(lemma.clone()),
            Rule::Edit { case, strip, add } => {
                let mut cased = case.apply(form);
                for _ in 0..*strip {
                    cased.pop()?;
                }
                cased.push_str(add);
                (!cased.is_empty()).then_some(cased)
            }
        }
    }

    fn parse(line: &str) -> Option<Rule> {
        if let Some(lemma) = line.strip_prefix('=') {
            return Some(Rule::Whole(lemma.into()));
        }
        let mut parts = line.splitn(3, ',');
        let case = match parts.next()? {
            "k" => Case::Keep,
            "l" => Case::Lower,
            "t" => Case::Title,
            _ => return None,
        };
        let strip = parts.next()?.parse().ok()?;
        Some(Rule::Edit {
            case,
            strip,
            add: parts.next()?.into(),
        })
    }

    fn to_line(&self) -> String {
        match self {
            Rule::Whole(lemma) => format!("={lemma}"),
            Rule::Edit { case, strip, add } => {
                let case = match case {
                    Case::Keep => 'k',
                    Case::Lower => 'l',
                    Case::Title => 't',
                };
                format!("{case},{strip},{add}")
            }
        }
    }
}

impl Case {
    fn apply(self, form: &str) -> CompactString {
        let lower = |s: &str| {
            s.chars()
                .flat_map(char::to_lowercase)
                .collect::<CompactString>()
        };
        match self {
            Case::Keep => form.into(),
            Case::Lower => lower(form),
            Case::Title => {
                let mut chars = form.chars();
                let first: CompactString = chars
                    .next()
                    .into_iter()
                    .flat_map(char::to_uppercase)
                    .collect();
                first + &lower(chars.as_str())
            }
        }
    }
}

/// How many characters two strings share at the start.
fn shared_prefix(a: &str, b: &str) -> usize {
    a.chars().zip(b.chars()).take_while(|(x, y)| x == y).count()
}

/// Seeds of the lexicon's keys: a form with its tag, an ending with a UPOS and kind.
const FORM: u64 = 201;
const ENDING: u64 = 203;
/// Endings of unknown forms are tried from this many characters down.
const LONGEST_ENDING: usize = 5;

/// The form that rules work on: capitals that can only mark a title or the start of a sentence are lowered.
fn folded(word: &Word, initial: bool) -> Cow<'_, str> {
    let named = matches!(word.upos.as_str(), "PROPN" | "NOUN" | "ADJ" | "X" | "SYM");
    let marked = match word_shape::kind(&word.form) {
        Kind::AllCapitals => true,
        Kind::Capitalized => initial || !named,
        _ => false,
    };
    if marked && word.upos != "PROPN" {
        Cow::Owned(word.form.as_str().to_lowercase())
    } else {
        Cow::Borrowed(word.form.as_str())
    }
}

/// What the lexicon and the classifier see of a word: hashes.
#[derive(Clone, Copy, Debug)]
struct View {
    shape: WordShape,
    upos: u64,
    tag: u64,
    vowels: u64,
}

impl View {
    fn new(form: &str, word: &Word, scratch: &mut String) -> View {
        let shape = WordShape::new(form, scratch);
        let upos = hash::bytes(1, word.upos.as_bytes());
        let tag = hash::pair(2, upos, hash::bytes(3, word.xpos.as_bytes()));
        // Without XPOS the features of the word must tell `walks` from `walked`.
        let tag = if word.xpos.is_empty() {
            hash::pair(4, tag, hash::bytes(5, word.feats.as_bytes()))
        } else {
            tag
        };
        let vowels = scratch
            .bytes()
            .filter(|b| b"aeiouy".contains(b))
            .count()
            .min(4) as u64;
        View {
            shape,
            upos,
            tag,
            vowels,
        }
    }

    fn ending_key(&self, length: usize) -> Option<u64> {
        let group = hash::pair(8, self.upos, self.shape.kind);
        Some(hash::pair(
            ENDING + length as u64,
            group,
            self.shape.suffix(length)?,
        ))
    }

    fn form_key(&self) -> u64 {
        hash::pair(FORM, self.shape.exact, self.tag)
    }

    /// Fills a lattice of one position.
    fn fill(&self, candidates: &[u16], lattice: &mut Lattice) {
        let tag = self.tag;
        let mut features = [0; 20];
        let mut n = 0;
        let mut add = |feature| {
            features[n] = feature;
            n += 1;
        };
        let WordShape {
            exact,
            kind,
            suffixes,
            prefixes,
            ..
        } = self.shape;
        add(hash::pair(30, tag, kind));
        add(hash::pair(31, tag, exact));
        add(hash::pair(32, self.upos, prefixes[3]));
        add(hash::pair(
            33,
            hash::pair(34, tag, self.vowels),
            suffixes[2],
        ));
        for (k, &suffix) in suffixes.iter().enumerate().filter(|s| *s.1 != 0) {
            add(hash::pair(40 + k as u64, tag, suffix));
            add(hash::pair(50 + k as u64, kind, suffix));
        }
        lattice.clear();
        lattice.push(&features[..n], &[], &[], candidates);
    }
}

/// Buffers for lemmatizing, one per thread.
#[derive(Debug)]
pub struct LemmaScratch {
    lattice: Lattice,
    decoder: Decoder<i32>,
    lower: String,
    chosen: Vec<u16>,
}

impl Default for LemmaScratch {
    fn default() -> LemmaScratch {
        let (lattice, lower, chosen) = Default::default();
        LemmaScratch {
            lattice,
            decoder: Decoder::new(1),
            lower,
            chosen,
        }
    }
}

impl Lemmatizer {
    /// Writes the lemma of every word; with `keep`, only of words without one.
    pub fn lemmatize(&self, sentence: &mut Sentence, keep: bool, scratch: &mut LemmaScratch) {
        for (i, word) in sentence.words.iter_mut().enumerate() {
            if !keep || word.lemma.is_empty() {
                word.lemma = self.lemma(word, i == 0, scratch);
            }
        }
    }

    fn lemma(&self, word: &Word, initial: bool, scratch: &mut LemmaScratch) -> CompactString {
        let form = folded(word, initial);
        let view = View::new(&form, word, &mut scratch.lower);
        let known = self
            .lexicon
            .find(view.form_key())
            .or_else(|| guess(&self.lexicon, &view));
        let rule = match known.map_or(&[][..], |number| self.lexicon.list(number)) {
            [] => return word.form.clone(),
            [only] => *only,
            candidates => {
                view.fill(candidates, &mut scratch.lattice);
                scratch
                    .decoder
                    .decode(&scratch.lattice, &self.weights, &mut scratch.chosen);
                scratch.chosen.first().copied().unwrap_or(candidates[0])
            }
        };
        self.rules[usize::from(rule)]
            .apply(&form)
            .unwrap_or_else(|| word.form.clone())
    }

    /// The model file section of the lemmatizer.
    pub fn to_section(&self) -> Section {
        let mut section = Section::default();
        section.save_strings(
            "rules",
            &self.rules.iter().map(Rule::to_line).collect::<Vec<_>>(),
        );
        self.lexicon.save(&mut section, "lexicon");
        self.weights.save(&mut section, "weights");
        section
    }

    /// Reads a lemmatizer from its section.
    ///
    /// # Errors
    /// A tensor is missing or does not fit the others.
    pub fn from_section(section: &Section) -> Result<Lemmatizer, ModelError> {
        let parse = |line: &String| {
            Rule::parse(line).ok_or_else(|| ModelError::Tensor {
                tensor: "rules".to_owned(),
            })
        };
        let rules = section
            .strings("rules")?
            .iter()
            .map(parse)
            .collect::<Result<Vec<_>, _>>()?;
        let lexicon = Lexicon::load(section, "lexicon", rules.len())?;
        Ok(Lemmatizer {
            rules,
            lexicon,
            weights: Weights::load(section, "weights")?,
        })
    }
}

/// The rules of the longest known ending.
fn guess(lexicon: &Lexicon, view: &View) -> Option<u32> {
    (0..=LONGEST_ENDING)
        .rev()
        .find_map(|length| lexicon.find(view.ending_key(length)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_makes_its_lemma_again() {
        let pairs = [
            ("hoping", "hope", "l,3,e"),
            ("Dogs", "dog", "l,1,"),
            ("Paris", "Paris", "k,0,"),
            ("PARIS", "Paris", "t,0,"),
            ("went", "go", "=go"),
            ("is", "be", "=be"),
            ("ÉTÉ", "été", "l,0,"),
            ("a,b", "a,b", "l,0,"),
        ];
        for (form, lemma, line) in pairs {
            let rule = Rule::between(form, lemma);
            assert_eq!(rule.to_line(), line, "{form} → {lemma}");
            assert_eq!(rule.apply(form).as_deref(), Some(lemma));
            assert_eq!(Rule::parse(line).as_ref(), Some(&rule));
        }
    }

    #[test]
    fn a_form_shorter_than_its_rule_is_left_alone() {
        assert_eq!(Rule::parse("l,3,e").unwrap().apply("it"), None);
    }
}
