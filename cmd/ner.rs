//! `wordmill ner`: names, dates, amounts and numbers.

use crate::engine::{Engine, NotServed};
use crate::entities::{self, EntityArgs};
use crate::eval::{self, System, TaggedEvalArgs};
use crate::layers::{ModelArgs, Models};
use crate::stream::{Job, KeepArgs, Layered, Newline, StreamArgs, Tsv};
use crate::train::{self, AlsoArgs, ClassesArgs, EpochsArgs, TrainArgs};
use anyhow::Result;
use clap::Subcommand;
use std::collections::BTreeSet;
use std::path::PathBuf;
use wordmill::text::document::Document;
use wordmill::text::entity;
use wordmill::text::eval::Task;
use wordmill::text::format::OutputFormat;
use wordmill::text::highlight::Highlight;
use wordmill::text::ner::{self, train::Options};
use wordmill::text::pipeline::Pipeline;
use wordmill::text::plain::View;
use wordmill::text::{pos, tokenize};

/// Find names, dates, amounts and numbers
///
/// Marks entities as NER=B-PER, NER=I-PER in the MISC column, or as entities of a JSON object; words without a part of
/// speech are tagged first. PER, ORG and LOC are found by a model; DATE, TIME, DURATION, MONEY, PERCENT, QUANTITY,
/// CARDINAL and ORDINAL by rules, which give them a value: Value= in MISC; labels that a --model knows are left to it.
/// Reads text, lines, tokens, CoNLL-U, JSON Lines or columns. Writes CoNLL-U, or JSON Lines from JSON Lines; --to tsv gives
/// an entity a row: document, start, end, label, text, value, score; --to html and --to ansi show them in the colours of a page or the terminal.
#[derive(clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  \
        wordmill ner --to tsv corpora/sample.txt\n  \
        wordmill ner --to ansi corpora/sample.txt\n  \
        echo 'Apple Inc. was founded by Steve Jobs.' | wordmill ner --to jsonl\n  \
        wordmill ner --redact corpora/sample.txt\n  \
        wordmill ner train corpora/tagged.conllu -o ner.safetensors\n  \
        wordmill ner eval corpora/tagged.conllu"
)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    keep: KeepArgs,
    #[command(flatten)]
    entities: EntityArgs,
    #[command(flatten)]
    stream: StreamArgs,
}

#[derive(Subcommand)]
enum Command {
    Train(NerTrainArgs),
    /// Score a recognizer on annotated text
    ///
    /// Finds the entities in the words of the gold standard, and in its raw text, and prints precision, recall and F1 of whole
    /// entities for each label. Rules find the labels of the gold standard that the model does not know.
    #[command(after_help = "Examples:\n  \
        wordmill ner eval corpora/tagged.conllu\n  \
        wordmill ner eval corpora/tagged.conllu --against corpora/tagged.conllu\n  \
        wordmill ner eval corpora/tagged.conllu --errors 5 --report ner.html")]
    Eval(TaggedEvalArgs),
}

/// Learn a recognizer from CoNLL-U with NER= in MISC, or from columns
///
/// Words without a part of speech are tagged first, by --tagger or the model inside the tool. A recognizer learns best
/// from tags as bad as those it will meet: from a tagger that was not trained on the same text.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  wordmill ner train corpora/tagged.conllu -o ner.safetensors")]
struct NerTrainArgs {
    #[command(flatten)]
    shared: TrainArgs,
    #[command(flatten)]
    epochs: EpochsArgs,
    #[command(flatten)]
    also: AlsoArgs,
    #[command(flatten)]
    classes: ClassesArgs,
    /// Type of entity to learn but not to show; may be repeated
    ///
    /// A recognizer that knows nationalities takes them for places less often.
    #[arg(long, value_name = "TYPE")]
    hide: Vec<String>,
    /// Learn also how sure --scores may be, from a second training on four fifths of the text
    #[arg(long)]
    calibrate: bool,
    /// Tagger for words without a part of speech
    #[arg(long, value_name = "FILE")]
    tagger: Vec<PathBuf>,
}

pub fn run(args: &Args) -> Result<()> {
    match &args.command {
        Some(Command::Train(args)) => return train(args),
        Some(Command::Eval(args)) => return eval::run(&args.eval, args.errors, Task::Ner, system),
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
    models.must_hold(&[tokenize::LAYER, pos::LAYER, ner::LAYER])?;
    let mut pipeline = pipeline(&models, args.stream.newline == Newline::Break)?;
    pipeline.keep = args.keep.keep;
    args.entities.add_to(&mut pipeline, &models)?;
    let job = Job {
        default_to: OutputFormat::Conllu,
        highlight: Some(Highlight::Entities),
        view: View::Entities,
        tsv: Tsv::Entities,
        only: args.entities.formats(),
        ..Job::default()
    };
    let stream = args.entities.stream(&args.stream)?;
    then(&Layered {
        args: &stream,
        job,
        layer: &|document| {
            pipeline.annotate(document);
            args.entities.redact(document);
            Ok(())
        },
    })
}

fn pipeline(models: &Models, newline_breaks: bool) -> Result<Pipeline> {
    Ok(Pipeline {
        tokenizer: Some(models.tokenizer(newline_breaks)?),
        pos: Some(models.tagger()?),
        keep_tags: true,
        recognizer: Some(models.recognizer()?),
        ..Pipeline::default()
    })
}

/// A system whose rules look only for what the gold standard speaks of and the recognizer does not know.
fn system(models: &Models, gold: &[Document]) -> Result<System<'static>> {
    let mut pipeline = pipeline(models, false)?;
    if models.are_english() {
        let mut grammar = entities::english_grammar(pipeline.recognizer.as_ref())?;
        let sentences = gold.iter().flat_map(|document| &document.sentences);
        let wanted: BTreeSet<String> = sentences
            .flat_map(entity::entities)
            .map(|entity| entity.label)
            .collect();
        grammar.keep_only(|label| wanted.contains(label));
        pipeline.grammar = Some(grammar);
    }
    Ok(System::of(pipeline))
}

fn train(args: &NerTrainArgs) -> Result<()> {
    let mut tagging = Pipeline {
        pos: Some(Models::open(&args.tagger)?.tagger()?),
        keep_tags: true,
        ..Pipeline::default()
    };
    let mut documents = vec![args.shared.read()?];
    documents.extend(args.also.read()?);
    documents
        .iter_mut()
        .flatten()
        .for_each(|document| tagging.annotate(document));
    let mut options = Options {
        seed: args.shared.seed,
        ..Options::default()
    };
    options.hidden.clone_from(&args.hide);
    options.epochs = args.epochs.epochs.unwrap_or(options.epochs);
    let rounds = args.shared.rounds(options.epochs);
    let sources = train::sources(&documents);
    let classes = args.classes.read()?;
    let report = |epoch: u32, right: f32| {
        rounds.done(epoch, &format!("{:.2} % of sentences right", 100.0 * right));
    };
    let mut recognizer = ner::train::train(&sources, classes.clone(), &options, report);
    if args.calibrate {
        ner::train::calibrate(&mut recognizer, &sources, classes, &options, report);
    }
    let section = recognizer.to_section();
    tagging.recognizer = Some(recognizer);
    args.shared
        .finish(Task::Ner, section, |document| tagging.annotate(document))
}
