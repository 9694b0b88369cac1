//! The runs of the DAGs that had the user's record among their offsets.

use serde::Serialize;

use super::landing::Landing;
use super::topic::OnTopic;
use crate::control_center::airflow::{self, Airflow};
use crate::control_center::center::Center;
use crate::control_center::decoding::visible;
use crate::control_center::live::encoded;
use crate::control_center::moment::Moment;
use crate::control_center::panel::Panel;
use crate::error::Result;
use crate::reconcile::Position;

/// More than one where a run has read the record again.
const SHOWN: usize = 3;

/// None of those that are not at their end.
#[derive(Debug, Default, Serialize)]
pub(in crate::control_center) struct Runs {
    pub published: Vec<Run>,
    pub transform_store: Vec<Run>,
    pub aggregate: Vec<Run>,
}

#[derive(Debug, Serialize)]
pub(in crate::control_center) struct Run {
    pub dag: String,
    pub id: String,
    pub href: String,
}

impl Runs {
    pub(in crate::control_center) fn of(&self, job: &str) -> &[Run] {
        match job {
            "fetch-publish" => &self.published,
            "transform-store" => &self.transform_store,
            "aggregate" => &self.aggregate,
            _ => &[],
        }
    }
}

/// Nothing where no Airflow is given.
pub(super) async fn look(
    center: &Center,
    landing: Option<&Landing>,
    topic: Option<&OnTopic>,
    place: Option<Position>,
) -> Option<Panel<Runs>> {
    let airflow = center.airflow.as_ref()?;
    let timed = |place: Option<Position>| Some((place?, since(landing, topic, place?)?));
    let published = timed(landing.and_then(Landing::position));
    Some(Panel::of(find(airflow, published, timed(place)).await))
}

/// When the record was there; its own time where nobody has marked its publishing.
fn since(landing: Option<&Landing>, topic: Option<&OnTopic>, place: Position) -> Option<Moment> {
    let landed = landing.and_then(|it| it.landed.as_ref());
    let published = landed.and_then(|it| it.published.as_ref());
    let here = published.filter(|it| it.partition == place.partition && it.offset == place.offset);
    here.and(landed)
        .map(|it| it.at)
        .or_else(|| topic?.time_of(place))
}

type Timed = Option<(Position, Moment)>;

async fn find(airflow: &Airflow, published: Timed, read: Timed) -> Result<Runs> {
    let with = |dag: &'static str, task: &'static str, timed: Timed| async move {
        match timed {
            Some((place, at)) => airflow.runs_with(dag, task, place, at).await.map(shown),
            None => Ok(Vec::new()),
        }
    };
    let (published, transform_store, aggregate) = tokio::try_join!(
        with("user_automation", "fetch_publish", published),
        with("sparking_flow", "python_job", read),
        with("sparking_flow", "java_job", read),
    )?;
    Ok(Runs {
        published,
        transform_store,
        aggregate,
    })
}

fn shown(runs: Vec<airflow::Run>) -> Vec<Run> {
    let run = |it: airflow::Run| Run {
        href: format!("/runs/{}/{}", encoded(&it.dag), encoded(&it.id)),
        id: visible(&it.id),
        dag: it.dag,
    };
    runs.into_iter().take(SHOWN).map(run).collect()
}
