//! The rows as the importer cleaned them, as CSV files: what the reference is given.

use std::path::Path;

use contract::catalogue::Table;
use local::System;

use super::reference::{Psql, side_by_side};
use super::say;
use crate::error::Error;

/// Writes a file for each table from the first replica.
///
/// # Errors
/// When psql fails.
pub(crate) async fn export(system: &System, folder: &Path) -> Result<(), Error> {
    say("writing the cleaned files for the reference");
    let psql = Psql::of(system)?;
    let jobs = Table::ALL.map(|table| {
        let file = folder.join(table.name());
        format!(
            "\\copy (select {} from live.{}) to '{}' with (format csv)",
            table.columns(),
            table.name(),
            file.display()
        )
    });
    side_by_side(&psql, jobs.into()).await
}
