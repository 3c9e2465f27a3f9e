//! `wordmill sagemaker`: what a service answers, and what a job leaves.

mod jobs;
mod limits;

use crate::harness::{root, shell, wordmill};
use crate::service::Service;

fn sample() -> String {
    std::fs::read_to_string(root().join("corpora/sample.txt")).unwrap()
}

#[test]
fn a_ping_is_answered() {
    let service = Service::of("stem", "");
    let reply = service.send(b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!((reply.status, reply.body.as_str()), (200, ""));
}

#[test]
fn a_body_gets_the_bytes_that_stdin_gets() {
    let sample = sample();
    let bodies = [
        sample.as_str(),
        "",
        "Dogs bark.",
        "Dogs bark.\r\n\r\nAnn sings\r\nin Rome.\r\n",
        "1\tDogs\t_\t_\t_\t_\t_\t_\t_\t_\n\n",
    ];
    for command in [
        "tokenize --lower --stopwords en",
        "stem",
        "lemmatize --to tsv --header",
        "pos --to html",
        "ner --to tsv",
        "ner --redact",
        "annotate --layers tokens,pos,stem",
        "",
    ] {
        let service = Service::of(command, "");
        let line = if command.is_empty() {
            "annotate"
        } else {
            command
        };
        for body in bodies {
            let reply = service.post("Content-Type: text/plain\r\n", body);
            assert_eq!(reply.status, 200, "{command}: {reply:?}");
            let printed = wordmill(line).stdin(body).text();
            assert_eq!(reply.body, printed, "{command} of {body:?}");
        }
    }
}

#[test]
fn lines_of_json_get_lines_of_json() {
    let notes = std::fs::read(root().join("corpora/notes.jsonl")).unwrap();
    let service = Service::of("annotate", "");
    let reply = service.post("Content-Type: application/jsonlines\r\n", &notes);
    assert_eq!(reply.header("content-type"), Some("application/jsonlines"));
    assert_eq!(reply.body, wordmill("annotate").stdin(&notes).text());
}

#[test]
fn accept_chooses_between_formats() {
    let service = Service::of("annotate", "");
    for (accept, to, given) in [
        ("*/*", "conllu", "text/plain; charset=utf-8"),
        ("text/plain", "conllu", "text/plain; charset=utf-8"),
        ("application/jsonlines", "jsonl", "application/jsonlines"),
        (
            "text/tab-separated-values, text/plain;q=0.5",
            "tsv",
            "text/tab-separated-values; charset=utf-8",
        ),
        ("text/html", "html", "text/html; charset=utf-8"),
    ] {
        let reply = service.post(&format!("Accept: {accept}\r\n"), "Ann has dogs.\n");
        assert_eq!(reply.header("content-type"), Some(given));
        let printed = wordmill(&format!("annotate --to {to}")).stdin("Ann has dogs.\n");
        assert_eq!(reply.body, printed.text(), "{accept}");
    }
}

#[test]
fn what_a_command_does_not_write_is_not_acceptable() {
    for (command, accept) in [
        ("annotate", "image/png"),
        ("tokenize", "text/html"),
        ("tokenize --stopwords en", "application/jsonlines"),
        ("ner --redact", "text/tab-separated-values"),
    ] {
        let service = Service::of(command, "");
        let reply = service.post(&format!("Accept: {accept}\r\n"), "Ann has dogs.\n");
        assert_eq!(reply.status, 406, "{command}: {reply:?}");
        assert!(reply.body.contains("text/plain"), "{reply:?}");
    }
}

#[test]
fn redacted_text_stays_redacted_as_plain_text() {
    let service = Service::of("ner --redact --to jsonl", "");
    let reply = service.post("Accept: text/plain\r\n", "Ann has dogs.\n");
    assert_eq!(
        reply.body,
        wordmill("ner --redact").stdin("Ann has dogs.\n").text()
    );
}

#[test]
fn models_in_the_folder_annotate() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model");
    std::fs::create_dir(&model).unwrap();
    let shown = model.display();
    shell(&format!(
        "wordmill pos train corpora/tagged.conllu -q -o {shown}/pos.safetensors"
    ))
    .text();
    let service = Service::start("", "", folder.path());
    let reply = service.post("", sample());
    let line = format!("annotate --model {shown}/pos.safetensors");
    assert_eq!(reply.body, wordmill(&line).stdin(sample()).text());
    assert_ne!(reply.body, wordmill("annotate").stdin(sample()).text());
}

#[test]
fn a_folder_of_something_else_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model");
    std::fs::create_dir(&model).unwrap();
    std::fs::write(model.join("weights.bin"), "").unwrap();
    let serve = || wordmill("sagemaker serve --port 0 --root").arg(folder.path());
    let message = serve().fails(1);
    assert!(
        message.contains("model: holds neither a run nor a model: weights.bin"),
        "{message}"
    );
    std::fs::write(model.join("config.json"), "{\"architecture\": \"gan\"}").unwrap();
    let message = serve().fails(1);
    assert!(
        message.contains("model: holds a run that does not translate"),
        "{message}"
    );
}

#[test]
fn commands_that_do_not_answer_are_refused_by_name() {
    for (command, problem) in [
        ("bow --to tsv", "`bow --to tsv` does not answer requests: "),
        ("pos train x -o y", "`pos train x -o y` does not answer"),
        ("transformer train --out x", "does not answer requests"),
        ("annotate corpora/sample.txt", "FILE is about files"),
        ("annotate -o x", "--out is about files"),
        (
            "annotate --no-such",
            "unexpected argument '--no-such' found",
        ),
        ("tokenize --to html", "--to html is for tags and entities"),
        ("stem 'x", "a quotation mark is left open"),
    ] {
        let call = wordmill("sagemaker serve --port 0").env("WORDMILL_SERVE", command);
        let message = call.fails(2);
        assert!(message.contains(problem), "{command}: {message}");
    }
}
