//! The API is not well.

use crate::ground::Ground;
use crate::process::LIMIT;

/// What the bundled API can do wrong, and whether the job asks again by itself within its patience.
const TROUBLES: [&str; 12] = [
    "rate-limit-retry-after",
    "server-error",
    "error-body",
    "empty",
    "html",
    "truncated",
    "cut",
    "fewer",
    "more",
    "not-json",
    "wrong-shape",
    "invalid-utf8",
];
const USERS: u32 = 1_500;

pub fn troubles(ground: &mut Ground) {
    let mut pipeline = ground.pipeline();
    let url = pipeline.api_url();
    for _ in ground.rounds(1, 2) {
        // In the middle, and passing: the run goes on.
        for trouble in TROUBLES {
            let seed = pipeline.next_seed(USERS);
            let url = format!(
                "{url}?trouble={trouble}&trouble_times=2&trouble_after=1&trouble_key={seed}"
            );
            let run = pipeline.fetch_with(&url, &seed, USERS, &[]);
            let done = run.finish_within(LIMIT * 2).exits(0);
            assert_eq!(done.number("fetched"), u64::from(USERS), "{trouble}");
        }
        // For good: the run fails and says so, with what it had landed published.
        for (trouble, code) in [("server-error", 69), ("wrong-shape", 65), ("hang", 69)] {
            let seed = pipeline.next_seed(USERS);
            let url = format!("{url}?trouble={trouble}&trouble_after=1&trouble_key={seed}-good");
            let patience = [
                ("STREAMFLOW_API_TIMEOUT", "2s"),
                ("STREAMFLOW_API_RETRIES", "1"),
            ];
            let run = pipeline.fetch_with(&url, &seed, USERS, &patience);
            let done = run.finish_within(LIMIT).exits(code);
            assert_eq!(done.number("fetched"), 500, "{trouble}");
            assert_eq!(pipeline.landed(), pipeline.published(), "{trouble}");
        }
    }
    pipeline.settle_and_check();
}
