//! The rows of `created_users` as they are stored, all of them, page by page.

use std::borrow::Cow;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use scylla::client::session::Session;
use scylla::response::PagingState;
use scylla::statement::prepared::PreparedStatement;
use scylla::value::CqlTimestamp;
use uuid::Uuid;

use super::failure::{failed, is_passing};
use super::prepare;
use crate::error::{Error, Result};
use crate::pipeline::retry::retry;
use crate::user::row::CreatedUser;

/// The ring is read in so many parts; each is a question of its own, which no node takes long to answer.
const PARTS: u32 = 64;
const PARTS_AT_ONCE: usize = 4;
const PAGE_ROWS: i32 = 2_000;

/// A row as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredUser {
    pub id: Uuid,
    /// Nothing when a column is null without which no user is stored.
    pub user: Option<CreatedUser<'static>>,
    /// Microseconds since 1970-01-01T00:00:00Z, of the first name.
    pub written_us: Option<i64>,
}

pub struct StoredUsers {
    session: Arc<Session>,
    select: PreparedStatement,
    retry_timeout: Duration,
}

const COLUMNS: &str = "id, first_name, last_name, gender, address, post_code, email, username, dob, registered_date, phone, picture, \
                       nationality, country, WRITETIME(first_name)";

type Text = Option<String>;
type Time = Option<CqlTimestamp>;
type Columns = (
    Uuid,
    Text,
    Text,
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
    Option<i64>,
);

impl StoredUsers {
    pub async fn prepare(
        session: Arc<Session>,
        keyspace: &str,
        retry_timeout: Duration,
    ) -> Result<Self> {
        let mut select = prepare(
            &session,
            &format!(
                "SELECT {COLUMNS} FROM {keyspace}.created_users WHERE token(id) > ? AND token(id) <= ?"
            ),
            retry_timeout,
        )
        .await?;
        select.set_page_size(PAGE_ROWS);
        Ok(Self {
            session,
            select,
            retry_timeout,
        })
    }

    /// Hands each row over, in no order.
    pub async fn each(&self, on_row: impl FnMut(StoredUser) -> Result<()> + Send) -> Result<()> {
        let on_row = Mutex::new(on_row);
        stream::iter(parts(PARTS))
            .map(Ok)
            .try_for_each_concurrent(PARTS_AT_ONCE, |part| self.part(part, &on_row))
            .await
    }

    async fn part(
        &self,
        part: (i64, i64),
        on_row: &Mutex<impl FnMut(StoredUser) -> Result<()>>,
    ) -> Result<()> {
        let mut page = PagingState::start();
        loop {
            // Page by page, so that what is asked again was not handed over before.
            let (result, next) = retry("reading rows", self.retry_timeout, is_passing, || {
                let page = page.clone();
                self.session.execute_single_page(&self.select, part, page)
            })
            .await
            .map_err(|cause| failed("tell the rows of created_users", cause))?;
            let result = result.into_rows_result().map_err(unreadable)?;
            {
                let mut on_row = on_row.lock().unwrap_or_else(PoisonError::into_inner);
                for row in result.rows::<Columns>().map_err(unreadable)? {
                    on_row(stored_user_of(row.map_err(unreadable)?))?;
                }
            }
            match next.into_paging_control_flow() {
                ControlFlow::Break(()) => return Ok(()),
                ControlFlow::Continue(state) => page = state,
            }
        }
    }
}

/// The row of one user. One attempt: who asks is waiting.
pub async fn stored_user(
    session: &Session,
    keyspace: &str,
    id: Uuid,
) -> Result<Option<StoredUser>> {
    let select = prepare(
        session,
        &format!("SELECT {COLUMNS} FROM {keyspace}.created_users WHERE id = ?"),
        Duration::ZERO,
    )
    .await?;
    let row = session
        .execute_unpaged(&select, (id,))
        .await
        .map_err(|cause| failed("tell a row of created_users", cause))?
        .into_rows_result()
        .map_err(unreadable)?
        .maybe_first_row::<Columns>()
        .map_err(unreadable)?;
    Ok(row.map(stored_user_of))
}

/// How many rows there are. Reads all of them, though in parts that no node takes long to answer.
pub async fn count_users(session: &Session, keyspace: &str) -> Result<u64> {
    let count = prepare(
        session,
        &format!(
            "SELECT COUNT(*) FROM {keyspace}.created_users WHERE token(id) > ? AND token(id) <= ?"
        ),
        Duration::ZERO,
    )
    .await?;
    let count = &count;
    let part = |part: (i64, i64)| async move {
        let (rows,) = session
            .execute_unpaged(count, part)
            .await
            .map_err(|cause| failed("count the rows of created_users", cause))?
            .into_rows_result()
            .map_err(unreadable)?
            .first_row::<(i64,)>()
            .map_err(unreadable)?;
        Ok::<u64, Error>(rows.unsigned_abs())
    };
    stream::iter(parts(PARTS).into_iter().map(part))
        .buffer_unordered(PARTS_AT_ONCE)
        .try_fold(0, |sum, rows| async move { Ok(sum + rows) })
        .await
}

/// The ring in equal parts, each without its first token and with its last. (No row has the lowest token.)
fn parts(count: u32) -> Vec<(i64, i64)> {
    let width = u64::MAX / u64::from(count);
    let bound = |number: u32| match number {
        number if number == count => i64::MAX,
        number => i64::MIN.wrapping_add_unsigned(width * u64::from(number)),
    };
    (0..count)
        .map(|number| (bound(number), bound(number + 1)))
        .collect()
}

/// Every column is named, so that the compiler lists this place when the row gets another.
fn stored_user_of(columns: Columns) -> StoredUser {
    let (
        id,
        first_name,
        last_name,
        gender,
        address,
        post_code,
        email,
        username,
        dob,
        registered_date,
        phone,
        picture,
        nationality,
        country,
        written_us,
    ) = columns;
    let user = first_name
        .zip(last_name)
        .map(|(first_name, last_name)| CreatedUser {
            id,
            first_name: first_name.into(),
            last_name: last_name.into(),
            gender: gender.map(Cow::Owned),
            address: address.map(Cow::Owned),
            post_code: post_code.map(Cow::Owned),
            email: email.map(Cow::Owned),
            username: username.map(Cow::Owned),
            dob_ms: dob.map(|time| time.0),
            registered_date_ms: registered_date.map(|time| time.0),
            phone: phone.map(Cow::Owned),
            picture: picture.map(Cow::Owned),
            nationality: nationality.map(Cow::Owned),
            country: country.map(Cow::Owned),
        });
    StoredUser {
        id,
        user,
        written_us,
    }
}

fn unreadable(cause: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::configuration("created_users has other columns than this version expects")
        .cause(cause)
        .hint("make or update the tables with `streamflow init`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_follow_each_other_from_end_to_end() {
        for count in [1, 3, 64] {
            let parts = parts(count);
            assert_eq!(parts.len(), count as usize);
            assert_eq!((parts[0].0, parts[parts.len() - 1].1), (i64::MIN, i64::MAX));
            assert!(parts.iter().all(|(begin, end)| begin < end));
            assert!(parts.windows(2).all(|pair| pair[0].1 == pair[1].0));
        }
    }
}
