//! A Schema Registry whose answers a test writes itself, and which remembers what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Method and path.
    pub what: String,
    pub authorization: Option<String>,
    pub body: String,
}

/// Runs until the test program ends.
pub struct ScriptedRegistry {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// All that is written back, head included; nothing for no answer at all.
pub type Script = dyn Fn(&Asked) -> Option<Vec<u8>> + Send + Sync;

pub fn reply(status: u16, body: &str) -> Option<Vec<u8>> {
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status} x\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    Some([head.as_bytes(), body.as_bytes()].concat())
}

impl ScriptedRegistry {
    pub fn start(script: impl Fn(&Asked) -> Option<Vec<u8>> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (kept, script): (_, Arc<Script>) = (asked.clone(), Arc::new(script));
        std::thread::spawn(move || {
            let mut silent = Vec::new();
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let Some(question) = read(&stream) else {
                    continue;
                };
                kept.lock().unwrap().push(question.clone());
                match script(&question) {
                    // A client that has gone away in the middle is no error of the registry.
                    Some(answer) => drop(stream.write_all(&answer)),
                    None => silent.push(stream),
                }
            }
        });
        Self { address, asked }
    }

    /// Answers the question of the start, and the others by the script.
    pub fn well(script: impl Fn(&Asked) -> Option<Vec<u8>> + Send + Sync + 'static) -> Self {
        Self::start(move |asked| match asked.what.ends_with("/schemas/types") {
            true => reply(200, r#"["JSON","PROTOBUF","AVRO"]"#),
            false => script(asked),
        })
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn read(stream: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        Some(line.trim_end().to_owned())
    };
    let first = line()?;
    let what = first.rsplit_once(' ')?.0.to_owned();
    let (mut authorization, mut length) = (None, 0);
    loop {
        let line = line()?;
        let Some((name, value)) = line.split_once(": ") else {
            break;
        };
        match name.to_lowercase().as_str() {
            "authorization" => authorization = Some(value.to_owned()),
            "content-length" => length = value.parse().ok()?,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Asked {
        what,
        authorization,
        body: String::from_utf8(body).ok()?,
    })
}
