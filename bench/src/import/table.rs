//! What was measured, for people and as JSON.

use std::path::Path;

use comfy_table::{Cell, CellAlignment, Table, presets};
use serde::Serialize;

use super::ours::Ours;
use super::reference::Reference;
use crate::error::Error;

/// A whole run.
#[derive(Debug, Serialize)]
pub(crate) struct Outcome {
    /// Raised when a field changes its meaning.
    pub(crate) schema_version: u32,
    pub(crate) cores: usize,
    pub(crate) file_system: String,
    pub(crate) products: u64,
    /// Rows of the files, dirty ones included.
    pub(crate) rows: u64,
    /// Bytes of the files.
    pub(crate) csv_bytes: u64,
    pub(crate) ours: Vec<Ours>,
    pub(crate) reference: Reference,
}

impl Outcome {
    /// Writes it all.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Error> {
        let text =
            serde_json::to_string_pretty(self).map_err(|error| Error::failed("write JSON")(error.into()))?;
        std::fs::write(path, text + "\n")
            .map_err(|error| Error::said(format!("write {}: {error}", path.display())))
    }

    /// Tables, also readable as Markdown.
    pub(crate) fn for_people(&self) -> String {
        format!(
            "{} products, {} rows, {:.0} MB of CSV; {} cores for everything; data on {}\n\n{}\n\n{}\n\n{}\n",
            self.products,
            self.rows,
            megabytes(self.csv_bytes),
            self.cores,
            self.file_system,
            self.times(),
            self.sizes(),
            self.usage()
        )
    }

    fn times(&self) -> Table {
        let mut table = table(&[
            "seconds",
            "in the stream",
            "loaded",
            "keys, indexes, derived",
            "serving",
            "× reference",
        ]);
        for ours in &self.ours {
            add(
                &mut table,
                &replicas(ours),
                [
                    format!("{:.1}", ours.streamed),
                    format!("{:.1}", ours.loaded),
                    format!("{:.1}", ours.closed),
                    format!("{:.1}", ours.serving),
                    format!("{:.2}", ours.serving / self.reference.indexed),
                ],
            );
        }
        let Reference { copied, indexed, .. } = self.reference;
        let none = String::new;
        add(
            &mut table,
            "\\copy, two jobs (reference)",
            [none(), format!("{copied:.1}"), format!("{indexed:.1}"), none(), none()],
        );
        table
    }

    fn sizes(&self) -> Table {
        let mut table = table(&["on disk", "MB", "× CSV"]);
        let mut line = |name: &str, bytes: u64| {
            let ratio = bytes as f64 / self.csv_bytes as f64;
            add(&mut table, name, [format!("{:.0}", megabytes(bytes)), format!("{ratio:.2}")]);
        };
        for ours in self.ours.iter().take(1) {
            line("stream", ours.stream_bytes);
            line("stream without sealed addresses", ours.stream_bytes.saturating_sub(ours.sealed_bytes));
            line("a replica, indexes included", ours.replica_bytes);
        }
        line("reference, indexes included", self.reference.bytes);
        table
    }

    fn usage(&self) -> Table {
        let mut table = table(&["process", "of", "peak MB", "processor s"]);
        let ours = self.ours.iter().map(|ours| (replicas(ours), &ours.usage));
        for (of, usages) in ours.chain([("reference".to_owned(), &self.reference.usage)]) {
            for (name, usage) in usages {
                let memory = format!("{:.0}", megabytes(usage.peak_bytes));
                add(&mut table, name, [of.clone(), memory, format!("{:.1}", usage.cpu_seconds)]);
            }
        }
        table
    }
}

fn replicas(ours: &Ours) -> String {
    format!("{} replica{}", ours.replicas, if ours.replicas == 1 { "" } else { "s" })
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

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
