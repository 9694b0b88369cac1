use crate::center::{Center, without};
use crate::world::World;

#[test]
fn the_cluster_is_there_by_its_name_with_its_brokers() {
    let Some(world) = World::shared() else { return };
    let center = Center::of(&world, &[]);
    let page = center.page("/clusters");
    assert!(page.contains("controlcenter.cluster"), "{page}");
    let cluster = center.json("/clusters/controlcenter.cluster");
    assert_eq!(
        cluster["cluster"]["brokers"].as_array().map(Vec::len),
        Some(1),
        "{cluster}"
    );
    assert!(
        cluster["cluster"]["topics"][&world.topic].is_object(),
        "{cluster}"
    );
    center
        .get("/clusters/another")
        .is(404)
        .says(&["no cluster", "/clusters/controlcenter.cluster"]);
}

#[test]
fn without_kafka_the_page_is_there_and_says_what_to_do() {
    let Some(world) = World::shared() else { return };
    let nowhere = without("KAFKA_BOOTSTRAP_SERVERS");
    let variables: Vec<(&str, &str)> = nowhere
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let center = Center::with(&world, &[], &variables);
    let answer = center.get("/clusters").is(200);
    answer.says(&[
        "controlcenter.cluster",
        "Kafka at 127.0.0.1:1 does not answer",
        "What to do",
    ]);
}
