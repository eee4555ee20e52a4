//! What a comparison came to: replica x table, equal, or where and how they differ; for people and for programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde::Serialize;
use service::Config;

use super::hash::BUCKETS;
use super::keys::{Details, Differing};
use super::mark::Mark;
use super::round::Comparison;
use super::side::FOLD;

/// Keys of a table that are shown to people.
pub(crate) const SHOWN_TO_PEOPLE: usize = 10;
/// Keys of a table that are told to programs.
pub(crate) const SHOWN_TO_PROGRAMS: usize = 1_000;
/// A value is shown to people up to so many characters.
const VALUE: usize = 60;

/// What can be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// All replicas hold the same.
    Equal,
    /// Some that were compared do not.
    Different,
    /// Those that were compared do, and not all were.
    Unknown,
}

impl Verdict {
    /// What the command exits with.
    pub(crate) fn exit_code(self) -> ExitCode {
        ExitCode::from(match self {
            Verdict::Equal => 0,
            Verdict::Different => 1,
            Verdict::Unknown => 2,
        })
    }

    /// As in metrics and in `control.audits`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Verdict::Equal => "equal",
            Verdict::Different => "different",
            Verdict::Unknown => "unknown",
        }
    }
}

/// The answer.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) schema_version: u32,
    pub(crate) kind: &'static str,
    pub(crate) result: Verdict,
    pub(crate) audit: String,
    /// Of the mark; none: no two replicas could be compared, so there is none.
    pub(crate) position: Option<u64>,
    pub(crate) seconds: f64,
    pub(crate) replicas: Vec<OfReplica>,
    pub(crate) tables: Vec<OfTable>,
}

#[derive(Debug, Serialize)]
pub(crate) struct OfReplica {
    pub(crate) name: String,
    pub(crate) compared: bool,
    /// Why it was not.
    pub(crate) why: Option<String>,
    pub(crate) rows: Option<u64>,
    /// One hash of everything that was compared.
    pub(crate) hash: Option<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct OfTable {
    pub(crate) table: String,
    pub(crate) equal: bool,
    /// By replica.
    pub(crate) holds: BTreeMap<String, Holds>,
    /// Buckets that differ, of 256.
    pub(crate) buckets: Vec<u16>,
    pub(crate) keys: Vec<OfKey>,
    /// Keys that differ and are not listed.
    pub(crate) more_keys: u64,
    /// Buckets that differ and whose rows were not looked at one by one, because there are too many.
    pub(crate) unread_buckets: usize,
}

#[derive(Debug, Serialize)]
pub(crate) struct Holds {
    pub(crate) rows: u64,
    pub(crate) hash: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct OfKey {
    pub(crate) bucket: u16,
    /// By the key's columns.
    pub(crate) key: BTreeMap<String, String>,
    /// Columns in which the rows that are there differ.
    pub(crate) columns: Vec<String>,
    /// By replica: the whole row, by column; null when there is none.
    pub(crate) rows: BTreeMap<String, Option<BTreeMap<String, Option<String>>>>,
    /// For people: the columns in order.
    #[serde(skip)]
    order: Vec<String>,
}

impl Report {
    /// Of a comparison that could not be made.
    pub(crate) fn of_none(
        config: &Config,
        audit: &str,
        left_out: BTreeMap<String, String>,
        took: Duration,
    ) -> Report {
        let nothing = Comparison { hashes: Vec::new(), differing: BTreeMap::new() };
        Report { audit: audit.to_owned(), ..Report::of(config, None, nothing, left_out, took) }
    }

    /// Of a comparison.
    pub(crate) fn of(
        config: &Config,
        mark: Option<&Mark>,
        compared: Comparison,
        mut left_out: BTreeMap<String, String>,
        took: Duration,
    ) -> Report {
        let Comparison { hashes, mut differing } = compared;
        let few = hashes.len() < 2;
        let alone = || Some("there is no other replica to compare it with".to_owned());
        let names = config.replicas.iter().map(|replica| replica.name.as_str());
        let names = names.chain(hashes.iter().any(|(name, _)| name == FOLD).then_some(FOLD));
        let replicas: Vec<OfReplica> = names
            .filter_map(|name| {
                let held = hashes.iter().find(|(side, _)| side == name).map(|(_, held)| held);
                let why = left_out.remove(name);
                // A comparison of two says nothing of a third.
                (held.is_some() || why.is_some() || few).then(|| OfReplica {
                    name: name.to_owned(),
                    compared: held.is_some() && !few,
                    why: why.or_else(|| few.then(alone).flatten()),
                    rows: held.map(|held| held.rows()),
                    hash: held.map(|held| held.fingerprint()),
                })
            })
            .collect();
        let mut tables: Vec<&String> = hashes.iter().flat_map(|(_, held)| held.0.keys()).collect();
        tables.sort_unstable();
        tables.dedup();
        let tables: Vec<OfTable> = tables
            .into_iter()
            .map(|table| {
                let holds = hashes.iter().map(|(side, held)| {
                    (side.clone(), Holds { rows: held.rows_of(table), hash: held.fingerprint_of(table) })
                });
                OfTable::new(table, holds.collect(), differing.remove(table))
            })
            .collect();
        let result =
            match (tables.iter().all(|table| table.equal), replicas.iter().all(|replica| replica.compared)) {
                (false, _) => Verdict::Different,
                (true, true) => Verdict::Equal,
                (true, false) => Verdict::Unknown,
            };
        Report {
            schema_version: 1,
            kind: "audit",
            result,
            audit: mark.map(|mark| mark.audit.clone()).unwrap_or_default(),
            position: mark.map(|mark| mark.position.0),
            seconds: (took.as_secs_f64() * 1000.0).round() / 1000.0,
            replicas,
            tables,
        }
    }

    /// Names of tables that differ.
    pub(crate) fn differing(&self) -> Vec<String> {
        self.tables.iter().filter(|table| !table.equal).map(|table| table.table.clone()).collect()
    }

    /// Replicas that were not compared, with the reasons.
    pub(crate) fn left_out(&self) -> impl Iterator<Item = (&str, &str)> {
        let out = self.replicas.iter().filter(|replica| !replica.compared);
        out.map(|replica| (replica.name.as_str(), replica.why.as_deref().unwrap_or("unknown")))
    }

    /// For people.
    pub(crate) fn words(&self) -> String {
        let mut text = String::new();
        let compared: Vec<&str> = self
            .replicas
            .iter()
            .filter(|replica| replica.compared)
            .map(|replica| replica.name.as_str())
            .collect();
        if !compared.is_empty() {
            let mut shown = Table::new();
            let header = ["table"].into_iter().chain(compared.iter().copied()).chain(["result"]);
            shown.load_style(NOTHING).set_header(header);
            for table in &self.tables {
                let mut cells = vec![table.table.clone()];
                cells.extend(compared.iter().map(|name| match table.holds.get(*name) {
                    Some(Holds { rows, hash }) => {
                        format!("{rows} {} {}", plural(*rows, "row", "rows"), &hash[..8])
                    }
                    None => "no such table".to_owned(),
                }));
                cells.push(table.result());
                shown.add_row(cells);
            }
            // Writing to a string does not fail.
            let _ = writeln!(text, "{shown}");
        }
        for table in self.tables.iter().filter(|table| !table.equal) {
            text += &table.words();
        }
        for (name, why) in self.left_out() {
            let _ = writeln!(text, "replica {name} was not compared: {why}");
        }
        let seconds = self.seconds;
        let _ = match (self.result, self.position) {
            (Verdict::Equal, Some(position)) => {
                writeln!(text, "equal at {position}: {}, in {seconds:.1} s", compared.join(", "))
            }
            (Verdict::Different, Some(position)) => {
                writeln!(text, "different at {position}: {}, in {seconds:.1} s", self.differing().join(", "))
            }
            (_, Some(position)) if !compared.is_empty() => writeln!(
                text,
                "those that were compared are equal at {position}: {}; of the others nothing can be said",
                compared.join(", ")
            ),
            _ => writeln!(text, "nothing was compared"),
        };
        text
    }
}

impl OfTable {
    fn new(table: &str, holds: BTreeMap<String, Holds>, details: Option<Details>) -> OfTable {
        let equal = details.is_none();
        let details = details.unwrap_or_default();
        let keys = details.keys.iter().map(|key| OfKey::new(key, &details)).collect();
        let Details { buckets, more, unread, .. } = details;
        OfTable {
            table: table.to_owned(),
            equal,
            holds,
            buckets,
            keys,
            more_keys: more,
            unread_buckets: unread,
        }
    }

    fn result(&self) -> String {
        if self.equal {
            return "equal".to_owned();
        }
        let buckets = format!("{} of {BUCKETS} buckets", self.buckets.len());
        match (self.keys.len() as u64 + self.more_keys, self.unread_buckets) {
            (0, _) => format!("differs in {buckets}"),
            (keys, 0) => format!("differs: {keys} {} in {buckets}", plural(keys, "key", "keys")),
            (keys, _) => format!("differs: over {keys} keys in {buckets}"),
        }
    }

    fn words(&self) -> String {
        let mut text = String::new();
        for key in self.keys.iter().take(SHOWN_TO_PEOPLE) {
            let named: Vec<String> =
                key.key.iter().map(|(column, value)| format!("{column} {value}")).collect();
            let differing = match key.columns.as_slice() {
                [] => "is not everywhere".to_owned(),
                columns => format!("differs in {}", columns.join(", ")),
            };
            // Writing to a string does not fail.
            let _ =
                writeln!(text, "{}, {} (bucket {}): {differing}", self.table, named.join(", "), key.bucket);
            for (replica, row) in &key.rows {
                let row = row.as_ref().map_or("no such row".to_owned(), |row| key.row(row));
                let _ = writeln!(text, "  {replica}: {row}");
            }
        }
        let shown = self.keys.len().min(SHOWN_TO_PEOPLE);
        let more = (self.keys.len() - shown) as u64 + self.more_keys;
        if more > 0 {
            let _ =
                writeln!(text, "{}: {more} more {}", self.table, plural(more, "key differs", "keys differ"));
        }
        if self.unread_buckets > 0 {
            let buckets = self.unread_buckets;
            let _ = writeln!(
                text,
                "{}: the rows of {buckets} more buckets that differ were not looked at",
                self.table
            );
        }
        text
    }
}

impl OfKey {
    fn new(differing: &Differing, details: &Details) -> OfKey {
        // As they are called, not as a statement has to quote them.
        let plain =
            |columns: &[String]| columns.iter().map(|it| it.trim_matches('"').to_owned()).collect::<Vec<_>>();
        let columns = plain(&details.columns);
        let row = |held: &Vec<Option<String>>| columns.iter().cloned().zip(held.iter().cloned()).collect();
        OfKey {
            bucket: differing.bucket,
            key: plain(&details.key).into_iter().zip(differing.key.iter().cloned()).collect(),
            columns: differing.columns().into_iter().map(|index| columns[index].clone()).collect(),
            rows: differing.rows.iter().map(|(side, held)| (side.clone(), held.as_ref().map(row))).collect(),
            order: columns.clone(),
        }
    }

    /// Its values in order, long ones cut; those that differ whole as far as they fit.
    fn row(&self, row: &BTreeMap<String, Option<String>>) -> String {
        let value = |column: &String| match row.get(column) {
            Some(Some(value)) => format!("{column} {}", cut(value)),
            _ => format!("{column} null"),
        };
        self.order.iter().map(value).collect::<Vec<_>>().join(", ")
    }
}

fn cut(text: &str) -> String {
    // Nothing that a shopper typed acts on the terminal of whoever looks.
    let escaped = |character: char| match character {
        '"' | '\\' => character.escape_default().to_string(),
        _ if character.is_control() => character.escape_debug().to_string(),
        _ => character.to_string(),
    };
    let text: String = text.chars().map(escaped).collect();
    match text.char_indices().nth(VALUE) {
        Some((end, _)) => format!("\"{}…\"", &text[..end]),
        None if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:_".contains(&byte))
            && !text.is_empty() =>
        {
            text
        }
        None => format!("\"{text}\""),
    }
}

fn plural<'a>(number: u64, one: &'a str, many: &'a str) -> &'a str {
    if number == 1 { one } else { many }
}

#[cfg(test)]
mod tests;
