//! The rows of a generation, hashed table by table in buckets: equal rows give equal hashes on every server.
//!
//! A row is hashed by the functions by which Postgres places rows in hash partitions: they may not change between versions. A
//! bucket's hash is the sum over its rows, so their order does not matter.

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
    /// An expression of its row's hash.
    pub(crate) row_hash: String,
    /// Columns of its key, as in `id`. None: it has no key.
    pub(crate) key: Vec<String>,
    /// All its columns.
    pub(crate) columns: Vec<String>,
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

    /// How many rows a table has.
    pub(crate) fn rows_of(&self, table: &str) -> u64 {
        self.0.get(table).map_or(0, |buckets| buckets.values().map(|bucket| bucket.rows).sum())
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
        short(self.0.iter())
    }

    /// One short name for what a table holds.
    pub(crate) fn fingerprint_of(&self, table: &str) -> String {
        short(self.0.get_key_value(table).into_iter())
    }
}

fn short<'a>(tables: impl Iterator<Item = (&'a String, &'a BTreeMap<u16, Bucket>)>) -> String {
    use sha2::{Digest, Sha256};
    let mut all = Sha256::new();
    for (table, buckets) in tables {
        for (bucket, Bucket { rows, sum }) in buckets {
            all.update(format!("{table} {bucket} {rows} {sum}\n"));
        }
    }
    data_encoding::HEXLOWER.encode(&all.finalize()[..8])
}

/// The tables of a generation that are a function of its position: all but the checkpoint and what migrations keep.
///
/// # Errors
/// When the database fails.
pub(crate) async fn tables(connection: &mut PgConnection) -> sqlx::Result<Vec<Table>> {
    let rows = sqlx::query(TABLES).fetch_all(connection).await?;
    let table = |row: sqlx::postgres::PgRow| {
        Ok(Table {
            name: row.try_get("name")?,
            key_hash: row.try_get("key_hash")?,
            row_hash: row.try_get("row_hash")?,
            key: row.try_get("key")?,
            columns: row.try_get("columns")?,
        })
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
    let rows = sqlx::query(AssertSqlSafe(table.statement(HASH))).fetch_all(connection).await?;
    for row in rows {
        let rows: i64 = row.try_get("rows")?;
        let sum = row.try_get("sum")?;
        buckets.insert(bucket_of(&row)?, Bucket { rows: rows.unsigned_abs(), sum });
    }
    Ok(buckets)
}

/// The column `bucket`.
pub(super) fn bucket_of(row: &sqlx::postgres::PgRow) -> sqlx::Result<u16> {
    let bucket: i32 = row.try_get("bucket")?;
    u16::try_from(bucket).map_err(|error| sqlx::Error::Decode(error.into()))
}

impl Table {
    /// A statement about the table: `{table}` stands for its name, `{key_hash}` and `{row_hash}` for its key's and its
    /// row's hash, `{buckets}` for how many buckets there are, `{key}` for its key's columns as texts, `{columns}` for all.
    pub(crate) fn statement(&self, template: &str) -> String {
        let texts = |columns: &[String]| {
            columns.iter().map(|column| format!("it.{column}::text")).collect::<Vec<_>>().join(", ")
        };
        template
            .replace("{table}", &self.name)
            .replace("{key_hash}", &self.key_hash)
            .replace("{row_hash}", &self.row_hash)
            .replace("{buckets}", &BUCKETS.to_string())
            .replace("{key}", &texts(&self.key))
            .replace("{columns}", &texts(&self.columns))
    }
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
        assert_ne!(ours.fingerprint_of("answers"), other.fingerprint_of("answers"));
        assert_eq!((ours.rows(), ours.rows_of("reviews"), ours.rows_of("skus")), (4, 2, 0));
    }

    #[test]
    fn the_same_sum_over_another_number_of_rows_differs() {
        let (one, two) = (hashes(&[("reviews", 0, 1, "0")]), hashes(&[("reviews", 0, 2, "0")]));
        assert_eq!(one.differences(&two).len(), 1);
    }

    #[test]
    fn a_statement_names_its_table_and_columns() {
        let table = Table {
            name: "cart_lines".into(),
            key_hash: "hash(it)".into(),
            row_hash: "hash(all)".into(),
            key: vec!["session".into(), "sku_id".into()],
            columns: vec!["session".into(), "\"count\"".into()],
        };
        let statement =
            table.statement("select {key_hash} & {buckets}, {row_hash}, {key}; {columns} from {table}");
        let expected = "select hash(it) & 256, hash(all), it.session::text, it.sku_id::text; it.session::text, it.\"count\"::text from cart_lines";
        assert_eq!(statement, expected);
    }
}
