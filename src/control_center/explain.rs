//! Where one user is: each server is asked what it knows of the id, and what they say is put together. The page `/explain` and
//! `streamflow explain` show the same facts.
//!
//! A server that is down takes its own facts away and nothing else; the sentence at the top then says which one was missed.

mod fields;
mod hops;
mod landing;
mod outcome;
mod runs;
mod text;
mod topic;

use std::sync::Arc;

use serde::Serialize;
use uuid::Uuid;

use super::center::Center;
use super::kafka::Message;
use super::panel::{Panel, Trouble};
use crate::error::Error;
use crate::reconcile::Position;
use crate::user::filter::Filter;
pub(super) use fields::columns;
pub(super) use landing::recent_ids;
pub(super) use topic::Place;

/// What is asked for.
pub struct Asked {
    pub id: Uuid,
    /// Whether personal data may be told.
    pub reveal: bool,
    /// Whether the whole topic is searched, as far as time goes, also where the user's record is known.
    pub thorough: bool,
    /// The rule of `transform-store`, where it is known.
    pub filter: Option<Filter>,
}

/// Everything that is known of one user.
#[derive(Serialize)]
pub struct Explanation {
    pub(super) id: Uuid,
    pub(super) outcome: outcome::Outcome,
    /// One sentence.
    pub(super) sentence: String,
    pub(super) next: Option<String>,
    pub(super) landing: Panel<landing::Landing>,
    pub(super) topic: Panel<topic::OnTopic>,
    pub(super) groups: Panel<Vec<hops::Passage>>,
    /// Nothing where no Airflow is given.
    pub(super) runs: Option<Panel<runs::Runs>>,
    pub(super) letters: Panel<topic::Letters>,
    pub(super) row: Panel<Option<hops::Row>>,
    /// The event beside the row.
    pub(super) fields: Vec<fields::Field>,
    /// In the order of time.
    pub(super) steps: Vec<hops::Step>,
    pub(super) revealed: bool,
    #[serde(skip)]
    is_brief: bool,
}

pub async fn explain(center: &Arc<Center>, asked: &Asked) -> Explanation {
    let first = look(center, asked).await;
    if !first.outcome.may_be_overtaken() || first.is_more_than_was_looked_at() {
        return first;
    }
    // The row is read before the group's offset, and where the topic ends is remembered: meanwhile the user may have been published and stored.
    center.kafka.forget_groups().await;
    center.kafka.forget_cluster().await;
    look(center, asked).await
}

async fn look(center: &Arc<Center>, asked: &Asked) -> Explanation {
    let id = asked.id;
    let (landing, cluster, stored) = tokio::join!(
        landing::look(center, id),
        center.kafka.cluster(),
        center.tables.user(id)
    );
    let landing = Panel::of(landing);
    let published = landing.shown().and_then(landing::Landing::position);
    let (topic, letters) = match Panel::of(cluster) {
        Panel::Shown(cluster) => {
            let topic = topic::look(center, &cluster, asked, published).await;
            let known = topic.as_ref().ok().map(topic::OnTopic::positions);
            let origins: Vec<Position> = known.into_iter().flatten().chain(published).collect();
            let letters = topic::letters(center, &cluster, id, &origins).await;
            (Panel::of(topic), Panel::of(letters))
        }
        Panel::Missing(trouble) => (Panel::Missing(trouble.clone()), Panel::Missing(trouble)),
    };
    let decisive = topic.shown().and_then(|it| it.decisive(published));
    let record = topic.shown().and_then(|it| it.decisive(None));
    let (groups, runs) = tokio::join!(
        hops::passages(center, decisive),
        runs::look(center, landing.shown(), topic.shown(), decisive)
    );
    let groups = Panel::of(groups);
    let stored = Panel::of(stored);
    let message = topic.shown().and_then(topic::OnTopic::message);
    let row_user = stored.shown().and_then(Option::as_ref);
    let fields = fields_of(center, message, row_user, asked.reveal).await;
    let evidence = outcome::Evidence {
        stored: stored.shown().map(Option::is_some),
        landed: landing.shown().map(landing::Landing::state),
        kept_apart: landing.shown().and_then(landing::Landing::why_kept_apart),
        record: topic.shown().map(|it| it.found(published)),
        settled: groups
            .shown()
            .and_then(|it| it.first().map(|passage| passage.passed)),
        letter: letters.shown().and_then(|it| it.why(record)),
        letters_all_seen: letters.shown().is_some_and(topic::Letters::all_seen),
        kept_by_filter: match (&asked.filter, message) {
            (Some(filter), Some(message)) => {
                fields::kept_by(filter, message, known(center, message).await.as_deref())
            }
            _ => None,
        },
    };
    let outcome = outcome::decide(&evidence);
    let row = match stored {
        Panel::Shown(stored) => Panel::Shown(stored.map(|it| hops::Row::of(&it, topic.shown()))),
        Panel::Missing(trouble) => Panel::Missing(trouble),
    };
    let is_brief = topic.shown().is_some_and(topic::OnTopic::is_brief);
    let steps = hops::steps(landing.shown(), topic.shown(), letters.shown());
    Explanation {
        id,
        sentence: outcome.sentence(decisive),
        next: outcome.next(),
        outcome,
        landing,
        topic,
        groups,
        runs,
        letters,
        row,
        fields,
        steps,
        revealed: asked.reveal,
        is_brief,
    }
}

async fn known(center: &Center, message: &Message) -> Option<Arc<super::registry::Known>> {
    match super::decoding::schema_id(message) {
        Some(id) => Some(center.registry.schema(id).await),
        None => None,
    }
}

async fn fields_of(
    center: &Center,
    message: Option<&Message>,
    stored: Option<&crate::sink::cassandra::StoredUser>,
    reveal: bool,
) -> Vec<fields::Field> {
    let schema = match message {
        Some(message) => known(center, message).await,
        None => None,
    };
    let stored = stored.and_then(|it| it.user.as_ref());
    fields::compare(message, schema.as_deref(), stored, reveal)
}

impl Explanation {
    /// Why a program that asked for this user ends with a failure: nothing where the user is stored and every server has answered.
    pub fn failure(&self) -> Option<Error> {
        let is_stored = self.outcome == outcome::Outcome::Stored;
        // How far the jobs are and what they rejected matters to a user that is not stored.
        let beside = [self.groups.trouble(), self.letters.trouble()];
        let silent: Vec<&Trouble> = [
            self.landing.trouble(),
            self.topic.trouble(),
            self.row.trouble(),
        ]
        .into_iter()
        .chain(beside.into_iter().filter(|_| !is_stored))
        .flatten()
        .collect();
        if let Some(first) = silent.first() {
            return Some(Error::unavailable(first.message.clone()).hint(first.hint.clone()));
        }
        (!is_stored).then(|| {
            let hint = self.next.clone();
            Error::new(self.outcome.kind(), self.sentence.clone())
                .hint(hint.unwrap_or_else(|| "see what is said of each hop".to_owned()))
        })
    }

    /// Another look would look at no more.
    fn is_more_than_was_looked_at(&self) -> bool {
        let left = |it: &topic::OnTopic| it.searched.left.0 > 0;
        self.outcome == outcome::Outcome::Unknown && self.topic.shown().is_some_and(left)
    }

    /// Whether a longer look may meet more records of a user whose own one is known.
    pub(super) fn is_brief(&self) -> bool {
        self.is_brief
    }

    /// Those of one job that had the record. None where they are not known.
    pub(super) fn runs_of(&self, job: &str) -> &[runs::Run] {
        let runs = self.runs.as_ref().and_then(Panel::shown);
        runs.map_or(&[], |it| it.of(job))
    }

    /// For people, on several lines.
    pub fn text(&self) -> String {
        text::write(self)
    }
}
