//! An API whose answers a test writes itself, and which remembers what it was asked and when.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use streamflow::random_user_api::{Answer, Surroundings, Version, answer};
use tokio::net::TcpSocket;

#[derive(Debug, Clone)]
pub struct Request {
    /// Counted from 0.
    pub number: usize,
    pub at: Instant,
    /// The part of the target after the question mark.
    pub query: String,
}

impl Request {
    /// The value of a parameter, which needs no decoding in these tests.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let mut pairs = self
            .query
            .split('&')
            .filter_map(|pair| pair.split_once('='));
        pairs.find_map(|(key, value)| (key == name).then_some(value))
    }
}

/// What a request gets.
pub enum Reply {
    /// Status line and headers without the lengths, and the body.
    With(&'static str, Vec<u8>),
    /// No answer as long as the API lives.
    Nothing,
    /// The connection is closed without a word.
    Closed,
}

impl Reply {
    pub fn status(head: &'static str) -> Self {
        Self::With(head, Vec::new())
    }

    /// The page of users that the bundled API gives.
    pub fn page(request: &Request) -> Self {
        let surroundings = Surroundings {
            now: "2024-05-06T07:08:09Z".parse().unwrap(),
            fresh_seed: 1,
        };
        match answer(&request.query, Version::V1_4, surroundings) {
            Answer::Body(body) => Self::With("200 OK", body),
            Answer::Silence(_) => Self::Nothing,
        }
    }
}

pub struct ScriptedApi {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    arrivals: Receiver<()>,
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl ScriptedApi {
    pub fn start(script: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let stopping = Arc::new(AtomicBool::new(false));
        let (arrived, arrivals) = mpsc::channel();
        let (kept, stop) = (requests.clone(), stopping.clone());
        let thread = std::thread::spawn(move || {
            let mut silent = Vec::new();
            for stream in listener.incoming() {
                if stop.load(Ordering::Acquire) {
                    return;
                }
                let mut stream = stream.unwrap();
                let Some(query) = read_query(&stream) else {
                    continue;
                };
                let request = {
                    let mut kept = kept.lock().unwrap();
                    let number = kept.len();
                    let at = Instant::now();
                    kept.push(Request { number, at, query });
                    kept[number].clone()
                };
                // Nobody listens to the arrivals once the test is over.
                let _ = arrived.send(());
                match script(&request) {
                    Reply::With(head, body) => send(&mut stream, head, &body),
                    Reply::Nothing => silent.push(stream),
                    Reply::Closed => {}
                }
            }
        });
        Self {
            address,
            requests,
            arrivals,
            stopping,
            thread: Some(thread),
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}/api/", self.address)
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    pub fn wait_for_request(&self) {
        let arrived = self.arrivals.recv_timeout(Duration::from_secs(20));
        arrived.expect("a request");
    }
}

impl Drop for ScriptedApi {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Release);
        // Wakes the thread, which waits for a connection.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            assert!(thread.join().is_ok(), "the scripted API does not panic");
        }
    }
}

/// An address of this machine at which nothing listens while the tests run.
pub fn address_of_nobody() -> SocketAddr {
    // A port that was let go may be the next one that another test gets. One that is bound is not, and refuses connections until it listens.
    let bound = TcpSocket::new_v4().unwrap();
    bound.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = bound.local_addr().unwrap();
    std::mem::forget(bound);
    address
}

fn read_query(stream: &TcpStream) -> Option<String> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    // The head ends with an empty line.
    while !lines.next()?.ok()?.is_empty() {}
    let target = first.split(' ').nth(1)?;
    Some(
        target
            .split_once('?')
            .map_or("", |(_, query)| query)
            .to_owned(),
    )
}

fn send(stream: &mut TcpStream, head: &str, body: &[u8]) {
    let head = format!(
        "HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    // A client that has gone away in the middle is no error of the API.
    let _ = stream
        .write_all(head.as_bytes())
        .and_then(|()| stream.write_all(body));
}
