//! What the landing hands to the publishing, so that the publishing need not read it back.

use uuid::Uuid;

use crate::error::{Error, Result};
use crate::sink::postgres::Landed;

/// The users that a page has added to the landing.
pub(super) struct LandedPage {
    /// The highest sequence before this page.
    pub before: i64,
    pub landed_at_ms: i64,
    /// In the order of their sequences.
    pub users: Vec<LandedUser>,
}

pub(super) struct LandedUser {
    pub sequence: i64,
    pub id: Uuid,
    /// The event, encoded.
    pub event: Vec<u8>,
}

impl LandedPage {
    /// `events`: id and event of each readable record, in the order of the page, which is that of landing.
    pub(super) fn of(landed: Landed, events: Vec<(Uuid, Vec<u8>)>) -> Result<Self> {
        let mut new = landed.new.iter().peekable();
        let mut users = Vec::with_capacity(landed.new.len());
        for (id, event) in events {
            // A record that is not among the new ones was known; of two with one id the first is landed.
            if let Some(&(_, sequence)) = new.next_if(|(landed, _)| *landed == id) {
                users.push(LandedUser {
                    sequence,
                    id,
                    event,
                });
            }
        }
        let ascending = users.is_sorted_by(|one, next| one.sequence < next.sequence);
        if new.next().is_some() || !ascending {
            return Err(Error::bug("a page was landed in another order"));
        }
        Ok(Self {
            before: landed.before,
            landed_at_ms: landed.landed_at_ms,
            users,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(new: &[(u128, i64)]) -> Result<Vec<(i64, Vec<u8>)>> {
        let landed = Landed {
            landed: new.len() as u64,
            already_landed: 0,
            conflicting: 0,
            before: 3,
            landed_at_ms: 0,
            new: new
                .iter()
                .map(|&(id, sequence)| (Uuid::from_u128(id), sequence))
                .collect(),
        };
        let events = [(7, b"a"), (8, b"b"), (7, b"c"), (9, b"d")];
        let events = events.map(|(id, event)| (Uuid::from_u128(id), event.to_vec()));
        let page = LandedPage::of(landed, events.to_vec())?;
        let users = page.users.into_iter();
        Ok(users.map(|user| (user.sequence, user.event)).collect())
    }

    #[test]
    fn each_new_user_has_the_event_of_its_first_record() {
        let all = [(4, b"a".to_vec()), (5, b"b".to_vec()), (6, b"d".to_vec())];
        assert_eq!(page(&[(7, 4), (8, 5), (9, 6)]).unwrap(), all);
        assert_eq!(page(&[(9, 6)]).unwrap(), all[2..]);
        assert_eq!(page(&[(7, 4)]).unwrap(), all[..1]);
        assert_eq!(page(&[]).unwrap(), []);
    }

    #[test]
    fn another_order_is_told() {
        assert!(page(&[(8, 4), (7, 5), (8, 6)]).is_err());
        assert!(page(&[(7, 5), (8, 4)]).is_err());
        assert!(page(&[(1, 4)]).is_err());
    }
}
