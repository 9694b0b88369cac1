//! The schemas by which records were written, asked for once each.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::center::{Link, in_time, quickly};
use super::panel::Trouble;
use crate::config::{ConnectArguments, SchemaRegistryArguments};
use crate::error::{Error, Kind, Result};
use crate::schema_registry::SchemaRegistry;
use crate::user::format::WriterSchema;

/// Far more than a cluster has; ids that mean nothing must not fill the memory.
const MAX_KNOWN: usize = 1_000;
/// A schema can be registered later than its first record is read.
const REMEMBER_MISSING: Duration = Duration::from_secs(10);

/// One schema, with the connection; less than a page waits for all its schemas.
const ASK_WITHIN: Duration = Duration::from_millis(2_500);
/// A registry that did not answer is asked again only after this time, whatever the id.
const REMEMBER_SILENCE: Duration = Duration::from_secs(2);

/// What is known of a schema's id.
pub(super) enum Known {
    /// With the registry's word for its kind.
    Schema(WriterSchema, String),
    /// Why it is of no use.
    Missing(String),
    /// The registry did not answer.
    Silent(String),
}

impl Known {
    pub(super) fn why(&self) -> String {
        match self {
            Known::Schema(_, kind) => format!("it is {kind}"),
            Known::Missing(why) | Known::Silent(why) => why.clone(),
        }
    }
}

pub(super) struct Registry {
    arguments: SchemaRegistryArguments,
    link: Link<Arc<SchemaRegistry>>,
    known: Mutex<HashMap<u32, (Instant, Arc<Known>)>>,
    /// When it has last not answered, and what was said of it.
    silent: Mutex<Option<(Instant, Arc<Known>)>>,
}

impl Registry {
    pub(super) fn new(arguments: SchemaRegistryArguments) -> Self {
        Self {
            arguments,
            link: Link::default(),
            known: Mutex::default(),
            silent: Mutex::default(),
        }
    }

    /// Without users and passwords; nothing where none is given.
    pub(super) fn address(&self) -> Option<String> {
        Some(self.arguments.address()).filter(|address| !address.is_empty())
    }

    pub(super) async fn client(&self) -> Result<Arc<SchemaRegistry>> {
        self.link
            .get(
                "the Schema Registry",
                |_| true,
                || async {
                    let connected = SchemaRegistry::connect(&self.arguments, &quickly()).await?;
                    connected.map(Arc::new).ok_or_else(|| {
                        Error::configuration("no Schema Registry is given").hint(
                            "say where it is with --schema-registry-url or SCHEMA_REGISTRY_URL",
                        )
                    })
                },
            )
            .await
    }

    /// A client that nobody shares; nothing where no registry is given.
    pub(super) async fn own_client(
        &self,
        patience: &ConnectArguments,
    ) -> Result<Option<SchemaRegistry>> {
        SchemaRegistry::connect(&self.arguments, patience).await
    }

    pub(super) async fn schema(&self, id: u32) -> Arc<Known> {
        let now = Instant::now();
        if let Some((at, known)) = self
            .known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&id)
            && (matches!(**known, Known::Schema(..)) || now.duration_since(*at) < REMEMBER_MISSING)
        {
            return known.clone();
        }
        if let Some((at, silent)) = &*self.silent.lock().unwrap_or_else(PoisonError::into_inner)
            && at.elapsed() < REMEMBER_SILENCE
        {
            return silent.clone();
        }
        let known = match in_time("the Schema Registry", ASK_WITHIN, self.ask(id)).await {
            Ok(known) => Arc::new(known),
            Err(error) => {
                let why = Trouble::from(&error).message;
                if matches!(error.kind(), Kind::Unavailable) {
                    let silent = Arc::new(Known::Silent(why));
                    *self.silent.lock().unwrap_or_else(PoisonError::into_inner) =
                        Some((Instant::now(), silent.clone()));
                    return silent;
                }
                Arc::new(Known::Missing(why))
            }
        };
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MAX_KNOWN {
            all.clear();
        }
        all.insert(id, (now, known.clone()));
        known
    }

    async fn ask(&self, id: u32) -> Result<Known> {
        let Some(schema) = self.client().await?.schema(id).await? else {
            return Ok(Known::Missing("the registry does not know it".to_owned()));
        };
        let kind = match schema.schema_type.as_str() {
            "AVRO" => "Avro",
            "JSON" => "JSON Schema",
            "PROTOBUF" => "Protobuf",
            other => other,
        };
        Ok(
            match WriterSchema::compile(
                &schema.schema_type,
                &schema.schema,
                schema.has_references(),
            ) {
                Ok(compiled) => Known::Schema(compiled, kind.to_owned()),
                Err(unusable) => {
                    Known::Missing(format!("no user can be read by this schema: {unusable}"))
                }
            },
        )
    }
}
