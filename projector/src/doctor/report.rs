//! The examination as a table for people and as JSON for programs.

use std::fmt::Write;

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use serde::Serialize;

use super::examination::{Check, Examination, Outcome};

/// Raised when a field changes its meaning or goes; fields and checks may be added within one.
const SCHEMA_VERSION: u32 = 1;

#[derive(Serialize)]
struct Report<'a> {
    schema_version: u32,
    /// The worst of all.
    outcome: Outcome,
    pass: usize,
    warn: usize,
    fail: usize,
    skipped: usize,
    checks: &'a [Check],
}

/// JSON, as docs/doctor.md describes it.
pub(crate) fn json(examination: &Examination) -> serde_json::Result<String> {
    let count = |outcome| examination.count(outcome);
    serde_json::to_string_pretty(&Report {
        schema_version: SCHEMA_VERSION,
        outcome: match (count(Outcome::Fail), count(Outcome::Warn)) {
            (0, 0) => Outcome::Pass,
            (0, _) => Outcome::Warn,
            _ => Outcome::Fail,
        },
        pass: count(Outcome::Pass),
        warn: count(Outcome::Warn),
        fail: count(Outcome::Fail),
        skipped: count(Outcome::Skipped),
        checks: examination.checks(),
    })
}

/// A table, and below it what mends each warning and failure, in words that can be copied.
pub(crate) fn table(examination: &Examination) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["check", "", "what was found"]);
    for check in examination.checks() {
        table.add_row([check.name.as_str(), check.outcome.word(), &check.found]);
    }
    let mut text = table.trim_fmt();
    let to_mend: Vec<_> =
        examination.checks().iter().filter_map(|check| Some((&check.name, check.mend.as_ref()?))).collect();
    if !to_mend.is_empty() {
        text.push_str("\n\nTo mend:");
    }
    for (name, mend) in to_mend {
        // Writing to a string does not fail.
        let _ = write!(text, "\n  {name}: {mend}");
    }
    text
}

/// Why the command fails, if it does: one sentence.
pub(crate) fn verdict(examination: &Examination, strict: bool) -> Result<(), String> {
    let (failed, warned) = (examination.count(Outcome::Fail), examination.count(Outcome::Warn));
    if failed == 0 && !(strict && warned > 0) {
        return Ok(());
    }
    let counted = |count: usize, what: &str| match count {
        0 => None,
        1 => Some(format!("1 check {what}")),
        count => Some(format!("{count} checks {what}")),
    };
    let parts = [
        counted(failed, "failed"),
        counted(warned, "warned"),
        counted(examination.count(Outcome::Skipped), "skipped"),
    ];
    Err(parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::super::examination::Finding;
    use super::*;

    async fn examination() -> Examination {
        let mut examination = Examination::default();
        let one = examination.check("server.health", &[], Some(()), async |()| Finding::pass("well")).await;
        let two = examination
            .check("stream.room", &["server.health"], one, async |()| {
                Finding::warn((), "81 % are taken", "nats stream edit ATELIER --max-bytes=2")
            })
            .await;
        let three = examination
            .check("stream.gaps", &["stream.room"], two, async |()| -> Finding {
                Finding::fail("2 events are missing", "restore it")
            })
            .await;
        let _four =
            examination.check("replica.a.event", &["stream.gaps"], three, async |()| Finding::pass("")).await;
        examination
    }

    #[tokio::test]
    async fn json_names_every_field_that_is_promised() {
        let report: serde_json::Value = serde_json::from_str(&json(&examination().await).unwrap()).unwrap();
        assert_eq!((&report["schema_version"], &report["outcome"]), (&1.into(), &"fail".into()));
        for (outcome, count) in [("pass", 1), ("warn", 1), ("fail", 1), ("skipped", 1)] {
            assert_eq!(report[outcome], count, "{outcome}");
        }
        assert_eq!(
            report["checks"][3],
            serde_json::json!({"name": "replica.a.event", "outcome": "skipped", "found": "needs stream.gaps",
                "mend": null, "because": "stream.gaps"})
        );
    }

    #[tokio::test]
    async fn the_table_ends_with_what_mends_warnings_and_failures() {
        let text = table(&examination().await);
        let (above, below) = text.split_once("To mend:").unwrap();
        assert!(above.contains("81 % are taken") && above.contains("skipped"), "{text}");
        assert_eq!(
            below,
            "\n  stream.room: nats stream edit ATELIER --max-bytes=2\n  stream.gaps: restore it"
        );
    }

    #[tokio::test]
    async fn strict_counts_warnings_too() {
        let all = examination().await;
        assert_eq!(verdict(&all, false), Err("1 check failed, 1 check warned, 1 check skipped".to_owned()));
        let mut warned = Examination::default();
        let _warned = warned.check("a", &[], Some(()), async |()| Finding::warn((), "b", "c")).await;
        assert_eq!(verdict(&warned, false), Ok(()));
        assert_eq!(verdict(&warned, true), Err("1 check warned".to_owned()));
    }
}
