//! Where the rules of a grammar fit a sentence, and which of them win.

use super::kind::Kind;
use super::number::{Number, Reader};
use super::piece::{Kind as PieceKind, Piece};
use super::role::Roles;
use super::rules::Rules;
use super::sequence::{DateOrder, Form, Item, Sequence, Step, bit};
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
    /// For the words of a sentence and their pieces.
    pub fn new(rules: &'a Rules, words: &'a [Word], pieces: &'a [Piece]) -> Matcher<'a> {
        let reader = Reader {
            pieces,
            roles: &rules.roles,
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
            let next = self.reader.pieces.get(at + 1).map_or(0, bit);
            for &i in by_first.into_iter().chain(number_words).flatten() {
                let sequence = &self.rules.sequences[i as usize];
                if sequence.next != u64::MAX && sequence.next & next == 0 {
                    continue;
                }
                let Some((end, captured)) = self.fit(sequence, at) else {
                    continue;
                };
                if sequence.is_veto {
                    vetoes.push((at..end, sequence.label));
                    continue;
                }
                candidates.push(Candidate {
                    pieces: at..end,
                    sequence: i as usize,
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

    /// Fits a sequence whose entity begins at `at`; the piece behind the entity, and what was captured.
    fn fit(&self, sequence: &'a Sequence, at: usize) -> Option<(usize, Captured<'a>)> {
        let mut captured = Vec::new();
        let (mut next, mut end) = (at, at);
        for (i, step) in sequence.steps.iter().enumerate().skip(sequence.open) {
            next = self.take(step, next, &mut captured)?;
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
            if self.take(step, before, &mut captured)? != before + 1 {
                return None;
            }
        }
        Some((end, captured))
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
                let capture = Capture::Text(form.value.as_str().into());
                (at + 1 + form.rest.len(), Some(capture))
            }
            Item::Number(kind) => self.number(*kind, at, captured)?,
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

    fn number(
        &self,
        kind: Kind,
        at: usize,
        captured: &Captured<'a>,
    ) -> Option<(usize, Option<Capture<'a>>)> {
        let reader = &self.reader;
        let value = |number: Number| {
            let capture = Capture::Number(number.low, number.high);
            Some((number.end, Some(capture)))
        };
        let text = |end: usize, text: String| Some((end, Some(Capture::Text(text.into()))));
        let within = |number: &Number, low: f64, high: f64| (low..=high).contains(&number.low);
        // A numeral of at most two digits, or words.
        let small = |low: f64, high: f64| {
            let is_short = reader.numeral(at).is_none_or(|(_, digits)| digits <= 2);
            let number = reader.small(at).filter(|_| is_short);
            number.filter(|number| within(number, low, high))
        };
        let numeral = |lengths: Range<u8>, low: f64, high: f64| {
            let (value, digits) = reader.numeral(at)?;
            let fits = lengths.contains(&digits) && (low..=high).contains(&value);
            fits.then_some(value)
        };
        match kind {
            Kind::Number => value(reader.number(at)?),
            Kind::Range => value(reader.range(at)?),
            Kind::Ordinal => value(reader.ordinal(at)?),
            Kind::Numeral => {
                let (low, _) = reader.numeral(at)?;
                Some((at + 1, Some(Capture::Number(low, None))))
            }
            Kind::Day => {
                let ordinal = reader
                    .ordinal(at)
                    .filter(|number| within(number, 1.0, 31.0));
                match (ordinal, numeral(1..3, 1.0, 31.0)) {
                    (Some(number), _) => text(number.end, format!("{:02}", number.low)),
                    (None, Some(day)) => text(at + 1, format!("{day:02}")),
                    (None, None) => None,
                }
            }
            Kind::Month => text(at + 1, format!("{:02}", numeral(1..3, 1.0, 12.0)?)),
            Kind::Year => match numeral(4..5, 1000.0, 2100.0) {
                Some(year) => text(at + 1, format!("{year}")),
                None => {
                    let number = reader.year_in_words(at)?;
                    text(number.end, format!("{}", number.low))
                }
            },
            Kind::Recent => text(at + 1, format!("{}", numeral(4..5, 1900.0, 2039.0)?)),
            Kind::ShortYear => {
                let year = numeral(2..3, 0.0, 99.0)?;
                let century = captured
                    .iter()
                    .rev()
                    .find_map(|(_, capture)| match capture {
                        Capture::Text(text) if text.len() == 4 => text.get(..2),
                        _ => None,
                    });
                let guessed = if year < 40.0 { "20" } else { "19" };
                text(at + 1, format!("{}{year:02}", century.unwrap_or(guessed)))
            }
            Kind::Decade => {
                let year = numeral(4..5, 1000.0, 2090.0).or_else(|| {
                    let short = numeral(2..3, 10.0, 90.0)?;
                    Some(short + if short < 30.0 { 2000.0 } else { 1900.0 })
                })?;
                (year % 10.0 == 0.0)
                    .then(|| text(at + 1, format!("{}", year / 10.0)))
                    .flatten()
            }
            Kind::Century => {
                let number = reader
                    .ordinal(at)
                    .filter(|number| within(number, 1.0, 30.0))?;
                text(number.end, format!("{:02}", number.low - 1.0))
            }
            Kind::BeforeEra => {
                let (year, _) = reader.numeral(at)?;
                let before = year - 1.0;
                text(
                    at + 1,
                    format!("{}{before:04}", if before > 0.0 { "-" } else { "" }),
                )
            }
            Kind::OfEra => text(at + 1, format!("{:04}", numeral(1..5, 1.0, 2100.0)?)),
            Kind::Hour => {
                let hour = small(0.0, 24.0)?;
                text(hour.end, format!("{:02}", hour.low))
            }
            Kind::Am => {
                let hour = small(1.0, 12.0)?;
                text(hour.end, format!("{:02}", hour.low % 12.0))
            }
            Kind::Pm => {
                let hour = small(1.0, 12.0)?;
                text(hour.end, format!("{:02}", hour.low % 12.0 + 12.0))
            }
            Kind::HourBefore => {
                let hour = small(1.0, 24.0)?;
                let before = if hour.low == 1.0 {
                    12.0
                } else {
                    hour.low - 1.0
                };
                text(hour.end, format!("{before:02}"))
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
                (!is_short && !is_word)
                    .then(|| text(minute.end, format!("{:02}", minute.low)))
                    .flatten()
            }
            Kind::MinutePast => {
                let minute = small(1.0, 59.0)?;
                text(minute.end, format!("{:02}", minute.low))
            }
            Kind::MinuteTo => {
                let minute = small(1.0, 59.0)?;
                text(minute.end, format!("{:02}", 60.0 - minute.low))
            }
        }
    }
}
