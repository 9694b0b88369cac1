//! The schema by which this version writes users, in the registry: found by `fetch-publish` and `streamflow doctor`, made by
//! `streamflow init`.

use crate::error::{Error, Result};
use crate::schema_registry::{COMPATIBILITY, Schema, SchemaRegistry, subject_of};
use crate::user::format::SchemaFormat;

pub(super) struct OurSchema<'a> {
    registry: &'a SchemaRegistry,
    pub(super) subject: String,
    schema: Schema,
}

/// What [`OurSchema::register`] found and did.
pub(super) struct Registered {
    /// The level that the subject had already; without one it has got [`COMPATIBILITY`].
    pub(super) kept_level: Option<String>,
    pub(super) schema_id: u32,
    pub(super) is_new: bool,
}

impl<'a> OurSchema<'a> {
    pub(super) fn of(registry: &'a SchemaRegistry, topic: &str, format: SchemaFormat) -> Self {
        Self {
            registry,
            subject: subject_of(topic),
            schema: Schema::new(format.schema_type(), format.schema()),
        }
    }

    /// The id, when `streamflow init` has registered this version's schema.
    pub(super) async fn id(&self) -> Result<u32> {
        let id = self.registry.id_of(&self.subject, &self.schema).await?;
        id.ok_or_else(|| {
            Error::configuration(format!(
                "{} has not this version's schema of the users ({}) in the subject {}",
                self.registry.server(),
                self.schema.schema_type,
                self.subject
            ))
            .hint("register it with `streamflow init`, with the same --value-format and --schema-registry-url")
        })
    }

    pub(super) async fn level(&self) -> Result<String> {
        let level = self.registry.compatibility(&self.subject).await?;
        Ok(level.unwrap_or_else(|| "the registry's own level".to_owned()))
    }

    /// Registers the schema where it is not there yet. A level that somebody has chosen is left as it is.
    pub(super) async fn register(&self) -> Result<Registered> {
        let kept_level = self.registry.compatibility(&self.subject).await?;
        if kept_level.is_none() {
            // First of all, so that no version is taken that it would refuse.
            self.registry.set_compatibility(&self.subject).await?;
        }
        let known = self.registry.id_of(&self.subject, &self.schema).await?;
        let schema_id = match known {
            Some(id) => id,
            None => {
                let level = kept_level.as_deref().unwrap_or(COMPATIBILITY);
                self.expect_the_format(level).await?;
                self.registry.register(&self.subject, &self.schema).await?
            }
        };
        Ok(Registered {
            kept_level,
            schema_id,
            is_new: known.is_none(),
        })
    }
}

impl OurSchema<'_> {
    /// Schemas of two formats are never compatible, which some registries tell with an error of their own (status 500).
    async fn expect_the_format(&self, level: &str) -> Result<()> {
        let latest = self.registry.latest(&self.subject).await?;
        match latest.map(|latest| latest.schema_type) {
            Some(other) if other != self.schema.schema_type && level != "NONE" => {
                let cause = anyhow::anyhow!(
                    "they are {other}, and this one is {}",
                    self.schema.schema_type
                );
                Err(self.registry.incompatible(&self.subject).cause(cause))
            }
            _ => Ok(()),
        }
    }
}

impl Registered {
    /// One line for each of level and schema.
    pub(super) fn lines(&self, subject: &str) -> [String; 2] {
        let level = match &self.kept_level {
            Some(level) => format!("subject {subject} has the compatibility {level}, which stays"),
            None => format!("subject {subject}: compatibility {COMPATIBILITY} set"),
        };
        let done = if self.is_new {
            "registered"
        } else {
            "is there"
        };
        let id = self.schema_id;
        [level, format!("subject {subject}: schema {done}, id {id}")]
    }
}
