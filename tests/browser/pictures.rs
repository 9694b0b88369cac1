//! Pictures of the main pages for the README, of the stack that the variables name, as it is: after `make demo`,
//!
//!     eval "$(local/stack env)"
//!     STREAMFLOW_LIVE=1 cargo test --release --test browser -- --ignored --nocapture pictures
//!
//! An address of a control center that runs already can be given with STREAMFLOW_CONTROL_CENTER_URL.

use std::path::Path;
use std::process::Command;

use crate::browser::Browser;
use crate::process::{file, spawn};

/// Name, address, and whether it is taken in dark, too. USER stands for a user who has landed.
const PAGES: [(&str, &str, bool); 6] = [
    ("pipeline", "/", true),
    (
        "messages",
        "/clusters/controlcenter.cluster/topics/user_created/messages",
        true,
    ),
    ("explain", "/explain?user_id=USER", false),
    ("dead-letters", "/dead-letters", false),
    (
        "reset",
        "/groups/transform-store/reset?topic=user_created&to=earliest",
        false,
    ),
    ("throughput", "/throughput", false),
];

#[test]
#[ignore = "writes docs/images"]
fn pictures_of_the_main_pages() {
    let Some(browser) = Browser::take() else {
        return;
    };
    let mut started = None;
    let url = std::env::var("STREAMFLOW_CONTROL_CENTER_URL").unwrap_or_else(|_| {
        let mut command = Command::new(file("control-center"));
        command.args(["--listen", "127.0.0.1:0"]);
        let mut running = spawn(command);
        let told = "the control center at ";
        running.wait_for_log(told);
        let log = running.log();
        let url = log
            .split(told)
            .nth(1)
            .and_then(|rest| rest.split_whitespace().next());
        let url = url.expect("an address").trim_end_matches('/').to_owned();
        started = Some(running);
        url
    });
    let folder = std::env::var("STREAMFLOW_PICTURES")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/docs/images").to_owned());
    browser.open(&format!("{url}/explain"));
    let user = browser.text("main li code");
    for (page, address, in_dark) in PAGES {
        for (name, dark) in [("light", false), ("dark", true)] {
            if dark && !in_dark {
                continue;
            }
            browser.dark(dark);
            browser.open(&format!("{url}{}", address.replace("USER", &user)));
            browser.heading();
            let file = Path::new(&folder).join(format!("control-center-{page}-{name}.png"));
            std::fs::write(&file, browser.screenshot()).expect("written");
            println!("{}", file.display());
        }
    }
    drop(started);
}
