//! `wordmill transformer`: training, going on, and bad input.

use crate::harness::{Call, binary, root, wordmill};
use crate::running::Running;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const PAIRS: &str = "--source corpora/parallel.en --target corpora/parallel.de";
const SMALL: &str = "--vocab-size 400 --dim 32 --heads 2 --ffn 64 --encoder-layers 1 --decoder-layers 1 --batch-tokens 300 --dropout 0.1";

fn train(out: &Path, flags: &str) -> Call {
    wordmill(&format!("transformer train -q {flags} --out")).arg(out)
}

fn bytes(run: &Path, name: &str) -> Vec<u8> {
    std::fs::read(run.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn weights(run: &Path, step: u64) -> Vec<u8> {
    [
        bytes(run, &format!("checkpoints/{step}/model.safetensors")),
        bytes(run, &format!("checkpoints/{step}/optimizer.safetensors")),
    ]
    .concat()
}

#[test]
fn a_run_leaves_a_folder_with_all_that_translating_needs() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    let valid = "--valid corpora/parallel.en corpora/parallel.de --valid-every 10";
    let text = train(
        &run,
        &format!("{PAIRS} {SMALL} {valid} --max-steps 25 --log-every 5 --keep 1"),
    )
    .text();
    assert_eq!(text, "");
    for name in [
        "config.json",
        "training.json",
        "tokenizer.json",
        "best.json",
        "last.json",
        "curves.svg",
    ] {
        assert!(!bytes(&run, name).is_empty(), "{name}");
    }
    let log = String::from_utf8(bytes(&run, "log.jsonl")).unwrap();
    assert_eq!(log.matches(r#""event":"report""#).count(), 5);
    assert_eq!(log.matches(r#""event":"evaluation""#).count(), 3);
    let mut kept: Vec<String> = std::fs::read_dir(run.join("checkpoints"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    kept.sort();
    // The last; the best is the last, or another one.
    assert!(
        kept.contains(&"25".to_owned()) && kept.len() <= 2,
        "{kept:?}"
    );
}

#[test]
fn losses_fall_while_a_model_learns() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    train(
        &run,
        &format!("{PAIRS} {SMALL} --lr 3e-3 --warmup 20 --max-steps 120 --log-every 20"),
    )
    .text();
    let log = String::from_utf8(bytes(&run, "log.jsonl")).unwrap();
    let losses: Vec<f64> = log
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["loss"]
                .as_f64()
                .unwrap()
        })
        .collect();
    assert_eq!(losses.len(), 6);
    assert!(losses[0] > 4.0 && losses[5] < 0.6 * losses[0], "{losses:?}");
}

#[test]
fn a_run_that_goes_on_is_the_one_that_was_not_stopped() {
    let place = tempfile::tempdir().unwrap();
    let (whole, parts) = (place.path().join("whole"), place.path().join("parts"));
    for flags in [
        "",
        "--bpe-dropout 0.1 --accumulate 2",
        "--ema 0 --schedule cosine",
    ] {
        // A cosine ends at the last step, which has to be the same all along.
        let first = if flags.contains("cosine") {
            "--max-time 0.001s --max-steps 12"
        } else {
            "--max-steps 7"
        };
        let flags = format!("{PAIRS} {SMALL} {flags}");
        train(&whole, &format!("{flags} --max-steps 12 --threads 1")).text();
        train(&parts, &format!("{flags} {first} --threads 2")).text();
        train(&parts, "--resume --max-steps 12 --threads 2").text();
        assert!(weights(&whole, 12) == weights(&parts, 12), "{flags}");
        std::fs::remove_dir_all(&whole).unwrap();
        std::fs::remove_dir_all(&parts).unwrap();
    }
}

#[test]
fn a_signal_leaves_a_checkpoint_from_which_the_run_goes_on() {
    let place = tempfile::tempdir().unwrap();
    let (whole, parts) = (place.path().join("whole"), place.path().join("parts"));
    let flags = format!("{PAIRS} {SMALL} --log-every 1");
    let mut child = Running::start(
        Command::new(binary())
            .current_dir(root())
            .args("transformer train".split(' ').chain(flags.split(' ')))
            .args(["--max-steps", "100000", "--out"])
            .arg(&parts)
            .stderr(Stdio::null()),
    );
    while !parts.join("log.jsonl").exists() {
        assert_eq!(child.try_wait().unwrap(), None, "it learns");
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(300));
    child.terminate();
    let status = child.wait().unwrap();
    assert_eq!(status.signal(), Some(15));
    let last: serde_json::Value = serde_json::from_slice(&bytes(&parts, "last.json")).unwrap();
    let step = last["step"].as_u64().unwrap();
    assert!(step > 0);
    let last = step + 3;
    train(&parts, &format!("--resume --max-steps {last}")).text();
    train(&whole, &format!("{flags} --max-steps {last}")).text();
    assert!(
        weights(&whole, last) == weights(&parts, last),
        "stopped at step {step}"
    );
}

#[test]
fn a_cut_checkpoint_is_passed_over_for_the_one_before() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    train(
        &run,
        &format!("{PAIRS} {SMALL} --max-steps 4 --save-every 2"),
    )
    .text();
    let path = run.join("checkpoints/4/model.safetensors");
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let outcome = train(&run, "--resume --max-steps 5").run();
    let said = "checkpoints/4/model.safetensors";
    outcome.expect(
        outcome.status == 0 && outcome.stderr.contains(said),
        "a warning",
    );
    outcome.expect(
        outcome.stderr.contains("an earlier checkpoint is tried"),
        "a warning",
    );
    assert!(run.join("checkpoints/5").exists());
}

#[test]
fn a_run_begins_with_the_weights_of_another() {
    let place = tempfile::tempdir().unwrap();
    let (first, second) = (place.path().join("first"), place.path().join("second"));
    train(
        &first,
        &format!("{PAIRS} {SMALL} --max-steps 30 --lr 3e-3 --warmup 5 --log-every 30"),
    )
    .text();
    let init = format!(
        "{PAIRS} --init {} --max-steps 1 --log-every 1",
        first.display()
    );
    train(&second, &init).text();
    let loss = |run: &Path| {
        let log = String::from_utf8(bytes(run, "log.jsonl")).unwrap();
        serde_json::from_str::<serde_json::Value>(log.lines().next().unwrap()).unwrap()["loss"]
            .as_f64()
            .unwrap()
    };
    // The mean of the first thirty steps is above what has been learned in them.
    assert!(
        loss(&second) < loss(&first),
        "{} {}",
        loss(&second),
        loss(&first)
    );
    assert_eq!(
        bytes(&first, "tokenizer.json"),
        bytes(&second, "tokenizer.json")
    );
}

#[test]
fn pairs_come_from_one_file_too_and_from_a_pipe_with_a_subword_model() {
    let place = tempfile::tempdir().unwrap();
    let (one, two) = (place.path().join("one"), place.path().join("two"));
    let read = |name: &str| std::fs::read_to_string(root().join(name)).unwrap();
    let (source, target) = (read("corpora/parallel.en"), read("corpora/parallel.de"));
    let lines = source.lines().zip(target.lines());
    let json = lines.map(|(s, t)| serde_json::json!({"source": s, "target": t}).to_string() + "\n");
    train(&one, &format!("{PAIRS} {SMALL} --max-steps 3")).text();
    let model = one.join("tokenizer.json").display().to_string();
    let small = SMALL.replace("--vocab-size 400 ", "");
    let piped = train(
        &two,
        &format!("--pairs - {small} --tokenizer {model} --lr 2e-3 --warmup 200 --max-steps 3"),
    );
    piped.stdin(json.collect::<String>()).text();
    assert!(weights(&one, 3) == weights(&two, 3));
    let error = train(&place.path().join("three"), "--pairs -")
        .stdin("a\tb\n")
        .fails(2);
    assert!(error.contains("cannot be read twice"), "{error}");
}

#[test]
fn what_is_wrong_with_the_input_is_said_and_nothing_is_left() {
    let place = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &[u8]| {
        let path = place.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (two, three) = (file("two", b"a b\nc d\n"), file("three", b"e\nf\ng\n"));
    let (empty, blank, bad) = (
        file("empty", b""),
        file("blank", b"\n\n"),
        file("bad", b"a\n\xff\n"),
    );
    let run = place.path().join("run");
    for (flags, status, said) in [
        (
            format!("--source {two} --target {three}"),
            1,
            "has 3 lines, but",
        ),
        (
            format!("--source {empty} --target {empty}"),
            1,
            "no pairs to learn from",
        ),
        (
            format!("--source {two} --target {blank}"),
            1,
            "dropped 2 of 2 pairs",
        ),
        (
            format!("--source {bad} --target {two}"),
            1,
            "bad:2: invalid UTF-8 at byte 2",
        ),
        (
            format!("--source {two} --target {two} --valid {empty} {empty}"),
            1,
            "no pairs to measure with",
        ),
        (format!("--source {two} --target nowhere"), 1, "nowhere: "),
        (format!("--source {two}"), 2, "--target"),
        (
            format!("{PAIRS} --dim 30 --heads 4"),
            2,
            "dim 30 is no multiple of 4 heads",
        ),
        (format!("{PAIRS} --device cuda:999"), 2, "GPU"),
        (format!("{PAIRS} --dropout 1"), 2, "a number from 0 to 1"),
        (format!("{PAIRS} --max-time soon"), 2, "as in 90m"),
        (String::new(), 2, "no pairs to learn from"),
    ] {
        let error = train(&run, &format!("{flags} --max-steps 1")).fails(status);
        assert!(error.contains(said), "{flags}\n{error}");
        assert!(!run.exists(), "{flags}");
    }
}

#[test]
fn a_run_that_fails_takes_away_the_folders_it_made_and_no_other() {
    let place = tempfile::tempdir().unwrap();
    let empty = place.path().join("empty");
    std::fs::write(&empty, "").unwrap();
    let flags = format!("--source {0} --target {0}", empty.display());
    let old = place.path().join("old");
    std::fs::create_dir(&old).unwrap();
    train(&old.join("new/run"), &flags).fails(1);
    assert_eq!(std::fs::read_dir(&old).unwrap().count(), 0);
    train(&old, &flags).fails(1);
    assert!(old.exists());
}

#[test]
fn bytes_of_any_kind_are_text() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("pairs.tsv");
    std::fs::write(&path, "\u{feff}a\0b\tc\r\n\td\ne\t\nf  g\th 😀\tmore\n").unwrap();
    let run = place.path().join("run");
    let flags = format!("--pairs {} {SMALL} --max-steps 2", path.display());
    let outcome = wordmill(&format!("transformer train {flags} --out"))
        .arg(&run)
        .run();
    outcome.expect(outcome.status == 0, "success");
    outcome.expect(
        outcome
            .stderr
            .contains("dropped 2 of 4 pairs: 2 with an empty side"),
        "counts",
    );
}

#[test]
fn a_run_is_not_overwritten_nor_given_another_shape_nor_other_pairs() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    train(&run, &format!("{PAIRS} {SMALL} --max-steps 1")).text();
    let error = train(&run, PAIRS).fails(1);
    assert!(error.contains("holds a run already"), "{error}");
    let error = train(&run, "--resume --dim 64").fails(2);
    assert!(error.contains("--dim is not that of the run"), "{error}");
    let error = train(&run, "--resume --positions learned").fails(2);
    assert!(
        error.contains("--positions is not that of the run"),
        "{error}"
    );
    let swapped = "--resume --source corpora/parallel.de --target corpora/parallel.en";
    let error = train(&run, swapped).fails(1);
    assert!(
        error.contains("the pairs are not those of the run"),
        "{error}"
    );
}

/// Names another architecture in the config of a run, or none.
fn rename(run: &Path, name: Option<&str>) {
    let mut config: serde_json::Value = serde_json::from_slice(&bytes(run, "config.json")).unwrap();
    match name {
        Some(name) => config["architecture"] = name.into(),
        None => drop(config.as_object_mut().unwrap().remove("architecture")),
    }
    std::fs::write(run.join("config.json"), config.to_string()).unwrap();
}

#[test]
fn a_run_of_another_architecture_is_neither_gone_on_with_nor_begun_with() {
    let place = tempfile::tempdir().unwrap();
    let (run, new) = (place.path().join("run"), place.path().join("new"));
    train(&run, &format!("{PAIRS} {SMALL} --max-steps 1")).text();
    rename(&run, Some("seq2seq"));
    let path = run.display();
    let refusal = |call: &str, does: &str| {
        format!(
            "wordmill transformer train: {path}: holds a run of seq2seq; this is wordmill transformer\n\
             hint: `wordmill seq2seq train {call} {path}` {does}\n"
        )
    };
    let error = train(&run, "--resume --max-steps 2").fails(1);
    assert_eq!(error, refusal("--resume --out", "goes on with it"));
    let error = train(&new, &format!("{PAIRS} --init {path}")).fails(1);
    assert_eq!(error, refusal("--init", "begins with its weights"));
    assert!(!new.exists());
    rename(&run, None);
    let error = train(&run, "--resume --max-steps 2").fails(1);
    let expected =
        format!("wordmill transformer train: {path}: config.json names no architecture\nhint: ");
    assert!(error.starts_with(&expected), "{error}");
}

/// The values of a tensor of a checkpoint.
fn values(run: &Path, file: &str, tensor: &str) -> Vec<f32> {
    let bytes = bytes(run, &format!("checkpoints/{file}.safetensors"));
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let (values, _) = tensors.tensor(tensor).unwrap().data().as_chunks::<4>();
    values.iter().map(|v| f32::from_le_bytes(*v)).collect()
}

#[test]
fn an_average_may_begin_later_and_begins_with_the_weights_there_are() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    train(&run, &format!("{PAIRS} {SMALL} --ema 0 --max-steps 3")).text();
    train(&run, "--resume --ema 0.999 --max-steps 4").text();
    // The first tensor of the model is the first of the row that "weights" is.
    let before = values(&run, "3/model", "source.weight");
    let after = values(&run, "4/optimizer", "weights");
    let average = values(&run, "4/model", "source.weight");
    for ((before, after), average) in before.iter().zip(&after).zip(&average) {
        // The share of the old average at step 4 is (1 + 4) / (10 + 4).
        let expected = (5.0 * before + 9.0 * after) / 14.0;
        assert!((average - expected).abs() < 1e-6, "{average} {expected}");
    }
    assert!(before[..] != after[..before.len()]);
}

#[test]
fn an_average_may_end_and_training_goes_on_with_the_weights() {
    let place = tempfile::tempdir().unwrap();
    let (ended, kept) = (place.path().join("ended"), place.path().join("kept"));
    for run in [&ended, &kept] {
        train(run, &format!("{PAIRS} {SMALL} --max-steps 3")).text();
    }
    train(&ended, "--resume --ema 0 --max-steps 4").text();
    train(&kept, "--resume --max-steps 4").text();
    let weights = values(&kept, "4/optimizer", "weights");
    let found = values(&ended, "4/model", "source.weight");
    assert_eq!(found[..], weights[..found.len()]);
}

#[test]
fn a_vocabulary_that_the_pairs_do_not_fill_is_said_to_be_smaller() {
    let place = tempfile::tempdir().unwrap();
    let said = |flags: &str| {
        let run = place.path().join(flags.replace(' ', "_"));
        let small = SMALL.replace("--vocab-size 400 ", "");
        let call = wordmill(&format!("transformer train {PAIRS} {small} --max-steps 1"));
        let outcome = flags
            .split(' ')
            .fold(call, Call::arg)
            .arg("--out")
            .arg(&run)
            .run();
        let tokenizer = |name: &str| -> usize {
            let model: serde_json::Value = serde_json::from_slice(&bytes(&run, name)).unwrap();
            model["model"]["vocab"].as_object().unwrap().len()
        };
        let found = match flags.contains("separate") {
            true => format!(
                "{} and {}",
                tokenizer("tokenizer.source.json"),
                tokenizer("tokenizer.target.json")
            ),
            false => tokenizer("tokenizer.json").to_string(),
        };
        (outcome.stderr, found)
    };
    for flags in [
        "--vocab-size 9000",
        "--vocab-size 9000 --separate-vocabularies",
    ] {
        let (stderr, pieces) = said(flags);
        let line = format!("the pairs give {pieces} pieces, fewer than 9000\n");
        assert!(stderr.starts_with(&line), "{line}{stderr}");
    }
    let (stderr, _) = said("--vocab-size 400");
    assert!(!stderr.contains("pieces"), "{stderr}");
}

#[test]
fn a_rate_that_is_far_too_high_ends_with_advice() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    let flags = "--lr 1e30 --warmup 1 --clip 0 --max-steps 50";
    let error = train(&run, &format!("{PAIRS} {SMALL} {flags}")).fails(1);
    assert!(
        error.contains("diverged at step") && error.contains("a smaller --lr"),
        "{error}"
    );
}

#[test]
fn a_checkpoint_that_cannot_be_written_stops_no_run() {
    // A file where the checkpoint is to be stands for a full disk.
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    train(&run, &format!("{PAIRS} {SMALL} --max-steps 2")).text();
    let checkpoints = run.join("checkpoints");
    std::fs::write(checkpoints.join("4"), "in the way").unwrap();
    let outcome = train(&run, "--resume --max-steps 4 --save-every 4").run();
    outcome.expect(outcome.status == 0, "success");
    outcome.expect(
        outcome.stderr.contains("step 4 could not be written"),
        "a warning",
    );
    assert!(checkpoints.join("2/model.safetensors").exists());
}
