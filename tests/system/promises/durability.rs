//! Invariant 6: what was acknowledged to a shopper is on disk in the stream.

use std::collections::BTreeMap;

use tests::{Load, OwnNats, catalogue, shared, wire, with_catalogue, within};

#[tokio::test(flavor = "multi_thread")]
async fn a_nats_server_that_acknowledges_before_it_syncs_is_refused_by_name() {
    let system = shared().await;
    let nats = OwnNats::start(&system, "").await;
    for said in nats.commands(&system.operator()).await {
        let _refusal = said.expect_refusal(&["sync_interval: always", "accept_acknowledgement_before_sync"]);
    }
    let interval = OwnNats::start(&system, "sync_interval: \"10s\"").await;
    for said in interval.commands(&system.operator()).await {
        let _refusal = said.expect_refusal(&["sync_interval: always"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_accepted_by_a_setting_whose_name_says_the_risk() {
    let system = shared().await;
    let nats = OwnNats::start(&system, "").await;
    let url = format!("stream.url={}", nats.url);
    let accept = "stream.accept_acknowledgement_before_sync=true";
    // By default a server takes less than the share of the disk that a stream asks for.
    let arguments = ["init", "--set", &url, "--set", accept, "--set", "stream.max_bytes=1000000"];
    let said = system.operator().run("projector", arguments).await.expect_success();
    assert!(said.out.contains("created"), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_differs_in_what_matters_is_refused_naming_each_difference() {
    let system = shared().await;
    let nats = OwnNats::start(&system, "sync_interval: always").await;
    let stream = serde_json::json!({"name": "ATELIER", "subjects": ["atelier.>"], "storage": "file",
        "retention": "limits", "discard": "old", "max_age": 3_600_000_000_000_u64, "num_replicas": 1});
    let made = wire::request(
        &nats.url,
        "$JS.API.STREAM.CREATE.ATELIER",
        &BTreeMap::new(),
        stream.to_string().as_bytes(),
    )
    .await;
    assert_eq!(made["config"]["name"], "ATELIER", "{made}");
    for said in nats.commands(&system.operator()).await {
        let named = [
            "atelier.>",
            "discard",
            "deny_delete",
            "deny_purge",
            "allow_direct",
            "atomic",
            "max_age",
            "first sequence",
        ];
        let _refusal = said.expect_refusal(&named);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_acknowledges_before_its_data_is_on_disk_is_refused_although_the_server_syncs() {
    let system = shared().await;
    let nats = OwnNats::start(&system, "sync_interval: always").await;
    // As `projector init` would make it, but for the one setting that the server takes with it only without batches.
    let stream = serde_json::json!({"name": "ATELIER", "subjects": ["atelier.v1.>"], "storage": "file",
        "retention": "limits", "discard": "new", "num_replicas": 1, "deny_delete": true, "deny_purge": true,
        "allow_direct": true, "first_seq": 1_000_000_000, "persist_mode": "async"});
    let made = wire::request(
        &nats.url,
        "$JS.API.STREAM.CREATE.ATELIER",
        &BTreeMap::new(),
        stream.to_string().as_bytes(),
    )
    .await;
    assert_eq!(made["config"]["persist_mode"], "async", "{made}");
    for said in nats.commands(&system.operator()).await {
        let _refusal = said.expect_refusal(&["persist_mode is async"]);
    }
    let said = nats.run(&system.operator(), "projector", &["doctor", "--json"]).await;
    assert_eq!(said.code, Some(1), "{said:?}");
    let report: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let checks = report["checks"].as_array().unwrap();
    let settings = checks.iter().find(|check| check["name"] == "stream.settings").unwrap();
    assert_eq!(settings["outcome"], "fail", "{report:#}");
    assert!(settings["found"].as_str().unwrap().contains("persist_mode is async"), "{report:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_stream_services_refuse_and_name_the_command_that_makes_it() {
    let system = shared().await;
    let nats = OwnNats::start(&system, "sync_interval: always").await;
    for said in nats.services(&system.operator()).await {
        let _refusal = said.expect_refusal(&["ATELIER", "projector init"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nats_server_that_is_killed_loses_nothing_that_was_acknowledged() {
    let system = with_catalogue("durability", |options| options).await;
    let products: Vec<_> = catalogue::spare_products().take(4).collect();
    let load = Load::start(&system.shopper(), &products, 16);
    for _ in 0..3 {
        load.more(60, within(60)).await;
        system.process("nats").kill9().await;
        system.process("nats").wait_ready(within(60)).await.unwrap();
    }
    load.more(60, within(60)).await;
    let tally = load.stop().await;
    assert!(tally.stored.len() >= 240, "{tally:?}");
    let _tables = tally.is_all_there(&system).await;
    for name in ["writer", "projector-a", "projector-b", "reader-a", "reader-b"] {
        assert_eq!(system.process(name).restarts(), 0, "{name} waited for nats-server");
    }
}
