//! The files a grammar is written in, and the rules they become.
//!
//! ```text
//! label DATE                                   what the rules of the file find
//! ranges apart                                 P2D/P3D and not P2/3D
//!
//! words month                                  a class of words: a value, and the forms that have it
//!   01  january jan
//!   05  May/PROPN                              capitalised, and tagged so
//!   mi2 "square mile" "square miles"
//!
//! rule <d:day> [of] <m:month> [,] <y:year> => $y-$m-$d
//! rule between { <n:num> and <m:num> } => $n/$m
//! not  { <y:year> } _/NNS                           takes away what other rules of the label find there
//! mdy  <m:mon> \/ <d:day> \/ <y:year> => $y-$m-$d       goes first where months come before days, as `dmy`
//!                                                  where they come after them
//! ```
//!
//! A rule is a sequence of words, classes `<name:class>`, numbers `<name:kind>` ([`Kind`]) and `_`, any piece; `[x]` may be
//! missing, `(x | y)` and `x|y` are alternatives, braces hold what becomes the entity where that is not all. `x/NNS,NNP`
//! wants one of these tags, `x/!NNP` none of them. A backslash takes its meaning from a character.

use super::kind::Kind;
use super::pattern::{PatternToken, alternatives, quoted, tagged, tokens};
use super::piece::{self, Piece};
use super::role::{Role, Roles};
use super::sequence::{
    Class, DIGITS, DateOrder, END, First, Form, Item, Sequence, Start, Step, Test, bit_of,
};
use super::template::Template;
use super::vocabulary::{UNKNOWN, Vocabulary};
use crate::text::format::FormatError;
use std::collections::HashMap;

/// The rules of all files, ready to be matched.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    pub vocabulary: Vocabulary,
    /// The roles that literals have in numbers; `third` counts and divides.
    pub roles: Vec<Roles>,
    pub classes: Vec<Class>,
    pub sequences: Vec<Sequence>,
    pub labels: Vec<String>,
    /// The sequences whose entity may begin with a literal, a numeral, a number in words.
    pub by_literal: Vec<Vec<Start>>,
    pub by_digits: Vec<Start>,
    pub by_number_word: Vec<Start>,
    /// The literal of a full stop.
    pub stop: u32,
    class_names: HashMap<String, usize>,
}

impl Rules {
    /// Adds the rules of a file.
    ///
    /// # Errors
    /// A line is neither a header, a class, a form nor a rule, or speaks of a class that is not there.
    pub fn add(&mut self, text: &str) -> Result<(), FormatError> {
        let (mut label, mut apart, mut class) = (None, false, None);
        for (i, line) in text.lines().enumerate() {
            let fault = |problem: String| FormatError::new(i as u64 + 1, problem);
            let line = line.trim_end();
            let content = line.trim_start();
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            if content.len() < line.len() {
                let class = class.ok_or_else(|| fault("a form outside of `words`".to_owned()))?;
                self.add_forms(class, content).map_err(fault)?;
                continue;
            }
            let (keyword, rest) = content.split_once(' ').unwrap_or((content, ""));
            match keyword {
                "label" => label = Some(self.label(rest.trim())),
                "ranges" => apart = rest.trim() == "apart",
                "words" => class = Some(self.class(rest.trim())),
                "rule" | "not" | "mdy" | "dmy" => {
                    let label = label.ok_or_else(|| fault("a rule before `label`".to_owned()))?;
                    self.add_rule(rest, label, keyword, apart).map_err(fault)?;
                }
                _ => return Err(fault(format!("unknown word {keyword:?}"))),
            }
        }
        Ok(())
    }

    fn label(&mut self, name: &str) -> usize {
        let found = self.labels.iter().position(|label| label == name);
        found.unwrap_or_else(|| {
            self.labels.push(name.to_owned());
            self.labels.len() - 1
        })
    }

    fn class(&mut self, name: &str) -> usize {
        let next = self.classes.len();
        let class = *self.class_names.entry(name.to_owned()).or_insert(next);
        if class == next {
            self.classes.push(Class::default());
        }
        class
    }

    fn literals(&mut self, text: &str) -> Vec<u32> {
        let mut pieces: Vec<Piece> = Vec::new();
        let vocabulary = &mut self.vocabulary;
        let mut buffer = String::new();
        piece::cut_word(
            text,
            0,
            |word| vocabulary.add(word),
            &mut buffer,
            &mut pieces,
        );
        pieces.iter().map(|piece| piece.literal).collect()
    }

    /// A line of a class: its value, then its forms, those of several words in quotation marks.
    fn add_forms(&mut self, class: usize, line: &str) -> Result<(), String> {
        let mut parts = quoted(line).into_iter();
        let value = parts.next().unwrap_or_default();
        let role = self.role(class, &value)?;
        for part in parts {
            let (form, test) = tagged(&part);
            let form = form.replace('\\', "");
            let mut literals = Vec::new();
            for word in form.split(' ') {
                literals.extend(self.literals(word));
            }
            let Some((&first, rest)) = literals.split_first() else {
                continue;
            };
            if literals.contains(&UNKNOWN) {
                return Err(format!("the form {form:?} has a digit"));
            }
            if let Some(role) = role {
                let place = first as usize;
                let length = self.roles.len().max(place + 1);
                self.roles.resize(length, Roles::default());
                self.roles[place].set(role);
            }
            let forms = self.classes[class].forms.entry(first).or_default();
            forms.push(Form {
                rest: rest.to_vec(),
                value: if value == "_" {
                    String::new()
                } else {
                    value.clone()
                },
                needs_capital: form.starts_with(char::is_uppercase),
                test,
            });
            forms.sort_by_key(|form| std::cmp::Reverse(form.rest.len()));
        }
        Ok(())
    }

    /// What the forms of a class `number.…` say in numbers.
    fn role(&self, class: usize, value: &str) -> Result<Option<Role>, String> {
        let name = self.class_names.iter().find(|(_, index)| **index == class);
        let Some(kind) = name.and_then(|(name, _)| name.strip_prefix("number.")) else {
            return Ok(None);
        };
        let number = || -> Result<f64, String> {
            value
                .parse()
                .map_err(|_| format!("{value:?} is not a number"))
        };
        Ok(Some(match kind {
            "unit" => Role::Unit(number()?),
            "tens" => Role::Tens(number()?),
            "scale" => Role::Scale(number()?),
            "suffix" => Role::Suffix(number()?),
            "part" => Role::Part(number()?),
            "half" => Role::Half(number()?),
            "ordinal" => Role::Ordinal(number()?),
            "place" => Role::Place,
            "and" => Role::And,
            "one" => Role::One,
            "to" => Role::To,
            "or" => Role::Or,
            "hyphen" => Role::Hyphen,
            "slash" => Role::Slash,
            _ => return Err(format!("numbers have no part {kind:?}")),
        }))
    }

    fn add_rule(
        &mut self,
        line: &str,
        label: usize,
        keyword: &str,
        apart: bool,
    ) -> Result<(), String> {
        let order = match keyword {
            "mdy" => Some(DateOrder::Mdy),
            "dmy" => Some(DateOrder::Dmy),
            _ => None,
        };
        let (pattern, template) = match line.split_once("=>") {
            Some((pattern, template)) => (pattern, Some(Template::parse(template.trim(), apart)?)),
            None => (line, None),
        };
        let tokens = tokens(pattern)?;
        let mut rest = tokens.as_slice();
        let paths = self.paths(&mut rest)?;
        if !rest.is_empty() {
            return Err(format!("{:?} closes nothing", rest[0].text));
        }
        for path in paths {
            let at = |brace| path.iter().position(|part| *part == brace);
            let (open, close) = match (at(Part::Open), at(Part::Close)) {
                (Some(open), Some(close)) if open < close => (open, close - 1),
                (None, None) => (0, path.len()),
                _ => return Err("braces that do not match".to_owned()),
            };
            let steps: Vec<Step> = path
                .into_iter()
                .filter_map(|part| match part {
                    Part::Step(step) => Some(step),
                    Part::Open | Part::Close => None,
                })
                .collect();
            let sequence = Sequence {
                open,
                close,
                steps,
                label,
                is_veto: keyword == "not",
                order,
                template: template.clone(),
            };
            if open == close {
                return Err("a rule that takes nothing".to_owned());
            }
            self.sequences.push(sequence);
        }
        Ok(())
    }

    /// Every way through a pattern up to what closes it.
    fn paths(&mut self, rest: &mut &[PatternToken]) -> Result<Vec<Vec<Part>>, String> {
        let mut alternatives = Vec::new();
        let mut paths: Vec<Vec<Part>> = vec![Vec::new()];
        while let Some((token, after)) = rest.split_first() {
            let one = |part| vec![vec![part]];
            let ways = match token.text.as_str() {
                _ if token.is_word => self.words(&token.text)?,
                "]" | ")" => break,
                "[" | "(" => {
                    *rest = after;
                    let mut inner = self.paths(rest)?;
                    let closing = if token.text == "[" { "]" } else { ")" };
                    if rest.first().map(|token| token.text.as_str()) != Some(closing) {
                        return Err(format!("no {closing:?} for {:?}", token.text));
                    }
                    if token.text == "[" {
                        inner.push(Vec::new());
                    }
                    inner
                }
                "|" => {
                    alternatives.append(&mut paths);
                    paths = vec![Vec::new()];
                    *rest = &rest[1..];
                    continue;
                }
                "{" => one(Part::Open),
                "}" => one(Part::Close),
                other => return Err(format!("{other:?} out of place")),
            };
            *rest = &rest[1..];
            paths = paths
                .iter()
                .flat_map(|path| ways.iter().map(move |way| [&path[..], way].concat()))
                .collect();
        }
        alternatives.append(&mut paths);
        Ok(alternatives)
    }

    /// The ways of a word of a pattern: one for each alternative.
    fn words(&mut self, token: &str) -> Result<Vec<Vec<Part>>, String> {
        let step = |item, name, test| Part::Step(Step { item, name, test });
        if let Some(inner) = token.strip_prefix('<') {
            let (inner, rest) = inner
                .split_once('>')
                .ok_or_else(|| format!("no \">\" in {token:?}"))?;
            let test = rest.strip_prefix('/').map(Test::parse);
            let (name, kind) = match inner.split_once(':') {
                Some((name, kind)) => (Some(name.to_owned()), kind),
                None => (None, inner),
            };
            let item = match (Kind::parse(kind), self.class_names.get(kind)) {
                (_, Some(&class)) => Item::Class(class),
                (Some(kind), None) => Item::Number(kind),
                (None, None) => return Err(format!("no class {kind:?}")),
            };
            return Ok(vec![vec![step(item, name, test)]]);
        }
        let (words, test) = tagged(token);
        if words == "_" {
            return Ok(vec![vec![step(Item::Any, None, test)]]);
        }
        let mut ways = Vec::new();
        for word in alternatives(&words) {
            let literals = self.literals(&word);
            if literals.contains(&UNKNOWN) {
                return Err(format!("the digits of {word:?} want <int>"));
            }
            let needs_capital = word.starts_with(char::is_uppercase);
            ways.push(
                literals
                    .into_iter()
                    .map(|literal| step(Item::Literal(literal, needs_capital), None, test.clone()))
                    .collect(),
            );
        }
        Ok(ways)
    }

    /// Sorts the sequences by what their entities may begin with.
    ///
    /// # Errors
    /// An entity begins with any piece.
    pub fn index(&mut self) -> Result<(), String> {
        self.stop = self.vocabulary.add(".");
        self.roles.resize(self.vocabulary.len(), Roles::default());
        self.by_literal = vec![Vec::new(); self.vocabulary.len()];
        self.by_digits.clear();
        self.by_number_word.clear();
        let numbers = self.numbers();
        for (i, sequence) in self.sequences.iter().enumerate() {
            let first = &sequence.steps[sequence.open].item;
            let start = Start {
                sequence: i as u32,
                first: match first {
                    Item::Literal(..) | Item::Any => First::Piece,
                    Item::Number(kind) => First::Number(*kind),
                    Item::Class(_) => First::Form,
                },
                next: self.next(sequence, numbers),
            };
            match first {
                Item::Literal(literal, _) => self.by_literal[*literal as usize].push(start),
                Item::Class(class) => {
                    for literal in self.classes[*class].forms.keys() {
                        self.by_literal[*literal as usize].push(start);
                    }
                }
                Item::Number(kind) => {
                    self.by_digits.push(start);
                    if !kind.is_in_digits() {
                        self.by_number_word.push(start);
                    }
                }
                Item::Any => return Err("an entity cannot begin with \"_\"".to_owned()),
            }
        }
        Ok(())
    }

    /// The pieces that may stand behind the first step of a sequence's entity.
    fn next(&self, sequence: &Sequence, numbers: u64) -> u64 {
        match sequence.steps.get(sequence.open + 1).map(|step| &step.item) {
            Some(Item::Literal(next, _)) => bit_of(*next),
            Some(Item::Class(class)) => {
                let forms = self.classes[*class].forms.keys();
                forms.fold(0, |bits, literal| bits | bit_of(*literal))
            }
            Some(Item::Number(kind)) if kind.is_in_digits() => DIGITS,
            Some(Item::Number(_)) => numbers,
            Some(Item::Any) => !END,
            None => u64::MAX,
        }
    }

    /// The pieces that a number may begin with.
    fn numbers(&self) -> u64 {
        let roles = self.roles.iter().enumerate();
        let words = roles.filter(|(_, roles)| **roles != Roles::default());
        words.fold(DIGITS, |bits, (literal, _)| bits | bit_of(literal as u32))
    }
}

/// A step, or a brace around what becomes the entity.
#[derive(Clone, Debug, PartialEq)]
enum Part {
    Step(Step),
    Open,
    Close,
}
