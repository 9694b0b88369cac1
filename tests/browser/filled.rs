//! A pipeline through which users have gone, so that every page has something to show.

use crate::api::Api;
use crate::center::Center;
use crate::topic::Given;
use crate::world::World;

pub const USERS: usize = 60;

pub struct Filled {
    pub center: Center,
    pub world: World,
}

impl Filled {
    pub fn new(arguments: &[&str]) -> Option<Self> {
        Self::with(arguments, &[])
    }

    /// With some variables of the control center.
    pub fn with(arguments: &[&str], variables: &[(&str, &str)]) -> Option<Self> {
        let world = World::own()?;
        fill(&world);
        // Where these servers are, they are shown.
        let servers = ["SCHEMA_REGISTRY_URL", "AIRFLOW_URL"];
        let found = servers.map(|name| (name, std::env::var(name).unwrap_or_default()));
        let given: Vec<(&str, &str)> = found
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .filter(|it| !it.1.is_empty())
            .chain(variables.iter().copied())
            .collect();
        Some(Self {
            center: Center::with(&world, arguments, &given),
            world,
        })
    }
}

/// Users in all tables, and dead letters of three kinds.
fn fill(world: &World) {
    let api = Api::start();
    let (users, url) = (USERS.to_string(), api.url());
    let fetch = ["--users", &users, "--seed", "browser", "--api-url", &url];
    world.run("fetch-publish", &fetch).exits(0);
    let bad = |value: &str| Given {
        key: Some(b"a key".to_vec()),
        value: Some(value.as_bytes().to_vec()),
        ..Given::default()
    };
    world.produce(&[
        bad("no JSON"),
        bad("{}"),
        bad(r#"{"id":"<script>alert(1)</script>","email":"ada@example.org"}"#),
    ]);
    for program in ["transform-store", "aggregate"] {
        world.run(program, &["--until-latest"]).exits(0);
    }
}
