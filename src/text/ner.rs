//! Named entities: every word gets a label of the BIOES scheme, from a [`tagger`](super::tagger) over words, shapes and
//! parts of speech; runs of labels are written as `NER=B-PER`, `NER=I-PER` in MISC (IOB2).
//!
//! Features after Ratinov and Roth (2009), Design challenges and misconceptions in named entity recognition.

mod calibration;
pub mod train;

use super::document::{Sentence, Word};
use super::entity;
use super::hash;
use super::lexicon::Lexicon;
use super::model::{ModelError, Section, Tensor};
use super::tagger::marginals::Marginals;
use super::tagger::{Decoder, Lattice};
use super::weights::Weights;
use super::word_classes::{LISTS, WordClasses};
use super::word_shape::WordShape;
use calibration::Calibration;

/// Name of the layer in model files.
pub const LAYER: &str = "ner";

/// A trained recognizer. It wants words with UPOS and XPOS.
#[derive(Clone, Debug, PartialEq)]
pub struct EntityRecognizer {
    /// `O`, then `B-X`, `I-X`, `E-X`, `S-X` for each type.
    labels: Vec<Label>,
    /// Types that were learned to tell the others from them, and are not shown.
    hidden: Vec<String>,
    /// Which types the entities of the training data gave a form.
    names: Lexicon,
    classes: WordClasses,
    weights: Weights,
    beam: usize,
    calibration: Calibration,
}

/// A label of the BIOES scheme: begin, inside, end of an entity, a single word, or outside.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Label {
    position: char,
    entity: String,
}

impl Label {
    fn parse(label: &str) -> Label {
        match label.split_once('-') {
            Some((position, entity)) => Label {
                position: position.chars().next().unwrap_or('O'),
                entity: entity.to_owned(),
            },
            None => Label {
                position: 'O',
                entity: String::new(),
            },
        }
    }

    fn to_line(&self) -> String {
        if self.position == 'O' {
            "O".to_owned()
        } else {
            format!("{}-{}", self.position, self.entity)
        }
    }
}

/// The source of what is recognized: the first of the training data. Data of other sources follows other guidelines,
/// so some features are learned for each source apart (Daumé 2007, Frustratingly easy domain adaptation).
const TARGET: u64 = 0;

/// Seed of the keys of `names`.
const NAME: u64 = 301;

/// Buffers for recognizing, one per thread.
#[derive(Debug)]
pub struct NerScratch {
    lattice: Lattice,
    decoder: Decoder<i32>,
    extractor: Extractor,
    tags: Vec<u16>,
    marginals: Marginals,
}

impl EntityRecognizer {
    /// Buffers for [`EntityRecognizer::recognize`].
    pub fn scratch(&self) -> NerScratch {
        NerScratch {
            lattice: Lattice::default(),
            decoder: Decoder::new(self.beam),
            extractor: Extractor::new(self.labels.len()),
            tags: Vec::new(),
            marginals: Marginals::default(),
        }
    }

    /// Writes `NER=` into MISC of the words of entities, and takes it out of the others, with values and scores. With
    /// `scores` the first word of an entity gets `Score=`, the probability that it is one.
    pub fn recognize(&self, sentence: &mut Sentence, scores: bool, scratch: &mut NerScratch) {
        let NerScratch {
            lattice,
            decoder,
            extractor,
            tags,
            marginals,
        } = scratch;
        extractor.fill(
            &sentence.words,
            (&self.names, &self.classes),
            TARGET,
            lattice,
        );
        decoder.decode(lattice, &self.weights, tags);
        let mut last: Option<&Label> = None;
        for (word, &tag) in sentence.words.iter_mut().zip(tags.iter()) {
            let label = &self.labels[usize::from(tag)];
            word.misc.remove("Value");
            word.misc.remove("Score");
            if label.position == 'O' || self.hidden.contains(&label.entity) {
                word.misc.remove("NER");
                last = None;
                continue;
            }
            // The search may join labels that do not fit: an entity goes on only where both sides say so.
            let open =
                last.is_some_and(|l| l.entity == label.entity && matches!(l.position, 'B' | 'I'));
            let inside = open && matches!(label.position, 'I' | 'E');
            word.misc.set(
                "NER",
                &format!("{}-{}", if inside { 'I' } else { 'B' }, label.entity),
            );
            last = Some(label);
        }
        if scores && !entity::entities(sentence).is_empty() {
            lattice.fill(&self.weights, marginals);
            for entity in entity::entities(sentence) {
                let run = marginals.run(entity.words.start, &tags[entity.words.clone()]);
                let probability = self.calibration.of(run);
                let misc = &mut sentence.words[entity.words.start].misc;
                misc.set("Score", &format!("{probability:.3}"));
            }
        }
    }

    /// The types of entities it knows.
    pub fn types(&self) -> Vec<&str> {
        let mut types: Vec<&str> = self
            .labels
            .iter()
            .filter(|l| l.position != 'O')
            .map(|l| l.entity.as_str())
            .collect();
        types.dedup();
        types
    }

    /// The model file section of the recognizer.
    pub fn to_section(&self) -> Section {
        let mut section = Section::default();
        section.save_strings(
            "labels",
            &self.labels.iter().map(Label::to_line).collect::<Vec<_>>(),
        );
        section.save_strings("hidden", &self.hidden);
        section
            .tensors
            .insert("beam".to_owned(), Tensor::from_u32(&[self.beam as u32]));
        self.names.save(&mut section, "names");
        self.classes.save(&mut section);
        self.weights.save(&mut section, "weights");
        if self.calibration != Calibration::NONE {
            let Calibration { slope, offset } = self.calibration;
            let tensor = Tensor::from_f32(&[slope, offset]);
            section.tensors.insert("calibration".to_owned(), tensor);
        }
        section
    }

    /// Reads a recognizer from its section.
    ///
    /// # Errors
    /// A tensor is missing or does not fit the others.
    pub fn from_section(section: &Section) -> Result<EntityRecognizer, ModelError> {
        let labels: Vec<Label> = section
            .strings("labels")?
            .iter()
            .map(|l| Label::parse(l))
            .collect();
        if labels.is_empty() {
            return Err(ModelError::Shape {
                tensor: "labels".to_owned(),
                found: 0,
            });
        }
        let names = Lexicon::load(section, "names", usize::from(u16::MAX))?;
        let beam = section
            .u32s("beam")?
            .first()
            .map_or(4, |b| (*b).clamp(1, 64)) as usize;
        Ok(EntityRecognizer {
            labels,
            hidden: section.strings("hidden")?,
            names,
            classes: WordClasses::load(section)?,
            weights: Weights::load(section, "weights")?,
            beam,
            calibration: match section.tensors.contains_key("calibration") {
                true => match section.f32s("calibration")?[..] {
                    [slope, offset] => Calibration { slope, offset },
                    ref other => {
                        return Err(ModelError::Shape {
                            tensor: "calibration".to_owned(),
                            found: other.len(),
                        });
                    }
                },
                false => Calibration::NONE,
            },
        })
    }
}

/// What the features see of a word.
#[derive(Clone, Copy, Debug)]
struct View {
    shape: WordShape,
    tag: u64,
    /// The entity types its form had in training, as a feature.
    name: u64,
    classes: [u64; LISTS],
}

impl View {
    fn outside(number: u64) -> View {
        let shape = WordShape::outside(number);
        View {
            shape,
            tag: shape.lower,
            name: 0,
            classes: [shape.lower; LISTS],
        }
    }
}

/// The types of a name as a feature.
fn types_feature(types: &[u16]) -> u64 {
    types.iter().fold(1, |feature, t| feature | 2 << (t % 62))
}

/// Words of context on either side.
const PADDING: usize = 2;

/// Fills lattices; keeps its buffers between sentences.
#[derive(Clone, Debug)]
struct Extractor {
    views: Vec<View>,
    lower: String,
    features: Vec<u64>,
    /// Every label, for every word.
    candidates: Vec<u16>,
    /// How many lists of word classes there are.
    lists: usize,
}

impl Extractor {
    fn new(labels: usize) -> Extractor {
        let candidates = (0..labels as u16).collect();
        Extractor {
            views: Vec::new(),
            lower: String::new(),
            features: Vec::new(),
            candidates,
            lists: 0,
        }
    }

    fn fill(
        &mut self,
        words: &[Word],
        (names, classes): (&Lexicon, &WordClasses),
        source: u64,
        lattice: &mut Lattice,
    ) {
        self.lists = classes.lists();
        self.views.clear();
        self.views.extend([View::outside(1), View::outside(2)]);
        for word in words {
            let shape = WordShape::new(&word.form, &mut self.lower);
            self.views.push(View {
                shape,
                classes: classes.of(&shape),
                tag: hash::pair(
                    22,
                    hash::bytes(1, word.upos.as_bytes()),
                    hash::bytes(2, word.xpos.as_bytes()),
                ),
                name: names
                    .find(hash::pair(NAME, shape.lower, 0))
                    .map_or(0, |n| types_feature(names.list(n))),
            });
        }
        self.views.extend([View::outside(3), View::outside(4)]);
        lattice.clear();
        for i in PADDING..words.len() + PADDING {
            self.add_features(i, source);
            let (view, right) = (&self.views[i], &self.views[i + 1]);
            let first = [
                hash::pair(60, 0, 0),
                hash::pair(61, view.shape.lower, 0),
                hash::pair(62, view.shape.shape, 0),
                hash::pair(63, view.tag, right.tag),
            ];
            lattice.push(&self.features, &first, &[], &self.candidates);
        }
    }

    fn add_features(&mut self, i: usize, source: u64) {
        let [far_left, left, here, right, far_right] =
            [i - 2, i - 1, i, i + 1, i + 2].map(|at| &self.views[at]);
        let features = &mut self.features;
        features.clear();
        let s = &here.shape;
        features.extend([
            hash::pair(1, 0, 0),
            hash::pair(2, s.exact, 0),
            hash::pair(3, s.lower, 0),
            hash::pair(4, s.shape, u64::from(i == PADDING)),
            hash::pair(5, s.shape, s.suffixes[2]),
            hash::pair(6, here.tag, 0),
            hash::pair(7, here.tag, s.shape),
            hash::pair(8, here.name, s.kind),
            hash::pair(9, left.shape.lower, s.lower),
            hash::pair(10, s.lower, right.shape.lower),
            hash::pair(11, left.shape.lower, s.shape),
            hash::pair(12, right.shape.lower, s.shape),
            hash::pair(13, left.tag, here.tag),
            hash::pair(14, here.tag, right.tag),
            hash::pair(15, left.shape.shape, s.shape),
            hash::pair(16, s.shape, right.shape.shape),
            hash::pair(17, left.name, here.name),
            hash::pair(18, here.name, right.name),
            hash::pair(19, left.shape.lower, right.shape.lower),
            hash::pair(20, far_left.shape.lower, left.shape.lower),
            hash::pair(21, right.shape.lower, far_right.shape.lower),
        ]);
        for (k, view) in [far_left, left, right, far_right].into_iter().enumerate() {
            let k = 4 * k as u64;
            features.extend([
                hash::pair(80 + k, view.shape.lower, 0),
                hash::pair(81 + k, view.shape.shape, 0),
                hash::pair(82 + k, view.tag, 0),
                hash::pair(83 + k, view.name, s.kind),
            ]);
        }
        for k in 0..self.lists {
            let seed = 110 + 20 * k as u64;
            let [c_far_left, c_left, c, c_right, c_far_right] =
                [far_left, left, here, right, far_right].map(|view| view.classes[k]);
            features.extend([
                hash::pair(seed, c, 0),
                hash::pair(seed + 1, c, s.shape),
                hash::pair(seed + 2, c_left, s.kind),
                hash::pair(seed + 3, c_right, s.kind),
                hash::pair(seed + 4, c_far_left, 0),
                hash::pair(seed + 5, c_far_right, 0),
                hash::pair(seed + 6, c_left, c),
                hash::pair(seed + 7, c, c_right),
                hash::pair(seed + 8, c_left, c_right),
            ]);
        }
        let source = |seed: u64, value| hash::pair(seed, value, source);
        features.extend([
            source(100, 0),
            source(101, s.kind),
            source(102, here.tag),
            source(103, hash::pair(1, here.name, s.kind)),
            source(104, s.lower),
            source(105, s.shape),
            source(106, left.shape.lower),
        ]);
        for (k, affix) in s.suffixes[1..]
            .iter()
            .chain(&s.prefixes[1..])
            .enumerate()
            .filter(|a| *a.1 != 0)
        {
            features.push(hash::pair(30 + k as u64, *affix, s.kind));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_read_as_they_are_written() {
        for line in ["O", "B-PER", "S-creative-work"] {
            assert_eq!(Label::parse(line).to_line(), line);
        }
    }
}
