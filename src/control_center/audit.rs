//! Who did what: a table of the landing database, to which is only added.

use serde::Serialize;
use tokio_postgres::Client;

use super::accounts::Role;
use super::moment::Moment;
use crate::error::{Error, Result};

/// What somebody is about to do.
pub(super) struct Deed<'a> {
    pub who: &'a str,
    pub role: Role,
    pub action: &'static str,
    pub target: &'a str,
    pub detail: &'a str,
}

#[derive(Debug, Serialize)]
pub(super) struct Entry {
    pub number: i64,
    pub at: Moment,
    pub who: String,
    pub role: String,
    pub action: String,
    pub target: String,
    pub detail: String,
}

pub(super) async fn write(client: &Client, deed: &Deed<'_>) -> Result<()> {
    let sql = "INSERT INTO control_center_audit (who, role, action, target, detail) VALUES ($1, $2, $3, $4, $5)";
    // A text of PostgreSQL holds no NUL, which an address can.
    let plain = |text: &str| text.replace('\0', "\u{fffd}");
    let role = deed.role.to_string();
    client
        .execute(
            sql,
            &[
                &plain(deed.who),
                &role,
                &deed.action,
                &plain(deed.target),
                &plain(deed.detail),
            ],
        )
        .await
        .map_err(|cause| {
            Error::unavailable("this cannot be written to the audit log, so it was not done")
                .cause(cause)
                .hint("bring PostgreSQL up; `streamflow init` makes the table control_center_audit")
        })?;
    Ok(())
}

/// The newest entries below a number.
pub(super) async fn read(client: &Client, below: i64, limit: i64) -> Result<Vec<Entry>> {
    let sql = "SELECT number, (extract(epoch FROM at) * 1000)::bigint, who, role, action, target, detail \
               FROM control_center_audit WHERE number < $1 ORDER BY number DESC LIMIT $2";
    let rows = client
        .query(sql, &[&below, &limit])
        .await
        .map_err(|cause| {
            Error::unavailable("PostgreSQL does not tell the audit log")
                .cause(cause)
                .hint("`streamflow init` makes the table control_center_audit")
        })?;
    let entry = |row: &tokio_postgres::Row| Entry {
        number: row.get(0),
        at: Moment::at(row.get(1)),
        who: row.get(2),
        role: row.get(3),
        action: row.get(4),
        target: row.get(5),
        detail: row.get(6),
    };
    Ok(rows.iter().map(entry).collect())
}
