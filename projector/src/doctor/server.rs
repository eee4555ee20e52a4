//! nats-server: does it answer, is it well, is it new enough, does it sync, does its clock go right?

use service::Config;
use stream::{Error, Inspection, Monitor, ServerState};

use super::examination::{Examination, Finding};
use super::machine;

/// The first version that takes atomic batches.
const OLDEST: (u32, u32) = (2, 12);
/// The first version whose health answer tells of errors of the disk.
const TELLS_STORAGE_ERRORS: (u32, u32) = (2, 14);

/// What later checks need of the server.
pub(super) struct Server {
    pub(super) inspection: Option<Inspection>,
    pub(super) state: Option<ServerState>,
}

/// Looks at the server.
pub(super) async fn examine(examination: &mut Examination, config: &Config) -> Server {
    let settings = config.stream_settings();
    let inspection = examination
        .check("server.connection", &[], Some(()), async |()| {
            match Inspection::open(&settings, "atelier projector doctor").await {
                Ok(inspection) => Finding::known(inspection, format!("answers at {}", settings.url)),
                Err(error) => Finding::fail(
                    error.to_string(),
                    "start nats-server (a local system: cargo xtask up --detach), or name it by stream.url",
                ),
            }
        })
        .await;
    let asked = examination
        .check("server.monitor", &["server.connection"], Some(()), async |()| {
            ask(&settings.monitor_url).await
        })
        .await;
    let (monitor, state) = asked.unzip();
    let _health = examination
        .check("server.health", &["server.monitor"], monitor.as_ref(), async |monitor| {
            match monitor.verify_health().await {
                Ok(()) => Finding::pass("it says that it is well"),
                Err(error) => Finding::fail(
                    error.to_string(),
                    "free space on the disk of its store_dir, then restart nats-server (a local system does the latter itself)",
                ),
            }
        })
        .await;
    let _version = examination
        .check("server.version", &["server.monitor"], state.as_ref(), async |state| {
            judge_version(&state.version)
        })
        .await;
    let _sync = examination
        .check("server.sync", &["server.monitor"], monitor.as_ref(), async |monitor| {
            let set = "set `sync_interval: always` in its jetstream block and restart nats-server";
            match monitor.syncs().await {
                Ok(true) => Finding::pass("it acknowledges what is on disk"),
                Ok(false) if settings.accept_acknowledgement_before_sync => Finding::warn(
                    (),
                    "it acknowledges before data is on disk, and stream.accept_acknowledgement_before_sync accepts that: a power failure loses acknowledged writes",
                    set,
                ),
                Ok(false) => Finding::fail("it acknowledges before data is on disk: a power failure loses acknowledged writes", set),
                Err(error) => Finding::fail(error.to_string(), set),
            }
        })
        .await;
    let _exposure = examination
        .check("server.exposure", &["server.monitor"], state.as_ref(), async |state| {
            judge_exposure(state.monitor_host.as_deref().unwrap_or_default())
        })
        .await;
    let _clock = examination
        .check("server.clock", &["server.monitor"], monitor.as_ref(), async |monitor| {
            let before = service::time::now();
            match monitor.state().await {
                Ok(state) => machine::clock("nats-server", before, state.clock, service::time::now()),
                Err(error) => Finding::fail(error.to_string(), mend_monitor()),
            }
        })
        .await;
    Server { inspection, state }
}

async fn ask(url: &str) -> Finding<(Monitor, ServerState)> {
    let asked = async {
        let monitor = Monitor::new(url)?;
        let state = monitor.state().await?;
        Ok::<_, Error>((monitor, state))
    };
    match asked.await {
        Ok(known) => Finding::known(known, format!("answers at {url}")),
        Err(error) => Finding::fail(error.to_string(), mend_monitor()),
    }
}

fn mend_monitor() -> &'static str {
    "start nats-server with `http: \"127.0.0.1:8222\"` in its configuration and name that by stream.monitor_url"
}

fn judge_exposure(monitor: &str) -> Finding {
    if machine::is_here(monitor) {
        return Finding::pass(format!("its monitor listens on {monitor} alone"));
    }
    let open = if monitor.is_empty() { "everywhere" } else { monitor };
    Finding::warn(
        (),
        format!(
            "its monitor listens on {open}: whoever reaches its port reads its settings, connections and subjects, without a password"
        ),
        "set `http: \"127.0.0.1:8222\"` where all services are on its machine; else let nobody but them reach the port",
    )
}

fn judge_version(version: &str) -> Finding {
    let mut numbers = version.split('.').map_while(|part| part.parse::<u32>().ok());
    let Some(found) = numbers.next().zip(numbers.next()) else {
        return Finding::warn(
            (),
            format!("its version {version:?} cannot be read"),
            "install nats-server 2.14 or later",
        );
    };
    let mend = "install nats-server 2.14 or later; deploy/components.toml names the one that is tried";
    if found < OLDEST {
        Finding::fail(format!("{version} takes no atomic batches; 2.12 is the first that does"), mend)
    } else if found < TELLS_STORAGE_ERRORS {
        let found = format!("{version} does not tell of errors of its disk; 2.14 is the first that does");
        Finding::warn((), found, mend)
    } else {
        Finding::pass(version)
    }
}

#[cfg(test)]
mod tests {
    use super::super::examination::Outcome;
    use super::*;

    #[tokio::test]
    async fn a_monitor_that_others_may_reach_is_a_named_risk() {
        let mut examination = Examination::default();
        for host in ["127.0.0.1", "::1", "localhost", "0.0.0.0", "::", "10.1.2.3", ""] {
            let _grounds = examination.check(host, &[], Some(()), async |()| judge_exposure(host)).await;
        }
        let outcomes: Vec<_> = examination.checks().iter().map(|check| check.outcome).collect();
        let (pass, warn) = (Outcome::Pass, Outcome::Warn);
        assert_eq!(outcomes, [pass, pass, pass, warn, warn, warn, warn]);
    }

    #[tokio::test]
    async fn a_version_is_compared_number_by_number() {
        let mut examination = Examination::default();
        for version in ["2.9.10", "2.12.1", "2.15.1", "3.0.0-RC.1", "dev"] {
            let _grounds = examination.check(version, &[], Some(()), async |()| judge_version(version)).await;
        }
        let outcomes: Vec<_> = examination.checks().iter().map(|check| check.outcome).collect();
        let expected = [Outcome::Fail, Outcome::Warn, Outcome::Pass, Outcome::Pass, Outcome::Warn];
        assert_eq!(outcomes, expected);
    }
}
