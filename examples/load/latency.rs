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

/// Often at first; whoever waits for long needs no exact number, and must not be what keeps Cassandra busy.
fn ask_again_after(waited: Duration) -> Duration {
    (waited / 5).clamp(Duration::from_millis(2), Duration::from_millis(500))
}

const GIVE_UP_AFTER: Duration = Duration::from_secs(60);

pub async fn run(arguments: Arguments) -> Result<Value> {
    let session = std::sync::Arc::new(arguments.cassandra.session().await?);
    let question = format!(
        "SELECT id FROM {}.created_users WHERE id = ?",
        arguments.cassandra.keyspace
    );
    let mut ask = session.prepare(question).await?;
    ask.set_consistency(Consistency::LocalQuorum);
    let (sender, mut receiver) = mpsc::unbounded_channel::<(u32, Uuid, Instant)>();
    let counted_from = arguments.rate * arguments.warm_up;
    let publishing = tokio::task::spawn_blocking(move || send(arguments, &sender));
    let mut asking = Vec::new();
    while let Some((number, id, sent)) = receiver.recv().await {
        let (session, ask) = (session.clone(), ask.clone());
        asking.push(tokio::spawn(async move {
            while sent.elapsed() < GIVE_UP_AFTER {
                let rows = session
                    .execute_unpaged(&ask, (id,))
                    .await?
                    .into_rows_result()?;
                if rows.rows_num() > 0 {
                    return anyhow::Ok((number, Some(sent.elapsed())));
                }
                tokio::time::sleep(ask_again_after(sent.elapsed())).await;
            }
            Ok((number, None))
        }));
    }
    publishing.await??;
    let (mut times, mut missing) = (Vec::new(), 0);
    for asked in asking {
        match asked.await?? {
            (_, None) => missing += 1,
            (number, Some(time)) if number >= counted_from => times.push(time),
            _ => {}
        }
    }
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
    // What Kafka's clients gather by default (KIP-1030); it is part of the time that is measured.
    let mut publisher = arguments.topic.publisher(5)?;
    let begun = Instant::now();
    let mut number = 0;
    arguments.which.each(|id, event| {
        let due = Duration::from_secs_f64(f64::from(number) / f64::from(arguments.rate));
        if let Some(early) = due.checked_sub(begun.elapsed()) {
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
