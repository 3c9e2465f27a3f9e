//! Part-of-speech tagging: UPOS, XPOS and FEATS together, as one of the joint tags seen in training.
//!
//! A lexicon gives each known form the tags it was seen with, suffixes give unknown forms theirs; a
//! [`tagger`](super::tagger) chooses between them in context.

mod features;
mod inflection;
pub mod train;

use super::document::{Sentence, Word};
use super::lexicon::Lexicon;
use super::model::{ModelError, Section, Tensor};
use super::network::{self, Network, train::NO_LABEL};
use super::tagger::{Decoder, Lattice};
use super::truecase::Truecaser;
use super::weights::Weights;
use super::word_classes::WordClasses;
use compact_str::CompactString;
use features::{Extractor, Knowledge, ending_key, guess, lemma_key, merge};
use inflection::Inflection;
use serde_json::{Value, json};
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
    /// The UPOS of lemmas, if the language is rich in forms.
    lemmas: Option<Lexicon>,
    weights: Weights,
    beam: usize,
    /// A second opinion, and what it is worth.
    network: Option<Network>,
    trust: f32,
    labels: Labels,
    inflection: Inflection,
    /// For sentences without case; [`Pipeline`](super::pipeline::Pipeline) restores them for all layers.
    pub truecaser: Option<Truecaser>,
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
            lattice: Lattice::with_aspects(&self.inflection.aspects),
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
            longest_ending: self.inflection.longest_ending(),
            lemmas: self.lemmas.as_ref(),
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
        if let Some(lemmas) = &self.lemmas {
            lemmas.save(&mut section, "lemmas");
        }
        if let Some(truecaser) = &self.truecaser {
            truecaser.save(&mut section);
        }
        if self.inflection.rich {
            section.meta.insert("rich".to_owned(), json!(true));
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
        let rich = section.meta.get("rich").and_then(Value::as_bool) == Some(true);
        let inflection = Inflection::new(rich, &tags);
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
            lemmas: match rich {
                true => Some(Lexicon::load(section, "lemmas", usize::from(u16::MAX))?),
                false => None,
            },
            weights,
            beam,
            network,
            trust,
            labels,
            inflection,
            truecaser: Truecaser::load(section)?,
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
