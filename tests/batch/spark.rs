//! `batch/spark.py`, with Spark on this machine.

use super::{Place, at_hand, lines};
use crate::harness::{binary, root};
use serde_json::{Value, json};
use std::sync::OnceLock;

/// Spark without pages to look at, with two tasks at a time that get few bytes each.
const SUBMIT: &str = "spark-submit --master 'local[2]' --conf spark.ui.enabled=false --conf spark.driver.bindAddress=127.0.0.1 \
                      --conf spark.sql.files.maxPartitionBytes=300 --conf spark.sql.files.openCostInBytes=0";

const CSV: &str =
    "id,text\n1,The dogs were running.\n2,\n3,\"He said \"\"No\"\", twice.\"\n4,Two violins\n";

fn place() -> Option<Place> {
    at_hand(
        "batch/spark.py",
        "java -version && python3 -c 'import pyspark' && spark-submit --version",
    )
    .then(Place::new)
}

/// The lines of all parts of a folder that Spark wrote, in order.
fn parts(place: &Place, folder: &str) -> String {
    let names = place.listing(folder).into_iter();
    let parts = names.filter(|name| name.starts_with("part-"));
    parts
        .map(|name| place.read(&format!("{folder}/{name}")))
        .collect()
}

#[test]
fn counts_of_partitions_are_added_up() {
    let Some(place) = place() else { return };
    place.write("in.txt", lines(60));
    let script = root().join("batch/spark.py");
    let (script, binary) = (script.display(), binary());
    let job = format!(
        "{SUBMIT} {script} counts --binary {binary} --input in.txt --output counts -- --ngrams 1-2 2> log"
    );
    place.run(&job).text();
    let whole = place
        .run("wordmill bow --counts --ngrams 1-2 in.txt")
        .text();
    assert_eq!(parts(&place, "counts"), whole);
    let tasks = place.read("log").matches("Finished task").count();
    assert!(tasks > 4, "{tasks} tasks are no test of merging");
}

/// Jobs, how they are to end, and a part of the words that they end with.
const JOBS: &[(&str, u64, &str)] = &[
    (
        "lines --input in.txt --output stems -- stem --from lines",
        0,
        "",
    ),
    (
        "lines --input table.csv --from csv --column text --output table --to parquet -- tokenize --from lines",
        0,
        "",
    ),
    (
        "lines --input table --from parquet --column text --output again --into stems -- stem --from lines",
        0,
        "",
    ),
    (
        "lines --input long.csv --from csv --column text --output one --to parquet --line-ends replace -- stem --from lines",
        0,
        "",
    ),
    (
        "lines --input empty.txt --output nothing -- stem --from lines",
        0,
        "",
    ),
    ("counts --input empty.txt --output none", 0, ""),
    (
        "counts --input table.csv --from csv --column text --output counts",
        0,
        "",
    ),
    (
        "lines --input long.csv --from csv --column text --output fail1 -- stem --from lines",
        1,
        "a text of more than one line",
    ),
    (
        "counts --input long.csv --from csv --column text --output fail2",
        1,
        "a text of more than one line",
    ),
    (
        "lines --input in.txt --output fail3 -- tokenize",
        1,
        "lines than rows",
    ),
    (
        "lines --input in.txt --output fail4 -- tokenize --from lines --to words",
        1,
        "more lines than rows",
    ),
    (
        "lines --input in.txt --output fail5 -- stem --from jsonl",
        1,
        "status 1",
    ),
    (
        "lines --input in.txt --output fail6 -- stem --no-such-flag",
        2,
        "",
    ),
    (
        "counts --input in.txt --column none --output fail7",
        1,
        "no column none, but value",
    ),
    (
        "lines --input table --from parquet --column text --output fail8 -- stem --from lines",
        1,
        "a column wordmill already",
    ),
];

/// Runs all jobs in one Spark: the folder of their outputs, and what spark_runs.py writes about them.
fn jobs() -> Option<&'static (Place, Vec<Value>)> {
    static JOBS_DONE: OnceLock<Option<(Place, Vec<Value>)>> = OnceLock::new();
    let run = || {
        let place = place()?;
        place.write("in.txt", lines(60));
        place.write("table.csv", CSV);
        place.write("long.csv", "id,text\n1,\"One\nand one\nmore.\"\n");
        place.write("empty.txt", "");
        let list = JOBS.iter().map(|(job, ..)| {
            let (mode, args) = job.split_once(' ').unwrap();
            let words: Vec<_> = [mode, "--binary", binary()]
                .into_iter()
                .chain(args.split(' '))
                .collect();
            format!("{}\n", json!(words))
        });
        place.write("jobs", list.collect::<String>());
        let (runs, script) = (
            root().join("tests/batch/spark_runs.py"),
            root().join("batch/spark.py"),
        );
        let line = format!(
            "{SUBMIT} {} {} jobs ends table one > log 2>&1",
            runs.display(),
            script.display()
        );
        let spark = place.run(&line).run();
        spark.expect(
            spark.status == 0,
            &format!("success, not\n{}", place.read("log")),
        );
        let ends = place
            .read("ends")
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        Some((place, ends))
    };
    JOBS_DONE.get_or_init(run).as_ref()
}

#[test]
fn jobs_fail_when_a_part_of_them_does() {
    let Some((place, ends)) = jobs() else { return };
    for ((job, status, words), end) in JOBS.iter().zip(ends) {
        let is_right = end[0] == *status && end[1].as_str().unwrap().contains(words);
        assert!(is_right, "{job}\nexpected {status}, {words}\n{end}");
    }
    for i in 1..9 {
        assert!(
            !place.path(&format!("fail{i}/_SUCCESS")).exists(),
            "fail{i} looks done"
        );
    }
}

#[test]
fn rows_get_the_line_that_the_command_makes_of_their_text() {
    let Some((place, ends)) = jobs() else { return };
    let whole = place.run("wordmill stem --from lines in.txt").text();
    assert_eq!(parts(place, "stems"), whole);
    let table = json!([
        ["1", "The dogs were running.", "The dogs were running ."],
        ["2", null, null],
        ["3", "He said \"No\", twice.", "He said \" No \" , twice ."],
        ["4", "Two violins", "Two violins"]
    ]);
    let [.., rows, one] = &ends[..] else {
        panic!("no tables")
    };
    assert_eq!(*rows, table);
    assert_eq!(one[0][2], "one and one more .");
    let texts = "The dogs were running.\n\nHe said \"No\", twice.\nTwo violins\n";
    let stems = place.run("wordmill stem --from lines").stdin(texts);
    assert_eq!(parts(place, "again"), stems.text());
    assert_eq!(parts(place, "nothing"), "");
}

#[test]
fn a_text_that_is_null_is_no_document_and_no_document_has_counts() {
    let Some((place, _)) = jobs() else { return };
    let counts = |input: &str| place.run("wordmill bow --counts").stdin(input).text();
    assert_eq!(parts(place, "none"), counts(""));
    let texts = "The dogs were running.\nHe said \"No\", twice.\nTwo violins\n";
    assert_eq!(parts(place, "counts"), counts(texts));
}
