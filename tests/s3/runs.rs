//! Runs whose folders lie in S3.

use super::Bucket;
use crate::harness::wordmill;
use crate::running::{Running, wait_until};
use std::path::Path;
use std::process::{Command, Stdio};

const TRAINING: &str = "transformer train --source corpora/parallel.en --target corpora/parallel.de -q --vocab-size 400 \
                        --dim 32 --heads 2 --ffn 48 --encoder-layers 1 --decoder-layers 1 --batch-tokens 300 --save-every 20 \
                        --log-every 10 --keep 2";

/// The keys below `run/`.
fn names(bucket: &Bucket) -> Vec<String> {
    let keys = bucket.keys().into_iter();
    keys.filter_map(|key| key.strip_prefix("run/").map(str::to_owned))
        .collect()
}

fn files(folder: &Path) -> Vec<String> {
    let found = Command::new("find")
        .arg(folder)
        .args(["-type", "f", "-printf", "%P\n"])
        .output();
    let mut names: Vec<String> = String::from_utf8(found.unwrap().stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    names.sort();
    names
}

/// A run of 40 steps on this machine.
fn local(folder: &Path) {
    wordmill(&format!("{TRAINING} --max-steps 40 --out"))
        .arg(folder)
        .text();
}

fn train(bucket: &Bucket, flags: &str) {
    bucket
        .wordmill(&format!("{TRAINING} {flags} --out s3://bucket/run"))
        .text();
}

const WEIGHTS: [&str; 2] = [
    "checkpoints/40/model.safetensors",
    "checkpoints/40/optimizer.safetensors",
];

#[track_caller]
fn is_like(bucket: &Bucket, folder: &Path) {
    for name in WEIGHTS {
        let there = bucket.get(&format!("run/{name}")).unwrap();
        assert!(there == std::fs::read(folder.join(name)).unwrap(), "{name}");
    }
}

#[test]
#[ignore = "needs moto_server and a build with --features s3"]
fn s3_a_run_goes_on_in_another_process_as_if_it_had_not_stopped() {
    let Some(bucket) = Bucket::new() else { return };
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    local(&run);
    train(&bucket, "--max-steps 20");
    train(&bucket, "--max-steps 40 --resume");
    is_like(&bucket, &run);
    assert_eq!(names(&bucket), files(&run));
    let translate = |run: &str| {
        let call = bucket.wordmill(&format!("transformer translate {run}"));
        call.stdin("Good morning.\n").text()
    };
    assert_eq!(
        translate("s3://bucket/run"),
        translate(&run.display().to_string())
    );
    train(&bucket, "--max-steps 80 --resume");
    let names = names(&bucket);
    let states = names.iter().filter(|name| name.ends_with("/state.json"));
    assert_eq!(
        states.collect::<Vec<_>>(),
        ["checkpoints/60/state.json", "checkpoints/80/state.json"]
    );
}

#[test]
#[ignore = "needs moto_server and a build with --features s3"]
fn s3_a_folder_with_a_run_is_not_written_over() {
    let Some(bucket) = Bucket::new() else { return };
    bucket.put("run/config.json", "{}");
    let args = format!("{TRAINING} --out s3://bucket/run");
    let error = bucket.wordmill(&args).fails(1);
    assert!(
        error.contains("s3://bucket/run: holds a run already\nhint: --resume"),
        "{error}"
    );
    assert_eq!(bucket.keys(), ["run/config.json"]);
}

#[test]
#[ignore = "needs moto_server and a build with --features s3"]
fn s3_a_checkpoint_whose_upload_broke_off_is_as_if_it_had_not_been() {
    let Some(bucket) = Bucket::new() else { return };
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    local(&run);
    train(&bucket, "--max-steps 20");
    bucket.put("run/checkpoints/40/model.safetensors", "its beginning");
    bucket.put("run/checkpoints/33/model.safetensors", "its beginning");
    let translated = bucket.wordmill("transformer translate --checkpoint last s3://bucket/run");
    translated.stdin("Good morning.\n").text();
    train(&bucket, "--max-steps 40 --resume");
    is_like(&bucket, &run);
    assert_eq!(bucket.get("run/checkpoints/33/model.safetensors"), None);
}

#[test]
#[ignore = "needs moto_server and a build with --features s3"]
fn s3_what_cannot_be_sent_ends_no_run_and_is_kept() {
    let Some(bucket) = Bucket::new() else { return };
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let args = format!("{TRAINING} --max-steps 1000000 --out s3://bucket/run");
    let mut training = Running::start(
        bucket
            .command(&args)
            .env("TMPDIR", folder.path())
            .stderr(std::fs::File::create(&log).unwrap())
            .stdin(Stdio::null()),
    );
    let told = || std::fs::read_to_string(&log).unwrap();
    wait_until("a checkpoint is there", || {
        bucket.get("run/checkpoints/20/state.json").is_some()
    });
    bucket.destroy();
    wait_until("it is told", || {
        told().contains("no such bucket; training goes on")
    });
    training.terminate();
    let status = training.wait().unwrap();
    let told = told();
    assert_eq!(status.code(), Some(1), "{told}");
    let (_, kept) = told.split_once("hint: the run is kept in ").expect(&told);
    assert!(Path::new(kept.trim()).join("last.json").exists(), "{told}");
}

#[test]
#[ignore = "needs moto_server and a build with --features s3"]
fn s3_samples_of_a_run_are_those_of_one_here() {
    let Some(bucket) = Bucket::new() else { return };
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let train = "gan train --toy ring8 --max-steps 5 --eval-samples 20 -q --out";
    wordmill(train).arg(&run).text();
    bucket.wordmill(train).arg("s3://bucket/run").text();
    let sample = |run: &str| bucket.wordmill(&format!("gan sample -n 5 {run}")).text();
    assert_eq!(
        sample("s3://bucket/run"),
        sample(&run.display().to_string())
    );
}
