//! moto's server: a stand-in for S3 on this machine.

use crate::running::{Running, wait_until};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};

/// A server that runs as long as this is there.
pub struct Moto {
    pub address: SocketAddr,
    _server: Running,
}

impl Moto {
    /// None where there is no such server, or one that does not run.
    pub fn start(variables: &[(&str, &str)]) -> Option<Moto> {
        let mut help = Command::new("moto_server");
        let help = help.arg("--help").stdout(Stdio::null());
        if !(help.stderr(Stdio::null()).status()).is_ok_and(|status| status.success()) {
            return None;
        }
        let started = (0..3).find_map(|_| Moto::at_some_port(variables));
        Some(started.expect("moto_server starts"))
    }

    /// None where somebody else has taken the port before the server did.
    fn at_some_port(variables: &[(&str, &str)]) -> Option<Moto> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let mut server = Running::start(
            Command::new("moto_server")
                .args(["-H", "127.0.0.1", "-p", &address.port().to_string()])
                .envs(variables.iter().copied())
                .stdout(Stdio::null())
                .stderr(Stdio::null()),
        );
        wait_until("moto_server has started or ended", || {
            server.try_wait().unwrap().is_some() || TcpStream::connect(address).is_ok()
        });
        let runs = server.try_wait().unwrap().is_none();
        runs.then_some(Moto {
            address,
            _server: server,
        })
    }
}
