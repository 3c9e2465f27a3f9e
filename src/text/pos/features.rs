//! What the tagger sees of a sentence: the tags each word may have, and the features that choose between them.
//!
//! They follow Toutanova et al. (2003), Feature-rich part-of-speech tagging, with ambiguity classes of the
//! words to the right as in Giménez and Màrquez (2004), SVMTool.

use super::Word;
use crate::text::hash;
use crate::text::lexicon::Lexicon;
use crate::text::tagger::Lattice;
use crate::text::word_classes::{LISTS, WordClasses};
use crate::text::word_shape::WordShape;

/// Seed of the lexicon's keys of endings; exact and lower-cased forms are keys themselves.
const ENDING: u64 = 103;
/// The list of the longest known ending of a word of its kind, from `longest` characters down; list 0 holds the most
/// frequent tag.
pub fn guess(lexicon: &Lexicon, shape: &WordShape, longest: usize) -> u32 {
    let lengths = (0..=longest).rev();
    lengths
        .filter_map(|length| lexicon.find(ending_key(shape, length)?))
        .next()
        .unwrap_or(0)
}

/// The key of the last `length` characters of a word; none where it is shorter.
pub fn ending_key(shape: &WordShape, length: usize) -> Option<u64> {
    Some(hash::pair(
        ENDING + length as u64,
        shape.kind,
        shape.suffix(length)?,
    ))
}

/// What is known of words.
#[derive(Clone, Copy)]
pub struct Knowledge<'a> {
    pub lexicon: &'a Lexicon,
    pub dictionary: &'a Lexicon,
    pub classes: &'a WordClasses,
    /// Endings of unknown words are tried from this many characters down.
    pub longest_ending: usize,
    /// Of a rich language, the UPOS of lemmas.
    pub lemmas: Option<&'a Lexicon>,
}

/// A word, its lists in the lexicon and the dictionary, and its classes, as features.
#[derive(Clone, Copy, Debug, Default)]
struct Form {
    shape: WordShape,
    list: u64,
    entry: u64,
    classes: [u64; LISTS],
    /// The longest lemma that it begins with: the list of its UPOS, and what is behind it.
    stem: [u64; 2],
}

/// The key of a lemma.
pub fn lemma_key(lemma: &str) -> u64 {
    hash::bytes(105, lemma.as_bytes())
}

/// The shortest stem of a longer word, in characters.
const SHORTEST_STEM: usize = 2;

/// The longest lemma that a lower-cased word begins with.
fn stem(word: &str, lemmas: &Lexicon) -> [u64; 2] {
    let ends = word.char_indices().map(|(at, _)| at).skip(SHORTEST_STEM);
    let ends: Vec<usize> = ends.chain([word.len()]).collect();
    for &end in ends.iter().rev() {
        if let Some(list) = lemmas.find(lemma_key(&word[..end])) {
            return [
                u64::from(list) + 1,
                hash::bytes(106, &word.as_bytes()[end..]),
            ];
        }
    }
    [0; 2]
}

impl Form {
    /// Outside the sentence.
    fn outside(number: u64) -> Form {
        let shape = WordShape::outside(number);
        Form {
            shape,
            list: shape.lower,
            entry: shape.lower,
            classes: [shape.lower; LISTS],
            stem: [shape.lower; 2],
        }
    }
}

/// Fills lattices; keeps its buffers between sentences.
#[derive(Clone, Debug, Default)]
pub struct Extractor {
    forms: Vec<Form>,
    lower: String,
    unary: Vec<u64>,
    candidates: Vec<u16>,
    /// How many lists of word classes there are.
    lists: usize,
    rich: bool,
}

/// Appends the tags that are not there yet.
pub fn merge(tags: &mut Vec<u16>, more: &[u16]) {
    for tag in more {
        if !tags.contains(tag) {
            tags.push(*tag);
        }
    }
}

/// Forms of context on either side.
const PADDING: usize = 3;

impl Extractor {
    /// What the words of the sentence look like.
    pub fn shapes(&self) -> impl ExactSizeIterator<Item = &WordShape> {
        let words = &self.forms[PADDING..self.forms.len() - PADDING];
        words.iter().map(|form| &form.shape)
    }

    /// Fills the lattice of a sentence from a source.
    pub fn fill(&mut self, words: &[Word], known: &Knowledge, source: u64, lattice: &mut Lattice) {
        self.lists = known.classes.lists();
        self.rich = known.lemmas.is_some();
        self.read_forms(words, known);
        lattice.clear();
        for i in 0..words.len() {
            self.add_candidates(i + PADDING, known);
            self.add_features(i + PADDING, lattice, i == 0, source);
        }
    }

    fn read_forms(&mut self, words: &[Word], known: &Knowledge) {
        let Knowledge {
            lexicon,
            dictionary,
            ..
        } = *known;
        self.forms.clear();
        self.forms.extend([1, 1, 2].map(Form::outside));
        for word in words {
            let shape = WordShape::new(&word.form, &mut self.lower);
            let listed = lexicon
                .find(shape.exact)
                .or_else(|| lexicon.find(shape.lower));
            let list =
                u64::from(listed.unwrap_or_else(|| guess(lexicon, &shape, known.longest_ending)))
                    + 1;
            let entry = dictionary
                .find(shape.lower)
                .map_or(0, |number| u64::from(number) + 1);
            self.forms.push(Form {
                shape,
                list,
                entry,
                classes: known.classes.of(&shape),
                stem: known
                    .lemmas
                    .map_or([0; 2], |lemmas| stem(&self.lower, lemmas)),
            });
        }
        self.forms.extend([3, 4, 4].map(Form::outside));
    }

    /// The tags a form may have: those it was seen with; what its lower-cased form was seen with and what its ending
    /// suggests, when it was not seen itself.
    fn add_candidates(&mut self, i: usize, known: &Knowledge) {
        let lexicon = known.lexicon;
        let form = &self.forms[i].shape;
        self.candidates.clear();
        if let Some(list) = lexicon.find(form.exact) {
            self.candidates.extend_from_slice(lexicon.list(list));
            return;
        }
        let mut add = |list| merge(&mut self.candidates, lexicon.list(list));
        lexicon.find(form.lower).map(&mut add);
        add(guess(lexicon, form, known.longest_ending));
    }

    fn add_features(&mut self, i: usize, lattice: &mut Lattice, initial: bool, source: u64) {
        let [far_left, left, here, right, far_right] =
            [i - 2, i - 1, i, i + 1, i + 2].map(|at| &self.forms[at].shape);
        let [list, list_right, list_far_right] = [i, i + 1, i + 2].map(|at| self.forms[at].list);
        let [entry_left, entry, entry_right] = [i - 1, i, i + 1].map(|at| self.forms[at].entry);
        let unary = &mut self.unary;
        unary.clear();
        if self.candidates.len() > 1 {
            let start = u64::from(initial);
            unary.extend([
                hash::pair(1, here.exact, 0),
                hash::pair(2, here.lower, 0),
                hash::pair(3, here.shape, start),
                hash::pair(4, here.shape, here.suffixes[2]),
                hash::pair(5, left.lower, 0),
                hash::pair(6, right.lower, 0),
                hash::pair(7, far_left.lower, 0),
                hash::pair(8, far_right.lower, 0),
                hash::pair(9, left.lower, here.lower),
                hash::pair(10, here.lower, right.lower),
                hash::pair(11, left.lower, right.lower),
                hash::pair(12, list_right, 0),
                hash::pair(13, list_right, here.lower),
                hash::pair(14, list_right, list_far_right),
                hash::pair(15, list, list_right),
                hash::pair(16, left.suffixes[2], here.suffixes[2]),
                hash::pair(17, right.suffixes[2], here.suffixes[1]),
                hash::pair(18, right.shape, here.shape),
                hash::pair(19, left.shape, here.shape),
                hash::pair(20, list, 0),
            ]);
            unary.extend([
                hash::triple(21, far_left.lower, left.lower, here.lower),
                hash::triple(22, left.lower, here.lower, right.lower),
                hash::triple(23, here.lower, right.lower, far_right.lower),
                hash::pair(24, far_left.lower, left.lower),
                hash::pair(25, right.lower, far_right.lower),
                hash::pair(26, right.suffixes[2], right.kind),
                hash::pair(27, left.suffixes[2], left.kind),
            ]);
            unary.extend([
                hash::pair(90, entry, here.kind),
                hash::pair(91, entry, list),
                hash::pair(92, entry, entry_right),
                hash::pair(93, entry_left, entry),
                hash::pair(94, left.lower, entry),
                hash::pair(95, entry, right.lower),
            ]);
            unary.extend([
                hash::pair(80, here.lower, source),
                hash::pair(81, list, source),
                hash::pair(82, here.suffixes[2], hash::pair(1, here.kind, source)),
                hash::pair(83, left.lower, source),
                hash::pair(84, right.lower, source),
            ]);
            let [
                third_left,
                second_left,
                left,
                classes,
                right,
                second_right,
                third_right,
            ] = [i - 3, i - 2, i - 1, i, i + 1, i + 2, i + 3].map(|at| self.forms[at].classes);
            for k in 0..self.lists {
                let seed = 110 + 20 * k as u64;
                unary.extend([
                    hash::pair(seed, classes[k], here.kind),
                    hash::pair(seed + 1, left[k], 0),
                    hash::pair(seed + 2, right[k], 0),
                    hash::pair(seed + 3, left[k], classes[k]),
                    hash::pair(seed + 4, classes[k], right[k]),
                    hash::pair(seed + 5, left[k], right[k]),
                    hash::pair(seed + 6, right[k], list),
                    hash::pair(seed + 7, second_left[k], 0),
                    hash::pair(seed + 8, second_right[k], 0),
                    hash::pair(seed + 9, third_left[k], 0),
                    hash::pair(seed + 10, third_right[k], 0),
                    hash::pair(seed + 11, second_left[k], left[k]),
                    hash::pair(seed + 12, right[k], second_right[k]),
                    hash::triple(seed + 13, left[k], classes[k], right[k]),
                ]);
            }
            if self.rich {
                let [[left_stem, _], [stem, behind], [right_stem, right_behind]] =
                    [i - 1, i, i + 1].map(|at| self.forms[at].stem);
                unary.extend([
                    hash::pair(200, stem, behind),
                    hash::pair(201, behind, 0),
                    hash::pair(202, stem, here.kind),
                    hash::pair(203, stem, here.suffixes[1]),
                    hash::pair(204, left_stem, stem),
                    hash::pair(205, right_stem, stem),
                    hash::pair(206, right_behind, behind),
                ]);
            }
            for (k, suffix) in here.suffixes.iter().enumerate().filter(|s| *s.1 != 0) {
                unary.push(hash::pair(30 + k as u64, *suffix, here.kind));
            }
            for (k, prefix) in here.prefixes.iter().enumerate().filter(|p| *p.1 != 0) {
                unary.push(hash::pair(50 + k as u64, *prefix, 0));
            }
        }
        let first = [
            hash::pair(60, 0, 0),
            hash::pair(61, here.lower, 0),
            hash::pair(62, list_right, 0),
            hash::pair(63, here.suffixes[1], here.kind),
            hash::pair(64, right.lower, 0),
            hash::pair(65, left.lower, 0),
            hash::pair(66, self.forms[i].classes[0], 0),
        ];
        let second = [hash::pair(70, 0, 0), hash::pair(71, here.lower, 0)];
        lattice.push(unary, &first, &second, &self.candidates);
    }
}
