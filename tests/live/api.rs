//! The bundled API as a process.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

use crate::process::{self, Running};
use crate::servers::until;

pub struct Api {
    address: SocketAddr,
    _server: Running,
}

impl Api {
    pub fn start() -> Self {
        let address = free_address();
        let mut command = Command::new(process::file("random-user-api"));
        command.env_clear().args(["--listen", &address.to_string()]);
        let mut server = process::spawn(command);
        until("the bundled API answers", Duration::from_secs(20), || {
            assert!(!server.has_ended(), "the API ended:\n{}", server.log());
            TcpStream::connect(address).ok()
        });
        Self {
            address,
            _server: server,
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}/api/", self.address)
    }
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("its address")
}
