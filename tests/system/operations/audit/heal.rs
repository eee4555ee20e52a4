//! `projector audit --heal`: what differs is replaced, from another replica or from the stream, while everything serves.

use serde_json::Value;
use tests::{tables, with_catalogue, within};

use super::{PLANTED, Reading, audit, is_equal, load, number, sql};

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_is_healed_from_another_and_from_the_stream_while_everybody_reads_and_writes() {
    let system = with_catalogue("audit-heal", |options| options).await;
    let (load, reading) = (load(&system, 4), Reading::start(system.shopper()));
    load.more(30, within(60)).await;
    for from in ["a", "stream"] {
        sql(&system, "b", PLANTED).await;
        let dry = audit(&system, &["--heal", "b", "--from", from, "--dry-run"]).await;
        assert_eq!(dry.said.code, Some(1), "{:?}", dry.said);
        assert_eq!(dry.differing(), ["answers", "interactions", "reviews"], "{:?}", dry.said);
        let still = audit(&system, &[]).await;
        assert_eq!(still.differing(), ["answers", "interactions", "reviews"], "{:?}", still.said);

        let healed = audit(&system, &["--heal", "b", "--from", from]).await;
        assert_eq!(
            (healed.said.code, &healed.report["result"]),
            (Some(0), &Value::from("equal")),
            "{:?}",
            healed.said
        );
        let lines: Vec<Value> =
            healed.said.out.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let told = lines.iter().find(|line| line["kind"] == "healed").unwrap();
        assert_eq!((&told["replica"], &told["from"]), (&"b".into(), &Value::from(from)), "{told:#}");
        let replaced = told["tables"].as_array().unwrap();
        let named: Vec<&str> = replaced.iter().map(|table| table["table"].as_str().unwrap()).collect();
        assert_eq!(named, ["answers", "interactions", "reviews"], "{told:#}");
        is_equal(&system, &[]).await;
        load.more(20, within(60)).await;
    }
    let tally = load.stop().await;
    assert_eq!(tally.failed, 0, "{}", tally.last_failure);
    reading.all_were_served().await;
    let _tables = tally.is_all_there(&system).await;
    let schemas = "select count(*) from pg_namespace where nspname in ('building', 'previous')";
    assert_eq!(number(&system, "b", schemas).await, 0, "nothing is left of the fold");
    let recorded =
        "select count(*) from control.operations where verb = 'audit --heal' and outcome = 'healed'";
    assert_eq!(number(&system, "b", recorded).await, 2);
    assert_eq!(number(&system, "a", recorded).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_refused_and_an_equal_replica_needs_no_healing() {
    let system = with_catalogue("audit-refused", |options| options).await;
    let refused: [(&[&str], &str); 4] = [
        (&["--heal", "b", "--from", "b"], "from itself"),
        (&["--heal", "x", "--from", "a"], "no replica is named"),
        (&["--heal", "b", "--from", "x"], "no replica is named"),
        (&["--heal", "b"], "--from"),
    ];
    for (arguments, naming) in refused {
        let said = system.operator().run("projector", ["audit"].iter().chain(arguments)).await;
        assert_eq!(said.expect_refusal(&[naming]).code, Some(2));
    }
    let before = tables::position(&system, "b").await.unwrap();
    let seen = audit(&system, &["--heal", "b", "--from", "replica:a"]).await;
    assert_eq!((seen.said.code, &seen.report["result"]), (Some(0), &Value::from("equal")), "{:?}", seen.said);
    let _tables = tables::equal(&system, before + 1).await;
}
