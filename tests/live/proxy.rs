//! A server's answers, held back on request: what a client meets when the server stalls.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};

#[derive(Default)]
struct Gate {
    held: Mutex<bool>,
    changed: Condvar,
    /// Something was held back.
    waiting: AtomicBool,
}

pub struct Proxy {
    pub address: String,
    gate: Arc<Gate>,
}

impl Proxy {
    /// Passes connections on until the test program ends.
    pub fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address").to_string();
        let gate = Arc::new(Gate::default());
        let (server, answers) = (server.to_owned(), gate.clone());
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (Ok(client), Ok(server)) = (client, TcpStream::connect(&server)) else {
                    continue;
                };
                let both = (client.try_clone(), server.try_clone());
                let (Ok(to_client), Ok(to_server)) = both else {
                    continue;
                };
                let gate = answers.clone();
                std::thread::spawn(move || pass(client, to_server, &Gate::default()));
                std::thread::spawn(move || pass(server, to_client, &gate));
            }
        });
        Self { address, gate }
    }

    /// Requests still arrive, answers do not.
    pub fn hold(&self) {
        self.set(true);
    }

    pub fn release(&self) {
        self.set(false);
    }

    /// Whether a server has answered since it is held.
    pub fn is_waiting(&self) -> bool {
        self.gate.waiting.load(Ordering::Acquire)
    }

    fn set(&self, held: bool) {
        *self.gate.held.lock().expect("the gate") = held;
        self.gate.changed.notify_all();
    }
}

/// Until either side closes.
fn pass(mut from: TcpStream, mut to: TcpStream, gate: &Gate) {
    let mut buffer = [0; 16_384];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let held = gate.held.lock().expect("the gate");
        if *held {
            gate.waiting.store(true, Ordering::Release);
        }
        drop(
            gate.changed
                .wait_while(held, |held| *held)
                .expect("the gate"),
        );
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    // The other direction may have done so already.
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}
