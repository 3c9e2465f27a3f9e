//! `wordmill lemmatize`: words to their dictionary forms.

use crate::corpus;
use crate::engine::{Engine, NotServed};
use crate::eval::{self, System, TaggedEvalArgs};
use crate::layers::{ModeArgs, ModelArgs, Models};
use crate::stream::{Job, KeepArgs, Layered, Newline, StreamArgs, Tsv};
use crate::train::{self, EpochsArgs, TrainArgs};
use anyhow::Result;
use clap::Subcommand;
use std::path::PathBuf;
use wordmill::text::document::Document;
use wordmill::text::eval::Task;
use wordmill::text::lemma::{self, Mode, train::Options};
use wordmill::text::pipeline::Pipeline;
use wordmill::text::plain::View;
use wordmill::text::tsv::TsvColumn;
use wordmill::text::{pos, tokenize};

/// Reduce words to their dictionary forms
///
/// Adds the lemma of every word; words without a part of speech are tagged first. Reads text, lines, tokens, CoNLL-U,
/// JSON Lines or columns. Writes lemmas, a sentence a line, from text, lines and tokens; else what it read. --to tsv
/// has the columns form, lemma and upos.
///
/// With --mode ud a word has the lemma that the model's treebank would give it with its tag: "better" is "good" or "well", "more"
/// is "more". With --mode dictionary every comparative and superlative has the positive degree that dictionaries list
/// it under, whatever its tag, and names stay as they are written. Participles used as adjectives and nouns made of verbs ("broken",
/// "building"), plurals without a singular ("scissors") and pronouns ("him", of "he") have the lemma of the treebank in both.
#[derive(clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  \
        wordmill lemmatize corpora/sample.txt\n  \
        echo 'The mice ran better.' | wordmill lemmatize --to tsv\n  \
        echo 'More is better.' | wordmill lemmatize --mode dictionary\n  \
        wordmill lemmatize train corpora/tagged.conllu -o lemmatize.safetensors\n  \
        wordmill lemmatize eval corpora/tagged.conllu"
)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    mode: ModeArgs,
    #[command(flatten)]
    keep: KeepArgs,
    #[command(flatten)]
    stream: StreamArgs,
}

#[derive(Subcommand)]
enum Command {
    Train(LemmatizeTrainArgs),
    /// Score a lemmatizer on annotated text
    ///
    /// Lemmatizes the words of the gold standard, with its tags and without, and its raw text, and prints scores.
    #[command(after_help = "Example:\n  wordmill lemmatize eval corpora/tagged.conllu")]
    Eval(TaggedEvalArgs),
}

/// Learn a lemmatizer from CoNLL-U
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  wordmill lemmatize train corpora/tagged.conllu -o lemmatize.safetensors"
)]
struct LemmatizeTrainArgs {
    #[command(flatten)]
    shared: TrainArgs,
    #[command(flatten)]
    epochs: EpochsArgs,
    /// List of inflected forms to learn from too: form, lemma, UPOS and XPOS, parted by tabs
    #[arg(long, value_name = "FILE")]
    dictionary: Vec<PathBuf>,
    /// Tagger for the words of --valid
    #[arg(long, value_name = "FILE")]
    tagger: Vec<PathBuf>,
}

const COLUMNS: &[TsvColumn] = &[TsvColumn::Form, TsvColumn::Lemma, TsvColumn::Upos];

pub fn run(args: &Args) -> Result<()> {
    match &args.command {
        Some(Command::Train(args)) => return train(args),
        Some(Command::Eval(args)) => {
            return eval::run(&args.eval, args.errors, Task::Lemmatize, system);
        }
        None => {}
    }
    ready(args, |engine| engine.run())
}

/// Loads the models, and hands what works with them to `then`.
pub fn ready(args: &Args, then: impl FnOnce(&dyn Engine) -> Result<()>) -> Result<()> {
    if args.command.is_some() {
        return Err(NotServed.into());
    }
    let models = Models::open(&args.model.model)?;
    models.must_hold(&[tokenize::LAYER, pos::LAYER, lemma::LAYER])?;
    let mut pipeline = pipeline(&models, args.mode.mode)?;
    pipeline.tokenizer = Some(models.tokenizer(args.stream.newline == Newline::Break)?);
    pipeline.keep = args.keep.keep;
    let job = Job {
        view: View::Lemma,
        tsv: Tsv::Words(COLUMNS),
        ..Job::default()
    };
    then(&Layered {
        args: &args.stream,
        job,
        layer: &|document| {
            pipeline.annotate(document);
            Ok(())
        },
    })
}

fn pipeline(models: &Models, mode: Mode) -> Result<Pipeline> {
    Ok(Pipeline {
        pos: Some(models.tagger()?),
        keep_tags: true,
        lemmatizer: Some(models.lemmatizer(mode)?),
        ..Pipeline::default()
    })
}

fn system(models: &Models, _: &[Document]) -> Result<System<'static>> {
    let pipeline = pipeline(models, Mode::Ud)?;
    Ok(System::of(Pipeline {
        tokenizer: Some(models.tokenizer(false)?),
        ..pipeline
    }))
}

fn train(args: &LemmatizeTrainArgs) -> Result<()> {
    let documents = args.shared.read()?;
    let dictionary = corpus::read_dictionaries(&args.dictionary)?;
    let mut options = Options {
        seed: args.shared.seed,
        ..Options::default()
    };
    options.epochs = args.epochs.epochs.unwrap_or(options.epochs);
    let rounds = args.shared.rounds(options.epochs);
    let sentences = train::sentences(&documents);
    let lemmatizer = lemma::train::train(&sentences, &dictionary, &options, |epoch, right| {
        rounds.done(epoch, &format!("{:.2} % of words right", 100.0 * right));
    });
    let section = lemmatizer.to_section();
    let tagger = |_| Models::open(&args.tagger)?.tagger();
    let pipeline = Pipeline {
        pos: args.shared.valid.as_ref().map(tagger).transpose()?,
        keep_tags: true,
        lemmatizer: Some(lemmatizer),
        ..Pipeline::default()
    };
    args.shared.finish(Task::Lemmatize, section, |document| {
        pipeline.annotate(document)
    })
}
