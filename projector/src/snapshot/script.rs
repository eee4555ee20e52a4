//! What lies in a snapshot for whoever has no projector at hand: a script for psql, and a page to read.

use std::fmt::Write;

use super::manifest::{MANIFEST, Manifest};
use crate::folder::SUMS;
use crate::generation;
use crate::resources::catalogue;

/// Its file.
pub(super) const SCRIPT: &str = "restore.sql";
/// The page's file.
pub(super) const PAGE: &str = "README.md";

/// Makes the tables in a schema `snapshot` and fills them.
pub(super) fn script(manifest: &Manifest) -> String {
    let mut script = format!(
        "-- Reads this snapshot of Atelier into schema `snapshot` of a database, by psql alone. From this folder:\n\
         --     createdb scratch\n\
         --     psql --no-psqlrc -d scratch -f {SCRIPT}\n\
         -- A projector restores it into a replica, checks it first, and applies what came since: projector restore.\n\
         \\set ON_ERROR_STOP on\n\
         begin;\n\
         set local client_encoding = 'UTF8';\n\
         set local timezone = 'UTC';\n\
         create schema snapshot;\n\
         set local search_path = snapshot;\n"
    );
    for migration in generation::migrations() {
        let _a_string_takes_all = writeln!(script, "\n-- migration {}", migration.version);
        script += migration.sql.as_str().trim_end();
        script += "\n";
    }
    script += "\n";
    for table in &manifest.tables {
        let columns = table.columns.join(", ");
        let _a_string_takes_all = writeln!(script, "\\copy {} ({columns}) from '{}'", table.name, table.file);
    }
    let _a_string_takes_all = writeln!(
        script,
        "\ninsert into checkpoint (only_row, position, epoch, event_hash, fence, step, clock, projection_version)\n\
         values (true, {}, '{}', '\\x{}', 0, 0, {}, {});\n",
        manifest.position,
        manifest.epoch,
        manifest.event_hash,
        manifest.clock.unwrap_or_default(),
        manifest.projection_version
    );
    for index in catalogue::indexes() {
        let _a_string_takes_all = writeln!(script, "{index};");
    }
    script += "commit;\n";
    script
}

/// What the folder is.
pub(super) fn page(manifest: &Manifest) -> String {
    let Manifest { replica, taken, position, epoch, rows, bytes, hashing_key, .. } = manifest;
    let megabytes = *bytes as f64 / 1e6;
    format!(
        "# A snapshot of Atelier\n\n\
         Everything that replica `{replica}` held at position {position} of epoch `{epoch}`, taken at {taken}:\n\
         {rows} rows, {megabytes:.1} MB. `{MANIFEST}` says where it stands and what is in each file.\n\n\
         * Is it as it was written? `sha256sum --check {SUMS}`\n\
         * Is it good for anything? `projector snapshot verify DIR` restores it beside what serves, applies what came since,\n  \
           compares the result with a replica, and removes it again.\n\
         * Back into a replica: `projector restore --replica NAME --from DIR`\n\
         * With plain psql: `createdb scratch && psql --no-psqlrc -d scratch -f {SCRIPT}`, typed in this folder. Files under\n  \
           `tables/` are in the text form of COPY.\n\n\
         E-mail addresses in it are sealed; keys are not in it, and without them addresses cannot be opened. Sessions and\n\
         writes are named under hashing key `{hashing_key}`. Keep the keys elsewhere (docs/keys.md), and this folder private.\n"
    )
}
