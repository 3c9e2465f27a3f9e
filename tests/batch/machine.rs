//! `batch/ec2-user-data.sh` in folders instead of S3; `storage.rs` has it with S3.

use super::metadata::{self, Metadata};
use super::{Place, TRAINING};
use crate::harness::{Call, binary, root};

/// What `systemd-run --wait` does, as far as a unit sees it: a folder, an environment of its own, files for what is said.
pub const SYSTEMD_RUN: &str = r#"kept=(AWS_EC2_METADATA_SERVICE_ENDPOINT="$AWS_EC2_METADATA_SERVICE_ENDPOINT" SPOT_WATCH_SECONDS=0.1)
echo "$*" >> "$UNITS"
while [[ $1 == --* ]]; do
    case $1 in
        --working-directory=*) cd "${1#*=}" ;;
        --setenv=*) kept+=("${1#*=}") ;;
        --property=StandardOutput=append:*) out=${1#*append:} ;;
        --property=StandardError=append:*) err=${1#*append:} ;;
    esac
    shift
done
exec env -i "${kept[@]}" "$@" >> "$out" 2>> "$err""#;

/// An instance with nothing on it: it has what it needs in `given/`, its results go to `store`.
fn instance(place: &Place, name: &str, command: &str) -> Call {
    let folder = place.path(name);
    let at = |name: &str| folder.join(name).display().to_string();
    place
        .run("ec2-user-data.sh")
        .env("BINARY", binary())
        .env(
            "SPOT_WATCH",
            &root().join("batch/spot-watch.sh").display().to_string(),
        )
        .env("DATA", &root().join("corpora").display().to_string())
        .env("STORE", &place.path("store").display().to_string())
        .env("COMMAND", &command.replace("corpora/", "data/"))
        .env("BIN", &at("bin"))
        .env("WORK", &at("work"))
        .env("UNITS", &at("units"))
        .env("SHUTDOWN", &format!("touch {}", at("down")))
}

fn place() -> Place {
    let place = Place::new();
    place.stub("systemd-run", SYSTEMD_RUN);
    place.stub(
        "shutdown",
        "echo 'the machine would be shut down' >&2; exit 1",
    );
    for name in ["one", "two"] {
        std::fs::create_dir(place.path(name)).unwrap();
    }
    place
}

#[test]
fn an_instance_does_its_job_and_ends() {
    let place = place();
    let stem = "wordmill stem corpora/sample.txt -o results/stems.txt";
    assert_eq!(instance(&place, "one", stem).text(), "");
    assert_eq!(place.listing("store"), ["log.txt", "status", "stems.txt"]);
    let whole = place.run("wordmill stem corpora/sample.txt").text();
    assert_eq!(place.read("store/stems.txt"), whole);
    assert_eq!(place.read("store/status"), "0\n");
    assert!(
        place.path("one/down").exists(),
        "the instance is still there"
    );
    let units = place.read("one/units");
    assert!(
        units.contains("--wait") && units.contains("KillMode=mixed"),
        "{units}"
    );
}

#[test]
fn a_command_that_fails_is_told_and_the_instance_ends() {
    let place = place();
    instance(&place, "one", "wordmill stem none.txt").fails(1);
    assert_eq!(place.read("store/status"), "1\n");
    assert!(
        place
            .read("store/log.txt")
            .contains("none.txt: no such file")
    );
    assert!(
        place.path("one/down").exists(),
        "the instance is still there"
    );
}

#[test]
fn an_instance_that_gets_nothing_ends_too() {
    let place = place();
    let nothing = instance(&place, "one", "wordmill stem").env("BINARY", "none");
    nothing.fails(1);
    assert_eq!(place.read("store/status"), "1\n");
    assert!(
        place.path("one/down").exists(),
        "the instance is still there"
    );
}

#[test]
fn what_a_spot_instance_has_learned_another_one_goes_on_with() {
    if !metadata::can_be_asked() {
        return;
    }
    let place = place();
    let metadata = Metadata::after(place.path("one/work/results/run/log.jsonl"));
    let train = format!("wordmill {TRAINING} --resume --out results/run");
    let first = instance(&place, "one", &train)
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &metadata.endpoint)
        .run();
    first.expect(first.status == 143, "status 143");
    assert_eq!(place.read("store/status"), "143\n");
    let last: serde_json::Value = serde_json::from_str(&place.read("store/run/last.json")).unwrap();
    let (step, log) = (
        last["step"].as_u64().unwrap(),
        place.read("store/run/log.jsonl"),
    );

    let more = format!("{train} --max-steps {}", step + 20);
    instance(&place, "two", &more).text();
    assert_eq!(place.read("store/status"), "0\n");
    let whole = place.read("store/run/log.jsonl");
    assert!(
        whole.starts_with(&log),
        "the other one began anew:\n{whole}"
    );
    let steps = whole.lines().filter_map(|line| {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        event["step"].as_u64()
    });
    assert!(steps.is_sorted_by(|one, next| one < next), "{whole}");
    assert!(
        place
            .path(&format!("store/run/checkpoints/{}", step + 20))
            .exists()
    );
}
