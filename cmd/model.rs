//! `wordmill model`: what is in model files.

use crate::layers::read_bundle;
use crate::stream::{Failure, Output};
use anyhow::Result;
use clap::Subcommand;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use wordmill::text::english;
use wordmill::text::model::Bundle;

/// Show, bundle and list models
///
/// A model file holds one layer (tokenize, pos, lemmatize, ner) or a bundle of several. Commands take either by
/// --model.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  wordmill model list\n  wordmill model info pos")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Info(InfoArgs),
    Pack(PackArgs),
    List(ListArgs),
}

/// Say what a model file holds
///
/// Prints one JSON object: layers, labels, sizes, training data, licence and scores.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  wordmill model info pos")]
struct InfoArgs {
    /// Model files, or names of layers inside the tool
    #[arg(required = true, value_name = "MODEL")]
    models: Vec<PathBuf>,
}

/// Put the layers of several models into one file
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  wordmill model pack tokenize pos lemmatize ner -o en.safetensors.zst"
)]
struct PackArgs {
    /// Model files, or names of layers inside the tool; of two with the same layer the later counts
    #[arg(required = true, value_name = "MODEL")]
    models: Vec<PathBuf>,
    /// Model file to write; .zst and .gz are compressed
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
}

/// List the models inside the tool
///
/// Prints a line for each: layer, language, bytes and licence, parted by tabs.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  wordmill model list")]
struct ListArgs {}

pub fn run(args: &Args) -> Result<()> {
    match &args.command {
        Command::Info(args) => info(args),
        Command::Pack(args) => pack(args),
        Command::List(ListArgs {}) => list(),
    }
}

fn info(args: &InfoArgs) -> Result<()> {
    let mut out = String::new();
    for model in &args.models {
        let bundle = open(model)?;
        let layers: serde_json::Map<String, Value> = bundle
            .layers
            .iter()
            .map(|(name, section)| {
                let mut object = section.meta.clone();
                let tensors = section
                    .tensors
                    .iter()
                    .map(|(n, t)| (n.clone(), json!([t.dtype.to_string(), t.shape])));
                object.insert(
                    "tensors".to_owned(),
                    tensors.collect::<serde_json::Map<_, _>>().into(),
                );
                (name.clone(), object.into())
            })
            .collect();
        let object = json!({ "model": model.display().to_string(), "layers": layers });
        let _ = writeln!(out, "{object:#}");
    }
    print(&out)
}

fn pack(args: &PackArgs) -> Result<()> {
    let mut all = Bundle::default();
    for model in &args.models {
        all.layers.extend(open(model)?.layers);
    }
    let mut output = Output::create(Some(&args.out), false)?;
    output.write_bytes(&all.to_bytes()?)?;
    output.finish()
}

fn list() -> Result<()> {
    let mut out = String::new();
    for layer in english::layers() {
        let section = english::section(layer)?;
        let text = |key: &str| {
            section
                .meta
                .get(key)
                .and_then(Value::as_str)
                .unwrap_or("_")
                .to_owned()
        };
        let bytes = english::file(layer)?.len();
        let _ = writeln!(
            out,
            "{layer}\t{}\t{bytes}\t{}",
            text("language"),
            text("license")
        );
    }
    print(&out)
}

/// Reads a model file; a name that is no file may be a layer inside the tool.
pub fn open(model: &Path) -> Result<Bundle> {
    let name = model.to_string_lossy();
    if !model.exists() && english::layers().any(|layer| layer == name) {
        return Ok(Bundle::from_bytes(english::file(&name)?)?);
    }
    read_bundle(model).map_err(|error| {
        let hint = "name a model file, or a layer that `wordmill model list` shows";
        match error.downcast::<Failure>() {
            Ok(failure) => failure.hint(hint).into(),
            Err(other) => other,
        }
    })
}

fn print(text: &str) -> Result<()> {
    let mut output = Output::create(None, false)?;
    output.write(text)?;
    output.finish()
}
