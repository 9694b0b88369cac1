//! `streamflow reconcile` in the background: one at a time, watched and cancelled from its page, which shows the last result.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::runtime::Handle;

use super::center::Center;
use super::count::Count;
use super::moment::Moment;
use super::panel::Trouble;
use crate::broker::Broker;
use crate::config::ConnectArguments;
use crate::error::{Error, Result};
use crate::pipeline::outcome::Outcome;
use crate::pipeline::record::Record;
use crate::reconcile::findings::{Column, Findings};
use crate::reconcile::{Options, Sources, Standing, reconcile};
use crate::shutdown::{self, Shutdown, Trigger};
use crate::user::filter::Filter;
use crate::user_reader::UserReader;

/// Examples of each kind of difference.
const SHOW: usize = 20;
/// Nobody waits for a page meanwhile.
const PATIENCE: ConnectArguments = ConnectArguments {
    connect_timeout: Duration::from_secs(10),
    retry_timeout: Duration::from_secs(30),
};

#[derive(Default)]
pub(super) struct Reconciling(Mutex<State>);

#[derive(Default)]
struct State {
    running: Option<Running>,
    last: Option<Arc<Ended>>,
}

struct Running {
    who: String,
    at: Moment,
    begun: Instant,
    standing: Standing,
    trigger: Arc<Trigger>,
}

/// What a page shows of the one that runs.
#[derive(Debug, Serialize)]
pub(super) struct Progress {
    pub who: String,
    pub at: Moment,
    pub seconds: u64,
    pub what: &'static str,
    pub count: Count,
}

/// How the last one ended.
#[derive(Debug, Serialize)]
pub(super) struct Ended {
    pub who: String,
    pub at: Moment,
    pub took: String,
    pub filter: String,
    pub found: std::result::Result<Found, Trouble>,
}

impl Ended {
    /// As seen from now.
    pub(super) fn begun(&self) -> Moment {
        Moment::at(self.at.ms())
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Found {
    pub agrees: bool,
    pub hops: Vec<HopLine>,
    pub differences: Vec<Kind>,
    pub records_of_others: Count,
    pub letters_of_others: Count,
}

#[derive(Debug, Serialize)]
pub(super) struct HopLine {
    pub hop: String,
    /// In the order of [`HopLine::COLUMNS`].
    pub numbers: [Count; 8],
}

impl HopLine {
    pub(super) const COLUMNS: [&'static str; 8] = [
        "Expected",
        "Found",
        "Missing",
        "Unexpected",
        "Different",
        "Repeated",
        "Open",
        "Unknown",
    ];
}

#[derive(Debug, Serialize)]
pub(super) struct Kind {
    pub kind: &'static str,
    pub hop: String,
    pub meaning: &'static str,
    pub count: Count,
    pub examples: Vec<ExampleOf>,
}

#[derive(Debug, Serialize)]
pub(super) struct ExampleOf {
    pub id: Option<uuid::Uuid>,
    /// Its number of landing, its place and what else is known.
    pub text: String,
}

impl Reconciling {
    pub(super) fn running(&self) -> Option<Progress> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.running.as_ref().map(|it| {
            let (what, count) = it.standing.now().unwrap_or(("reaching the servers", 0));
            Progress {
                who: it.who.clone(),
                at: Moment::at(it.at.ms()),
                seconds: it.begun.elapsed().as_secs(),
                what,
                count: Count(count as i64),
            }
        })
    }

    pub(super) fn last(&self) -> Option<Arc<Ended>> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.last.clone()
    }

    /// Asks the one that runs to stop; says whether there was one.
    pub(super) fn cancel(&self) -> bool {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = &state.running {
            running.trigger.request();
        }
        state.running.is_some()
    }

    /// Begins one, unless one runs.
    pub(super) fn begin(center: &Arc<Center>, who: String, filter: Filter) -> bool {
        let (trigger, stop) = shutdown::channel();
        let trigger = Arc::new(trigger);
        let standing = Standing::default();
        let (at, begun) = (Moment::now(), Instant::now());
        {
            let state = &center.reconciling.0;
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            if state.running.is_some() {
                return false;
            }
            state.running = Some(Running {
                who: who.clone(),
                at,
                begun,
                standing: standing.clone(),
                trigger: trigger.clone(),
            });
        }
        let asked = Asked {
            who,
            filter: told(&filter),
            at,
            begun,
        };
        let runtime = Handle::current();
        let go_on = center.clone();
        let work = {
            let runtime = runtime.clone();
            let center = center.clone();
            // On a thread of its own: it blocks where it reads the topic.
            move || runtime.block_on(read(&center, filter, standing, &stop))
        };
        runtime.spawn(async move {
            let work = tokio::task::spawn_blocking(work);
            tokio::pin!(work);
            let ended = tokio::select! {
                ended = &mut work => ended,
                () = go_on.shutdown.requested() => {
                    trigger.request();
                    work.await
                }
            };
            let findings = ended.unwrap_or_else(|cause| {
                Err(Error::bug("the reconciliation broke off").cause(cause))
            });
            let mut state = go_on
                .reconciling
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            state.running = None;
            state.last = Some(Arc::new(asked.ended(findings)));
        });
        true
    }
}

struct Asked {
    who: String,
    filter: String,
    at: Moment,
    begun: Instant,
}

impl Asked {
    fn ended(self, findings: Result<Findings>) -> Ended {
        Ended {
            who: self.who,
            at: self.at,
            took: format!("{:.1} s", self.begun.elapsed().as_secs_f64()),
            filter: self.filter,
            found: findings.as_ref().map(found).map_err(Trouble::from),
        }
    }
}

async fn read(
    center: &Center,
    filter: Filter,
    standing: Standing,
    stop: &Shutdown,
) -> Result<Findings> {
    let kafka = center.kafka.arguments().clone();
    let reaching = async {
        let database = center.landing.own_client(&PATIENCE).await?;
        let broker = Broker::connect(&kafka, &PATIENCE).await?;
        let session = center.tables.session().await?;
        let registry = center.registry.own_client(&PATIENCE).await?;
        Ok::<_, Error>((database, broker, session, registry))
    };
    let (database, broker, session, registry) = tokio::select! {
        reached = reaching => reached?,
        () = stop.requested() => {
            return Err(Error::unavailable("the reconciliation was cancelled").hint("start it again"));
        }
    };
    let mut reader = UserReader::new(registry, stop.clone());
    let sources = Sources {
        kafka,
        broker,
        session,
        database,
        given: None,
        read: move |record: &Record<'_>| {
            reader.read(record, |user| Outcome::Keep(user.into_owned()))
        },
    };
    let options = Options {
        keyspace: center.tables.keyspace().to_owned(),
        groups: center.options.groups.clone(),
        filter,
        show: SHOW,
        work_folder: std::env::temp_dir(),
        retry_timeout: PATIENCE.retry_timeout,
        standing,
    };
    reconcile(sources, &options, stop).await
}

fn told(filter: &Filter) -> String {
    let age = filter.min_age.map(|age| format!("at least {age} years"));
    let codes = (!filter.nationalities.is_empty()).then(|| filter.nationalities.join(", "));
    let parts: Vec<String> = [age, codes].into_iter().flatten().collect();
    match parts.is_empty() {
        true => "none".to_owned(),
        false => parts.join("; "),
    }
}

fn found(findings: &Findings) -> Found {
    let number = |number: u64| Count(i64::try_from(number).unwrap_or(i64::MAX));
    let hops = findings.lines().map(|(hop, line)| {
        let differences = [Column::Missing, Column::Unexpected, Column::Different]
            .map(|column| findings.count(hop, column));
        let [missing, unexpected, different] = differences;
        let numbers = [
            line.expected,
            line.found,
            missing,
            unexpected,
            different,
            line.repeated,
            line.open,
            line.unknown,
        ];
        HopLine {
            hop: hop.to_string(),
            numbers: numbers.map(number),
        }
    });
    let differences = findings.differences().map(|(difference, met)| Kind {
        kind: difference.as_str(),
        hop: difference.hop().to_string(),
        meaning: difference.meaning(),
        count: number(met.count),
        examples: met
            .examples
            .iter()
            .map(|example| ExampleOf {
                id: example.id,
                text: crate::reconcile::findings::Example {
                    id: None,
                    ..example.clone()
                }
                .to_string(),
            })
            .collect(),
    });
    Found {
        agrees: findings.agrees(),
        hops: hops.collect(),
        differences: differences.collect(),
        records_of_others: number(findings.records_of_others),
        letters_of_others: number(findings.letters_of_others),
    }
}
