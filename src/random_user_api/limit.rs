//! The limit on users per client address, as the public service has it: checked before a request is counted, so that one
//! request can pass it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::Limit;

pub struct Limiter {
    limit: Limit,
    clients: Mutex<HashMap<IpAddr, Client>>,
}

struct Client {
    since: Instant,
    users: u64,
}

/// A server that is asked by more addresses than this forgets them and begins anew, rather than grow without end.
const MOST_CLIENTS: usize = 10_000;

impl Limiter {
    pub fn new(limit: Limit) -> Self {
        Self {
            limit,
            clients: Mutex::default(),
        }
    }

    /// Counts the users for the client, or refuses with the number that it has had within the window.
    pub fn admit(&self, client: IpAddr, users: u64, now: Instant) -> Result<(), u64> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if clients.len() >= MOST_CLIENTS {
            clients.clear();
        }
        let entry = clients.entry(client).or_insert(Client {
            since: now,
            users: 0,
        });
        if now.duration_since(entry.since) >= self.limit.window {
            *entry = Client {
                since: now,
                users: 0,
            };
        }
        if entry.users >= self.limit.users {
            return Err(entry.users);
        }
        entry.users += users;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn one_request_can_pass_the_limit_and_the_window_opens_again() {
        let limiter = Limiter::new(Limit {
            users: 100,
            window: Duration::from_secs(300),
        });
        let (one, other) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([127, 0, 0, 2]));
        let start = Instant::now();
        assert_eq!(limiter.admit(one, 99, start), Ok(()));
        assert_eq!(limiter.admit(one, 93, start), Ok(()));
        assert_eq!(limiter.admit(one, 1, start), Err(192));
        assert_eq!(limiter.admit(other, 1, start), Ok(()));
        assert_eq!(
            limiter.admit(one, 1, start + Duration::from_secs(299)),
            Err(192)
        );
        assert_eq!(
            limiter.admit(one, 1, start + Duration::from_secs(300)),
            Ok(())
        );
    }
}
