//! The flags of `transformer train`, and what they come to: the shape of the model, and how it is trained.
//!
//! What no flag says follows from the number of pairs. A run's folder keeps both, so that `--resume` needs no flags; those
//! that are given again change the training from there on, and must not change the model.

use super::data::PairFiles;
use crate::stream::Failure;
use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;
use wordmill::nn::plan::Plan;
use wordmill::nn::schedule::{Decay, Schedule};
use wordmill::translate::filter::Limits;
use wordmill::translate::order::Budget;
use wordmill::translate::transformer::config::{Config, PositionKind, Preset, Recipe, Tied};

/// Flags for the shape of the model.
#[derive(clap::Args, Clone, Debug, Default)]
#[command(next_help_heading = "Model")]
pub struct ShapeArgs {
    /// Sizes that go together [default: by the number of pairs]
    #[arg(long, value_enum)]
    preset: Option<PresetName>,
    /// Values of a token between layers [default: by --preset]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=8192))]
    dim: Option<u16>,
    /// Layers of the encoder [default: by --preset]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    encoder_layers: Option<u8>,
    /// Layers of the decoder [default: by --preset]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    decoder_layers: Option<u8>,
    /// Heads of attention [default: by --preset]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=128))]
    heads: Option<u8>,
    /// Values inside a feed-forward layer [default: by --preset]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=32768))]
    ffn: Option<u16>,
    /// Normalise after each sublayer or before it [default: post]
    #[arg(long, value_enum)]
    norm: Option<NormName>,
    /// How the model knows where a token stands [default: sinusoidal]
    #[arg(long, value_enum)]
    positions: Option<PositionName>,
    /// Which tables of words are one [default: all; target with --separate-vocabularies]
    #[arg(long, value_enum)]
    tied: Option<TiedName>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum PresetName {
    /// 128 values, 4 + 4 layers, 4 heads, 256 inside
    Tiny,
    /// 256 values, 3 + 3 layers, 4 heads, 1024 inside
    Small,
    /// 512 values, 6 + 6 layers, 8 heads, 2048 inside
    Base,
    /// 1024 values, 6 + 6 layers, 16 heads, 4096 inside
    Big,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum NormName {
    Post,
    Pre,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum PositionName {
    Sinusoidal,
    Learned,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum TiedName {
    /// Source, target and output
    All,
    /// Target and output
    Target,
    None,
}

impl ShapeArgs {
    /// The shape these flags come to.
    ///
    /// # Errors
    /// When no model can have it.
    pub fn config(
        &self,
        recipe: &Recipe,
        vocabularies: (usize, usize),
        is_joint: bool,
    ) -> Result<Config> {
        let preset = match self.preset {
            None => recipe.preset,
            Some(PresetName::Tiny) => Preset::Tiny,
            Some(PresetName::Small) => Preset::Small,
            Some(PresetName::Base) => Preset::Base,
            Some(PresetName::Big) => Preset::Big,
        };
        let sizes = preset.sizes();
        let tied = match self.tied {
            None if is_joint => Tied::All,
            None => Tied::Target,
            Some(TiedName::All) => Tied::All,
            Some(TiedName::Target) => Tied::Target,
            Some(TiedName::None) => Tied::None,
        };
        let config = Config {
            source_vocabulary: vocabularies.0,
            target_vocabulary: vocabularies.1,
            dim: self.dim.map_or(sizes.dim, usize::from),
            encoder_layers: self.encoder_layers.map_or(sizes.layers, usize::from),
            decoder_layers: self.decoder_layers.map_or(sizes.layers, usize::from),
            heads: self.heads.map_or(sizes.heads, usize::from),
            ffn: self.ffn.map_or(sizes.ffn, usize::from),
            pre_norm: matches!(self.norm, Some(NormName::Pre)),
            positions: match self.positions {
                Some(PositionName::Learned) => PositionKind::Learned,
                _ => PositionKind::Sinusoidal,
            },
            tied,
            max_positions: 1024,
        };
        config
            .check()
            .map_err(|error| Failure::usage(error.to_string()))?;
        Ok(config)
    }

    /// The flags that ask for another model than that of a run.
    ///
    /// # Errors
    /// When there are any.
    pub fn agree_with(&self, config: &Config) -> Result<()> {
        let number = |given: Option<usize>, has: usize| given.is_some_and(|given| given != has);
        let sizes = self.preset.map(|preset| match preset {
            PresetName::Tiny => Preset::Tiny.sizes(),
            PresetName::Small => Preset::Small.sizes(),
            PresetName::Base => Preset::Base.sizes(),
            PresetName::Big => Preset::Big.sizes(),
        });
        let is_other = [
            (
                "--preset",
                sizes.is_some_and(|sizes| self.dim.is_none() && sizes.dim != config.dim),
            ),
            ("--dim", number(self.dim.map(usize::from), config.dim)),
            (
                "--encoder-layers",
                number(self.encoder_layers.map(usize::from), config.encoder_layers),
            ),
            (
                "--decoder-layers",
                number(self.decoder_layers.map(usize::from), config.decoder_layers),
            ),
            ("--heads", number(self.heads.map(usize::from), config.heads)),
            ("--ffn", number(self.ffn.map(usize::from), config.ffn)),
            (
                "--norm",
                self.norm
                    .is_some_and(|norm| matches!(norm, NormName::Pre) != config.pre_norm),
            ),
        ];
        match is_other.iter().find(|(_, is_other)| *is_other) {
            Some((flag, _)) => Err(Failure::usage(format!("{flag} is not that of the run"))
                .hint("the shape of a model cannot change; another --out begins a new one")
                .into()),
            None => Ok(()),
        }
    }
}

/// Flags for how it is trained.
#[derive(clap::Args, Clone, Debug, Default)]
#[command(next_help_heading = "Training")]
pub struct PlanArgs {
    /// Highest learning rate [default: by the number of pairs]
    #[arg(long, value_name = "RATE", value_parser = positive)]
    lr: Option<f32>,
    /// Steps until it is reached [default: by the number of pairs]
    #[arg(long, value_name = "STEPS")]
    warmup: Option<u64>,
    /// How it goes on from there [default: inverse-sqrt]
    #[arg(long, value_enum)]
    schedule: Option<ScheduleName>,
    /// Share of values that are dropped in training [default: by the number of pairs]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    dropout: Option<f32>,
    /// Share of probability that is spread over all words in training [default: 0.1]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    label_smoothing: Option<f32>,
    /// Rows × the longer of source and target, of a batch [default: 4096]
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
    /// Steps between evaluations [default: by the number of pairs]
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
    Loss,
}

/// All that a run is trained with, as its folder keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    pub pairs: PairFiles,
    /// Source and target of the validation pairs.
    pub valid: Option<[PathBuf; 2]>,
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
    pub fn of(recipe: &Recipe, pairs: PairFiles, valid: Option<[PathBuf; 2]>) -> Settings {
        Settings {
            pairs,
            valid,
            limits: Limits {
                longest: 256,
                ratio: None,
            },
            bpe_dropout: 0.0,
            batch: Budget::Tokens(4096),
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

fn number(text: &str, is_right: impl Fn(f32) -> bool, what: &str) -> Result<f32, String> {
    let value = text
        .parse()
        .ok()
        .filter(|value: &f32| value.is_finite() && is_right(*value));
    value.ok_or_else(|| format!("expected {what}"))
}

fn positive(text: &str) -> Result<f32, String> {
    number(text, |value| value > 0.0, "a number above 0")
}

fn not_negative(text: &str) -> Result<f32, String> {
    number(text, |value| value >= 0.0, "0 or a number above it")
}

fn share(text: &str) -> Result<f32, String> {
    number(
        text,
        |value| (0.0..1.0).contains(&value),
        "a number from 0 to 1, 1 left out",
    )
}

fn ratio(text: &str) -> Result<f64, String> {
    number(text, |value| value >= 1.0, "1 or a number above it").map(f64::from)
}

/// `90m`, `2h`, `30s`, or seconds.
fn time(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.char_indices().last() {
        Some((at, 's')) => (&text[..at], 1.0),
        Some((at, 'm')) => (&text[..at], 60.0),
        Some((at, 'h')) => (&text[..at], 3600.0),
        Some((at, 'd')) => (&text[..at], 86_400.0),
        _ => (text, 1.0),
    };
    let seconds = number
        .parse::<f64>()
        .ok()
        .map(|n| n * unit)
        .filter(|s| s.is_finite() && *s > 0.0);
    let seconds = seconds.ok_or("expected a time, as in 90m, 2h or 30s")?;
    Duration::try_from_secs_f64(seconds).map_err(|_| "the time is too long".to_owned())
}
