//! The offsets that a job has told in its last line, and the runs that had a record in theirs.

use std::time::Duration;

use futures_util::future::try_join_all;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{Airflow, Run};
use crate::control_center::center;
use crate::control_center::count::Count;
use crate::control_center::moment::Moment;
use crate::error::Result;
use crate::reconcile::Position;

/// Of one task; a job tells as many at the most.
const MAX_SPANS: usize = 1_000;
/// Runs that are looked at for one record: the first ones that ended after it was there.
const LOOKED_AT: usize = 20;
const LOOK_WITHIN: Duration = Duration::from_secs(4);
/// The clocks of PostgreSQL and Airflow may differ by so much.
const CLOCKS_DIFFER_MS: i64 = 60_000;

/// Offsets without a gap: the first, and the one after the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(in crate::control_center) struct Span {
    pub partition: i32,
    pub first: i64,
    pub end: i64,
}

/// In the order of partitions. What is not as a job tells it is passed over.
pub(in crate::control_center) fn spans(sums: &Map<String, Value>) -> Vec<Span> {
    let told = sums.get("offsets").and_then(Value::as_object);
    let mut spans: Vec<Span> = told.into_iter().flatten().flat_map(of_partition).collect();
    spans.sort_unstable_by_key(|it| (it.partition, it.first));
    spans.truncate(MAX_SPANS);
    spans
}

fn of_partition((partition, bounds): (&String, &Value)) -> Vec<Span> {
    let (Ok(partition), Some(bounds)) = (partition.parse(), bounds.as_array()) else {
        return Vec::new();
    };
    let span = |pair: &[Value]| {
        let (first, end) = (pair.first()?.as_i64()?, pair.get(1)?.as_i64()?);
        (0 <= first && first < end).then_some(Span {
            partition,
            first,
            end,
        })
    };
    bounds.chunks(2).take(MAX_SPANS).filter_map(span).collect()
}

impl Span {
    pub(in crate::control_center) fn last(&self) -> i64 {
        self.end - 1
    }

    pub(in crate::control_center) fn count(&self) -> Count {
        Count(self.end - self.first)
    }

    fn holds(&self, place: Position) -> bool {
        self.partition == place.partition && (self.first..self.end).contains(&place.offset)
    }
}

impl Airflow {
    /// The runs whose task has told this place among its offsets. `at`: a moment before the end of each of them.
    pub(in crate::control_center) async fn runs_with(
        &self,
        dag: &str,
        task: &str,
        place: Position,
        at: Moment,
    ) -> Result<Vec<Run>> {
        let look = async {
            let since = Moment::at(at.ms().saturating_sub(CLOCKS_DIFFER_MS));
            let runs = self.runs_ended_since(dag, since, LOOKED_AT).await?;
            let sums = runs.iter().map(|run| self.sums_of_ended(run, task));
            let mut found = Vec::new();
            for (run, sums) in runs.iter().zip(try_join_all(sums).await?) {
                let spans = sums.map_or_else(Vec::new, |it| spans(&it));
                if spans.iter().any(|it| it.holds(place)) {
                    found.push(run.clone());
                }
            }
            Ok(found)
        };
        center::in_time("Airflow", LOOK_WITHIN, look).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<(i32, i64, i64)> {
        let sums: Map<String, Value> = serde_json::from_str(text).unwrap();
        let spans = spans(&sums);
        spans
            .iter()
            .map(|it| (it.partition, it.first, it.end))
            .collect()
    }

    #[test]
    fn spans_are_read_in_the_order_of_partitions() {
        let text = r#"{"offsets":{"10":[0,5],"2":[7,9,20,22]},"consumed":9}"#;
        assert_eq!(of(text), [(2, 7, 9), (2, 20, 22), (10, 0, 5)]);
    }

    #[test]
    fn what_no_job_tells_is_passed_over() {
        for text in [
            "{}",
            r#"{"offsets":7}"#,
            r#"{"offsets":{"x":[0,1],"1":[5],"2":[5,5],"3":[-1,2],"4":"<b>","5":[0.5,2],"6":[null,1]}}"#,
        ] {
            assert_eq!(of(text), [], "{text}");
        }
    }

    #[test]
    fn the_end_is_not_in_it() {
        let span = Span {
            partition: 1,
            first: 5,
            end: 7,
        };
        let holds = |partition, offset| span.holds(Position { partition, offset });
        assert!(holds(1, 5) && holds(1, 6));
        assert!(!holds(1, 4) && !holds(1, 7) && !holds(0, 5));
    }
}
