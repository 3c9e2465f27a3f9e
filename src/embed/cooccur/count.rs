//! Counts co-occurrences word by word over an index of places.
//!
//! ```text
//! for each word i:  for each place of i:  for each neighbour j ≤ i up to `window` words away:  sum[j] += units[distance]
//! ```
//!
//! Every row of the matrix is finished before the next one begins: nothing is hashed, sorted on disk or merged, as it
//! must be when the text is read from front to back, and rows are counted in parallel. The index takes four bytes a
//! token; where that is too much, the text is counted in stretches whose rows are added up. A pair belongs to the place of
//! its row's word, so that stretches may be cut anywhere and neighbours seen across the cut.

use super::rows::{self, Packer, Rows};
use super::{Cooccurrence, Options, Parts};
use crate::embed::corpus::{BREAK, Corpus};
use rayon::prelude::*;
use std::ops::Range;

/// Counts part `part` of `of` of a corpus; the index takes up to half of `memory` bytes, and rows the other half before
/// they go to a temporary file.
///
/// # Errors
/// The temporary file cannot be written.
pub fn count(
    corpus: Corpus,
    options: Options,
    (part, of): (u64, u64),
    memory: u64,
) -> std::io::Result<Cooccurrence> {
    let tokens = corpus.tokens();
    let cut = |part: u64| (tokens.len() as u128 * u128::from(part) / u128::from(of)) as usize;
    let words = corpus.vocabulary.len();
    let counter = Counter::new(tokens, words, options);
    let rows = counter.rows(cut(part)..cut(part + 1), memory)?;
    Ok(Cooccurrence {
        options,
        parts: Parts {
            counted: vec![part],
            of,
        },
        rows,
        vocabulary: corpus.vocabulary,
    })
}

struct Counter<'a> {
    tokens: &'a [u32],
    words: usize,
    symmetric: bool,
    /// Units by distance, from 1 on.
    weights: Vec<u64>,
}

/// Rows counted at a time, by the tokens they begin from: enough for every thread to have a few.
const GROUP_TOKENS: usize = 1 << 16;
const GROUPS: usize = 256;

impl<'a> Counter<'a> {
    fn new(tokens: &'a [u32], words: usize, options: Options) -> Counter<'a> {
        Counter {
            tokens,
            words,
            symmetric: options.symmetric,
            weights: options.weights(),
        }
    }

    /// The rows of the places in `range`.
    fn rows(&self, range: Range<usize>, memory: u64) -> std::io::Result<Rows> {
        // Places are numbered within a stretch, in 32 bits.
        let stretch = (memory / 2 / 4).clamp(1, u64::from(u32::MAX)) as usize;
        let mut all = Vec::new();
        let mut start = range.start;
        while start < range.end || all.is_empty() {
            let end = range.end.min(start + stretch);
            // Rows of one stretch of several go to disk at once.
            let kept = if end - start == range.len() {
                memory / 2
            } else {
                0
            };
            all.push(self.stretch(start..end, kept)?);
            start = end;
        }
        match all.len() {
            1 => Ok(all.swap_remove(0)),
            _ => rows::sum(&all.iter().collect::<Vec<_>>(), memory / 2),
        }
    }

    fn stretch(&self, range: Range<usize>, memory: u64) -> std::io::Result<Rows> {
        let (ends, places) = self.index(range.clone());
        let mut packer = Packer::new(memory);
        let mut groups = Vec::new();
        let mut first = 0;
        let before = |word: usize| {
            if word == 0 {
                0
            } else {
                ends[word - 1] as usize
            }
        };
        for (word, &end) in ends.iter().enumerate() {
            if end as usize - before(first) >= GROUP_TOKENS || word + 1 == self.words {
                groups.push(first..word + 1);
                first = word + 1;
            }
        }
        for some in groups.chunks(GROUPS) {
            let fresh = || (vec![0u64; self.words], Vec::new());
            let packed: Vec<(Vec<u8>, u64)> = (some.par_iter())
                .map_init(fresh, |(sums, touched), group| {
                    let (mut out, mut pairs) = (Vec::new(), 0);
                    for word in group.clone() {
                        let places = &places[before(word)..ends[word] as usize];
                        self.add_up(word as u32, range.start, places, (sums, touched));
                        if touched.is_empty() {
                            continue;
                        }
                        touched.sort_unstable();
                        pairs += touched.len() as u64;
                        let take = |&j: &u32| (j, std::mem::take(&mut sums[j as usize]));
                        rows::put(word as u32, touched.iter().map(take), &mut out);
                        touched.clear();
                    }
                    (out, pairs)
                })
                .collect();
            for (bytes, pairs) in &packed {
                packer.append(bytes, *pairs)?;
            }
        }
        packer.finish()
    }

    /// Where the places of each word end, and the places of all words, counted from the start of `range`.
    fn index(&self, range: Range<usize>) -> (Vec<u32>, Vec<u32>) {
        let tokens = &self.tokens[range];
        let mut ends = vec![0u32; self.words];
        for &token in tokens.iter().filter(|&&token| token != BREAK) {
            ends[token as usize] += 1;
        }
        let mut start = 0;
        for end in &mut ends {
            start += std::mem::replace(end, start);
        }
        let mut places = vec![0; start as usize];
        for (place, &token) in tokens.iter().enumerate() {
            if token != BREAK {
                let end = &mut ends[token as usize];
                places[*end as usize] = place as u32;
                *end += 1;
            }
        }
        (ends, places)
    }

    /// Adds up what stands near the places of a word.
    #[inline]
    fn add_up(
        &self,
        word: u32,
        origin: usize,
        places: &[u32],
        (sums, touched): (&mut [u64], &mut Vec<u32>),
    ) {
        // Of a symmetric matrix only the triangle is kept. A break is larger than every word.
        let last = if self.symmetric { word } else { BREAK - 1 };
        let mut see = |neighbour: u32, units: u64| {
            if neighbour <= last {
                let sum = &mut sums[neighbour as usize];
                if *sum == 0 {
                    touched.push(neighbour);
                }
                *sum += units;
            }
            neighbour != BREAK
        };
        for &place in places {
            let place = origin + place as usize;
            let before = self.tokens[..place].iter().rev();
            for (&neighbour, &units) in before.zip(&self.weights) {
                if !see(neighbour, units) {
                    break;
                }
            }
            if self.symmetric {
                let behind = self.tokens[place + 1..].iter();
                for (&neighbour, &units) in behind.zip(&self.weights) {
                    if !see(neighbour, units) {
                        break;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Weighting;
    use super::*;
    use crate::embed::corpus::{Limits, Reader};
    use std::collections::BTreeMap;

    fn corpus(text: &str) -> Corpus {
        let mut reader = Reader::default();
        reader.read(text.as_bytes(), false).unwrap();
        let limits = Limits {
            min_count: 1,
            max_words: None,
        };
        reader.finish(limits).unwrap()
    }

    /// Sentences of all lengths over a few words, and one long line.
    fn text() -> String {
        let words = ["a", "b", "c", "d", "e", "f", "g", "h"];
        let mut text = String::new();
        let mut state = 7u32;
        for i in 0..600 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            text += words[(state >> 24) as usize % words.len()];
            text += if i < 300 && state.is_multiple_of(5) {
                "\n"
            } else {
                " "
            };
        }
        text
    }

    /// X in units, over all ordered pairs, by the definition.
    fn naive(corpus: &Corpus, options: Options) -> BTreeMap<(u32, u32), u64> {
        let mut sums = BTreeMap::new();
        for sentence in corpus.sentences(usize::MAX) {
            for (p, &i) in sentence.iter().enumerate() {
                for (q, &j) in sentence.iter().enumerate() {
                    let d = p.abs_diff(q) as u32;
                    let counts = d > 0 && d <= options.window && (options.symmetric || q < p);
                    if counts {
                        *sums.entry((i, j)).or_default() += options.weights()[d as usize - 1];
                    }
                }
            }
        }
        sums
    }

    fn found(rows: &Rows) -> BTreeMap<(u32, u32), u64> {
        let (mut walk, mut pairs, mut all) = (rows.walk(), Vec::new(), BTreeMap::new());
        while let Some(word) = walk.next(&mut pairs) {
            all.extend(pairs.iter().map(|&(j, units)| ((word, j), units)));
        }
        all
    }

    #[test]
    fn counts_are_those_of_the_definition() {
        for (window, symmetric, weighting) in [
            (1, true, Weighting::Harmonic),
            (4, true, Weighting::Harmonic),
            (3, false, Weighting::Linear),
            (20, true, Weighting::Flat),
        ] {
            let options = Options {
                window,
                symmetric,
                weighting,
            };
            let mut expected = naive(&corpus(&text()), options);
            expected.retain(|(i, j), _| !symmetric || j <= i);
            let counted = count(corpus(&text()), options, (0, 1), 1 << 20).unwrap();
            assert_eq!(found(&counted.rows), expected, "{options:?}");
            assert_eq!(counted.rows.pairs(), expected.len() as u64);
        }
    }

    #[test]
    fn little_memory_and_parts_give_the_same_bytes() {
        let options = Options::default();
        let whole = count(corpus(&text()), options, (0, 1), 1 << 20).unwrap();
        let spilled = count(corpus(&text()), options, (0, 1), 800).unwrap();
        assert_eq!(spilled.rows.as_bytes(), whole.rows.as_bytes());
        let shard = |i| count(corpus(&text()), options, (i, 4), 1 << 20).unwrap();
        let sum = Cooccurrence::sum([3, 0, 2, 1].map(shard).into(), 1 << 20).unwrap();
        assert_eq!(sum.rows.as_bytes(), whole.rows.as_bytes());
        assert_eq!(sum.parts, whole.parts);
    }

    #[test]
    fn sentences_of_one_word_have_no_neighbours() {
        let counted = count(corpus("a\nb\n"), Options::default(), (0, 1), 1 << 20).unwrap();
        assert!(counted.rows.is_empty());
    }
}
