//! The sections of `atelier.toml`, key by key.

use std::path::PathBuf;

use serde::Deserialize;

/// `[stream]`
#[derive(Clone, Debug, Deserialize)]
pub struct Stream {
    /// Address of nats-server.
    pub url: String,
    /// Address of its monitor, where its effective sync setting is read.
    pub monitor_url: String,
    /// Bytes at which a new stream refuses events; absent: 0.8 of the free space where `store_dir` lies.
    pub max_bytes: Option<i64>,
    /// Where nats-server stores, for `max_bytes`; absent: the configuration's folder.
    pub store_dir: Option<PathBuf>,
    /// The broker's window for repeated message ids, in milliseconds, of a new stream.
    #[serde(default = "duplicate_window")]
    pub duplicate_window_ms: u64,
    /// Go on although the server acknowledges before it syncs: a power failure then loses acknowledged writes.
    #[serde(default)]
    pub accept_acknowledgement_before_sync: bool,
}

impl Stream {
    pub(super) fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        if !self.url.starts_with("nats://") {
            mistakes.push("stream.url must start with nats://".to_owned());
        }
        if !self.monitor_url.starts_with("http://") {
            mistakes.push("stream.monitor_url must start with http://".to_owned());
        }
        for (key, url) in [("stream.url", &self.url), ("stream.monitor_url", &self.monitor_url)] {
            if url.contains('@') {
                mistakes.push(format!("{key} must name no user and no password: it is shown in logs"));
            }
        }
        if self.max_bytes.is_some_and(|bytes| bytes <= 0) {
            mistakes.push("stream.max_bytes must be above 0".to_owned());
        }
        within(&mut mistakes, "stream.duplicate_window_ms", self.duplicate_window_ms, 100, 86_400_000);
        mistakes
    }
}

fn duplicate_window() -> u64 {
    120_000
}

/// `[keys]`: files of mode 0600, made by `projector init` when absent.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct Keys {
    /// Seals e-mail addresses from now on. Losing it loses them.
    pub sealing: PathBuf,
    /// Sealed addresses before it did. They still open what they sealed; nothing is sealed under them.
    pub sealing_old: Vec<PathBuf>,
    /// Names what shoppers sent, without saying it. One for the whole life of a stream: under another key every cart and
    /// every `Idempotency-Key` would be a stranger's.
    pub hashing: PathBuf,
}

impl Default for Keys {
    fn default() -> Keys {
        Keys {
            sealing: "keys/sealing.key".into(),
            sealing_old: Vec::new(),
            hashing: "keys/hashing.key".into(),
        }
    }
}

/// `[[replica]]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Replica {
    /// Its name, also in announcements.
    pub name: String,
    /// Its database, without user and password.
    pub url: String,
    /// Folder with one file of mode 0600 for each role's password.
    pub passwords: PathBuf,
}

/// `[writer]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct Writer {
    /// How long an answer waits until every live replica has applied the event. Low: front ends that re-read at once
    /// may miss their write; high: one slow replica slows every write.
    pub visible_wait_ms: u64,
    /// How long a write waits for a replica to reach the id that it refers to.
    pub reference_wait_ms: u64,
    /// Writes in progress, in units of 8 kB of their bodies; above it a write is refused at once. High: much memory
    /// when the stream is slow; low: refusals in a short burst.
    pub queue: usize,
    /// Commits on their way at a time; one that takes over a tenth of a second is not counted. What waits meanwhile is
    /// the next one. Low: large commits, for few fsyncs; high: a stream that is far away takes more, in smaller ones.
    pub commits: usize,
    /// From how many events on a commit goes as one batch, for one fsync and a fixed cost; fewer are published one by
    /// one, an fsync each. 1,001 or more: never.
    pub batch_from: usize,
    /// How long one publish waits for its acknowledgement before it is repeated under the same id.
    pub acknowledge_ms: u64,
    /// How long a write may wait and be repeated until it is acknowledged; then its fate is unknown. Half of the stream's
    /// duplicate window bounds it too.
    pub publish_ms: u64,
}

impl Default for Writer {
    fn default() -> Writer {
        Writer {
            visible_wait_ms: 250,
            reference_wait_ms: 250,
            queue: 4_096,
            commits: 1,
            batch_from: 16,
            acknowledge_ms: 2_000,
            publish_ms: 8_000,
        }
    }
}

impl Writer {
    pub(super) fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        within(&mut mistakes, "writer.visible_wait_ms", self.visible_wait_ms, 0, 60_000);
        within(&mut mistakes, "writer.reference_wait_ms", self.reference_wait_ms, 0, 60_000);
        within(&mut mistakes, "writer.queue", self.queue as u64, 1, 1_000_000);
        within(&mut mistakes, "writer.commits", self.commits as u64, 1, 20);
        within(&mut mistakes, "writer.batch_from", self.batch_from as u64, 2, 1_000_000);
        within(&mut mistakes, "writer.acknowledge_ms", self.acknowledge_ms, 10, 45_000);
        within(&mut mistakes, "writer.publish_ms", self.publish_ms, 10, 45_000);
        mistakes
    }
}

/// How long nginx waits for a reader (`proxy_read_timeout`), in milliseconds.
const NGINX_READ_MS: u64 = 3_000;

/// `[reader]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct Reader {
    /// Connections to the replica.
    pub connections: u32,
    /// Requests that may wait for a connection; above it a request is refused at once.
    pub queue: usize,
    /// How long a request waits for a connection before it is refused.
    pub acquire_ms: u64,
    /// How long a request may wait for a connection while requests keep coming faster than they can be answered. Low:
    /// refusals when the machine is busy for a moment; high: slow answers under overload.
    pub overload_ms: u64,
    /// How long one statement may run.
    pub statement_ms: u64,
    /// How long a read waits until the replica has the position that it demands, before another reader is asked. Low:
    /// more reads go to another reader, or are answered stale; high: reads that demand what does not come are slow.
    pub token_wait_ms: u64,
    /// Reads that may wait for a position; above it another reader is asked at once.
    pub waiting: usize,
}

impl Default for Reader {
    fn default() -> Reader {
        Reader {
            connections: 8,
            queue: 1_000,
            acquire_ms: 500,
            overload_ms: 100,
            statement_ms: 2_000,
            token_wait_ms: 100,
            waiting: 1_000,
        }
    }
}

impl Reader {
    pub(super) fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        within(&mut mistakes, "reader.connections", self.connections.into(), 1, 1_000);
        within(&mut mistakes, "reader.queue", self.queue as u64, 1, 1_000_000);
        within(&mut mistakes, "reader.acquire_ms", self.acquire_ms, 10, 60_000);
        within(&mut mistakes, "reader.overload_ms", self.overload_ms, 1, 60_000);
        within(&mut mistakes, "reader.statement_ms", self.statement_ms, 10, 60_000);
        within(&mut mistakes, "reader.token_wait_ms", self.token_wait_ms, 0, 60_000);
        within(&mut mistakes, "reader.waiting", self.waiting as u64, 1, 1_000_000);
        let longest = self.token_wait_ms + self.acquire_ms + self.statement_ms;
        if longest >= NGINX_READ_MS {
            mistakes.push(format!(
                "reader.token_wait_ms, reader.acquire_ms and reader.statement_ms are {longest} together: they must stay below {NGINX_READ_MS}, or nginx gives up first"
            ));
        }
        mistakes
    }
}

/// `[projector]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct Projector {
    /// Most events applied in one transaction. Low: slow catch-up; high: long transactions and late announcements.
    pub batch_events: usize,
    /// How often progress is announced when nothing is applied; at most 250.
    pub announce_ms: u64,
    /// How often all replicas are compared with each other, in seconds; 0: only when somebody asks. Low: all rows are read all
    /// the time; high: a difference is found late.
    pub audit_every_s: u64,
}

impl Default for Projector {
    fn default() -> Projector {
        Projector { batch_events: 500, announce_ms: 250, audit_every_s: 86_400 }
    }
}

impl Projector {
    pub(super) fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        within(&mut mistakes, "projector.batch_events", self.batch_events as u64, 1, 10_000);
        within(&mut mistakes, "projector.announce_ms", self.announce_ms, 10, 250);
        within(&mut mistakes, "projector.audit_every_s", self.audit_every_s, 0, 31_536_000);
        mistakes
    }
}

fn within(mistakes: &mut Vec<String>, key: &str, value: u64, lowest: u64, highest: u64) {
    if !(lowest..=highest).contains(&value) {
        mistakes.push(format!("{key} is {value}: use {lowest} to {highest}"));
    }
}

/// Known keys, for the hint at an unknown one. A test keeps the list equal to the structs.
const KEYS: [&str; 35] = [
    "stream.url",
    "stream.monitor_url",
    "stream.max_bytes",
    "stream.store_dir",
    "stream.duplicate_window_ms",
    "stream.accept_acknowledgement_before_sync",
    "keys.sealing",
    "keys.sealing_old",
    "keys.hashing",
    "http.origins",
    "replica.name",
    "replica.url",
    "replica.passwords",
    "writer.visible_wait_ms",
    "writer.reference_wait_ms",
    "writer.queue",
    "writer.commits",
    "writer.batch_from",
    "writer.acknowledge_ms",
    "writer.publish_ms",
    "reader.connections",
    "reader.queue",
    "reader.acquire_ms",
    "reader.overload_ms",
    "reader.statement_ms",
    "reader.token_wait_ms",
    "reader.waiting",
    "projector.batch_events",
    "projector.announce_ms",
    "projector.audit_every_s",
    "stream",
    "http",
    "writer",
    "reader",
    "projector",
];

pub(super) fn unknown_key(path: &str) -> String {
    if path.starts_with("keys.hashing_old") {
        return format!(
            "{path} is no known key: the hashing key cannot be changed while a stream lives, because carts and Idempotency-Keys are known by their hashes alone; see docs/keys.md"
        );
    }
    let plain: String =
        path.split('.').filter(|part| part.parse::<usize>().is_err()).collect::<Vec<_>>().join(".");
    let nearest = KEYS
        .iter()
        .max_by(|a, b| strsim::jaro_winkler(a, &plain).total_cmp(&strsim::jaro_winkler(b, &plain)));
    format!("{path} is no known key; the nearest is {}", nearest.expect("the list is not empty"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_keys_is_that_of_the_structs() {
        let mut text = String::new();
        for section in ["writer", "reader", "projector"] {
            text += &format!("[{section}]\n");
            let keys = KEYS.iter().filter_map(|key| key.strip_prefix(&format!("{section}.")));
            text.extend(keys.map(|key| format!("{key} = 100\n")));
        }
        text += "[stream]\nurl = \"\"\nmonitor_url = \"\"\nmax_bytes = 1\nstore_dir = \"\"\nduplicate_window_ms = 1\naccept_acknowledgement_before_sync = true\n";
        text += "[keys]\nsealing = \"\"\nsealing_old = [\"\"]\nhashing = \"\"\n[http]\norigins = [\"\"]\n[[replica]]\nname = \"\"\nurl = \"\"\npasswords = \"\"\n";
        let mut unknown = Vec::new();
        let table: toml::Table = text.parse().unwrap();
        let read: Result<super::super::Config, _> =
            serde_ignored::deserialize(table, |path| unknown.push(path.to_string()));
        read.unwrap();
        assert_eq!(unknown, Vec::<String>::new());
    }
}
