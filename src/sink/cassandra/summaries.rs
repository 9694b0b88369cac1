use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use scylla::client::session::Session;
use scylla::errors::ExecutionError;
use scylla::response::PagingState;
use scylla::response::query_result::QueryResult;
use scylla::serialize::value::SerializeValue;
use scylla::statement::batch::{Batch, BatchType};
use scylla::statement::prepared::PreparedStatement;
use scylla::statement::{Consistency, SerialConsistency};
use scylla::value::Row;
use uuid::Uuid;

use super::failure::{failed, is_passing};
use super::prepare;
use crate::error::{Error, Result};
use crate::metrics::Requests;
use crate::pipeline::fold::{Advance, Ledger, Ledgers};
use crate::pipeline::retry::retry;
use crate::pipeline::sequence::HighWater;
use crate::user::summary::Dimension;

type Value = Box<dyn SerializeValue + Send + Sync>;

/// Users by dimension and value, over all partitions.
pub type SummaryTotals = BTreeMap<Dimension, BTreeMap<String, i64>>;

/// The table `user_summaries` for one group and topic.
///
/// A step is a conditional batch within one partition of the table (a lightweight transaction): it is applied as a whole or not at all.
pub struct UserSummaries {
    session: Arc<Session>,
    group_id: String,
    topic: String,
    load_offset: PreparedStatement,
    load_counts: PreparedStatement,
    all_partitions: PreparedStatement,
    advance: PreparedStatement,
    begin: PreparedStatement,
    set_count: PreparedStatement,
    retry_timeout: Duration,
    reads: Requests,
    writes: Requests,
}

impl UserSummaries {
    pub async fn prepare(
        session: impl Into<Arc<Session>>,
        keyspace: &str,
        group_id: &str,
        topic: &str,
        retry_timeout: Duration,
    ) -> Result<Self> {
        let session = session.into();
        let table = format!("{keyspace}.user_summaries");
        let partition = "group_id = ? AND topic = ? AND kafka_partition = ?";
        let prepare = async |sql: &str| prepare(&session, sql, retry_timeout).await;
        let mut load_offset = prepare(&format!(
            "SELECT next_offset, high_water FROM {table} WHERE {partition} LIMIT 1"
        ))
        .await?;
        // Finishes a transaction that another member has begun and not finished, so that its outcome is known.
        load_offset.set_consistency(Consistency::Serial);
        let load_counts = prepare(&format!(
            "SELECT dimension, value, users FROM {table} WHERE {partition}"
        ))
        .await?;
        let all_partitions = prepare(&format!(
            "SELECT DISTINCT group_id, topic, kafka_partition FROM {table}"
        ))
        .await?;
        let set =
            "UPDATE {table} SET next_offset = ?, high_water = ? WHERE {partition} IF next_offset ="
                .replace("{table}", &table)
                .replace("{partition}", partition);
        let advance = prepare(&format!("{set} ?")).await?;
        let begin = prepare(&format!("{set} null")).await?;
        let set_count = prepare(&format!(
            "UPDATE {table} SET users = ? WHERE {partition} AND dimension = ? AND value = ?"
        ))
        .await?;
        Ok(Self {
            session,
            group_id: group_id.to_owned(),
            topic: topic.to_owned(),
            load_offset,
            load_counts,
            all_partitions,
            advance,
            begin,
            set_count,
            retry_timeout,
            reads: Requests::default(),
            writes: Requests::default(),
        })
    }

    #[must_use]
    pub fn watched(self, reads: Requests, writes: Requests) -> Self {
        Self {
            reads,
            writes,
            ..self
        }
    }

    /// The sums over the partitions given.
    pub async fn totals(&self, partitions: &[i32]) -> Result<SummaryTotals> {
        let mut totals = SummaryTotals::new();
        for &partition in partitions {
            for ((dimension, value), users) in self.load(partition).await?.counts {
                let Some(dimension) = Dimension::parse(dimension) else {
                    continue;
                };
                *totals
                    .entry(dimension)
                    .or_default()
                    .entry(value)
                    .or_default() += users;
            }
        }
        Ok(totals)
    }

    /// Numbers and the offset that they cover, of one moment, while a job may be writing.
    pub async fn load_at_once(&self, partition: i32) -> Result<Ledger> {
        const TRIES: u32 = 20;
        for _ in 0..TRIES {
            let ledger = self.load(partition).await?;
            // Every step changes the offset, so nothing was written in between.
            if self.offset(partition).await?.0 == ledger.next_offset {
                return Ok(ledger);
            }
        }
        Err(Error::unavailable(format!(
            "the summary of partition {partition} changed during each of {TRIES} readings"
        ))
        .hint("run it again when the group has less to do"))
    }

    /// The partitions of the topic that have numbers, which may be more than the topic has now.
    pub async fn kept_partitions(&self) -> Result<BTreeSet<i32>> {
        let unread = |cause| failed("tell its summaries", cause);
        let mut kept = BTreeSet::new();
        let mut page = PagingState::start();
        loop {
            let (result, next) = retry(
                "loading the summaries",
                self.retry_timeout,
                is_passing,
                || {
                    let page = page.clone();
                    self.session
                        .execute_single_page(&self.all_partitions, (), page)
                },
            )
            .await
            .map_err(unread)?;
            let result = result.into_rows_result().map_err(unreadable)?;
            for row in result.rows::<(&str, &str, i32)>().map_err(unreadable)? {
                let (group_id, topic, partition) = row.map_err(unreadable)?;
                if group_id == self.group_id && topic == self.topic {
                    kept.insert(partition);
                }
            }
            match next.into_paging_control_flow() {
                ControlFlow::Break(()) => return Ok(kept),
                ControlFlow::Continue(state) => page = state,
            }
        }
    }

    async fn offset(&self, partition: i32) -> Result<(Option<i64>, HighWater)> {
        let values = (&self.group_id, &self.topic, partition);
        let request = self.reads.begin(0);
        let result = retry("loading a summary", self.retry_timeout, is_passing, || {
            request.attempt(self.session.execute_unpaged(&self.load_offset, values))
        })
        .await
        .map_err(|cause| failed("load the offset of a summary", cause))?;
        kept_offset(result)
    }

    async fn try_advance(&self, step: &Advance) -> Result<QueryResult, ExecutionError> {
        let mut batch = Batch::new(BatchType::Unlogged);
        // Never repeated by the driver: a repetition would meet its own effect and seem to be refused.
        batch.set_is_idempotent(false);
        batch.set_serial_consistency(Some(SerialConsistency::Serial));
        let (group, topic, partition) = (&self.group_id, &self.topic, step.partition);
        let high_water: HashMap<Uuid, i64> = step
            .high_water
            .0
            .iter()
            .map(|(&landing, &number)| (landing, number))
            .collect();
        // Statements of three shapes have values of as many types.
        let mut values: Vec<Vec<Value>> = Vec::new();
        let mut condition: Vec<Value> = vec![
            Box::new(step.to),
            Box::new(high_water),
            Box::new(group.clone()),
            Box::new(topic.clone()),
            Box::new(partition),
        ];
        match step.from {
            Some(from) => {
                condition.push(Box::new(from));
                batch.append_statement(self.advance.clone());
            }
            None => batch.append_statement(self.begin.clone()),
        }
        values.push(condition);
        for ((dimension, value), users) in &step.counts {
            batch.append_statement(self.set_count.clone());
            values.push(vec![
                Box::new(*users),
                Box::new(group.clone()),
                Box::new(topic.clone()),
                Box::new(partition),
                Box::new(*dimension),
                Box::new(value.clone()),
            ]);
        }
        self.session.batch(&batch, values).await
    }
}

impl Ledgers for UserSummaries {
    async fn load(&self, partition: i32) -> Result<Ledger> {
        let (next_offset, high_water) = self.offset(partition).await?;
        let values = (&self.group_id, &self.topic, partition);
        let request = self.reads.begin(0);
        let result = retry("loading a summary", self.retry_timeout, is_passing, || {
            request.attempt(self.session.execute_unpaged(&self.load_counts, values))
        })
        .await
        .map_err(|cause| failed("load a summary", cause))?
        .into_rows_result()
        .map_err(unreadable)?;
        let mut counts = BTreeMap::new();
        for row in result
            .rows::<(Option<String>, Option<String>, Option<i64>)>()
            .map_err(unreadable)?
        {
            // A partition of the table with an offset and no number yet comes as one row of nulls.
            let (Some(dimension), Some(value), Some(users)) = row.map_err(unreadable)? else {
                continue;
            };
            let dimension = Dimension::parse(&dimension).ok_or_else(|| {
                Error::configuration(
                    "user_summaries holds a dimension that this version does not know",
                )
                .hint("run the version that wrote it, or a newer one")
            })?;
            counts.insert((dimension.as_str(), value), users);
        }
        Ok(Ledger {
            next_offset,
            high_water,
            counts,
        })
    }

    /// One attempt: who asks is waiting for others, and asks again.
    async fn next_offset(&self, partition: i32) -> Result<Option<i64>> {
        let values = (&self.group_id, &self.topic, partition);
        let request = self.reads.begin(0);
        let asked = self.session.execute_unpaged(&self.load_offset, values);
        let result = request
            .attempt(asked)
            .await
            .map_err(|cause| failed("load the offset of a summary", cause))?;
        Ok(kept_offset(result)?.0)
    }

    async fn advance(&self, step: &Advance) -> Result<bool> {
        let begun = std::time::Instant::now();
        let request = self.writes.begin(step.records as usize);
        loop {
            let error = match request.attempt(self.try_advance(step)).await {
                Ok(result) => return applied(result),
                Err(error) => error,
            };
            if !is_passing(&error) || begun.elapsed() >= self.retry_timeout {
                return Err(failed("write a summary", error));
            }
            log::warn!("writing a summary: {error}; finding out whether it was applied");
            let (kept, _) = self.offset(step.partition).await?;
            if kept == Some(step.to) {
                return Ok(true);
            }
            if kept != step.from {
                return Ok(false);
            }
        }
    }
}

fn kept_offset(result: QueryResult) -> Result<(Option<i64>, HighWater)> {
    let row = result
        .into_rows_result()
        .map_err(unreadable)?
        .maybe_first_row::<(Option<i64>, Option<HashMap<Uuid, i64>>)>()
        .map_err(unreadable)?;
    let (next_offset, high_water) = row.unwrap_or_default();
    Ok((
        next_offset,
        HighWater(high_water.unwrap_or_default().into_iter().collect()),
    ))
}

/// The first column of a conditional write's answer.
fn applied(result: QueryResult) -> Result<bool> {
    let row: Row = result
        .into_rows_result()
        .map_err(unreadable)?
        .first_row()
        .map_err(unreadable)?;
    match row.columns.first() {
        Some(Some(value)) => Ok(value.as_boolean().unwrap_or(false)),
        _ => Err(Error::bug(
            "a conditional write did not say whether it was applied",
        )),
    }
}

fn unreadable(cause: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::configuration("user_summaries has other columns than this version expects")
        .cause(cause)
        .hint("make or update the tables with `streamflow init`")
}
