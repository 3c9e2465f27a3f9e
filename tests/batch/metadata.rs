//! A stand-in for EC2's instance metadata service, version 2, on this machine.

use super::at_hand;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// Answers polls with what it was told.
pub struct Metadata {
    pub endpoint: String,
    requests: Arc<Mutex<Vec<String>>>,
}

/// Whether its questions can be asked; if not, says that what asks them is skipped.
pub fn can_be_asked() -> bool {
    at_hand("batch/spot-watch.sh", "curl --version")
}

impl Metadata {
    /// The answers to questions for a notice, as statuses; a status of 0 is a connection that ends without an answer. The last
    /// is that of all later questions.
    pub fn new(answers: &'static [u16]) -> Metadata {
        Metadata::by(move |polls| answers[polls.min(answers.len() - 1)])
    }

    /// There is a notice as soon as there is a file.
    pub fn after(file: PathBuf) -> Metadata {
        Metadata::by(move |_| if file.exists() { 200 } else { 404 })
    }

    /// The status for each question, by how many there were before.
    fn by(status: impl Fn(usize) -> u16 + Send + 'static) -> Metadata {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&requests);
        std::thread::spawn(move || {
            let mut polls = 0;
            for stream in listener.incoming() {
                answer(&stream.unwrap(), &status, &mut polls, &heard);
            }
        });
        Metadata { endpoint, requests }
    }

    /// What was asked: method, path, and the headers that matter.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn answer(
    mut stream: &TcpStream,
    status: &impl Fn(usize) -> u16,
    polls: &mut usize,
    heard: &Mutex<Vec<String>>,
) {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let Some(first) = lines.next() else { return };
    let mut request = first.trim_end_matches(" HTTP/1.1").to_owned();
    for header in lines.take_while(|line| !line.is_empty()) {
        if header.to_lowercase().starts_with("x-aws-ec2-metadata") {
            request += &format!(" [{header}]");
        }
    }
    let is_token = request.starts_with("PUT /latest/api/token");
    heard.lock().unwrap().push(request);
    let (status, body) = if is_token {
        (200, "secret")
    } else {
        let status = status(*polls);
        *polls += 1;
        (
            status,
            r#"{"action": "terminate", "time": "2030-01-01T00:00:00Z"}"#,
        )
    };
    if status != 0 {
        let length = body.len();
        let reply = format!(
            "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        );
        // Whoever asked may be gone.
        let _ = stream.write_all(reply.as_bytes());
    }
}
