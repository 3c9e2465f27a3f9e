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
//!
//! An irregular form that has one lemma under all its tags (*geese*, *corpora*) has it under any tag. In languages of rich
//! inflection, a rule that makes a lemma known from other forms is preferred.

mod degrees;
mod exceptions;
mod rule;
pub mod train;
mod view;

use super::document::{Sentence, Word};
use super::lexicon::Lexicon;
use super::model::{ModelError, Section};
use super::tagger::{Decoder, Lattice};
use super::weights::Weights;
use compact_str::CompactString;
use degrees::Degrees;
use rule::Rule;
use serde_json::{Value, json};
use view::{View, folded, takes_any_tag};

/// Name of the layer in model files.
pub const LAYER: &str = "lemmatize";

/// What counts as a lemma, by the names `--mode` knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Mode {
    /// As the treebank of the model has it, by the word's tag
    #[default]
    Ud,
    /// As dictionaries list it: positive degrees for comparatives and superlatives, names as they are
    Dictionary,
}

/// A trained lemmatizer. It needs words with UPOS, XPOS and FEATS.
#[derive(Clone, Debug, PartialEq)]
pub struct Lemmatizer {
    pub mode: Mode,
    rules: Vec<Rule>,
    lexicon: Lexicon,
    degrees: Degrees,
    weights: Weights,
    /// Lemmas with their UPOS, if the language is rich in forms.
    lemmas: Option<Lexicon>,
    /// The rule that lower-cases and takes k characters off the end, under k; none where stems are no lemmas (in French
    /// *parlementaires* is not of *parlement*).
    strips: Vec<Option<u16>>,
}

/// Buffers for lemmatizing, one per thread.
#[derive(Debug)]
pub struct LemmaScratch {
    lattice: Lattice,
    decoder: Decoder<i32>,
    lower: String,
    candidates: Vec<u16>,
    chosen: Vec<u16>,
}

impl Default for LemmaScratch {
    fn default() -> LemmaScratch {
        let (lattice, lower, candidates, chosen) = Default::default();
        LemmaScratch {
            lattice,
            decoder: Decoder::new(1),
            lower,
            candidates,
            chosen,
        }
    }
}

/// What it is worth, in the unit of the perceptron, that a rule makes a known lemma. Chosen on held-back Turkish sentences.
const KNOWN_LEMMA: f32 = 40.0;

impl Lemmatizer {
    /// Writes the lemma of every word; with `keep`, only of words without one.
    pub fn lemmatize(&self, sentence: &mut Sentence, keep: bool, scratch: &mut LemmaScratch) {
        for (i, word) in sentence.words.iter_mut().enumerate() {
            if !keep || word.lemma.is_empty() {
                let lemma = match self.mode {
                    Mode::Ud => None,
                    Mode::Dictionary => self.dictionary_lemma(word, &mut scratch.lower),
                };
                word.lemma = lemma.unwrap_or_else(|| self.lemma(word, i == 0, scratch));
            }
        }
    }

    fn lemma(&self, word: &Word, initial: bool, scratch: &mut LemmaScratch) -> CompactString {
        let form = folded(word, initial);
        let view = View::new(&form, word, self.lemmas.is_some(), &mut scratch.lower);
        self.candidates(word, &form, &view, &mut scratch.candidates);
        let Some(rule) = self.choose(&form, &view, scratch) else {
            return form.as_ref().into();
        };
        self.rules[usize::from(rule)]
            .apply(&form)
            .unwrap_or_else(|| word.form.clone())
    }

    /// The best of the candidates in `scratch`.
    fn choose(&self, form: &str, view: &View, scratch: &mut LemmaScratch) -> Option<u16> {
        let LemmaScratch {
            lattice,
            decoder,
            candidates,
            chosen,
            ..
        } = scratch;
        if candidates.len() < 2 {
            return candidates.first().copied();
        }
        view.fill(candidates, lattice);
        if let Some(lemmas) = &self.lemmas {
            let knows = |lemma: &str| lemmas.find(view.lemma_key(lemma)).is_some();
            ask(lattice, &self.rules, form, knows);
        }
        decoder.decode(lattice, &self.weights, chosen);
        chosen.first().copied()
    }

    /// The rules that a form has with its tag, or with any, or that its ending suggests.
    fn candidates(&self, word: &Word, form: &str, view: &View, candidates: &mut Vec<u16>) {
        candidates.clear();
        let known = self.lexicon.find(view.form_key());
        match known.or_else(|| self.find_under_other_tags(word, view)) {
            Some(list) => candidates.extend_from_slice(self.lexicon.list(list)),
            // Of one character that was never seen, rules would leave nothing.
            None if form.chars().nth(1).is_none() => {}
            None => {
                view.guess(&self.lexicon, candidates);
                if let Some(lemmas) = &self.lemmas {
                    let knows = |lemma: &str| lemmas.find(view.lemma_key(lemma)).is_some();
                    self.add_stem(form, knows, candidates);
                }
            }
        }
    }

    fn find_under_other_tags(&self, word: &Word, view: &View) -> Option<u32> {
        let with_upos = || self.lexicon.find(view.upos_key());
        let any_tag = || self.lexicon.find(view.any_tag_key());
        let found = self.lemmas.as_ref().and_then(|_| with_upos());
        found.or_else(|| takes_any_tag(word).then(any_tag)?)
    }

    /// Adds the rule that leaves the longest known lemma of a form, if no other candidate makes a known one.
    fn add_stem(&self, form: &str, knows: impl Fn(&str) -> bool, candidates: &mut Vec<u16>) {
        let makes_known = |rule: &u16| {
            let lemma = self.rules[usize::from(*rule)].apply(form);
            lemma.is_some_and(|lemma| knows(&lemma))
        };
        if !candidates.iter().any(makes_known) {
            candidates.extend(self.strips.iter().flatten().find(|rule| makes_known(rule)));
        }
    }

    /// The lemma of a dictionary where it is another than a treebank's.
    fn dictionary_lemma(&self, word: &Word, lower: &mut String) -> Option<CompactString> {
        if word.upos == "PROPN" {
            return Some(word.form.clone());
        }
        let rule = self.degrees.find(word, lower)?;
        self.rules[usize::from(rule)].apply(lower)
    }

    /// The model file section of the lemmatizer.
    pub fn to_section(&self) -> Section {
        let mut section = Section::default();
        section.save_strings(
            "rules",
            &self.rules.iter().map(Rule::to_line).collect::<Vec<_>>(),
        );
        self.lexicon.save(&mut section, "lexicon");
        self.degrees.save(&mut section);
        self.weights.save(&mut section, "weights");
        if let Some(lemmas) = &self.lemmas {
            lemmas.save(&mut section, "lemmas");
            let stems = json!(!self.strips.is_empty());
            section.meta.insert("stems".to_owned(), stems);
        }
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
        let lemmas = match section.tensors.contains_key("lemmas.keys") {
            true => Some(Lexicon::load(section, "lemmas", 1)?),
            false => None,
        };
        Ok(Lemmatizer {
            mode: Mode::default(),
            lexicon: Lexicon::load(section, "lexicon", rules.len())?,
            degrees: Degrees::load(section, rules.len())?,
            weights: Weights::load(section, "weights")?,
            lemmas,
            strips: match section.meta.get("stems").and_then(Value::as_bool) {
                Some(true) => strips(&rules),
                _ => Vec::new(),
            },
            rules,
        })
    }
}

/// The numbers of the rules that lower-case and take 0, 1, 2 … characters off the end.
fn strips(rules: &[Rule]) -> Vec<Option<u16>> {
    let mut strips = Vec::new();
    for (rule, number) in rules.iter().zip(0..) {
        if let Some(length) = rule.strips() {
            if strips.len() <= length {
                strips.resize(length + 1, None);
            }
            strips[length] = Some(number);
        }
    }
    strips
}

/// Prefers rules that make a known lemma of `form`.
fn ask(lattice: &mut Lattice, rules: &[Rule], form: &str, knows: impl Fn(&str) -> bool) {
    lattice.ask(|_, rule| match rules[usize::from(rule)].apply(form) {
        Some(lemma) if knows(&lemma) => KNOWN_LEMMA,
        _ => 0.0,
    });
}
