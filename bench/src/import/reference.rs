//! The reference: what a person with psql would do, and no more.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use contract::catalogue::Table;
use futures::future::try_join_all;
use local::System;
use serde::Serialize;
use tokio::process::Command;

use super::usage::{Usage, Watch};
use super::{Seconds, say};
use crate::error::Error;

/// Jobs at once.
const JOBS: usize = 2;
/// Each foreign key's column, with an index each.
const FOREIGN_KEYS: [(Table, &[&str]); 14] = [
    (Table::Products, &[]),
    (Table::Features, &["product_id"]),
    (Table::Styles, &["product_id"]),
    (Table::Skus, &["style_id"]),
    (Table::StylePhotos, &["style_id"]),
    (Table::RelatedProducts, &["product_id", "related_product_id"]),
    (Table::Reviews, &["product_id"]),
    (Table::ReviewPhotos, &["review_id"]),
    (Table::Characteristics, &["product_id"]),
    (Table::CharacteristicRatings, &["characteristic_id", "review_id"]),
    (Table::Questions, &["product_id"]),
    (Table::Answers, &["question_id"]),
    (Table::AnswerPhotos, &["answer_id"]),
    (Table::LegacyCartLines, &["sku_id"]),
];

/// What it took.
#[derive(Debug, Serialize)]
pub(crate) struct Reference {
    pub(crate) copied: Seconds,
    /// Primary keys and indexes as well.
    pub(crate) indexed: Seconds,
    pub(crate) bytes: u64,
    pub(crate) usage: BTreeMap<String, Usage>,
}

/// Copies the cleaned files into fresh tables of the system's Postgres, whose other processes have nothing to do.
///
/// # Errors
/// When psql fails.
pub(crate) async fn measure(system: &System, cleaned: &Path) -> Result<Reference, Error> {
    say("the reference: \\copy, two jobs");
    let psql = Psql::of(system)?;
    let tables = FOREIGN_KEYS.map(|(table, _)| table.name());
    let made = tables.map(|table| format!("create table reference.{table} (like live.{table});"));
    psql.run(&format!("create schema reference; {}", made.concat())).await?;

    let watch = Watch::start(system, &[]);
    let started = Instant::now();
    side_by_side(
        &psql,
        by_size(cleaned, |table| {
            let file = cleaned.join(table.name());
            format!(
                "\\copy reference.{} ({}) from '{}' with (format csv)",
                table.name(),
                table.columns(),
                file.display()
            )
        })?,
    )
    .await?;
    let copied = started.elapsed().as_secs_f64();
    say(&format!("copied after {copied:.1} s; keys and indexes"));
    side_by_side(
        &psql,
        by_size(cleaned, |table| {
            let name = table.name();
            let columns =
                FOREIGN_KEYS.iter().filter(|(other, _)| *other == table).flat_map(|(_, columns)| *columns);
            let indexes = columns.map(|column| format!("create index on reference.{name} ({column});"));
            format!("alter table reference.{name} add primary key (id); {}", indexes.collect::<String>())
        })?,
    )
    .await?;
    let indexed = started.elapsed().as_secs_f64();
    say(&format!("indexed after {indexed:.1} s"));
    let mut usage = watch.stop();
    usage.retain(|name, _| name.starts_with("postgres"));
    let size = psql
        .run(
            "select sum(pg_total_relation_size(pg_class.oid)) from pg_class join pg_namespace on \
             pg_namespace.oid = relnamespace where nspname = 'reference' and relkind = 'r'",
        )
        .await?;
    Ok(Reference { copied, indexed, bytes: size.trim().parse().unwrap_or_default(), usage })
}

/// A script for each table, those of large files first, so that no job is left with a large one at the end.
fn by_size(cleaned: &Path, script: impl Fn(Table) -> String) -> Result<Vec<String>, Error> {
    let mut sized = Vec::new();
    for table in Table::ALL {
        let file = cleaned.join(table.name());
        let size = std::fs::metadata(&file)
            .map_err(|error| Error::said(format!("read {}: {error}", file.display())))?
            .len();
        sized.push((std::cmp::Reverse(size), script(table)));
    }
    sized.sort();
    Ok(sized.into_iter().map(|(_, script)| script).collect())
}

/// Runs scripts, two at a time, in their order.
///
/// # Errors
/// The first that failed.
pub(super) async fn side_by_side(psql: &Psql, scripts: Vec<String>) -> Result<(), Error> {
    let scripts = Mutex::new(scripts.into_iter());
    let next = || scripts.lock().unwrap_or_else(PoisonError::into_inner).next();
    let job = async || {
        while let Some(script) = next() {
            psql.run(&script).await?;
        }
        Ok::<_, Error>(())
    };
    try_join_all((0..JOBS).map(|_| job())).await.map(drop)
}

/// psql on the first replica's Postgres, as its superuser.
pub(super) struct Psql {
    binary: PathBuf,
    port: u16,
    password: String,
}

impl Psql {
    pub(super) fn of(system: &System) -> Result<Self, Error> {
        let url = system.postgres_url(&system.replicas()[0])?;
        let url = reqwest::Url::parse(&url)
            .map_err(|error| Error::failed("read a replica's address")(error.into()))?;
        Ok(Self {
            binary: system.components().postgres_bin.join("psql"),
            port: url.port().unwrap_or(5432),
            password: url.password().unwrap_or_default().to_owned(),
        })
    }

    /// Runs one script, and answers what it printed.
    async fn run(&self, script: &str) -> Result<String, Error> {
        let output = Command::new(&self.binary)
            .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1"])
            .args(["--host", "127.0.0.1", "--port", &self.port.to_string(), "--username", "postgres"])
            .args(["--dbname", "atelier", "--command", script])
            // Not on the command line, which everybody on the machine may read.
            .env("PGPASSWORD", &self.password)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .map_err(|error| Error::said(format!("{} does not run: {error}", self.binary.display())))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(Error::said(format!("psql failed ({}): {}", output.status, said.trim())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_in_the_reference_with_its_columns() {
        let tables = FOREIGN_KEYS.map(|(table, _)| table);
        assert_eq!(tables, Table::ALL);
        for (table, columns) in FOREIGN_KEYS {
            assert!(columns.iter().all(|column| table.columns().contains(column)), "{}", table.name());
        }
    }
}
