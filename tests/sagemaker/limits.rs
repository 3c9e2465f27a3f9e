//! What a client may not do, and how a service ends.

use super::sample;
use crate::harness::wordmill;
use crate::service::{Service, posted, reply};
use std::io::{ErrorKind, Read, Write};

#[test]
fn unknown_paths_are_refused_with_those_that_are_known() {
    let service = Service::of("stem", "");
    let reply = service.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(reply.status, 404);
    assert!(reply.body.contains("/invocations"), "{reply:?}");
}

#[test]
fn other_methods_are_refused_with_those_that_are_allowed() {
    let service = Service::of("stem", "");
    for (line, allowed) in [("POST /ping", "GET"), ("GET /invocations", "POST")] {
        let reply = service.send(format!("{line} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
        assert_eq!((reply.status, reply.header("allow")), (405, Some(allowed)));
    }
}

#[test]
fn other_types_are_refused_with_those_that_are_taken() {
    let service = Service::of("stem", "");
    let reply = service.post("Content-Type: application/pdf\r\n", "x");
    assert_eq!(reply.status, 415);
    assert!(reply.body.contains("application/jsonlines"), "{reply:?}");
}

#[test]
fn bad_bytes_are_named_by_their_line() {
    let service = Service::of("stem", "");
    let reply = service.post("", b"Good.\nBad \xFF.\n");
    assert_eq!(reply.status, 400);
    let expected = "{\"error\":\"line 2: invalid UTF-8 at byte 10\"";
    assert!(reply.body.starts_with(expected), "{reply:?}");
}

#[test]
fn bad_json_is_named_by_its_line() {
    let service = Service::of("annotate", "");
    let reply = service.post(
        "Content-Type: application/x-ndjson\r\n",
        "{\"text\": \"Good.\"}\n{\"text\": \n",
    );
    assert_eq!(reply.status, 400);
    assert!(reply.body.starts_with("{\"error\":\"line 2: "), "{reply:?}");
}

#[test]
fn compressed_bodies_are_not_unpacked() {
    let service = Service::of("stem", "");
    let reply = service.post("", b"\x1F\x8B\x08\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0");
    assert_eq!(reply.status, 400);
}

#[test]
fn bodies_that_are_too_large_are_refused() {
    let service = Service::of("stem", "--max-bytes 10");
    assert_eq!(service.post("", "0123456789").status, 200);
    assert_eq!(service.post("", "0123456789a").status, 413);
    let head = "POST /invocations HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunks = "6\r\nabcdef\r\n6\r\nabcdef\r\n0\r\n\r\n";
    let reply = service.send(format!("{head}{chunks}").as_bytes());
    assert_eq!(reply.status, 413);
}

#[test]
fn a_large_body_is_read_before_it_is_refused_so_that_the_reason_arrives() {
    let service = Service::of("stem", "");
    let body = vec![b'a'; 5 << 20];
    let reply = service.post("Content-Type: application/pdf\r\n", &body);
    assert_eq!(reply.status, 415);
    let body = vec![b'a'; 30 << 20];
    assert_eq!(service.post("", &body).status, 413);
}

#[test]
fn clients_that_are_too_slow_are_let_go() {
    let service = Service::of("stem", "--timeout 1");
    let half = "POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc";
    assert_eq!(service.send(half.as_bytes()).status, 408);
    let mut stream = service.connect();
    stream.write_all(b"GET /ping HT").unwrap();
    let mut rest = Vec::new();
    match stream.read_to_end(&mut rest) {
        Ok(_) => assert!(!rest.starts_with(b"HTTP/1.1 200"), "no answer"),
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
}

#[test]
fn requests_beyond_the_queue_may_be_tried_again() {
    let service = Service::of("stem", "--queue 1");
    let (mut first, whole) = (service.connect(), posted("", b"Dogs bark.\n"));
    let (head, rest) = whole.split_at(whole.len() - 3);
    first.write_all(head).unwrap();
    // The first has its slot when a ping sent behind it was answered, or soon after.
    let refused = (0..1000).find_map(|_| {
        let reply = service.post("", "Cats purr.\n");
        (reply.status == 503).then_some(reply)
    });
    let refused = refused.expect("a full queue");
    assert_eq!(refused.header("retry-after"), Some("1"));
    first.write_all(rest).unwrap();
    assert_eq!(reply(&mut first).status, 200);
    assert_eq!(service.post("", "Cats purr.\n").status, 200);
}

#[test]
fn a_ping_is_answered_while_all_threads_compute() {
    let service = Service::of("annotate --threads 1", "");
    let mut busy = service.connect();
    busy.write_all(&posted("", sample().repeat(4000).as_bytes()))
        .unwrap();
    let ping = service.send(b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(ping.status, 200);
    busy.set_nonblocking(true).unwrap();
    let waiting = busy.read(&mut [0]).expect_err("it is computed still");
    assert_eq!(waiting.kind(), ErrorKind::WouldBlock);
}

#[test]
fn a_service_that_is_stopped_answers_what_is_under_way() {
    let service = Service::of("annotate --threads 1", "--timeout 3600");
    let body = sample().repeat(200);
    let mut clients: Vec<_> = (0..4).map(|_| service.connect()).collect();
    for client in &mut clients {
        client.write_all(&posted("", body.as_bytes())).unwrap();
    }
    // Each has been read when a later one was: they are taken in turn.
    assert_eq!(
        service
            .send(b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n")
            .status,
        200
    );
    let mut idle = service.connect();
    service.terminate();
    let expected = wordmill("annotate").stdin(&body).text();
    for mut client in clients {
        assert!(reply(&mut client).body == expected, "the whole answer");
    }
    assert_eq!(idle.read(&mut [0]).unwrap_or(0), 0, "idle ones are closed");
    assert!(!service.listens(), "and no new ones are taken");
    assert_eq!(service.wait(), Some(0));
}
