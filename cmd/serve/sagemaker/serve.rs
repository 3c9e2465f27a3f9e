//! `wordmill sagemaker serve`: a service that answers bodies as a command answers standard input.

use super::root::{RootArgs, names};
use crate::engine::{Body, Engine};
use crate::serve::desk::{self, Desk};
use crate::serve::http::{self, Limits};
use crate::serve::reply::Reply;
use crate::serve::{handler, negotiate, runtime};
use crate::stream::Failure;
use anyhow::{Context, Result, bail};
use hyper::body::Incoming;
use hyper::header::{ACCEPT, ALLOW, CONTENT_TYPE, HeaderName, RETRY_AFTER};
use hyper::{Method, Request};
use std::path::Path;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Answer requests: texts are annotated, or translated
///
/// GET /ping says that the service lives. POST /invocations answers a body as a command of the text family, or `transformer
/// translate` or `seq2seq translate`, answers standard input. The command is the environment's WORDMILL_SERVE, as in `ner
/// --to jsonl`; else what lies in the folder `model` translates (a run) or annotates (files of models), and if nothing
/// does, `annotate` with the models inside the tool.
///
/// A body is text/plain, read as the command reads standard input, or application/jsonlines, an object a line with its text in
/// the field `text`. Accept chooses between text/plain, application/jsonlines, text/tab-separated-values and text/html, as
/// far as the command has them. What is wrong with a request is said in JSON: {"error": "line 2: …"}.
///
/// SIGTERM ends the service when what is under way is answered.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  \
    wordmill sagemaker serve --root ml --port 0 & sleep 1; kill $!")]
pub struct Args {
    #[command(flatten)]
    root: RootArgs,
    /// Port to answer on; 0 is any that is free, which standard error names
    #[arg(long, value_name = "N", default_value_t = 8080)]
    port: u16,
    /// Bytes of a body at most
    #[arg(long, value_name = "N", default_value_t = 6 << 20)]
    max_bytes: usize,
    /// Requests under way or waiting at once; more are refused, and may be tried again
    #[arg(long, value_name = "N", default_value_t = 128, value_parser = clap::value_parser!(u16).range(1..))]
    queue: u16,
    /// Seconds that a client may take for the head of a request, for its body, or to read an answer
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..))]
    timeout: u16,
}

/// The variable of the environment with the command.
const VARIABLE: &str = "WORDMILL_SERVE";

pub fn run(args: &Args) -> Result<()> {
    let runtime = runtime()?;
    // Before the models are loaded: the first process of a container does not hear what it has not asked for.
    let stop = {
        let _entered = runtime.enter();
        signal(SignalKind::terminate())?
    };
    let words = command(&args.root.model())?;
    handler::ready(&words, |engine| {
        serve(args, engine, &words.join(" "), (runtime, stop))
    })
}

/// The command that answers, by the environment or what lies in the folder.
fn command(model: &Path) -> Result<Vec<String>> {
    let given = std::env::var(VARIABLE).ok();
    if let Some(line) = given.filter(|line| !line.trim().is_empty()) {
        return handler::words(&line);
    }
    let folder = model.display().to_string();
    let file = |name: &str| model.join(name).display().to_string();
    let mut words = vec!["annotate".to_owned()];
    let names = names(model);
    if names.iter().any(|name| name == "config.json") {
        let text = std::fs::read_to_string(model.join("config.json"))
            .with_context(|| file("config.json"))?;
        let config: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        return match config["architecture"].as_str() {
            Some(name @ ("transformer" | "seq2seq")) => {
                Ok([name, "translate", &folder].map(str::to_owned).to_vec())
            }
            _ => bail!(
                Failure::of_file(&folder, "holds a run that does not translate")
                    .hint("those of `wordmill transformer` and `wordmill seq2seq` do")
            ),
        };
    }
    let is_model = |name: &&String| {
        let name = name
            .strip_suffix(".zst")
            .or(name.strip_suffix(".gz"))
            .unwrap_or(name);
        name.ends_with(".safetensors")
    };
    for name in names.iter().filter(is_model) {
        words.extend(["--model".to_owned(), file(name)]);
    }
    if words.len() == 1 && !names.is_empty() {
        let problem = format!("holds neither a run nor a model: {}", names.join(", "));
        bail!(Failure::of_file(&folder, problem).hint(format!(
            "models are named *.safetensors; {VARIABLE} names a command"
        )));
    }
    Ok(words)
}

/// Answers until SIGTERM.
fn serve(
    args: &Args,
    engine: &dyn Engine,
    line: &str,
    (runtime, mut stop): (Runtime, Signal),
) -> Result<()> {
    let name = format!("port {}", args.port);
    let listener =
        std::net::TcpListener::bind(("0.0.0.0", args.port)).with_context(|| name.clone())?;
    listener.set_nonblocking(true).context(name)?;
    let port = listener.local_addr()?.port();
    let limits = Limits {
        bytes: args.max_bytes,
        patience: Duration::from_secs(args.timeout.into()),
    };
    let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let (sender, tasks) = channel();
    let tasks = Mutex::new(tasks);
    std::thread::scope(|scope| {
        for _ in 0..engine.threads().map_or_else(cores, usize::from) {
            scope.spawn(|| desk::work(engine, &tasks));
        }
        let desk = Arc::new(Desk::new(args.queue.into(), sender, engine.kinds()));
        let served = runtime.block_on(async {
            let listener = TcpListener::from_std(listener)?;
            eprintln!("wordmill sagemaker serve: `{line}` answers on port {port}");
            let stopped = async {
                stop.recv().await;
            };
            let answer = move |request| reply(request, Arc::clone(&desk), limits);
            http::serve(listener, limits, stopped, answer).await;
            Ok(())
        });
        // With what is left of connections goes the desk, for whose end the threads wait.
        drop(runtime);
        served
    })
}

async fn reply(request: Request<Incoming>, desk: Arc<Desk>, limits: Limits) -> Reply {
    let not_so = |allowed| Reply::refusal(405, "no such method here").with(ALLOW.as_str(), allowed);
    let refusal = match (request.uri().path(), request.method()) {
        ("/ping", &Method::GET) => return Reply::empty(),
        ("/invocations", &Method::POST) => return invocation(request, &desk, limits).await,
        ("/ping", _) => not_so("GET"),
        ("/invocations", _) => not_so("POST"),
        _ => Reply::refusal(404, "no such path: there are /ping and /invocations"),
    };
    http::discard(request.into_body(), limits).await;
    refusal
}

async fn invocation(request: Request<Incoming>, desk: &Desk, limits: Limits) -> Reply {
    let header = |name: HeaderName| request.headers().get(name)?.to_str().ok();
    let asked = negotiate::is_jsonl(header(CONTENT_TYPE))
        .and_then(|is_jsonl| Ok((is_jsonl, negotiate::wanted(header(ACCEPT), &desk.kinds)?)));
    let slot = asked.and_then(|asked| match desk.slot() {
        Some(slot) => Ok((asked, slot)),
        None => {
            let problem = "as many requests are under way as there may be";
            Err(Reply::refusal(503, problem).with(RETRY_AFTER.as_str(), "1"))
        }
    });
    let ((is_jsonl, wanted), slot) = match slot {
        Ok(found) => found,
        Err(refusal) => {
            http::discard(request.into_body(), limits).await;
            return refusal;
        }
    };
    let bytes = match http::body(request.into_body(), limits).await {
        Ok(bytes) => bytes,
        Err(refusal) => return refusal,
    };
    let body = Body {
        bytes,
        is_jsonl,
        wanted,
    };
    match desk.answer(slot, body).await {
        Ok(answer) => answer.into(),
        Err(error) => Reply::of_error(&error),
    }
}
