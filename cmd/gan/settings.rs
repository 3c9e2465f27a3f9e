//! How networks are trained: the flags, and what they come to.
//!
//! What no flag says follows from the kind of the data. A run's folder keeps all of it, so that `--resume` needs no flags;
//! those that are given again change the training from there on, and must not change the networks.

use super::data::DataArgs;
use super::names::{AlternateName, AugmentName, LossName, ScheduleName};
use super::source::{Sort, Source};
use crate::stream::Failure;
use crate::values::{not_negative, positive, share, time};
use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use wordmill::gan::feed::Data;
use wordmill::gan::learn::Recipe;
use wordmill::gan::losses::Loss;
use wordmill::gan::step::Objective;
use wordmill::gan::turns::Alternate;
use wordmill::nn::ops::augment::Augment;
use wordmill::nn::plan::Plan;
use wordmill::nn::schedule::{Decay, Schedule};

/// Flags for the training.
#[derive(clap::Args, Clone, Debug, Default)]
#[command(next_help_heading = "Training")]
pub struct PlanArgs {
    /// What the two learn from [default: non-saturating; relativistic for points, wasserstein with a
    /// gradient penalty for rows]
    #[arg(long, value_enum)]
    loss: Option<LossName>,
    /// Weight of the penalty on slopes of the critic other than 1, between real and made samples; 0 for none [default: 0;
    /// 10 for rows]
    #[arg(long, value_name = "WEIGHT", value_parser = not_negative)]
    gradient_penalty: Option<f32>,
    /// Weight of the penalty on slopes at real samples; 0 for none [default: 0; for relativistic 1, or 0.02 of
    /// points]
    #[arg(long, value_name = "WEIGHT", value_parser = not_negative)]
    r1: Option<f32>,
    /// Weight of the penalty on slopes at made samples; 0 for none [default: that of --r1 for relativistic, else 0]
    #[arg(long, value_name = "WEIGHT", value_parser = not_negative)]
    r2: Option<f32>,
    /// Bound of the critic's weights; 0 for none [default: 0; 0.01 for wasserstein without a penalty and spectral norm]
    #[arg(long, value_name = "BOUND", value_parser = not_negative)]
    weight_clip: Option<f32>,
    /// Change images at random before the critic sees them, real and made ones alike: for few images
    #[arg(long, value_enum, value_name = "LIST", value_delimiter = ',')]
    augment: Vec<AugmentName>,
    /// Steps of the critic for one of the generator [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    critic_steps: Option<u32>,
    /// How the two take turns [default: steps]
    #[arg(long, value_enum)]
    alternate: Option<AlternateName>,
    /// Learning rate of the generator [default: 2e-4; 2e-3 for points]
    #[arg(long, value_name = "RATE", value_parser = positive)]
    lr: Option<f32>,
    /// The critic's learning rate, as a multiple of the generator's [default: 1]
    #[arg(long, value_name = "TIMES", value_parser = positive)]
    critic_rate: Option<f32>,
    /// Share of the old mean of gradients [default: 0.5; 0 for relativistic and wasserstein but for rows]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    beta1: Option<f32>,
    /// Share of the old mean of their squares [default: 0.999; 0.9 with a gradient penalty, 0.99 for relativistic and with bounded weights]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    beta2: Option<f32>,
    /// How the learning rate goes on [default: constant; cosine for points]
    #[arg(long, value_enum)]
    schedule: Option<ScheduleName>,
    /// Samples of a batch [default: 64; 500 for rows, 256 for points; no more than there are]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=65536))]
    batch_size: Option<u32>,
    /// Keep an average of the weights, to sample with: share of the old one at each step; 0 keeps none [default: 0.999]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    ema: Option<f32>,
    /// Longest gradient; longer ones are shortened to it; 0 leaves them [default: 0]
    #[arg(long, value_name = "LENGTH", value_parser = not_negative)]
    clip: Option<f32>,
    /// Steps at most, of the generator or, in turns of --alternate epochs, of either [default: by the data]
    #[arg(long, value_name = "N")]
    max_steps: Option<u64>,
    /// How often to go over the data at most
    #[arg(long, value_name = "N")]
    epochs: Option<u64>,
    /// Time to train at most, evaluations left out, as in 90m, 2h, 30s
    #[arg(long, value_name = "TIME", value_parser = time)]
    max_time: Option<Duration>,
    /// End after so many evaluations without a better one; 0 for no such end [default: 0]
    #[arg(long, value_name = "N")]
    early_stop: Option<u32>,
    /// What decides which checkpoint is best [default: frechet; quality for points with modes, sliced for others]
    #[arg(long, value_name = "NAME")]
    metric: Option<String>,
    /// Steps between evaluations [default: by the data]
    #[arg(long, value_name = "STEPS", value_parser = clap::value_parser!(u64).range(1..))]
    eval_every: Option<u64>,
    /// Samples that an evaluation makes [default: 2500 of points, 5000 of images, as many rows as there are, up to 20000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(20..=1_000_000))]
    eval_samples: Option<u32>,
    /// Steps between checkpoints [default: those of --eval-every]
    #[arg(long, value_name = "STEPS", value_parser = clap::value_parser!(u64).range(1..))]
    save_every: Option<u64>,
    /// Steps between reports [default: 100; 1000 for points]
    #[arg(long, value_name = "STEPS", value_parser = clap::value_parser!(u64).range(1..))]
    log_every: Option<u64>,
    /// Checkpoints to keep, besides the best [default: 2]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    keep: Option<u32>,
    /// Seed of everything random [default: 1]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

/// Steps that points are learned in.
const POINTS_STEPS: u64 = 6000;

/// All that a run is trained with, as its folder keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    pub data: DataArgs,
    pub recipe: Recipe,
    /// Samples that an evaluation makes.
    pub eval_samples: usize,
    /// Of the data, so that a run goes on over the same.
    pub fingerprint: u64,
    /// Seconds to train at most.
    pub max_seconds: Option<f64>,
    #[serde(flatten)]
    pub plan: Plan,
}

impl Settings {
    /// What is trained with when flags say no more than these; the critic sees `pack` samples at once.
    ///
    /// # Errors
    /// When flags do not go together, or with the data.
    pub fn new(
        data: &DataArgs,
        source: &Source,
        args: &PlanArgs,
        (pack, is_spectral): (usize, bool),
    ) -> Result<Settings> {
        let sort = source.sort();
        let batch = sort.of(256, 64, 500).min(source.len().max(2));
        let batch = (batch / pack.max(1)).max(1) * pack.max(1);
        let round = (source.len() / batch).max(1) as u64;
        let every = sort.of(1000, 500, round * 20);
        let loss = sort.of(Loss::Relativistic, Loss::NonSaturating, Loss::Wasserstein);
        let recipe = args.recipe(args.loss.map_or(loss, LossName::loss), sort, is_spectral);
        let mut settings = Settings {
            data: data.clone(),
            recipe: Recipe { batch, ..recipe },
            eval_samples: sort.of(2500, 5000, source.len().clamp(20, 20_000)),
            fingerprint: source.fingerprint(),
            max_seconds: None,
            plan: Plan {
                schedule: Schedule {
                    lr: sort.of(2e-3, 2e-4, 2e-4),
                    warmup: 0,
                    decay: sort.of(Decay::Cosine, Decay::Constant, Decay::Constant),
                    last: 0,
                },
                dropout: 0.0,
                dropout_ramp: 0,
                accumulate: 1,
                clip: 0.0,
                decay: 0.0,
                average: 0.999,
                seed: 1,
                max_steps: Some(sort.of(POINTS_STEPS, 50_000, round * 300)),
                epochs: None,
                patience: 0,
                metric: metrics(source)[0].to_owned(),
                report_every: sort.of(1000, 100, 100),
                evaluate_every: every,
                save_every: every,
                keep: 2,
            },
        };
        if args.max_steps.is_none() && (args.epochs.is_some() || args.max_time.is_some()) {
            // Whoever says when to end means that and nothing else.
            settings.plan.max_steps = None;
            settings.plan.schedule.decay = Decay::Constant;
        }
        args.change(&mut settings, source)?;
        Ok(settings)
    }
}

/// What a kind of data is measured by; the first decides where no flag says what does.
fn metrics(source: &Source) -> &'static [&'static str] {
    match source {
        Source::Points(toy, _) if toy.modes().is_some() => {
            &["quality", "sliced", "high_quality", "modes", "reverse_kl"]
        }
        Source::Points(..) => &["sliced"],
        Source::Images { .. } => &[
            "frechet",
            "kernel",
            "sliced",
            "precision",
            "recall",
            "density",
            "coverage",
        ],
        Source::Rows(_) => &[
            "quality",
            "column_shapes",
            "pair_trends",
            "all_pair_trends",
            "validity",
        ],
    }
}

impl PlanArgs {
    /// What a loss is trained with when flags say no more than these.
    fn recipe(&self, loss: Loss, sort: Sort, is_spectral: bool) -> Recipe {
        let is_relative = loss == Loss::Relativistic;
        let is_wasserstein = loss == Loss::Wasserstein;
        let penalty = match sort {
            Sort::Rows if is_wasserstein => 10.0,
            _ => 0.0,
        };
        let penalty = self.gradient_penalty.unwrap_or(penalty);
        let r1 = match is_relative {
            true => sort.of(0.02, 1.0, 1.0),
            false => 0.0,
        };
        let r1 = self.r1.unwrap_or(r1);
        let is_unbounded = is_wasserstein && penalty == 0.0 && !is_spectral;
        Recipe {
            objective: Objective {
                loss,
                gradient_penalty: penalty,
                r1,
                r2: self.r2.unwrap_or(if is_relative { r1 } else { 0.0 }),
                augment: Augment::default(),
            },
            batch: 0,
            critic_steps: 1,
            alternate: Alternate::Steps,
            critic_rate: 1.0,
            beta1: match sort {
                Sort::Rows => 0.5,
                _ if is_relative || is_wasserstein => 0.0,
                _ => 0.5,
            },
            beta2: match () {
                () if is_relative || is_unbounded => 0.99,
                () if penalty > 0.0 => 0.9,
                () => 0.999,
            },
            weight_clip: if is_unbounded { 0.01 } else { 0.0 },
        }
    }

    /// The same for a run that goes on with another loss.
    pub fn change_loss(&self, settings: &mut Settings, source: &Source, is_spectral: bool) {
        if let Some(loss) = self.loss {
            let old = &settings.recipe;
            settings.recipe = Recipe {
                batch: old.batch,
                critic_steps: old.critic_steps,
                alternate: old.alternate,
                critic_rate: old.critic_rate,
                ..self.recipe(loss.loss(), source.sort(), is_spectral)
            };
        }
    }

    /// Puts what the flags say in place of what is there.
    ///
    /// # Errors
    /// When flags do not go together, or with the data.
    pub fn change(&self, settings: &mut Settings, source: &Source) -> Result<()> {
        fn set<T: Clone>(given: &Option<T>, value: &mut T) {
            if let Some(given) = given {
                *value = given.clone();
            }
        }
        let (plan, recipe) = (&mut settings.plan, &mut settings.recipe);
        set(&self.loss.map(LossName::loss), &mut recipe.objective.loss);
        set(
            &self.gradient_penalty,
            &mut recipe.objective.gradient_penalty,
        );
        set(&self.r1, &mut recipe.objective.r1);
        set(&self.r2, &mut recipe.objective.r2);
        set(&self.weight_clip, &mut recipe.weight_clip);
        if !self.augment.is_empty() {
            let has = |name| self.augment.contains(&name);
            recipe.objective.augment = Augment {
                colour: has(AugmentName::Colour),
                translation: has(AugmentName::Translation),
                cutout: has(AugmentName::Cutout),
            };
        }
        set(&self.critic_steps, &mut recipe.critic_steps);
        set(
            &self.alternate.map(AlternateName::alternate),
            &mut recipe.alternate,
        );
        set(&self.critic_rate, &mut recipe.critic_rate);
        set(&self.beta1, &mut recipe.beta1);
        set(&self.beta2, &mut recipe.beta2);
        set(&self.batch_size.map(|n| n as usize), &mut recipe.batch);
        set(
            &self.eval_samples.map(|n| n as usize),
            &mut settings.eval_samples,
        );
        set(&self.lr, &mut plan.schedule.lr);
        set(&self.clip, &mut plan.clip);
        set(&self.ema, &mut plan.average);
        set(&self.max_steps.map(Some), &mut plan.max_steps);
        set(&self.epochs.map(Some), &mut plan.epochs);
        set(&self.early_stop, &mut plan.patience);
        set(&self.metric, &mut plan.metric);
        set(&self.log_every, &mut plan.report_every);
        set(&self.eval_every, &mut plan.evaluate_every);
        set(&self.save_every.or(self.eval_every), &mut plan.save_every);
        set(&self.keep.map(|n| n as usize), &mut plan.keep);
        set(&self.seed, &mut plan.seed);
        set(
            &self.max_time.map(|time| Some(time.as_secs_f64())),
            &mut settings.max_seconds,
        );
        let known = metrics(source);
        if !known.contains(&plan.metric.as_str()) {
            bail!(
                Failure::usage(format!("nothing is measured by the name {}", plan.metric))
                    .hint(format!("there are {}", known.join(", ")))
            );
        }
        if !self.augment.is_empty() && source.sort() != Sort::Images {
            bail!(Failure::usage("--augment changes images alone"));
        }
        if let Some(schedule) = self.schedule {
            plan.schedule.decay = match schedule {
                ScheduleName::Constant => Decay::Constant,
                ScheduleName::Cosine => Decay::Cosine,
            };
        }
        plan.schedule.last = plan.max_steps.unwrap_or(0);
        if plan.schedule.decay == Decay::Cosine && plan.max_steps.is_none() {
            bail!(Failure::usage(
                "--schedule cosine needs --max-steps, where it ends"
            ));
        }
        Ok(())
    }
}
