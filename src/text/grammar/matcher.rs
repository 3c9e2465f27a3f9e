//! Where the rules of a grammar fit a sentence, and which of them win.

use super::kind::Kind;
use super::number::{Number, Reader, Readings};
use super::piece::{Kind as PieceKind, Piece};
use super::role::Roles;
use super::rules::Rules;
use super::sequence::{DateOrder, First, Form, Item, Sequence, Step, bit};
use super::template::Capture;
use super::vocabulary::UNKNOWN;
use crate::text::document::Word;
use std::cmp::Reverse;
use std::ops::Range;

/// An entity that a rule found.
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    pub words: Range<usize>,
    /// Index into [`Rules::labels`].
    pub label: usize,
    /// As the rule's template gives it: a relative one is not yet resolved.
    pub value: Option<String>,
}

/// A match before the choice.
struct Candidate {
    pieces: Range<usize>,
    sequence: usize,
    value: Option<String>,
}

/// A sentence under the rules.
pub struct Matcher<'a> {
    rules: &'a Rules,
    words: &'a [Word],
    reader: Reader<'a>,
}

type Captured<'a> = Vec<(&'a str, Capture<'a>)>;

impl<'a> Matcher<'a> {
    /// For the words of a sentence and their pieces; `readings` are as many, and empty.
    pub fn new(
        rules: &'a Rules,
        words: &'a [Word],
        pieces: &'a [Piece],
        readings: &'a [Readings],
    ) -> Matcher<'a> {
        let reader = Reader {
            pieces,
            roles: &rules.roles,
            readings,
        };
        Matcher {
            rules,
            words,
            reader,
        }
    }

    /// The entities of the sentence, in order: of those that overlap the longest, then the first, then the one whose
    /// rule comes first.
    pub fn find(&self, order: DateOrder) -> Vec<Match> {
        let (mut candidates, mut vetoes) = (Vec::new(), Vec::new());
        let mut captured = Vec::new();
        for at in 0..self.reader.pieces.len() {
            let piece = &self.reader.pieces[at];
            if !piece.begins {
                continue;
            }
            let (by_first, is_number) = if piece.literal == UNKNOWN {
                let digits = self.reader.digits_at(at);
                (digits.then_some(&self.rules.by_digits), false)
            } else {
                let literal = piece.literal as usize;
                let is_number = self.rules.roles[literal] != Roles::default();
                (Some(&self.rules.by_literal[literal]), is_number)
            };
            // `a` and `half` begin a number in few places, and the rules of numbers are many.
            let is_number = is_number
                && (self.reader.number(at).is_some() || self.reader.ordinal(at).is_some());
            let number_words = is_number.then_some(&self.rules.by_number_word);
            let behind_piece = self.bit(at + 1);
            // The same numbers are asked for by many rules.
            let mut behind_number = [None; Kind::COUNT];
            for start in by_first.into_iter().chain(number_words).flatten() {
                let behind = match start.first {
                    First::Piece => behind_piece,
                    First::Number(kind) => *behind_number[kind as usize].get_or_insert_with(|| {
                        let number = self.number(kind, at);
                        number.map_or(0, |number| self.bit(number.end))
                    }),
                    First::Form => u64::MAX,
                };
                if start.next & behind == 0 {
                    continue;
                }
                let i = start.sequence as usize;
                let sequence = &self.rules.sequences[i];
                captured.clear();
                let Some(end) = self.fit(sequence, at, &mut captured) else {
                    continue;
                };
                if sequence.is_veto {
                    vetoes.push((at..end, sequence.label));
                    continue;
                }
                candidates.push(Candidate {
                    pieces: at..end,
                    sequence: i,
                    value: sequence.template.as_ref().and_then(|t| t.fill(&captured)),
                });
            }
        }
        self.choose(candidates, &vetoes, order)
    }

    fn choose(
        &self,
        mut candidates: Vec<Candidate>,
        vetoes: &[(Range<usize>, usize)],
        order: DateOrder,
    ) -> Vec<Match> {
        let sequence = |candidate: &Candidate| &self.rules.sequences[candidate.sequence];
        candidates.retain(|candidate| {
            let label = sequence(candidate).label;
            !vetoes
                .iter()
                .any(|(pieces, vetoed)| *vetoed == label && *pieces == candidate.pieces)
        });
        candidates.sort_by_key(|candidate| {
            let is_other = sequence(candidate).order.is_some_and(|o| o != order);
            let pieces = &candidate.pieces;
            (
                Reverse(pieces.len()),
                pieces.start,
                is_other,
                candidate.sequence,
            )
        });
        let mut is_taken = vec![false; self.reader.pieces.len()];
        let mut matches = Vec::new();
        for candidate in candidates {
            let taken = &mut is_taken[candidate.pieces.clone()];
            if taken.contains(&true) {
                continue;
            }
            taken.fill(true);
            let word = |piece: usize| self.reader.pieces[piece].word as usize;
            matches.push(Match {
                words: word(candidate.pieces.start)..word(candidate.pieces.end - 1) + 1,
                label: sequence(&candidate).label,
                value: candidate.value,
            });
        }
        matches.sort_by_key(|found| found.words.start);
        matches
    }

    fn bit(&self, at: usize) -> u64 {
        bit(self.reader.pieces.get(at))
    }

    /// Fits a sequence whose entity begins at `at`; the piece behind the entity.
    fn fit(&self, sequence: &'a Sequence, at: usize, captured: &mut Captured<'a>) -> Option<usize> {
        let (mut next, mut end) = (at, at);
        for (i, step) in sequence.steps.iter().enumerate().skip(sequence.open) {
            next = self.take(step, next, captured)?;
            if i + 1 == sequence.close {
                // A tokenizer may leave the full stop at a sign: `5 %.`
                let is_stop = |piece: &Piece| piece.ends && piece.literal == self.rules.stop;
                let pieces = &self.reader.pieces;
                end = match pieces[next - 1].ends {
                    true => next,
                    false if pieces.get(next).is_some_and(is_stop) => next + 1,
                    false => return None,
                };
            }
        }
        let mut before = at;
        for step in sequence.steps[..sequence.open].iter().rev() {
            before = before.checked_sub(1)?;
            if self.take(step, before, captured)? != before + 1 {
                return None;
            }
        }
        Some(end)
    }

    /// What a step takes at a piece: the piece behind it.
    fn take(&self, step: &'a Step, at: usize, captured: &mut Captured<'a>) -> Option<usize> {
        let piece = self.reader.pieces.get(at)?;
        if let Some(test) = &step.test
            && !test.holds(&self.words[piece.word as usize])
        {
            return None;
        }
        let (end, capture) = match &step.item {
            Item::Any => (at + 1, None),
            Item::Literal(literal, needs_capital) => {
                let is_it = piece.literal == *literal && (piece.capital || !needs_capital);
                return is_it.then_some(at + 1);
            }
            Item::Class(class) => {
                let forms = self.rules.classes[*class].forms.get(&piece.literal)?;
                let form = forms.iter().find(|form| self.is_form(form, at))?;
                let end = at + 1 + form.rest.len();
                (end, Some(Capture::Text(form.value.as_str().into())))
            }
            Item::Number(kind) => {
                let number = self.number(*kind, at)?;
                (number.end, Some(capture(*kind, number, captured)))
            }
        };
        if let (Some(name), Some(capture)) = (&step.name, capture) {
            captured.push((name, capture));
        }
        Some(end)
    }

    fn is_form(&self, form: &Form, at: usize) -> bool {
        let piece = &self.reader.pieces[at];
        let follows = |(i, literal): (usize, &u32)| {
            let next = self.reader.pieces.get(at + 1 + i);
            next.is_some_and(|piece| piece.literal == *literal)
        };
        (piece.capital || !form.needs_capital)
            && form.rest.iter().enumerate().all(follows)
            && form
                .test
                .as_ref()
                .is_none_or(|test| test.holds(&self.words[piece.word as usize]))
    }

    /// A number of some kind, with the value that it has as one.
    fn number(&self, kind: Kind, at: usize) -> Option<Number> {
        let reader = &self.reader;
        // A numeral of at most two digits, or words.
        let small = |low: f64, high: f64| {
            let is_short = reader.numeral(at).is_none_or(|(_, digits)| digits <= 2);
            let number = reader.small(at).filter(|_| is_short)?;
            (low..=high).contains(&number.low).then_some(number)
        };
        let ordinal = |low: f64, high: f64| {
            let number = reader.ordinal(at)?;
            (low..=high).contains(&number.low).then_some(number)
        };
        let numeral = |lengths: Range<u8>, low: f64, high: f64| {
            let (value, digits) = reader.numeral(at)?;
            let fits = lengths.contains(&digits) && (low..=high).contains(&value);
            fits.then_some(Number::of(value, at + 1))
        };
        let any_numeral = || Some(Number::of(reader.numeral(at)?.0, at + 1));
        match kind {
            Kind::Number => reader.number(at),
            Kind::Range => reader.range(at),
            Kind::Ordinal => reader.ordinal(at),
            Kind::Numeral => any_numeral(),
            Kind::Day => ordinal(1.0, 31.0).or_else(|| numeral(1..3, 1.0, 31.0)),
            Kind::Month => numeral(1..3, 1.0, 12.0),
            Kind::Year => numeral(4..5, 1000.0, 2100.0).or_else(|| reader.year_in_words(at)),
            Kind::Recent => numeral(4..5, 1900.0, 2039.0),
            Kind::ShortYear => numeral(2..3, 0.0, 99.0),
            Kind::Decade => {
                let year = numeral(4..5, 1000.0, 2090.0).or_else(|| {
                    let short = numeral(2..3, 10.0, 90.0)?;
                    let century = if short.low < 30.0 { 2000.0 } else { 1900.0 };
                    Some(short.map(|year| century + year))
                })?;
                (year.low % 10.0 == 0.0).then(|| year.map(|year| year / 10.0))
            }
            Kind::Century => Some(ordinal(1.0, 30.0)?.map(|century| century - 1.0)),
            Kind::BeforeEra => Some(any_numeral()?.map(|year| year - 1.0)),
            Kind::OfEra => numeral(1..5, 1.0, 2100.0),
            Kind::Hour => small(0.0, 24.0),
            Kind::Am => Some(small(1.0, 12.0)?.map(|hour| hour % 12.0)),
            Kind::Pm => Some(small(1.0, 12.0)?.map(|hour| hour % 12.0 + 12.0)),
            Kind::HourBefore => {
                let before = |hour| if hour == 1.0 { 12.0 } else { hour - 1.0 };
                Some(small(1.0, 24.0)?.map(before))
            }
            Kind::Minute => {
                let minute = small(0.0, 59.0)?;
                let is_short = reader.numeral(at).is_some_and(|(_, digits)| digits == 1);
                // `three thirty`, but not `one: one`.
                let before = at
                    .checked_sub(1)
                    .and_then(|before| reader.pieces.get(before));
                let is_word = reader.numeral(at).is_none()
                    && before.is_some_and(|piece| piece.kind == PieceKind::Mark);
                (!is_short && !is_word).then_some(minute)
            }
            Kind::MinutePast => small(1.0, 59.0),
            Kind::MinuteTo => Some(small(1.0, 59.0)?.map(|minute| 60.0 - minute)),
        }
    }
}

/// What is captured of a number: as it is, or as its kind is written in values.
fn capture<'a>(kind: Kind, number: Number, captured: &Captured<'a>) -> Capture<'a> {
    let value = number.low;
    let text = match kind {
        Kind::Number | Kind::Range | Kind::Ordinal | Kind::Numeral => {
            return Capture::Number(value, number.high);
        }
        Kind::Year | Kind::Recent | Kind::Decade => format!("{value}"),
        Kind::BeforeEra if value > 0.0 => format!("-{value:04}"),
        Kind::BeforeEra | Kind::OfEra => format!("{value:04}"),
        Kind::ShortYear => {
            let text_of_year = |capture: &Capture| match capture {
                Capture::Text(text) if text.len() == 4 => text.get(..2).map(str::to_owned),
                _ => None,
            };
            let mut before = captured.iter().rev();
            let century = before.find_map(|(_, capture)| text_of_year(capture));
            let guessed = if value < 40.0 { "20" } else { "19" };
            format!("{}{value:02}", century.as_deref().unwrap_or(guessed))
        }
        _ => format!("{value:02}"),
    };
    Capture::Text(text.into())
}
