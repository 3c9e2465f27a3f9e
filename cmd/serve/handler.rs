//! What answers requests: a command line without `wordmill`, such as `annotate --layers tokens,pos --to tsv`.

use crate::engine::{Body, Engine, NotServed};
use crate::stream::Failure;
use crate::{Cli, Command, annotate, lemmatize, ner, pos, seq2seq, stem, tokenize, transformer};
use anyhow::{Result, bail};
use clap::Parser;

/// Cuts a command line as a shell does.
///
/// # Errors
/// When a quotation mark is left open, or there is nothing in it.
pub fn words(line: &str) -> Result<Vec<String>> {
    match shlex::split(line) {
        Some(words) if !words.is_empty() => Ok(words),
        Some(_) => bail!(
            Failure::usage("no command that answers requests")
                .hint("annotate is one, or transformer translate RUN")
        ),
        None => bail!(Failure::usage(format!(
            "a quotation mark is left open: {line}"
        ))),
    }
}

/// Loads the models of a command line, and hands what answers to `then`.
///
/// # Errors
/// When the command does not answer requests, or what is wrong with its flags and models.
pub fn ready(words: &[String], then: impl FnOnce(&dyn Engine) -> Result<()>) -> Result<()> {
    let line = words.join(" ");
    let all = std::iter::once("wordmill").chain(words.iter().map(String::as_str));
    let cli = Cli::try_parse_from(all).map_err(|error| {
        let text = error.to_string();
        // Usage and an offer of help follow, for somebody at a terminal.
        let problem = text.split("\n\n").next().unwrap_or_default();
        let problem = problem.strip_prefix("error: ").unwrap_or(problem);
        Failure::usage(format!("`{line}`: {problem}"))
    })?;
    let checked = |engine: &dyn Engine| {
        if let Some(flag) = engine.file_flag() {
            let problem = format!("`{line}`: {flag} is about files, and a request has none");
            bail!(Failure::usage(problem));
        }
        // What is wrong with flags is known before the first request.
        engine.answer(Body::default())?;
        then(engine)
    };
    let done = match &cli.command {
        Command::Tokenize(args) => tokenize::ready(args, checked),
        Command::Stem(args) => stem::ready(args, checked),
        Command::Lemmatize(args) => lemmatize::ready(args, checked),
        Command::Pos(args) => pos::ready(args, checked),
        Command::Ner(args) => ner::ready(args, checked),
        Command::Annotate(args) => annotate::ready(args, checked),
        Command::Seq2seq(args) => seq2seq::ready(args, checked),
        Command::Transformer(args) => transformer::ready(args, checked),
        _ => Err(NotServed.into()),
    };
    done.map_err(|error| match error.downcast::<NotServed>() {
        Ok(error) => Failure::usage(format!("`{line}` {error}")).into(),
        Err(other) => other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_words_are_one() {
        let cut = words("tokenize --pattern '[A-Z] ?' --to words").expect("a line");
        assert_eq!(cut, ["tokenize", "--pattern", "[A-Z] ?", "--to", "words"]);
    }

    #[test]
    fn an_open_quotation_mark_is_refused() {
        assert!(words("stem 'x").is_err());
    }
}
