//! A service under test, and the requests it gets.

use crate::harness::{binary, root};
use crate::running::Running;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// `wordmill sagemaker serve`, ended when it is dropped.
pub struct Service {
    child: Running,
    port: u16,
}

/// What a request has got.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    head: String,
    pub body: String,
}

impl Service {
    /// Starts one with `command` (nothing: by what lies in the folder) and more flags.
    pub fn start(command: &str, flags: &str, folder: &Path) -> Service {
        Service::start_with(command, flags, folder, &[])
    }

    /// The same with variables of the environment.
    pub fn start_with(
        command: &str,
        flags: &str,
        folder: &Path,
        variables: &[(&str, &str)],
    ) -> Service {
        let mut child = Running::start(
            Command::new(binary())
                .args(["sagemaker", "serve", "--port", "0", "--root"])
                .arg(folder)
                .args(flags.split_whitespace())
                .env("WORDMILL_SERVE", command)
                .envs(variables.iter().copied())
                .current_dir(root())
                .stdin(Stdio::null())
                .stderr(Stdio::piped()),
        );
        let mut said = String::new();
        let stderr = child.stderr.take().expect("stderr is piped");
        BufReader::new(stderr)
            .read_line(&mut said)
            .expect("it says something");
        let port = said.trim().rsplit(' ').next().and_then(|n| n.parse().ok());
        Service {
            child,
            port: port.unwrap_or_else(|| panic!("no port in {said:?}")),
        }
    }

    /// One that has no models but those inside the tool.
    pub fn of(command: &str, flags: &str) -> Service {
        Service::start(command, flags, Path::new("/nonexistent"))
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        let patience = Some(Duration::from_secs(120));
        stream.set_read_timeout(patience).expect("a timeout");
        stream
    }

    pub fn listens(&self) -> bool {
        TcpStream::connect(("127.0.0.1", self.port)).is_ok()
    }

    /// Sends bytes on a connection of their own.
    pub fn send(&self, bytes: &[u8]) -> Reply {
        let mut stream = self.connect();
        stream.write_all(bytes).expect("it reads");
        reply(&mut stream)
    }

    /// Sends a body.
    pub fn post(&self, headers: &str, body: impl AsRef<[u8]>) -> Reply {
        self.send(&posted(headers, body.as_ref()))
    }

    pub fn terminate(&self) {
        self.child.terminate();
    }

    /// Waits for its end, and gives its status.
    pub fn wait(mut self) -> Option<i32> {
        self.child.wait().expect("it ends").code()
    }
}

/// A request with a body; headers end with CR LF each.
pub fn posted(headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "POST /invocations HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// Reads one reply.
pub fn reply(stream: &mut TcpStream) -> Reply {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        let read = reader.read_line(&mut head).expect("a reply");
        assert!(read > 0, "the connection ended behind {head:?}");
    }
    let header = |name: &str| value(&head, name).and_then(|length| length.parse().ok());
    let mut body = vec![0; header("content-length").expect("a length")];
    reader.read_exact(&mut body).expect("the whole body");
    Reply {
        status: head[9..12].parse().expect("a status"),
        body: String::from_utf8(body).expect("UTF-8"),
        head,
    }
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        value(&self.head, name)
    }
}

fn value<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    let mut headers = head.lines().filter_map(|line| line.split_once(": "));
    headers
        .find(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}
