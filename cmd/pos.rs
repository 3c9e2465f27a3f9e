//! `wordmill pos`: parts of speech and morphological features.

use crate::corpus;
use crate::engine::{Engine, NotServed};
use crate::eval::{self, System, TaggedEvalArgs};
use crate::layers::{ModelArgs, Models};
use crate::stream::{Invalid, Job, KeepArgs, Layered, Newline, StreamArgs, Tsv};
use crate::train::{self, AlsoArgs, ClassesArgs, EpochsArgs, TrainArgs};
use crate::truecase;
use crate::vectors::load;
use anyhow::Result;
use clap::Subcommand;
use std::path::{Path, PathBuf};
use wordmill::text::document::Document;
use wordmill::text::eval::Task;
use wordmill::text::format::OutputFormat;
use wordmill::text::highlight::Highlight;
use wordmill::text::network::vectors::Vectors;
use wordmill::text::pipeline::Pipeline;
use wordmill::text::plain::View;
use wordmill::text::pos::{
    self,
    train::{Known, Options, Report},
};
use wordmill::text::tokenize;
use wordmill::text::tsv::TsvColumn;

/// Tag words with their part of speech
///
/// Adds UPOS, XPOS and FEATS of Universal Dependencies to every word. Reads text, lines, tokens, CoNLL-U, JSON Lines or
/// columns, and finds sentences and words first where they are not given. Writes CoNLL-U, or JSON Lines from JSON
/// Lines; --to text gives word_TAG, --to tsv the columns form, upos, xpos and feats, --to html and --to ansi words in
/// colours.
#[derive(clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  \
        wordmill pos corpora/sample.txt\n  \
        echo 'The quick brown fox jumps.' | wordmill pos --to text\n  \
        wordmill pos --to ansi corpora/sample.txt\n  \
        wordmill pos train corpora/tagged.conllu -o pos.safetensors\n  \
        wordmill pos eval corpora/tagged.conllu"
)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    keep: KeepArgs,
    #[command(flatten)]
    stream: StreamArgs,
}

#[derive(Subcommand)]
enum Command {
    Train(PosTrainArgs),
    Truecase(truecase::Args),
    /// Score a tagger on annotated text
    ///
    /// Tags the words of the gold standard, and its raw text, and prints scores for each column and tag, and the tags that are
    /// taken for each other.
    #[command(after_help = "Examples:\n  \
        wordmill pos eval corpora/tagged.conllu\n  \
        wordmill pos eval corpora/tagged.conllu --against corpora/tagged.conllu\n  \
        wordmill pos eval corpora/tagged.conllu --errors 5 --report pos.html")]
    Eval(TaggedEvalArgs),
}

/// Learn a tagger from CoNLL-U
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    wordmill pos train corpora/tagged.conllu -o pos.safetensors\n  \
    wordmill pos train corpora/tagged.conllu --vectors corpora/vectors.vec -o pos.safetensors")]
struct PosTrainArgs {
    #[command(flatten)]
    shared: TrainArgs,
    #[command(flatten)]
    epochs: EpochsArgs,
    #[command(flatten)]
    also: AlsoArgs,
    #[command(flatten)]
    classes: ClassesArgs,
    /// List of inflected forms to know: form, lemma, UPOS and XPOS, parted by tabs
    #[arg(long, value_name = "FILE")]
    dictionary: Vec<PathBuf>,
    /// Word vectors, in any format of `wordmill vectors`: a small network learns from them too, and has a say
    #[arg(long, value_name = "FILE")]
    vectors: Option<PathBuf>,
    /// What the network's say is worth beside the other model's
    #[arg(long, value_name = "X", requires = "vectors", default_value_t = Options::default().trust, value_parser = trust)]
    trust: f32,
}

fn trust(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(trust) if (0.0..=1000.0).contains(&trust) => Ok(trust),
        _ => Err("expected a number from 0 to 1000".to_owned()),
    }
}

const COLUMNS: &[TsvColumn] = &[
    TsvColumn::Form,
    TsvColumn::Upos,
    TsvColumn::Xpos,
    TsvColumn::Feats,
];

pub fn run(args: &Args) -> Result<()> {
    match &args.command {
        Some(Command::Train(args)) => return train(args),
        Some(Command::Truecase(args)) => return truecase::run(args),
        Some(Command::Eval(args)) => return eval::run(&args.eval, args.errors, Task::Pos, system),
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
    models.must_hold(&[tokenize::LAYER, pos::LAYER])?;
    let pipeline = Pipeline {
        tokenizer: Some(models.tokenizer(args.stream.newline == Newline::Break)?),
        pos: Some(models.tagger()?),
        keep: args.keep.keep,
        ..Pipeline::default()
    };
    let job = Job {
        default_to: OutputFormat::Conllu,
        highlight: Some(Highlight::Tags),
        view: View::Tagged,
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

fn system(models: &Models, _: &[Document]) -> Result<System<'static>> {
    let pipeline = Pipeline {
        tokenizer: Some(models.tokenizer(false)?),
        pos: Some(models.tagger()?),
        ..Pipeline::default()
    };
    Ok(System::of(pipeline))
}

fn train(args: &PosTrainArgs) -> Result<()> {
    let mut documents = vec![args.shared.read()?];
    documents.extend(args.also.read()?);
    let dictionary = corpus::read_dictionaries(&args.dictionary)?;
    let known = Known {
        dictionary: &dictionary,
        classes: args.classes.read()?,
        vectors: args.vectors.as_deref().map(vectors).transpose()?,
    };
    let sources = train::sources(&documents);
    let words = sources
        .iter()
        .flatten()
        .map(|sentence| sentence.words.len());
    let mut options = Options {
        seed: args.shared.seed,
        trust: args.trust,
        ..Options::for_words(words.sum())
    };
    options.epochs = args.epochs.epochs.unwrap_or(options.epochs);
    options.network.seed = options.seed;
    let rounds = args.shared.rounds(options.epochs);
    let network = args.shared.rounds(options.network.epochs);
    let tagger = pos::train::train(&sources, known, &options, |report| match report {
        Report::Network { epoch, loss } => {
            network.done(epoch, &format!("network, loss {loss:.4}"));
        }
        Report::Perceptron { epoch, right } => {
            rounds.done(epoch, &format!("{:.2} % of sentences right", 100.0 * right));
        }
    });
    let section = tagger.to_section();
    let pipeline = Pipeline {
        pos: Some(tagger),
        ..Pipeline::default()
    };
    args.shared
        .finish(Task::Pos, section, |document| pipeline.annotate(document))
}

/// Vectors of a file.
fn vectors(path: &Path) -> Result<Vectors> {
    let found = load::load(path, Invalid::Error)?;
    let view = found.view();
    let rows = (0..view.words.len()).map(|row| (view.words[row].as_str(), view.row(row)));
    Ok(Vectors::new(rows, view.dim))
}
