//! How fast the driver can be: the rows lie in memory, serialized for the statement, and nothing is done but to write them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Error, Result};
use scylla::statement::batch::{Batch, BatchStatement, BatchType};
use scylla::value::CqlTimestamp;
use serde_json::{Value, json};
use streamflow::user::clean::clean;
use streamflow::user::row::CreatedUser;
use uuid::Uuid;

use crate::Cassandra;
use crate::users::Which;

/// Write users from memory, as fast as the driver can
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    cassandra: Cassandra,
    /// Rows in one batch
    #[arg(long, default_value_t = 80)]
    rows: usize,
    #[arg(long, default_value_t = 8)]
    in_flight: usize,
}

pub async fn run(arguments: Arguments) -> Result<Value> {
    let mut users: Vec<CreatedUser<'static>> = Vec::with_capacity(arguments.which.users as usize);
    arguments.which.each(|_, event| {
        users.push(clean(event).map_err(Error::msg)?.into_owned());
        Ok(())
    })?;
    let session = Arc::new(arguments.cassandra.session().await?);
    let insert = session
        .prepare(format!(
            "INSERT INTO {}.created_users (id, first_name, last_name, gender, address, post_code, email, username, dob, registered_date, \
             phone, picture, nationality, country) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ?",
            arguments.cassandra.keyspace
        ))
        .await?;
    let written_us = jiff::Timestamp::now().as_microsecond();
    let users = Arc::new(users);
    let next = Arc::new(AtomicUsize::new(0));
    let begun = Instant::now();
    let mut writers = Vec::new();
    for _ in 0..arguments.in_flight {
        let (users, next, session, insert) =
            (users.clone(), next.clone(), session.clone(), insert.clone());
        writers.push(tokio::spawn(async move {
            loop {
                let from = next.fetch_add(arguments.rows, Ordering::Relaxed);
                let Some(part) = users
                    .get(from..users.len().min(from + arguments.rows))
                    .filter(|it| !it.is_empty())
                else {
                    return anyhow::Ok(());
                };
                let statements =
                    vec![BatchStatement::PreparedStatement(insert.clone()); part.len()];
                let batch = Batch::new_with_statements(BatchType::Unlogged, statements);
                let values: Vec<_> = part.iter().map(|user| values(user, written_us)).collect();
                session.batch(&batch, values).await?;
            }
        }));
    }
    for writer in writers {
        writer.await??;
    }
    let elapsed = begun.elapsed();
    Ok(json!({
        "users": users.len(),
        "elapsed_ms": elapsed.as_millis() as u64,
        "rows_per_second": (users.len() as f64 / elapsed.as_secs_f64()).round(),
    }))
}

type Text<'a> = Option<&'a str>;
type Time = Option<CqlTimestamp>;
#[rustfmt::skip]
type Values<'a> = (
    Uuid, &'a str, &'a str, Text<'a>, Text<'a>, Text<'a>, Text<'a>, Text<'a>, Time, Time, Text<'a>, Text<'a>, Text<'a>, Text<'a>, i64,
);

fn values<'a>(user: &'a CreatedUser<'_>, written_us: i64) -> Values<'a> {
    (
        user.id,
        &user.first_name,
        &user.last_name,
        user.gender.as_deref(),
        user.address.as_deref(),
        user.post_code.as_deref(),
        user.email.as_deref(),
        user.username.as_deref(),
        user.dob_ms.map(CqlTimestamp),
        user.registered_date_ms.map(CqlTimestamp),
        user.phone.as_deref(),
        user.picture.as_deref(),
        user.nationality.as_deref(),
        user.country.as_deref(),
        written_us,
    )
}
