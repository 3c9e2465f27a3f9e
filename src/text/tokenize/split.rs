//! Stage 1 of the trained segmenter: where a chunk (a stretch without white space) is cut into tokens.
//!
//! ```text
//! chunk      ( $ 6 . 8 m ) ,        next chunk: "and"
//! cuts        ^ ^ ^ ^ ^ ^ ^         a cut is possible where the class of characters changes …
//! answers     1 1 0 0 1 1 1         … and a linear model decides each, left to right
//! ```
//!
//! A *dense* splitter (Japanese, Chinese, Thai: learned from data whose tokens end inside runs of letters) asks at every
//! grapheme boundary. Inside grapheme clusters and atoms nothing is ever asked.

use super::atoms;
use super::classes::{Class, fold};
use crate::text::hash::{bytes as hash_bytes, mix, pair};
use std::ops::Range;
use unicode_segmentation::UnicodeSegmentation;

/// A chunk made ready for its decisions. Reused from chunk to chunk.
#[derive(Default)]
pub struct Chunk {
    chars: Vec<Char>,
    atoms: Vec<Range<usize>>,
    /// The hash of the whole chunk, folded; 0 for very long ones.
    whole: u64,
    /// The hash and the first two classes of the next chunk.
    next: (u64, [Class; 2]),
    dense: bool,
}

#[derive(Clone, Copy)]
struct Char {
    /// Byte offset in the chunk.
    at: u32,
    fold: u32,
    class: Class,
    /// Whether the model is asked about a cut before this character.
    open: bool,
    /// The hash of the run that ends with this character.
    left: u64,
    /// The hash of the run that begins with this character.
    right: u64,
}

const NOTHING: Char = Char {
    at: 0,
    fold: 0,
    class: Class::None,
    open: false,
    left: 0,
    right: 0,
};

impl Chunk {
    /// Reads a chunk. `next` is the one after it in the paragraph, or empty.
    pub fn read(&mut self, chunk: &str, next: &str, dense: bool) {
        self.dense = dense;
        self.chars.clear();
        self.chars.extend(chunk.char_indices().map(|(at, c)| Char {
            at: at as u32,
            fold: fold(c) as u32,
            class: Class::of(c),
            ..NOTHING
        }));
        self.open(chunk, dense);
        self.hash_runs();
        self.whole = match chunk.len() {
            0..=40 => self.chars.iter().fold(1, |h, c| mix(h, c.fold.into())),
            _ => 0,
        };
        let mut classes = next.chars().map(Class::of);
        let first_two = [(); 2].map(|()| classes.next().unwrap_or_default());
        let length = next.len().min(12);
        self.next = (hash_bytes(0, &next.as_bytes()[..length]), first_two);
    }

    /// Marks where cuts are possible.
    fn open(&mut self, chunk: &str, dense: bool) {
        for i in 1..self.chars.len() {
            let (a, b) = (self.chars[i - 1].class, self.chars[i].class);
            // Inside a word: nothing between letters of one case, nor after a capital, nor between digits.
            let inside = a == b && a.is_wordlike() || a == Class::Upper && b == Class::Lower;
            self.chars[i].open = dense || !inside;
        }
        if !chunk.is_ascii() {
            let mut starts = chunk
                .grapheme_indices(true)
                .map(|(at, _)| at as u32)
                .peekable();
            for c in &mut self.chars {
                if starts.peek() == Some(&c.at) {
                    starts.next();
                } else {
                    c.open = false;
                }
            }
        }
        if atoms::possible(chunk.as_bytes()) {
            atoms::find(chunk, &mut self.atoms);
            let mut atoms = self.atoms.iter().peekable();
            for c in &mut self.chars {
                while atoms.peek().is_some_and(|atom| atom.end <= c.at as usize) {
                    atoms.next();
                }
                if atoms.peek().is_some_and(|atom| atom.start < c.at as usize) {
                    c.open = false;
                }
            }
        }
    }

    /// Runs are letters of any case, digits, or one punctuation character repeated.
    fn hash_runs(&mut self) {
        let same = |a: Char, b: Char| {
            let letters = |c: Char| matches!(c.class, Class::Lower | Class::Upper);
            if letters(a) && letters(b) {
                true
            } else if a.class.is_wordlike() || b.class.is_wordlike() {
                a.class == b.class
            } else {
                a.fold == b.fold
            }
        };
        let mut before = NOTHING;
        for c in &mut self.chars {
            let start = if same(before, *c) { before.left } else { 7 };
            c.left = mix(start, c.fold.into());
            before = *c;
        }
        let mut after = NOTHING;
        for c in self.chars.iter_mut().rev() {
            let start = if same(*c, after) { after.right } else { 7 };
            c.right = mix(start, c.fold.into());
            after = *c;
        }
    }

    /// Cuts the chunk: `decide` answers the features of every possible cut, `token` gets the tokens' byte ranges.
    pub fn cut(
        &self,
        length: usize,
        features: &mut Vec<u64>,
        mut decide: impl FnMut(usize, &[u64]) -> bool,
        mut token: impl FnMut(Range<usize>),
    ) {
        let (mut start, mut so_far) = (0, 1u64);
        for i in 0..self.chars.len() {
            let c = self.chars[i];
            if c.open {
                features.clear();
                self.features(i, start, so_far, features);
                if decide(c.at as usize, features) {
                    token(self.chars[start].at as usize..c.at as usize);
                    (start, so_far) = (i, 1);
                }
            }
            so_far = mix(so_far, c.fold.into());
        }
        if length > 0 {
            token(self.chars[start].at as usize..length);
        }
    }

    /// What the model sees of a cut before character `i`, when the token began at `start`.
    #[rustfmt::skip]
    fn features(&self, i: usize, start: usize, so_far: u64, features: &mut Vec<u64>) {
        let n = self.chars.len();
        let at = |k: isize| match i.checked_add_signed(k) {
            Some(j) if j < n => self.chars[j],
            _ => NOTHING,
        };
        let (a4, a3, a2, a) = (at(-4), at(-3), at(-2), at(-1));
        let (b, b2, b3, b4) = (at(0), at(1), at(2), at(3));
        let chars = |x: Char, y: Char| u64::from(x.fold) << 32 | u64::from(y.fold);
        let classes = |chars: &[Char]| chars.iter().fold(1, |h, c| h << 4 | c.class as u64);
        let length = (i - start).min(6) as u64;
        let rest = (n - i).min(6) as u64;
        let left_rest = at(-1 - self.run_length_before(i)).left;
        let end = u64::from(self.tail_is_punctuation(i));
        let [next, next2] = self.next.1.map(|class| class as u64);
        let mut add = |template: u64, x: u64, y: u64| features.push(pair(template, x, y));
        add(0, 0, 0);
        add(1, chars(a, b), 0);
        add(2, chars(a2, a), b.fold.into());
        add(3, chars(a, b), b2.fold.into());
        add(4, chars(a2, a), chars(b, b2));
        add(5, chars(a3, a2), chars(a, b));
        add(6, chars(a, b), chars(b2, b3));
        add(7, a.fold.into(), classes(&[b, b2]));
        add(8, b.fold.into(), classes(&[a2, a]));
        add(9, classes(&[a3, a2, a, b, b2, b3]), 0);
        add(10, classes(&[a4, a3, a2, a, b, b2, b3, b4]), 0);
        add(11, classes(&[a2, a, b, b2]), length << 4 | rest);
        add(12, a.left, b.fold.into());
        add(13, a.fold.into(), b.right);
        add(14, a.left, b.right);
        add(15, left_rest, chars(a, b));
        add(16, so_far, b.fold.into());
        add(17, so_far, b.right);
        add(18, self.whole, i as u64);
        add(19, chars(a, b), length << 8 | rest << 4 | end);
        add(20, chars(b, NOTHING) | u64::from(a.class as u8), end << 4 | next);
        add(21, self.next.0, chars(a, b));
        add(22, so_far, end << 8 | next << 4 | b.class as u64);
        add(23, chars(self.chars[start], b), length << 1 | end);
        add(24, chars(self.chars[0], b), classes(&[a, b2]));
        add(25, chars(self.chars[n - 1], a), classes(&[b, b2]));
        // Marks that the data never has side by side are known by their classes only: `5%.`
        add(26, classes(&[a, b]), end << 4 | next);
        add(27, classes(&[a2, a, b]), end);
        add(61, classes(&[a, b]), length << 4 | rest);
        add(62, classes(&[a]), b.fold.into());
        add(63, a.fold.into(), classes(&[b]));
        // `p.m.` ends a sentence before `He` more often than before `EDT`.
        add(28, classes(&[a, b, b2]), next << 4 | next2);
        add(29, classes(&[a4, a3, a2, a, b, b2]), next << 4 | next2);
        if self.dense {
            self.dense_features(i, so_far, features);
        }
    }

    /// Where words are not parted by white space: all n-grams of up to three characters, and of their classes, within three
    /// characters of the cut. Neubig, Nakata and Mori (2011), Pointwise prediction for robust, adaptable Japanese
    /// morphological analysis.
    fn dense_features(&self, i: usize, so_far: u64, features: &mut Vec<u64>) {
        features.push(pair(60, so_far, 0));
        let window: [Char; 6] = std::array::from_fn(|k| {
            let at = (i + k).checked_sub(3);
            let found = at.and_then(|at| self.chars.get(at));
            found.copied().unwrap_or(NOTHING)
        });
        for start in 0..window.len() {
            let (mut folds, mut classes) = (1, 1u64);
            for (length, c) in window[start..].iter().take(3).enumerate() {
                folds = mix(folds, c.fold.into());
                classes = classes << 4 | c.class as u64;
                let place = 30 + (start * 4 + length) as u64;
                features.push(pair(place, folds, 0));
                features.push(pair(place, classes, 1));
            }
        }
    }

    /// How many characters of the run that ends before `i` lie before its last one.
    fn run_length_before(&self, i: usize) -> isize {
        let wordlike = |j: usize| self.chars[j].class.is_wordlike();
        let mut length = 1;
        // Bounded: a model trained on words gains nothing from the far end of a long run.
        while length < i.min(24) && wordlike(i - 1) && wordlike(i - 1 - length) {
            length += 1;
        }
        length as isize
    }

    /// Whether no letter or digit follows before the chunk's end (of which the last eight characters are looked at).
    fn tail_is_punctuation(&self, i: usize) -> bool {
        self.chars.len() - i <= 8 && !self.chars[i..].iter().any(|c| c.class.is_wordlike())
    }
}
