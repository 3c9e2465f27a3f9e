//! Events, and what they get.
//!
//! | event | answer |
//! |---|---|
//! | `"text"` | a string as the command prints it; the object, if it prints JSON Lines |
//! | `{"text": "…", …}` | the same, of the object as JSON Lines |
//! | `[…]` of these | an array of objects; a string, if the command does not print JSON Lines |
//! | `{"body": "…", "isBase64Encoded": …, "headers": …, …}` | `{"statusCode": 200, "headers": …, "body": "…"}` |

use crate::engine::{Answer, Body, Engine, Kind};
use crate::serve::negotiate;
use crate::serve::reply::Reply;
use anyhow::Error;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// Why an event has no answer.
#[derive(Debug)]
pub struct Wrong {
    /// Its name, as runtimes have them.
    pub kind: &'static str,
    pub problem: String,
}

const SHAPES: &str =
    "expected a string, an object with its text, an array of these, or a request with a body";

impl Wrong {
    fn event(problem: impl Into<String>) -> Wrong {
        Wrong {
            kind: "Function.InvalidEvent",
            problem: problem.into(),
        }
    }

    fn of_error(error: &Error) -> Wrong {
        let reply = Reply::of_error(error);
        let object: Value = serde_json::from_str(&reply.body).unwrap_or_default();
        let problem = object["error"].as_str().unwrap_or_default().to_owned();
        match reply.status {
            400 => Wrong::event(problem),
            _ => Wrong {
                kind: "Function.Failed",
                problem,
            },
        }
    }
}

/// What an event gets.
///
/// # Errors
/// When it is of no shape that is known, or something is wrong with its text; of a request, its response says that.
pub fn answer(engine: &dyn Engine, event: &[u8]) -> Result<Value, Wrong> {
    let event = serde_json::from_slice(event)
        .map_err(|error| Wrong::event(format!("the event is no JSON: {error}")))?;
    match event {
        Value::String(text) => {
            let answer = engine.answer(Body {
                bytes: text.into_bytes(),
                ..Body::default()
            });
            Ok(one(shown(answer)?))
        }
        Value::Object(object) if object.contains_key(engine.field()) => {
            Ok(one(lines(engine, vec![Value::Object(object)])?))
        }
        Value::Object(object) if is_request(&object) => Ok(response(request(engine, &object))),
        Value::Array(all) => {
            let object = |value| match value {
                Value::String(text) => Ok(json!({ engine.field(): text })),
                Value::Object(object) => Ok(Value::Object(object)),
                _ => Err(Wrong::event(SHAPES)),
            };
            lines(
                engine,
                all.into_iter().map(object).collect::<Result<_, _>>()?,
            )
        }
        Value::Object(object) => {
            let names: Vec<&str> = object.keys().take(8).map(String::as_str).collect();
            let problem = format!("{SHAPES}; this object has {}", names.join(", "));
            Err(Wrong::event(problem))
        }
        _ => Err(Wrong::event(SHAPES)),
    }
}

/// Objects as lines, and an array of what becomes of them.
fn lines(engine: &dyn Engine, objects: Vec<Value>) -> Result<Value, Wrong> {
    let lines: String = objects.iter().map(|object| format!("{object}\n")).collect();
    shown(engine.answer(Body {
        bytes: lines.into_bytes(),
        is_jsonl: true,
        wanted: None,
    }))
}

/// An answer as an array of its objects, or as a string.
fn shown(answer: Result<Answer, Error>) -> Result<Value, Wrong> {
    let Answer { text, kind } = answer.map_err(|error| Wrong::of_error(&error))?;
    if kind != Kind::Jsonl {
        return Ok(Value::String(text));
    }
    let objects = text.lines().map(serde_json::from_str);
    let objects: Result<Vec<Value>, _> = objects.collect();
    objects.map(Value::Array).map_err(|error| Wrong {
        kind: "Function.Failed",
        problem: error.to_string(),
    })
}

/// The only thing in an array, without it.
fn one(value: Value) -> Value {
    match value {
        Value::Array(mut all) if all.len() == 1 => all.remove(0),
        other => other,
    }
}

/// Whether an object is a request of API Gateway, a load balancer or a function's URL.
fn is_request(object: &Map<String, Value>) -> bool {
    ["requestContext", "httpMethod", "body"]
        .iter()
        .any(|name| object.contains_key(*name))
}

fn request(engine: &dyn Engine, object: &Map<String, Value>) -> Result<Answer, Reply> {
    let text = match object.get("body") {
        None | Some(Value::Null) => "",
        Some(Value::String(text)) => text,
        Some(_) => return Err(Reply::refusal(400, "the body is no string")),
    };
    let bytes = match object.get("isBase64Encoded") {
        Some(Value::Bool(true)) => STANDARD
            .decode(text)
            .map_err(|error| Reply::refusal(400, &format!("the body is no base64: {error}")))?,
        _ => text.as_bytes().to_vec(),
    };
    let headers = object.get("headers").and_then(Value::as_object);
    let header = |name: &str| {
        let mut all = headers.into_iter().flatten();
        all.find(|(found, _)| found.eq_ignore_ascii_case(name))
            .and_then(|(_, value)| value.as_str())
    };
    let body = Body {
        bytes,
        is_jsonl: negotiate::is_jsonl(header("content-type"))?,
        wanted: negotiate::wanted(header("accept"), &engine.kinds())?,
    };
    engine.answer(body).map_err(|error| Reply::of_error(&error))
}

fn response(answer: Result<Answer, Reply>) -> Value {
    let reply = answer.map_or_else(|refusal| refusal, Reply::from);
    json!({
        "statusCode": reply.status,
        "headers": {"content-type": reply.content_type},
        "isBase64Encoded": false,
        "body": reply.body,
    })
}
