//! Names of metrics: an API, listed in `docs/metrics.md`.

use std::time::Duration;

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// Requests answered, by route, method and status.
pub const HTTP_REQUESTS: &str = "atelier_http_requests_total";
/// Seconds until a request was answered, by route and method.
pub const HTTP_SECONDS: &str = "atelier_http_request_seconds";
/// Seconds from a write's place in the queue until its event was acknowledged as durable, or was not.
pub const PUBLISH_SECONDS: &str = "atelier_write_publish_seconds";
/// Events of one commit.
pub const COMMIT_EVENTS: &str = "atelier_write_commit_events";
/// Publishes by outcome: `stored`, `duplicate`, `not_stored`, `unknown`.
pub const PUBLISHED: &str = "atelier_write_published_total";
/// Seconds from the acknowledgement until every live replica had applied the event.
pub const VISIBLE_SECONDS: &str = "atelier_write_visible_seconds";
/// Writes waiting to be published.
pub const WRITE_QUEUE: &str = "atelier_write_queue";
/// The replica's checkpoint.
pub const REPLICA_POSITION: &str = "atelier_replica_position";
/// The stream's head as the replica's projector knows it.
pub const STREAM_POSITION: &str = "atelier_stream_position";
/// Events that the replica has not applied yet.
pub const REPLICA_LAG_EVENTS: &str = "atelier_replica_lag_events";
/// 1 for the state that the replica is in.
pub const REPLICA_STATE: &str = "atelier_replica_state";
/// Events applied, by outcome: `applied`, `no_op`, `rejected`.
pub const APPLIED_EVENTS: &str = "atelier_apply_events_total";
/// Seconds of one apply transaction.
pub const APPLY_SECONDS: &str = "atelier_apply_batch_seconds";
/// Times that an apply transaction failed for a reason that is not the event's and was tried again.
pub const APPLY_RETRIES: &str = "atelier_apply_retries_total";
/// Comparisons of all replicas that came of the interval, by result: `equal`, `different`, `unknown`.
pub const AUDITS: &str = "atelier_audits_total";
/// Tables in which replicas differed at the last of them.
pub const AUDIT_TABLES_DIFFERENT: &str = "atelier_audit_tables_different";
/// When the last of them ended, in seconds since 1970.
pub const AUDIT_TIMESTAMP: &str = "atelier_audit_timestamp_seconds";
/// Seconds of one statement for a read, by statement.
pub const STATEMENT_SECONDS: &str = "atelier_read_statement_seconds";
/// Reads that the strict listener refused so that another reader is asked, by reason: `stepped_out`, `behind`, `crowded`.
pub const READS_REFUSED: &str = "atelier_read_refused_total";
/// Reads answered with less than was demanded.
pub const READS_STALE: &str = "atelier_read_stale_total";

/// Bounds of the histograms, in seconds.
const BUCKETS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Bounds of [`COMMIT_EVENTS`].
const EVENTS: [f64; 10] = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0];

/// How often samples are put into their buckets.
const UPKEEP: Duration = Duration::from_secs(5);

/// What has been measured since the start.
#[derive(Clone)]
pub struct Recorder(PrometheusHandle);

impl Recorder {
    /// Starts measuring in this process; called within its runtime.
    ///
    /// # Panics
    /// When started twice.
    pub fn start() -> Recorder {
        let builder = PrometheusBuilder::new()
            .set_buckets(&BUCKETS)
            .and_then(|builder| {
                builder.set_buckets_for_metric(Matcher::Full(COMMIT_EVENTS.to_owned()), &EVENTS)
            })
            .expect("the lists of buckets are not empty");
        let handle = builder.install_recorder().expect("measuring is started once");
        describe_counter!(HTTP_REQUESTS, "Requests answered");
        describe_histogram!(HTTP_SECONDS, Unit::Seconds, "Seconds until a request was answered");
        describe_histogram!(
            PUBLISH_SECONDS,
            Unit::Seconds,
            "Seconds until an event was acknowledged as durable"
        );
        describe_histogram!(COMMIT_EVENTS, "Events of one commit");
        describe_counter!(PUBLISHED, "Publishes by outcome");
        describe_histogram!(
            VISIBLE_SECONDS,
            Unit::Seconds,
            "Seconds from acknowledgement to visible on every live replica"
        );
        describe_gauge!(WRITE_QUEUE, "Writes waiting to be published");
        describe_gauge!(REPLICA_POSITION, "The replica's checkpoint");
        describe_gauge!(STREAM_POSITION, "The stream's head");
        describe_gauge!(REPLICA_LAG_EVENTS, "Events not applied yet");
        describe_gauge!(REPLICA_STATE, "1 for the state that the replica is in");
        describe_counter!(APPLIED_EVENTS, "Events by outcome");
        describe_histogram!(APPLY_SECONDS, Unit::Seconds, "Seconds of one apply transaction");
        describe_counter!(APPLY_RETRIES, "Apply transactions tried again");
        describe_counter!(AUDITS, "Comparisons of all replicas by result");
        describe_gauge!(AUDIT_TABLES_DIFFERENT, "Tables in which replicas differed at the last comparison");
        describe_gauge!(AUDIT_TIMESTAMP, Unit::Seconds, "When the last comparison ended, since 1970");
        describe_histogram!(STATEMENT_SECONDS, Unit::Seconds, "Seconds of one statement for a read");
        describe_counter!(READS_REFUSED, "Reads refused so that another reader is asked");
        describe_counter!(READS_STALE, "Reads answered with less than was demanded");
        let upkept = handle.clone();
        // Samples are kept one by one until they are put into their buckets; nobody may ever ask for the metrics.
        crate::task::essential("metrics", async move {
            loop {
                tokio::time::sleep(UPKEEP).await;
                upkept.run_upkeep();
            }
        });
        Recorder(handle)
    }

    /// In Prometheus's text format.
    pub fn render(&self) -> String {
        self.0.run_upkeep();
        self.0.render()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn the_document_lists_exactly_these_metrics() {
        let names = |text: &'static str, mark: char| -> BTreeSet<&'static str> {
            text.split(mark).filter(|part| part.starts_with("atelier_") && !part.contains(' ')).collect()
        };
        let source = include_str!("metrics.rs").split("#[cfg(test)]").next().unwrap();
        let document = include_str!("../../../docs/metrics.md");
        assert_eq!(names(source, '"'), names(document, '`'));
        assert!(names(source, '"').len() > 10);
    }
}
