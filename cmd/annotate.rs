//! `wordmill annotate`: all layers in one pass.

use crate::stream::{self, Job, KeepArgs, StreamArgs, Tsv};
use anyhow::Result;
use clap::ValueEnum;
use wordmill::text::document::{Document, Sentence, Token, Word};
use wordmill::text::format::OutputFormat;
use wordmill::text::tsv::TsvColumn;

/// Annotate text with all layers in one pass
///
/// Reads text, lines, tokens, CoNLL-U, JSON Lines or columns; writes CoNLL-U, or JSON Lines from JSON Lines.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  wordmill annotate corpora/sample.txt")]
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
    keep: KeepArgs,
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
    /// Stems
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
    let job = Job {
        default_to: OutputFormat::Conllu,
        tsv: Tsv::Words(COLUMNS),
        ..Job::default()
    };
    stream::documents(&args.stream, &job, |document| {
        if args.layers.contains(&Layer::Tokens) {
            split_at_spaces(document);
        }
        Ok(())
    })
}

/// Stands in for the tokenizer: a paragraph is a sentence, its tokens are parted by white space.
fn split_at_spaces(document: &mut Document) {
    let Some(text) = document
        .text
        .as_ref()
        .filter(|_| document.sentences.is_empty())
    else {
        return;
    };
    let mut sentence = Sentence {
        opens: document.opens,
        ..Sentence::default()
    };
    let mut words = text.split_ascii_whitespace();
    for (i, word) in words.by_ref().enumerate() {
        let start = word.as_ptr() as usize - text.as_ptr() as usize;
        sentence.tokens.push(Token {
            span: start as u32..(start + word.len()) as u32,
            words: i as u32..i as u32 + 1,
            ..Token::default()
        });
        sentence.words.push(Word::of(word));
    }
    if !sentence.words.is_empty() {
        document.sentences.push(sentence);
    }
}
