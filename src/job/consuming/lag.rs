//! Asks Kafka every few seconds how far the group is, on a thread of its own: the loop must not wait for it, and what a paused consumer knows
//! of the end of its partitions is old.

use std::time::Duration;

use log::debug;

use crate::config::{KafkaArguments, Server};
use crate::error::{Error, Result};
use crate::metrics::Watch;
use crate::source::group_offsets::GroupOffsets;

/// Well below the 15 s or more between two scrapes.
const INTERVAL: Duration = Duration::from_secs(2);

/// Until the program ends; not at all where nobody wants to know.
pub(super) fn look(kafka: &KafkaArguments, group_id: &str, watch: &Watch) -> Result<()> {
    if !watch.is_on() {
        return Ok(());
    }
    let group = GroupOffsets::of(kafka, group_id)?;
    let server = Server::kafka(&kafka.bootstrap_servers);
    let watch = watch.clone();
    let looking = move || {
        let mut away = false;
        loop {
            let standing = watch.standing();
            let partitions: Vec<i32> = standing.assigned().collect();
            let asked = group.ask(&partitions);
            if asked.is_err() != away {
                away = asked.is_err();
                watch.is_away(&server, away);
            }
            match asked {
                Ok(offsets) => watch.offsets(standing, offsets),
                Err(error) => debug!("the lag is not told: {error}"),
            }
            std::thread::sleep(INTERVAL);
        }
    };
    std::thread::Builder::new()
        .name("lag".to_owned())
        .spawn(looking)
        .map_err(|cause| Error::io("a thread does not start").cause(cause))?;
    Ok(())
}
