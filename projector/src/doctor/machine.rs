//! What lies on this machine: key files, clock, disk space.

use std::net::IpAddr;
use std::path::Path;

use contract::Millis;
use service::{Config, keys};

use super::examination::{Examination, Finding};

/// Clocks further apart than this make what is said in seconds wrong, in milliseconds.
const CLOCK_WARN: i64 = 500;
/// And than this: 24 hours of an `Idempotency-Key`, and times of events, are visibly wrong.
const CLOCK_FAIL: i64 = 60_000;
/// Free space below which somebody should act soon.
const SPACE_WARN: u64 = 2 << 30;
/// Free space below which everything may stop at any moment.
const SPACE_FAIL: u64 = 128 << 20;

/// Looks at the key files; gives the hashing key's id.
pub(super) async fn examine(examination: &mut Examination, config: &Config) -> Option<String> {
    let keys = &config.keys;
    let _ring = examination
        .check("machine.sealing-key", &[], Some(()), async |()| match keys::ring(keys) {
            Ok(ring) => Finding::pass(format!("{} seals, mode 600", ring.current().key_id())),
            Err(error) => Finding::fail(error.to_string(), mend_key(&error)),
        })
        .await;
    examination
        .check("machine.hashing-key", &[], Some(()), async |()| match keys::hashing(keys) {
            Ok(key) => Finding::known(key.id(), format!("{}, mode 600", key.id())),
            Err(error) => Finding::fail(error.to_string(), mend_key(&error)),
        })
        .await
}

fn mend_key(error: &keys::Error) -> String {
    use keys::Error;
    match error {
        Error::Exposed { path, .. } => format!("chmod 600 {}", path.display()),
        Error::Read { path, .. } => {
            format!("restore {} from your backup; only on a new system: projector init", path.display())
        }
        Error::Old { path, .. } | Error::Content { path, .. } => {
            format!("restore {} from your backup", path.display())
        }
        Error::Twice { path, .. } => {
            format!("take {} out of keys.sealing_old in atelier.toml; see docs/keys.md", path.display())
        }
    }
}

/// Whether a host, perhaps with a port, is this machine as far as its name tells. A unix socket is a path.
pub(super) fn is_here(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None if host.matches(':').count() == 1 => host.split(':').next().unwrap_or_default(),
        None => host,
    };
    name == "localhost" || name.starts_with('/') || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Judges another machine's clock, asked for between two looks at ours.
pub(super) fn clock(whose: &str, before: Millis, theirs: Millis, after: Millis) -> Finding {
    let ours = before.0.midpoint(after.0);
    // Half of the time that the question took is nobody's knowledge.
    let surely = (theirs.0 - ours).abs() - (after.0 - before.0) / 2;
    let (ahead, apart) = (theirs.0 > ours, (theirs.0 - ours).abs());
    let found = match apart {
        0..=9 => format!("{whose}'s clock is as ours"),
        _ if ahead => format!("{whose}'s clock is {apart} ms ahead of ours"),
        _ => format!("{whose}'s clock is {apart} ms behind ours"),
    };
    let mend = "let both machines follow one time server: timedatectl set-ntp true";
    if surely <= CLOCK_WARN {
        Finding::pass(found)
    } else if surely <= CLOCK_FAIL {
        Finding::warn((), found, mend)
    } else {
        Finding::fail(found, mend)
    }
}

/// Judges the free space of the disk on which a folder of this machine lies. `growth` is what is yet allowed to be stored
/// there.
pub(super) fn disk(folder: &Path, growth: Option<u64>) -> Finding {
    let space = match rustix::fs::statvfs(folder) {
        Ok(space) => space,
        Err(error) => {
            return Finding::unknown(format!("the disk of {} cannot be asked: {error}", folder.display()));
        }
    };
    judge_space(folder, space.f_bavail.saturating_mul(space.f_frsize), growth)
}

fn judge_space(folder: &Path, free: u64, growth: Option<u64>) -> Finding {
    let found = format!("{} free where {} lies", bytes(free), folder.display());
    let mend = format!("free space on its disk: df -h {}", folder.display());
    match (free, growth) {
        (..SPACE_FAIL, _) => Finding::fail(found, mend),
        (..SPACE_WARN, _) => Finding::warn((), found, mend),
        (_, Some(growth)) if growth > free => Finding::warn(
            (),
            format!(
                "{found}, and the stream may grow by {}: the disk would be full before the stream is",
                bytes(growth)
            ),
            mend,
        ),
        _ => Finding::pass(found),
    }
}

/// As in `12.3 GB`.
pub(crate) fn bytes(bytes: u64) -> String {
    let mut rest = bytes as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        if rest < 1000.0 {
            return if unit == "B" { format!("{bytes} B") } else { format!("{rest:.1} {unit}") };
        }
        rest /= 1000.0;
    }
    format!("{rest:.1} TB")
}

#[cfg(test)]
mod tests {
    use super::super::examination::Outcome;
    use super::*;

    async fn outcome(finding: Finding) -> (Outcome, String) {
        let mut examination = Examination::default();
        let _grounds = examination.check("a", &[], Some(finding), async |finding| finding).await;
        let check = &examination.checks()[0];
        (check.outcome, check.found.clone())
    }

    #[tokio::test]
    async fn a_clock_is_wrong_only_by_what_the_question_s_own_time_cannot_explain() {
        let at = |theirs| clock("Postgres", Millis(1_000_000), Millis(theirs), Millis(1_000_200));
        assert_eq!(outcome(at(1_000_105)).await, (Outcome::Pass, "Postgres's clock is as ours".to_owned()));
        assert_eq!(outcome(at(1_000_650)).await.0, Outcome::Pass);
        let (warned, words) = outcome(at(999_300)).await;
        assert_eq!((warned, words.as_str()), (Outcome::Warn, "Postgres's clock is 800 ms behind ours"));
        assert_eq!(outcome(at(1_100_000)).await.0, Outcome::Fail);
    }

    #[tokio::test]
    async fn little_space_is_told_before_it_is_none() {
        let folder = Path::new("/x");
        assert_eq!(outcome(judge_space(folder, 3 << 30, Some(1 << 30))).await.0, Outcome::Pass);
        let (warned, words) = outcome(judge_space(folder, 3 << 30, Some(4 << 30))).await;
        assert!(warned == Outcome::Warn && words.contains("full before the stream is"), "{words}");
        assert_eq!(outcome(judge_space(folder, 1 << 30, None)).await.0, Outcome::Warn);
        assert_eq!(outcome(judge_space(folder, 1 << 20, None)).await.0, Outcome::Fail);
    }

    #[test]
    fn only_loopback_and_sockets_are_surely_here() {
        for here in ["localhost:4222", "127.0.0.1:4222", "[::1]:4222", "::1", "/tmp"] {
            assert!(is_here(here), "{here}");
        }
        for there in ["10.0.0.1:4222", "nats.example", "[2001:db8::1]:4222"] {
            assert!(!is_here(there), "{there}");
        }
    }

    #[test]
    fn bytes_are_told_in_the_unit_that_fits() {
        assert_eq!([999, 1_000, 12_345_678].map(bytes), ["999 B", "1.0 kB", "12.3 MB"]);
        assert_eq!(bytes(7_000_000_000_000), "7.0 TB");
    }
}
