//! Training jobs: hyperparameters, checkpoints, models, failures.

use crate::harness::{Call, binary, root, wordmill};
use crate::running::Running;
use crate::service::Service;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// A folder as SageMaker makes it, with `corpora` as the channel `train`.
fn place(hyperparameters: &Value) -> TempDir {
    let place = tempfile::tempdir().unwrap();
    for folder in ["input/config", "input/data"] {
        std::fs::create_dir_all(place.path().join(folder)).unwrap();
    }
    let channel = place.path().join("input/data/train");
    std::os::unix::fs::symlink(root().join("corpora"), channel).unwrap();
    say(place.path(), hyperparameters);
    place
}

fn say(place: &Path, hyperparameters: &Value) {
    let path = place.join("input/config/hyperparameters.json");
    std::fs::write(path, hyperparameters.to_string()).unwrap();
}

fn translator(steps: &str) -> Value {
    json!({
        "command": "transformer train", "source": "{train}/parallel.en", "target": "{train}/parallel.de",
        "dim": "32", "heads": "2", "ffn": "32", "encoder_layers": "1", "decoder_layers": "1", "quiet": "true",
        "max_steps": steps, "save-every": "2", "_tuning_objective_metric": "loss",
    })
}

fn train(place: &TempDir) -> Call {
    wordmill("sagemaker train --root").arg(place.path())
}

/// What is wrong, as it is said and as it is written down.
fn failure(place: &TempDir) -> (String, String) {
    let said = train(place).fails(1);
    let written = std::fs::read_to_string(place.path().join("output/failure")).unwrap();
    (said, written)
}

fn steps(run: &Path) -> Vec<u64> {
    let entries = std::fs::read_dir(run.join("checkpoints")).unwrap();
    let mut steps: Vec<u64> = entries
        .map(|entry| {
            entry
                .unwrap()
                .file_name()
                .to_str()
                .unwrap()
                .parse()
                .unwrap()
        })
        .collect();
    steps.sort_unstable();
    steps
}

fn of(place: &TempDir, name: &str) -> PathBuf {
    place.path().join(name)
}

#[test]
fn a_job_leaves_what_translates_and_goes_on_where_it_was() {
    let place = place(&translator("4"));
    train(&place).text();
    let (run, model) = (of(&place, "checkpoints/run"), of(&place, "model"));
    assert_eq!((steps(&run), steps(&model)), (vec![2, 4], vec![4]));
    assert!(!model.join("checkpoints/4/optimizer.safetensors").exists());

    say(place.path(), &translator("6"));
    train(&place).text();
    assert_eq!((steps(&run), steps(&model)), (vec![2, 4, 6], vec![6]));

    let translate = |folder: &Path, to: &str| {
        let call = wordmill(&format!("transformer translate {} {to}", folder.display()));
        call.stdin("The dog sees the cat.\n\nThe cat.\n").text()
    };
    let lines = translate(&run, "--to text");
    assert_eq!(translate(&model, "--to text"), lines);

    let service = Service::start("", "", place.path());
    let text = "The dog sees the cat.\n\nThe cat.";
    assert_eq!(service.post("", text).body, lines);
    let objects = "{\"text\": \"The dog sees\\nthe cat.\"}\n\n{\"text\": \"The cat.\"}\n";
    let jsonl = "Content-Type: application/jsonlines\r\n";
    assert_eq!(
        service.post(jsonl, objects).body,
        translate(&model, "--to jsonl")
    );
    let plain = format!("{jsonl}Accept: text/plain\r\n");
    assert_eq!(service.post(&plain, objects).body, lines);
    let reply = service.post(jsonl, "{\"text\": \"x\"}\n[]\n");
    assert_eq!(reply.status, 400);
    assert!(reply.body.starts_with("{\"error\":\"line 2: "), "{reply:?}");
}

#[test]
fn a_job_that_is_stopped_keeps_a_checkpoint_and_succeeds() {
    let mut asked = translator("1000000");
    asked["quiet"] = json!("false");
    asked["log_every"] = json!("1");
    asked["save-every"] = json!("1000000");
    let place = place(&asked);
    let mut child = Running::start(
        Command::new(binary())
            .args(["sagemaker", "train", "--root"])
            .arg(place.path())
            .current_dir(root())
            .stderr(Stdio::piped()),
    );
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let is_under_way = lines.any(|line| line.unwrap().contains("perplexity"));
    assert!(is_under_way, "it reports steps");
    child.terminate();
    // Whoever writes must not wait for a reader.
    lines.for_each(drop);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(steps(&of(&place, "checkpoints/run")).len(), 1);
    assert_eq!(steps(&of(&place, "model")).len(), 1);
    assert!(!of(&place, "output/failure").exists());
}

#[test]
fn models_of_the_text_family_are_written_to_the_model() {
    let place = place(
        &json!({"command": "pos train {train}/tagged.conllu", "epochs": "1", "quiet": "true"}),
    );
    train(&place).text();
    let model = of(&place, "model/pos.safetensors");
    let line = format!("pos --model {}", model.display());
    assert!(!wordmill(&line).stdin("Dogs bark.\n").text().is_empty());
}

#[test]
fn vectors_and_pieces_are_written_to_the_model() {
    for (command, flags, file) in [
        (
            "word2vec",
            &[("deterministic", "true"), ("quiet", "true")][..],
            "vectors.vec",
        ),
        (
            "glove",
            &[("threads", "1"), ("quiet", "true")],
            "vectors.vec",
        ),
        ("subword", &[("vocab-size", "400")], "tokenizer.json"),
    ] {
        let mut asked = json!({"command": format!("{command} train {{train}}/sample.txt")});
        let mut alone = format!("{command} train corpora/sample.txt");
        for (flag, value) in flags {
            asked[*flag] = json!(value);
            alone += &format!(" --{flag}={value}").replace("=true", "");
        }
        let place = place(&asked);
        train(&place).text();
        let out = tempfile::tempdir().unwrap();
        let own = out.path().join(file);
        wordmill(&format!("{alone} -o")).arg(&own).text();
        let read = |path: &Path| std::fs::read(path).unwrap();
        let model = of(&place, "model").join(file);
        assert!(read(&model) == read(&own), "{command}");
    }
}

#[test]
fn vectors_are_whole_when_a_job_that_was_stopped_has_gone_on() {
    let place = place(&json!({
        "command": "word2vec train {train}/sample.txt", "min_count": "1", "dim": "50", "epochs": "100000", "quiet": "true",
    }));
    let checkpoint = of(&place, "checkpoints/vectors.vec.checkpoint");
    let vectors = of(&place, "model/vectors.vec");
    // While text is being read a signal just ends the process: wait longer until it comes later than that.
    let mut wait = Duration::from_millis(100);
    while !checkpoint.exists() {
        assert!(
            wait < Duration::from_secs(60),
            "no signal left a checkpoint"
        );
        let mut job = Running::start(
            Command::new(binary())
                .args(["sagemaker", "train", "--root"])
                .arg(place.path())
                .current_dir(root())
                .stderr(Stdio::null()),
        );
        std::thread::sleep(wait);
        job.terminate();
        let is_well = job.wait().unwrap().success();
        assert!(is_well || !checkpoint.exists(), "{wait:?}");
        assert!(!vectors.exists(), "done in {wait:?}");
        wait = wait * 3 / 2;
    }
    train(&place).text();
    assert!(vectors.exists() && !checkpoint.exists());
}

#[test]
fn a_job_that_is_stopped_before_it_has_a_model_fails() {
    // It waits for text that does not come.
    let place = place(&json!({"command": "subword train {train}/pipe"}));
    let channel = of(&place, "input/data/train");
    std::fs::remove_file(&channel).unwrap();
    std::fs::create_dir(&channel).unwrap();
    let pipe = channel.join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let mut job = Running::start(
        Command::new(binary())
            .args(["sagemaker", "train", "--root"])
            .arg(place.path())
            .stderr(Stdio::null()),
    );
    let mut writing = File::options();
    writing.write(true).custom_flags(libc::O_NONBLOCK);
    let writer = loop {
        // As soon as it is read.
        if let Ok(writer) = writing.open(&pipe) {
            break writer;
        }
        assert_eq!(job.try_wait().unwrap(), None, "it waits for text");
        std::thread::sleep(Duration::from_millis(10));
    };
    job.terminate();
    assert_eq!(job.wait().unwrap().code(), Some(1));
    drop(writer);
    let written = std::fs::read_to_string(of(&place, "output/failure")).unwrap();
    assert_eq!(
        written,
        "subword train was stopped before it had anything to keep\n"
    );
}

#[test]
fn a_flag_that_a_command_does_not_know_fails_with_its_message() {
    let mut asked = translator("4");
    asked["no_such"] = json!("1");
    let (said, written) = failure(&place(&asked));
    let expected = "error: unexpected argument '--no-such' found\n";
    assert!(written.starts_with(expected), "{written}");
    assert!(said.contains(expected), "{said}");
}

#[test]
fn what_a_trainer_fails_of_is_written_down() {
    let mut asked = translator("4");
    asked["source"] = json!("{train}/no-such");
    let (said, written) = failure(&place(&asked));
    assert!(
        written.starts_with("wordmill transformer train: ") && written.contains("no such file"),
        "{written}"
    );
    assert!(said.contains(&written), "{said}");
}

#[test]
fn a_channel_that_is_not_there_is_named() {
    let mut asked = translator("4");
    asked["source"] = json!("{dev}/parallel.en");
    let (said, written) = failure(&place(&asked));
    assert!(
        written.contains("\"source\": no channel \"dev\"\nhint: there are: train\n"),
        "{written}"
    );
    assert!(said.contains("no channel \"dev\""), "{said}");
}

#[test]
fn missing_and_malformed_hyperparameters_are_named() {
    let place = place(&json!({}));
    let path = of(&place, "input/config/hyperparameters.json");
    for (text, problem) in [
        (
            "{}",
            "hyperparameters.json: no \"command\" among the hyperparameters\nhint: ",
        ),
        (
            "{\"command\": ",
            "hyperparameters.json: EOF while parsing a value at line 1 column 12\n",
        ),
        (
            "[]",
            "hyperparameters.json: invalid type: sequence, expected a map at line 1 column 0\n",
        ),
        (
            "{\"command\": \"x\", \"dim\": 3}",
            "the value of \"dim\" is not a string: 3\n",
        ),
        ("{\"command\": \"bow\"}", "\"bow\" is not trained here: "),
        (
            "{\"command\": \"gan train\", \"out\": \"x\"}",
            "\"out\" is no hyperparameter: ",
        ),
    ] {
        std::fs::write(&path, text).unwrap();
        let (_, written) = failure(&place);
        assert!(written.contains(problem), "{text}: {written}");
    }
    std::fs::remove_file(&path).unwrap();
    let (_, written) = failure(&place);
    assert!(
        written.contains("hyperparameters.json: no such file\nhint: "),
        "{written}"
    );
}
