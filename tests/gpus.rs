//! `--device cuda:0,1`: what is refused before a process is started, and training by one process for each GPU
//! (`tests/gpu/run.sh` runs what is ignored here).

mod adversarial;

use crate::harness::{Call, Outcome, binary, shell, wordmill};
use crate::ranks::{FILES, assert_alike, losses, steps, transformer};
use std::path::Path;

const RECURRENT: &str = "--vocab-size 400 --dim 32 --embedding 16 --batch-tokens 300";

fn train(devices: &str, flags: &str, out: &Path) -> Call {
    wordmill(&transformer(&format!("{flags} --device {devices} --out"))).arg(out)
}

/// Runs two processes without end, does something to the first when a file of the run is there, and waits for it.
fn disturbed(out: &Path, (flags, file): (&str, &str), how: &str) -> Outcome {
    let flags = format!("{flags} --max-steps 1000000 -q --device cuda:0,1 --precision f32");
    let (binary, args, out) = (binary(), transformer(&flags), out.display());
    shell(&format!(
        "{binary} {args} --out {out} & \
         until [ -e {out}/{file} ] || ! kill -0 $!; do sleep 0.1; done; {how}; wait $!"
    ))
    .run()
}

/// The run in the folder goes on, on one GPU, for two steps more than it has made.
fn goes_on(out: &Path) {
    let last = *steps(out).last().unwrap();
    let flags = format!("--resume -q --precision f32 --max-steps {}", last + 2);
    train("cuda:1", &flags, out).text();
    assert_eq!(steps(out).last(), Some(&(last + 2)));
}

#[test]
fn a_gpu_that_is_named_twice_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let said = train("cuda:1,0,1", "", &place.path().join("run")).fails(2);
    assert!(said.contains("GPU 1 is named twice"), "{said}");
}

#[test]
fn commands_that_compute_on_one_gpu_refuse_several() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    train("cpu", "-q --max-steps 1", &run).text();
    let translate = format!("transformer translate {}", run.display());
    let call = wordmill(&format!("{translate} --device cuda:0,1")).stdin("a dog\n");
    let said = call.fails(2);
    assert!(
        said.contains("--device names 2 GPUs\nhint: only `transformer train`"),
        "{said}"
    );
}

#[test]
fn a_launcher_of_several_processes_and_several_gpus_do_not_go_together() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    let call = train("cuda:0,1", "", &out).env("PMI_SIZE", "4");
    let said = call.fails(2);
    let expected = "started as one of 4 processes, and --device names 2 GPUs\nhint: --device cuda";
    assert!(said.contains(expected), "{said}");
    assert!(!out.exists());
}

#[test]
fn several_gpus_do_not_learn_from_standard_input() {
    let place = tempfile::tempdir().unwrap();
    for (command, args) in [
        (
            "seq2seq train",
            "--pairs - --tokenizer corpora/tokenizer.json",
        ),
        ("gan train", "-"),
    ] {
        let call = wordmill(&format!("{command} {args} --device cuda:0,1 --out"));
        let said = call.arg(place.path().join("run")).fails(2);
        let expected = format!("wordmill {command}: standard input reaches one process only\n");
        assert!(said.starts_with(&expected), "{said}");
    }
}

#[test]
fn without_gpus_that_is_said_once_and_nothing_is_written() {
    if cfg!(feature = "cuda") {
        eprintln!("skipped: this build can use GPUs");
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    let said = train("cuda:0,1", "", &out).fails(2);
    assert_eq!(
        said,
        "wordmill transformer train: no GPU can be used: this wordmill was built without the feature cuda\n\
         hint: leave --device out, or take a wordmill built with --features cuda\n"
    );
    assert!(!out.exists());
}

#[test]
#[ignore = "wants two GPUs"]
fn two_learn_what_one_does() {
    let place = tempfile::tempdir().unwrap();
    let of = |devices: &str| {
        let out = place.path().join(devices);
        let flags = "--max-steps 20 --log-every 1 -q --precision f32";
        train(devices, flags, &out).text();
        losses(&out)
    };
    let alone = of("cuda:0");
    assert_eq!(alone.len(), 20);
    assert_alike(&alone, &of("cuda:0,1"));
}

/// Folders of libraries as they are, but for NCCL.
fn without_nccl(place: &Path) -> String {
    let libraries = std::env::var("LD_LIBRARY_PATH").unwrap_or_default();
    let entries = libraries.split(':').flat_map(std::fs::read_dir).flatten();
    for entry in entries.flatten() {
        let name = entry.file_name();
        let to = place.join(&name);
        if !name.to_string_lossy().starts_with("libnccl") && !to.exists() {
            std::os::unix::fs::symlink(entry.path(), to).unwrap();
        }
    }
    place.display().to_string()
}

#[test]
#[ignore = "wants two emulated GPUs"]
fn emulated_gpus_sum_among_themselves_or_by_way_of_the_host() {
    let place = tempfile::tempdir().unwrap();
    let libraries = place.path().join("libraries");
    std::fs::create_dir(&libraries).unwrap();
    let own = std::env::var("LD_LIBRARY_PATH").unwrap_or_default();
    let of = |name: &str, libraries: &str, said: &str| {
        let out = place.path().join(name);
        let flags = "--max-steps 6 --log-every 1 --log json --precision f32";
        let call = train("cuda:0,1", flags, &out).env("LD_LIBRARY_PATH", libraries);
        let outcome = call.run();
        let is_said = outcome.stderr.contains(&format!("\"sums\":\"{said}"));
        outcome.expect(outcome.status == 0 && is_said, said);
        losses(&out)
    };
    let direct = of("direct", &own, "by NCCL\"");
    let said = "by way of the host: there is no libnccl.so.2\"";
    assert_alike(&direct, &of("host", &without_nccl(&libraries), said));
}

#[test]
#[ignore = "wants two GPUs"]
fn two_learn_what_one_does_with_recurrent_networks_and_in_another_order() {
    let place = tempfile::tempdir().unwrap();
    let of = |devices: &str| {
        let out = place.path().join(devices);
        let flags = "--max-steps 6 --log-every 2 --accumulate 2 -q --precision f32";
        let line = format!("seq2seq train {FILES} {RECURRENT} {flags} --device {devices} --out");
        wordmill(&line).arg(&out).text();
        losses(&out)
    };
    let alone = of("cuda:0");
    assert_eq!(alone.len(), 3);
    assert_alike(&alone, &of("cuda:1,0"));
}

#[test]
#[ignore = "wants two GPUs"]
fn only_the_first_process_tells_and_writes() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    let outcome = train("cuda:0,1", "--max-steps 4 --log json", &out).run();
    let told = |what: &str| {
        let lines = outcome.stderr.lines();
        lines.filter(|line| line.contains(what)).count()
    };
    let is_told_once = told("\"device\"") == 1 && told("ended") == 1;
    outcome.expect(outcome.status == 0 && is_told_once, "one device, one end");
    assert_eq!(steps(&out), [4]);
}

#[test]
#[ignore = "wants two GPUs"]
fn one_that_is_not_there_is_said_once_and_nothing_is_written() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    let said = train("cuda:0,99", "", &out).fails(2);
    let expected = "wordmill transformer train: there is no GPU 99: this machine has ";
    assert!(said.starts_with(expected), "{said}");
    assert_eq!(said.lines().count(), 2, "{said}");
    assert!(!out.exists());
}

#[test]
#[ignore = "wants two emulated GPUs"]
fn emulated_gpus_of_which_one_computes_in_f16_are_refused() {
    let least = option_env!("WORDMILL_COMPUTE_CAP").and_then(|least| least.parse().ok());
    if least.is_none_or(|least: u32| least > 70) {
        eprintln!("skipped: this build refuses GPUs of compute capability 7.0, or knows none");
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    let call = |flags: &str| {
        let flags = format!("{flags} -q --max-steps 1");
        train("cuda:0,1", &flags, &out).env("WORDMILL_SECOND_GPU", "7")
    };
    let said = call("").fails(2);
    let expected = "1 of 2 GPUs compute in f16, the others in other numbers\nhint: --precision f32";
    assert!(said.contains(expected), "{said}");
    assert_eq!(said.lines().count(), 2, "{said}");
    assert!(!out.join("checkpoints").exists());
    call("--precision f32").text();
    assert_eq!(steps(&out), [1]);
}

#[test]
#[ignore = "wants two GPUs"]
fn what_is_wrong_with_a_run_is_said_by_the_first_process_alone() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    train("cuda:0,1", "-q --max-steps 1", &out).text();
    let said = train("cuda:0,1", "-q --max-steps 1", &out).fails(1);
    assert_eq!(said.lines().count(), 2, "{said}");
    assert!(said.contains("holds a run already\nhint: "), "{said}");
}

#[test]
#[ignore = "wants two GPUs"]
fn a_process_that_dies_ends_the_first_and_the_run_goes_on() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    let outcome = disturbed(
        &out,
        ("--save-every 5", "checkpoints/5"),
        "kill -9 $(pgrep -P $!)",
    );
    let said = "the process of GPU 1 has failed (signal: 9 (SIGKILL))";
    outcome.expect(
        outcome.status == 1 && outcome.stderr.contains(said),
        "a failure",
    );
    goes_on(&out);
}

#[test]
#[ignore = "wants two GPUs"]
fn a_first_process_that_dies_ends_the_others() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    let outcome = disturbed(
        &out,
        ("--save-every 5", "checkpoints/5"),
        // Who has ended may be a zombie for long, where nobody asks how.
        "other=$(pgrep -P $!); kill -0 $other && kill -9 $!; \
         timeout 60 bash -c \"while grep -qs '^State:[[:space:]]*[^Z[:space:]]' /proc/$other/status; do sleep 0.1; done\" \
         && echo ended",
    );
    let is_ended = outcome.stdout == b"ended\n";
    outcome.expect(outcome.status == 128 + 9 && is_ended, "an end of both");
    goes_on(&out);
}

#[test]
#[ignore = "wants two GPUs"]
fn a_signal_to_the_first_process_leaves_a_checkpoint_of_the_last_step() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    let outcome = disturbed(
        &out,
        ("--save-every 1000000 --log-every 1", "log.jsonl"),
        "kill $!",
    );
    outcome.expect(outcome.status == 143, "a stop");
    // Nothing but the signal asks for a checkpoint.
    let log = std::fs::read_to_string(out.join("log.jsonl")).unwrap();
    let last: serde_json::Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
    assert_eq!(steps(&out), [last["step"].as_u64().unwrap()]);
    goes_on(&out);
}
