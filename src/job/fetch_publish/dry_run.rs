//! `--dry-run`: the events on standard output, one JSON object a line.

use std::io::Write;

use tokio::sync::mpsc;

use super::fetch::Fetch;
use crate::boot::Report;
use crate::error::{Error, Result};
use crate::shutdown::Shutdown;
use crate::source::random_user::Page;
use crate::user::api::RandomUser;
use crate::user::event::UserCreated;

pub(super) async fn run(fetch: &Fetch, skip_if_empty: bool, shutdown: &Shutdown) -> Result<Report> {
    let (pages_out, mut pages_in) = mpsc::channel::<Page>(1);
    let printing = async {
        let (mut printed, mut rejected) = (0u64, 0u64);
        while let Some(page) = pages_in.recv().await {
            let mut out = std::io::stdout().lock();
            for raw in page.records() {
                let event = RandomUser::decode(raw.as_bytes())
                    .and_then(|(id, user)| UserCreated::of(id, user).encode());
                match event {
                    Ok(event) => {
                        printed += 1;
                        out.write_all(&event)
                            .and_then(|()| out.write_all(b"\n"))
                            .map_err(not_written)?;
                    }
                    Err(rejection) => {
                        rejected += 1;
                        log::warn!("page {}: a record is rejected: {rejection}", page.number);
                    }
                }
            }
            out.flush().map_err(not_written)?;
        }
        Ok::<_, Error>((printed, rejected))
    };
    let (fetched, printed) = tokio::join!(fetch.run(pages_out, shutdown), printing);
    let (printed, rejected) = printed?;
    let mut report = Report::of([
        ("seed", fetch.seed().into()),
        ("fetched", (printed + rejected).into()),
        ("rejected", rejected.into()),
        ("dry_run", true.into()),
    ]);
    if shutdown.is_requested() {
        report.interrupted();
    }
    report.skipped = skip_if_empty && printed + rejected == 0;
    report.failure = fetched.err();
    Ok(report)
}

fn not_written(cause: std::io::Error) -> Error {
    Error::io("the events cannot be written to standard output").cause(cause)
}
