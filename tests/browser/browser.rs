//! One window of a browser, and what a person does and sees in it.

use std::path::Path;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::key::Key;
use fantoccini::{Client, Locator};
use serde_json::{Value, json};

use crate::driver::{OfChromium, driver};
use crate::servers::{servers, until, wait};

/// How long a page may take until it shows something.
pub const SOON: Duration = Duration::from_secs(40);

/// Several tests run at a time, and a browser takes much memory.
const BROWSERS: usize = 2;

#[derive(Default)]
struct Pool {
    idle: Vec<Client>,
    made: usize,
}

static POOL: Mutex<Option<Pool>> = Mutex::new(None);
static GIVEN_BACK: Condvar = Condvar::new();

pub struct Browser(Option<Client>);

impl Browser {
    /// As new: without cookies and log, wide, light, with scripts. Nothing where there is no browser or there are no servers.
    pub fn take() -> Option<Self> {
        servers()?;
        let driver = driver()?;
        let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
        let browser = loop {
            let it = pool.get_or_insert_default();
            if let Some(client) = it.idle.pop() {
                break Self(Some(client));
            }
            if it.made < BROWSERS {
                it.made += 1;
                break Self(Some(driver.browser()));
            }
            pool = GIVEN_BACK
                .wait(pool)
                .unwrap_or_else(PoisonError::into_inner);
        };
        drop(pool);
        browser.scripts(true);
        browser.open("about:blank");
        browser.devtools("Network.clearBrowserCookies", json!({}));
        browser.devtools("Network.clearBrowserCache", json!({}));
        browser.dark(false);
        browser.size(1280, 800);
        browser.errors();
        Some(browser)
    }

    fn client(&self) -> &Client {
        self.0.as_ref().expect("taken only at the end")
    }

    pub fn open(&self, url: &str) {
        wait(self.client().goto(url)).unwrap_or_else(|error| panic!("{url}: {error}"));
    }

    pub fn back(&self) {
        wait(self.client().back()).expect("a page before");
    }

    pub fn reload(&self) {
        wait(self.client().refresh()).expect("the page again");
    }

    /// Path and query.
    pub fn address(&self) -> String {
        let url = wait(self.client().current_url()).expect("an address");
        let query = url.query().map(|it| format!("?{it}")).unwrap_or_default();
        format!("{}{query}", url.path())
    }

    pub fn heading(&self) -> String {
        self.text("h1")
    }

    /// What the first such element shows.
    #[track_caller]
    pub fn text(&self, css: &str) -> String {
        let element = wait(
            self.client()
                .wait()
                .at_most(SOON)
                .for_element(Locator::Css(css)),
        );
        let element =
            element.unwrap_or_else(|_| panic!("no {css} at {}:\n{}", self.address(), self.body()));
        wait(element.text()).expect("a text")
    }

    /// What the page shows.
    pub fn body(&self) -> String {
        let body = wait(async { self.client().find(Locator::Css("body")).await?.text().await });
        body.unwrap_or_default()
    }

    pub fn source(&self) -> String {
        wait(self.client().source()).expect("the page's source")
    }

    #[track_caller]
    pub fn until_it_shows(&self, text: &str) {
        let begun = std::time::Instant::now();
        while !self.body().contains(text) {
            assert!(
                begun.elapsed() < SOON,
                "{text:?} does not show at {}:\n{}",
                self.address(),
                self.body()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn element(&self, xpath: &str) -> Option<Element> {
        let found = wait(self.client().find_all(Locator::XPath(xpath))).ok()?;
        found
            .into_iter()
            .find(|it| wait(it.is_displayed()).unwrap_or(false))
    }

    #[track_caller]
    fn click(&self, what: &str, xpath: &str) {
        let begun = std::time::Instant::now();
        // A page that is written anew meanwhile takes the element away.
        loop {
            if let Some(element) = self.element(xpath)
                && wait(element.click()).is_ok()
            {
                return;
            }
            assert!(
                begun.elapsed() < SOON,
                "no {what} to click on at {}:\n{}",
                self.address(),
                self.body()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The link that shows this text, alone or among others (a card).
    #[track_caller]
    pub fn follow(&self, text: &str) {
        let xpath =
            format!("(//a[normalize-space()='{text}'] | //a[*[normalize-space()='{text}']])");
        self.click(&format!("link {text:?}"), &xpath);
    }

    #[track_caller]
    pub fn press(&self, text: &str) {
        self.click(
            &format!("button {text:?}"),
            &format!("//button[normalize-space()='{text}']"),
        );
    }

    pub fn has_button(&self, text: &str) -> bool {
        self.element(&format!("//button[normalize-space()='{text}']"))
            .is_some()
    }

    /// Writes into the field of this name.
    #[track_caller]
    pub fn fill(&self, name: &str, value: &str) {
        let css = format!("[name='{name}']:not([type=hidden])");
        let field = wait(
            self.client()
                .wait()
                .at_most(SOON)
                .for_element(Locator::Css(&css)),
        );
        let field = field.unwrap_or_else(|_| panic!("no field {name} at {}", self.address()));
        wait(async {
            field.clear().await?;
            field.send_keys(value).await
        })
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    }

    /// Chooses from the list of this name.
    #[track_caller]
    pub fn choose(&self, name: &str, value: &str) {
        let css = format!("select[name='{name}']");
        let list = wait(
            self.client()
                .wait()
                .at_most(SOON)
                .for_element(Locator::Css(&css)),
        );
        let list = list.unwrap_or_else(|_| panic!("no list {name} at {}", self.address()));
        wait(list.select_by_value(value)).unwrap_or_else(|error| panic!("{name}: {error}"));
    }

    /// Presses a key where the focus is, and gives what has the focus then.
    pub fn key(&self, key: Key) -> Focus {
        wait(async {
            let element = self.client().active_element().await?;
            element.send_keys(&char::from(key).to_string()).await
        })
        .expect("something has the focus");
        self.focus()
    }

    pub fn type_where_the_focus_is(&self, text: &str) {
        wait(async { self.client().active_element().await?.send_keys(text).await })
            .expect("something takes the keys");
    }

    pub fn focus(&self) -> Focus {
        let script = "const it = document.activeElement; const style = getComputedStyle(it); \
                      return {tag: it.tagName, text: (it.innerText || it.name || '').trim(), address: it.getAttribute('href') || '', \
                      in_navigation: !!it.closest('nav'), is_seen: style.outlineStyle !== 'none' || it === document.body};";
        let focus = self.script(script, vec![]);
        let text = |name: &str| focus[name].as_str().unwrap_or_default().to_owned();
        Focus {
            tag: text("tag").to_lowercase(),
            text: text("text"),
            address: text("address"),
            in_navigation: focus["in_navigation"] == true,
            is_seen: focus["is_seen"] == true,
        }
    }

    pub fn script(&self, script: &str, arguments: Vec<Value>) -> Value {
        wait(self.client().execute(script, arguments)).expect("a script that runs")
    }

    pub fn screenshot(&self) -> Vec<u8> {
        wait(self.client().screenshot()).expect("a picture")
    }

    pub fn dark(&self, dark: bool) {
        let scheme = if dark { "dark" } else { "light" };
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.devtools("Emulation.setEmulatedMedia", json!({"features": features}));
    }

    pub fn size(&self, width: u32, height: u32) {
        let size =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", size);
    }

    /// Whether pages may run scripts, from the next page on.
    pub fn scripts(&self, allowed: bool) {
        self.devtools(
            "Emulation.setScriptExecutionDisabled",
            json!({"value": !allowed}),
        );
    }

    pub fn devtools(&self, command: &str, parameters: Value) -> Value {
        let body = json!({"cmd": command, "params": parameters});
        let at = "goog/cdp/execute";
        wait(self.client().issue_cmd(OfChromium { at, body }))
            .unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    /// What the browser has complained about since the last look.
    pub fn errors(&self) -> Vec<String> {
        let command = OfChromium {
            at: "se/log",
            body: json!({"type": "browser"}),
        };
        let log = wait(self.client().issue_cmd(command)).expect("the console's log");
        let entries = log.as_array().into_iter().flatten();
        let is_error = |it: &&Value| it["level"] == "SEVERE" || it["source"] == "security";
        entries
            .filter(is_error)
            .map(|it| it["message"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// Where the page breaks a rule of WCAG 2.2 A or AA, as far as a program can tell.
    pub fn violations(&self, axe: &str) -> Vec<String> {
        self.script(axe, vec![]);
        let run = "const done = arguments[arguments.length - 1]; \
                   const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa']; \
                   axe.run(document, {runOnly: rules, resultTypes: ['violations']}).then(it => done(it.violations.map(violation => \
                   violation.id + ': ' + violation.nodes.map(node => node.target.join(' ') + ' (' + node.failureSummary + ')').join('; '))), \
                   error => done(['axe: ' + error]));";
        let found = wait(self.client().execute_async(run, vec![])).expect("what axe finds");
        found
            .as_array()
            .into_iter()
            .flatten()
            .map(|it| it.as_str().unwrap_or_default().to_owned())
            .collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
        pool.get_or_insert_default().idle.extend(self.0.take());
        GIVEN_BACK.notify_one();
    }
}

/// What has the keyboard's focus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Focus {
    pub tag: String,
    pub text: String,
    pub address: String,
    pub in_navigation: bool,
    /// A person sees where the focus is.
    pub is_seen: bool,
}

/// axe-core, which `local/stack install` fetches; nothing where it has not.
pub fn axe() -> Option<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(".local/opt/axe/axe.min.js");
    let axe = std::fs::read_to_string(file).ok();
    if axe.is_none() {
        println!("skipped: needs axe-core, the rules for accessibility (local/stack install)");
    }
    axe
}

/// Waits for a page's own doing.
pub fn soon<T>(what: &str, ask: impl FnMut() -> Option<T>) -> T {
    until(what, SOON, ask)
}
