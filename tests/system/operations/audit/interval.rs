//! Comparisons that nobody asks for: one at each interval, by one projector alone, told by metrics and the log.

use std::fs;

use tests::{Private, Shopper, eventually, with_catalogue, within};

use super::{PLANTED, audit, number, sql};

/// A figure of a projector's metrics.
async fn metric(system: &Private, process: &str, name: &str) -> f64 {
    let local::Ready::Http { address, .. } = &system.process(process).spec().ready else {
        panic!("{process} has no operations' address");
    };
    let metrics = Shopper::at(format!("http://{address}")).get("/metrics").await.expect(200).body;
    let line = metrics.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
    line.map_or(0.0, |figure| figure.parse().unwrap())
}

async fn is_counted(system: &Private, result: &str) {
    let name = format!("atelier_audits_total{{result=\"{result}\"}}");
    eventually(&format!("a comparison is counted as {result}"), within(60), async || {
        let counted = metric(system, "projector-a", &name).await;
        if counted >= 1.0 { Ok(()) } else { Err(format!("{counted}")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_are_compared_at_an_interval_by_one_projector_and_a_difference_is_told() {
    let every = ("projector", "ATELIER_PROJECTOR_AUDIT_EVERY_S", "2");
    let system =
        with_catalogue("audit-interval", |options| options.with_environment(every.0, every.1, every.2)).await;
    is_counted(&system, "equal").await;
    assert_eq!(metric(&system, "projector-a", "atelier_audit_tables_different").await, 0.0);
    assert!(metric(&system, "projector-a", "atelier_audit_timestamp_seconds").await > 1.7e9);
    sql(&system, "b", PLANTED).await;
    is_counted(&system, "different").await;
    assert_eq!(metric(&system, "projector-a", "atelier_audit_tables_different").await, 3.0);
    let log = fs::read_to_string(system.data().log("projector-a")).unwrap();
    let told =
        log.lines().find(|line| line.contains("replicas differ")).expect("a difference is told in the log");
    for part in ["ERROR", "answers, interactions, reviews", "projector audit --heal"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    // While both serve, the other projector begins none.
    let name = "atelier_audits_total{result=\"different\"}";
    assert_eq!(metric(&system, "projector-b", name).await, 0.0);
    for replica in ["a", "b"] {
        assert!(number(&system, replica, "select count(*) from control.audits").await >= 2);
    }
    // An operator's own comparison is not in its way.
    assert_eq!(audit(&system, &[]).await.said.code, Some(1));
}
