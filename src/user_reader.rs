//! From a record to its user, in whatever format it was written: where the records of the pipeline, the schemas of the registry and the
//! meaning of both meet.

mod schemas;

use std::ops::ControlFlow;
use std::time::Instant;

use log::{info, warn};
use tokio::runtime::Handle;

use crate::error::{Error, Result};
use crate::pipeline::outcome::Outcome;
use crate::pipeline::record::Record;
use crate::rejection::{Reason, Rejection};
use crate::schema_registry::SchemaRegistry;
use crate::shutdown::Shutdown;
use crate::user::clean::{clean, decode_and_clean};
use crate::user::format::WriterSchema;
use crate::user::format::wire::{self, Framed};
use crate::user::row::CreatedUser;
use schemas::{Known, KnownSchemas};

pub struct UserReader {
    runtime: Handle,
    registry: Option<SchemaRegistry>,
    schemas: KnownSchemas,
    shutdown: Shutdown,
}

impl UserReader {
    pub fn new(registry: Option<SchemaRegistry>, shutdown: Shutdown) -> Self {
        Self {
            runtime: Handle::current(),
            registry,
            schemas: KnownSchemas::default(),
            shutdown,
        }
    }

    /// Reads the record's user and goes on with `keep`. Waits for the registry when a schema is met for the first time.
    pub fn read<T>(
        &mut self,
        record: &Record<'_>,
        keep: impl FnOnce(CreatedUser<'_>) -> Outcome<T>,
    ) -> Result<Outcome<T>> {
        let user = match plain(record) {
            ControlFlow::Continue(user) => user,
            ControlFlow::Break(framed) => {
                let Some(place) = self.place_of(framed.schema_id, record)? else {
                    return Ok(Outcome::Unread);
                };
                match self.schemas.at(place) {
                    Known::Schema(schema) => schema.decode(framed.payload).and_then(clean),
                    Known::Unusable(rejection) | Known::Unknown(rejection) => {
                        Err(rejection.clone())
                    }
                }
                .map_err(|rejection| rejection.schema_id(framed.schema_id))
            }
        };
        Ok(user.map_or_else(Outcome::Reject, keep))
    }

    /// The same for a record that names no schema of the registry; nothing for one that does.
    pub fn read_alone<T>(
        record: &Record<'_>,
        keep: impl FnOnce(CreatedUser<'_>) -> Outcome<T>,
    ) -> Option<Outcome<T>> {
        match plain(record) {
            ControlFlow::Continue(user) => Some(user.map_or_else(Outcome::Reject, keep)),
            ControlFlow::Break(_) => None,
        }
    }

    /// The place of the schema among those that are known; nothing when a stop came first.
    fn place_of(&mut self, schema_id: u32, record: &Record<'_>) -> Result<Option<usize>> {
        if let Some(place) = self.schemas.place(schema_id, Instant::now) {
            return Ok(Some(place));
        }
        let registry = self
            .registry
            .as_ref()
            .ok_or_else(|| no_registry(schema_id, record))?;
        let asked = self.runtime.block_on(async {
            tokio::select! {
                answer = registry.schema(schema_id) => Some(answer),
                () = self.shutdown.requested() => None,
            }
        });
        let Some(answer) = asked else { return Ok(None) };
        let known = match answer? {
            Some(schema) => compiled(
                schema_id,
                WriterSchema::compile(&schema.schema_type, &schema.schema, schema.has_references()),
            ),
            None => {
                warn!(
                    "{} does not know the schema {schema_id}: its records become dead letters",
                    registry.server()
                );
                Known::Unknown(Rejection::of(Reason::UnknownSchema))
            }
        };
        Ok(Some(self.schemas.keep(schema_id, known, Instant::now())))
    }
}

/// The user of a record, or else what names the schema by which it was written.
// Nothing is moved then.
#[inline(always)]
fn plain<'a>(
    record: &Record<'a>,
) -> ControlFlow<Framed<'a>, std::result::Result<CreatedUser<'a>, Rejection>> {
    let Some(value) = record.value else {
        return ControlFlow::Continue(Err(Rejection::of(Reason::NullValue)));
    };
    match wire::split(value) {
        Ok(None) => ControlFlow::Continue(decode_and_clean(value)),
        Ok(Some(framed)) => ControlFlow::Break(framed),
        Err(rejection) => ControlFlow::Continue(Err(rejection)),
    }
}

fn compiled(
    schema_id: u32,
    schema: std::result::Result<WriterSchema, crate::user::format::Unusable>,
) -> Known {
    match schema {
        Ok(schema) => {
            info!("reads records of the schema {schema_id}");
            Known::Schema(schema)
        }
        Err(unusable) => {
            warn!(
                "no user can be read by the schema {schema_id}, {unusable}: its records become dead letters"
            );
            Known::Unusable(Rejection::of(Reason::UnsupportedSchema))
        }
    }
}

fn no_registry(schema_id: u32, record: &Record<'_>) -> Error {
    Error::configuration(format!(
        "the record at offset {} of partition {} of the topic {} was written by the schema {schema_id} of a Schema Registry, and none is given",
        record.offset, record.partition, record.topic
    ))
    .hint("say where it is with --schema-registry-url or SCHEMA_REGISTRY_URL; the record is read again by the next run")
}
