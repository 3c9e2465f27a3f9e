//! `batch/aws-batch-array.sh` and `batch/gather.sh` on paths; `storage.rs` has what they do with S3.

use super::{Place, lines};
use crate::harness::{Call, root};
use serde_json::Value;

/// A child of an array job.
fn shard(place: &Place, index: u32, shards: u32, args: &str) -> Call {
    place
        .run(&format!("aws-batch-array.sh shard {args}"))
        .env("AWS_BATCH_JOB_ARRAY_INDEX", &index.to_string())
        .env("AWS_BATCH_JOB_ARRAY_SIZE", &shards.to_string())
}

#[test]
fn lines_come_back_in_order() {
    let place = Place::new();
    for (count, shards) in [(31, 4), (32, 4), (3, 1), (1, 3), (0, 2)] {
        let parts = format!("parts{count}");
        place.write("in.txt", lines(count));
        for index in 0..shards {
            shard(
                &place,
                index,
                shards,
                &format!("in.txt {parts} stem --from lines"),
            )
            .text();
        }
        let gather = format!("aws-batch-array.sh gather lines {shards} {parts} out.txt");
        assert_eq!(place.run(&gather).text(), "");
        let whole = place.run("wordmill stem --from lines in.txt").text();
        assert_eq!(
            place.read("out.txt"),
            whole,
            "{count} lines, {shards} shards"
        );
    }
}

#[test]
fn counts_are_added_up() {
    let place = Place::new();
    place.write("in.txt", lines(31));
    for index in 0..3 {
        shard(&place, index, 3, "in.txt parts bow --counts --ngrams 1-2").text();
    }
    place
        .run("aws-batch-array.sh gather merge 3 parts all.tsv")
        .text();
    let whole = place
        .run("wordmill bow --counts --ngrams 1-2 in.txt")
        .text();
    assert_eq!(place.read("all.tsv"), whole);
}

#[test]
fn a_shard_that_fails_is_named_and_can_run_again() {
    let place = Place::new();
    place.write("in.txt", [lines(10).as_bytes(), b"\n\xFF"].concat());
    let stem = "in.txt parts stem --from lines";
    shard(&place, 0, 2, &format!("{stem} --invalid replace")).text();
    assert_eq!(
        shard(&place, 1, 2, &format!("{stem} --invalid replace")).text(),
        ""
    );
    std::fs::remove_file(place.path("parts/part-00000-of-00002")).unwrap();
    let said = shard(&place, 0, 2, stem).fails(1);
    assert!(said.contains("invalid UTF-8"), "{said}");
    assert_eq!(place.listing("parts"), ["part-00001-of-00002"]);

    let gather = "aws-batch-array.sh gather lines 2 parts out.txt";
    let said = place.run(gather).fails(1);
    assert!(
        said.contains("part-00000-of-00002 is missing: run shard 0/2 again"),
        "{said}"
    );
    assert!(!place.path("out.txt").exists());

    shard(&place, 0, 2, &format!("{stem} --invalid replace")).text();
    place.run(gather).text();
    let whole = place.run("wordmill stem --from lines --invalid replace in.txt");
    assert_eq!(place.read("out.txt"), whole.text());
}

#[test]
fn input_that_cannot_be_read_leaves_no_part() {
    let place = Place::new();
    // wordmill itself succeeds, with nothing to read.
    shard(&place, 0, 2, "none.txt parts bow --counts").fails(1);
    assert!(!place.path("parts").exists());
}

#[test]
fn parts_that_are_not_a_line_for_a_line_are_not_put_together() {
    let place = Place::new();
    place.write("in.txt", lines(9));
    for index in 0..2 {
        shard(
            &place,
            index,
            2,
            "in.txt parts tokenize --from lines --to words",
        )
        .text();
    }
    let said = place
        .run("aws-batch-array.sh gather lines 2 parts out.txt")
        .fails(1);
    assert!(
        said.contains("not a line for each line of the input"),
        "{said}"
    );
    assert!(!place.path("out.txt").exists());
}

#[test]
fn a_job_that_is_no_array_is_refused() {
    let place = Place::new();
    let said = place
        .run("aws-batch-array.sh shard in.txt parts stem")
        .fails(1);
    assert!(said.contains("not a child of an array job"), "{said}");
}

#[test]
fn the_job_definitions_are_such() {
    let script = std::fs::read_to_string(root().join("batch/aws-batch-array.sh")).unwrap();
    let json: String = script
        .lines()
        .filter_map(|line| line.strip_prefix("#   "))
        .skip_while(|line| !line.starts_with('{'))
        .take_while(|line| !line.starts_with("the same"))
        .collect();
    let job: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(job["type"], "container");
    assert_eq!(job["containerProperties"]["command"][0], "shard");
}
