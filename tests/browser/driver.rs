//! Chromium, driven by one chromedriver that all tests of this binary share; both end with it, however it ends.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::process::{Child, Command, Stdio};
use std::str::FromStr;
use std::sync::OnceLock;
use std::time::Duration;

use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use reqwest::{Method, Url};
use serde_json::{Value, json};

use crate::servers::{until, wait};

/// Ends when its standard input does, which is when the tests do: chromedriver is asked to end its browsers, which outlive it otherwise. A
/// folder of their own, because they leave files.
const UNTIL_THE_TESTS_END: &str = r#"
    trap '' INT
    TMPDIR=$(mktemp -d) && export TMPDIR || exit
    "$1" --port="$2" </dev/null >/dev/null &
    driver=$!
    cat >/dev/null
    (sleep 10; kill "$driver") 2>/dev/null &
    exec 3<>"/dev/tcp/127.0.0.1/$2" && printf 'GET /shutdown HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n' >&3
    wait "$driver"
    kill %2 2>/dev/null
    rm -rf "$TMPDIR""#;

pub struct Driver {
    url: String,
    chromium: String,
    /// Keeps its standard input open.
    _shell: Child,
}

/// Nothing where there is no browser: then the caller's test is skipped.
pub fn driver() -> Option<&'static Driver> {
    static DRIVER: OnceLock<Option<Driver>> = OnceLock::new();
    let driver = DRIVER.get_or_init(|| {
        Some(Driver::start(
            on_path("chromedriver")?,
            on_path("chromium")?,
        ))
    });
    if driver.is_none() {
        println!("skipped: needs a browser (Debian's packages chromium and chromium-driver)");
    }
    driver.as_ref()
}

fn on_path(program: &str) -> Option<String> {
    let path = std::env::var("PATH").ok()?;
    let mut files = path.split(':').map(|folder| format!("{folder}/{program}"));
    files.find(|file| std::fs::metadata(file).is_ok_and(|it| it.is_file()))
}

impl Driver {
    fn start(chromedriver: String, chromium: String) -> Self {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|it| it.local_addr())
            .expect("a free port")
            .port();
        let shell = Command::new("bash")
            .args([
                "-c",
                UNTIL_THE_TESTS_END,
                "bash",
                &chromedriver,
                &port.to_string(),
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        until("chromedriver answers", Duration::from_secs(30), || {
            TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()
        });
        Self {
            url: format!("http://127.0.0.1:{port}"),
            chromium,
            _shell: shell,
        }
    }

    /// A browser of its own, without anything that it remembers.
    pub fn browser(&self) -> Client {
        let mut arguments = vec![
            "--headless=new",
            "--window-size=1280,800",
            "--disable-gpu",
            // Containers have little of it.
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-extensions",
            "--force-color-profile=srgb",
            "--no-first-run",
        ];
        // Chromium's sandbox does not take root.
        if std::fs::metadata("/proc/self").is_ok_and(|it| it.uid() == 0) {
            arguments.push("--no-sandbox");
        }
        let capabilities = json!({
            "goog:loggingPrefs": {"browser": "ALL"},
            "goog:chromeOptions": {"binary": self.chromium, "args": arguments},
        });
        let capabilities: Capabilities = serde_json::from_value(capabilities).expect("an object");
        wait(async {
            let mut builder = ClientBuilder::new(HttpConnector::new());
            builder.capabilities(capabilities);
            builder.connect(&self.url).await.expect("a browser")
        })
    }
}

/// What only Chromium has, below the address of the session.
#[derive(Debug)]
pub struct OfChromium {
    pub at: &'static str,
    pub body: Value,
}

impl WebDriverCompatibleCommand for OfChromium {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, <Url as FromStr>::Err> {
        base.join(&format!(
            "session/{}/{}",
            session.unwrap_or_default(),
            self.at
        ))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}
