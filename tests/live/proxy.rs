//! What passes between a client and a server, held back or delayed on request: what both meet when the other one, or the net, stalls.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use reqwest::Url;

#[derive(Default)]
struct Gate {
    held: Mutex<bool>,
    changed: Condvar,
    /// Something was held back.
    waiting: AtomicBool,
    delay_ms: AtomicU64,
}

pub struct Proxy {
    pub address: String,
    requests: Arc<Gate>,
    answers: Arc<Gate>,
}

impl Proxy {
    /// Passes connections on until the test program ends.
    pub fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address").to_string();
        let gates = [(); 2].map(|()| Arc::new(Gate::default()));
        let (server, [requests, answers]) = (server.to_owned(), gates.clone());
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (Ok(client), Ok(server)) = (client, TcpStream::connect(&server)) else {
                    continue;
                };
                let both = (client.try_clone(), server.try_clone());
                let (Ok(to_client), Ok(to_server)) = both else {
                    continue;
                };
                let (asked, answered) = (requests.clone(), answers.clone());
                std::thread::spawn(move || pass(client, to_server, &asked));
                std::thread::spawn(move || pass(server, to_client, &answered));
            }
        });
        let [requests, answers] = gates;
        Self {
            address,
            requests,
            answers,
        }
    }

    /// To the server of a URL, which leads to the proxy from now on.
    pub fn before(url: &mut Url) -> Self {
        let (host, port) = (url.host_str(), url.port_or_known_default());
        let server = format!("{}:{}", host.expect("a host"), port.expect("a port"));
        let proxy = Self::to(&server);
        let (host, port) = proxy.address.split_once(':').expect("host and port");
        url.set_host(Some(host)).expect("a URL with a host");
        url.set_port(port.parse().ok()).expect("a URL with a port");
        proxy
    }

    /// Requests still arrive, answers do not.
    pub fn hold(&self) {
        self.answers.set(true);
    }

    /// No request arrives.
    pub fn hold_requests(&self) {
        self.requests.set(true);
    }

    pub fn release(&self) {
        self.requests.set(false);
        self.answers.set(false);
    }

    /// Lets each part of an answer come so much later.
    pub fn delay(&self, time: Duration) {
        let ms = u64::try_from(time.as_millis()).expect("a short time");
        self.answers.delay_ms.store(ms, Ordering::Relaxed);
    }

    /// Whether a server has answered since its answers are held.
    pub fn is_waiting(&self) -> bool {
        self.answers.waiting.load(Ordering::Acquire)
    }

    /// Whether a client has asked since its requests are held.
    pub fn is_asked(&self) -> bool {
        self.requests.waiting.load(Ordering::Acquire)
    }
}

impl Gate {
    fn set(&self, held: bool) {
        let mut state = self.held.lock().expect("the gate");
        if held && !*state {
            self.waiting.store(false, Ordering::Release);
        }
        *state = held;
        self.changed.notify_all();
    }
}

/// Until either side closes.
fn pass(mut from: TcpStream, mut to: TcpStream, gate: &Gate) {
    let mut buffer = [0; 16_384];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let delay = gate.delay_ms.load(Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(delay));
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
