//! Objects read and written.

use super::Bucket;
use crate::harness::{root, wordmill};
use crate::running::{Running, wait_until};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};

const SAMPLE: &str = "corpora/sample.txt";

fn sample() -> Vec<u8> {
    std::fs::read(root().join(SAMPLE)).unwrap()
}

/// So many lines, all different.
fn lines(count: usize) -> String {
    (0..count)
        .map(|i| format!("line {i} of a long text\n"))
        .collect()
}

/// More than two parts or ranges.
const LARGE: usize = 900_000;

#[test]
#[ignore = "needs moto_server and a build with --features s3"]
fn s3_objects_are_read_like_files() {
    let Some(bucket) = Bucket::new() else { return };
    bucket.put("texts/plain", sample());
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), Default::default());
    packed.write_all(&sample()).unwrap();
    bucket.put("texts/packed", packed.finish().unwrap());
    bucket.put("empty", "");
    let expected = wordmill("stem").arg(SAMPLE).text();
    for key in ["plain", "packed"] {
        let args = format!("stem s3://bucket/texts/{key}");
        assert!(bucket.wordmill(&args).text() == expected, "{key}");
    }
    assert_eq!(bucket.wordmill("stem s3://bucket/empty").text(), "");
}

#[test]
#[ignore = "needs moto_server and a build with --features s3"]
fn s3_what_is_written_is_read_again() {
    let Some(bucket) = Bucket::new() else { return };
    let text = lines(LARGE);
    let mut written = Vec::new();
    for key in ["large.txt", "large.txt.gz", "empty.txt"] {
        let text = if key.starts_with("large") { &text } else { "" };
        let args = format!("tokenize --from lines --to raw -o s3://bucket/{key}");
        bucket.wordmill(&args).stdin(text).text();
        let args = format!("tokenize --from lines --to raw s3://bucket/{key}");
        assert!(bucket.wordmill(&args).text() == *text, "{key}");
        written.push(bucket.get(key).unwrap());
    }
    assert!(written[0] == text.as_bytes());
    assert!(written[1].starts_with(b"\x1F\x8B"));
    assert!(written[2].is_empty());
    assert!(bucket.pending().is_empty());
}

#[test]
#[ignore = "needs moto_server and a build with --features s3"]
fn s3_what_is_not_there_is_named() {
    let Some(bucket) = Bucket::new() else { return };
    for (args, problem) in [
        (
            "stem s3://bucket/none.txt",
            "s3://bucket/none.txt: no such object",
        ),
        (
            "stem s3://nowhere/in.txt",
            "s3://nowhere/in.txt: no such bucket",
        ),
        ("stem s3://bucket", "s3://bucket: names no object"),
        (
            "stem -o s3://nowhere/out.txt",
            "s3://nowhere/out.txt: no such bucket",
        ),
        (
            "stem -o s3://bucket/folder/",
            "s3://bucket/folder/: is a folder",
        ),
        (
            "transformer translate s3://bucket/run",
            "s3://bucket/run: holds no run: it has no config.json",
        ),
    ] {
        let error = bucket.wordmill(args).stdin("Dogs bark.").fails(1);
        assert!(error.contains(problem), "{args}: {error}");
    }
}

#[test]
#[ignore = "needs moto_server and a build with --features s3"]
fn s3_wrong_credentials_and_none_are_told_with_a_hint() {
    let Some(bucket) = Bucket::guarded() else {
        return;
    };
    for args in ["stem s3://bucket/in.txt", "stem -o s3://bucket/out.txt"] {
        let error = bucket.wordmill(args).stdin("Dogs bark.").fails(1);
        assert!(
            error.contains(".txt: access denied\nhint: credentials are AWS_"),
            "{error}"
        );
    }
    let error = bucket
        .shell("unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY; wordmill stem s3://bucket/in.txt")
        .fails(1);
    assert!(error.contains("in.txt: no credentials\nhint: "), "{error}");
}

#[test]
#[ignore = "needs moto_server and a build with --features s3"]
fn s3_no_other_machine_is_asked_without_tls() {
    let Some(bucket) = Bucket::new() else { return };
    // An address of documents, which is nobody's.
    for endpoint in ["http://192.0.2.1", "http://localhost:80@192.0.2.1"] {
        let call = bucket.wordmill("stem s3://bucket/in.txt");
        let error = call.env("AWS_ENDPOINT_URL_S3", endpoint).fails(1);
        let problem = "s3://bucket/in.txt: the endpoint has no TLS\nhint: ";
        assert!(error.contains(problem), "{endpoint}: {error}");
    }
}

#[test]
#[ignore = "needs moto_server and a build with --features s3"]
fn s3_a_failure_in_the_middle_leaves_what_was_there() {
    let Some(bucket) = Bucket::new() else { return };
    bucket.put("old.txt", "as it was");
    let mut text = lines(LARGE).into_bytes();
    text.extend(b"\xFF\n");
    for key in ["old.txt", "new.txt"] {
        let args = format!("tokenize --from lines --to raw -o s3://bucket/{key}");
        let error = bucket.wordmill(&args).stdin(&text).fails(1);
        assert!(error.contains("invalid UTF-8"), "{error}");
    }
    assert_eq!(bucket.keys(), ["old.txt"]);
    assert_eq!(bucket.get("old.txt").unwrap(), b"as it was");
    assert!(bucket.pending().is_empty());
}

#[test]
#[ignore = "needs moto_server and a build with --features s3"]
fn s3_a_signal_in_the_middle_leaves_nothing() {
    let Some(bucket) = Bucket::new() else { return };
    let mut command = bucket.command("tokenize --from lines --to raw -o s3://bucket/x");
    let mut writing = Running::start(command.stdin(Stdio::piped()));
    // Its input never ends, so that only the signal ends it.
    let mut input = writing.stdin.take().unwrap();
    input.write_all(lines(LARGE).as_bytes()).unwrap();
    wait_until("an upload has begun", || !bucket.pending().is_empty());
    writing.terminate();
    let status = writing.wait().unwrap();
    assert_eq!(
        std::os::unix::process::ExitStatusExt::signal(&status),
        Some(15)
    );
    // Who goes waits for the server's word, but not for long.
    wait_until("no upload is left", || bucket.pending().is_empty());
    assert!(bucket.keys().is_empty());
}

/// A way to the server that breaks off, once, after a million bytes of answers.
fn broken_way(bucket: &Bucket) -> (std::net::SocketAddr, &'static AtomicUsize) {
    static BROKEN: AtomicUsize = AtomicUsize::new(0);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (here, there) = (listener.local_addr().unwrap(), bucket.address);
    std::thread::spawn(move || {
        for near in listener.incoming() {
            let (Ok(mut near), Ok(mut far)) = (near, TcpStream::connect(there)) else {
                return;
            };
            let (mut asking, mut asked) = (near.try_clone().unwrap(), far.try_clone().unwrap());
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut asking, &mut asked);
            });
            std::thread::spawn(move || {
                let first = std::io::copy(&mut (&mut far).take(1_000_000), &mut near);
                let is_long = first.is_ok_and(|copied| copied == 1_000_000);
                if !is_long || BROKEN.fetch_add(1, Ordering::SeqCst) > 0 {
                    let _ = std::io::copy(&mut far, &mut near);
                }
                let _ = near.shutdown(Shutdown::Both);
            });
        }
    });
    (here, &BROKEN)
}

#[test]
#[ignore = "needs moto_server and a build with --features s3"]
fn s3_a_connection_that_breaks_is_no_end() {
    let Some(bucket) = Bucket::new() else { return };
    let text = lines(LARGE);
    bucket.put("large.txt", &text);
    let (way, broken) = broken_way(&bucket);
    let call = bucket.wordmill("tokenize --from lines --to raw s3://bucket/large.txt");
    let read = call
        .env("AWS_ENDPOINT_URL_S3", &format!("http://{way}"))
        .text();
    assert!(broken.load(Ordering::SeqCst) > 0, "nothing was broken");
    assert!(read == text);
}

#[test]
#[ignore = "needs moto_server and a build with --features s3"]
fn s3_an_object_that_changes_while_it_is_read_is_an_error() {
    let Some(bucket) = Bucket::new() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (seen, changed) = (folder.path().join("seen"), folder.path().join("changed"));
    let text = lines(4 * LARGE);
    bucket.put("large.txt", &text);
    let line = format!(
        "wordmill tokenize --from lines --to raw s3://bucket/large.txt | \
         {{ head -c 1000 > /dev/null; touch {}; until [ -e {} ]; do sleep 0.1; done; cat > /dev/null; }}",
        seen.display(),
        changed.display()
    );
    let reading = bucket.shell(&line);
    let reading = std::thread::spawn(move || reading.run());
    wait_until("its beginning was read", || seen.exists());
    bucket.put("large.txt", text.replace('t', "T"));
    std::fs::write(&changed, "").unwrap();
    let outcome = reading.join().unwrap();
    let is_told = (outcome.stderr).contains("s3://bucket/large.txt: has changed while it was read");
    outcome.expect(outcome.status == 1 && is_told, "a failure");
}
