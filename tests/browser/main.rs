//! The control center in a real browser: Debian's Chromium without a window, driven by its chromedriver, against the servers of the test
//! stack. Without a browser, or without STREAMFLOW_LIVE=1, each test says that it was skipped. What needs no browser is in
//! `tests/control_center/`.

#[path = "../live/api.rs"]
mod api;
#[path = "../control_center/center.rs"]
#[allow(dead_code, reason = "the tests over HTTP need more of it")]
mod center;
#[path = "../control_center/crawl.rs"]
#[allow(dead_code, reason = "the tests over HTTP need more of it")]
mod crawl;
#[path = "../live/event.rs"]
#[allow(dead_code, reason = "the live tests need more of it")]
mod event;
#[path = "../control_center/logins.rs"]
#[allow(dead_code, reason = "the tests over HTTP need more of it")]
mod logins;
#[path = "../live/process.rs"]
#[allow(dead_code, reason = "the live tests need more of it")]
mod process;
#[path = "../live/servers.rs"]
#[allow(dead_code, reason = "the live tests need more of it")]
mod servers;
#[path = "../live/topic.rs"]
#[allow(dead_code, reason = "the live tests need more of it")]
mod topic;
#[path = "../live/world.rs"]
#[allow(dead_code, reason = "the live tests need more of it")]
mod world;

mod browser;
mod driver;
mod filled;
mod wire;

mod backends;
mod dead_letters;
mod every_page;
mod explain;
mod groups;
mod keyboard;
mod login;
mod pictures;
mod seek;
mod tail;
mod walk;
