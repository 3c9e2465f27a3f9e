//! The n-grams of a sequence, of all lengths at once: the windows of the greatest length, sorted.
//!
//! A window is packed into one number, its first item in the highest bits. The n-grams are then the beginnings of the
//! windows, equal ones stand side by side, and two sequences are compared by going along both. Windows at the end of the
//! sequence are filled up with zeros, which are no items: what is cut out of them is no n-gram.

/// The n-grams of a sequence up to some length.
#[derive(Clone, Debug)]
pub struct Ngrams {
    windows: Vec<u128>,
    shape: Shape,
}

/// How windows are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The greatest length of an n-gram.
    pub order: u32,
    /// Bits of an item; `order` items have 128 at most.
    pub bits: u32,
}

impl Ngrams {
    /// Sorts the windows of `items`, which are numbers from 1 that fit into the bits of the shape.
    pub fn of(items: &[u32], shape: Shape) -> Ngrams {
        debug_assert!(shape.order * shape.bits <= 128, "a window fits");
        let order = shape.order as usize;
        let window = |start: usize| {
            let found = &items[start..items.len().min(start + order)];
            let packed = (found.iter()).fold(0, |key, &item| key << shape.bits | u128::from(item));
            // Not by 128 bits at once: a window holds one item at least.
            packed << (shape.bits * (shape.order - found.len() as u32))
        };
        let mut windows: Vec<u128> = (0..items.len()).map(window).collect();
        windows.sort_unstable();
        Ngrams { windows, shape }
    }

    /// How many n-grams of length `n` there are.
    pub fn count(&self, n: u32) -> u32 {
        (self.windows.len() as u32 + 1).saturating_sub(n)
    }

    /// The different n-grams of length `n` in order, and how often each stands.
    fn runs(&self, n: u32) -> Runs<'_> {
        Runs {
            rest: &self.windows,
            shift: self.shape.bits * (self.shape.order - n),
            mask: (1 << self.shape.bits) - 1,
        }
    }

    /// How many n-grams of length `n` have a partner in one of `others`: each as often as it stands there where it
    /// stands most often.
    pub fn matches(&self, others: &[Ngrams], n: u32) -> u32 {
        if let [other] = others {
            return self.matches_in_one(other, n);
        }
        let mut theirs: Vec<_> = others
            .iter()
            .map(|other| other.runs(n).peekable())
            .collect();
        let mut matches = 0;
        for (key, count) in self.runs(n) {
            let mut most = 0;
            for runs in &mut theirs {
                while runs.next_if(|&(other, _)| other < key).is_some() {}
                if let Some((_, found)) = runs.next_if(|&(other, _)| other == key) {
                    most = most.max(found);
                }
            }
            matches += count.min(most);
        }
        matches
    }

    /// As often as both have it: windows are paired off one by one.
    fn matches_in_one(&self, other: &Ngrams, n: u32) -> u32 {
        let shift = self.shape.bits * (self.shape.order - n);
        let mask = (1u128 << self.shape.bits) - 1;
        let (a, b) = (&self.windows, &other.windows);
        let (mut i, mut j, mut matches) = (0, 0, 0);
        while i < a.len() && j < b.len() {
            let (x, y) = (a[i] >> shift, b[j] >> shift);
            matches += u32::from(x == y && x & mask != 0);
            i += usize::from(x <= y);
            j += usize::from(y <= x);
        }
        matches
    }
}

/// Runs of equal beginnings.
struct Runs<'a> {
    rest: &'a [u128],
    shift: u32,
    mask: u128,
}

impl Iterator for Runs<'_> {
    type Item = (u128, u32);

    fn next(&mut self) -> Option<(u128, u32)> {
        loop {
            let key = self.rest.first()? >> self.shift;
            let length = (self.rest.iter())
                .take_while(|&window| window >> self.shift == key)
                .count();
            self.rest = &self.rest[length..];
            if key & self.mask != 0 {
                return Some((key, length as u32));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape { order: 4, bits: 32 };

    fn matches(a: &[u32], others: &[&[u32]]) -> [u32; 4] {
        let others: Vec<Ngrams> = others.iter().map(|b| Ngrams::of(b, SHAPE)).collect();
        let a = Ngrams::of(a, SHAPE);
        [1, 2, 3, 4].map(|n| a.matches(&others, n))
    }

    #[test]
    fn a_sequence_has_its_own_ngrams() {
        let items = [1, 2, 1, 2, 1];
        assert_eq!(matches(&items, &[&items]), [5, 4, 3, 2]);
        let ngrams = Ngrams::of(&items, SHAPE);
        assert_eq!([1, 2, 3, 4].map(|n| ngrams.count(n)), [5, 4, 3, 2]);
    }

    #[test]
    fn an_ngram_matches_as_often_as_both_have_it() {
        // 1 stands three times here and twice there; 1 1 twice and once.
        assert_eq!(matches(&[1, 1, 1, 2], &[&[1, 1, 3]]), [2, 1, 0, 0]);
    }

    #[test]
    fn of_several_others_the_one_with_most_counts() {
        let others: [&[u32]; 2] = [&[1, 1, 3], &[1, 2, 1, 1, 1]];
        // 1: three times in the second; 2: once. 1 1: twice in the second; 1 2: once.
        assert_eq!(matches(&[1, 1, 1, 2], &others), [4, 3, 1, 0]);
    }

    #[test]
    fn short_sequences_have_no_long_ngrams() {
        assert_eq!(matches(&[], &[&[1]]), [0; 4]);
        assert_eq!(matches(&[1], &[&[]]), [0; 4]);
        let one = Ngrams::of(&[1], SHAPE);
        assert_eq!([1, 2, 3, 4].map(|n| one.count(n)), [1, 0, 0, 0]);
    }
}
