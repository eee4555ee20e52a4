//! What became of the rows, for people, on stdout.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};

use crate::row::Repair;
use crate::summary::FileCounts;

/// Prints the summary of an import.
pub(crate) fn print(counts: &[FileCounts], quarantine: &Path, closed: contract::Position, took: Duration) {
    println!("{}", table(counts));
    let sum = |count: &dyn Fn(&FileCounts) -> u64| counts.iter().map(count).sum::<u64>();
    for repair in Repair::ALL {
        let rows = sum(&|file| file.repairs[repair as usize]);
        if rows > 0 {
            println!("repaired: {rows} rows, {}", repair.name());
        }
    }
    for (reason, rows) in by_reason(counts, |file| file.dropped.iter().map(|(reason, rows)| (*reason, *rows)))
    {
        println!("dropped: {rows} rows, {reason}");
    }
    let quarantined = |file: &FileCounts| -> Vec<(String, u64)> {
        file.quarantined.iter().map(|(reason, rows)| (format!("{}: {reason}", file.name), *rows)).collect()
    };
    for (reason, rows) in by_reason(counts, |file| quarantined(file).into_iter()) {
        println!("quarantined: {rows} rows, {reason}");
    }
    if sum(&FileCounts::all_quarantined) > 0 {
        println!("quarantined rows are in {}", quarantine.display());
    }
    println!(
        "imported {} of {} rows in {:.1} s; the closing event is at position {closed}",
        sum(&|file| file.imported),
        sum(&|file| file.rows),
        took.as_secs_f64()
    );
}

fn table(counts: &[FileCounts]) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header([
        "file",
        "lines",
        "other lines",
        "rows",
        "imported",
        "repaired",
        "dropped",
        "quarantined",
    ]);
    let mut totals = [0; 7];
    for file in counts {
        let numbers = [
            file.lines,
            // Headers, blank lines, and further lines of a row whose text has line breaks.
            file.lines - file.rows,
            file.rows,
            file.imported,
            file.repaired,
            file.all_dropped(),
            file.all_quarantined(),
        ];
        for (total, number) in totals.iter_mut().zip(numbers) {
            *total += number;
        }
        table.add_row(row(file.name, numbers));
    }
    table.add_row(row("all", totals));
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn row(name: &str, numbers: [u64; 7]) -> Vec<String> {
    std::iter::once(name.to_owned()).chain(numbers.iter().map(u64::to_string)).collect()
}

/// Adds up what several files count under one reason.
fn by_reason<'a, K, I>(counts: &'a [FileCounts], of: impl Fn(&'a FileCounts) -> I) -> BTreeMap<K, u64>
where
    K: Ord,
    I: Iterator<Item = (K, u64)>,
{
    let mut sums = BTreeMap::new();
    for (reason, rows) in counts.iter().flat_map(of) {
        *sums.entry(reason).or_default() += rows;
    }
    sums
}
