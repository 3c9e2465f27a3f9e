//! How a translator is trained: the flags, and what they come to.
//!
//! What no flag says follows from the number of pairs. A run's folder keeps both, so that `--resume` needs no flags; those
//! that are given again change the training from there on, and must not change the model.

use super::data::PairFiles;
use crate::stream::Failure;
use crate::values::{not_negative, number, positive, share, time};
use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;
use wordmill::nn::plan::Plan;
use wordmill::nn::schedule::{Decay, Schedule};
use wordmill::translate::architecture::Recipe;
use wordmill::translate::filter::Limits;
use wordmill::translate::order::Budget;

/// Flags for how it is trained.
#[derive(clap::Args, Clone, Debug, Default)]
#[command(next_help_heading = "Training")]
pub struct PlanArgs {
    /// Highest learning rate [default: by the data]
    #[arg(long, value_name = "RATE", value_parser = positive)]
    lr: Option<f32>,
    /// Steps until it is reached [default: by the data]
    #[arg(long, value_name = "STEPS")]
    warmup: Option<u64>,
    /// How it goes on from there [default: inverse-sqrt]
    #[arg(long, value_enum)]
    schedule: Option<ScheduleName>,
    /// Share of values that are dropped in training [default: by the data]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    dropout: Option<f32>,
    /// Steps until so much is dropped, from nothing on [default: by the data]
    #[arg(long, value_name = "STEPS")]
    dropout_ramp: Option<u64>,
    /// Share of probability that is spread over all words in training [default: 0.1]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    label_smoothing: Option<f32>,
    /// Rows × the longer of source and target, of a batch [default: 4096; 1024 for characters in seq2seq]
    #[arg(long, value_name = "TOKENS", value_parser = clap::value_parser!(u32).range(1..))]
    batch_tokens: Option<u32>,
    /// Batches of one update [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    accumulate: Option<u32>,
    /// Longest gradient; longer ones are shortened to it; 0 leaves them [default: 1]
    #[arg(long, value_name = "LENGTH", value_parser = not_negative)]
    clip: Option<f32>,
    /// Weight decay [default: 0]
    #[arg(long, value_name = "SHARE", value_parser = not_negative)]
    weight_decay: Option<f32>,
    /// Keep an average of the weights, to translate with: share of the old one at each step; 0 keeps none [default: 0.999]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    ema: Option<f32>,
    /// Steps to train at most
    #[arg(long, value_name = "N")]
    max_steps: Option<u64>,
    /// How often to go over the pairs at most
    #[arg(long, value_name = "N")]
    epochs: Option<u64>,
    /// Time to train at most, evaluations left out, as in 90m, 2h, 30s
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub max_time: Option<Duration>,
    /// End after so many evaluations without a better one; 0 for no such end [default: 10]
    #[arg(long, value_name = "N")]
    patience: Option<u32>,
    /// What decides which evaluation is better [default: bleu]
    #[arg(long, value_enum)]
    metric: Option<MetricName>,
    /// Steps between evaluations [default: by the data]
    #[arg(long, value_name = "STEPS", value_parser = clap::value_parser!(u64).range(1..))]
    valid_every: Option<u64>,
    /// Steps between checkpoints [default: those of --valid-every]
    #[arg(long, value_name = "STEPS", value_parser = clap::value_parser!(u64).range(1..))]
    save_every: Option<u64>,
    /// Steps between reports [default: 50]
    #[arg(long, value_name = "STEPS", value_parser = clap::value_parser!(u64).range(1..))]
    log_every: Option<u64>,
    /// Checkpoints to keep, besides the best [default: 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    keep: Option<u32>,
    /// Drop pairs with a side of more tokens than that [default: 256]
    #[arg(long, value_name = "TOKENS", value_parser = clap::value_parser!(u32).range(1..=1023))]
    max_length: Option<u32>,
    /// Drop pairs with a side so many times as long as the other [default: none are dropped]
    #[arg(long, value_name = "TIMES", value_parser = ratio)]
    max_ratio: Option<f64>,
    /// Cut words in other ways each time they are seen, with this probability at every joint
    #[arg(long, value_name = "SHARE", value_parser = share)]
    bpe_dropout: Option<f32>,
    /// Seed of everything random [default: 1]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum ScheduleName {
    InverseSqrt,
    /// Down to 0 at --max-steps
    Cosine,
    Constant,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum MetricName {
    Bleu,
    Chrf,
    /// Share of lines that are the same
    Exact,
    Loss,
}

/// All that a run is trained with, as its folder keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    pub pairs: PairFiles,
    /// Source and target of the pairs to measure with, or a file with both; none when nothing is measured.
    pub valid: Vec<PathBuf>,
    /// The run whose weights this one began with.
    #[serde(default)]
    pub init: Option<PathBuf>,
    pub limits: Limits,
    pub bpe_dropout: f32,
    pub batch: Budget,
    pub label_smoothing: f32,
    /// Of the pairs, so that a run goes on over the same ones.
    pub fingerprint: u64,
    #[serde(flatten)]
    pub plan: Plan,
}

impl Settings {
    /// What is trained with when no flag says anything.
    pub fn of(recipe: &Recipe, pairs: PairFiles, valid: Vec<PathBuf>) -> Settings {
        Settings {
            pairs,
            valid,
            init: None,
            limits: Limits {
                longest: 256,
                ratio: None,
            },
            bpe_dropout: 0.0,
            batch: Budget::Tokens(recipe.batch_tokens),
            label_smoothing: 0.1,
            fingerprint: 0,
            plan: Plan {
                schedule: Schedule {
                    lr: recipe.lr,
                    warmup: recipe.warmup,
                    decay: Decay::InverseSqrt,
                    last: 0,
                },
                dropout: recipe.dropout,
                dropout_ramp: recipe.dropout_ramp,
                accumulate: 1,
                clip: 1.0,
                decay: 0.0,
                average: 0.999,
                seed: 1,
                max_steps: None,
                epochs: None,
                patience: 10,
                metric: "bleu".to_owned(),
                report_every: 50,
                evaluate_every: recipe.evaluate_every,
                save_every: recipe.evaluate_every,
                keep: 3,
            },
        }
    }
}

impl PlanArgs {
    /// Puts what the flags say in place of what is there.
    ///
    /// # Errors
    /// When flags do not go together.
    pub fn change(&self, settings: &mut Settings) -> Result<()> {
        fn set<T: Clone>(given: &Option<T>, value: &mut T) {
            if let Some(given) = given {
                *value = given.clone();
            }
        }
        let plan = &mut settings.plan;
        set(&self.lr, &mut plan.schedule.lr);
        set(&self.warmup, &mut plan.schedule.warmup);
        set(&self.dropout, &mut plan.dropout);
        set(&self.dropout_ramp, &mut plan.dropout_ramp);
        set(&self.clip, &mut plan.clip);
        set(&self.weight_decay, &mut plan.decay);
        set(&self.ema, &mut plan.average);
        set(&self.seed, &mut plan.seed);
        set(&self.patience, &mut plan.patience);
        set(&self.log_every, &mut plan.report_every);
        set(&self.valid_every, &mut plan.evaluate_every);
        set(&self.save_every.or(self.valid_every), &mut plan.save_every);
        set(&self.accumulate.map(|n| n as usize), &mut plan.accumulate);
        set(&self.keep.map(|n| n as usize), &mut plan.keep);
        set(&self.max_steps.map(Some), &mut plan.max_steps);
        set(&self.epochs.map(Some), &mut plan.epochs);
        if let Some(metric) = self.metric {
            let name = match metric {
                MetricName::Bleu => "bleu",
                MetricName::Chrf => "chrf",
                MetricName::Exact => "exact",
                MetricName::Loss => "loss",
            };
            plan.metric = name.to_owned();
        }
        if let Some(schedule) = self.schedule {
            plan.schedule.decay = match schedule {
                ScheduleName::InverseSqrt => Decay::InverseSqrt,
                ScheduleName::Cosine => Decay::Cosine,
                ScheduleName::Constant => Decay::Constant,
            };
        }
        plan.schedule.last = plan.max_steps.unwrap_or(0);
        if plan.schedule.decay == Decay::Cosine && plan.max_steps.is_none() {
            return Err(
                Failure::usage("--schedule cosine needs --max-steps, where it ends").into(),
            );
        }
        set(&self.label_smoothing, &mut settings.label_smoothing);
        set(&self.batch_tokens.map(Budget::Tokens), &mut settings.batch);
        set(&self.max_length, &mut settings.limits.longest);
        set(&self.max_ratio.map(Some), &mut settings.limits.ratio);
        set(&self.bpe_dropout, &mut settings.bpe_dropout);
        Ok(())
    }
}

fn ratio(text: &str) -> Result<f64, String> {
    number(text, |value| value >= 1.0, "1 or a number above it").map(f64::from)
}
