//! `wordmill lambda`: a runtime of AWS Lambda.

mod event;
mod runtime_api;

use super::{handler, runtime};
use crate::engine::Engine;
use crate::stream::{self, Failure, Output};
use anyhow::{Result, bail};
use event::Wrong;
use runtime_api::RuntimeApi;
use std::io::Read;
use std::path::PathBuf;

/// Answer events of AWS Lambda
///
/// The binary is a custom runtime: named `bootstrap` in the archive of a function it starts by itself. The function's handler
/// (_HANDLER) is what answers, a command of the text family, or `transformer translate` or `seq2seq translate`: `annotate --to
/// jsonl`. Its models are loaded once.
///
/// An event is a string; an object with its text in the field `text`, whose other fields are kept; an array of these; or a
/// request of API Gateway, a load balancer or a function's URL, with `body`, `isBase64Encoded`, and the headers of
/// `wordmill sagemaker serve`. A string gets what the command prints: a string, or the object if it prints JSON Lines; an
/// object gets an object, an array an array; a request a response with `statusCode` and `body`.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    wordmill lambda --handler 'annotate --layers tokens,pos' --event corpora/event.json\n  \
    echo '\"Ann sang.\"' | wordmill lambda --handler 'ner --to tsv' --event -")]
pub struct Args {
    /// Command that answers [default: that of the environment's _HANDLER]
    #[arg(long, value_name = "COMMAND")]
    handler: Option<String>,
    /// Answer the event in this file instead of those of the runtime, and print the answer; - is standard input
    #[arg(long, value_name = "FILE")]
    event: Option<PathBuf>,
}

pub fn run(args: &Args) -> Result<()> {
    match &args.event {
        Some(path) => {
            let mut event = Vec::new();
            stream::open(path)?.read_to_end(&mut event)?;
            args.ready(|engine| print(engine, &event))
        }
        None => serve(args),
    }
}

impl Args {
    fn ready(&self, then: impl FnOnce(&dyn Engine) -> Result<()>) -> Result<()> {
        let given = || std::env::var("_HANDLER").ok();
        let Some(line) = self.handler.clone().or_else(given) else {
            bail!(
                Failure::usage("nothing says what answers")
                    .hint("the function's handler does, as in `annotate --to jsonl`, or --handler")
            );
        };
        handler::ready(&handler::words(&line)?, then)
    }
}

/// The answer to one event.
fn print(engine: &dyn Engine, event: &[u8]) -> Result<()> {
    let answer = event::answer(engine, event).map_err(|wrong| Failure::plain(wrong.problem))?;
    let mut output = Output::create(None, false)?;
    output.write(&format!("{answer}\n"))?;
    output.finish()
}

/// Answers the events of the runtime, one after the other.
fn serve(args: &Args) -> Result<()> {
    let runtime = runtime()?;
    let mut api = RuntimeApi::new(runtime)?;
    let mut is_ready = false;
    let served = args.ready(|engine| {
        is_ready = true;
        while let Some(invocation) = api.next()? {
            match event::answer(engine, &invocation.event) {
                Ok(answer) => api.respond(&invocation, answer.to_string())?,
                Err(wrong) => api.fail(&invocation, &wrong)?,
            }
        }
        Ok(())
    });
    if let (false, Err(error)) = (is_ready, &served) {
        let wrong = Wrong {
            kind: "Runtime.InvalidHandler",
            problem: format!("{error:#}"),
        };
        // The failure itself is what is to be told.
        let _ = api.fail_init(&wrong);
    }
    served
}
