//! Trains a [`PosTagger`] from annotated sentences.

use super::{
    Extractor, Inflection, Knowledge, Labels, PosTagger, Tag, ending_key, guess, lemma_key, merge,
};
use crate::text::document::{Sentence, Word};
use crate::text::hash;
use crate::text::inflection::is_rich;
use crate::text::lexicon::{Lexicon, LexiconBuilder, by_frequency};
use crate::text::network;
use crate::text::tagger::{Lattice, train::Perceptron};
use crate::text::weights::Weights;
use crate::text::word_classes::WordClasses;
use crate::text::word_shape::{self, WordShape};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// How a tagger is trained.
#[derive(Clone, Debug)]
pub struct Options {
    pub epochs: u32,
    pub beam: usize,
    /// The weight table has 2^bits entries.
    pub bits: u32,
    /// Entries changed fewer times are left out.
    pub min_changes: u8,
    /// Of the network, if there are vectors for one.
    pub network: network::train::Options,
    /// What the network's scores are worth beside those of the perceptron.
    pub trust: f32,
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            epochs: 10,
            beam: 4,
            bits: 22,
            min_changes: 2,
            network: network::train::Options::default(),
            trust: TRUST,
            seed: 1,
        }
    }
}

impl Options {
    /// The defaults for data of this many words. Of millions of words more weights are worth keeping, and fewer rounds
    /// are enough: on held-back documents of EWT, learned from beside 6.5 million words that a teacher had tagged, UPOS
    /// was 97.20 after 4 epochs; with 2.4 million words it was 97.00 with a table of 2^22 weights and 97.11 with 2^23.
    pub fn for_words(words: usize) -> Options {
        let options = Options {
            network: network::train::Options::for_words(words),
            ..Options::default()
        };
        if words < MANY_WORDS {
            return options;
        }
        Options {
            epochs: 4,
            bits: 23,
            min_changes: 5,
            ..options
        }
    }
}

const MANY_WORDS: usize = 1_000_000;

/// Chosen on held-back training documents.
const TRUST: f32 = 7.0;

/// A form seen this often has only the tags it was seen with; rarer ones also what their ending suggests.
const KNOWN: u32 = 5;
/// Forms up to this often teach what endings mean.
const RARE: u32 = 10;
/// A tag that a form has more rarely than this is a slip.
const FORM_SHARE: f32 = 0.003;
/// An ending says something from this many rare words on.
const ENDING_COUNT: u32 = 8;
/// An ending's tags are listed down to this share.
const ENDING_SHARE: f32 = 0.004;

/// What is known of words before anything is learned.
pub struct Known<'a> {
    pub dictionary: &'a [Word],
    pub classes: WordClasses,
    /// With them a network learns too.
    pub vectors: Option<network::vectors::Vectors>,
}

/// What training tells.
#[derive(Clone, Copy, Debug)]
pub enum Report {
    /// The network went over the data for the n-th time, from 0 on, with this loss for each word.
    Network { epoch: u32, loss: f32 },
    /// The perceptron did, and got this share of the sentences right.
    Perceptron { epoch: u32, right: f32 },
}

/// Trains on sentences from several sources, the first being the one that later text is taken to resemble.
pub fn train(
    sources: &[Vec<&Sentence>],
    known: Known,
    options: &Options,
    mut report: impl FnMut(Report),
) -> PosTagger {
    let Known {
        dictionary,
        classes,
        vectors,
    } = known;
    let (sentences, source) = flatten(sources);
    let (tags, ids) = joint_tags(&sentences);
    let labels = Labels::new(&tags);
    let inflection = Inflection::new(is_rich(&sentences), &tags);
    let network = vectors.map(|vectors| {
        let examples: Vec<_> = (sentences.iter().zip(&source))
            .map(|(sentence, source)| example(sentence, *source, &labels))
            .collect();
        let sizes = labels.sizes();
        let heads = (&sizes[..], sources.len());
        network::train::train(
            &examples,
            vectors,
            heads,
            &options.network,
            |epoch, loss| {
                report(Report::Network { epoch, loss });
            },
        )
    });
    let lexicon = build_lexicon(&sentences, &ids, &inflection);
    let dictionary = build_dictionary(dictionary);
    let lemmas = inflection.rich.then(|| build_lemmas(&sentences));
    let known = Knowledge {
        lemmas: lemmas.as_ref(),
        lexicon: &lexicon,
        dictionary: &dictionary,
        classes: &classes,
        longest_ending: inflection.longest_ending(),
    };
    let beam = inflection.beam(options.beam);
    let mut perceptron = Perceptron::new(options.bits, beam);
    let mut order: Vec<usize> = (0..sentences.len()).collect();
    let mut lattice = Lattice::with_aspects(&inflection.aspects);
    let mut extractor = Extractor::default();
    let mut gold = Vec::new();
    for epoch in 0..options.epochs {
        shuffle(&mut order, options.seed.wrapping_add(u64::from(epoch)));
        let mut right = 0;
        for &s in &order {
            extractor.fill(&sentences[s].words, &known, source[s], &mut lattice);
            gold.clear();
            gold.extend(sentences[s].words.iter().map(|w| ids[&Tag::of(w)]));
            for (i, &tag) in gold.iter().enumerate() {
                lattice.allow(i, tag);
            }
            right += u32::from(perceptron.learn(&lattice, &gold));
        }
        let right = right as f32 / order.len() as f32;
        report(Report::Perceptron { epoch, right });
    }
    let weights = Weights::quantize(
        &perceptron.averaged(inflection.min_changes(options.min_changes)),
        8.0,
    );
    PosTagger {
        tags,
        lexicon,
        dictionary,
        classes,
        lemmas,
        weights,
        beam,
        network,
        trust: options.trust,
        labels,
        inflection,
        truecaser: None,
    }
}

/// A sentence for the network.
fn example(sentence: &Sentence, source: u64, labels: &Labels) -> network::train::Example {
    let mut scratch = String::new();
    let words = &sentence.words;
    let of_word = |word: &Word| labels.of(&Tag::of(word));
    network::train::Example {
        labels: words.iter().flat_map(of_word).collect(),
        words: (words.iter().map(|w| WordShape::new(&w.form, &mut scratch))).collect(),
        source: source as usize,
    }
}

/// The sentences of all sources, and the number of the source of each.
pub fn flatten<'a>(sources: &[Vec<&'a Sentence>]) -> (Vec<&'a Sentence>, Vec<u64>) {
    let numbered = sources
        .iter()
        .zip(0..)
        .flat_map(|(source, n)| source.iter().map(move |s| (*s, n)));
    numbered.unzip()
}

/// The classes (UPOS and XPOS) that a dictionary lists for each form.
fn build_dictionary(words: &[Word]) -> Lexicon {
    let mut classes: BTreeMap<(&str, &str), u16> = BTreeMap::new();
    let mut forms: BTreeMap<u64, BTreeSet<u16>> = BTreeMap::new();
    let mut scratch = String::new();
    for word in words {
        let next = classes.len() as u16;
        let class = *classes.entry((&word.upos, &word.xpos)).or_insert(next);
        forms
            .entry(WordShape::new(&word.form, &mut scratch).lower)
            .or_default()
            .insert(class);
    }
    let mut builder = LexiconBuilder::default();
    forms
        .into_iter()
        .for_each(|(key, classes)| builder.insert(key, classes.into_iter().collect()));
    builder.build()
}

/// The UPOS of lemmas that are known from two forms at least: of one that is known from a single form, what stands behind
/// it would be known by heart.
fn build_lemmas(sentences: &[&Sentence]) -> Lexicon {
    let mut forms: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut upos: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let lowered = |text: &str| {
        let mut lower = String::new();
        word_shape::lower_into(text, &mut lower);
        lower
    };
    for word in sentences.iter().flat_map(|s| &s.words) {
        let lemma = lowered(&word.lemma);
        let known = forms.entry(lemma.clone()).or_default();
        known.insert(lowered(&word.form));
        upos.entry(lemma).or_default().insert(&word.upos);
    }
    let mut numbers: BTreeMap<&str, u16> = BTreeMap::new();
    let mut builder = LexiconBuilder::default();
    for (lemma, upos) in &upos {
        if !lemma.is_empty() && forms[lemma].len() > 1 {
            let mut list = Vec::new();
            for &upos in upos {
                let next = numbers.len() as u16;
                list.push(*numbers.entry(upos).or_insert(next));
            }
            builder.insert(lemma_key(lemma), list);
        }
    }
    builder.build()
}

/// The tags of the data, the most frequent first.
fn joint_tags(sentences: &[&Sentence]) -> (Vec<Tag>, HashMap<Tag, u16>) {
    let mut counts: BTreeMap<Tag, u32> = BTreeMap::new();
    for word in sentences.iter().flat_map(|s| &s.words) {
        *counts.entry(Tag::of(word)).or_default() += 1;
    }
    let mut sorted: Vec<(Tag, u32)> = counts.into_iter().collect();
    sorted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let tags: Vec<Tag> = sorted.into_iter().map(|(tag, _)| tag).collect();
    let ids = tags
        .iter()
        .enumerate()
        .map(|(i, tag)| (tag.clone(), i as u16))
        .collect();
    (tags, ids)
}

type Counts = BTreeMap<u16, u32>;

fn build_lexicon(
    sentences: &[&Sentence],
    ids: &HashMap<Tag, u16>,
    inflection: &Inflection,
) -> Lexicon {
    let longest = inflection.longest_ending();
    let mut exact: BTreeMap<&str, Counts> = BTreeMap::new();
    let mut lower: BTreeMap<u64, Counts> = BTreeMap::new();
    let mut scratch = String::new();
    for word in sentences.iter().flat_map(|s| &s.words) {
        let tag = ids[&Tag::of(word)];
        *exact.entry(&word.form).or_default().entry(tag).or_default() += 1;
        let key = WordShape::new(&word.form, &mut scratch).lower;
        *lower.entry(key).or_default().entry(tag).or_default() += 1;
    }
    let mut endings = LexiconBuilder::default();
    endings.insert(0, vec![0]);
    for (key, counts) in ending_counts(&exact, longest) {
        let total: u32 = counts.values().sum();
        let enough = counts
            .into_iter()
            .filter(|c| c.1 as f32 >= ENDING_SHARE * total as f32);
        endings.insert(key, by_frequency(enough, inflection.ending_tags()));
    }
    let guesses = endings.clone().build();
    let mut all = endings;
    for (key, counts) in lower {
        all.insert(key, by_frequency(without_slips(counts), usize::MAX));
    }
    for (form, counts) in &exact {
        let mut list = by_frequency(without_slips(counts.clone()), usize::MAX);
        let shape = WordShape::new(form, &mut scratch);
        if counts.values().sum::<u32>() < KNOWN {
            merge(&mut list, all.get(shape.lower).unwrap_or_default());
            merge(&mut list, guesses.list(guess(&guesses, &shape, longest)));
        }
        all.insert(shape.exact, list);
    }
    all.build()
}

/// Tags of a form but for those of less than [`FORM_SHARE`] of its words.
fn without_slips(mut counts: Counts) -> Counts {
    let least = FORM_SHARE * counts.values().sum::<u32>() as f32;
    counts.retain(|_, count| *count as f32 >= least);
    counts
}

/// Tags of rare words by ending and kind.
fn ending_counts(exact: &BTreeMap<&str, Counts>, longest: usize) -> BTreeMap<u64, Counts> {
    let mut endings: BTreeMap<u64, Counts> = BTreeMap::new();
    let mut scratch = String::new();
    for (form, counts) in exact {
        if counts.values().sum::<u32>() > RARE {
            continue;
        }
        let features = WordShape::new(form, &mut scratch);
        let keys: HashSet<u64> = (0..=longest)
            .filter_map(|n| ending_key(&features, n))
            .collect();
        for key in keys {
            let entry = endings.entry(key).or_default();
            for (&tag, &count) in counts {
                *entry.entry(tag).or_default() += count.min(3);
            }
        }
    }
    endings.retain(|_, counts| counts.values().sum::<u32>() >= ENDING_COUNT);
    endings
}

/// A seeded Fisher–Yates shuffle.
pub fn shuffle<T>(items: &mut [T], seed: u64) {
    for i in (1..items.len()).rev() {
        let random = hash::pair(seed, i as u64, 0x5eed);
        items.swap(i, (random % (i as u64 + 1)) as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_seen_once_in_a_thousand_is_a_slip() {
        let counts = |of_first, of_second| Counts::from([(1, of_first), (2, of_second)]);
        assert_eq!(without_slips(counts(999, 1)), Counts::from([(1, 999)]));
        assert_eq!(without_slips(counts(997, 3)), counts(997, 3));
        assert_eq!(without_slips(counts(9, 1)), counts(9, 1));
    }

    #[test]
    fn of_millions_of_words_more_weights_are_kept() {
        let (few, many) = (Options::for_words(300_000), Options::for_words(3_000_000));
        assert_eq!((few.epochs, few.bits, few.min_changes), (10, 22, 2));
        assert_eq!((many.epochs, many.bits, many.min_changes), (4, 23, 5));
    }
}
