//! What each role may: all that `projector init` grants, and no sealed column.

use replica::Role;
use service::config::Replica;
use sqlx::{PgConnection, Row};

use super::{psql, told};
use crate::doctor::examination::Finding;
use crate::generation;

const MISSING: &str = include_str!("missing_grants.sql");
const SEALED: &str = include_str!("sealed.sql");

/// One privilege of one role.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Grant {
    role: String,
    privilege: String,
    /// None: on the schema.
    table: Option<String>,
    /// None: on the whole table.
    column: Option<String>,
}

/// What is missing of what `projector init` grants.
pub(super) async fn missing(database: &mut PgConnection, tables: &[String]) -> sqlx::Result<Finding> {
    let needed = needed(generation::GRANTS, tables);
    let texts = |of: fn(&Grant) -> &String| needed.iter().map(of).collect::<Vec<_>>();
    let maybe = |of: fn(&Grant) -> &Option<String>| needed.iter().map(of).collect::<Vec<_>>();
    let rows = sqlx::query(MISSING)
        .bind(texts(|grant| &grant.role))
        .bind(texts(|grant| &grant.privilege))
        .bind(maybe(|grant| &grant.table))
        .bind(maybe(|grant| &grant.column))
        .fetch_all(database)
        .await?;
    let mut missing = Vec::new();
    for row in rows {
        let (role, privilege): (String, String) = (row.try_get("role")?, row.try_get("privilege")?);
        let on: Option<String> = row.try_get("relation")?;
        let of: Option<String> = row.try_get("field")?;
        let of = of.map_or(String::new(), |field| format!(" ({field})"));
        let on = on.unwrap_or_else(|| "the schema".to_owned());
        missing.push(format!("{role} lacks {privilege}{of} on {on}"));
    }
    Ok(match missing.is_empty() {
        true => Finding::pass(format!("{} privileges, none missing", needed.len())),
        false => Finding::fail(missing.join("; "), "projector init"),
    })
}

/// Who reads for shoppers may select no sealed address.
pub(super) async fn sealed(database: &mut PgConnection, replica: &Replica) -> Finding {
    let roles = [Role::Reader, Role::Writer].map(Role::name);
    let asked = sqlx::query(SEALED).bind(roles.as_slice()).fetch_all(database).await;
    let judged = asked.and_then(|rows| {
        let (mut exposed, mut mend) = (Vec::new(), Vec::new());
        for row in rows {
            let (role, table): (String, String) = (row.try_get("role")?, row.try_get("relation")?);
            let column: String = row.try_get("field")?;
            exposed.push(format!("{role} may select {table}.{column}"));
            mend.push(format!("revoke select on live.{table} from {role}; revoke select ({column}) on live.{table} from {role}"));
        }
        if exposed.is_empty() {
            return Ok(Finding::pass("no sealed column can be selected by readers or writers"));
        }
        let mend = format!("{}; then projector init", psql(replica, Role::Owner, &mend.join("; ")));
        Ok(Finding::fail(exposed.join("; "), mend))
    });
    told(judged, "projector init")
}

/// The privileges in `projector init`'s own statements, so that they are written down once.
fn needed(statements: &str, tables: &[String]) -> Vec<Grant> {
    let code: Vec<&str> = statements.lines().filter(|line| !line.starts_with("--")).collect();
    let code = code.join(" ").replace("{schema}.", "");
    code.split(';')
        .filter(|statement| !statement.trim().is_empty())
        .flat_map(|it| of_statement(it, tables))
        .collect()
}

/// `grant PRIVILEGES [(COLUMNS)] on OBJECTS to ROLES`
fn of_statement(statement: &str, tables: &[String]) -> Vec<Grant> {
    let grant = statement.trim().strip_prefix("grant ").and_then(|rest| rest.split_once(" on "));
    let (what, rest) = grant.expect("init/grants.sql holds grants alone");
    let (objects, roles) = rest.split_once(" to ").expect("a grant names its roles");
    let (privileges, columns) = match what.split_once('(') {
        Some((privilege, columns)) => (list(privilege), list(columns.trim_end().trim_end_matches(')'))),
        None => (list(what), Vec::new()),
    };
    let columns: Vec<Option<String>> = match columns.is_empty() {
        true => vec![None],
        false => columns.into_iter().map(Some).collect(),
    };
    let objects: Vec<Option<String>> = match objects.trim() {
        objects if objects.starts_with("all tables ") => tables.iter().cloned().map(Some).collect(),
        objects if objects.starts_with("schema ") => vec![None],
        objects => list(objects).into_iter().map(Some).collect(),
    };
    let mut grants = Vec::new();
    for role in list(roles) {
        for privilege in &privileges {
            for table in &objects {
                grants.extend(columns.iter().map(|column| Grant {
                    role: role.clone(),
                    privilege: privilege.clone(),
                    table: table.clone(),
                    column: column.clone(),
                }));
            }
        }
    }
    grants
}

fn list(text: &str) -> Vec<String> {
    text.split(',').map(|part| part.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_grant_of_init_is_read_as_it_is_written() {
        let tables = ["checkpoint".to_owned(), "carts".to_owned()];
        let needed = needed(generation::GRANTS, &tables);
        let grant = |role: &str, privilege: &str, table: Option<&str>, column: Option<&str>| Grant {
            role: role.into(),
            privilege: privilege.into(),
            table: table.map(str::to_owned),
            column: column.map(str::to_owned),
        };
        for expected in [
            grant("atelier_writer", "usage", None, None),
            grant("atelier_projector", "delete", Some("carts"), None),
            grant("atelier_reader", "select", Some("product_documents"), None),
            grant("atelier_reader", "select", Some("reviews"), Some("reviewer_name")),
            grant("atelier_writer", "select", Some("answers"), Some("id")),
        ] {
            assert!(needed.contains(&expected), "{expected:?}");
        }
        assert!(
            needed.iter().all(|grant| grant.column.as_deref().is_none_or(|name| !name.ends_with("_email")))
        );
        let odd = |text: &str| text.is_empty() || text.contains([' ', '(', ')', '{']);
        assert!(needed.iter().all(|grant| !odd(&grant.role) && !odd(&grant.privilege)));
        assert!(needed.iter().filter_map(|grant| grant.table.as_deref()).all(|table| !odd(table)));
    }
}
