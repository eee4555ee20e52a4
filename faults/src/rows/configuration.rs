//! Configurations under which what was acknowledged may be lost, or strangers may look: refused, or named as a risk.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use ::tests::{OwnNats, Said, wire, within};
use futures::FutureExt;
use serde_json::{Value, json};

use crate::arena::Arena;
use crate::drive::Plan;
use crate::row::{Row, Seen, Setup, Stop};

pub(crate) const ROWS: [Row; 1] = [Row {
    number: 48,
    title: "wrong configurations: nats-server syncs later, persist_mode is async, a monitor for everybody",
    quick: false,
    setup: Setup::USUAL,
    run: |arena| configurations(arena).boxed_local(),
}];

const SYNCS: &str = "sync_interval: always";
/// What a service says to a server that acknowledges before its data is on disk.
const NOT_SYNCED: [&str; 2] = [SYNCS, "accept_acknowledgement_before_sync"];
const CREATE: &str = "$JS.API.STREAM.CREATE.ATELIER";

async fn configurations(arena: &mut Arena) -> Result<Seen, Stop> {
    let mut seen = Seen::default();
    for jetstream in ["", "sync_interval: \"10s\""] {
        let nats = OwnNats::start(&arena.system, jetstream).await;
        everybody_refuses(arena, &nats, &NOT_SYNCED).await?;
        told_by_the_doctor(
            arena,
            &nats,
            &[],
            "server.sync",
            "fail",
            "a power failure loses acknowledged writes",
        )
        .await?;
        // Who accepts it is told of the risk all the same.
        let accepting = ["--set", "stream.accept_acknowledgement_before_sync=true"];
        told_by_the_doctor(
            arena,
            &nats,
            &accepting,
            "server.sync",
            "warn",
            "a power failure loses acknowledged writes",
        )
        .await?;
    }
    seen = seen.note(
        "no sync_interval, or one of 10 s: refused by init, projector and writer; failed by the doctor",
    );
    for (change, words) in [
        (json!({ "persist_mode": "async" }), "persist_mode is async"),
        (json!({ "storage": "memory" }), "it is not stored in files"),
        (json!({ "discard": "old" }), "it drops old events"),
        (json!({ "deny_delete": false }), "it lets events be deleted"),
        (json!({ "deny_purge": false }), "it lets events be purged"),
        (json!({ "max_age": 3_600_000_000_000_u64 }), "it forgets events after"),
    ] {
        let nats = OwnNats::start(&arena.system, SYNCS).await;
        let made = stream(&nats, &change).await?;
        everybody_refuses(arena, &nats, &[words]).await?;
        told_by_the_doctor(arena, &nats, &[], "stream.settings", "fail", words).await?;
        seen = seen.note(format!("a stream with {made}: refused, and failed, by name"));
    }
    let nats = OwnNats::monitored_at(&arena.system, SYNCS, IpAddr::V4(Ipv4Addr::UNSPECIFIED)).await;
    let risk = "whoever reaches its port reads its settings";
    told_by_the_doctor(arena, &nats, &["--strict"], "server.exposure", "warn", risk).await?;
    seen = seen.note("a monitor that listens everywhere: a warning of the doctor");
    // The system beside them was not touched by any of these commands.
    let drive = arena.drive(Plan::USUAL);
    drive.more(50, within(60)).await;
    drive.stop().await;
    arena.judge(seen).await
}

/// Makes a stream as `projector init` would, but for one setting; that in words.
async fn stream(nats: &OwnNats, change: &Value) -> Result<String, Stop> {
    let mut settings = json!({
        "name": "ATELIER",
        "subjects": ["atelier.v1.>"],
        "storage": "file",
        "retention": "limits",
        "discard": "new",
        "num_replicas": 1,
        "deny_delete": true,
        "deny_purge": true,
        "allow_direct": true,
        "allow_atomic": true,
        "first_seq": 1_000_000_000
    });
    let (name, value) = change
        .as_object()
        .and_then(|change| change.iter().next())
        .ok_or_else(|| Stop::from("no change".to_owned()))?;
    settings[name] = value.clone();
    // The server takes it only from a stream without batches.
    if name == "persist_mode" {
        settings["allow_atomic"] = json!(false);
    }
    let made = wire::request(&nats.url, CREATE, &BTreeMap::new(), settings.to_string().as_bytes()).await;
    if made["config"][name].as_str() != value.as_str() || made["error"].is_object() {
        return Err(Stop::from(format!("nats-server did not make the stream: {made}")));
    }
    Ok(format!("{name} {value}"))
}

/// `projector init`, a projector and a writer end by themselves and name what is wrong.
async fn everybody_refuses(arena: &Arena, nats: &OwnNats, words: &[&str]) -> Result<(), Stop> {
    for said in nats.commands(&arena.system.operator()).await {
        let named = words.iter().all(|words| said.error.contains(words));
        if said.code.is_none_or(|code| code == 0) || !named {
            return Err(Stop::from(format!("{words:?} was to be named by a refusal: {said:?}")));
        }
    }
    Ok(())
}

/// `projector doctor` says so in this check, and ends accordingly.
async fn told_by_the_doctor(
    arena: &Arena,
    nats: &OwnNats,
    more: &[&str],
    check: &str,
    outcome: &str,
    words: &str,
) -> Result<(), Stop> {
    let arguments: Vec<&str> = ["doctor", "--json"].iter().chain(more).copied().collect();
    let said: Said = nats.run(&arena.system.operator(), "projector", &arguments).await;
    let report: Value = serde_json::from_str(&said.out).unwrap_or_default();
    let checks = report["checks"].as_array().cloned().unwrap_or_default();
    let found = checks.iter().find(|found| found["name"] == check);
    let told = found.is_some_and(|found| {
        found["outcome"] == outcome && found["found"].as_str().is_some_and(|text| text.contains(words))
    });
    if told && said.code == Some(1) {
        return Ok(());
    }
    Err(Stop::from(format!("{check} was to be {outcome} and to say {words:?}; it is {found:?}, of {said:?}")))
}
