//! Accounts for a control center, one of each role.

use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use crate::center::Center;
use crate::process::file;

pub const PASSWORD: &str = "correct horse battery";

/// vi (viewer), oz (operator) and ada (admin), with the same password.
pub fn accounts() -> String {
    static HASH: OnceLock<String> = OnceLock::new();
    let hash = HASH.get_or_init(|| {
        let hashed = hash_password(PASSWORD);
        String::from_utf8(hashed.stdout)
            .expect("a hash")
            .trim()
            .to_owned()
    });
    format!("# who may come in\n\nvi:viewer:{hash}\noz:operator:{hash}\nada:admin:{hash}\n")
}

/// What `control-center --hash-password` says to a line.
pub fn hash_password(line: &str) -> Output {
    let mut program = Command::new(file("control-center"))
        .arg("--hash-password")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut input = program.stdin.take().expect("a pipe");
    writeln!(input, "{line}").expect("written");
    drop(input);
    program.wait_with_output().expect("its output")
}

/// The cookie of a session.
#[track_caller]
pub fn log_in(center: &Center, name: &str) -> String {
    let form = [
        ("name", name),
        ("password", PASSWORD),
        ("then", "/settings"),
    ];
    let answer = center.post("/login", &form).is(303);
    assert_eq!(answer.header("location"), "/settings");
    answer.cookie()
}
