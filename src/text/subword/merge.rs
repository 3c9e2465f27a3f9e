//! Learning by byte pair encoding: the most frequent pair of neighbours becomes one piece, again and again.
//!
//! Of pairs that are equally frequent, the one whose pieces have the lower numbers goes first, and counts are whole
//! numbers: the same words give the same pieces, whatever their order.
//!
//! Source: Sennrich, Haddow, Birch, *Neural Machine Translation of Rare Words with Subword Units*, ACL 2016.

use super::mixed::{Map, Set};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::hash_map::Entry;

/// Two pieces, by their numbers.
type Pair = (u32, u32);

/// Pieces, and the merges that make them in the order in which they are made.
#[derive(Debug, PartialEq)]
pub struct Learned {
    /// By number.
    pub pieces: Vec<String>,
    pub merges: Vec<(String, String)>,
}

/// A pair seen less often than this is no piece.
const LEAST_COUNT: i64 = 2;

/// Learns up to `size` pieces. The first are `fixed`, in their order, and are never the result of a merge; then come
/// the characters of `alphabet`, then merges of pairs. A piece that does not begin its word has `prefix` before it.
/// Characters without a piece are no neighbours of others.
pub fn learn(
    words: &[(String, u64)],
    fixed: &[String],
    alphabet: &[char],
    prefix: &str,
    size: usize,
) -> Learned {
    let mut learner = Learner::new(fixed, alphabet, words, prefix);
    let mut queue: BinaryHeap<(i64, Reverse<Pair>)> = learner
        .pairs
        .iter()
        .map(|(pair, seen)| (seen.count, Reverse(*pair)))
        .collect();
    let mut merges = Vec::new();
    let mut changed = Set::default();
    while learner.pieces.len() < size
        && let Some((count, Reverse(pair))) = queue.pop()
    {
        if count < LEAST_COUNT {
            break;
        }
        let now = learner.pairs.get(&pair).map_or(0, |seen| seen.count);
        if now != count {
            // An old entry: counts only fall between the entries made for them.
            if now > 0 {
                queue.push((now, Reverse(pair)));
            }
            continue;
        }
        let (left, right) = (
            &learner.pieces[pair.0 as usize],
            &learner.pieces[pair.1 as usize],
        );
        let joined = format!("{left}{}", right.strip_prefix(prefix).unwrap_or(right));
        if learner.fixed.contains(joined.as_str()) {
            learner.pairs.remove(&pair);
            continue;
        }
        merges.push((left.clone(), right.clone()));
        let number = learner.piece(joined);
        changed.clear();
        learner.merge(pair, number, &mut changed);
        queue.extend(changed.iter().filter_map(|pair| {
            let seen = learner.pairs.get(pair)?;
            (seen.count > 0).then_some((seen.count, Reverse(*pair)))
        }));
    }
    Learned {
        pieces: learner.pieces,
        merges,
    }
}

/// How often a pair stands in the text, and in which words it may stand.
#[derive(Default)]
struct Seen {
    count: i64,
    words: Vec<u32>,
}

struct Learner<'f> {
    pieces: Vec<String>,
    numbers: Map<String, u32>,
    fixed: Set<&'f str>,
    words: Vec<(Vec<u32>, i64)>,
    pairs: Map<Pair, Seen>,
}

/// What no pair has part in: it stands for a character that has no piece.
const NOTHING: u32 = u32::MAX;

impl<'f> Learner<'f> {
    fn new(
        fixed: &'f [String],
        alphabet: &[char],
        words: &[(String, u64)],
        prefix: &str,
    ) -> Learner<'f> {
        let mut learner = Learner {
            pieces: Vec::new(),
            numbers: Map::default(),
            fixed: fixed.iter().map(String::as_str).collect(),
            words: Vec::with_capacity(words.len()),
            pairs: Map::default(),
        };
        for piece in fixed {
            learner.piece(piece.clone());
        }
        for character in alphabet {
            learner.piece(character.to_string());
        }
        if !prefix.is_empty() {
            for character in alphabet {
                learner.piece(format!("{prefix}{character}"));
            }
        }
        let mut form = String::new();
        for (word, count) in words {
            let mut number_of = |(at, character): (usize, char)| {
                form.clear();
                if at > 0 {
                    form.push_str(prefix);
                }
                form.push(character);
                learner
                    .numbers
                    .get(form.as_str())
                    .copied()
                    .unwrap_or(NOTHING)
            };
            let pieces: Vec<u32> = word.char_indices().map(&mut number_of).collect();
            let count = i64::try_from(*count).unwrap_or(i64::MAX);
            learner.words.push((pieces, count));
        }
        for (i, (pieces, count)) in learner.words.iter().enumerate() {
            for pair in pieces.windows(2).filter(|pair| !pair.contains(&NOTHING)) {
                let seen = learner.pairs.entry((pair[0], pair[1])).or_default();
                seen.count = seen.count.saturating_add(*count);
                // At most 2^32 different words: each has a line of its own in memory.
                if seen.words.last() != Some(&(i as u32)) {
                    seen.words.push(i as u32);
                }
            }
        }
        learner
    }

    /// The number of a piece, which is added if it is new.
    fn piece(&mut self, text: String) -> u32 {
        let next = self.pieces.len() as u32;
        match self.numbers.entry(text) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(free) => {
                self.pieces.push(free.key().clone());
                *free.insert(next)
            }
        }
    }

    /// Makes `number` of every `pair`, from left to right; the pairs that came to be are added to `changed`.
    fn merge(&mut self, pair: Pair, number: u32, changed: &mut Set<Pair>) {
        let Some(seen) = self.pairs.remove(&pair) else {
            return;
        };
        for i in seen.words {
            let (pieces, count) = &mut self.words[i as usize];
            let mut adjust = |pair: Pair, by: i64| {
                if pair.0 == NOTHING || pair.1 == NOTHING {
                    return;
                }
                let seen = self.pairs.entry(pair).or_default();
                seen.count = seen.count.saturating_add(by);
                if by > 0 {
                    changed.insert(pair);
                    if seen.words.last() != Some(&i) {
                        seen.words.push(i);
                    }
                }
            };
            let (mut read, mut write) = (0, 0);
            while read < pieces.len() {
                let is_pair = read + 1 < pieces.len() && (pieces[read], pieces[read + 1]) == pair;
                if !is_pair {
                    pieces[write] = pieces[read];
                    (read, write) = (read + 1, write + 1);
                    continue;
                }
                if write > 0 {
                    let before = pieces[write - 1];
                    adjust((before, pair.0), -*count);
                    adjust((before, number), *count);
                }
                if let Some(&next) = pieces.get(read + 2) {
                    adjust((pair.1, next), -*count);
                    adjust((number, next), *count);
                }
                pieces[write] = number;
                (read, write) = (read + 2, write + 1);
            }
            pieces.truncate(write);
        }
        // What its own words have taken from the pair while they were merged is over with it.
        self.pairs.remove(&pair);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(list: &[(&str, u64)]) -> Vec<(String, u64)> {
        list.iter()
            .map(|(word, n)| ((*word).to_owned(), *n))
            .collect()
    }

    fn pairs(learned: &Learned) -> Vec<(&str, &str)> {
        let merges = learned.merges.iter();
        merges.map(|(a, b)| (a.as_str(), b.as_str())).collect()
    }

    #[test]
    fn the_example_of_the_paper_is_learned() {
        // low 5, lower 2, newest 6, widest 3: e s 9, es t 9, l o 7, lo w 7, n e 6, ne w 6, new est 6, low e 2 …
        let words = words(&[("low", 5), ("lower", 2), ("newest", 6), ("widest", 3)]);
        let alphabet: Vec<char> = "deilnorstw".chars().collect();
        let learned = learn(&words, &[], &alphabet, "", 17);
        let first = [
            ("e", "s"),
            ("es", "t"),
            ("l", "o"),
            ("lo", "w"),
            ("e", "w"),
            ("n", "ew"),
            ("new", "est"),
        ];
        assert_eq!(pairs(&learned), first);
        assert_eq!(learned.pieces[16], "newest");
    }

    #[test]
    fn runs_of_one_letter_are_counted_as_they_are_merged() {
        let learned = learn(&words(&[("aaaaa", 3)]), &[], &['a'], "", 9);
        // aa aa a: both pairs are there three times, and a has the lower number.
        assert_eq!(pairs(&learned), [("a", "a"), ("aa", "a"), ("aa", "aaa")]);
    }

    #[test]
    fn no_merge_makes_a_fixed_piece() {
        let learned = learn(
            &words(&[("<s>", 9)]),
            &["<s>".to_owned()],
            &['<', '>', 's'],
            "",
            9,
        );
        assert!(
            !learned
                .merges
                .iter()
                .any(|(a, b)| format!("{a}{b}") == "<s>")
        );
    }

    #[test]
    fn pieces_inside_a_word_have_the_prefix() {
        let learned = learn(&words(&[("aab", 4)]), &[], &['a', 'b'], "##", 9);
        assert_eq!(learned.pieces, ["a", "b", "##a", "##b", "aa", "aab"]);
    }

    #[test]
    fn a_pair_seen_once_is_no_piece() {
        assert_eq!(
            learn(&words(&[("ab", 1)]), &[], &['a', 'b'], "", 9).merges,
            []
        );
    }

    #[test]
    fn the_order_of_the_words_does_not_matter() {
        let mut list = words(&[
            ("abab", 3),
            ("baba", 3),
            ("cab", 3),
            ("bac", 2),
            ("aabb", 7),
        ]);
        let expected = learn(&list, &[], &['a', 'b', 'c'], "", 20);
        list.reverse();
        assert_eq!(learn(&list, &[], &['a', 'b', 'c'], "", 20), expected);
    }
}
