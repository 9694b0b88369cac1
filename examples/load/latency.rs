//! How long it takes from the moment when a user is given to the producer until its row can be read, at a steady rate.

use std::time::{Duration, Instant};

use anyhow::{Error, Result};
use scylla::statement::Consistency;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::Cassandra;
use crate::produce::Topic;
use crate::users::Which;

/// Publish users at a steady rate, and ask for one in so many until it can be read
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    cassandra: Cassandra,
    #[command(flatten)]
    topic: Topic,
    /// Users a second
    #[arg(long)]
    rate: u32,
    /// One in so many is asked for
    #[arg(long, default_value_t = 50)]
    every: u32,
    /// The first seconds do not count: what is asked for the first time is slower
    #[arg(long, default_value_t = 3)]
    warm_up: u32,
}

/// What Kafka's clients gather by default (KIP-1030); it is part of the time that is measured, and there is no row before it is over.
const LINGER_MS: u32 = 5;

/// Often at first; whoever has waited for long needs no exact number, and must not be what keeps Cassandra busy.
fn ask_again_after(waited: Duration) -> Duration {
    (waited / 5).clamp(Duration::from_millis(2), Duration::from_millis(20))
}

const GIVE_UP_AFTER: Duration = Duration::from_secs(60);

pub async fn run(arguments: Arguments) -> Result<Value> {
    let session = arguments.cassandra.session().await?;
    let question = format!(
        "SELECT id FROM {}.created_users WHERE id = ?",
        arguments.cassandra.keyspace
    );
    let mut ask = session.prepare(question).await?;
    ask.set_consistency(Consistency::LocalQuorum);
    let (sender, mut receiver) = mpsc::unbounded_channel::<(u32, Uuid, Instant)>();
    let counted_from = arguments.rate * arguments.warm_up;
    let publishing = tokio::task::spawn_blocking(move || send(arguments, &sender));
    let (mut times, mut missing) = (Vec::new(), 0);
    // One after the other, since rows come about in the order in which they were sent: many that ask at once would take from Cassandra what
    // is measured. A row that overtakes another is counted as if it had come with that one.
    while let Some((number, id, sent)) = receiver.recv().await {
        tokio::time::sleep_until((sent + Duration::from_millis(LINGER_MS.into())).into()).await;
        let readable = loop {
            let answer = session.execute_unpaged(&ask, (id,)).await?;
            if answer.into_rows_result()?.rows_num() > 0 {
                break Some(sent.elapsed());
            }
            if sent.elapsed() >= GIVE_UP_AFTER {
                break None;
            }
            tokio::time::sleep(ask_again_after(sent.elapsed())).await;
        };
        match readable {
            None => missing += 1,
            Some(time) if number >= counted_from => times.push(time),
            Some(_) => {}
        }
    }
    publishing.await??;
    times.sort();
    let at = |share: f64| {
        let place = (times.len() as f64 * share) as usize;
        let time = times
            .get(place.min(times.len().saturating_sub(1)))
            .copied()
            .unwrap_or_default();
        (time.as_secs_f64() * 10_000.0).round() / 10.0
    };
    Ok(
        json!({"asked": times.len(), "missing": missing, "p50_ms": at(0.5), "p99_ms": at(0.99), "max_ms": at(1.0)}),
    )
}

fn send(arguments: Arguments, sender: &mpsc::UnboundedSender<(u32, Uuid, Instant)>) -> Result<()> {
    let mut publisher = arguments.topic.publisher(LINGER_MS)?;
    let begun = Instant::now();
    let mut number = 0;
    arguments.which.each(|id, event| {
        let due = Duration::from_secs_f64(f64::from(number) / f64::from(arguments.rate));
        let early = due.saturating_sub(begun.elapsed());
        // Thousands of naps a second would be a load of their own.
        if early >= Duration::from_millis(1) {
            std::thread::sleep(early);
        }
        number += 1;
        publisher.publish(id, &event.encode().map_err(Error::msg)?)?;
        if number % arguments.every == 0 {
            sender.send((number, id, Instant::now()))?;
        }
        Ok(())
    })?;
    publisher.finish()
}
