//! The way between a browser and a server, which a test can cut.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

#[derive(Default)]
struct State {
    is_cut: bool,
    open: Vec<TcpStream>,
}

pub struct Wire {
    /// Without a slash at its end.
    pub url: String,
    state: Arc<Mutex<State>>,
}

impl Wire {
    /// Passes connections on until the test program ends.
    pub fn to(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let own = listener.local_addr().expect("its address");
        let server = url.trim_start_matches("http://").to_owned();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(&server) else {
                    continue;
                };
                let both = [&client, &server].map(|it| it.try_clone().expect("a second handle"));
                let mut state = shared.lock().expect("the state");
                if state.is_cut {
                    continue;
                }
                let [to_client, to_server] = both;
                for side in [&client, &server] {
                    state.open.push(side.try_clone().expect("a third handle"));
                }
                std::thread::spawn(move || pass(client, to_server));
                std::thread::spawn(move || pass(server, to_client));
            }
        });
        let url = format!("http://{own}");
        Self { url, state }
    }

    /// Ends all connections, and takes no new ones.
    pub fn cut(&self) {
        let mut state = self.state.lock().expect("the state");
        state.is_cut = true;
        for side in state.open.drain(..) {
            // It may have ended before.
            let _ = side.shutdown(Shutdown::Both);
        }
    }

    pub fn mend(&self) {
        self.state.lock().expect("the state").is_cut = false;
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = [0; 16_384];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    // The other direction may have done so already.
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}
