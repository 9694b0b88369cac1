//! What is in PostgreSQL and Cassandra, read without the programs' own code.

use std::borrow::Cow;
use std::collections::BTreeMap;

use futures_util::TryStreamExt;
use scylla::value::CqlTimestamp;
use streamflow::user::row::CreatedUser;
use streamflow::user::summary::each_value;
use uuid::Uuid;

use crate::servers::{connect, wait};
use crate::world::World;

/// Numbers by dimension and value.
pub type Totals = BTreeMap<(String, String), i64>;

/// A row of `landed_users`, and where it was published.
#[derive(Debug, Clone, PartialEq)]
pub struct LandedUser {
    pub sequence: i64,
    pub id: Uuid,
    pub raw: String,
    pub landed_at_ms: i64,
    /// Partition and offset.
    pub published: Option<(i32, i64)>,
}

/// A row of `kept_apart_users`.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptApart {
    pub reason: String,
    pub field: Option<String>,
    pub id: Option<Uuid>,
    pub raw: String,
}

impl World {
    fn postgres(&self) -> tokio_postgres::Client {
        let url = self.base.servers.database(&self.base.database);
        wait(connect(&url)).expect("a connection to PostgreSQL")
    }

    pub fn sql(&self, statement: &str) {
        wait(self.postgres().batch_execute(statement)).expect("a statement");
    }

    pub fn sql_number(&self, query: &str) -> i64 {
        let row = wait(self.postgres().query_one(query, &[]));
        row.expect("a number").get(0)
    }

    pub fn sql_text(&self, query: &str) -> String {
        let row = wait(self.postgres().query_one(query, &[]));
        row.expect("a text").get(0)
    }

    /// In the order of landing.
    pub fn landed(&self) -> Vec<LandedUser> {
        let query = "SELECT sequence, id, raw::text, (extract(epoch FROM landed_at) * 1000)::bigint, kafka_partition, kafka_offset, \
                     published_at IS NOT NULL FROM landed_users LEFT JOIN published_users USING (sequence) ORDER BY sequence";
        let rows = wait(self.postgres().query(query, &[])).expect("landed users");
        let landed = |row: &tokio_postgres::Row| LandedUser {
            sequence: row.get(0),
            id: row.get(1),
            raw: row.get(2),
            landed_at_ms: row.get(3),
            published: row
                .get::<_, bool>(6)
                .then(|| (row.get::<_, i32>(4), row.get::<_, i64>(5))),
        };
        rows.iter().map(landed).collect()
    }

    pub fn kept_apart(&self) -> Vec<KeptApart> {
        let query = "SELECT reason, field, id, raw FROM kept_apart_users ORDER BY number";
        let rows = wait(self.postgres().query(query, &[])).expect("users kept apart");
        let kept = |row: &tokio_postgres::Row| KeptApart {
            reason: row.get(0),
            field: row.get(1),
            id: row.get(2),
            raw: row.get(3),
        };
        rows.iter().map(kept).collect()
    }

    pub fn cql(&self, statement: &str) {
        let statement = statement.replace("KEYSPACE.", &format!("{}.", self.base.keyspace));
        let session = self.base.servers.session();
        wait(session.query_unpaged(statement, ())).expect("a statement");
    }

    /// All at once: what one partition holds is seen as it was at one moment.
    fn select<R>(&self, statement: &str) -> Vec<R>
    where
        R: for<'f, 'm> scylla::deserialize::row::DeserializeRow<'f, 'm>,
    {
        let statement = statement.replace("KEYSPACE.", &format!("{}.", self.base.keyspace));
        let session = self.base.servers.session();
        let result = wait(session.query_unpaged(statement, ())).expect("an answer");
        let rows = result.into_rows_result().expect("rows");
        let rows = rows.rows::<R>().expect("rows of these types");
        rows.map(|row| row.expect("a row")).collect()
    }

    /// For many rows: all of them in one answer take a busy Cassandra longer than it gives itself to read.
    fn select_in_pages<R>(&self, statement: &str) -> Vec<R>
    where
        R: for<'f, 'm> scylla::deserialize::row::DeserializeRow<'f, 'm> + 'static,
    {
        let statement = statement.replace("KEYSPACE.", &format!("{}.", self.base.keyspace));
        let session = self.base.servers.session();
        let rows = wait(async {
            let rows = session.query_iter(statement, ()).await.expect("a query");
            let rows = rows.rows_stream::<R>().expect("rows of these types");
            rows.try_collect().await
        });
        rows.expect("rows")
    }

    /// All rows of `created_users`.
    pub fn users(&self) -> BTreeMap<Uuid, CreatedUser<'static>> {
        self.some_users("")
    }

    pub fn user(&self, id: Uuid) -> Option<CreatedUser<'static>> {
        self.some_users(&format!(" WHERE id = {id}")).remove(&id)
    }

    pub fn user_count(&self) -> usize {
        self.select_in_pages::<(Uuid,)>("SELECT id FROM KEYSPACE.created_users")
            .len()
    }

    /// The changes of the schema that are marked as applied.
    pub fn migrations(&self) -> BTreeMap<String, i64> {
        let query = "SELECT name, applied_at FROM KEYSPACE.schema_migrations";
        let rows: Vec<(String, CqlTimestamp)> = self.select(query);
        rows.into_iter().map(|(name, at)| (name, at.0)).collect()
    }

    fn some_users(&self, which: &str) -> BTreeMap<Uuid, CreatedUser<'static>> {
        type Text = Option<String>;
        type Time = Option<CqlTimestamp>;
        type Columns = (
            Uuid,
            String,
            String,
            Text,
            Text,
            Text,
            Text,
            Text,
            Time,
            Time,
            Text,
            Text,
            Text,
            Text,
        );
        let columns = "id, first_name, last_name, gender, address, post_code, email, username, dob, registered_date, phone, picture, \
                       nationality, country";
        let rows: Vec<Columns> = self.select_in_pages(&format!(
            "SELECT {columns} FROM KEYSPACE.created_users{which}"
        ));
        let user = |it: Columns| {
            let user = CreatedUser {
                id: it.0,
                first_name: it.1.into(),
                last_name: it.2.into(),
                gender: it.3.map(Cow::Owned),
                address: it.4.map(Cow::Owned),
                post_code: it.5.map(Cow::Owned),
                email: it.6.map(Cow::Owned),
                username: it.7.map(Cow::Owned),
                dob_ms: it.8.map(|time| time.0),
                registered_date_ms: it.9.map(|time| time.0),
                phone: it.10.map(Cow::Owned),
                picture: it.11.map(Cow::Owned),
                nationality: it.12.map(Cow::Owned),
                country: it.13.map(Cow::Owned),
            };
            (user.id, user)
        };
        rows.into_iter().map(user).collect()
    }

    /// The numbers of this world's aggregate, over all partitions.
    pub fn totals(&self) -> Totals {
        self.totals_of(&self.group("aggregate"))
    }

    pub fn totals_of(&self, group: &str) -> Totals {
        type Row = (String, String, Option<String>, Option<String>, Option<i64>);
        let rows: Vec<Row> = self
            .select("SELECT group_id, topic, dimension, value, users FROM KEYSPACE.user_summaries");
        let mut totals = Totals::new();
        for (of_group, topic, dimension, value, users) in rows {
            if let (Some(dimension), Some(value), Some(users)) = (dimension, value, users)
                && of_group == group
                && topic == self.topic
            {
                *totals.entry((dimension, value)).or_default() += users;
            }
        }
        totals
    }

    /// How many users the summary counts, which each dimension must agree on.
    #[track_caller]
    pub fn counted(&self) -> i64 {
        sum(&self.totals())
    }
}

/// The number of users of a summary, which must be the same by every dimension.
#[track_caller]
pub fn sum(totals: &Totals) -> i64 {
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    for ((dimension, _), users) in totals {
        *sums.entry(dimension).or_default() += users;
    }
    let users = sums.values().next().copied().unwrap_or(0);
    assert!(
        sums.values().all(|&sum| sum == users),
        "the dimensions disagree: {sums:?}"
    );
    if users > 0 {
        assert_eq!(sums.len(), 5, "dimensions: {sums:?}");
    }
    users
}

/// The summary of these users, each with the time of its record.
pub fn summary_of<'a>(users: impl IntoIterator<Item = (&'a CreatedUser<'a>, i64)>) -> Totals {
    let mut totals = Totals::new();
    for (user, at_ms) in users {
        each_value(user, at_ms, |dimension, value| {
            let key = (dimension.as_str().to_owned(), value.to_owned());
            *totals.entry(key).or_default() += 1;
        });
    }
    totals
}
