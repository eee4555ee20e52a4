//! The table, and the same as JSON.

use std::path::Path;

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};
use serde::Serialize;

use crate::error::Error;
use crate::figures::Spread;
use crate::row::{LineOutcome, Outcome};

/// A whole run.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// Raised when a field changes its meaning.
    pub(crate) schema_version: u32,
    /// The machine's cores, shared by everything.
    pub(crate) cores: usize,
    /// What the data lies on, as `ext4`.
    pub(crate) file_system: String,
    /// Products in the catalogue.
    pub(crate) products: u64,
    /// Of each line in each round.
    pub(crate) seconds: u64,
    pub(crate) rounds: u64,
    pub(crate) rows: Vec<Outcome>,
}

impl Report {
    /// Writes it all.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Error> {
        let text =
            serde_json::to_string_pretty(self).map_err(|error| Error::failed("write JSON")(error.into()))?;
        std::fs::write(path, text + "\n")
            .map_err(|error| Error::said(format!("write {}: {error}", path.display())))
    }

    /// For people; also readable as Markdown.
    pub(crate) fn table(&self) -> String {
        let mut text = format!(
            "{} cores for everything, the load included; data on {}; {} products; {} rounds of {} s: median (lowest–highest)\n",
            self.cores, self.file_system, self.products, self.rounds, self.seconds
        );
        for row in &self.rows {
            text += &format!("\n{}: {}\n\n{}\n", row.row, row.about, table(&row.lines));
        }
        text
    }
}

fn table(lines: &[LineOutcome]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::ASCII_MARKDOWN)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(["line", "a second", "p50 ms", "p99 ms", "flushes a second", "beside"]);
    for line in lines {
        let beside: Vec<String> = line
            .beside
            .iter()
            .map(|one| format!("{} × {}", spread(one.ratio, |ratio| format!("{ratio:.2}")), one.reference))
            .collect();
        let figure = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
        table.add_row([
            Cell::new(line.line),
            figure(spread(line.per_second, grouped)),
            figure(spread(line.p50_ms, milliseconds)),
            figure(spread(line.p99_ms, milliseconds)),
            figure(line.flushes_per_second.map_or("unknown".to_owned(), |flushes| grouped(flushes.median))),
            Cell::new(if beside.is_empty() { "(reference)".to_owned() } else { beside.join("; ") }),
        ]);
    }
    table
}

fn spread(figure: Spread, show: impl Fn(f64) -> String) -> String {
    format!("{} ({}–{})", show(figure.median), show(figure.min), show(figure.max))
}

fn milliseconds(figure: f64) -> String {
    if figure < 10.0 { format!("{figure:.2}") } else { format!("{figure:.0}") }
}

/// `12,345`
fn grouped(figure: f64) -> String {
    let digits = format!("{figure:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        assert_eq!([0.4, 999.6, 12_345.0, 1_234_567.0].map(grouped), ["0", "1,000", "12,345", "1,234,567"]);
    }

    #[test]
    fn a_line_shows_its_spread() {
        let spread_of = Spread { median: 2.0, min: 1.0, max: 30.0 };
        assert_eq!(spread(spread_of, milliseconds), "2.00 (1.00–30)");
    }
}
