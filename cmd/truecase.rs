//! `wordmill pos truecase`: a tagger learns to read text without case.

use crate::corpus;
use crate::model;
use crate::progress::Rounds;
use crate::stream::{Failure, Output};
use anyhow::{Result, bail};
use std::path::PathBuf;
use wordmill::text::pos;
use wordmill::text::truecase::train::{Options, train};

/// Teach a tagger to read text in capitals or in lower case
///
/// Learns how words are written, from CoNLL-U in its usual case and from a list of forms, and puts it into the model
/// of a tagger, which stays the same otherwise. Sentences whose letters are all capitals, or all in lower case, are then
/// tagged, lemmatized and searched for names as if they were written as usual.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  wordmill pos truecase corpora/tagged.conllu --forms corpora/forms.tsv -o pos.safetensors"
)]
pub struct Args {
    /// CoNLL-U to learn from
    #[arg(required = true, value_name = "TRAIN")]
    train: Vec<PathBuf>,
    /// Forms of running text and how often each was seen, parted by a tab; best without those that begin a sentence
    #[arg(long, value_name = "FILE")]
    forms: PathBuf,
    /// Model of the tagger, or the one inside the tool
    #[arg(long, value_name = "MODEL", default_value = pos::LAYER)]
    model: PathBuf,
    /// Model file to write; .zst and .gz are compressed
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
    /// How often to go over the training data
    #[arg(long, value_name = "N", default_value_t = Options::default().epochs, value_parser = clap::value_parser!(u32).range(1..))]
    epochs: u32,
    /// Seed of everything random
    #[arg(long, value_name = "N", default_value_t = Options::default().seed)]
    seed: u64,
    /// Show no progress
    #[arg(short, long)]
    quiet: bool,
}

pub fn run(args: &Args) -> Result<()> {
    let mut bundle = model::open(&args.model)?;
    bundle.layer(pos::LAYER)?;
    let documents = corpus::read_to_learn_from(&args.train, None)?;
    let sentences: Vec<_> = documents.iter().flat_map(|d| &d.sentences).collect();
    let forms = corpus::read_counts(&args.forms)?;
    if forms.is_empty() {
        bail!(Failure::of_file(
            &args.forms.display().to_string(),
            "no forms"
        ));
    }
    let options = Options {
        epochs: args.epochs,
        seed: args.seed,
        ..Options::default()
    };
    let rounds = Rounds::new(u64::from(options.epochs), args.quiet);
    let truecaser = train(&sentences, &forms, &options, |epoch, right| {
        rounds.done(epoch, &format!("{:.2} % of sentences right", 100.0 * right));
    });
    if let Some(section) = bundle.layers.get_mut(pos::LAYER) {
        truecaser.save(section);
    }
    let mut output = Output::create(Some(&args.out), false)?;
    output.write_bytes(&bundle.to_bytes()?)?;
    output.finish()
}
