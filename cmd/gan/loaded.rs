//! A run that is sampled from or measured: its networks, the weights of a checkpoint, what it makes.

use super::source::{Kept, Made};
use crate::device::DeviceArgs;
use crate::report::ReportArgs;
use crate::run_folder::RunFolder;
use crate::stream::Failure;
use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};
use std::path::Path;
use wordmill::gan::model::{Given, Model};
use wordmill::gan::sampler;
use wordmill::gan::shape::Shape;
use wordmill::nn::device::Fault;
use wordmill::nn::folder::{Folder, StoredError, Which};
use wordmill::nn::parameters::Weights;
use wordmill::random::Random;

/// The name in config.json.
pub const NAME: &str = "gan";

/// What config.json holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    pub shape: Shape,
    pub data: Kept,
}

pub struct Loaded {
    pub model: Model,
    pub weights: Weights,
    pub data: Kept,
}

/// The config of a run.
///
/// # Errors
/// When the folder holds none, or one of another command.
pub fn config(path: &Path) -> Result<Config> {
    let (folder, name) = (Folder::new(path), path.display().to_string());
    if !folder.path("config.json").exists() {
        bail!(
            Failure::of_file(&name, "holds no run: it has no config.json")
                .hint("`wordmill gan train --out FOLDER` makes one")
        );
    }
    folder.config(NAME).map_err(|error| match error {
        StoredError::Folder(error) => error.into(),
        StoredError::Other { ref found, .. } => {
            let hint = format!("`wordmill {found}` made it");
            Failure::of_file(&name, error.to_string()).hint(hint).into()
        }
        StoredError::Unnamed => Failure::of_file(&name, error.to_string()).into(),
    })
}

/// The networks of a config.
///
/// # Errors
/// When there are no such networks.
pub fn model(shape: &Shape) -> Result<Model> {
    Model::new(shape.clone()).map_err(|error| Failure::usage(error.to_string()).into())
}

impl Loaded {
    /// Reads a checkpoint of a run; `averaged` takes the averaged weights, where there are any.
    ///
    /// # Errors
    /// When the folder holds no run of this command, or a damaged one.
    pub fn new(path: &Path, which: Which, averaged: bool) -> Result<Loaded> {
        let run = RunFolder::to_read(path, which)?;
        let Config { shape, data } = config(run.path())?;
        let model = model(&shape)?;
        let folder = Folder::new(run.path());
        let layout = model.layout();
        let mut weights = Weights::zeros(layout);
        let mut found = folder.weights_of(which, layout)?;
        if !averaged {
            let step = folder.step(which)?;
            let names = ["first", "second"];
            let mut tensors = folder.optimizer(step, &names, "weights", layout.len())?;
            // Without an average the weights are the model's.
            if tensors.len() > names.len() {
                found = tensors.pop().unwrap_or(found);
            }
        }
        weights.values_mut().copy_from_slice(&found);
        Ok(Loaded {
            model,
            weights,
            data,
        })
    }

    /// Brings the weights to a GPU, if one is to make `n` samples.
    ///
    /// # Errors
    /// When one is asked for that cannot be used.
    pub fn bring_to(&mut self, device: &DeviceArgs, n: usize, command: &str) -> Result<()> {
        /// It takes longer to open a GPU than to make fewer images.
        const WORTH: usize = 5000;
        let is_images = matches!(self.data, Kept::Images { .. });
        if device.is_auto() && !(is_images && n >= WORTH) {
            return Ok(());
        }
        // Where nobody has said how, images differ from those of the CPU by rounding of f32 alone.
        let device = match device.is_auto() || !is_images {
            true => device.exact(),
            false => device.clone(),
        };
        // Nobody wants to be told.
        let report = ReportArgs {
            log: None,
            quiet: true,
        };
        let Some(gpu) = device.open(report, command)? else {
            return Ok(());
        };
        self.weights.bring_to(&gpu);
        // All batches are as large: where there is room for one, there is for all.
        let (z, given) = of_seeds(&self.model.shape, &self.data, &[0], (Class::InTurn, None));
        match self.samples(&z, &given) {
            // Nobody has asked for a GPU that is full.
            Err(_) if device.is_auto() && gpu.forgive() => drop(self.weights.leave()),
            Err(error) => return Err(error),
            Ok(_) => {}
        }
        Ok(())
    }

    /// Samples of z and what is given, as they are shown.
    ///
    /// # Errors
    /// When a GPU fails.
    pub fn samples(&self, z: &[Vec<f32>], given: &Given) -> Result<Made> {
        let made = shown(&self.model, &self.weights, &self.data, z, given);
        made.map_err(|fault| {
            let failure = Failure::plain(fault.to_string());
            failure.hint("--device cpu makes them without a GPU").into()
        })
    }
}

/// Samples of z and what is given, as they are shown.
///
/// # Errors
/// When a GPU fails.
pub fn shown(
    model: &Model,
    weights: &Weights,
    data: &Kept,
    z: &[Vec<f32>],
    given: &Given,
) -> Result<Made, Fault> {
    let values = sampler::samples(model, weights, z, given)?;
    let shape = &model.shape;
    Ok(data.made(&values, (shape.height, shape.width, shape.channels)))
}

/// Which class samples are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    One(u32),
    /// All of them in turn.
    InTurn,
    /// Each as often as real samples are of it.
    AsOften,
}

/// z of each seed, and what is given with it: a class; for rows a condition as often as real rows meet it.
pub fn of_seeds(
    shape: &Shape,
    data: &Kept,
    seeds: &[u64],
    (class, truncation): (Class, Option<f32>),
) -> (Vec<Vec<f32>>, Given) {
    let z = seeds
        .iter()
        .map(|seed| sampler::noise(shape.latent, *seed, truncation))
        .collect();
    let mut given = Given::default();
    if let (true, Kept::Images { counts, .. }) = (shape.classes > 0, data) {
        let of = |seed: &u64| match class {
            Class::One(class) => class,
            Class::InTurn => (seed % shape.classes as u64) as u32,
            Class::AsOften => drawn(counts, &mut Random::new(*seed, 0x636c_6173)),
        };
        given.labels = seeds.iter().map(of).collect();
    }
    if let Kept::Rows { conditions, .. } = data {
        let width = conditions.width();
        let mut all = vec![0.0; seeds.len() * width];
        for (row, seed) in all.chunks_exact_mut(width.max(1)).zip(seeds) {
            if let Some(condition) = conditions.draw_real(&mut Random::new(*seed, 0x636f_6e64)) {
                conditions.write(condition, row);
            }
        }
        given.conditions = all.into();
    }
    (z, given)
}

/// A class, with a probability that grows with its count.
fn drawn(counts: &[u64], random: &mut Random) -> u32 {
    let all = counts.iter().sum::<u64>() as f32;
    let mut left = random.unit() * all;
    let class = counts.iter().position(|count| {
        left -= *count as f32;
        left < 0.0
    });
    class.unwrap_or_default() as u32
}
