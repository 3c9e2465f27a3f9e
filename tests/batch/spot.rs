//! `batch/spot-watch.sh` beside processes of several kinds.

use super::metadata::{self, Metadata};
use super::{Place, TRAINING};
use crate::running::wait_until;

const TOKEN: &str = "PUT /latest/api/token [X-aws-ec2-metadata-token-ttl-seconds: 21600]";
const POLL: &str = "GET /latest/meta-data/spot/instance-action [X-aws-ec2-metadata-token: secret]";

#[test]
fn a_notice_ends_a_training_with_a_checkpoint() {
    if !metadata::can_be_asked() {
        return;
    }
    let place = Place::new();
    // It breaks down, it has no notice, the token is too old, there is a notice.
    let metadata = Metadata::new(&[0, 500, 404, 401, 404, 200]);
    let line = format!(
        "wordmill {TRAINING} --out run & training=$!; \
         until [[ -e run/last.json ]] || ! kill -0 $training; do sleep 0.05; done; rm run/last.json; \
         spot-watch.sh $training || echo watch $?; wait $training; echo $?"
    );
    let watch = place
        .run(&line)
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &metadata.endpoint)
        .env("SPOT_WATCH_SECONDS", "0.1")
        .run();
    assert_eq!(
        String::from_utf8_lossy(&watch.stdout),
        "143\n",
        "{}",
        watch.stderr
    );
    assert!(
        watch.stderr.contains("\"action\": \"terminate\""),
        "{}",
        watch.stderr
    );
    assert!(
        place.path("run/last.json").exists(),
        "no checkpoint was written"
    );
    // What is not answered soon is asked again.
    let mut requests = metadata.requests();
    requests.dedup();
    assert_eq!(requests, [TOKEN, POLL, TOKEN, POLL]);
}

#[test]
fn the_watch_ends_when_the_process_does() {
    if !metadata::can_be_asked() {
        return;
    }
    let place = Place::new();
    let metadata = Metadata::new(&[404]);
    // It ends when it is allowed to, after a poll.
    let line = "mkfifo end; (read -r < end) & spot-watch.sh $! && wait $! && echo ended";
    let watch = place
        .run(line)
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", "")
        .env("AWS_METADATA_ENDPOINT", &metadata.endpoint)
        .env("SPOT_WATCH_SECONDS", "0.1");
    let watch = std::thread::spawn(|| watch.text());
    wait_until("it has asked", || metadata.requests().len() > 1);
    place.write("end", "\n");
    assert_eq!(watch.join().unwrap(), "ended\n");
    assert_eq!(metadata.requests()[..2], [TOKEN, POLL]);
}

#[test]
fn polls_that_nobody_answers_do_no_harm() {
    let place = Place::new();
    let watch = place
        .run("sleep 1 & spot-watch.sh $! && wait $! && echo ended")
        .env("SPOT_WATCH_SECONDS", "0.1");
    assert_eq!(watch.text(), "ended\n");
}

#[test]
fn a_process_that_is_none_is_wrong_usage_or_has_ended() {
    let place = Place::new();
    for args in ["", "name", "-5", "1 2"] {
        let said = place.run(&format!("spot-watch.sh {args}")).fails(2);
        assert!(said.starts_with("usage: spot-watch.sh PID"), "{said}");
    }
    assert_eq!(place.run("true & wait $!; spot-watch.sh $!").text(), "");
}
