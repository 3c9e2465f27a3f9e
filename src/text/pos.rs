//! Part-of-speech tagging: UPOS, XPOS and FEATS together, as one of the joint tags seen in training.
//!
//! A lexicon gives each known form the tags it was seen with, suffixes give unknown forms theirs; a
//! [`tagger`](super::tagger) chooses between them in context.
//!
//! The features follow Toutanova et al. (2003), Feature-rich part-of-speech tagging, with ambiguity classes of the
//! words to the right as in Giménez and Màrquez (2004), SVMTool.

pub mod train;

use super::document::{Sentence, Word};
use super::hash;
use super::lexicon::Lexicon;
use super::model::{ModelError, Section, Tensor};
use super::network::{self, Network, train::NO_LABEL};
use super::tagger::{Decoder, Lattice};
use super::weights::Weights;
use super::word_classes::{LISTS, WordClasses};
use super::word_shape::WordShape;
use compact_str::CompactString;
use std::collections::HashMap;

/// Name of the layer in model files.
pub const LAYER: &str = "pos";

/// A trained tagger.
#[derive(Clone, Debug, PartialEq)]
pub struct PosTagger {
    tags: Vec<Tag>,
    /// The tags that forms and endings had in training.
    lexicon: Lexicon,
    /// The tags that a dictionary gives to lower-cased forms.
    dictionary: Lexicon,
    classes: WordClasses,
    weights: Weights,
    beam: usize,
    /// A second opinion, and what it is worth.
    network: Option<Network>,
    trust: f32,
    labels: Labels,
}

/// A joint tag; empty where the column is `_`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag {
    pub upos: CompactString,
    pub xpos: CompactString,
    pub feats: CompactString,
}

impl Tag {
    /// The tag of an annotated word.
    pub fn of(word: &Word) -> Tag {
        Tag {
            upos: word.upos.clone(),
            xpos: word.xpos.clone(),
            feats: word.feats.clone(),
        }
    }

    fn columns(&self) -> [&CompactString; 3] {
        [&self.upos, &self.xpos, &self.feats]
    }
}

/// Joint tags as labels of three heads of a network: UPOS, XPOS and FEATS, each numbered as it comes.
#[derive(Clone, Debug, Default, PartialEq)]
struct Labels {
    /// Numbers of the labels of each head.
    heads: [HashMap<CompactString, u16>; 3],
    /// For each tag its label of each head.
    of_tags: Vec<[u16; 3]>,
}

impl Labels {
    fn new(tags: &[Tag]) -> Labels {
        let mut labels = Labels::default();
        for tag in tags {
            for (numbers, column) in labels.heads.iter_mut().zip(tag.columns()) {
                let next = numbers.len() as u16;
                numbers.entry(column.clone()).or_insert(next);
            }
            labels.of_tags.push(labels.of(tag));
        }
        labels
    }

    /// The labels of a tag; [`NO_LABEL`] of columns that were not seen.
    fn of(&self, tag: &Tag) -> [u16; 3] {
        let columns = tag.columns();
        std::array::from_fn(|head| {
            let number = self.heads[head].get(columns[head]);
            number.copied().unwrap_or(NO_LABEL)
        })
    }

    /// How many labels each head has.
    fn sizes(&self) -> [usize; 3] {
        std::array::from_fn(|head| self.heads[head].len())
    }
}

/// The source of what is tagged: the first of the training data. Other sources were annotated a little differently, so
/// some features are learned for each source apart (Daumé 2007, Frustratingly easy domain adaptation).
const TARGET: u64 = 0;

/// Seed of the lexicon's keys of endings; exact and lower-cased forms are keys themselves.
const ENDING: u64 = 103;
/// Endings of unknown words are tried from this many letters down.
const LONGEST_ENDING: usize = 4;

/// The list of the longest known ending of a word of its kind; list 0 holds the most frequent tag.
fn guess(lexicon: &Lexicon, shape: &WordShape) -> u32 {
    let lengths = (0..=LONGEST_ENDING).rev();
    lengths
        .filter_map(|length| lexicon.find(ending_key(shape, length)?))
        .next()
        .unwrap_or(0)
}

/// The key of the last `length` characters of a word; none where it is shorter.
fn ending_key(shape: &WordShape, length: usize) -> Option<u64> {
    Some(hash::pair(
        ENDING + length as u64,
        shape.kind,
        shape.suffix(length)?,
    ))
}

/// What is known of words.
#[derive(Clone, Copy)]
struct Knowledge<'a> {
    lexicon: &'a Lexicon,
    dictionary: &'a Lexicon,
    classes: &'a WordClasses,
}

/// A word, its lists in the lexicon and the dictionary, and its classes, as features.
#[derive(Clone, Copy, Debug, Default)]
struct Form {
    shape: WordShape,
    list: u64,
    entry: u64,
    classes: [u64; LISTS],
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
        }
    }
}

/// Buffers for tagging, one per thread.
#[derive(Debug)]
pub struct PosScratch {
    lattice: Lattice,
    decoder: Decoder<i32>,
    extractor: Extractor,
    tags: Vec<u16>,
    network: network::Scratch,
}

impl PosTagger {
    /// Buffers for [`PosTagger::tag`].
    pub fn scratch(&self) -> PosScratch {
        PosScratch {
            lattice: Lattice::default(),
            decoder: Decoder::new(self.beam),
            extractor: Extractor::default(),
            tags: Vec::new(),
            network: network::Scratch::default(),
        }
    }

    /// Writes UPOS, XPOS and FEATS of every word; with `keep`, only of words without UPOS.
    pub fn tag(&self, sentence: &mut Sentence, keep: bool, scratch: &mut PosScratch) {
        let PosScratch {
            lattice,
            decoder,
            extractor,
            tags,
            network,
        } = scratch;
        extractor.fill(&sentence.words, &self.knowledge(), TARGET, lattice);
        self.ask_network(extractor, network, lattice);
        decoder.decode(lattice, &self.weights, tags);
        for (word, &tag) in sentence.words.iter_mut().zip(tags.iter()) {
            if keep && !word.upos.is_empty() {
                continue;
            }
            let tag = &self.tags[usize::from(tag)];
            word.upos.clone_from(&tag.upos);
            word.xpos.clone_from(&tag.xpos);
            word.feats.clone_from(&tag.feats);
        }
    }

    /// Adds what the network thinks of the candidates.
    fn ask_network(
        &self,
        extractor: &Extractor,
        scratch: &mut network::Scratch,
        lattice: &mut Lattice,
    ) {
        let Some(network) = &self.network else {
            return;
        };
        network.read(extractor.shapes(), scratch);
        let [upos, xpos, _] = self.labels.sizes();
        let mut looked = usize::MAX;
        lattice.ask(|at, tag| {
            if at != looked {
                network.look(at, scratch);
                looked = at;
            }
            let [u, x, f] = self.labels.of_tags[usize::from(tag)].map(usize::from);
            let scores = [u, upos + x, upos + xpos + f].map(|label| network.score(label, scratch));
            self.trust * scores.iter().sum::<f32>()
        });
    }

    fn knowledge(&self) -> Knowledge<'_> {
        Knowledge {
            lexicon: &self.lexicon,
            dictionary: &self.dictionary,
            classes: &self.classes,
        }
    }

    /// The model file section of the tagger.
    pub fn to_section(&self) -> Section {
        let mut section = Section::default();
        let line = |t: &Tag| format!("{}\t{}\t{}", t.upos, t.xpos, t.feats);
        section.save_strings("tags", &self.tags.iter().map(line).collect::<Vec<_>>());
        section
            .tensors
            .insert("beam".to_owned(), Tensor::from_u32(&[self.beam as u32]));
        self.lexicon.save(&mut section, "lexicon");
        self.dictionary.save(&mut section, "dictionary");
        self.classes.save(&mut section);
        self.weights.save(&mut section, "weights");
        if let Some(network) = &self.network {
            network.save(&mut section);
            let trust = Tensor::from_f32(&[self.trust]);
            section.tensors.insert("trust".to_owned(), trust);
        }
        section
    }

    /// Reads a tagger from its section.
    ///
    /// # Errors
    /// A tensor is missing or does not fit the others.
    pub fn from_section(section: &Section) -> Result<PosTagger, ModelError> {
        let lines = section.strings("tags")?;
        let tags: Vec<Tag> = lines.iter().map(|line| parse_tag(line)).collect();
        let lexicon = Lexicon::load(section, "lexicon", tags.len())?;
        let dictionary = Lexicon::load(section, "dictionary", usize::from(u16::MAX))?;
        let beam = section
            .u32s("beam")?
            .first()
            .map_or(4, |b| (*b).clamp(1, 64)) as usize;
        let weights = Weights::load(section, "weights")?;
        let labels = Labels::new(&tags);
        let network = Network::load(section, &labels.sizes())?;
        let trust = match network {
            Some(_) => section.f32s("trust")?.first().copied().unwrap_or(1.0),
            None => 0.0,
        };
        Ok(PosTagger {
            tags,
            lexicon,
            dictionary,
            classes: WordClasses::load(section)?,
            weights,
            beam,
            network,
            trust,
            labels,
        })
    }
}

fn parse_tag(line: &str) -> Tag {
    let mut columns = line.split('\t').map(CompactString::from);
    let mut next = || columns.next().unwrap_or_default();
    Tag {
        upos: next(),
        xpos: next(),
        feats: next(),
    }
}

/// Fills lattices; keeps its buffers between sentences.
#[derive(Clone, Debug, Default)]
struct Extractor {
    forms: Vec<Form>,
    lower: String,
    unary: Vec<u64>,
    candidates: Vec<u16>,
    /// How many lists of word classes there are.
    lists: usize,
}

/// Appends the tags that are not there yet.
fn merge(tags: &mut Vec<u16>, more: &[u16]) {
    for tag in more {
        if !tags.contains(tag) {
            tags.push(*tag);
        }
    }
}

/// Forms of context on either side.
const PADDING: usize = 2;

impl Extractor {
    /// What the words of the sentence look like.
    fn shapes(&self) -> impl ExactSizeIterator<Item = &WordShape> {
        let words = &self.forms[PADDING..self.forms.len() - PADDING];
        words.iter().map(|form| &form.shape)
    }

    fn fill(&mut self, words: &[Word], known: &Knowledge, source: u64, lattice: &mut Lattice) {
        self.lists = known.classes.lists();
        self.read_forms(words, known);
        lattice.clear();
        for i in 0..words.len() {
            self.add_candidates(i + PADDING, known.lexicon);
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
        self.forms.extend([Form::outside(1), Form::outside(2)]);
        for word in words {
            let shape = WordShape::new(&word.form, &mut self.lower);
            let listed = lexicon
                .find(shape.exact)
                .or_else(|| lexicon.find(shape.lower));
            let list = u64::from(listed.unwrap_or_else(|| guess(lexicon, &shape))) + 1;
            let entry = dictionary
                .find(shape.lower)
                .map_or(0, |number| u64::from(number) + 1);
            self.forms.push(Form {
                shape,
                list,
                entry,
                classes: known.classes.of(&shape),
            });
        }
        self.forms.extend([Form::outside(3), Form::outside(4)]);
    }

    /// The tags a form may have: those it was seen with; what its lower-cased form was seen with and what its ending
    /// suggests, when it was not seen itself.
    fn add_candidates(&mut self, i: usize, lexicon: &Lexicon) {
        let form = &self.forms[i].shape;
        self.candidates.clear();
        if let Some(list) = lexicon.find(form.exact) {
            self.candidates.extend_from_slice(lexicon.list(list));
            return;
        }
        let mut add = |list| merge(&mut self.candidates, lexicon.list(list));
        lexicon.find(form.lower).map(&mut add);
        add(guess(lexicon, form));
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
            let [left_classes, classes, right_classes] =
                [i - 1, i, i + 1].map(|at| self.forms[at].classes);
            for k in 0..self.lists {
                let seed = 110 + 10 * k as u64;
                unary.extend([
                    hash::pair(seed, classes[k], here.kind),
                    hash::pair(seed + 1, left_classes[k], 0),
                    hash::pair(seed + 2, right_classes[k], 0),
                    hash::pair(seed + 3, left_classes[k], classes[k]),
                    hash::pair(seed + 4, classes[k], right_classes[k]),
                    hash::pair(seed + 5, left_classes[k], right_classes[k]),
                    hash::pair(seed + 6, right_classes[k], list),
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
        ];
        let second = [hash::pair(70, 0, 0), hash::pair(71, here.lower, 0)];
        lattice.push(unary, &first, &second, &self.candidates);
    }
}
