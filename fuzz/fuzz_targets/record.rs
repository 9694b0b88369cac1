//! The value of a record, of any bytes and in any format, is a clean row or a rejection that has a reason.
#![no_main]

use libfuzzer_sys::fuzz_target;
use streamflow::rejection::Rejection;
use streamflow::user::clean::clean;
use streamflow::user::event::UserCreated;
use streamflow::user::fingerprint;
use streamflow::user::format::wire;
use streamflow::user::row::CreatedUser;

#[path = "../../tests/programs/user_checks.rs"]
mod user_checks;
mod writers;

use writers::WRITERS;

fn read(value: &[u8]) -> Result<CreatedUser<'_>, Rejection> {
    match wire::split(value)? {
        None => user_checks::read(value),
        Some(framed) => WRITERS[framed.schema_id as usize % WRITERS.len()]
            .decode(framed.payload)
            .and_then(clean),
    }
}

fuzz_target!(|value: &[u8]| {
    let _ = fingerprint::of_record(value);
    // By whatever way it is read: what any reader of JSON finds.
    if let Ok(event) = UserCreated::decode(value) {
        assert_eq!(serde_json::from_slice(value).ok(), Some(event));
    }
    match read(value) {
        Ok(row) => {
            user_checks::check(&row).expect("a row that is clean");
            user_checks::check_again(&row).expect("a row that stays as it is");
        }
        Err(rejection) => assert!(!rejection.reason.as_str().is_empty()),
    }
});
