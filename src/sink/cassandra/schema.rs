//! The keyspace and its tables, from the numbered files in `cql/`.

use std::collections::BTreeSet;

use scylla::client::session::Session;
use scylla::errors::ExecutionError;

use super::failure::failed;
use crate::error::Result;

struct Migration {
    name: &'static str,
    statements: &'static str,
}

const MIGRATIONS: &[Migration] = &[
    Migration {
        name: "001_created_users",
        statements: include_str!("../../../cql/001_created_users.cql"),
    },
    Migration {
        name: "002_user_summaries",
        statements: include_str!("../../../cql/002_user_summaries.cql"),
    },
];

/// What each table must have for this version to work.
const COLUMNS: &[(&str, &[&str])] = &[
    (
        "created_users",
        &[
            "id",
            "first_name",
            "last_name",
            "gender",
            "address",
            "post_code",
            "email",
            "username",
            "dob",
            "registered_date",
            "phone",
            "picture",
            "nationality",
            "country",
        ],
    ),
    (
        "user_summaries",
        &[
            "group_id",
            "topic",
            "kafka_partition",
            "dimension",
            "value",
            "users",
            "next_offset",
            "high_water",
        ],
    ),
];

/// Makes what is missing, in the order of the files; says what was done. Each file is applied once and can be applied again.
pub async fn migrate(
    session: &Session,
    keyspace: &str,
    replication_factor: u32,
) -> Result<Vec<String>> {
    let mut done = Vec::new();
    let run = async |statement: String, what: &str| -> Result<()> {
        session
            .query_unpaged(statement, &[])
            .await
            .map_err(|cause: ExecutionError| failed(what, cause))?;
        Ok(())
    };
    if !exists(session, keyspace).await? {
        let statement = format!(
            "CREATE KEYSPACE IF NOT EXISTS {keyspace} WITH replication = \
             {{'class': 'NetworkTopologyStrategy', 'replication_factor': {replication_factor}}}"
        );
        run(statement, "make the keyspace").await?;
        done.push(format!(
            "keyspace {keyspace}, replication factor {replication_factor}"
        ));
    }
    let log = format!(
        "CREATE TABLE IF NOT EXISTS {keyspace}.schema_migrations (name text PRIMARY KEY, applied_at timestamp)"
    );
    run(log, "make the table of migrations").await?;
    let applied = applied(session, keyspace).await?;
    for migration in MIGRATIONS {
        if applied.contains(migration.name) {
            continue;
        }
        for statement in statements(migration.statements, keyspace) {
            run(statement, "apply a migration").await?;
        }
        let mark = format!(
            "INSERT INTO {keyspace}.schema_migrations (name, applied_at) VALUES ('{}', toTimestamp(now()))",
            migration.name
        );
        run(mark, "mark a migration").await?;
        done.push(format!("table of cql/{}.cql", migration.name));
    }
    Ok(done)
}

/// Columns that this version needs and the keyspace lacks, as `table.column`.
pub async fn missing_columns(session: &Session, keyspace: &str) -> Result<Vec<String>> {
    let statement =
        "SELECT table_name, column_name FROM system_schema.columns WHERE keyspace_name = ?";
    let rows = texts::<(String, String)>(session, statement, (keyspace,)).await?;
    let found: BTreeSet<String> = rows
        .into_iter()
        .map(|(table, column)| format!("{table}.{column}"))
        .collect();
    let needed = COLUMNS.iter().flat_map(|(table, columns)| {
        columns
            .iter()
            .map(move |column| format!("{table}.{column}"))
    });
    Ok(needed.filter(|column| !found.contains(column)).collect())
}

/// The columns that a table has, by name; none where there is no such table.
pub async fn columns_of(
    session: &Session,
    keyspace: &str,
    table: &str,
) -> Result<BTreeSet<String>> {
    let statement =
        "SELECT column_name FROM system_schema.columns WHERE keyspace_name = ? AND table_name = ?";
    let rows = texts::<(String,)>(session, statement, (keyspace, table)).await?;
    Ok(rows.into_iter().map(|(column,)| column).collect())
}

async fn exists(session: &Session, keyspace: &str) -> Result<bool> {
    let statement = "SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = ?";
    Ok(!texts::<(String,)>(session, statement, (keyspace,))
        .await?
        .is_empty())
}

async fn applied(session: &Session, keyspace: &str) -> Result<BTreeSet<String>> {
    let statement = format!("SELECT name FROM {keyspace}.schema_migrations");
    let rows = texts::<(String,)>(session, &statement, ()).await?;
    Ok(rows.into_iter().map(|(name,)| name).collect())
}

async fn texts<R>(
    session: &Session,
    statement: &str,
    values: impl scylla::serialize::row::SerializeRow,
) -> Result<Vec<R>>
where
    R: for<'f, 'm> scylla::deserialize::row::DeserializeRow<'f, 'm>,
{
    let unreadable = |cause: anyhow::Error| {
        crate::error::Error::bug("the schema tables cannot be read").cause(cause)
    };
    let result = session
        .query_unpaged(statement, values)
        .await
        .map_err(|cause| failed("tell its schema", cause))?
        .into_rows_result()
        .map_err(|cause| unreadable(cause.into()))?;
    let rows = result
        .rows::<R>()
        .map_err(|cause| unreadable(cause.into()))?;
    rows.map(|row| row.map_err(|cause| unreadable(cause.into())))
        .collect()
}

/// The statements of a file, comments left out, each table put into the keyspace.
fn statements<'a>(file: &'a str, keyspace: &'a str) -> impl Iterator<Item = String> + 'a {
    let code: String = file
        .lines()
        .filter(|line| !line.trim_start().starts_with("--"))
        .flat_map(|line| [line, "\n"])
        .collect();
    let statements: Vec<String> = code
        .split(';')
        .map(str::trim)
        .filter(|statement| !statement.is_empty())
        .map(|statement| {
            statement
                .replacen(
                    "TABLE IF NOT EXISTS ",
                    &format!("TABLE IF NOT EXISTS {keyspace}."),
                    1,
                )
                .replacen("ALTER TABLE ", &format!("ALTER TABLE {keyspace}."), 1)
        })
        .collect();
    statements.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_statement_names_the_keyspace_asked_for() {
        for migration in MIGRATIONS {
            for statement in statements(migration.statements, "other") {
                assert!(
                    statement.starts_with("CREATE TABLE IF NOT EXISTS other.")
                        || statement.starts_with("ALTER TABLE other."),
                    "{}: {statement}",
                    migration.name
                );
            }
        }
    }
}
