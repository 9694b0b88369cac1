//! A schema that some writer has registered, and a payload, of any bytes: read, or refused. Schema and payload are parted by a zero byte.
#![no_main]

use libfuzzer_sys::fuzz_target;
use streamflow::user::clean::clean;
use streamflow::user::format::{SchemaFormat, WriterSchema};

fuzz_target!(|bytes: &[u8]| {
    let place = bytes
        .iter()
        .position(|&byte| byte == 0)
        .unwrap_or(bytes.len());
    let (schema, payload) = bytes.split_at(place);
    let Ok(schema) = std::str::from_utf8(schema) else {
        return;
    };
    for format in SchemaFormat::ALL {
        if let Ok(writer) = WriterSchema::compile(format.schema_type(), schema, false) {
            let _ = writer
                .decode(payload.get(1..).unwrap_or_default())
                .and_then(clean);
        }
    }
});
