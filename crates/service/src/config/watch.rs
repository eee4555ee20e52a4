//! Replicas come and go while a process runs: the configuration is looked at again and again, and its list of replicas
//! taken up. Everything else in it waits for the next start.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use tokio::sync::watch;

use super::{Arguments, Config, Replica, pieces};
use crate::task;

/// How soon a change is seen.
const EVERY: Duration = Duration::from_secs(1);

/// What tells one version of the files from another: each one's inode, length and time.
type Stamp = Vec<(u64, u64, i64, i64)>;

/// The list of replicas, as the configuration has it from now on. Starts with that of `current`.
#[must_use]
pub fn replicas(arguments: Arguments, current: &Config) -> watch::Receiver<Vec<Replica>> {
    let (tell, told) = watch::channel(current.replicas.clone());
    // Looked at anew at once: something may have changed since the configuration was read.
    let mut seen = Stamp::new();
    let mut rest = rest(&arguments.config);
    task::essential("configuration", async move {
        let mut ticks = tokio::time::interval(EVERY);
        while !tell.is_closed() {
            ticks.tick().await;
            let now = stamp(&arguments.config);
            if now == seen {
                continue;
            }
            seen = now;
            match Config::load(&arguments) {
                Ok(config) => {
                    tell.send_if_modified(|replicas| {
                        let changed = *replicas != config.replicas;
                        if changed {
                            let names: Vec<&str> =
                                config.replicas.iter().map(|replica| replica.name.as_str()).collect();
                            tracing::info!(replicas = names.join(", "), "the list of replicas changed");
                            *replicas = config.replicas;
                        }
                        changed
                    });
                    let now = self::rest(&arguments.config);
                    if now != rest {
                        tracing::warn!(
                            file = %arguments.config.display(),
                            "the configuration changed: its list of replicas is taken up, everything else with the next start"
                        );
                        rest = now;
                    }
                }
                Err(mistakes) => {
                    tracing::error!(%mistakes, "the configuration changed and is wrong: it goes on as it was")
                }
            }
        }
    });
    told
}

fn stamp(config: &Path) -> Stamp {
    // What cannot be looked at has no stamp; reading it says why.
    let files = pieces::files(config).unwrap_or_default();
    let of = |path: &Path| {
        let data = fs::metadata(path).ok()?;
        Some((data.ino(), data.len(), data.mtime(), data.mtime_nsec()))
    };
    std::iter::once(config).chain(files.iter().map(|path| path.as_path())).filter_map(of).collect()
}

/// Everything in the file but its replicas.
fn rest(config: &Path) -> Option<toml::Table> {
    let mut table: toml::Table = fs::read_to_string(config).ok()?.parse().ok()?;
    table.remove("replica");
    Some(table)
}
