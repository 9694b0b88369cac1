use tokio_postgres::Client;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::failed;
use crate::error::Result;

/// Which landed users: those for whom all of it is true.
#[derive(Debug, Clone, Default)]
pub struct Marks {
    /// All of them, where none is named.
    pub user_ids: Vec<Uuid>,
    pub from_sequence: Option<i64>,
    pub to_sequence: Option<i64>,
    /// The time of landing, in milliseconds since 1970-01-01T00:00:00Z.
    pub since_ms: Option<i64>,
}

/// Removes the marks of users that are published, so that the next run publishes them again. Tells how many they are.
pub async fn publish_again(client: &Client, marks: &Marks, dry_run: bool) -> Result<u64> {
    let which = "FROM landed_users AS l WHERE l.sequence = p.sequence \
                 AND (cardinality($1::uuid[]) = 0 OR l.id = ANY ($1)) \
                 AND l.sequence >= coalesce($2::bigint, l.sequence) AND l.sequence <= coalesce($3::bigint, l.sequence) \
                 AND ($4::bigint IS NULL OR l.landed_at >= to_timestamp($4::bigint / 1000.0))";
    let given: [&(dyn ToSql + Sync); 4] = [
        &marks.user_ids,
        &marks.from_sequence,
        &marks.to_sequence,
        &marks.since_ms,
    ];
    let failed = |cause| failed("remove the marks of published users", cause);
    if dry_run {
        let sql =
            format!("SELECT count(*) FROM published_users AS p WHERE EXISTS (SELECT {which})");
        let row = client.query_one(&sql, &given).await.map_err(failed)?;
        return Ok(row.get::<_, i64>(0).unsigned_abs());
    }
    let sql = format!(
        "DELETE FROM published_users AS p USING {}",
        which.trim_start_matches("FROM ")
    );
    client.execute(&sql, &given).await.map_err(failed)
}
