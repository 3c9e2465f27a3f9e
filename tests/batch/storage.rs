//! What the scripts and the documentation do with S3, by the AWS command line beside a stand-in for S3 on this machine.

use super::texts::examples;
use super::{Place, at_hand, lines};
use crate::harness::{Call, binary, root};
use crate::moto::Moto;

/// A place with a server that keeps a bucket.
struct Storage {
    place: Place,
    server: Moto,
}

impl Storage {
    /// None where the command line or the server is not at hand.
    fn new() -> Option<Storage> {
        if !at_hand("batch: S3", "aws --version && moto_server --help") {
            return None;
        }
        let storage = Storage {
            place: Place::new(),
            server: Moto::start(&[])?,
        };
        storage.run("aws s3 mb s3://bucket").run();
        Some(storage)
    }

    fn run(&self, line: &str) -> Call {
        let endpoint = format!("http://{}", self.server.address);
        self.place.run(line).env("AWS_ENDPOINT_URL", &endpoint)
    }

    fn put(&self, text: impl AsRef<[u8]>, key: &str) {
        let line = format!("aws s3 cp --only-show-errors - s3://bucket/{key}");
        self.run(&line).stdin(text).text();
    }

    /// What an object holds; None where there is none.
    fn get(&self, key: &str) -> Option<Vec<u8>> {
        let found = self.run(&format!("aws s3 cp s3://bucket/{key} -")).run();
        (found.status == 0).then_some(found.stdout)
    }
}

#[test]
fn the_ways_to_and_from_s3_are_as_documented() {
    let Some(storage) = Storage::new() else {
        return;
    };
    let [plain, by_file, by_name] = &examples("S3")[..] else {
        panic!("three ways are documented");
    };
    storage.put(lines(10), "pages.txt.gz");
    let whole = storage
        .place
        .run("wordmill stem --from lines")
        .stdin(lines(10))
        .bytes();
    storage.run(plain).run();
    assert_eq!(storage.get("stems.txt"), Some(whole.clone()));
    storage.run(by_file).run();
    let unpacked = storage
        .run("aws s3 cp s3://bucket/stems.txt.gz - | gzip -dc")
        .bytes();
    assert_eq!(unpacked, whole);

    // A failure in the middle stores the beginning in the plain way, and nothing in the others.
    storage.put(
        [lines(40_000).as_bytes(), b"\n\xFF"].concat(),
        "pages.txt.gz",
    );
    let failed = storage.run(plain).run();
    failed.expect(failed.status != 0, "failure");
    let cut = storage.get("stems.txt").unwrap();
    assert!(
        cut != whole && !cut.is_empty(),
        "the plain way has become a safe one"
    );
    storage.put("old", "stems.txt");
    storage.put("old", "stems.txt.gz");
    storage.run(by_file).run();
    let failed = storage.run(by_name).run();
    failed.expect(failed.status != 0, "failure");
    for key in ["stems.txt", "stems.txt.gz"] {
        assert_eq!(storage.get(key).unwrap(), b"old", "{key}");
    }

    storage.put(lines(10), "pages.txt.gz");
    storage.run(by_name).run();
    assert_eq!(storage.get("stems.txt"), Some(whole));
}

#[test]
fn the_shards_of_an_object_are_put_together_in_another() {
    let Some(storage) = Storage::new() else {
        return;
    };
    storage.put(lines(31), "in.txt");
    let shard = |index: u32, input: &str| {
        let line = format!(
            "aws-batch-array.sh shard s3://bucket/{input} s3://bucket/parts/ stem --from lines"
        );
        storage
            .run(&line)
            .env("AWS_BATCH_JOB_ARRAY_INDEX", &index.to_string())
            .env("AWS_BATCH_JOB_ARRAY_SIZE", "2")
    };
    let gather =
        || storage.run("aws-batch-array.sh gather lines 2 s3://bucket/parts s3://bucket/all.txt");
    assert_eq!(shard(0, "in.txt").text(), "");
    // wordmill succeeds here, with nothing to read: that is no part.
    shard(1, "none.txt").fails(1);
    let said = gather().fails(1);
    assert!(said.contains("run shard 1/2 again"), "{said}");
    assert_eq!(storage.get("all.txt"), None);
    shard(1, "in.txt").text();
    assert_eq!(gather().text(), "");
    let whole = storage
        .place
        .run("wordmill stem --from lines")
        .stdin(lines(31))
        .bytes();
    assert_eq!(storage.get("all.txt"), Some(whole));
}

#[test]
fn an_instance_gets_its_data_from_s3_and_stores_there() {
    let Some(storage) = Storage::new() else {
        return;
    };
    let place = &storage.place;
    place.stub("systemd-run", super::machine::SYSTEMD_RUN);
    place.stub(
        "shutdown",
        "echo 'the machine would be shut down' >&2; exit 1",
    );
    storage.put(
        std::fs::read(root().join("batch/spot-watch.sh")).unwrap(),
        "bin/spot-watch.sh",
    );
    storage.put(lines(10), "data/in.txt");
    storage.put("of another instance", "run/earlier.txt");
    let at = |name: &str| place.path(name).display().to_string();
    let instance = storage
        .run("ec2-user-data.sh")
        .env("BINARY", binary())
        .env("SPOT_WATCH", "s3://bucket/bin/spot-watch.sh")
        .env("DATA", "s3://bucket/data")
        .env("STORE", "s3://bucket/run")
        .env(
            "COMMAND",
            "wordmill stem --from lines data/in.txt results/earlier.txt -o results/stems.txt",
        )
        .env("BIN", &at("bin"))
        .env("WORK", &at("work"))
        .env("UNITS", &at("units"))
        .env("SHUTDOWN", &format!("touch {}", at("down")));
    assert_eq!(instance.text(), "");
    let stems = storage.get("run/stems.txt").unwrap();
    assert!(stems.ends_with(b"of anoth instanc\n"), "{stems:?}");
    assert_eq!(storage.get("run/status").unwrap(), b"0\n");
    assert!(place.path("down").exists());
}
