//! Tables and indexes: those that the migrations and the closing of a catalogue make, all there and valid.

use std::collections::{HashMap, HashSet};

use contract::catalogue::Table;
use replica::{Role, SCHEMA_LIVE};
use service::config::Replica;
use sqlx::{PgConnection, Row};

use super::{anew, psql, told};
use crate::doctor::examination::Finding;
use crate::generation;
use crate::resources::catalogue;

const MIGRATIONS: &str = include_str!("migrations.sql");
const TABLES: &str = include_str!("tables.sql");
const INDEXES: &str = include_str!("indexes.sql");

/// An index as a statement makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Index {
    name: String,
    table: String,
    /// What makes it, when it is gone.
    statement: String,
}

/// Checks the migrations and gives the tables' names.
pub(super) async fn tables(database: &mut PgConnection, replica: &Replica) -> Finding<Vec<String>> {
    told(judge_tables(database, replica).await, "projector init")
}

async fn judge_tables(database: &mut PgConnection, replica: &Replica) -> sqlx::Result<Finding<Vec<String>>> {
    let mut found = HashMap::new();
    for row in sqlx::query(MIGRATIONS).fetch_all(&mut *database).await? {
        let (checksum, success): (Vec<u8>, bool) = (row.try_get("checksum")?, row.try_get("success")?);
        found.insert(row.try_get::<i64, _>("version")?, (checksum, success));
    }
    let mut newest = 0;
    for migration in generation::migrations() {
        let number = migration.version;
        newest = newest.max(number);
        match found.remove(&number) {
            None => {
                let said = format!("migration {number} ({}) was not applied", migration.description);
                return Ok(Finding::fail(said, "projector init"));
            }
            Some((_, false)) => {
                return Ok(Finding::fail(format!("migration {number} was broken off"), anew(replica)));
            }
            Some((checksum, true)) if checksum != *migration.checksum => {
                let said = format!("migration {number} was applied in another form than this binary's");
                return Ok(Finding::fail(said, anew(replica)));
            }
            Some(_) => {}
        }
    }
    if let Some(newer) = found.keys().max() {
        let said = format!("its tables are at migration {newer}, this binary's newest is {newest}");
        return Ok(Finding::fail(said, "run the projector of the version that made them"));
    }
    let mut there = HashSet::new();
    for row in sqlx::query(TABLES).fetch_all(database).await? {
        there.insert(row.try_get::<String, _>("name")?);
    }
    let needed = table_names();
    let missing: Vec<&str> =
        needed.iter().filter(|table| !there.contains(*table)).map(String::as_str).collect();
    Ok(match missing.as_slice() {
        [] => Finding::known(needed.clone(), format!("{} at migration {newest}", needed.len())),
        missing => Finding::fail(format!("missing: {}", missing.join(", ")), anew(replica)),
    })
}

/// Checks that every index is there that should be by now, and valid.
pub(super) async fn indexes(database: &mut PgConnection, replica: &Replica) -> Finding {
    told(judge_indexes(database, replica).await, "projector init")
}

async fn judge_indexes(database: &mut PgConnection, replica: &Replica) -> sqlx::Result<Finding> {
    let closed = sqlx::query(catalogue::STATE).fetch_optional(&mut *database).await?;
    let closed: Option<bool> = closed.map(|row| row.try_get("closed")).transpose()?;
    let mut there = HashMap::new();
    for row in sqlx::query(INDEXES).fetch_all(database).await? {
        there.insert(row.try_get::<String, _>("name")?, row.try_get::<bool, _>("valid")?);
    }
    let needed = needed(closed);
    let (mut wrong, mut mend) = (Vec::new(), Vec::new());
    for index in &needed {
        match there.get(&index.name) {
            Some(true) => {}
            Some(false) => {
                wrong.push(format!("{} on {} is not valid", index.name, index.table));
                mend.push(format!("reindex index {SCHEMA_LIVE}.{}", index.name));
            }
            None => {
                wrong.push(format!("{} on {} is missing", index.name, index.table));
                mend.push(index.statement.clone());
            }
        }
    }
    let told = match closed {
        Some(false) => ", but for those of the catalogue that is being imported",
        Some(true) => "",
        None => "; those of the legacy tables are made with the import",
    };
    Ok(match wrong.is_empty() {
        true => Finding::pass(format!("{} are there and valid{told}", needed.len())),
        false => Finding::fail(wrong.join("; "), psql(replica, Role::Owner, &mend.join("; "))),
    })
}

/// While a catalogue is imported its tables have no keys; when it closes they get theirs and more indexes.
fn needed(closed: Option<bool>) -> Vec<Index> {
    let imported = |index: &Index| Table::ALL.iter().any(|table| table.name() == index.table);
    let made: Vec<Index> = statements().iter().flat_map(|it| of_statement(it)).collect();
    match closed {
        None => made,
        Some(false) => made.into_iter().filter(|index| !imported(index)).collect(),
        Some(true) => {
            let more: Vec<Index> =
                catalogue::indexes().iter().flat_map(|statement| of_statement(statement)).collect();
            made.into_iter().chain(more).collect()
        }
    }
}

fn table_names() -> Vec<String> {
    let names = statements();
    let names =
        names.iter().filter_map(|statement| created_table(statement).map(|(name, _)| name.to_owned()));
    names.collect()
}

/// The migrations' statements, on one line each, without comments.
fn statements() -> Vec<String> {
    let code: Vec<String> = generation::migrations()
        .flat_map(|migration| migration.sql.as_str().lines())
        .map(|line| line.split("--").next().unwrap_or_default().trim().to_owned())
        .collect();
    let code = code.join(" ");
    code.split(';').map(|statement| statement.trim().to_owned()).filter(|it| !it.is_empty()).collect()
}

/// The name of the table that a statement makes, and the rest.
fn created_table(statement: &str) -> Option<(&str, &str)> {
    statement.strip_prefix("create table ")?.split_once(' ')
}

/// The indexes that a statement makes: its own, or those of the keys of a table.
fn of_statement(statement: &str) -> Vec<Index> {
    if let Some((table, rest)) = created_table(statement) {
        return rest.split("constraint ").skip(1).filter_map(|part| of_constraint(table, part)).collect();
    }
    let index = statement.strip_prefix("create index ").and_then(|rest| rest.split_once(" on "));
    let made = index.and_then(|(name, rest)| {
        let (table, columns) = rest.split_once(' ')?;
        let statement = format!("create index {name} on {SCHEMA_LIVE}.{table} {columns}");
        Some(Index { name: name.to_owned(), table: table.to_owned(), statement })
    });
    made.into_iter().collect()
}

/// `NAME primary key (COLUMNS)`, `NAME unique (COLUMNS)`; a check has no index.
fn of_constraint(table: &str, text: &str) -> Option<Index> {
    let (name, definition) = text.split_once(' ')?;
    let kind = ["primary key ", "unique "].into_iter().find(|kind| definition.starts_with(kind))?;
    let columns = &definition[kind.len()..=definition.find(')')?];
    let statement = format!("alter table {SCHEMA_LIVE}.{table} add constraint {name} {kind}{columns}");
    Some(Index { name: name.to_owned(), table: table.to_owned(), statement })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_statement_of_the_migrations_is_one_whose_indexes_are_known() {
        for statement in statements() {
            let known = ["create table ", "create index "].iter().any(|kind| statement.starts_with(kind));
            assert!(known, "teach of_statement what this does to tables and indexes: {statement}");
        }
        assert!(table_names().len() > 20 && table_names().contains(&"checkpoint".to_owned()));
    }

    #[test]
    fn keys_and_indexes_are_expected_when_they_should_be_there() {
        let names = |closed| needed(closed).into_iter().map(|index| index.name).collect::<HashSet<_>>();
        let (none, open, closed) = (names(None), names(Some(false)), names(Some(true)));
        for always in ["checkpoint_pkey", "idempotency_keys_clock", "product_documents_product_id_key"] {
            assert!([&none, &open, &closed].iter().all(|names| names.contains(always)), "{always}");
        }
        assert!(none.contains("reviews_pkey") && !open.contains("reviews_pkey"));
        assert!(closed.contains("reviews_pkey") && closed.contains("reviews_newest"));
        assert!(!none.contains("reviews_newest") && !none.contains("checkpoint_one_row"));
    }

    #[test]
    fn what_makes_an_index_again_names_its_schema() {
        let all = needed(Some(true));
        let statement = |name: &str| all.iter().find(|index| index.name == name).unwrap().statement.clone();
        assert_eq!(
            statement("cart_lines_pkey"),
            "alter table live.cart_lines add constraint cart_lines_pkey primary key (session, sku_id)"
        );
        assert_eq!(
            statement("questions_helpful"),
            "create index questions_helpful on live.questions (product_id, helpfulness desc, id) where not reported"
        );
    }
}
