//! The runtime API of Lambda, version 2018-06-01: what is to be answered, and the answers.
//!
//! ```text
//! GET  /runtime/invocation/next          an event, when there is one
//! POST /runtime/invocation/ID/response   its answer
//! POST /runtime/invocation/ID/error      why it has none
//! POST /runtime/init/error               why there can be no answers
//! ```

use super::event::Wrong;
use crate::stream::Failure;
use anyhow::{Context, Result, bail};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::HOST;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The variable of the environment with its host and port.
const VARIABLE: &str = "AWS_LAMBDA_RUNTIME_API";

pub struct RuntimeApi {
    host: String,
    runtime: Runtime,
    stop: Signal,
}

/// Something to be answered.
pub struct Invocation {
    id: String,
    pub event: Bytes,
}

impl RuntimeApi {
    /// # Errors
    /// When the environment does not say where it is.
    pub fn new(runtime: Runtime) -> Result<RuntimeApi> {
        let Ok(host) = std::env::var(VARIABLE) else {
            bail!(
                Failure::usage(format!(
                    "{VARIABLE} is not set: this is no runtime of Lambda"
                ))
                .hint("--event FILE answers an event anywhere")
            );
        };
        let stop = {
            let _entered = runtime.enter();
            signal(SignalKind::terminate())?
        };
        Ok(RuntimeApi {
            host,
            runtime,
            stop,
        })
    }

    /// The next event, however long it takes to come; none when SIGTERM comes first.
    ///
    /// # Errors
    /// When the API is not there, or not as it should be.
    pub fn next(&mut self) -> Result<Option<Invocation>> {
        let RuntimeApi {
            host,
            runtime,
            stop,
        } = self;
        let next = call(host, Method::GET, "invocation/next", None);
        let response = runtime.block_on(async {
            tokio::select! {
                response = next => response.map(Some),
                _ = stop.recv() => Ok(None),
            }
        });
        let Some(response) = response.with_context(|| host.clone())? else {
            return Ok(None);
        };
        let status = response.status();
        let id = response.headers().get("lambda-runtime-aws-request-id");
        match id.and_then(|id| id.to_str().ok()) {
            Some(id) if status.is_success() => Ok(Some(Invocation {
                id: id.to_owned(),
                event: response.into_body(),
            })),
            _ => bail!("{host}: no event, but {status}"),
        }
    }

    /// Gives the answer to an event. If Lambda does not take it, it is told so.
    ///
    /// # Errors
    /// When the API is not there.
    pub fn respond(&self, invocation: &Invocation, answer: String) -> Result<()> {
        let path = format!("invocation/{}/response", invocation.id);
        let status = self.post(&path, (answer, None))?;
        if !status.is_success() {
            let wrong = Wrong {
                kind: "Function.AnswerRefused",
                problem: format!("Lambda did not take the answer: {status}"),
            };
            self.fail(invocation, &wrong)?;
        }
        Ok(())
    }

    /// Says why an event has no answer.
    ///
    /// # Errors
    /// When the API is not there.
    pub fn fail(&self, invocation: &Invocation, wrong: &Wrong) -> Result<()> {
        eprintln!("wordmill lambda: {}", wrong.problem);
        self.report(&format!("invocation/{}/error", invocation.id), wrong)
    }

    /// Says why there can be no answers.
    ///
    /// # Errors
    /// When the API is not there.
    pub fn fail_init(&self, wrong: &Wrong) -> Result<()> {
        self.report("init/error", wrong)
    }

    fn report(&self, path: &str, wrong: &Wrong) -> Result<()> {
        let Wrong { kind, problem } = wrong;
        let object = json!({"errorMessage": problem, "errorType": kind, "stackTrace": []});
        self.post(path, (object.to_string(), Some(kind)))?;
        Ok(())
    }

    fn post(&self, path: &str, body: (String, Option<&str>)) -> Result<hyper::StatusCode> {
        let done = call(&self.host, Method::POST, path, Some(body));
        let response = self.runtime.block_on(done);
        let status = response.with_context(|| self.host.clone())?.status();
        match status.is_server_error() {
            // Its documentation asks to end then.
            true => bail!("{}: {status}", self.host),
            false => Ok(status),
        }
    }
}

/// One request on a connection of its own, as it is to this machine; a body comes with the name of an error, if it is one.
async fn call(
    host: &str,
    method: Method,
    path: &str,
    body: Option<(String, Option<&str>)>,
) -> Result<Response<Bytes>> {
    let stream = TcpStream::connect(host).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let driving = tokio::spawn(connection);
    let mut request = Request::builder()
        .method(method)
        .uri(format!("/2018-06-01/runtime/{path}"))
        .header(HOST, host);
    let (body, kind) = body.unwrap_or_default();
    if let Some(kind) = kind {
        request = request.header("lambda-runtime-function-error-type", kind);
    }
    let request = request.body(Full::new(Bytes::from(body)))?;
    let (head, body) = sender.send_request(request).await?.into_parts();
    let body = body.collect().await?.to_bytes();
    driving.abort();
    Ok(Response::from_parts(head, body))
}
