//! What `word2vec train` learns, and how: its flags, and what they come to.

use crate::stream::Failure;
use anyhow::{Result, bail};
use wordmill::embed::corpus::Corpus;
use wordmill::embed::phrases::Phrases;
use wordmill::embed::word2vec::options::{Model, Objective, Options};
use wordmill::embed::word2vec::subwords::Subwords;

/// Flags for what is learned and how.
#[derive(clap::Args, Clone)]
pub struct ChoiceArgs {
    /// What predicts what
    #[arg(long, value_enum, default_value = "skip-gram")]
    model: ModelName,
    /// How a prediction is scored [default: negative; hierarchical for skip-gram without n-grams of texts below 5 million
    /// words, unless --negative is given]
    #[arg(long, value_enum)]
    objective: Option<ObjectiveName>,
    /// Values of a vector
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    dim: u32,
    /// Words on each side that are learned from, at most
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    window: u32,
    /// Negatives to a word [default: 5]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    negative: Option<u32>,
    /// Thin out words more frequent than this share of the text; 0 keeps all
    #[arg(long, value_name = "SHARE", default_value_t = 1e-4, value_parser = share)]
    sample: f64,
    /// How often to go over the text [default: 5, and more for texts below 20 million words]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    epochs: Option<u32>,
    /// Learning rate at the beginning [default: 0.025; 0.05 for CBOW and with n-grams]
    #[arg(long, value_name = "RATE", value_parser = rate)]
    lr: Option<f32>,
    /// CBOW: move each of C neighbours by a C-th of the gradient of their mean, not by all of it; wants a larger --lr
    #[arg(long)]
    share_gradient: bool,
    /// Shortest character n-grams, if words are put together from them [default: 3 with --max-n]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=20))]
    min_n: Option<u8>,
    /// Longest character n-grams [default: 6 with --min-n]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=20))]
    max_n: Option<u8>,
    /// Rows that n-grams share
    #[arg(long, value_name = "N", default_value_t = 2_000_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000_000))]
    buckets: u32,
    /// Join words that stand together more often than chance, as in new_york, going over the text N times
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=10))]
    phrases: u32,
    /// Score above which words are joined
    #[arg(long, value_name = "SCORE", default_value_t = 100.0)]
    phrase_threshold: f64,
    /// Cut lines after so many words; nothing is dropped
    #[arg(long, value_name = "WORDS", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(2..))]
    max_sentence: u32,
    /// Seed of everything random
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, clap::ValueEnum)]
enum ModelName {
    /// Each neighbour predicts the word
    SkipGram,
    /// The mean of the neighbours predicts the word
    Cbow,
}

#[derive(Clone, Copy, Debug, PartialEq, clap::ValueEnum)]
enum ObjectiveName {
    /// Against words drawn at random
    Negative,
    /// Along the path to the word in a Huffman tree
    Hierarchical,
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("expected a number from 0 to 1".to_owned()),
    }
}

fn rate(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(rate) if rate > 0.0 && f32::is_finite(rate) => Ok(rate),
        _ => Err("expected a number above 0".to_owned()),
    }
}

impl ChoiceArgs {
    /// What a run over the corpus is to do.
    ///
    /// # Errors
    /// When n-grams have no length.
    pub fn options(&self, corpus: &Corpus) -> Result<Options> {
        let is_cbow = self.model == ModelName::Cbow;
        let subwords = self.subwords()?;
        let tokens = corpus.vocabulary.tokens();
        let has_pairs_of_words = !is_cbow && subwords.is_none();
        Ok(Options {
            model: if is_cbow {
                Model::Cbow
            } else {
                Model::SkipGram
            },
            objective: match self.objective {
                Some(ObjectiveName::Negative) => Objective::Negative,
                Some(ObjectiveName::Hierarchical) => Objective::Hierarchical,
                None if has_pairs_of_words && self.negative.is_none() => {
                    Objective::for_text(tokens)
                }
                None => Objective::Negative,
            },
            dim: self.dim as usize,
            window: self.window,
            negative: self.negative.unwrap_or(5) as usize,
            sample: self.sample,
            epochs: self.epochs.unwrap_or_else(|| Options::epochs_for(tokens)),
            rate: self
                .lr
                .unwrap_or(if has_pairs_of_words { 0.025 } else { 0.05 }),
            shares_gradient: self.share_gradient,
            subwords,
            max_sentence: self.max_sentence as usize,
            seed: self.seed,
        })
    }

    /// Phrases to be joined, if any: a pair must be seen more than `min_count` times, and so must its words.
    pub fn phrases(&self, min_count: u64) -> Option<Phrases> {
        (self.phrases > 0).then_some(Phrases {
            passes: self.phrases,
            threshold: self.phrase_threshold,
            min_count,
            discount: min_count,
        })
    }

    /// N-grams that words are put together from, if any.
    ///
    /// # Errors
    /// When they have no length.
    pub fn subwords(&self) -> Result<Option<Subwords>> {
        if self.min_n.is_none() && self.max_n.is_none() {
            return Ok(None);
        }
        let (min_n, max_n) = (self.min_n.unwrap_or(3), self.max_n.unwrap_or(6));
        if min_n > max_n {
            bail!(Failure::usage(format!(
                "--min-n {min_n} is more than --max-n {max_n}"
            )));
        }
        Ok(Some(Subwords {
            min_n: usize::from(min_n),
            max_n: usize::from(max_n),
            buckets: self.buckets,
        }))
    }
}
