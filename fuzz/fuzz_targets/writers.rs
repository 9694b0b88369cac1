//! The schemas by which the programs write, compiled once.

use std::sync::LazyLock;

use streamflow::user::format::{SchemaFormat, WriterSchema};

/// In the order of [`SchemaFormat::ALL`].
pub static WRITERS: LazyLock<[WriterSchema; 3]> = LazyLock::new(|| {
    SchemaFormat::ALL.map(|format| {
        WriterSchema::compile(format.schema_type(), format.schema(), false).expect("our own schema")
    })
});
