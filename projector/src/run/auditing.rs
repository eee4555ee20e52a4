//! Comparisons of all replicas that nobody has to ask for: one at each interval, begun by the first replica's projector.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use contract::PROJECTION_VERSION;
use contract::announcement::{Progress as Announced, State};
use replica::SCHEMA_LIVE;
use service::Config;
use service::metrics::{AUDIT_TABLES_DIFFERENT, AUDIT_TIMESTAMP, AUDITS};
use sqlx::{Connection as _, PgConnection, Row};
use stream::{Connection, Link};
use tokio_util::task::AbortOnDropHandle;

use crate::audit::on_record;
use crate::audit::progress::Progress;
use crate::audit::report::{Report, SHOWN_TO_PEOPLE, Verdict};
use crate::audit::round::{Ask, round};
use crate::audit::with_its_causes;
use crate::{generation, status};

const LAST: &str = include_str!("auditing/last.sql");
/// How long a replica may take to come to the mark.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks whether one is due.
const LOOKS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// After a comparison that said anything but that all are equal, the next one comes so soon at the latest: by then somebody may
/// have mended it.
const AGAIN: Duration = Duration::from_secs(600);

struct Auditing {
    config: Config,
    name: String,
    connection: Connection,
    every: Duration,
}

/// Begins to compare at the configured interval; ends with what it answers. None: there is nothing to compare, or nobody wants it.
pub(super) fn start(config: &Config, name: &str, connection: &Connection) -> Option<AbortOnDropHandle<()>> {
    let every = Duration::from_secs(config.projector.audit_every_s);
    if every.is_zero() || config.replicas.len() < 2 {
        return None;
    }
    let auditing =
        Auditing { config: config.clone(), name: name.to_owned(), connection: connection.clone(), every };
    Some(AbortOnDropHandle::new(tokio::spawn(auditing.run())))
}

impl Auditing {
    async fn run(self) {
        let look = (self.every / 20).clamp(LOOKS.0, LOOKS.1);
        // When the last one was, unless it said that all are equal.
        let mut unsettled: Option<Instant> = None;
        loop {
            tokio::time::sleep(look).await;
            let due = match unsettled {
                Some(since) => since.elapsed() >= AGAIN.min(self.every),
                None => self.is_due().await,
            };
            if !due {
                continue;
            }
            let Ok(link) = self.connection.current() else { continue };
            let Ok(heard) = status::listen(&link).await else { continue };
            if first(&self.config, &heard) != Some(self.name.as_str()) {
                continue;
            }
            let said = self.audit(&link, &heard).await;
            unsettled = (said != Some(Verdict::Equal)).then(Instant::now);
        }
    }

    /// Whether the last comparison that said something, whoever asked for it, is an interval ago.
    async fn is_due(&self) -> bool {
        let asked = async {
            let replica =
                self.config.replica(&self.name).map_err(|error| sqlx::Error::Configuration(error.into()))?;
            let options = generation::applying(replica, SCHEMA_LIVE)?;
            let mut connection = PgConnection::connect_with(&options).await?;
            let seconds: f64 = sqlx::query(LAST).fetch_one(&mut connection).await?.try_get("seconds")?;
            connection.close().await?;
            Ok::<f64, replica::Error>(seconds)
        };
        match tokio::time::timeout(PATIENCE, asked).await {
            Ok(Ok(seconds)) => seconds >= self.every.as_secs_f64(),
            Ok(Err(error)) => {
                tracing::debug!(%error, "whether a comparison of replicas is due could not be asked");
                false
            }
            Err(_) => false,
        }
    }

    async fn audit(&self, link: &Link, heard: &HashMap<String, Announced>) -> Option<Verdict> {
        let ask = Ask { tables: &[], patience: PATIENCE, shown: SHOWN_TO_PEOPLE };
        let report = match round(&self.config, link, heard, &ask, &Progress::default()).await {
            Ok(report) => report,
            Err(error) => {
                metrics::counter!(AUDITS, "result" => Verdict::Unknown.word()).increment(1);
                tracing::warn!(error = with_its_causes(&error), "replicas could not be compared");
                return None;
            }
        };
        metrics::gauge!(AUDIT_TABLES_DIFFERENT).set(report.differing().len() as f64);
        metrics::gauge!(AUDIT_TIMESTAMP).set(service::time::now().0 as f64 / 1000.0);
        on_record::put(&self.config, &report, "").await;
        tell(&report);
        // Last: whoever sees it counted finds it told.
        metrics::counter!(AUDITS, "result" => report.result.word()).increment(1);
        Some(report.result)
    }
}

fn tell(report: &Report) {
    let Report { position, seconds, .. } = report;
    let left_out: Vec<String> = report.left_out().map(|(name, why)| format!("{name}: {why}")).collect();
    match report.result {
        Verdict::Equal => tracing::info!(position, seconds, "all replicas are equal"),
        Verdict::Different => tracing::error!(
            position,
            tables = report.differing().join(", "),
            "replicas differ: `projector audit` shows the rows, `projector audit --heal REPLICA --from OTHER` or `--from \
             stream` mends them"
        ),
        Verdict::Unknown => tracing::warn!(
            position,
            left_out = left_out.join("; "),
            "not all replicas could be compared; see `projector status`"
        ),
    }
}

/// The replica whose projector begins: the first by name of those that serve.
fn first<'a>(config: &'a Config, heard: &HashMap<String, Announced>) -> Option<&'a str> {
    let serves = |name: &str| {
        heard.get(name).is_some_and(|progress| {
            matches!(progress.state, State::Serving) && progress.version == PROJECTION_VERSION
        })
    };
    config.replicas.iter().map(|replica| replica.name.as_str()).filter(|name| serves(name)).min()
}
