//! Whether every row is there, with the values that it must have.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Error, Result};
use serde_json::{Value, json};
use streamflow::sink::cassandra::StoredUsers;
use streamflow::user::clean::clean;
use streamflow::user::row::CreatedUser;

use crate::Cassandra;
use crate::users::Which;

/// Compare the table with the users, column by column
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    cassandra: Cassandra,
}

pub async fn run(arguments: Arguments) -> Result<Value> {
    let mut expected = HashMap::new();
    arguments.which.each(|id, event| {
        expected.insert(id, digest(&clean(event).map_err(Error::msg)?));
        Ok(())
    })?;
    let session = Arc::new(arguments.cassandra.session().await?);
    let stored = StoredUsers::prepare(
        session,
        &arguments.cassandra.keyspace,
        Duration::from_secs(60),
    )
    .await?;
    let (mut rows, mut unexpected, mut different) = (0, 0, 0);
    let mut first_different = None;
    stored
        .each(|row| {
            rows += 1;
            match expected.remove(&row.id) {
                None => unexpected += 1,
                Some(digest_of_it) if row.user.as_ref().map(digest) != Some(digest_of_it) => {
                    different += 1;
                    first_different.get_or_insert(row.id);
                }
                Some(_) => {}
            }
            Ok(())
        })
        .await?;
    Ok(
        json!({"rows": rows, "missing": expected.len(), "unexpected": unexpected, "different": different, "first_different": first_different}),
    )
}

/// Two rows of the same content have the same one, in one run of this program.
fn digest(user: &CreatedUser<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    format!("{user:?}").hash(&mut hasher);
    hasher.finish()
}
