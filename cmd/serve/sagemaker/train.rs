//! `wordmill sagemaker train`: a training job.

use super::hyperparameters::{Asked, arguments};
use super::keep::{copy, keep};
use super::root::RootArgs;
use super::trainer;
use crate::stream::Failure;
use crate::word2vec::checkpoint_of;
use anyhow::{Context, Result, bail};
use signal_hook::consts::SIGTERM;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};

/// Train as hyperparameters say
///
/// Reads input/config/hyperparameters.json, in which `command` is the command that trains, such as `transformer train`, and
/// every other name is a flag of it, with _ or - between words; switches are `true` or `false`, and several values are parted
/// by spaces. `{NAME}` in a value is the folder of the channel NAME.
///
/// The runs of `transformer train`, `seq2seq train` and `gan train` are in checkpoints/run, and go on where they were when
/// there is one already, as after an interruption of a spot instance; in the end what is needed to translate and to sample is
/// copied to model. `word2vec train` keeps its checkpoint there, too, and its vectors are copied to model when they are whole.
/// The models of `tokenize train`, `pos train`, `lemmatize train`, `ner train` and `subword train` and the vectors of
/// `glove train` are written to model, and begin anew after an interruption.
///
/// SIGTERM ends those that keep checkpoints with one, and the job succeeds; of the others it fails. Why a job has failed is
/// written to output/failure, too.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    mkdir -p ml/input/config\n  \
    echo '{\"command\": \"gan train\", \"toy\": \"ring8\", \"max_steps\": \"20\"}' \\\n    \
    > ml/input/config/hyperparameters.json\n  \
    wordmill sagemaker train --root ml")]
pub struct Args {
    #[command(flatten)]
    root: RootArgs,
}

pub fn run(args: &Args) -> Result<()> {
    let Err(error) = train(&args.root) else {
        return Ok(());
    };
    let path = args.root.failure();
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    std::fs::write(&path, reason(&error)).with_context(|| path.display().to_string())?;
    Err(error)
}

/// What a job has failed of: what its command has said, where there was one.
fn reason(error: &anyhow::Error) -> String {
    if let Some(ended) = error.downcast_ref::<Ended>() {
        return ended.said.clone();
    }
    let failure = error.downcast_ref::<Failure>();
    let hint = failure.and_then(|failure| failure.hint.as_ref());
    let hint = hint.map(|hint| format!("hint: {hint}\n"));
    format!("{error:#}\n{}", hint.unwrap_or_default())
}

/// The command has failed, and said why.
#[derive(Debug, thiserror::Error)]
#[error("{command}: {status}")]
struct Ended {
    command: String,
    status: std::process::ExitStatus,
    said: String,
}

/// What a command leaves.
#[derive(Clone, Copy)]
enum Left {
    Run,
    /// A file of this name.
    Model(&'static str),
    /// One that is whole when the command is done, with a checkpoint beside it until then.
    Vectors(&'static str),
}

impl Left {
    /// What a command leaves that is trained here.
    fn of(command: &[&str]) -> Option<Left> {
        Some(match command {
            ["transformer" | "seq2seq" | "gan", "train"] => Left::Run,
            ["tokenize", "train"] => Left::Model("tokenize.safetensors"),
            ["pos", "train"] => Left::Model("pos.safetensors"),
            ["lemmatize", "train"] => Left::Model("lemmatize.safetensors"),
            ["ner", "train"] => Left::Model("ner.safetensors"),
            ["subword", "train"] => Left::Model("tokenizer.json"),
            ["glove", "train"] => Left::Model("vectors.vec"),
            ["word2vec", "train"] => Left::Vectors("vectors.vec"),
            _ => return None,
        })
    }

    /// Where the command writes, and whether it goes on with what is there.
    fn out(self, run: &Path, model: &Path) -> (PathBuf, bool) {
        match self {
            Left::Run => (run.to_owned(), run.join("config.json").exists()),
            Left::Model(name) => (model.join(name), false),
            Left::Vectors(name) => {
                let out = run.with_file_name(name);
                let resumes = checkpoint_of(&out).exists();
                (out, resumes)
            }
        }
    }
}

fn train(root: &RootArgs) -> Result<()> {
    let asked = Asked::read(&root.hyperparameters(), &root.channels())?;
    let names: Vec<&str> = asked.command.iter().take(2).map(String::as_str).collect();
    let Some(left) = Left::of(&names) else {
        bail!(Failure::plain(format!(
            "{:?} is not trained here: transformer, seq2seq, gan, tokenize, pos, lemmatize, ner, subword, glove and \
             word2vec train are",
            names.join(" ")
        )));
    };
    let (run, model) = (root.run(), root.model());
    for folder in [run.parent(), Some(model.as_path())].into_iter().flatten() {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    let (out, resumes) = left.out(&run, &model);
    let line = command_line(&asked, &out, resumes)?;
    let ended = trainer::run(&line)?;
    // A trainer that was asked to stop ends by the signal, as soon as its checkpoint is written.
    let has_stopped = ended.was_asked && ended.status.signal() == Some(SIGTERM);
    if !ended.status.success() && !has_stopped {
        bail!(Ended {
            command: names.join(" "),
            status: ended.status,
            said: ended.said,
        });
    }
    match left {
        Left::Run => keep(&run, &model),
        Left::Vectors(_) if has_stopped && checkpoint_of(&out).exists() => Ok(()),
        Left::Vectors(_) | Left::Model(_) if has_stopped => bail!(Failure::plain(format!(
            "{} was stopped before it had anything to keep",
            names.join(" ")
        ))),
        Left::Vectors(name) => copy(&out, &model.join(name)),
        Left::Model(_) => Ok(()),
    }
}

/// The arguments of the command.
fn command_line(asked: &Asked, out: &Path, resumes: bool) -> Result<Vec<String>> {
    let root = crate::command();
    let found = asked.command.iter().take(2).fold(&root, |outer, name| {
        // It is one of those that are trained here.
        outer.find_subcommand(name).unwrap_or(outer)
    });
    let mut line = asked.command.clone();
    for (name, value) in &asked.flags {
        match name.as_str() {
            "out" | "resume" => bail!(Failure::plain(format!(
                "{name:?} is no hyperparameter: it follows from where checkpoints are"
            ))),
            // What the run began with it has learned already.
            "init" if resumes => {}
            _ => line.extend(arguments(found, name, value)?),
        }
    }
    line.push(format!("--out={}", out.display()));
    if resumes {
        line.push("--resume".to_owned());
    }
    Ok(line)
}
