//! `wordmill lambda`: events and their answers, from a file and from a runtime that is played.

use crate::harness::{binary, root, wordmill};
use crate::running::Running;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// What a handler makes of an event.
fn answer(handler: &str, event: &Value) -> Value {
    let call = wordmill("lambda --event - --handler").arg(handler);
    serde_json::from_str(&call.stdin(event.to_string()).text()).unwrap()
}

fn annotated(text: &str) -> Value {
    let call = wordmill("annotate --to jsonl").stdin(text);
    serde_json::from_str(&call.text()).unwrap()
}

#[test]
fn a_string_gets_what_the_command_prints() {
    let text = "Ann has dogs.\nBob sings.";
    for handler in ["annotate", "ner --to tsv", "tokenize --keep alpha"] {
        let printed = wordmill(handler).stdin(text).text();
        assert_eq!(answer(handler, &json!(text)), json!(printed), "{handler}");
    }
    assert_eq!(
        answer("annotate --to jsonl", &json!("Ann has dogs.")),
        annotated("Ann has dogs.")
    );
}

#[test]
fn an_object_gets_an_object_with_its_other_fields() {
    let found = answer("annotate", &json!({"text": "Ann has dogs.", "year": 1843}));
    assert_eq!(found["year"], 1843);
    assert_eq!(found["sentences"], annotated("Ann has dogs.")["sentences"]);
}

#[test]
fn an_array_gets_an_array() {
    let event = json!(["Ann has dogs.", {"text": "Bob sings."}]);
    let found = answer("annotate", &event);
    let sentences = |text| annotated(text)["sentences"].clone();
    assert_eq!(found[0]["sentences"], sentences("Ann has dogs."));
    assert_eq!(found[1]["sentences"], sentences("Bob sings."));
    assert_eq!(answer("annotate", &json!([])), json!([]));
}

#[test]
fn a_request_gets_a_response() {
    let text = wordmill("stem").stdin("Dogs bark.").text();
    let headers = json!({"content-type": "text/plain; charset=utf-8"});
    for request in [
        json!({"body": "Dogs bark.", "httpMethod": "POST", "headers": null}),
        // "Dogs bark." in base64.
        json!({"body": "RG9ncyBiYXJrLg==", "isBase64Encoded": true, "requestContext": {}}),
    ] {
        let expected =
            json!({"statusCode": 200, "headers": headers, "isBase64Encoded": false, "body": text});
        assert_eq!(answer("stem", &request), expected, "{request}");
    }
}

#[test]
fn a_request_chooses_by_its_headers() {
    let headers =
        json!({"Content-Type": "application/x-ndjson", "ACCEPT": "text/tab-separated-values"});
    let found = answer(
        "pos",
        &json!({"body": "{\"text\": \"Ann sang.\"}", "headers": headers}),
    );
    assert_eq!(
        found["body"],
        wordmill("pos --to tsv").stdin("Ann sang.").text()
    );
}

#[test]
fn a_bad_request_gets_a_response_that_says_so() {
    let status = |request: Value| answer("stem", &request)["statusCode"].clone();
    assert_eq!(status(json!({"body": "%", "isBase64Encoded": true})), 400);
    assert_eq!(status(json!({"body": {"text": "x"}})), 400);
    assert_eq!(
        status(json!({"body": "/w==", "isBase64Encoded": true})),
        400
    );
    let pdf = json!({"content-type": "application/pdf"});
    assert_eq!(status(json!({"body": "x", "headers": pdf})), 415);
    assert_eq!(status(json!({"body": null, "requestContext": {}})), 200);
}

#[test]
fn events_of_other_shapes_are_refused_with_those_that_are_taken() {
    for event in ["3", "{\"Records\": []}", "[3]", "{"] {
        let call = wordmill("lambda --handler stem --event -").stdin(event);
        let message = call.fails(1);
        assert!(
            message.contains("expected a string, an object") || message.contains("no JSON"),
            "{event}: {message}"
        );
    }
}

/// A request that the runtime has made.
#[derive(Debug)]
struct Asked {
    line: String,
    head: String,
    body: String,
    stream: TcpStream,
}

/// The runtime API, one request after the other.
struct Played(TcpListener);

impl Played {
    fn new() -> Played {
        Played(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    fn start(&self, handler: &str) -> Running {
        Running::start(
            Command::new(binary())
                .arg0("/var/task/bootstrap")
                .env(
                    "AWS_LAMBDA_RUNTIME_API",
                    self.0.local_addr().unwrap().to_string(),
                )
                .env("_HANDLER", handler)
                .current_dir(root())
                .stderr(Stdio::piped()),
        )
    }

    fn asked(&self) -> Asked {
        let (stream, _) = self.0.accept().unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(reader.read_line(&mut head).unwrap() > 0, "{head:?}");
        }
        let lower = head.to_ascii_lowercase();
        let length = lower.split("content-length: ").nth(1);
        let length = length.and_then(|rest| rest.lines().next()?.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        reader.read_exact(&mut body).unwrap();
        Asked {
            line: head.lines().next().unwrap().to_owned(),
            head: lower,
            body: String::from_utf8(body).unwrap(),
            stream,
        }
    }

    /// Waits for a request for an event, and gives it one.
    fn give(&self, id: &str, event: &str) {
        let mut asked = self.asked();
        assert_eq!(
            asked.line,
            "GET /2018-06-01/runtime/invocation/next HTTP/1.1"
        );
        let length = event.len();
        let reply = format!(
            "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: {id}\r\nContent-Length: {length}\r\n\r\n{event}"
        );
        asked.stream.write_all(reply.as_bytes()).unwrap();
    }

    /// Waits for an answer, and takes it.
    fn take(&self) -> Asked {
        let mut asked = self.asked();
        let reply = "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n";
        asked.stream.write_all(reply.as_bytes()).unwrap();
        asked
    }
}

fn said(mut child: Running) -> (Option<i32>, String) {
    let mut said = String::new();
    let mut stderr = child.stderr.take().unwrap();
    stderr.read_to_string(&mut said).unwrap();
    (child.wait().unwrap().code(), said)
}

#[test]
fn events_are_answered_one_after_the_other_until_a_signal() {
    let played = Played::new();
    let child = played.start("stem");
    for (id, text) in [("a-1", "Dogs"), ("b-2", "Cats")] {
        played.give(id, &format!("\"{text}\""));
        let answer = played.take();
        let path = format!("POST /2018-06-01/runtime/invocation/{id}/response HTTP/1.1");
        assert_eq!(answer.line, path);
        let stem = wordmill("stem").stdin(text).text();
        assert_eq!(answer.body, json!(stem).to_string());
    }
    let waiting = played.asked();
    child.terminate();
    assert_eq!(said(child), (Some(0), String::new()));
    drop(waiting);
}

#[test]
fn an_event_that_fails_is_reported_and_the_next_is_answered() {
    let played = Played::new();
    let child = played.start("annotate");
    played.give("a", "[{\"text\": 3}]");
    let error = played.take();
    assert_eq!(
        error.line,
        "POST /2018-06-01/runtime/invocation/a/error HTTP/1.1"
    );
    let named = "lambda-runtime-function-error-type: function.invalidevent\r\n";
    assert!(error.head.contains(named), "{}", error.head);
    let object: Value = serde_json::from_str(&error.body).unwrap();
    let problem = "line 1: the field \"text\" holds a number, not a string";
    assert_eq!(object["errorMessage"], problem);
    played.give("b", "\"Dogs bark.\"");
    assert!(played.take().line.contains("/b/response"));
    child.terminate();
    assert_eq!(said(child).0, Some(0));
}

#[test]
fn a_handler_that_cannot_start_is_reported() {
    let played = Played::new();
    let child = played.start("bow");
    let error = played.take();
    assert_eq!(error.line, "POST /2018-06-01/runtime/init/error HTTP/1.1");
    let object: Value = serde_json::from_str(&error.body).unwrap();
    assert_eq!(object["errorType"], "Runtime.InvalidHandler");
    let (status, message) = said(child);
    assert_eq!(status, Some(2));
    assert!(
        message.contains("`bow` does not answer requests"),
        "{message}"
    );
}

#[test]
fn a_runtime_that_vanishes_is_a_failure() {
    let played = Played::new();
    let child = played.start("stem");
    played.give("a", "\"Dogs\"");
    played.take();
    let waiting = played.asked();
    let host = played.0.local_addr().unwrap();
    drop(played);
    drop(waiting);
    let (status, message) = said(child);
    assert_eq!(status, Some(1));
    let expected = format!("wordmill lambda: {host}: ");
    assert!(message.starts_with(&expected), "{message}");
}

#[test]
fn without_a_runtime_a_file_is_asked_for() {
    let message = wordmill("lambda --handler stem").fails(2);
    assert!(message.contains("hint: --event FILE answers"), "{message}");
    let message = wordmill("lambda --event corpora/event.json").fails(2);
    assert!(message.contains("nothing says what answers"), "{message}");
}
