//! An answer that many want: asked for once, and given to all for a moment; a failure, too, so that a server that is down is not asked by
//! each visitor in turn.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::control_center::panel::Trouble;
use crate::error::{Error, Kind, Result};

type Answer<T> = Result<Arc<T>, (Kind, Trouble)>;

pub(super) struct Remembered<T> {
    last: Mutex<Option<(Instant, Answer<T>)>>,
    time: Duration,
}

impl<T> Remembered<T> {
    pub(super) fn for_time(time: Duration) -> Self {
        Self {
            last: Mutex::new(None),
            time,
        }
    }

    /// Who comes while it is asked for waits for that answer.
    pub(super) async fn get<F: Future<Output = Result<T>>>(
        &self,
        ask: impl FnOnce() -> F,
    ) -> Result<Arc<T>> {
        let mut last = self.last.lock().await;
        if let Some((at, answer)) = &*last
            && at.elapsed() < self.time
        {
            return match answer {
                Ok(answer) => Ok(answer.clone()),
                Err((kind, trouble)) => {
                    Err(Error::new(*kind, trouble.message.clone()).hint(trouble.hint.clone()))
                }
            };
        }
        match ask().await {
            Ok(answer) => {
                let answer = Arc::new(answer);
                *last = Some((Instant::now(), Ok(answer.clone())));
                Ok(answer)
            }
            Err(error) => {
                *last = Some((Instant::now(), Err((error.kind(), Trouble::from(&error)))));
                Err(error)
            }
        }
    }

    /// What has just been changed is asked for anew.
    pub(super) async fn forget(&self) {
        *self.last.lock().await = None;
    }
}
