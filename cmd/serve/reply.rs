//! What a request gets: an answer, or a refusal with its reason as `{"error": "…", "hint": "…"}`.

use crate::engine::{Answer, Kind};
use crate::stream::Failure;
use anyhow::Error;
use serde_json::{Value, json};

#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub content_type: &'static str,
    pub body: String,
    /// One more header.
    pub header: Option<(&'static str, &'static str)>,
}

impl Reply {
    pub fn empty() -> Reply {
        Reply {
            status: 200,
            content_type: content_type(Kind::Plain),
            body: String::new(),
            header: None,
        }
    }

    pub fn refusal(status: u16, problem: &str) -> Reply {
        Reply::of_object(status, &json!({ "error": problem }))
    }

    /// What is wrong with a body, or else with the service.
    pub fn of_error(error: &Error) -> Reply {
        let failure = error.downcast_ref::<Failure>();
        let Some((failure, problem)) = failure.and_then(|f| Some((f, f.of_input()?))) else {
            return Reply::refusal(500, &format!("{error:#}"));
        };
        let mut object = json!({ "error": problem });
        if let Some(hint) = &failure.hint {
            object["hint"] = json!(hint);
        }
        Reply::of_object(400, &object)
    }

    pub fn with(self, name: &'static str, value: &'static str) -> Reply {
        Reply {
            header: Some((name, value)),
            ..self
        }
    }

    fn of_object(status: u16, object: &Value) -> Reply {
        Reply {
            status,
            content_type: "application/json",
            body: format!("{object}\n"),
            header: None,
        }
    }
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Reply {
        Reply {
            content_type: content_type(answer.kind),
            body: answer.text,
            ..Reply::empty()
        }
    }
}

/// The name of a kind in headers.
pub fn content_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Plain => "text/plain; charset=utf-8",
        Kind::Jsonl => "application/jsonlines",
        Kind::Tsv => "text/tab-separated-values; charset=utf-8",
        Kind::Html => "text/html; charset=utf-8",
    }
}
