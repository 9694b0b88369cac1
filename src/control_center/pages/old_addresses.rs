//! The addresses by which tutorials lead into Confluent's Control Center lead to ours.

use axum::extract::Path;
use axum::response::Redirect;

use super::clusters::known;
use crate::control_center::ask::Ask;
use crate::control_center::kafka::Topic;
use crate::control_center::reply::Refusal;

/// The cluster's name in the tutorials.
const TUTORIALS: &str = "controlcenter.cluster";

fn to(ask: &Ask, cluster: &str, rest: &str) -> Result<Redirect, Refusal> {
    if cluster != TUTORIALS {
        known(ask, cluster)?;
    }
    let name = &ask.center.options.cluster;
    Ok(Redirect::temporary(&format!("/clusters/{name}{rest}")))
}

fn topic_path(topic: &str, page: &str) -> Result<String, Refusal> {
    if !Topic::is_legal_name(topic) {
        return Err(Refusal::not_found(
            format!("there is no topic {topic:?}"),
            "begin at /clusters, from where every topic is linked",
        ));
    }
    Ok(format!("/topics/{topic}{page}"))
}

pub(super) async fn overview(Path(cluster): Path<String>, ask: Ask) -> Result<Redirect, Refusal> {
    to(&ask, &cluster, "")
}

pub(super) async fn topics(Path(cluster): Path<String>, ask: Ask) -> Result<Redirect, Refusal> {
    to(&ask, &cluster, "/topics")
}

pub(super) async fn topic(
    Path((cluster, topic)): Path<(String, String)>,
    ask: Ask,
) -> Result<Redirect, Refusal> {
    to(&ask, &cluster, &topic_path(&topic, "")?)
}

pub(super) async fn page(
    Path((cluster, topic, page)): Path<(String, String, String)>,
    ask: Ask,
) -> Result<Redirect, Refusal> {
    to(&ask, &cluster, &topic_path(&topic, ours(&page))?)
}

fn ours(page: &str) -> &'static str {
    match page.split('/').next().unwrap_or_default() {
        "message-viewer" => "/messages",
        "schema" => "/schema",
        // overview, config, settings
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_of_their_pages_has_one_of_ours() {
        for (theirs, here) in [
            ("message-viewer", "/messages"),
            ("schema", "/schema"),
            ("schema/value", "/schema"),
            ("overview", ""),
            ("config", ""),
            ("anything", ""),
        ] {
            assert_eq!(ours(theirs), here, "{theirs}");
        }
    }
}
