//! Training by several processes: what is said without MPI, and what they learn with it (`tests/features.sh` runs what is
//! ignored here).

use crate::harness::{Call, binary, shell, wordmill};
use std::path::Path;

pub const FILES: &str = "--source corpora/parallel.en --target corpora/parallel.de";
const MODEL: &str =
    "--vocab-size 400 --dim 32 --heads 2 --ffn 48 --encoder-layers 1 --decoder-layers 1";
const DATES: &str = "seq2seq train --pairs corpora/dates.tsv --char";

/// `wordmill ARGS… --out RUN` in so many processes, on however few cores.
fn processes(size: usize, args: &str, out: &Path) -> Call {
    let call = shell(&format!(
        "mpirun --oversubscribe -n {size} {} {args} --out {}",
        binary(),
        out.display()
    ));
    of_mpi(call, out)
}

/// A call of mpirun as any user. Open MPI's files are beside the run, for calls at the same time remove each other's.
fn of_mpi(call: Call, out: &Path) -> Call {
    call.env("OMPI_ALLOW_RUN_AS_ROOT", "1")
        .env("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1")
        .env(
            "OMPI_MCA_orte_tmpdir_base",
            out.parent().and_then(Path::to_str).unwrap(),
        )
}

pub fn transformer(flags: &str) -> String {
    format!("transformer train {FILES} {MODEL} --batch-tokens 300 --dropout 0.1 {flags}")
}

/// Losses that a run has reported.
pub fn losses(out: &Path) -> Vec<f64> {
    reported(out, "loss")
}

/// A value of each of its reports.
pub fn reported(out: &Path, name: &str) -> Vec<f64> {
    let log = std::fs::read_to_string(out.join("log.jsonl")).unwrap();
    let events = log
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let reports = events.filter(|event| event["event"] == "report");
    reports
        .map(|report| report[name].as_f64().unwrap())
        .collect()
}

/// As many, and the same but for the order of sums.
pub fn assert_alike(a: &[f64], b: &[f64]) {
    assert_eq!(a.len(), b.len());
    let are_alike = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-5 * a;
    assert!(a.iter().zip(b).all(are_alike), "{a:?} and {b:?}");
}

/// The steps of its checkpoints.
pub fn steps(out: &Path) -> Vec<u64> {
    let entries = std::fs::read_dir(out.join("checkpoints")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut steps: Vec<u64> = names.filter_map(|name| name.parse().ok()).collect();
    steps.sort_unstable();
    steps
}

#[test]
fn a_build_without_mpi_says_that_it_cannot_be_one_of_several() {
    if cfg!(feature = "mpi") {
        eprintln!("skipped: this build knows MPI");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let call = wordmill(&transformer("--out")).arg(folder.path().join("run"));
    let error = call.env("OMPI_COMM_WORLD_SIZE", "2").fails(1);
    assert_eq!(
        error,
        "wordmill transformer train: started as one of 2 processes, and this build knows no MPI\n\
         hint: take a wordmill built with --features mpi, or start one process\n"
    );
    assert!(!folder.path().join("run").exists());
}

#[test]
fn a_launcher_of_one_process_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let call = wordmill(&transformer("--max-steps 1 -q --out")).arg(folder.path().join("run"));
    call.env("PMI_SIZE", "1").text();
}

#[test]
fn trainers_that_know_nothing_of_other_processes_refuse_to_be_one_of_several() {
    let call = wordmill("glove train corpora/sample.txt");
    let error = call.env("PMI_SIZE", "4").fails(1);
    assert!(
        error.contains("started as one of 4 processes\nhint: only `transformer train`"),
        "{error}"
    );
}

#[test]
fn other_commands_do_not_mind_a_launcher() {
    let call = wordmill("tokenize").stdin("One two.");
    assert_eq!(call.env("PMI_SIZE", "4").text(), "One two .\n");
}

#[test]
#[ignore = "needs mpirun and a build with --features mpi"]
fn mpi_two_and_three_processes_learn_what_one_does() {
    let folder = tempfile::tempdir().unwrap();
    let run = |size: usize| {
        let out = folder.path().join(size.to_string());
        let args = transformer("--max-steps 20 --log-every 1 -q");
        processes(size, &args, &out).text();
        losses(&out)
    };
    let alone = run(1);
    assert_eq!(alone.len(), 20);
    for size in [2, 3] {
        assert_alike(&alone, &run(size));
    }
}

#[test]
#[ignore = "needs mpirun and a build with --features mpi"]
fn mpi_only_the_first_process_tells_and_writes() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let outcome = processes(3, &transformer("--max-steps 4 --log json"), &out).run();
    let told = outcome.stderr.lines().filter(|line| line.contains("ended"));
    outcome.expect(outcome.status == 0 && told.count() == 1, "one end");
    assert_eq!(steps(&out), [4]);
}

#[test]
#[ignore = "needs mpirun and a build with --features mpi"]
fn mpi_a_run_goes_on_with_another_number_of_processes() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    let args = |steps: u64, more: &str| {
        transformer(&format!("--max-steps {steps} --log-every 1 -q {more}"))
    };
    processes(1, &args(12, ""), &one).text();
    processes(2, &args(6, ""), &two).text();
    processes(3, &args(12, "--resume"), &two).text();
    assert_alike(&losses(&one), &losses(&two));
}

#[test]
#[ignore = "needs mpirun and a build with --features mpi"]
fn mpi_a_run_that_began_with_the_weights_of_another_goes_on_too() {
    let folder = tempfile::tempdir().unwrap();
    let [first, one, two] = ["first", "one", "two"].map(|name| folder.path().join(name));
    processes(1, &transformer("--max-steps 3 -q"), &first).text();
    let args = |steps: u64, how: &str| {
        format!("transformer train {FILES} --log-every 1 -q --max-steps {steps} {how}")
    };
    let begin = args(4, &format!("--batch-tokens 300 --init {}", first.display()));
    for (out, size) in [(&one, 1), (&two, 2)] {
        processes(size, &begin, out).text();
        processes(size, &args(9, "--resume"), out).text();
    }
    assert_eq!(losses(&one).len(), 9);
    assert_alike(&losses(&one), &losses(&two));
}

#[test]
#[ignore = "needs mpirun and a build with --features mpi"]
fn mpi_pairs_of_standard_input_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let args = "transformer train --pairs - --tokenizer corpora/tokenizer.json";
    let outcome = processes(2, args, &folder.path().join("run")).run();
    let told = outcome
        .stderr
        .contains("standard input reaches one process only");
    outcome.expect(outcome.status == 2 && told, "a refusal");
}

#[test]
#[ignore = "needs mpirun and a build with --features mpi"]
fn mpi_word_vectors_of_a_short_text_are_those_of_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let vectors = |size: usize| {
        let out = folder.path().join(format!("{size}.vec"));
        let args =
            "word2vec train -q --dim 8 --min-count 2 --epochs 1 --threads 1 corpora/sample.txt";
        processes(size, args, &out).text();
        std::fs::read(out).unwrap()
    };
    // The text is one task, which one process has; the others change nothing.
    assert!(vectors(1) == vectors(2));
}

#[test]
#[ignore = "needs mpirun and a build with --features mpi"]
fn mpi_adversarial_networks_learn_what_those_of_one_process_do() {
    let folder = tempfile::tempdir().unwrap();
    for (name, data) in [
        ("digits", "corpora/digits --eval-samples 20"),
        ("rows", "corpora/deliveries.csv --batch-size 60"),
    ] {
        let run = |size: usize| {
            let out = folder.path().join(format!("{name}-{size}"));
            let args = format!("gan train {data} --max-steps 5 --log-every 1 -q");
            processes(size, &args, &out).text();
            ["critic_loss", "generator_loss"].map(|loss| reported(&out, loss))
        };
        let alone = run(1);
        assert_eq!(alone[0].len(), 5);
        for size in [2, 3] {
            for (a, b) in alone.iter().zip(&run(size)) {
                // Adam makes gradients that are rounding alone as large as others, and both networks learn of that.
                let are_alike = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-3;
                assert!(a.iter().zip(b).all(are_alike), "{name}: {a:?} and {b:?}");
            }
        }
    }
}

#[test]
#[ignore = "needs mpirun and a build with --features mpi"]
fn mpi_adversarial_networks_go_on_with_another_number_of_processes() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let args = "gan train --toy ring8 --schedule constant --eval-samples 100 --log json --log-every 1 --max-steps";
    let one = folder.path().join("one");
    wordmill(&format!("{args} 7 -q --out")).arg(&one).text();
    for (size, args, last) in [
        (3, format!("{args} 4"), 4),
        (2, format!("{args} 7 --resume"), 7),
    ] {
        let outcome = processes(size, &args, &out).run();
        let told = outcome.stderr.lines().filter(|line| line.contains("ended"));
        outcome.expect(outcome.status == 0 && told.count() == 1, "one end");
        assert_eq!(steps(&out).last(), Some(&last));
    }
    for name in ["critic_loss", "generator_loss"] {
        let (alone, several) = (reported(&one, name), reported(&out, name));
        assert_eq!(alone.len(), several.len());
        let are_alike = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-3;
        assert!(
            alone.iter().zip(&several).all(are_alike),
            "{alone:?} and {several:?}"
        );
    }
}

#[test]
#[ignore = "needs mpirun and a build with --features mpi"]
fn mpi_what_adversarial_networks_of_several_processes_cannot_do_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (args, problem) in [
        (
            "--toy ring8 --batch-size 8 --pack 4",
            "3 processes cannot share a batch of 8 samples in groups of 4",
        ),
        ("-", "standard input reaches one process only"),
    ] {
        let out = folder.path().join("run");
        let outcome = processes(3, &format!("gan train {args}"), &out).run();
        let told = outcome.stderr.contains(problem);
        outcome.expect(outcome.status == 2 && told, "a refusal");
        assert!(!out.exists());
    }
}

/// To run two processes without end, do something to them when a file of the run is there, and wait.
fn disturbed(out: &Path, (flags, file): (&str, &str), how: &str) -> Call {
    // The processes are the children of mpirun, whose number is $!.
    let call = shell(&format!(
        "mpirun --oversubscribe -n 2 {} {DATES} {flags} --max-steps 1000000 -q --out {} & \
         until [ -e {}/{file} ] || ! kill -0 $!; do sleep 0.1; done; {how}; wait $!",
        binary(),
        out.display(),
        out.display()
    ));
    of_mpi(call, out)
}

/// The run in the folder goes on, alone, for ten steps more than it has made.
fn goes_on(out: &Path) {
    let last = *steps(out).last().unwrap();
    let args = format!("{DATES} --resume -q --max-steps {} --out", last + 10);
    wordmill(&args).arg(out).text();
    assert_eq!(steps(out).last(), Some(&(last + 10)));
}

#[test]
#[ignore = "needs mpirun and a build with --features mpi"]
fn mpi_a_process_that_dies_ends_the_others_and_the_run_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let outcome = disturbed(
        &out,
        ("--save-every 5", "checkpoints/5"),
        "kill -9 $(pgrep -P $! | tail -n 1)",
    )
    .run();
    outcome.expect(outcome.status != 0, "a failure");
    goes_on(&out);
}

#[test]
#[ignore = "needs mpirun and a build with --features mpi"]
fn mpi_a_signal_to_the_launcher_leaves_a_checkpoint_of_the_last_step() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    // A second, which mpirun gives them, may be too little for a step and a checkpoint of a busy machine.
    let outcome = disturbed(
        &out,
        ("--save-every 1000000 --log-every 1", "log.jsonl"),
        "kill $!",
    )
    .env("OMPI_MCA_odls_base_sigkill_timeout", "5")
    .run();
    outcome.expect(outcome.status != 0, "a stop");
    // Nothing but the signal asks for a checkpoint.
    let log = std::fs::read_to_string(out.join("log.jsonl")).unwrap();
    let last: serde_json::Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
    assert_eq!(last["step"].as_u64(), steps(&out).last().copied());
    assert_eq!(steps(&out).len(), 1);
    goes_on(&out);
}
