//! The rows of a generation, hashed table by table in buckets: equal rows give equal hashes on every server.
//!
//! A row's text is hashed with `hashtextextended`, by which Postgres places rows in hash partitions: it may not change
//! between versions. A bucket's hash is the sum over its rows, so their order does not matter.

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, PgConnection, Row};

const TABLES: &str = include_str!("tables.sql");
const HASH: &str = include_str!("hash.sql");
/// Buckets of a table; a row lies in one by its key.
pub(crate) const BUCKETS: u16 = 256;

/// A table that is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    /// Its name.
    pub(crate) name: String,
    /// An expression of its key's hash.
    pub(crate) key_hash: String,
    /// Columns of its key, as in `id`.
    pub(crate) key: Vec<String>,
}

/// What lies in a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bucket {
    /// How many rows.
    pub(crate) rows: u64,
    /// The sum of their hashes, as Postgres writes it.
    pub(crate) sum: String,
}

/// What a generation holds: buckets that hold anything, of each table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hashes(pub(crate) BTreeMap<String, BTreeMap<u16, Bucket>>);

impl Hashes {
    /// How many rows there are in all.
    pub(crate) fn rows(&self) -> u64 {
        self.0.values().flat_map(BTreeMap::values).map(|bucket| bucket.rows).sum()
    }

    /// Where this differs from another: tables, each with its buckets. Empty: they are equal.
    pub(crate) fn differences(&self, other: &Hashes) -> BTreeMap<String, Vec<u16>> {
        let mut differences = BTreeMap::new();
        let none = BTreeMap::new();
        for table in self.0.keys().chain(other.0.keys()) {
            let (ours, theirs) = (self.0.get(table).unwrap_or(&none), other.0.get(table).unwrap_or(&none));
            let differing: Vec<u16> =
                (0..BUCKETS).filter(|bucket| ours.get(bucket) != theirs.get(bucket)).collect();
            if !differing.is_empty() {
                differences.insert(table.clone(), differing);
            }
        }
        differences
    }

    /// One short name for all of it, for people to compare.
    pub(crate) fn fingerprint(&self) -> String {
        use sha2::{Digest, Sha256};
        let mut all = Sha256::new();
        for (table, buckets) in &self.0 {
            for (bucket, Bucket { rows, sum }) in buckets {
                all.update(format!("{table} {bucket} {rows} {sum}\n"));
            }
        }
        data_encoding::HEXLOWER.encode(&all.finalize()[..8])
    }
}

/// The tables of a generation that are a function of its position: all but the checkpoint and what migrations keep.
///
/// # Errors
/// When the database fails.
pub(crate) async fn tables(connection: &mut PgConnection) -> sqlx::Result<Vec<Table>> {
    let rows = sqlx::query(TABLES).fetch_all(connection).await?;
    let table = |row: sqlx::postgres::PgRow| {
        Ok(Table { name: row.try_get("name")?, key_hash: row.try_get("key_hash")?, key: row.try_get("key")? })
    };
    rows.into_iter().map(table).collect()
}

/// Hashes what the session sees, in the generation that its `search_path` names. The session is one of
/// [`super::snapshot::reading`].
///
/// # Errors
/// When the database fails.
pub(crate) async fn hash(connection: &mut PgConnection, tables: &[Table]) -> sqlx::Result<Hashes> {
    let mut hashes = Hashes::default();
    for table in tables {
        hashes.0.insert(table.name.clone(), hash_table(connection, table).await?);
    }
    Ok(hashes)
}

/// Hashes one table.
///
/// # Errors
/// When the database fails.
pub(crate) async fn hash_table(
    connection: &mut PgConnection,
    table: &Table,
) -> sqlx::Result<BTreeMap<u16, Bucket>> {
    let mut buckets = BTreeMap::new();
    let rows = sqlx::query(AssertSqlSafe(statement(HASH, table))).fetch_all(connection).await?;
    for row in rows {
        let bucket: i32 = row.try_get("bucket")?;
        let rows: i64 = row.try_get("rows")?;
        let bucket = u16::try_from(bucket).map_err(|error| sqlx::Error::Decode(error.into()))?;
        buckets.insert(bucket, Bucket { rows: rows.unsigned_abs(), sum: row.try_get("sum")? });
    }
    Ok(buckets)
}

/// A statement about one table: `{table}` stands for its name, `{key_hash}` for its key's hash, `{buckets}` for how many
/// buckets there are.
pub(crate) fn statement(template: &str, table: &Table) -> String {
    template
        .replace("{table}", &table.name)
        .replace("{key_hash}", &table.key_hash)
        .replace("{buckets}", &BUCKETS.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashes(buckets: &[(&str, u16, u64, &str)]) -> Hashes {
        let mut hashes = Hashes::default();
        for (table, bucket, rows, sum) in buckets {
            let table = hashes.0.entry((*table).to_owned()).or_default();
            table.insert(*bucket, Bucket { rows: *rows, sum: (*sum).to_owned() });
        }
        hashes
    }

    #[test]
    fn a_bucket_that_differs_or_is_on_one_side_only_is_named() {
        let ours = hashes(&[("answers", 3, 2, "17"), ("reviews", 0, 1, "5"), ("reviews", 255, 1, "6")]);
        assert!(ours.differences(&ours.clone()).is_empty());
        let other = hashes(&[("answers", 3, 2, "18"), ("reviews", 0, 1, "5"), ("skus", 7, 1, "1")]);
        let expected = [("answers", vec![3]), ("reviews", vec![255]), ("skus", vec![7])];
        let expected: BTreeMap<String, Vec<u16>> =
            expected.into_iter().map(|(table, buckets)| (table.to_owned(), buckets)).collect();
        assert_eq!(ours.differences(&other), expected);
        assert_eq!(other.differences(&ours), expected);
        assert_ne!(ours.fingerprint(), other.fingerprint());
        assert_eq!(ours.rows(), 4);
    }

    #[test]
    fn the_same_sum_over_another_number_of_rows_differs() {
        let (one, two) = (hashes(&[("reviews", 0, 1, "0")]), hashes(&[("reviews", 0, 2, "0")]));
        assert_eq!(one.differences(&two).len(), 1);
    }
}
