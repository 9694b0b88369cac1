//! The help of each program, word for word, and its version.

use crate::program::{PROGRAMS, Program};

fn help(name: &str, arguments: &[&str]) -> String {
    let ended = Program::new(name).arguments(arguments).run().with_code(0);
    assert_eq!(ended.log, "");
    ended.stdout
}

#[test]
fn fetch_publish() {
    insta::assert_snapshot!(help("fetch-publish", &["--help"]));
}

#[test]
fn transform_store() {
    insta::assert_snapshot!(help("transform-store", &["--help"]));
}

#[test]
fn aggregate() {
    insta::assert_snapshot!(help("aggregate", &["--help"]));
}

#[test]
fn control_center() {
    insta::assert_snapshot!(help("control-center", &["--help"]));
}

#[test]
fn random_user_api() {
    insta::assert_snapshot!(help("random-user-api", &["--help"]));
}

#[test]
fn streamflow() {
    insta::assert_snapshot!(help("streamflow", &["--help"]));
}

#[test]
fn streamflow_init() {
    insta::assert_snapshot!(help("streamflow", &["init", "--help"]));
}

#[test]
fn streamflow_doctor() {
    insta::assert_snapshot!(help("streamflow", &["doctor", "--help"]));
}

#[test]
fn streamflow_explain() {
    insta::assert_snapshot!(help("streamflow", &["explain", "--help"]));
}

#[test]
fn streamflow_reconcile() {
    insta::assert_snapshot!(help("streamflow", &["reconcile", "--help"]));
}

#[test]
fn each_program_tells_its_version() {
    for name in PROGRAMS {
        let version = help(name, &["--version"]);
        assert_eq!(version, format!("{name} {}\n", env!("CARGO_PKG_VERSION")));
    }
}

#[test]
fn the_short_help_fits_on_a_screen_and_tells_of_the_long_one() {
    for name in PROGRAMS {
        let short = help(name, &["-h"]);
        assert!(short.contains("--help") && short.len() <= help(name, &["--help"]).len());
    }
}
