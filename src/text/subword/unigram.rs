//! Learning a unigram model: pieces with probabilities under which the text is likely, found by leaving out, round after
//! round, those it misses least.
//!
//! ```text
//! P(word) = Σ over its segmentations Π p(piece)
//! E: n(piece) = expected uses under p;  M: ln p = ψ(n) − ψ(Σ n)         two times a round
//! loss(piece) = n · (ln p(piece) − ln p(its next best segmentation))    the least go, until enough are left
//! ```
//!
//! Sums run over a fixed number of blocks of words in a fixed order: any number of threads gives the same bits.
//!
//! Sources: Kudo, *Subword Regularization*, ACL 2018; Liang and Klein, *Structured Bayesian Nonparametric Models*, ACL
//! 2007 tutorial, for ψ in the place of ln, which makes rare pieces rarer.

use super::mixed::{Map, Set};
use super::seeds::{self, LONGEST};
use rayon::prelude::*;

/// Pieces tried for each that is wanted, and tried at least.
const SEEDS_PER_PIECE: usize = 20;
const FEWEST_SEEDS: usize = 100_000;

/// What is left of the pieces after a round.
const KEPT: f64 = 0.75;

/// EM steps in a round.
const STEPS: usize = 2;

/// Expected uses below which a piece is dropped at once.
const LEAST_USE: f64 = 0.5;

/// Words longer than this, in characters, are learned from in parts.
const LONGEST_WORD: usize = 128;

/// Parts the words are worked on in.
const BLOCKS: usize = 16;

/// Learns at most `size` pieces, the likeliest first, among them all characters of `alphabet`, which is sorted; none is
/// in `taboo`. The numbers are natural logarithms of probabilities.
pub fn learn(
    words: &[(String, u64)],
    alphabet: &[char],
    taboo: &Set<&str>,
    size: usize,
) -> Vec<(String, f64)> {
    let words = known_parts(words, alphabet);
    let mut pieces: Vec<(String, f64)> = alphabet.iter().map(|c| (c.to_string(), 1.0)).collect();
    let most = (size * SEEDS_PER_PIECE).max(FEWEST_SEEDS);
    let seeds = seeds::find(&words, most).into_iter();
    let wanted = seeds.filter(|(text, _)| !taboo.contains(text));
    pieces.extend(wanted.map(|(text, count)| (text.to_owned(), count as f64)));
    for (word, count) in &words {
        for letter in word.chars() {
            if let Ok(at) = alphabet.binary_search(&letter) {
                pieces[at].1 += *count as f64;
            }
        }
    }
    let total: f64 = pieces.iter().map(|(_, count)| count).sum();
    for (_, value) in &mut pieces {
        *value = (*value / total).ln();
    }
    let mut lattices = Lattices::new(&words, &pieces);
    // A little more than wanted, so that the last choice goes by probability.
    let enough = size + size / 10;
    loop {
        for _ in 0..STEPS {
            let uses = lattices.expected(&pieces);
            let kept = maximized(&mut pieces, &uses);
            lattices.keep(&kept);
        }
        if pieces.len() <= enough {
            break;
        }
        let target = enough.max((pieces.len() as f64 * KEPT) as usize);
        let kept = lattices.least_missed(&pieces, target);
        let before = pieces.len();
        let mut kept_flags = kept.iter();
        pieces.retain(|_| kept_flags.next().is_some_and(Option::is_some));
        lattices.keep(&kept);
        if pieces.len() == before {
            break;
        }
    }
    let is_letter = |text: &str| text.chars().nth(1).is_none();
    pieces.sort_by(|a, b| {
        let first = is_letter(&b.0).cmp(&is_letter(&a.0));
        first.then(b.1.total_cmp(&a.1)).then_with(|| a.0.cmp(&b.0))
    });
    pieces.truncate(size);
    pieces.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    pieces
}

/// The parts of words that are letters of the alphabet, no part too long.
fn known_parts(words: &[(String, u64)], alphabet: &[char]) -> Vec<(String, u64)> {
    let mut parts: Map<String, u64> = Map::default();
    for (word, count) in words {
        for part in word.split(|c| alphabet.binary_search(&c).is_err()) {
            let letters: Vec<char> = part.chars().collect();
            for chunk in letters.chunks(LONGEST_WORD) {
                *parts.entry(chunk.iter().collect()).or_default() += count;
            }
        }
    }
    let mut parts: Vec<_> = parts.into_iter().collect();
    parts.sort_unstable();
    parts
}

/// Sets the probabilities to what the expected uses say. Gives the new number of each piece that is still there.
fn maximized(pieces: &mut Vec<(String, f64)>, uses: &[f64]) -> Vec<Option<u32>> {
    let is_kept = |(piece, uses): (&(String, f64), &f64)| {
        *uses >= LEAST_USE || piece.0.chars().nth(1).is_none()
    };
    let kept: Vec<bool> = pieces.iter().zip(uses).map(is_kept).collect();
    let counted = |uses: f64| uses.max(LEAST_USE);
    let total: f64 = uses
        .iter()
        .zip(&kept)
        .filter(|(_, kept)| **kept)
        .map(|(n, _)| counted(*n))
        .sum();
    let log_total = digamma(total);
    let mut numbers = Vec::with_capacity(pieces.len());
    let mut next = 0;
    for ((piece, uses), kept) in pieces.iter_mut().zip(uses).zip(&kept) {
        piece.1 = digamma(counted(*uses)) - log_total;
        numbers.push(kept.then_some(next));
        next += u32::from(*kept);
    }
    let mut flags = kept.iter();
    pieces.retain(|_| flags.next().copied().unwrap_or(false));
    numbers
}

/// ψ(x): x is moved up to where the series is exact to eight digits.
fn digamma(mut x: f64) -> f64 {
    let mut sum = 0.0;
    while x < 7.0 {
        sum -= 1.0 / x;
        x += 1.0;
    }
    let inverse = 1.0 / (x * x);
    sum + x.ln() - 0.5 / x - inverse * (1.0 / 12.0 - inverse * (1.0 / 120.0 - inverse / 252.0))
}

/// A piece in a word, between two of its characters.
#[derive(Clone, Copy)]
struct Arc {
    from: u8,
    to: u8,
    piece: u32,
}

/// A word, how often it is seen, and all pieces in it by where they begin.
struct Lattice {
    /// Characters.
    length: usize,
    count: f64,
    arcs: Vec<Arc>,
}

struct Lattices(Vec<Lattice>);

impl Lattices {
    fn new(words: &[(String, u64)], pieces: &[(String, f64)]) -> Lattices {
        let numbers: Map<&str, u32> = numbers(pieces);
        let lattice = |(word, count): &(String, u64)| Lattice {
            length: word.chars().count(),
            count: *count as f64,
            arcs: arcs(word, &numbers),
        };
        Lattices(words.par_iter().map(lattice).collect())
    }

    fn blocks(&self) -> impl IndexedParallelIterator<Item = &[Lattice]> {
        self.0.par_chunks(self.0.len().div_ceil(BLOCKS).max(1))
    }

    /// Expected uses of each piece.
    fn expected(&self, pieces: &[(String, f64)]) -> Vec<f64> {
        let of_block = |block: &[Lattice]| {
            let mut uses = vec![0.0; pieces.len()];
            let (mut before, mut behind) = (Vec::new(), Vec::new());
            for lattice in block {
                lattice.add_expected(pieces, &mut before, &mut behind, &mut uses);
            }
            uses
        };
        summed(self.blocks().map(of_block).collect(), pieces.len())
    }

    /// Which pieces to keep, about `target`, by their new numbers: those the text would miss most.
    fn least_missed(&self, pieces: &[(String, f64)], target: usize) -> Vec<Option<u32>> {
        let of_block = |block: &[Lattice]| {
            let mut uses = vec![0.0; pieces.len()];
            for lattice in block {
                for piece in best(lattice.length, &lattice.arcs, pieces, None) {
                    uses[piece as usize] += lattice.count;
                }
            }
            uses
        };
        let uses = summed(self.blocks().map(of_block).collect(), pieces.len());
        let total: f64 = uses.iter().sum();
        let numbers = numbers(pieces);
        let loss = |(piece, (text, _)): (usize, &(String, f64))| {
            let length = text.chars().count();
            if length == 1 {
                return f64::INFINITY;
            }
            let used = uses[piece];
            if used == 0.0 {
                return f64::NEG_INFINITY;
            }
            let other = best(length, &arcs(text, &numbers), pieces, Some(piece as u32));
            // Its uses become uses of each of the others.
            let log_total = (total + used * (other.len() as f64 - 1.0)).ln();
            let others: f64 = other
                .iter()
                .map(|piece| (uses[*piece as usize] + used).ln() - log_total)
                .sum();
            used / total * (used.ln() - total.ln() - others)
        };
        let losses: Vec<f64> = pieces.par_iter().enumerate().map(loss).collect();
        let mut order: Vec<usize> = (0..pieces.len()).collect();
        order.sort_by(|a, b| losses[*b].total_cmp(&losses[*a]).then(a.cmp(b)));
        order.truncate(target);
        order.retain(|piece| losses[*piece] > f64::NEG_INFINITY);
        order.sort_unstable();
        let mut kept = vec![None; pieces.len()];
        for (number, piece) in order.into_iter().enumerate() {
            kept[piece] = Some(number as u32);
        }
        kept
    }

    /// Takes pieces out that have no new number.
    fn keep(&mut self, numbers: &[Option<u32>]) {
        self.0.par_iter_mut().for_each(|lattice| {
            lattice
                .arcs
                .retain_mut(|arc| match numbers[arc.piece as usize] {
                    Some(number) => {
                        arc.piece = number;
                        true
                    }
                    None => false,
                });
        });
    }
}

fn numbers(pieces: &[(String, f64)]) -> Map<&str, u32> {
    let numbered = pieces.iter().zip(0..);
    numbered
        .map(|((text, _), number)| (text.as_str(), number))
        .collect()
}

fn summed(parts: Vec<Vec<f64>>, length: usize) -> Vec<f64> {
    let mut sums = vec![0.0; length];
    for part in parts {
        for (sum, value) in sums.iter_mut().zip(part) {
            *sum += value;
        }
    }
    sums
}

/// All pieces in a word of at most [`LONGEST_WORD`] characters.
fn arcs(word: &str, numbers: &Map<&str, u32>) -> Vec<Arc> {
    let mut ends: Vec<usize> = word.char_indices().map(|(at, _)| at).collect();
    ends.push(word.len());
    let mut arcs = Vec::new();
    for from in 0..ends.len() - 1 {
        for to in from + 1..ends.len().min(from + LONGEST + 1) {
            if let Some(&piece) = numbers.get(&word[ends[from]..ends[to]]) {
                let (from, to) = (from as u8, to as u8);
                arcs.push(Arc { from, to, piece });
            }
        }
    }
    arcs
}

/// The likeliest segmentation of a word, without the piece `except`, from its end to its beginning.
fn best(length: usize, arcs: &[Arc], pieces: &[(String, f64)], except: Option<u32>) -> Vec<u32> {
    let mut scores = vec![f64::NEG_INFINITY; length + 1];
    let mut last = vec![(0, 0); length + 1];
    scores[0] = 0.0;
    for arc in arcs.iter().filter(|arc| Some(arc.piece) != except) {
        let (from, to) = (usize::from(arc.from), usize::from(arc.to));
        let score = scores[from] + pieces[arc.piece as usize].1;
        if score > scores[to] {
            scores[to] = score;
            last[to] = (from, arc.piece);
        }
    }
    let mut path = Vec::new();
    let mut at = length;
    while at > 0 {
        let (from, piece) = last[at];
        path.push(piece);
        at = from;
    }
    path
}

impl Lattice {
    /// Forward and backward sums, in logarithms; each piece's share of all segmentations is added to `uses`.
    fn add_expected(
        &self,
        pieces: &[(String, f64)],
        before: &mut Vec<f64>,
        behind: &mut Vec<f64>,
        uses: &mut [f64],
    ) {
        for sums in [&mut *before, &mut *behind] {
            sums.clear();
            sums.resize(self.length + 1, f64::NEG_INFINITY);
        }
        before[0] = 0.0;
        behind[self.length] = 0.0;
        for arc in &self.arcs {
            let (from, to) = (usize::from(arc.from), usize::from(arc.to));
            before[to] = added(before[to], before[from] + pieces[arc.piece as usize].1);
        }
        for arc in self.arcs.iter().rev() {
            let (from, to) = (usize::from(arc.from), usize::from(arc.to));
            behind[from] = added(behind[from], behind[to] + pieces[arc.piece as usize].1);
        }
        let all = before[self.length];
        for arc in &self.arcs {
            let (from, to) = (usize::from(arc.from), usize::from(arc.to));
            let piece = arc.piece as usize;
            uses[piece] += self.count * (before[from] + pieces[piece].1 + behind[to] - all).exp();
        }
    }
}

/// ln(exp a + exp b).
fn added(a: f64, b: f64) -> f64 {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    match low == f64::NEG_INFINITY {
        true => high,
        false => high + (low - high).exp().ln_1p(),
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

    #[test]
    fn digamma_has_its_known_values() {
        // −γ, and ψ(10) = −γ + 1 + 1/2 + … + 1/9
        assert!((digamma(1.0) + 0.577_215_664_9).abs() < 1e-8);
        assert!((digamma(10.0) - 2.251_752_589_1).abs() < 1e-8);
    }

    #[test]
    fn expected_uses_are_those_of_all_segmentations() {
        // "ab" is a·b with ¼·½, or ab with ¼: a third and two thirds.
        let pieces: Vec<(String, f64)> = [("a", 0.25_f64), ("b", 0.5), ("ab", 0.25)]
            .map(|(text, p)| (text.to_owned(), p.ln()))
            .into();
        let uses = Lattices::new(&words(&[("ab", 3)]), &pieces).expected(&pieces);
        for (use_, expected) in uses.iter().zip([1.0, 1.0, 2.0]) {
            assert!((use_ - expected).abs() < 1e-12, "{uses:?}");
        }
    }

    #[test]
    fn frequent_words_become_pieces() {
        let words = words(&[("▁the", 50), ("▁then", 10), ("▁cat", 20), ("▁hat", 1)]);
        let alphabet: Vec<char> = {
            let mut all: Vec<char> = "▁thencat".chars().collect();
            all.sort_unstable();
            all.dedup();
            all
        };
        let learned = learn(&words, &alphabet, &Set::default(), 10);
        let texts: Vec<&str> = learned.iter().map(|(text, _)| text.as_str()).collect();
        assert!(
            texts.contains(&"▁the") && texts.contains(&"▁cat"),
            "{learned:?}"
        );
        assert_eq!(learned.len(), 10);
    }

    #[test]
    fn threads_do_not_change_a_bit() {
        let list: Vec<(String, u64)> = (0..400u64)
            .map(|i| {
                (
                    format!("▁{}{}", ["un", "re", "de"][i as usize % 3], i * i),
                    i % 7 + 1,
                )
            })
            .collect();
        let mut alphabet: Vec<char> = "▁unred0123456789".chars().collect();
        alphabet.sort_unstable();
        alphabet.dedup();
        let learned = |threads| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            pool.install(|| learn(&list, &alphabet, &Set::default(), 60))
        };
        assert_eq!(learned(1), learned(3));
    }
}
