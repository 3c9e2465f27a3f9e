//! A stand-in for S3, and what is in its bucket.

use crate::harness::{Call, binary, root, shell, wordmill};
use crate::moto::Moto;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;

/// A server with a bucket named `bucket`.
pub struct Bucket {
    pub address: SocketAddr,
    _server: Moto,
}

impl Bucket {
    /// None where the server is not at hand.
    pub fn new() -> Option<Bucket> {
        let bucket = Bucket::with(&[])?;
        assert_eq!(bucket.ask("PUT", "/bucket", b"").0, 200);
        Some(bucket)
    }

    /// One that lets nobody in.
    pub fn guarded() -> Option<Bucket> {
        Bucket::with(&[("INITIAL_NO_AUTH_ACTION_COUNT", "0")])
    }

    fn with(variables: &[(&str, &str)]) -> Option<Bucket> {
        let Some(server) = Moto::start(variables) else {
            eprintln!("s3: skipped, for there is no moto_server; tests/features.sh installs it");
            return None;
        };
        Some(Bucket {
            address: server.address,
            _server: server,
        })
    }

    /// `wordmill ARGS…`, for which the server is S3.
    pub fn wordmill(&self, args: &str) -> Call {
        self.known_to(wordmill(args))
    }

    pub fn shell(&self, line: &str) -> Call {
        self.known_to(shell(line))
    }

    fn known_to(&self, call: Call) -> Call {
        let variables = self.variables();
        (variables.iter()).fold(call, |call, (name, value)| call.env(name, value))
    }

    /// `wordmill ARGS…`, to be started by whoever looks at it while it runs.
    pub fn command(&self, args: &str) -> Command {
        let mut command = Command::new(binary());
        command.args(args.split_whitespace()).current_dir(root());
        command.envs(self.variables());
        command
    }

    /// Of the environment no address is taken but this machine's, and no way to it through a proxy.
    fn variables(&self) -> [(&'static str, String); 7] {
        let here = format!("http://{}", self.address);
        [
            ("AWS_ACCESS_KEY_ID", "nobody".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "nothing".to_owned()),
            ("AWS_METADATA_ENDPOINT", "http://127.0.0.1:9".to_owned()),
            ("AWS_ENDPOINT_URL", here.clone()),
            ("AWS_ENDPOINT_URL_S3", here),
            ("NO_PROXY", "127.0.0.1".to_owned()),
            ("no_proxy", "127.0.0.1".to_owned()),
        ]
    }

    /// The answer to a request: its status and its body.
    pub fn ask(&self, method: &str, path: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        // The server looks whether there is a signature, and not what it is.
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nHost: {}\r\nAuthorization: AWS4-HMAC-SHA256 \
             Credential=nobody/20200101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0\r\n\
             Content-Length: {}\r\n\r\n",
            self.address,
            body.len()
        )
        .unwrap();
        stream.write_all(body).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let head = answer
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .unwrap();
        let status = std::str::from_utf8(&answer[9..12])
            .unwrap()
            .parse()
            .unwrap();
        (status, answer.split_off(head + 4))
    }

    pub fn put(&self, key: &str, bytes: impl AsRef<[u8]>) {
        assert_eq!(
            self.ask("PUT", &format!("/bucket/{key}"), bytes.as_ref()).0,
            200
        );
    }

    pub fn get(&self, key: &str) -> Option<Vec<u8>> {
        let (status, bytes) = self.ask("GET", &format!("/bucket/{key}"), b"");
        (status == 200).then_some(bytes)
    }

    /// The keys of all objects.
    pub fn keys(&self) -> Vec<String> {
        self.listed("/bucket?list-type=2")
    }

    /// The keys of uploads that are not complete.
    pub fn pending(&self) -> Vec<String> {
        self.listed("/bucket?uploads")
    }

    fn listed(&self, path: &str) -> Vec<String> {
        let (status, xml) = self.ask("GET", path, b"");
        if status == 404 {
            return Vec::new();
        }
        let xml = String::from_utf8(xml).unwrap();
        let parts = xml.split("<Key>").skip(1);
        let mut keys: Vec<String> = parts
            .map(|part| part.split("</Key>").next().unwrap().to_owned())
            .collect();
        keys.sort();
        keys
    }

    /// Forgets the bucket and all of its objects at once, whoever writes them meanwhile: a request of moto, not of S3.
    pub fn destroy(&self) {
        assert_eq!(self.ask("POST", "/moto-api/reset", b"").0, 200);
    }
}
