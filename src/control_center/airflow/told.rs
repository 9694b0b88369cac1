//! What Airflow answers, as far as it is needed.

use serde_json::Value;

use crate::control_center::moment::Moment;

/// A run as Airflow tells it.
#[derive(Debug, Clone)]
pub(in crate::control_center) struct Run {
    pub dag: String,
    pub id: String,
    pub kind: String,
    pub state: String,
    pub started: Option<Moment>,
    pub ended: Option<Moment>,
}

#[derive(Debug, Clone)]
pub(in crate::control_center) struct Task {
    pub id: String,
    pub state: String,
    pub tries: i64,
    pub started: Option<Moment>,
    pub ended: Option<Moment>,
}

impl Task {
    pub(super) fn has_ended(&self) -> bool {
        matches!(
            self.state.as_str(),
            "success" | "failed" | "skipped" | "upstream_failed"
        )
    }
}

pub(super) fn list<'a>(page: &'a Value, name: &str) -> &'a [Value] {
    page[name].as_array().map_or(&[], Vec::as_slice)
}

pub(super) fn run(it: &Value) -> Run {
    Run {
        dag: text(it, "dag_id"),
        id: run_id(it),
        kind: text(it, "run_type"),
        state: text(it, "state"),
        started: moment(it, "start_date"),
        ended: moment(it, "end_date"),
    }
}

/// Of a run, or of one of its tasks.
pub(super) fn run_id(it: &Value) -> String {
    text(it, "dag_run_id")
}

pub(super) fn task(it: &Value) -> Task {
    Task {
        id: text(it, "task_id"),
        state: match it["state"].as_str() {
            Some(state) => state.to_owned(),
            None => "waiting".to_owned(),
        },
        tries: it["try_number"].as_i64().unwrap_or(0),
        started: moment(it, "start_date"),
        ended: moment(it, "end_date"),
    }
}

fn text(it: &Value, name: &str) -> String {
    it[name].as_str().unwrap_or_default().to_owned()
}

fn moment(it: &Value, name: &str) -> Option<Moment> {
    it[name].as_str().and_then(Moment::parse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_read_whatever_is_left_out() {
        let full = run(&serde_json::json!({
            "dag_id": "sparking_flow", "dag_run_id": "x", "run_type": "manual", "state": "success",
            "start_date": "2026-11-21T10:00:00.123Z", "end_date": null
        }));
        assert_eq!(full.started.map(|it| it.ms()), Some(1_795_255_200_123));
        assert!(full.ended.is_none());
        assert_eq!(run(&serde_json::json!({})).state, "");
        assert_eq!(task(&serde_json::json!({"state": null})).state, "waiting");
    }
}
