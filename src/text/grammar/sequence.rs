//! What rules are made of: sequences of steps, the classes of words and the tags that steps ask for.

use super::kind::Kind;
use super::piece::{self, Piece};
use super::template::Template;
use crate::text::document::Word;
use std::collections::HashMap;

/// A class of words: by the literal of their first piece what may follow, the longest first.
#[derive(Clone, Debug, Default)]
pub struct Class {
    pub forms: HashMap<u32, Vec<Form>>,
}

/// A form of a class, and the value it stands for.
#[derive(Clone, Debug)]
pub struct Form {
    pub rest: Vec<u32>,
    pub value: String,
    pub needs_capital: bool,
    pub test: Option<Test>,
}

/// Tags that a word must have one of, or none.
#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    negated: bool,
    tags: Vec<String>,
}

impl Test {
    /// `NNS,NNP`, or `!NNP` for none of them.
    pub fn parse(text: &str) -> Test {
        let (negated, tags) = match text.strip_prefix('!') {
            Some(tags) => (true, tags),
            None => (false, text),
        };
        Test {
            negated,
            tags: tags.split(',').map(str::to_owned).collect(),
        }
    }

    /// Whether the word passes.
    pub fn holds(&self, word: &Word) -> bool {
        let is_one = |tag: &String| word.upos == *tag || word.xpos == *tag;
        self.tags.iter().any(is_one) != self.negated
    }
}

/// What a step takes.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    Literal(u32, bool),
    Class(usize),
    Number(Kind),
    Any,
}

/// A step of a sequence, the name of what it captured, and the tags it wants.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub item: Item,
    pub name: Option<String>,
    pub test: Option<Test>,
}

/// What `3/4/2024` means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum DateOrder {
    /// Month, day, year: March 4
    #[default]
    Mdy,
    /// Day, month, year: 3 April
    Dmy,
}

/// A rule with its options and alternatives decided.
#[derive(Clone, Debug, PartialEq)]
pub struct Sequence {
    pub steps: Vec<Step>,
    /// The steps that become the entity.
    pub open: usize,
    pub close: usize,
    /// Index into [`Rules::labels`].
    pub label: usize,
    /// Takes away what other rules of the label find in the same place.
    pub is_veto: bool,
    /// It reads a date of three numerals in this order.
    pub order: Option<DateOrder>,
    pub template: Option<Template>,
}

/// A sequence where an entity may begin.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    /// Index into [`Rules::sequences`](super::rules::Rules::sequences).
    pub sequence: u32,
    /// What the first step of the entity takes.
    pub first: First,
    /// Which pieces may stand behind that: a bit of [`bit`] for each, and [`END`].
    pub next: u64,
}

/// What the first step of an entity takes, as far as many sequences share it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum First {
    Piece,
    Number(Kind),
    /// A form of some class.
    Form,
}

/// The bits of numerals and of the end of a sentence in a set of 64 that says which pieces may follow.
pub const DIGITS: u64 = 1;
pub const END: u64 = 1 << 63;

/// The bit of a piece in such a set: most pieces that do not fit have another.
pub fn bit(piece: Option<&Piece>) -> u64 {
    match piece {
        None => END,
        Some(piece) => match piece.kind {
            piece::Kind::Digits(..) => DIGITS,
            _ => bit_of(piece.literal),
        },
    }
}

/// The bit of a literal.
pub fn bit_of(literal: u32) -> u64 {
    2 << (literal % 62)
}
