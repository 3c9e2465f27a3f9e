//! `wordmill annotate`: all layers in one pass.

use crate::engine::Engine;
use crate::entities::EntityArgs;
use crate::layers::{ModeArgs, ModelArgs, Models};
use crate::stream::{Job, KeepArgs, Layered, Newline, StreamArgs, Tsv};
use anyhow::Result;
use clap::ValueEnum;
use wordmill::text::format::OutputFormat;
use wordmill::text::highlight::Highlight;
use wordmill::text::pipeline::Pipeline;
use wordmill::text::tsv::TsvColumn;
use wordmill::text::{lemma, ner, pos, tokenize};

/// Annotate text with all layers in one pass
///
/// Finds sentences and words, parts of speech, lemmas and named entities. Reads text, lines, tokens, CoNLL-U, JSON
/// Lines or columns; writes CoNLL-U, or JSON Lines from JSON Lines. --to tsv has the columns form, lemma, upos, xpos,
/// feats and ner; --to html is a page with entities in colour, and the other layers of the word that is pointed at;
/// --to ansi has the colours of a terminal. The same as
/// `wordmill tokenize --to conllu | wordmill pos | wordmill lemmatize | wordmill ner`.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    wordmill annotate corpora/sample.txt\n  \
    wordmill annotate --layers tokens,pos,lemma --to tsv corpora/sample.txt\n  \
    wordmill annotate --to html corpora/sample.txt -o sample.html\n  \
    wordmill annotate --layers tokens,stem corpora/notes.jsonl")]
pub struct Args {
    /// Layers to add
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "tokens,pos,lemma,ner"
    )]
    layers: Vec<Layer>,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    mode: ModeArgs,
    #[command(flatten)]
    keep: KeepArgs,
    #[command(flatten)]
    entities: EntityArgs,
    #[command(flatten)]
    stream: StreamArgs,
}

/// A layer of annotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Layer {
    /// Sentences, tokens and words
    Tokens,
    /// Parts of speech and morphological features
    Pos,
    /// Lemmas
    Lemma,
    /// Named entities
    Ner,
    /// Stems (Snowball, of the models' language)
    Stem,
}

const COLUMNS: &[TsvColumn] = &[
    TsvColumn::Form,
    TsvColumn::Lemma,
    TsvColumn::Upos,
    TsvColumn::Xpos,
    TsvColumn::Feats,
    TsvColumn::Ner,
];

pub fn run(args: &Args) -> Result<()> {
    ready(args, |engine| engine.run())
}

/// Loads the models, and hands what works with them to `then`.
pub fn ready(args: &Args, then: impl FnOnce(&dyn Engine) -> Result<()>) -> Result<()> {
    let pipeline = args.pipeline()?;
    let job = Job {
        default_to: OutputFormat::Conllu,
        highlight: Some(Highlight::Entities),
        tsv: Tsv::Words(COLUMNS),
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

impl Args {
    /// The layers that were asked for, and those they stand on.
    fn pipeline(&self) -> Result<Pipeline> {
        let models = Models::open(&self.model.model)?;
        models.must_hold(&[tokenize::LAYER, pos::LAYER, lemma::LAYER, ner::LAYER])?;
        let has = |layer| self.layers.contains(&layer);
        let needs_tags = has(Layer::Pos) || has(Layer::Lemma) || has(Layer::Ner);
        let mut pipeline = Pipeline {
            tokenizer: Some(models.tokenizer(self.stream.newline == Newline::Break)?),
            pos: needs_tags.then(|| models.tagger()).transpose()?,
            keep_tags: !has(Layer::Pos),
            lemmatizer: has(Layer::Lemma)
                .then(|| models.lemmatizer(self.mode.mode))
                .transpose()?,
            recognizer: has(Layer::Ner).then(|| models.recognizer()).transpose()?,
            stemmer: has(Layer::Stem).then(|| models.stemmer()).transpose()?,
            keep: self.keep.keep,
            ..Pipeline::default()
        };
        self.entities.add_to(&mut pipeline, &models)?;
        Ok(pipeline)
    }
}
