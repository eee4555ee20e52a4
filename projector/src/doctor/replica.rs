//! One replica: can each role connect, is everything there that its migrations made, and where does it stand?

mod connection;
mod grants;
mod place;
mod schema;

use std::collections::HashMap;

use contract::announcement::Progress;
use service::config::Replica;
use sqlx::{PgConnection, Row};
use stream::Link;

use super::examination::{Examination, Finding};

const ROLES: &str = include_str!("replica/roles.sql");
const MAY_BECOME_OWNER: &str = include_str!("replica/may_become_owner.sql");

/// The checks of one replica; a need without a dot is one of these.
struct Checks<'a> {
    examination: &'a mut Examination,
    prefix: String,
}

impl Checks<'_> {
    async fn check<G, T>(
        &mut self,
        what: &str,
        needs: &[&str],
        grounds: Option<G>,
        look: impl AsyncFnOnce(G) -> Finding<T>,
    ) -> Option<T> {
        let full = |need: &&str| match need.contains('.') {
            true => (*need).to_owned(),
            false => format!("{}.{need}", self.prefix),
        };
        let needs: Vec<String> = needs.iter().map(full).collect();
        let needs: Vec<&str> = needs.iter().map(String::as_str).collect();
        self.examination.check(format!("{}.{what}", self.prefix), &needs, grounds, look).await
    }
}

/// Looks at a replica. `heard` is what projectors announced meanwhile; none without a link.
pub(super) async fn examine(
    examination: &mut Examination,
    replica: &Replica,
    link: Option<&Link>,
    heard: Option<&HashMap<String, Progress>>,
) {
    let mut checks = Checks { examination, prefix: format!("replica.{}", replica.name) };
    let mut database = connection::examine(&mut checks, replica).await;
    let _roles = checks
        .check("roles", &["connection"], database.as_mut(), async |database| {
            told(roles(database).await, "projector init")
        })
        .await;
    let tables = checks
        .check("tables", &["connection"], database.as_mut(), async |database| {
            schema::tables(database, replica).await
        })
        .await;
    let _grants = checks
        .check("grants", &["roles", "tables"], database.as_mut().zip(tables), async |(database, tables)| {
            told(grants::missing(database, &tables).await, "projector init")
        })
        .await;
    let _sealed = checks
        .check("sealed", &["roles", "tables"], database.as_mut(), async |database| {
            grants::sealed(database, replica).await
        })
        .await;
    let _indexes = checks
        .check("indexes", &["tables"], database.as_mut(), async |database| {
            schema::indexes(database, replica).await
        })
        .await;
    place::examine(&mut checks, replica, database.as_mut(), link, heard).await;
}

/// Each role is there, may log in and may no more than it needs.
async fn roles(database: &mut PgConnection) -> sqlx::Result<Finding> {
    let names: Vec<&str> = replica::Role::OURS.iter().map(|role| role.name()).collect();
    let mut wrong = Vec::new();
    for row in sqlx::query(ROLES).bind(&names).fetch_all(&mut *database).await? {
        let name: String = row.try_get("name")?;
        let (there, login): (bool, bool) = (row.try_get("there")?, row.try_get("login")?);
        if !there {
            wrong.push(format!("{name} is missing"));
        } else if !login {
            wrong.push(format!("{name} may not log in"));
        }
        if row.try_get("powerful")? {
            let mend = format!(
                "as Postgres's administrator: alter role {name} nosuperuser nocreatedb nocreaterole noreplication nobypassrls"
            );
            return Ok(Finding::fail(format!("{name} may more than it needs"), mend));
        }
    }
    if wrong.is_empty() && !sqlx::query(MAY_BECOME_OWNER).fetch_one(database).await?.try_get("may")? {
        wrong
            .push("atelier_projector may not become atelier_owner, so no catalogue can be closed".to_owned());
    }
    Ok(match wrong.is_empty() {
        true => Finding::pass(names.join(", ")),
        false => Finding::fail(wrong.join("; "), "projector init"),
    })
}

/// What was found, or why nothing could be.
fn told<T>(finding: sqlx::Result<Finding<T>>, mend: &str) -> Finding<T> {
    finding.unwrap_or_else(|error| Finding::fail(format!("Postgres says: {error}"), mend))
}

/// The command that runs a statement in a role.
fn psql(replica: &Replica, role: replica::Role, statement: &str) -> String {
    let (password, name) = (replica.passwords.join(role.name()), role.name());
    let (file, url) = (password.display(), &replica.url);
    format!("PGPASSWORD=$(cat {file}) psql -U {name} -c '{statement}' '{url}'")
}

/// How a replica is made anew from the stream, when what it holds cannot be mended in place.
fn anew(replica: &Replica) -> String {
    format!(
        "make it anew from the stream: stop its projector and readers; {}; then projector init, and start them again",
        psql(replica, replica::Role::Administrator, "drop database atelier")
            .replace(&replica.url, &sibling(&replica.url))
    )
}

/// Another database of the same server: one cannot drop the one that one is connected to.
fn sibling(url: &str) -> String {
    match url.rsplit_once('/') {
        Some((server, _)) if !server.ends_with('/') => format!("{server}/postgres"),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_is_made_anew_from_beside_its_database() {
        let replica = Replica {
            name: "a".into(),
            url: "postgres://127.0.0.1:5432/atelier".into(),
            passwords: "/p/a".into(),
        };
        let command = anew(&replica);
        assert!(
            command
                .contains("psql -U postgres -c 'drop database atelier' 'postgres://127.0.0.1:5432/postgres'")
        );
    }
}
