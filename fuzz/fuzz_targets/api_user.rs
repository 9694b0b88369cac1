//! A user as the API sends it, of any bytes: an event that each format gives back as it was, or a rejection.
#![no_main]

use libfuzzer_sys::fuzz_target;
use streamflow::user::api::{RandomUser, id_of};
use streamflow::user::event::UserCreated;
use streamflow::user::fingerprint;
use streamflow::user::format::{Encoder, SchemaFormat, wire};

mod writers;

use writers::WRITERS;

fuzz_target!(|raw: &[u8]| {
    // A page that is no text is refused as a whole.
    let Ok(text) = std::str::from_utf8(raw) else {
        return;
    };
    let Ok((id, user)) = RandomUser::decode(raw) else {
        return;
    };
    // Neither does a record land that has no fingerprint (a lone surrogate in a field that nobody reads).
    let has_fingerprint = fingerprint::of_record(raw).is_ok();
    assert_eq!(fingerprint::check(text).is_ok(), has_fingerprint);
    if !has_fingerprint {
        return;
    }
    assert_eq!(id_of(raw), Some(id));
    let event = UserCreated::of(id, user);
    if let Ok(value) = event.encode() {
        assert_eq!(UserCreated::decode(&value).as_ref(), Ok(&event));
    }
    for (format, writer) in SchemaFormat::ALL.into_iter().zip(WRITERS.iter()) {
        let encoder = Encoder::Registered {
            format,
            schema_id: 1,
        };
        let Ok(value) = encoder.encode(&event) else {
            continue;
        };
        let framed = wire::split(&value)
            .expect("a header")
            .expect("the wire format");
        assert_eq!(writer.decode(framed.payload).as_ref(), Ok(&event));
    }
});
