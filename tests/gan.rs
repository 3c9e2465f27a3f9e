//! `wordmill gan`: runs of every kind of data and network, samples, measures, and what goes wrong.

use crate::harness::{Call, root, shell, wordmill};
use serde_json::Value;
use std::path::Path;
use std::sync::OnceLock;

const DIGITS: &str =
    "corpora/digits --batch-size 8 --generator 4 --critic 4 --latent 8 --eval-samples 40";
const ROWS: &str = "corpora/deliveries.csv --batch-size 40 --generator 16 --critic 16";
const TOY: &str = "--toy moons --batch-size 32 --generator 16 --critic 16 --schedule constant";

fn train(out: &Path, flags: &str) -> Call {
    wordmill(&format!("gan train -q {flags} --out")).arg(out)
}

/// Folders of runs with few steps: `digits`, `rows` and `toy`.
fn runs() -> &'static Path {
    static RUNS: OnceLock<tempfile::TempDir> = OnceLock::new();
    let runs = RUNS.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        for (name, flags) in [("digits", DIGITS), ("rows", ROWS), ("toy", TOY)] {
            let flags = format!("{flags} --max-steps 4");
            train(&folder.path().join(name), &flags).text();
        }
        folder
    });
    runs.path()
}

fn sample(run: &str, flags: &str) -> Call {
    let run = runs().join(run);
    wordmill(&format!("gan sample {} {flags}", run.display()))
}

fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn weights(run: &Path, step: u64) -> Vec<u8> {
    let checkpoint = run.join(format!("checkpoints/{step}"));
    [
        bytes(&checkpoint.join("model.safetensors")),
        bytes(&checkpoint.join("optimizer.safetensors")),
    ]
    .concat()
}

#[test]
fn a_run_of_every_kind_goes_on_as_if_it_had_not_been_stopped() {
    let place = tempfile::tempdir().unwrap();
    let (whole, parts) = (place.path().join("whole"), place.path().join("parts"));
    let kinds = [
        TOY.to_owned(),
        format!("{TOY} --loss relativistic --pack 2"),
        format!("{TOY} --loss wasserstein --critic-steps 3"),
        DIGITS.to_owned(),
        format!(
            "{DIGITS} --conditional --spectral-norm --loss hinge --mirror --augment colour,translation,cutout"
        ),
        format!("{DIGITS} --loss wasserstein --gradient-penalty 10 --ema 0"),
        format!("{DIGITS} --network mlp --loss least-squares --r1 1 --pack 2"),
        format!("{DIGITS} --network resnet --loss minimax --r2 0.5"),
        ROWS.to_owned(),
    ];
    for kind in kinds {
        train(&whole, &format!("{kind} --max-steps 5 --threads 1")).text();
        train(&parts, &format!("{kind} --max-steps 3 --threads 2")).text();
        train(&parts, "--resume --max-steps 5 --threads 2").text();
        assert!(weights(&whole, 5) == weights(&parts, 5), "{kind}");
        std::fs::remove_dir_all(&whole).unwrap();
        std::fs::remove_dir_all(&parts).unwrap();
    }
}

#[test]
fn a_signal_ends_a_run_with_a_checkpoint_from_which_it_goes_on() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    let line = format!(
        "wordmill gan train -q {TOY} --max-steps 1000000 --save-every 50 --out {0} & \
         for i in $(seq 600); do test -e {0}/last.json && break; sleep 0.1; done; \
         kill -TERM $!; wait $!; echo $?",
        run.display()
    );
    assert_eq!(shell(&line).text(), "143\n");
    let steps = std::fs::read_dir(run.join("checkpoints")).unwrap();
    let last: u64 = steps
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok())
        .max()
        .unwrap();
    let to = last + 5;
    train(&run, &format!("--resume --max-steps {to}")).text();
    let whole = place.path().join("whole");
    train(&whole, &format!("{TOY} --max-steps {to}")).text();
    assert!(weights(&run, to) == weights(&whole, to));
}

#[test]
fn a_toy_is_learned() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    let flags = "--toy ring8 --max-steps 1200 --eval-every 600 --log-every 600";
    train(&run, flags).text();
    let log = String::from_utf8(bytes(&run.join("log.jsonl"))).unwrap();
    let evaluations: Vec<Value> = (log.lines())
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|event| event["event"] == "evaluation")
        .collect();
    assert_eq!(evaluations.len(), 2);
    assert!(
        evaluations[1]["scores"]["modes"].as_f64().unwrap() >= 6.0,
        "{evaluations:?}"
    );
    assert!(
        evaluations[1]["sliced"].as_f64().unwrap() < 0.3,
        "{evaluations:?}"
    );
    for name in ["reals.png", "samples-000600.png", "samples-001200.png"] {
        assert!(bytes(&run.join(name)).starts_with(b"\x89PNG"), "{name}");
    }
    let curves = String::from_utf8(bytes(&run.join("curves.svg"))).unwrap();
    for name in ["critic", "generator", "sliced", "quality"] {
        assert!(curves.contains(&format!(">{name}<")), "{name}");
    }
}

#[test]
fn a_sample_is_the_same_whatever_is_made_with_it() {
    let place = tempfile::tempdir().unwrap();
    let (many, one) = (place.path().join("many"), place.path().join("one"));
    sample("digits", "--seeds 0-70 --dir").arg(&many).text();
    sample("digits", "--seeds 66 --threads 1 --dir")
        .arg(&one)
        .text();
    assert!(bytes(&many.join("000066.png")) == bytes(&one.join("000066.png")));
    assert_eq!(std::fs::read_dir(&many).unwrap().count(), 71);
    let rows = sample("rows", "--seeds 5-9").text();
    assert_eq!(
        sample("rows", "--seeds 7").text().lines().nth(1),
        rows.lines().nth(3)
    );
}

#[test]
fn rows_have_the_columns_types_and_categories_of_the_file() {
    let out = sample("rows", "-n 50").text();
    let file = std::fs::read_to_string(root().join("corpora/deliveries.csv")).unwrap();
    let (mut lines, mut real) = (out.lines(), file.lines());
    assert_eq!(lines.next(), real.next());
    let column = |line: &str, i: usize| line.split(',').nth(i).unwrap().to_owned();
    let known: Vec<String> = real.clone().map(|line| column(line, 0)).collect();
    let distances: Vec<u32> = real.map(|line| column(line, 3).parse().unwrap()).collect();
    assert_eq!(lines.clone().count(), 50);
    for line in lines {
        assert_eq!(line.split(',').count(), 7, "{line}");
        assert!(known.contains(&column(line, 0)), "{line}");
        let distance: u32 = column(line, 3).parse().unwrap();
        assert!(distance <= *distances.iter().max().unwrap(), "{line}");
        assert_eq!(
            column(line, 2).split('.').nth(1).map_or(0, str::len),
            2,
            "{line}"
        );
    }
}

#[test]
fn pictures_are_made_of_images_points_and_ways() {
    let place = tempfile::tempdir().unwrap();
    let png = |run: &str, flags: &str| {
        let file = place.path().join("a.png");
        sample(run, &format!("{flags} --out")).arg(&file).text();
        let bytes = bytes(&file);
        assert!(bytes.starts_with(b"\x89PNG"), "{flags}");
        let side = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
        (
            side(16),
            side(20),
            bytes.windows(4).any(|part| part == b"acTL"),
        )
    };
    // Four rows and columns of 28 pixels, two between them and around.
    assert_eq!(png("digits", "-n 16"), (122, 122, false));
    assert_eq!(png("toy", "-n 100"), (480, 480, false));
    assert_eq!(png("digits", "--interpolate 2 --frames 3"), (28, 28, true));
    let frames = place.path().join("frames");
    let ways = "--seeds 3,8 --interpolate 1 --frames 4 --dir";
    sample("digits", ways).arg(&frames).text();
    assert_eq!(std::fs::read_dir(&frames).unwrap().count(), 5);
    let to_stdout = sample("digits", "-n 4 --out -").bytes();
    assert!(to_stdout.starts_with(b"\x89PNG"));
}

#[test]
fn truncation_classes_and_checkpoints_change_what_is_made() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    train(
        &run,
        &format!("{DIGITS} --conditional --max-steps 2 --save-every 1"),
    )
    .text();
    let of = |flags: &str| {
        let line = format!("gan sample {} -n 4 --out - {flags}", run.display());
        wordmill(&line).bytes()
    };
    let plain = of("");
    for flags in [
        "--truncation 0.3",
        "--class 3",
        "--checkpoint 1",
        "--no-ema",
    ] {
        assert!(of(flags) != plain, "{flags}");
    }
    assert!(of("--class 3") == of("--class 3"));
    let message = wordmill(&format!("gan sample {} --class x --out -", run.display())).fails(2);
    assert!(message.contains("no class x"), "{message}");
    let message = sample("digits", "--class 3 --out -").fails(2);
    assert!(message.contains("--conditional"), "{message}");
}

fn measured(flags: &str) -> Value {
    serde_json::from_str(&wordmill(&format!("gan eval -q --to json {flags}")).text()).unwrap()
}

#[test]
fn a_set_of_images_is_at_no_distance_from_itself() {
    let found = measured("corpora/digits corpora/digits");
    let number = |name: &str| found[name].as_f64().unwrap();
    assert!(
        number("frechet").abs() < 1e-6 && number("sliced").abs() < 1e-6,
        "{found}"
    );
    assert_eq!((number("recall"), number("coverage")), (1.0, 1.0));
    assert!(found["floor"]["frechet"].as_f64().unwrap() > 0.0, "{found}");
    // Half of them are the images that they are compared with.
    assert!(
        found["copies"]["copies"].as_f64().unwrap() >= 0.5,
        "{found}"
    );
}

#[test]
fn a_table_is_as_good_as_itself() {
    let found = measured("corpora/deliveries.csv corpora/deliveries.csv");
    let number = |name: &str| found[name].as_f64().unwrap();
    assert_eq!(
        (number("column_shapes"), number("all_pair_trends")),
        (1.0, 1.0)
    );
    assert!(found["floor"]["column_shapes"].as_f64().unwrap() < 1.0);
}

#[test]
fn runs_of_every_kind_are_measured() {
    for (run, name) in [
        ("digits", "frechet"),
        ("rows", "column_shapes"),
        ("toy", "sliced"),
    ] {
        let run = runs().join(run);
        let found = measured(&format!("{} --samples 60", run.display()));
        assert!(found[name].as_f64().unwrap().is_finite(), "{found}");
    }
}

#[test]
fn near_images_are_pictured() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("near.png");
    let run = runs().join("digits");
    let line = format!("gan eval -q --samples 40 {} --neighbours", run.display());
    wordmill(&line).arg(&file).text();
    assert!(bytes(&file).starts_with(b"\x89PNG"));
}

/// A folder of PNG files of these sides, made of a run's samples.
fn folder_of(place: &Path, n: usize) -> std::path::PathBuf {
    let folder = place.join("images");
    sample("digits", &format!("-n {n} --dir"))
        .arg(&folder)
        .text();
    folder
}

#[test]
fn a_broken_image_is_named_and_left_out_when_that_is_asked_for() {
    let place = tempfile::tempdir().unwrap();
    let folder = folder_of(place.path(), 30);
    std::fs::write(folder.join("000007.png"), b"\x89PNG\r\n\x1a\nbroken").unwrap();
    let small = "--generator 4 --critic 4 --batch-size 8 --eval-samples 20 --max-steps 1";
    let flags = format!("{} {small}", folder.display());
    let message = train(&place.path().join("run"), &flags).fails(1);
    assert!(message.contains("000007.png"), "{message}");
    assert!(!place.path().join("run").exists());
    let line = format!("gan train {flags} --keep-going --out");
    let out = wordmill(&line).arg(place.path().join("run")).run();
    let told = out.stderr;
    assert!(
        told.contains("left out") && told.contains("000007.png"),
        "{told}"
    );
    assert!(
        told.contains("29 images are few: they will be learned by heart"),
        "{told}"
    );
}

#[test]
fn images_smaller_than_asked_for_are_refused() {
    let place = tempfile::tempdir().unwrap();
    let folder = folder_of(place.path(), 20);
    let flags = format!("{} --size 64 --max-steps 1", folder.display());
    let message = train(&place.path().join("run"), &flags).fails(1);
    assert!(
        message.contains("000000.png") && message.contains("28"),
        "{message}"
    );
}

#[test]
fn one_class_alone_cannot_be_conditional() {
    let place = tempfile::tempdir().unwrap();
    let folder = folder_of(place.path(), 20);
    let flags = format!("{} --conditional --max-steps 1", folder.display());
    let message = train(&place.path().join("run"), &flags).fails(2);
    assert!(
        message.contains("--conditional needs images of two classes"),
        "{message}"
    );
}

#[test]
fn a_header_that_counts_wrong_is_refused_with_both_numbers() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("train-images-idx3-ubyte");
    let mut bytes = vec![0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 28, 0, 0, 0, 28];
    bytes.extend(vec![7; 2 * 784]);
    std::fs::write(&file, bytes).unwrap();
    let flags = format!("{} --max-steps 1", file.display());
    let message = train(&place.path().join("run"), &flags).fails(1);
    assert!(
        message.contains('3') && message.contains("1568"),
        "{message}"
    );
}

#[test]
fn a_constant_column_is_written_back() {
    let place = tempfile::tempdir().unwrap();
    let (file, run) = (place.path().join("a.csv"), place.path().join("run"));
    let rows: String = (0..60)
        .map(|i| format!("{},same,{}\n", i * i, i % 3))
        .collect();
    std::fs::write(&file, format!("n,c,k\n{rows}")).unwrap();
    let flags = format!(
        "{} --batch-size 20 --generator 8 --critic 8 --max-steps 2",
        file.display()
    );
    train(&run, &flags).text();
    let out = wordmill(&format!("gan sample {} -n 9", run.display())).text();
    assert!(
        out.lines().skip(1).all(|line| line.contains(",same,")),
        "{out}"
    );
}

#[test]
fn a_table_is_read_whatever_its_line_ends() {
    let place = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(root().join("corpora/deliveries.csv")).unwrap();
    let run = |name: &str, text: &str| {
        let file = place.path().join(format!("{name}.csv"));
        std::fs::write(&file, text).unwrap();
        let out = place.path().join(name);
        let small = "--batch-size 20 --generator 8 --critic 8 --max-steps 2";
        train(&out, &format!("{} {small}", file.display())).text();
        weights(&out, 2)
    };
    let plain = run("a", &text);
    assert!(run("b", &text.replace('\n', "\r\n")) == plain);
    assert!(run("c", text.trim_end()) == plain);
}

#[test]
fn what_is_no_table_is_refused_by_line() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("a.csv");
    for (text, expected) in [
        (&b""[..], "no"),
        (b"a,b\n", "no"),
        (b"a,b\n1,2\n3\n", "a.csv:3"),
        (b"a,b\n1,2\n\xff,3\n", "UTF-8"),
    ] {
        std::fs::write(&file, text).unwrap();
        let message = train(&place.path().join("run"), &format!("{}", file.display())).fails(1);
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn flags_that_do_not_go_together_are_wrong_usage() {
    let place = tempfile::tempdir().unwrap();
    for (flags, expected) in [
        ("--no-such-flag", "unexpected argument"),
        ("", "nothing to learn from"),
        ("corpora/digits --toy moons", "cannot be used with"),
        ("corpora/digits --generator 4,8", "one number of channels"),
        ("corpora/digits --generator 65000", "weights"),
        ("--toy moons --metric fid", "there are sliced"),
        ("--toy moons --augment cutout", "images alone"),
        ("corpora/digits --latent 0", "the length of z is 0"),
        (
            "corpora/digits --conditional --pack 2",
            "cannot look at classes",
        ),
        (
            "corpora/digits --batch-size 9 --pack 2",
            "no multiple of --pack",
        ),
        ("--toy moons --device cuda", "trained on the CPU only"),
        (
            "--toy moons --schedule cosine --max-time 1s",
            "needs --max-steps",
        ),
    ] {
        let message = train(&place.path().join("run"), flags).fails(2);
        assert!(message.contains(expected), "{flags}: {message}");
        assert!(!place.path().join("run").exists(), "{flags}");
    }
}

#[test]
fn a_run_does_not_go_on_with_what_its_networks_cannot_do() {
    let place = tempfile::tempdir().unwrap();
    let (digits, packed) = (place.path().join("digits"), place.path().join("packed"));
    train(&digits, &format!("{DIGITS} --max-steps 1")).text();
    train(&packed, &format!("{TOY} --pack 2 --max-steps 1")).text();
    for (run, flags, expected) in [
        (&digits, "--r1 1", "has batch normalisation"),
        (&digits, "--loss relativistic", "has batch normalisation"),
        (&packed, "--batch-size 9", "no multiple of --pack"),
        (&packed, "--metric fid", "there are sliced"),
    ] {
        let message = train(run, &format!("--resume --max-steps 2 {flags}")).fails(2);
        assert!(message.contains(expected), "{flags}: {message}");
    }
    // Nothing of that was kept.
    train(&digits, "--resume --max-steps 2").text();
    train(&packed, "--resume --max-steps 2 --loss hinge").text();
    let init = format!("corpora/digits --conditional --init {}", packed.display());
    let message = train(&place.path().join("run"), &init).fails(2);
    assert!(message.contains("is not that of the run"), "{message}");
    let init = format!("corpora/digits --init {}", packed.display());
    let message = train(&place.path().join("run"), &init).fails(2);
    assert!(message.contains("not of the kind"), "{message}");
}

#[test]
fn a_time_to_train_is_kept() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    train(&run, &format!("{TOY} --max-time 0.2s")).text();
    let steps = || {
        let text = String::from_utf8(bytes(&run.join("last.json"))).unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["step"]
            .as_u64()
            .unwrap()
    };
    let before = steps();
    train(&run, "--resume").text();
    assert_eq!(steps(), before);
    train(&run, "--resume --max-time 0.4s").text();
    assert!(steps() > before);
}

#[test]
fn few_rows_are_enough_and_rows_are_asked_for_by_category() {
    let place = tempfile::tempdir().unwrap();
    let (file, run) = (place.path().join("a.csv"), place.path().join("run"));
    let text = std::fs::read_to_string(root().join("corpora/deliveries.csv")).unwrap();
    let few: Vec<&str> = text.lines().take(124).collect();
    std::fs::write(&file, few.join("\n")).unwrap();
    let flags = format!("{} --generator 8 --critic 8 --max-steps 2", file.display());
    train(&run, &flags).text();
    let sample = |flags: &str| wordmill(&format!("gan sample {} {flags}", run.display()));
    let freight = sample("-n 7 --given service=freight").text();
    assert_eq!(freight.lines().count(), 8);
    let message = sample("--given service=boat").fails(2);
    assert!(message.contains("service=boat"), "{message}");
    // Other rows than those that were learned from.
    let held_out = measured(&format!("{} corpora/deliveries.csv", run.display()));
    assert!(held_out["column_shapes"].as_f64().unwrap() > 0.0);
}

#[test]
fn a_checkpoint_that_is_not_there_is_named_beside_those_that_are() {
    let message = sample("toy", "--checkpoint 99").fails(1);
    assert!(
        message.contains("no checkpoint of step 99; there are 4"),
        "{message}"
    );
}

#[test]
fn missing_files_and_runs_are_named() {
    let place = tempfile::tempdir().unwrap();
    let message = train(&place.path().join("run"), "no/such").fails(1);
    assert!(message.contains("no/such"), "{message}");
    let message = wordmill("gan sample no/such").fails(1);
    assert!(message.contains("holds no run"), "{message}");
    let message = wordmill("gan eval no/a no/b").fails(1);
    assert!(message.contains("no/a"), "{message}");
}

#[test]
fn a_run_is_not_begun_twice_nor_given_other_networks_or_data() {
    let run = runs().join("digits");
    let message = train(&run, DIGITS).fails(1);
    assert!(message.contains("holds a run already"), "{message}");
    let message = train(&run, "--resume --generator 8").fails(2);
    assert!(
        message.contains("--generator is not that of the run"),
        "{message}"
    );
    let message = train(&runs().join("toy"), "--resume --toy ring8").fails(1);
    assert!(
        message.contains("the data is not that of the run"),
        "{message}"
    );
}

#[test]
fn a_run_begins_with_the_weights_of_another() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    let init = format!(
        "{TOY} --init {} --max-steps 1",
        runs().join("toy").display()
    );
    train(&run, &init).text();
    let fresh = place.path().join("fresh");
    train(&fresh, &format!("{TOY} --max-steps 1")).text();
    assert!(weights(&run, 1) != weights(&fresh, 1));
}

#[test]
fn a_cut_checkpoint_is_passed_over() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    train(&run, &format!("{TOY} --max-steps 4 --save-every 2")).text();
    let file = run.join("checkpoints/4/model.safetensors");
    let whole = bytes(&file);
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    let out = wordmill("gan train --resume --max-steps 5 --out")
        .arg(&run)
        .run();
    let told = out.stderr;
    assert_eq!(out.status, 0, "{told}");
    assert!(told.contains("an earlier checkpoint is tried"), "{told}");
    assert!(told.contains("goes on from step 2"), "{told}");
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let run = runs().join("rows");
    let line = format!(
        "wordmill gan sample {} -n 5000 | head -n 1 > /dev/null; echo ${{PIPESTATUS[0]}}",
        run.display()
    );
    assert_eq!(shell(&line).text(), "0\n");
}

#[test]
fn a_full_disk_is_a_failure_of_sampling_and_not_of_training() {
    if !Path::new("/dev/full").exists() {
        return;
    }
    let run = runs().join("rows");
    let message = shell(&format!(
        "wordmill gan sample {} > /dev/full",
        run.display()
    ))
    .fails(1);
    assert!(message.contains("No space left"), "{message}");
    // Files of more than 64 kilobytes cannot be written: the weights cannot, the log can.
    let large = DIGITS.replace("--generator 4", "--generator 64");
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    let line = format!(
        "trap '' XFSZ; ulimit -f 64; wordmill gan train {large} --max-steps 2 --eval-every 1 --out {}",
        run.display()
    );
    let out = shell(&line).run();
    let told = out.stderr;
    assert_eq!(out.status, 0, "{told}");
    assert!(told.contains("training goes on"), "{told}");
}
