//! `batch/slurm-array.sh`, where `srun` starts what it is given and `scontrol` writes down what it is told.

use super::{Place, TRAINING, lines};
use crate::harness::Call;

/// As the real one, it kills what it has started when it gets SIGTERM.
const SRUN: &str = r#""$@" &
echo $! > step.pid
trap "kill -KILL $!" TERM
wait $!"#;

fn place() -> Place {
    let place = Place::new();
    place.stub("srun", SRUN);
    place.stub(
        "scancel",
        r#"[[ $* == "--signal=TERM 7" ]] && kill -TERM "$(cat step.pid)""#,
    );
    place.stub("scontrol", r#"echo "$*" >> scontrol.log"#);
    place
}

/// Task `index` of `--array=FIRST-LAST`, of which `count` are left.
fn task(place: &Place, index: u32, (first, last, count): (u32, u32, u32), args: &str) -> Call {
    place
        .run(&format!("slurm-array.sh shard {args}"))
        .env("SLURM_CPUS_PER_TASK", "1")
        .env("SLURM_ARRAY_TASK_ID", &index.to_string())
        .env("SLURM_ARRAY_TASK_MIN", &first.to_string())
        .env("SLURM_ARRAY_TASK_MAX", &last.to_string())
        .env("SLURM_ARRAY_TASK_COUNT", &count.to_string())
}

#[test]
fn the_parts_of_an_array_are_the_whole() {
    let place = place();
    place.write("in.txt", lines(31));
    for index in 0..3 {
        task(&place, index, (0, 2, 3), "in.txt parts bow --counts").text();
        task(&place, index, (0, 2, 3), "in.txt stems stem --from lines").text();
    }
    place
        .run("gather.sh merge 3 parts all.tsv; gather.sh lines 3 stems all.txt")
        .text();
    let whole = place.run("wordmill bow --counts in.txt").text();
    assert_eq!(place.read("all.tsv"), whole);
    let whole = place.run("wordmill stem --from lines in.txt").text();
    assert_eq!(place.read("all.txt"), whole);
}

#[test]
fn a_task_that_fails_leaves_no_part_and_runs_again_alone() {
    let place = place();
    place.write("in.txt", "a\n\u{e9}\nb");
    let stem = "in.txt parts stem --from lines";
    task(&place, 0, (0, 1, 2), stem).text();
    let said = task(&place, 1, (0, 1, 2), &format!("{stem} --encoding none")).run();
    said.expect(said.status != 0, "failure");
    assert_eq!(place.listing("parts"), ["part-00000-of-00002"]);

    task(&place, 1, (1, 1, 1), stem).env("SHARDS", "2").text();
    place.run("gather.sh lines 2 parts all.txt").text();
    assert_eq!(place.read("all.txt"), "a\n\u{e9}\nb\n");
}

#[test]
fn an_array_that_leaves_shards_out_is_refused() {
    let place = place();
    place.write("in.txt", "a\n");
    for array in [(1, 1, 1), (1, 4, 4), (0, 4, 2)] {
        let said = task(&place, 1, array, "in.txt parts stem").fails(2);
        assert!(said.contains("SHARDS says how many there are"), "{said}");
    }
}

/// A training that is stopped after its first checkpoint, by a line that knows the job's `$script` and its `$step`.
fn stopped(place: &Place, by: &str) {
    let line = format!(
        "slurm-array.sh train {TRAINING} --out run & script=$!; \
         until [[ -e run/last.json ]]; do sleep 0.05; kill -0 $script || exit 1; done; \
         step=$(cat step.pid); {by}; wait $script"
    );
    let job = place.run(&line).env("SLURM_JOB_ID", "7");
    assert_eq!(job.fails(143), "");
}

/// The step of a run's last checkpoint.
fn step(place: &Place) -> u64 {
    let last: serde_json::Value = serde_json::from_str(&place.read("run/last.json")).unwrap();
    last["step"].as_u64().unwrap_or_else(|| panic!("{last}"))
}

#[test]
fn a_training_out_of_time_is_queued_again_and_ends_as_if_nothing_had_happened() {
    let place = place();
    stopped(&place, "kill -USR1 $script");
    assert_eq!(place.read("scontrol.log"), "requeue 7\n");

    let steps = format!("--max-steps {}", step(&place) + 20);
    place
        .run(&format!(
            "slurm-array.sh train {TRAINING} {steps} --out run"
        ))
        .text();
    place
        .run(&format!("wordmill {TRAINING} {steps} --out whole"))
        .text();
    let weights = |run: &str| {
        let path = format!("{run}/checkpoints/{}/model.safetensors", step(&place));
        std::fs::read(place.path(&path)).unwrap()
    };
    assert!(weights("run") == weights("whole"), "the weights differ");
}

#[test]
fn a_training_that_ends_while_it_is_being_told_to_is_queued_again() {
    let place = place();
    let slowly = r#"kill -TERM "$(cat step.pid)"; while kill -0 "$(cat step.pid)" 2> /dev/null; do sleep 0.05; done; sleep 0.2"#;
    place.stub("scancel", slowly);
    stopped(&place, "kill -USR1 $script");
    assert_eq!(place.read("scontrol.log"), "requeue 7\n");
}

#[test]
fn a_training_that_is_preempted_is_queued_again() {
    let place = place();
    // Within the grace, Slurm tells the step and not the script.
    stopped(&place, "kill -TERM $step");
    assert_eq!(place.read("scontrol.log"), "requeue 7\n");
    assert!(step(&place) > 0);
}

#[test]
fn a_training_that_is_cancelled_has_its_checkpoint_and_stays_away() {
    let place = place();
    stopped(&place, "kill -TERM $script $step");
    assert!(step(&place) > 0);
    assert!(!place.path("scontrol.log").exists());
}
