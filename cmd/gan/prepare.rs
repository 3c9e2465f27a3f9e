//! What `wordmill gan train` needs before the first step: of flags and data, or of a folder.

use super::data::DataArgs;
use super::loaded::{self, Config, NAME};
use super::networks;
use super::settings::Settings;
use super::source::Source;
use super::train::Args;
use crate::report::ReportArgs;
use crate::run_folder::RunFolder;
use crate::stream::Failure;
use anyhow::{Result, bail};
use serde_json::json;
use wordmill::gan::feed::Data;
use wordmill::gan::model::Model;
use wordmill::gan::shape::Shape;
use wordmill::nn::folder::{Folder, Which};
use wordmill::nn::parameters::Weights;

/// Fewer images than that are learned by heart.
const FEW: usize = 1000;

/// All that a run needs.
pub struct Prepared {
    pub settings: Settings,
    pub source: Source,
    pub model: Model,
    /// The weights to begin with.
    pub weights: Option<Weights>,
}

impl Prepared {
    /// A new run.
    pub fn new(args: &Args) -> Result<Prepared> {
        let mut source = open(&args.data, args.report)?;
        let init = match &args.init {
            Some(init) => {
                let run = RunFolder::to_read(init, Which::Best)?;
                let shape = loaded::config(run.path())?.shape;
                args.shape.agree_with(&shape)?;
                Some(shape)
            }
            None => None,
        };
        let how = match &init {
            Some(shape) => (shape.pack, shape.spectral),
            None => (args.shape.pack(&source), args.shape.is_spectral()),
        };
        let settings = Settings::new(&args.data, &source, &args.plan, how)?;
        let shape = match init {
            Some(shape) => {
                source.fit(shape.network);
                agree(&shape, &source)?;
                shape
            }
            None => {
                source.fit(args.shape.kind(&source));
                args.shape.shape(&source, &settings.recipe)?
            }
        };
        networks::check(&shape, &settings.recipe)?;
        let model = loaded::model(&shape)?;
        let weights = match &args.init {
            Some(init) => {
                let mut weights = Weights::zeros(model.layout());
                let run = RunFolder::to_read(init, Which::Best)?;
                let found = Folder::new(run.path()).weights_of(Which::Best, model.layout())?;
                weights.values_mut().copy_from_slice(&found);
                weights
            }
            None => model.initial_weights(settings.plan.seed),
        };
        Ok(Prepared {
            settings,
            source,
            model,
            weights: Some(weights),
        })
    }

    /// The run that a folder holds, with what flags change.
    pub fn of_folder(args: &Args, folder: &Folder) -> Result<Prepared> {
        let (shape, mut settings) = read(folder)?;
        args.shape.agree_with(&shape)?;
        if !args.data.is_empty() {
            settings.data = args.data.clone();
        }
        let mut source = open(&settings.data, args.report)?;
        if source.fingerprint() != settings.fingerprint {
            bail!(
                Failure::plain("the data is not that of the run")
                    .hint("--init begins a new run, with other data, from its weights")
            );
        }
        source.fit(shape.network);
        args.plan
            .change_loss(&mut settings, &source, shape.spectral);
        let alternate = settings.recipe.alternate;
        args.plan.change(&mut settings, &source)?;
        if settings.recipe.alternate != alternate {
            bail!(Failure::usage("--alternate is not that of the run"));
        }
        networks::check(&shape, &settings.recipe)?;
        Ok(Prepared {
            model: loaded::model(&shape)?,
            settings,
            source,
            weights: None,
        })
    }

    /// The run of the first of several processes, which gave the folder, for another one.
    pub fn of_first(args: &Args, folder: &Folder) -> Result<Prepared> {
        let (shape, settings) = read(folder)?;
        let mut source = open(&settings.data, args.report)?;
        if source.fingerprint() != settings.fingerprint {
            bail!(
                Failure::plain("the data of this process is not that of the first")
                    .hint("all machines need the same files in the same places")
            );
        }
        source.fit(shape.network);
        Ok(Prepared {
            model: loaded::model(&shape)?,
            settings,
            source,
            weights: None,
        })
    }

    /// Writes what the folder holds of a run before its first step; the networks of one that is there stay.
    pub fn keep(&self, folder: &Folder, is_there: bool) -> Result<()> {
        folder.write_json("training.json", &self.settings)?;
        if !is_there {
            let config = Config {
                shape: self.model.shape.clone(),
                data: self.source.kept(),
            };
            folder.write_config(NAME, &config)?;
        }
        Ok(())
    }
}

fn read(folder: &Folder) -> Result<(Shape, Settings)> {
    let shape = loaded::config(&folder.path(""))?.shape;
    Ok((shape, folder.read_json("training.json")?))
}

/// # Errors
/// When networks of a run cannot see the samples of some data.
fn agree(shape: &Shape, source: &Source) -> Result<()> {
    let is_known = shape.classes == 0 || shape.classes == source.classes().len();
    let is_alike = shape.size() == source.shape()
        && shape.spans == source.spans()
        && shape.condition == source.condition();
    match is_known && is_alike {
        true => Ok(()),
        false => Err(Failure::usage(
            "the data is not of the kind that the run in --init has learned",
        )
        .hint("its samples have another size, other classes or other columns")
        .into()),
    }
}

/// Opens data, and says what is wrong with parts of it.
fn open(data: &DataArgs, report: ReportArgs) -> Result<Source> {
    let mut tell = |problem: String| {
        report.say(
            || json!({"event": "left-out", "problem": problem}),
            || format!("wordmill gan train: {problem}"),
        );
    };
    let source = data.open(&mut tell)?;
    if let (Source::Images { images, .. }, true) = (&source, source.len() < FEW) {
        let n = images.len();
        report.say(
            || json!({"event": "few", "images": n}),
            || {
                format!(
                    "wordmill gan train: {n} images are few: they will be learned by heart; `wordmill gan eval` reports copies"
                )
            },
        );
    }
    Ok(source)
}
