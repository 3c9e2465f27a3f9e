//! Objects of S3 in the place of files: what is said by a build without them, and what one with them does beside a stand-in
//! for S3 on this machine (`tests/features.sh` runs what is ignored here).

mod runs;
mod server;
mod streams;

use crate::harness::wordmill;
use server::Bucket;

#[test]
fn a_build_without_s3_refuses_every_address_by_name() {
    if cfg!(feature = "s3") {
        eprintln!("skipped: this build knows S3");
        return;
    }
    for (args, name) in [
        ("stem s3://bucket/in.txt", "stem: s3://bucket/in.txt"),
        (
            "stem corpora/sample.txt -o s3://bucket/out.txt",
            "stem: s3://bucket/out.txt",
        ),
        (
            "ner --model s3://bucket/ner.model corpora/sample.txt",
            "ner: s3://bucket/ner.model",
        ),
        (
            "vectors convert s3://bucket/words.vec",
            "vectors convert: s3://bucket/words.vec",
        ),
        (
            "transformer translate s3://bucket/run",
            "transformer translate: s3://bucket/run",
        ),
        (
            "gan train --toy ring8 --out s3://bucket/run",
            "gan train: s3://bucket/run",
        ),
    ] {
        let error = wordmill(args).fails(1);
        assert_eq!(
            error,
            format!(
                "wordmill {name}: this build knows no S3\n\
                 hint: take a wordmill built with --features s3, or copy with the AWS command line\n"
            ),
        );
    }
}

#[test]
fn what_must_lie_on_this_machine_is_refused_as_an_address() {
    for args in [
        "tfidf search s3://bucket/index dog",
        "gan train s3://bucket/images --out run",
        "gan eval s3://bucket/real s3://bucket/made",
    ] {
        let error = wordmill(args).fails(1);
        assert!(
            error.contains(
                ": must be a file or folder of this machine\nhint: `aws s3 cp` and `aws s3 sync`"
            ),
            "{error}"
        );
    }
}
