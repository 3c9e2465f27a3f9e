//! The talking half of wordmill: reads the command line, runs a command, says what went wrong.
//!
//! A new command is a file with `Args` and `run`, its `mod`, its variant in [`Command`], its arm in [`Command::run`],
//! and its name in [`GROUPS`].

mod annotate;
mod bag;
mod bleu;
mod bow;
mod classes;
mod completions;
mod corpus;
mod device;
mod engine;
mod entities;
mod eval;
mod gan;
mod glove;
mod layers;
mod lemmatize;
mod licenses;
mod made;
mod man;
mod merge;
mod model;
mod ner;
mod pos;
mod progress;
mod ranks;
mod report;
mod run_folder;
mod sentences;
mod seq2seq;
mod serve;
mod stem;
mod stop;
mod stream;
mod subword;
mod teller;
mod tfidf;
mod threads;
mod tokenize;
mod train;
mod transformer;
mod translation;
mod truecase;
mod values;
mod vectors;
mod word2vec;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

// Every batch frees what the last one allocated, on other threads: the system's allocator spends a third of the time
// on returning pages that are asked for again at once.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Natural-language processing and generative models from the shell
#[derive(Parser)]
#[command(name = "wordmill", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Tokenize(tokenize::Args),
    Stem(stem::Args),
    Lemmatize(lemmatize::Args),
    Pos(pos::Args),
    Ner(ner::Args),
    Annotate(annotate::Args),
    Subword(subword::Args),
    Bow(bow::Args),
    Tfidf(tfidf::Args),
    Merge(merge::Args),
    Classes(classes::Args),
    Word2vec(word2vec::Args),
    Glove(glove::Args),
    Vectors(vectors::Args),
    Seq2seq(seq2seq::Args),
    Transformer(transformer::Args),
    Bleu(bleu::Args),
    Gan(gan::Args),
    Sagemaker(serve::sagemaker::Args),
    Lambda(serve::lambda::Args),
    Model(model::Args),
    Licenses(licenses::Args),
    #[command(hide = true)]
    Man(man::Args),
    #[command(hide = true)]
    Completions(completions::Args),
}

/// The commands in the order of the short help.
const GROUPS: &[(&str, &[&str])] = &[
    (
        "Text",
        &[
            "tokenize",
            "stem",
            "lemmatize",
            "pos",
            "ner",
            "annotate",
            "subword",
        ],
    ),
    ("Bags of words", &["bow", "tfidf", "merge"]),
    ("Embeddings", &["word2vec", "glove", "vectors", "classes"]),
    ("Translation", &["transformer", "seq2seq", "bleu"]),
    ("Images, points, rows", &["gan"]),
    ("As a service", &["sagemaker", "lambda"]),
    ("The tool", &["model", "licenses"]),
];

impl Command {
    fn run(self) -> anyhow::Result<()> {
        match self {
            Command::Tokenize(args) => tokenize::run(&args),
            Command::Stem(args) => stem::run(&args),
            Command::Lemmatize(args) => lemmatize::run(&args),
            Command::Pos(args) => pos::run(&args),
            Command::Ner(args) => ner::run(&args),
            Command::Annotate(args) => annotate::run(&args),
            Command::Subword(args) => subword::run(&args),
            Command::Bow(args) => bow::run(&args),
            Command::Tfidf(args) => tfidf::run(&args),
            Command::Merge(args) => merge::run(&args),
            Command::Classes(args) => classes::run(&args),
            Command::Word2vec(args) => word2vec::run(&args),
            Command::Glove(args) => glove::run(&args),
            Command::Vectors(args) => vectors::run(&args),
            Command::Seq2seq(args) => seq2seq::run(&args),
            Command::Gan(args) => gan::run(&args),
            Command::Transformer(args) => transformer::run(&args),
            Command::Bleu(args) => bleu::run(&args),
            Command::Sagemaker(args) => serve::sagemaker::run(&args),
            Command::Lambda(args) => serve::lambda::run(&args),
            Command::Model(args) => model::run(&args),
            Command::Licenses(args) => licenses::run(&args),
            Command::Man(args) => man::run(&args),
            Command::Completions(args) => completions::run(&args),
        }
    }
}

fn main() -> ExitCode {
    let matches = command().get_matches_from(arguments(std::env::args_os().collect()));
    let names = names(&matches);
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    match cli.command.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<stream::NothingToRead>() => show_help(&names),
        Err(error) if error.is::<ranks::Told>() => ExitCode::FAILURE,
        Err(error) => report(&names.join(" "), &error),
    }
}

/// The command line. Lambda starts a runtime by the name `bootstrap`, without arguments.
fn arguments(mut words: Vec<OsString>) -> Vec<OsString> {
    let name = words.first().map(Path::new).and_then(Path::file_name);
    if name.is_some_and(|name| name == "bootstrap") {
        words.insert(1, "lambda".into());
    }
    words
}

/// The whole command line, with its commands in groups.
pub fn command() -> clap::Command {
    let command = Cli::command();
    let mut listing = String::new();
    for (group, names) in GROUPS {
        listing += &format!("\n{group}:\n");
        for name in *names {
            let found = command.find_subcommand(name).and_then(|c| c.get_about());
            let about = found.map(ToString::to_string).unwrap_or_default();
            listing += &format!("  {name:<11} {about}\n");
        }
    }
    command.help_template(format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n{listing}\nOptions:\n{{options}}\n\n\
         `wordmill COMMAND --help` says more about a command.\n"
    ))
}

/// The command that was called, and its subcommand: `tokenize`, `train`.
fn names(mut matches: &clap::ArgMatches) -> Vec<String> {
    let mut names = Vec::new();
    while let Some((name, inner)) = matches.subcommand() {
        names.push(name.to_string());
        matches = inner;
    }
    names
}

fn show_help(names: &[String]) -> ExitCode {
    let mut command = command();
    command.build();
    let find = |outer: clap::Command, name: &String| {
        // The names were parsed, so they are there.
        outer.find_subcommand(name).cloned().unwrap_or(outer)
    };
    let mut found = names.iter().fold(command, find);
    eprint!("{}", found.render_help());
    ExitCode::from(2)
}

/// `wordmill pos: tags.conllu:14: expected 10 columns, found 3`, and a hint where there is one.
fn report(name: &str, error: &anyhow::Error) -> ExitCode {
    eprintln!("wordmill {name}: {error:#}");
    let failure = error.downcast_ref::<stream::Failure>();
    if let Some(hint) = failure.and_then(|failure| failure.hint.as_ref()) {
        eprintln!("hint: {hint}");
    }
    match failure.is_some_and(|failure| failure.is_usage) {
        true => ExitCode::from(2),
        false => ExitCode::FAILURE,
    }
}
