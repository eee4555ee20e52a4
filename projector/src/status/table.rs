//! The report as a table of at most a hundred columns, and below it what has to be said in sentences.

use std::fmt::Write;

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};

use super::line::Line;
use super::{Report, words};
use crate::doctor::bytes;

/// Fits a terminal that is somewhat larger than the old ones.
const WIDTH: u16 = 100;
/// A replica whose oldest event is younger follows closely.
const LATE: f64 = 1.0;

pub(super) fn text(report: &Report) -> String {
    let mut text = String::new();
    let arriving = report.replicas.iter().find_map(|line| line.arriving_per_second);
    // Writing to a string does not fail.
    let _ = match (&report.epoch, report.head) {
        (Some(epoch), Some(head)) => {
            let pace = match arriving {
                None => String::new(),
                Some(0.0) => ", quiet".to_owned(),
                Some(rate) => format!(", {} events come", words::rate(rate)),
            };
            writeln!(text, "stream ATELIER, epoch {epoch}, head {head}{pace}")
        }
        _ => writeln!(text, "stream ATELIER: {}", report.stream.as_deref().unwrap_or("unknown")),
    };
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(WIDTH);
    table.set_header([
        "replica",
        "state",
        "gen.",
        "position",
        "behind",
        "applies",
        "serves",
        "last audit",
        "size",
    ]);
    for line in &report.replicas {
        table.add_row(row(line));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    text.push_str(&table.trim_fmt());
    for line in &report.replicas {
        if !line.why.is_empty() {
            let (first, rest) = (format!("{}: ", line.name), " ".repeat(line.name.len() + 2));
            for (number, part) in
                words::wrapped(&line.why, usize::from(WIDTH) - first.len()).iter().enumerate()
            {
                let _ = write!(text, "\n{}{part}", if number == 0 { &first } else { &rest });
            }
        }
        if let Some(mend) = &line.mend {
            // In one line, to be copied.
            let _ = write!(text, "\n  to mend {}: {mend}", line.name);
        }
    }
    text
}

fn row(line: &Line) -> [String; 9] {
    let unknown = || "unknown".to_owned();
    let state = match line.silent_seconds {
        Some(seconds) if line.state == "unknown" => format!("unknown\nfor {}", words::duration(seconds)),
        _ if line.stalled => "stalled".to_owned(),
        _ => line.state.clone(),
    };
    let generation = match (line.generation, line.projection_version) {
        (Some(number), Some(version)) => format!("{number} (v{version})"),
        (Some(number), None) => number.to_string(),
        (None, Some(version)) => format!("(v{version})"),
        (None, None) => unknown(),
    };
    let behind = match (line.behind_events, line.behind_seconds) {
        (Some(0), _) => "nothing".to_owned(),
        (Some(events), seconds) => {
            let age = seconds.map(|seconds| format!("\n{}", words::duration(seconds)));
            // One that follows closely is always a few events away.
            let late = seconds.is_none_or(|seconds| seconds >= LATE);
            let left = match (line.seconds_left, line.events_per_second) {
                _ if !late => String::new(),
                (Some(left), _) => format!("\n{} left", words::duration(left)),
                (None, Some(_)) if line.state != "stopped" && !line.stalled => "\ncomes no nearer".to_owned(),
                _ => String::new(),
            };
            let events = words::grouped(events);
            format!("{events} event{}{}{left}", if events == "1" { "" } else { "s" }, age.unwrap_or_default())
        }
        (None, _) => unknown(),
    };
    let applies = match (line.events_per_second, line.behind_events) {
        (Some(0.0), Some(0)) => "quiet".to_owned(),
        (Some(0.0), Some(_)) => "nothing".to_owned(),
        (Some(rate), _) => words::rate(rate),
        (None, _) => unknown(),
    };
    let audit = match &line.last_audit {
        Some(audit) => format!("{}\n{} ago", audit.result, words::duration(audit.age_seconds)),
        None if line.bytes.is_none() => unknown(),
        None => "never".to_owned(),
    };
    let serves = if line.serving { "yes" } else { "no" };
    let size = line.bytes.and_then(|size| u64::try_from(size).ok()).map_or_else(unknown, bytes);
    let position = line.position.map_or_else(unknown, |position| position.to_string());
    [line.name.clone(), state, generation, position, behind, applies, serves.to_owned(), audit, size]
}

#[cfg(test)]
mod tests {
    use super::super::known::Audit;
    use super::*;

    fn report(lines: Vec<Line>) -> Report {
        let (epoch, head) = (Some("abcdefgh2345".to_owned()), Some(1_000_123_456));
        Report { schema_version: 1, epoch, head, stream: None, replicas: lines }
    }

    fn well() -> Line {
        Line {
            name: "a".into(),
            state: "serving".into(),
            position: Some(1_000_123_456),
            behind_events: Some(0),
            behind_seconds: Some(0.0),
            serving: true,
            generation: Some(12),
            projection_version: Some(4),
            events_per_second: Some(0.0),
            arriving_per_second: Some(0.0),
            last_audit: Some(Audit { result: "equal".into(), position: 1_000_000_123, age_seconds: 300.0 }),
            bytes: Some(1_234_000_000),
            ..Line::default()
        }
    }

    #[test]
    fn no_cell_is_empty_and_no_line_of_the_table_is_too_long() {
        let unknown =
            Line { name: "b".into(), state: "unknown".into(), silent_seconds: Some(5.0), ..Line::default() };
        let behind = Line {
            name: "c".into(),
            state: "catching up".into(),
            position: Some(1_000_000_456),
            behind_events: Some(123_000),
            behind_seconds: Some(61.0),
            events_per_second: Some(12_345.6),
            arriving_per_second: Some(900.0),
            seconds_left: Some(11.0),
            serving: false,
            ..well()
        };
        let text = text(&report(vec![well(), unknown.clone(), behind]));
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        for line in [&well(), &unknown] {
            assert!(row(line).iter().all(|cell| !cell.is_empty()), "{line:?}");
        }
        for part in
            ["quiet", "for 5.0 s", "equal", "5 min ago", "12 (v4)", "1.2 GB", "12,346/s", "123,000 events"]
        {
            assert!(text.contains(part), "{part} is missing:\n{text}");
        }
        assert_eq!(row(&unknown)[3], "unknown");
    }

    #[test]
    fn a_stalled_replica_is_called_so_and_what_to_type_stands_in_one_line() {
        let mend = "projector parked skip 1000000457 --because \"…\"".to_owned() + &" x".repeat(60);
        let line = Line {
            stalled: true,
            why: "word ".repeat(40),
            mend: Some(mend.clone()),
            behind_events: Some(1),
            behind_seconds: Some(7.0),
            ..well()
        };
        assert_eq!(row(&line)[1], "stalled");
        assert_eq!((row(&line)[4].as_str(), row(&line)[5].as_str()), ("1 event\n7.0 s", "nothing"));
        let text = text(&report(vec![line]));
        assert!(text.lines().any(|line| line.ends_with(&mend)), "{text}");
        assert!(text.lines().filter(|line| line.contains("word")).count() > 1, "{text}");
    }
}
