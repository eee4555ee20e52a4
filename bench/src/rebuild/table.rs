//! What was measured, for people and as JSON.

use std::path::Path;

use comfy_table::{Cell, CellAlignment, Table, presets};
use serde::Serialize;

use super::copy::FromReplica;
use super::felt::UnderLoad;
use super::mix;
use super::plain::Plain;
use super::replay::FromStream;
use super::shoppers::{Felt, READS, WRITES};
use crate::error::Error;

/// A whole run.
#[derive(Debug, Serialize)]
pub(super) struct Outcome {
    /// Raised when a field changes its meaning.
    pub(super) schema_version: u32,
    pub(super) cores: usize,
    pub(super) file_system: String,
    pub(super) products: u64,
    pub(super) events: u64,
    pub(super) stream: Option<FromStream>,
    pub(super) plain: Option<Plain>,
    pub(super) replica: Option<FromReplica>,
    pub(super) load: Option<UnderLoad>,
}

impl Outcome {
    /// Writes it all.
    pub(super) fn write(&self, path: &Path) -> Result<(), Error> {
        let text =
            serde_json::to_string_pretty(self).map_err(|error| Error::failed("write JSON")(error.into()))?;
        std::fs::write(path, text + "\n")
            .map_err(|error| Error::said(format!("write {}: {error}", path.display())))
    }

    /// What all tables stand on.
    pub(super) fn heading(&self) -> String {
        format!(
            "{} products, {} ordinary events; {} cores for everything; data on {}\n{}",
            self.products,
            self.events,
            self.cores,
            self.file_system,
            mix::IN_WORDS
        )
    }
}

/// A rebuild from the stream, beside plain SQL; also readable as Markdown.
pub(super) fn from_stream(stream: &FromStream, plain: Option<&Plain>) -> String {
    let mut table = table(&["ordinary events", "s", "then made last, s", "a second", "rebuild beside"]);
    let rate = stream.rate();
    let ours = [
        format!("{:.1}", stream.applied),
        format!("{:.1}", stream.made_last),
        format!("{rate:.0}"),
        String::new(),
    ];
    add(&mut table, "rebuild from the stream", ours);
    if let Some(plain) = plain {
        let ways = [
            ("plain SQL, its rows in batches of 5,000 events", plain.batches, plain.batches_rate()),
            ("plain SQL, all its rows in one statement", plain.at_once, plain.at_once_rate()),
        ];
        for (name, seconds, reference) in ways {
            let beside = format!("{:.2}", rate / reference);
            let figures =
                [format!("{seconds:.1}"), format!("{:.1}", plain.indexes), format!("{reference:.0}"), beside];
            add(&mut table, name, figures);
        }
    }
    let foretold = stream.foretold.map_or("nothing".to_owned(), |off| format!("{:+.0} %", off * 100.0));
    format!(
        "{table}\n\nthe catalogue took {:.1} s, comparing and the swap {:.1} s, all together {:.1} s; the swap held the \
         projector for {:.1} ms; after a quarter the time left was foretold with {foretold}",
        stream.catalogue,
        stream.compared,
        stream.whole,
        stream.swap_ms.unwrap_or_default()
    )
}

/// A rebuild from a replica, beside Postgres's own tools.
pub(super) fn from_replica(replica: &FromReplica) -> String {
    let mut table = table(&["rows with keys and indexes", "s", "rows a second", "rebuild beside"]);
    let (rate, reference) = (replica.rate(), replica.reference());
    let ours = [format!("{:.1}", replica.copied), format!("{rate:.0}"), String::new()];
    add(&mut table, &format!("rebuild from a replica, {} rows", replica.rows), ours);
    let name = format!("pg_dump -Fd -j 2 -Z 0 ({:.1} s), pg_restore -j 2", replica.dumped);
    let seconds = replica.dumped + replica.restored;
    let beside = format!("{:.2}", rate / reference);
    add(&mut table, &name, [format!("{seconds:.1}"), format!("{reference:.0}"), beside]);
    let foretold = replica.foretold.map_or("nothing".to_owned(), |off| format!("{:+.0} %", off * 100.0));
    format!(
        "{table}\n\nall together {:.1} s; the swap held the projector for {:.1} ms; after a quarter the time left was \
         foretold with {foretold}",
        replica.whole,
        replica.swap_ms.unwrap_or_default()
    )
}

/// What shoppers felt.
pub(super) fn under_load(load: &UnderLoad) -> String {
    let mut table = table(&[
        "under load",
        "s",
        "reads",
        "failed or wrong",
        "writes",
        "failed",
        "p50 ms",
        "p99 ms",
        "× normal",
        "most ms",
        "around the swap, most ms",
    ]);
    let mut line = |name: &str, seconds: Option<f64>, felt: &Felt, swap: Option<&Felt>| {
        let figures = [
            seconds.map_or(String::new(), |seconds| format!("{seconds:.1}")),
            felt.reads.to_string(),
            felt.read_faults.to_string(),
            felt.writes.to_string(),
            felt.write_faults.to_string(),
            format!("{:.1}", felt.p50_ms),
            format!("{:.1}", felt.p99_ms),
            format!("{:.2}", felt.p99_ms / load.normal.p99_ms),
            format!("{:.1}", felt.most_ms),
            swap.map_or(String::new(), |swap| format!("{:.1}", swap.most_ms)),
        ];
        add(&mut table, name, figures);
    };
    line("normal, before", None, &load.normal, None);
    for verb in &load.verbs {
        line(&verb.name, Some(verb.seconds), &verb.felt, Some(&verb.swap));
    }
    line("normal, after", None, &load.after, None);
    let faults = load.faults.iter().map(|fault| format!("\n* {fault}")).collect::<String>();
    format!("{READS} reads and {WRITES} writes a second through nginx, over both replicas\n\n{table}{faults}")
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(header.to_vec());
    table
}

fn add<const N: usize>(table: &mut Table, name: &str, figures: [String; N]) {
    let figures = figures.map(|figure| Cell::new(figure).set_alignment(CellAlignment::Right));
    table.add_row(std::iter::once(Cell::new(name)).chain(figures));
}
