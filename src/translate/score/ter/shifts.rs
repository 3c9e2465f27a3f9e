//! The edits of TER: phrases are moved one after the other, the best move first, as long as the rest takes fewer edits.
//!
//! A phrase is moved that stands in both sentences, where the hypothesis has an error in it and the reference one in its
//! own place of it. It is put before the words that the reference's neighbours of that place are aligned with, each in
//! turn. The best move saves the most edits, is the longest, starts first, ends first. The limits are those of tercom:
//! 10 words, 50 places, 1000 moves tried. Finding the fewest edits is hard in general (Shapira and Storer 2002, "Edit
//! distance with move operations"), so this is part of the definition.

use super::edits::{Step, Table};

/// Words of the longest phrase that is moved.
const LONGEST: usize = 10;

/// How far apart the two places of a phrase may be.
const FARTHEST: usize = 50;

/// Moves that are tried for a sentence; the search ends with the round that gets there, and its move is not made.
const MOST_TRIED: usize = 1000;

/// How many edits make `reference` of `hypothesis`, words being numbers.
pub fn edits(hypothesis: &[u32], reference: &[u32]) -> u32 {
    if reference.is_empty() || hypothesis == reference {
        return hypothesis.len() as u32 * u32::from(reference.is_empty());
    }
    let mut words = hypothesis.to_vec();
    let mut table = Table::new(reference, words.len());
    let mut distance = table.keep(&words, 0);
    let mut moves = 0;
    let mut tried = 0;
    while distance > 0 {
        let alignment = Alignment::of(&table.steps_back(&words));
        let search = Search {
            words: &words,
            reference,
            alignment,
        };
        let best = search.best(&mut table, distance, &mut tried);
        let Some(best) = best.filter(|best| tried < MOST_TRIED && best.saved > 0) else {
            break;
        };
        let (same, _) = best.movement.apply(&mut words);
        distance = table.keep(&words, same);
        moves += 1;
    }
    moves + distance
}

/// Which words of the two sentences belong together.
struct Alignment {
    /// The place behind the hypothesis' word that belongs to a word of the reference, or behind the one before it.
    behind: Vec<usize>,
    /// Errors before each place of the hypothesis.
    hypothesis_errors: Vec<u32>,
    /// Errors before each place of the reference.
    reference_errors: Vec<u32>,
}

impl Alignment {
    fn of(steps_back: &[Step]) -> Alignment {
        let mut alignment = Alignment {
            behind: Vec::new(),
            hypothesis_errors: vec![0],
            reference_errors: vec![0],
        };
        let mut place = 0;
        for step in steps_back.iter().rev() {
            let is_error = u32::from(*step != Step::Both { equal: true });
            if *step != Step::Reference {
                place += 1;
                push_sum(&mut alignment.hypothesis_errors, is_error);
            }
            if *step != Step::Hypothesis {
                alignment.behind.push(place);
                push_sum(&mut alignment.reference_errors, is_error);
            }
        }
        alignment
    }
}

fn push_sum(sums: &mut Vec<u32>, next: u32) {
    sums.push(sums.last().unwrap_or(&0) + next);
}

/// A phrase of the hypothesis, and the place before which it is to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Movement {
    start: usize,
    length: usize,
    target: usize,
}

impl Movement {
    /// Moves the phrase, and gives the first and the last place, left out, that may have changed.
    fn apply(self, words: &mut [u32]) -> (usize, usize) {
        let Movement {
            start,
            length,
            target,
        } = self;
        let end = start + length;
        if target < start {
            words[target..end].rotate_right(length);
            return (target, end);
        }
        // A target inside the phrase stands for the words as far behind the phrase.
        let until = match target > end {
            true => target,
            false => (target + length).min(words.len()),
        };
        words[start..until].rotate_left(length);
        (start, until)
    }
}

/// A move that was tried.
struct Tried {
    saved: i64,
    movement: Movement,
}

impl Tried {
    /// What the better of two moves has more of.
    fn rank(&self) -> (i64, usize, std::cmp::Reverse<(usize, usize)>) {
        let Movement {
            start,
            length,
            target,
        } = self.movement;
        (self.saved, length, std::cmp::Reverse((start, target)))
    }
}

/// What moves are looked for in.
struct Search<'a> {
    words: &'a [u32],
    reference: &'a [u32],
    alignment: Alignment,
}

impl Search<'_> {
    /// The best move of all phrases, if there is one to try.
    fn best(&self, table: &mut Table, distance: u32, tried: &mut usize) -> Option<Tried> {
        let mut best: Option<Tried> = None;
        let mut moved = self.words.to_vec();
        for start in 0..self.words.len() {
            let places =
                start.saturating_sub(FARTHEST)..self.reference.len().min(start + FARTHEST + 1);
            for place in places {
                let ours = self.words[start..].iter().take(LONGEST);
                let common = ours
                    .zip(&self.reference[place..])
                    .take_while(|(a, b)| a == b);
                for length in 1..=common.count() {
                    if !self.is_worth_moving(start, place, length) {
                        continue;
                    }
                    for target in self.targets(place, length) {
                        let movement = Movement {
                            start,
                            length,
                            target,
                        };
                        let changed = movement.apply(&mut moved);
                        let after = table.distance(&moved, changed);
                        moved.copy_from_slice(self.words);
                        let found = Tried {
                            saved: i64::from(distance) - i64::from(after),
                            movement,
                        };
                        *tried += 1;
                        if best.as_ref().is_none_or(|best| found.rank() > best.rank()) {
                            best = Some(found);
                        }
                    }
                    if *tried >= MOST_TRIED {
                        return best;
                    }
                }
            }
        }
        best
    }

    /// Whether the phrase has errors in both places, and its place in the reference does not belong to it already.
    fn is_worth_moving(&self, start: usize, place: usize, length: usize) -> bool {
        let Alignment {
            behind,
            hypothesis_errors,
            reference_errors,
        } = &self.alignment;
        let has_error = |sums: &[u32], from: usize| sums[from + length] > sums[from];
        has_error(hypothesis_errors, start)
            && has_error(reference_errors, place)
            && !(start + 1..=start + length).contains(&behind[place])
    }

    /// The places to try: before the first word, or behind the words that belong to the reference's from the one
    /// before the phrase on; the same place only once.
    fn targets(&self, place: usize, length: usize) -> impl Iterator<Item = usize> {
        let behind = &self.alignment.behind;
        let mut last = None;
        (place..=place + length)
            .map_while(move |place| match place {
                0 => Some(0),
                _ => behind.get(place - 1).copied(),
            })
            .filter(move |&target| last.replace(target) != Some(target))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrase_in_another_place_is_one_edit() {
        assert_eq!(edits(&[3, 4, 5, 1, 2], &[1, 2, 3, 4, 5]), 1);
        assert_eq!(edits(&[1, 4, 5, 2, 3, 6], &[1, 2, 3, 4, 5, 6]), 1);
    }

    #[test]
    fn a_word_moved_and_a_word_replaced_are_two_edits() {
        assert_eq!(edits(&[2, 1, 3, 9, 5], &[1, 2, 3, 4, 5]), 2);
    }

    #[test]
    fn without_a_reference_every_word_is_an_edit() {
        assert_eq!(edits(&[1, 2], &[]), 2);
        assert_eq!(edits(&[], &[]), 0);
        assert_eq!(edits(&[], &[1, 2, 3]), 3);
    }

    #[test]
    fn a_phrase_can_be_put_before_it_and_behind_it() {
        let apply = |start, length, target| {
            let mut words = [0, 1, 2, 3, 4, 5];
            let movement = Movement {
                start,
                length,
                target,
            };
            let changed = movement.apply(&mut words);
            (words, changed)
        };
        assert_eq!(apply(3, 2, 1), ([0, 3, 4, 1, 2, 5], (1, 5)));
        assert_eq!(apply(1, 2, 5), ([0, 3, 4, 1, 2, 5], (1, 5)));
        // Inside the phrase: as many words behind it.
        assert_eq!(apply(1, 2, 2), ([0, 3, 1, 2, 4, 5], (1, 4)));
        assert_eq!(apply(3, 3, 5), ([0, 1, 2, 3, 4, 5], (3, 6)));
    }
}
