//! Word classes by the exchange algorithm: words that stand in the same contexts get the same class.
//!
//! The classes g maximise the likelihood of the class bigram model p(w | v) = p(w | g(w)) · p(g(w) | g(v)), which is,
//! but for a constant,
//!
//! ```text
//! F(g) = Σ_{c,d} N(c,d) ln N(c,d)  −  Σ_c N₁(c) ln N₁(c)  −  Σ_c N₂(c) ln N₂(c)
//! ```
//!
//! with N(c,d) the bigrams of a word of class c and a word of class d, N₁ and N₂ its row and column sums. Each word in
//! turn is moved to the class where F is largest, until few words move. Martin, Liermann and Ney (1998), Algorithms for
//! bigram and trigram word clustering.

use std::collections::{BTreeMap, HashMap};

/// How classes are found.
#[derive(Clone, Debug)]
pub struct Options {
    pub classes: usize,
    /// Words seen fewer times share one class of their own.
    pub min_count: u32,
    /// At most this many rounds over all words.
    pub rounds: u32,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            classes: 256,
            min_count: 20,
            rounds: 10,
        }
    }
}

/// Sentences as numbers of words, and the words.
#[derive(Debug, Default)]
pub struct Corpus {
    ids: HashMap<String, u32>,
    words: Vec<(String, u32)>,
    tokens: Vec<u32>,
}

/// Between sentences in [`Corpus::tokens`].
const BREAK: u32 = u32::MAX;

impl Corpus {
    /// Adds a sentence.
    pub fn add<'a>(&mut self, sentence: impl IntoIterator<Item = &'a str>) {
        if self.tokens.is_empty() {
            self.tokens.push(BREAK); // so that every word has a neighbour on both sides
        }
        for word in sentence {
            let id = match self.ids.get(word) {
                Some(&id) => id,
                None => {
                    let id = self.words.len() as u32;
                    self.ids.insert(word.to_owned(), id);
                    self.words.push((word.to_owned(), 0));
                    id
                }
            };
            self.words[id as usize].1 += 1;
            self.tokens.push(id);
        }
        self.tokens.push(BREAK);
    }

    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }
}

/// Finds classes; `report` hears after each round how many words moved. Returns the words, the most frequent first,
/// with their classes.
pub fn find(
    corpus: &Corpus,
    options: &Options,
    mut report: impl FnMut(u32, usize),
) -> Vec<(String, u16)> {
    let mut exchange = Exchange::new(corpus, options);
    for round in 0..options.rounds {
        let moved = exchange.round();
        report(round, moved);
        if moved * 500 < exchange.class_of.len() {
            break;
        }
    }
    let words = exchange
        .order
        .iter()
        .map(|&id| corpus.words[id as usize].0.clone());
    words
        .zip(exchange.class_of.iter().map(|c| *c as u16))
        .collect()
}

/// Classes with counts.
type Context = Vec<(usize, i64)>;

/// The state of the search. Words are numbered by frequency; the last number stands for all rare words together, and
/// for the edges of sentences.
struct Exchange {
    /// Word numbers of the corpus, by frequency.
    order: Vec<u32>,
    /// Distinct neighbours of each word with their counts: words before it, and words after it.
    before: Neighbours,
    after: Neighbours,
    /// How often a word stands next to itself.
    twins: Vec<i64>,
    counts: Vec<i64>,
    class_of: Vec<u32>,
    classes: usize,
    /// N(c, d), row by row.
    pairs: Vec<i64>,
    rows: Vec<i64>,
    columns: Vec<i64>,
    entropy: Entropy,
}

/// Lists of (word, count), one after another.
struct Neighbours {
    ends: Vec<usize>,
    list: Vec<(u32, i64)>,
}

impl Neighbours {
    /// From bigrams sorted by their first word.
    fn new(words: usize, bigrams: impl Iterator<Item = ((u32, u32), i64)>) -> Neighbours {
        let mut ends = vec![0; words];
        let mut list = Vec::new();
        let mut at = 0;
        for ((word, neighbour), count) in bigrams {
            while at < word as usize {
                ends[at] = list.len();
                at += 1;
            }
            list.push((neighbour, count));
        }
        ends[at..].fill(list.len());
        Neighbours { ends, list }
    }

    fn of(&self, word: usize) -> &[(u32, i64)] {
        let start = if word == 0 { 0 } else { self.ends[word - 1] };
        &self.list[start..self.ends[word]]
    }
}

/// n ln n, from a table where n is small.
struct Entropy(Vec<f64>);

const TABLE: i64 = 1 << 16;

impl Entropy {
    fn new() -> Entropy {
        Entropy(
            (0..TABLE)
                .map(|n| {
                    if n == 0 {
                        0.0
                    } else {
                        n as f64 * (n as f64).ln()
                    }
                })
                .collect(),
        )
    }

    #[inline]
    fn of(&self, n: i64) -> f64 {
        if n < TABLE {
            self.0[n as usize]
        } else {
            n as f64 * (n as f64).ln()
        }
    }
}

impl Exchange {
    fn new(corpus: &Corpus, options: &Options) -> Exchange {
        let mut order: Vec<u32> = (0..corpus.words.len() as u32).collect();
        order.retain(|id| corpus.words[*id as usize].1 >= options.min_count);
        order.sort_by_key(|id| {
            let (word, count) = &corpus.words[*id as usize];
            (std::cmp::Reverse(*count), word)
        });
        let rare = order.len() as u32;
        let mut number = vec![rare; corpus.words.len()];
        for (n, id) in order.iter().enumerate() {
            number[*id as usize] = n as u32;
        }
        let number_of = |token: u32| {
            if token == BREAK {
                rare
            } else {
                number[token as usize]
            }
        };
        let mut forward: BTreeMap<(u32, u32), i64> = BTreeMap::new();
        for pair in corpus.tokens.windows(2) {
            *forward
                .entry((number_of(pair[0]), number_of(pair[1])))
                .or_default() += 1;
        }
        let mut backward: Vec<((u32, u32), i64)> =
            forward.iter().map(|((v, w), n)| ((*w, *v), *n)).collect();
        backward.sort_unstable();
        let words = order.len() + 1;
        let classes = options.classes + 1; // the last is that of rare words and edges
        let mut class_of: Vec<u32> = (0..order.len())
            .map(|n| (n % options.classes) as u32)
            .collect();
        class_of.push(options.classes as u32);
        let mut exchange = Exchange {
            twins: (0..words as u32)
                .map(|w| forward.get(&(w, w)).copied().unwrap_or(0))
                .collect(),
            counts: order
                .iter()
                .map(|id| i64::from(corpus.words[*id as usize].1))
                .collect(),
            after: Neighbours::new(words, forward.iter().map(|(k, n)| (*k, *n))),
            before: Neighbours::new(words, backward.into_iter()),
            order,
            class_of,
            classes,
            pairs: vec![0; classes * classes],
            rows: vec![0; classes],
            columns: vec![0; classes],
            entropy: Entropy::new(),
        };
        exchange.count_pairs(&forward);
        exchange
    }

    fn count_pairs(&mut self, bigrams: &BTreeMap<(u32, u32), i64>) {
        for (&(v, w), n) in bigrams {
            let (c, d) = (
                self.class_of[v as usize] as usize,
                self.class_of[w as usize] as usize,
            );
            self.pairs[c * self.classes + d] += n;
            self.rows[c] += n;
            self.columns[d] += n;
        }
    }

    /// Moves every word to its best class; how many moved.
    fn round(&mut self) -> usize {
        let (mut left, mut right) = (vec![0; self.classes], vec![0; self.classes]);
        let mut moved = 0;
        for word in 0..self.order.len() {
            let old = self.class_of[word] as usize;
            let (before, after) = self.contexts(word, &mut left, &mut right);
            self.shift(word, old, -1, &before, &after);
            let best = self.best_class(word, old, &before, &after);
            self.shift(word, best, 1, &before, &after);
            self.class_of[word] = best as u32;
            moved += usize::from(best != old);
            before.iter().for_each(|(c, _)| left[*c] = 0);
            after.iter().for_each(|(c, _)| right[*c] = 0);
        }
        moved
    }

    /// The classes before and after a word with their counts, the word's own repetitions left out.
    fn contexts(&self, word: usize, left: &mut [i64], right: &mut [i64]) -> (Context, Context) {
        let gather = |neighbours: &Neighbours, sums: &mut [i64]| {
            let mut classes = Vec::new();
            for &(neighbour, n) in neighbours.of(word) {
                if neighbour as usize == word {
                    continue;
                }
                let class = self.class_of[neighbour as usize] as usize;
                if sums[class] == 0 {
                    classes.push(class);
                }
                sums[class] += n;
            }
            classes.iter().map(|c| (*c, sums[*c])).collect::<Vec<_>>()
        };
        (gather(&self.before, left), gather(&self.after, right))
    }

    /// Takes a word out of a class, or puts it in.
    fn shift(
        &mut self,
        word: usize,
        class: usize,
        sign: i64,
        before: &[(usize, i64)],
        after: &[(usize, i64)],
    ) {
        for &(c, n) in before {
            self.pairs[c * self.classes + class] += sign * n;
        }
        for &(c, n) in after {
            self.pairs[class * self.classes + c] += sign * n;
        }
        self.pairs[class * self.classes + class] += sign * self.twins[word];
        self.rows[class] += sign * self.counts[word];
        self.columns[class] += sign * self.counts[word];
    }

    /// The class where F grows most; the old one when another is not better.
    fn best_class(
        &self,
        word: usize,
        old: usize,
        before: &[(usize, i64)],
        after: &[(usize, i64)],
    ) -> usize {
        let mut best = (self.gain(word, old, before, after), old);
        for class in (0..self.classes - 1).filter(|c| *c != old) {
            let gain = self.gain(word, class, before, after);
            if gain > best.0 + 1e-6 {
                best = (gain, class);
            }
        }
        best.1
    }

    /// By how much F grows when a word that is in no class joins this one.
    fn gain(
        &self,
        word: usize,
        class: usize,
        before: &[(usize, i64)],
        after: &[(usize, i64)],
    ) -> f64 {
        let grow = |n: i64, by: i64| self.entropy.of(n + by) - self.entropy.of(n);
        let mut gain = 0.0;
        // The pair of the class with itself is met from both sides, and by the word's repetitions.
        let mut inner = self.twins[word];
        for &(c, n) in before {
            if c == class {
                inner += n;
            } else {
                gain += grow(self.pairs[c * self.classes + class], n);
            }
        }
        let row = &self.pairs[class * self.classes..(class + 1) * self.classes];
        for &(c, n) in after {
            if c == class {
                inner += n;
            } else {
                gain += grow(row[c], n);
            }
        }
        gain += grow(row[class], inner);
        gain - grow(self.rows[class], self.counts[word])
            - grow(self.columns[class], self.counts[word])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corpus() -> Corpus {
        let mut corpus = Corpus::default();
        let (animals, verbs) = (["cat", "dog", "cow"], ["sees", "hears", "likes"]);
        for i in 0..90 {
            let (a, v, b) = (animals[i % 3], verbs[i / 3 % 3], animals[i / 9 % 3]);
            corpus.add(["the", a, v, "the", b]);
        }
        corpus
    }

    fn likelihood(e: &Exchange) -> f64 {
        let sum = |values: &[i64]| values.iter().map(|n| e.entropy.of(*n)).sum::<f64>();
        sum(&e.pairs) - sum(&e.rows) - sum(&e.columns)
    }

    #[test]
    fn a_round_never_lowers_the_likelihood_and_the_first_raises_it() {
        let mut exchange = Exchange::new(
            &corpus(),
            &Options {
                classes: 3,
                min_count: 1,
                rounds: 1,
            },
        );
        let start = likelihood(&exchange);
        let mut last = start;
        for _ in 0..5 {
            exchange.round();
            assert!(likelihood(&exchange) >= last - 1e-6);
            last = likelihood(&exchange);
        }
        assert!(last > start + 1.0);
    }

    #[test]
    fn words_of_the_same_contexts_share_a_class() {
        // Words are moved one at a time, so subjects and verbs stay together here; their twins must not part.
        let mut corpus = Corpus::default();
        for i in 0..64 {
            corpus.add([
                ["cat", "dog"][i % 2],
                ["sees", "hears"][i / 2 % 2],
                ["it", "them"][i / 4 % 2],
            ]);
        }
        let options = Options {
            classes: 3,
            min_count: 1,
            rounds: 20,
        };
        let classes: HashMap<String, u16> =
            find(&corpus, &options, |_, _| ()).into_iter().collect();
        assert_eq!(classes["cat"], classes["dog"], "{classes:?}");
        assert_eq!(classes["sees"], classes["hears"], "{classes:?}");
        assert_ne!(classes["cat"], classes["them"], "{classes:?}");
    }

    #[test]
    fn the_gain_of_a_move_is_the_change_of_the_likelihood() {
        let options = Options {
            classes: 4,
            min_count: 1,
            rounds: 1,
        };
        let mut exchange = Exchange::new(&corpus(), &options);
        let (mut left, mut right) = (vec![0; 5], vec![0; 5]);
        let (before, after) = exchange.contexts(1, &mut left, &mut right);
        let old = exchange.class_of[1] as usize;
        exchange.shift(1, old, -1, &before, &after);
        let without = likelihood(&exchange);
        for class in 0..4 {
            let gain = exchange.gain(1, class, &before, &after);
            exchange.shift(1, class, 1, &before, &after);
            assert!(
                (likelihood(&exchange) - without - gain).abs() < 1e-6,
                "class {class}"
            );
            exchange.shift(1, class, -1, &before, &after);
        }
    }
}
