//! Which rows differ: keys of the buckets that do, each with what every side holds under it.

use std::collections::BTreeMap;

use futures::TryStreamExt;
use sqlx::{AssertSqlSafe, Row};

use super::Error;
use super::hash::{Hashes, Table, bucket_of};
use super::side::Side;

const KEYS: &str = include_str!("keys.sql");
const ROWS: &str = include_str!("rows.sql");
/// Rows that are looked at together: their keys are held in memory.
const TOGETHER: u64 = 200_000;
/// Rows of a table that are looked at one by one in all. Whoever differs in more is rebuilt, not read.
const MOST_ROWS: u64 = 1_000_000;

/// A row's values, in the order of its table's columns.
pub(crate) type Held = Vec<Option<String>>;

/// Where a table differs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Details {
    /// The key's columns; none: the table has no key, and its rows are not shown.
    pub(crate) key: Vec<String>,
    /// All columns.
    pub(crate) columns: Vec<String>,
    /// The buckets.
    pub(crate) buckets: Vec<u16>,
    /// The first of the keys.
    pub(crate) keys: Vec<Differing>,
    /// How many more keys there are in what was looked at.
    pub(crate) more: u64,
    /// Buckets in which no row was looked at, because there are so many.
    pub(crate) unread: usize,
}

/// A key under which not all sides hold the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Differing {
    pub(crate) bucket: u16,
    /// Its values, in the order of the key's columns.
    pub(crate) key: Vec<String>,
    /// What each side holds; none: no such row.
    pub(crate) rows: BTreeMap<String, Option<Held>>,
}

/// What was read of a key: its bucket, its values, and the hash of each side's row.
type Read = (u16, Vec<String>, Vec<Option<i64>>);

/// Reads in all sides what differs in some buckets of a table. At most `shown` keys are told with their rows.
///
/// # Errors
/// When a side's database fails, or its generation was exchanged.
pub(crate) async fn examine(
    sides: &mut [Side],
    table: &Table,
    buckets: &[u16],
    hashes: &[(String, Hashes)],
    shown: usize,
) -> Result<Details, Error> {
    let mut details = Details {
        key: table.key.clone(),
        columns: table.columns.clone(),
        buckets: buckets.to_vec(),
        ..Details::default()
    };
    let rows = |bucket: u16| {
        let of =
            |held: &Hashes| held.0.get(&table.name).and_then(|all| all.get(&bucket)).map_or(0, |it| it.rows);
        hashes.iter().map(|(_, held)| of(held)).max().unwrap_or_default()
    };
    let mut left = MOST_ROWS;
    for group in groups(buckets, rows) {
        let number: u64 = group.iter().map(|bucket| rows(*bucket)).sum();
        if table.key.is_empty() || (number > left && left < MOST_ROWS) {
            details.unread += group.len();
            continue;
        }
        left = left.saturating_sub(number);
        let mut keys = read_keys(sides, table, &group).await?;
        keys.retain(|_, (_, _, held)| held.iter().any(|hash| *hash != held[0]));
        details.more += keys.len() as u64;
        let room = shown - details.keys.len();
        let mut found: Vec<(String, Read)> = keys.into_iter().collect();
        found.sort_by(|(_, (_, one, _)), (_, (_, another, _))| numbers(one).cmp(&numbers(another)));
        found.truncate(room);
        details.more -= found.len() as u64;
        details.keys.extend(read_rows(sides, table, &group, found).await?);
    }
    for side in sides {
        side.verify().await?;
    }
    Ok(details)
}

/// Buckets that are read together.
fn groups(buckets: &[u16], rows: impl Fn(u16) -> u64) -> Vec<Vec<u16>> {
    let mut groups: Vec<Vec<u16>> = Vec::new();
    let mut number = 0;
    for bucket in buckets {
        match groups.last_mut() {
            Some(group) if number + rows(*bucket) <= TOGETHER => group.push(*bucket),
            _ => {
                number = 0;
                groups.push(vec![*bucket]);
            }
        }
        number += rows(*bucket);
    }
    groups
}

/// Keys are shown in the order of their numbers, where they are numbers.
fn numbers(key: &[String]) -> Vec<(Option<i64>, &str)> {
    key.iter().map(|part| (part.parse().ok(), part.as_str())).collect()
}

async fn read_keys(
    sides: &mut [Side],
    table: &Table,
    buckets: &[u16],
) -> Result<BTreeMap<String, Read>, Error> {
    let (number, statement) = (sides.len(), table.statement(KEYS));
    let mut keys: BTreeMap<String, Read> = BTreeMap::new();
    for (index, side) in sides.iter_mut().enumerate() {
        let query = sqlx::query(AssertSqlSafe(statement.clone())).bind(as_numbers(buckets));
        let mut rows = query.fetch(&mut side.connection);
        while let Some(row) = rows.try_next().await? {
            let (name, key, bucket) = (row.try_get("name")?, row.try_get("key")?, bucket_of(&row)?);
            let read = keys.entry(name).or_insert_with(|| (bucket, key, vec![None; number]));
            read.2[index] = Some(row.try_get("hash")?);
        }
    }
    Ok(keys)
}

async fn read_rows(
    sides: &mut [Side],
    table: &Table,
    buckets: &[u16],
    found: Vec<(String, Read)>,
) -> Result<Vec<Differing>, Error> {
    let names: Vec<String> = found.iter().map(|(name, _)| name.clone()).collect();
    let mut all: Vec<Differing> = found
        .into_iter()
        .map(|(_, (bucket, key, _))| Differing { bucket, key, rows: BTreeMap::new() })
        .collect();
    if all.is_empty() {
        return Ok(all);
    }
    let statement = table.statement(ROWS);
    for side in sides {
        let query = sqlx::query(AssertSqlSafe(statement.clone())).bind(as_numbers(buckets)).bind(&names);
        let mut rows: BTreeMap<String, Held> = BTreeMap::new();
        for row in query.fetch_all(&mut side.connection).await? {
            rows.insert(row.try_get("name")?, row.try_get("held")?);
        }
        for (name, differing) in names.iter().zip(&mut all) {
            differing.rows.insert(side.name.clone(), rows.remove(name));
        }
    }
    Ok(all)
}

fn as_numbers(buckets: &[u16]) -> Vec<i32> {
    buckets.iter().map(|bucket| i32::from(*bucket)).collect()
}

impl Differing {
    /// Indexes of the columns in which those that have the row differ.
    pub(crate) fn columns(&self) -> Vec<usize> {
        let held: Vec<&Held> = self.rows.values().flatten().collect();
        let Some(first) = held.first() else { return Vec::new() };
        (0..first.len()).filter(|index| held.iter().any(|row| row.get(*index) != first.get(*index))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_read_together_up_to_a_bound_and_none_is_left_out() {
        let rows = |bucket: u16| if bucket == 3 { TOGETHER * 2 } else { TOGETHER / 2 };
        assert_eq!(groups(&[1, 2, 3, 4, 5, 6], rows), [vec![1, 2], vec![3], vec![4, 5], vec![6]]);
        assert!(groups(&[], rows).is_empty());
    }

    #[test]
    fn the_columns_in_which_rows_differ_are_those_of_the_rows_that_are_there() {
        let row = |value: &str| Some(vec![Some("1".to_owned()), Some(value.to_owned()), None]);
        let of = |rows: [Option<Held>; 2]| Differing {
            bucket: 0,
            key: vec!["1".to_owned()],
            rows: ["a", "b"].map(str::to_owned).into_iter().zip(rows).collect(),
        };
        assert_eq!(of([row("x"), row("y")]).columns(), [1]);
        assert!(of([row("x"), None]).columns().is_empty());
        assert!(of([row("x"), row("x")]).columns().is_empty());
    }

    #[test]
    fn numbers_are_in_the_order_of_numbers() {
        let key = |text: &str| vec![text.to_owned()];
        let mut keys = [key("10"), key("9"), key("100")];
        keys.sort_by(|one, another| numbers(one).cmp(&numbers(another)));
        assert_eq!(keys, [key("9"), key("10"), key("100")]);
    }
}
