//! What PostgreSQL knows of an id.

use serde::Serialize;
use tokio_postgres::Row;
use uuid::Uuid;

use super::outcome::{Landed, Why};
use crate::control_center::center::Center;
use crate::control_center::decoding::visible;
use crate::control_center::landing::in_time;
use crate::control_center::moment::Moment;
use crate::error::{Error, Result};
use crate::reconcile::Position;

/// Records of one id that are kept apart and shown.
const SHOWN: i64 = 20;

#[derive(Debug, Serialize)]
pub(in crate::control_center) struct Landing {
    pub landed: Option<LandedUser>,
    /// The newest first.
    pub kept_apart: Vec<KeptApart>,
}

#[derive(Debug, Serialize)]
pub(in crate::control_center) struct LandedUser {
    pub sequence: i64,
    pub seed: String,
    pub page: i32,
    pub at: Moment,
    pub published: Option<Published>,
}

#[derive(Debug, Serialize)]
pub(in crate::control_center) struct Published {
    pub partition: i32,
    pub offset: i64,
    pub at: Moment,
}

#[derive(Debug, Serialize)]
pub(in crate::control_center) struct KeptApart {
    pub why: Why,
    pub seed: String,
    pub page: i32,
    pub at: Moment,
}

impl Landing {
    pub(super) fn state(&self) -> Landed {
        match &self.landed {
            None => Landed::No,
            Some(user) if user.published.is_none() => Landed::Unpublished,
            Some(_) => Landed::Published,
        }
    }

    pub(super) fn position(&self) -> Option<Position> {
        let published = self.landed.as_ref()?.published.as_ref()?;
        Some(Position {
            partition: published.partition,
            offset: published.offset,
        })
    }

    pub(super) fn why_kept_apart(&self) -> Option<Why> {
        self.kept_apart.first().map(|it| it.why.clone())
    }
}

pub(super) async fn look(center: &Center, id: Uuid) -> Result<Landing> {
    let client = center.landing.client().await?;
    let landed = "SELECT sequence, seed, page, (extract(epoch FROM landed_at) * 1000)::bigint, kafka_partition, kafka_offset, \
                  (extract(epoch FROM published_at) * 1000)::bigint \
                  FROM landed_users LEFT JOIN published_users USING (sequence) WHERE id = $1";
    let kept_apart = "SELECT reason, field, seed, page, (extract(epoch FROM seen_at) * 1000)::bigint FROM kept_apart_users \
                      WHERE id = $1 ORDER BY number DESC LIMIT $2";
    let (landed, kept_apart) = in_time(async {
        let landed = client.query_opt(landed, &[&id]).await.map_err(untold)?;
        let kept_apart = client.query(kept_apart, &[&id, &SHOWN]).await;
        Ok((landed, kept_apart.map_err(untold)?))
    })
    .await?;
    Ok(Landing {
        landed: landed.as_ref().map(landed_user),
        kept_apart: kept_apart.iter().map(kept).collect(),
    })
}

/// Of the users that landed last.
pub(in crate::control_center) async fn recent_ids(
    center: &Center,
    limit: i64,
) -> Result<Vec<Uuid>> {
    let client = center.landing.client().await?;
    let newest = "SELECT id FROM landed_users ORDER BY sequence DESC LIMIT $1";
    let rows = in_time(async { client.query(newest, &[&limit]).await.map_err(untold) }).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

fn landed_user(row: &Row) -> LandedUser {
    let (partition, offset, at): (Option<i32>, Option<i64>, Option<i64>) =
        (row.get(4), row.get(5), row.get(6));
    let published = match (partition, offset, at) {
        (Some(partition), Some(offset), Some(at)) => Some(Published {
            partition,
            offset,
            at: Moment::at(at),
        }),
        _ => None,
    };
    LandedUser {
        sequence: row.get(0),
        seed: visible(row.get(1)),
        page: row.get(2),
        at: Moment::at(row.get(3)),
        published,
    }
}

fn kept(row: &Row) -> KeptApart {
    KeptApart {
        why: Why {
            reason: row.get(0),
            field: row.get(1),
        },
        seed: visible(row.get(2)),
        page: row.get(3),
        at: Moment::at(row.get(4)),
    }
}

fn untold(cause: tokio_postgres::Error) -> Error {
    Error::unavailable("PostgreSQL does not tell what is landed")
        .cause(cause)
        .hint("`streamflow doctor` says what is wrong; `streamflow init` makes the tables")
}
