//! `/clusters` and `/clusters/{id}`: the one cluster, as a card and with its brokers.

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use serde::Serialize;

use crate::control_center::ask::Ask;
use crate::control_center::kafka::Cluster;
use crate::control_center::panel::Panel;
use crate::control_center::reply::{Refusal, Section};

#[derive(Serialize, Template)]
#[template(path = "pages/clusters.html")]
struct All {
    name: String,
    bootstrap_servers: String,
    cluster: Panel<Arc<Cluster>>,
}

pub(super) async fn all(ask: Ask) -> Response {
    let view = All {
        name: ask.center.options.cluster.clone(),
        bootstrap_servers: ask.center.kafka.arguments().bootstrap_servers.clone(),
        cluster: Panel::of(ask.center.kafka.cluster().await),
    };
    ask.page("Clusters", Section::Clusters, &view)
}

#[derive(Serialize, Template)]
#[template(path = "pages/cluster.html")]
struct One {
    name: String,
    bootstrap_servers: String,
    cluster: Panel<Arc<Cluster>>,
}

pub(super) async fn one(Path(cluster): Path<String>, ask: Ask) -> Result<Response, Refusal> {
    known(&ask, &cluster)?;
    let view = One {
        name: cluster.clone(),
        bootstrap_servers: ask.center.kafka.arguments().bootstrap_servers.clone(),
        cluster: Panel::of(ask.center.kafka.cluster().await),
    };
    Ok(ask.page(cluster, Section::Clusters, &view))
}

/// There is one cluster.
pub(super) fn known(ask: &Ask, cluster: &str) -> Result<(), Refusal> {
    let name = &ask.center.options.cluster;
    match cluster == name {
        true => Ok(()),
        false => Err(Refusal::not_found(
            format!("there is no cluster {cluster:?}"),
            format!("the cluster is /clusters/{name}"),
        )),
    }
}
