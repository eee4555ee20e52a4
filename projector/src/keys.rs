//! `projector keys`: which key seals, which ones still open, and what lies under each.

use std::error::Error;
use std::path::Path;

use comfy_table::Table;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use contract::email::KeyRing;
use replica::{Role, SCHEMA_LIVE, connect_options};
use serde::Serialize;
use service::config::Replica;
use service::{Config, keys};
use sqlx::{Connection as _, PgConnection, Row};

const ADDRESSES: &str = include_str!("keys/addresses.sql");

#[derive(Serialize)]
struct Report {
    schema_version: u32,
    keys: Vec<Key>,
    hashing_key: String,
    replicas: Vec<Addresses>,
    /// Replicas that could not be asked, and why.
    unreachable: Vec<String>,
}

#[derive(Serialize)]
struct Key {
    id: String,
    file: String,
    current: bool,
}

/// Addresses of one table of one replica under one key.
#[derive(Serialize)]
struct Addresses {
    replica: String,
    table: String,
    key: String,
    addresses: i64,
    /// Whether the key's file is here.
    opens: bool,
}

/// Prints the keys and a table, or JSON.
///
/// # Errors
/// When a key file cannot be used, a replica cannot be asked, or addresses lie under a key that is not here.
pub(crate) async fn keys(config: &Config, json: bool) -> Result<(), Box<dyn Error>> {
    let ring = keys::ring(&config.keys)?;
    let files = std::iter::once(&config.keys.sealing).chain(&config.keys.sealing_old);
    let keys = ring.key_ids().zip(files).enumerate();
    let mut report = Report {
        schema_version: 1,
        keys: keys.map(|(index, (id, file))| key(id, file, index == 0)).collect(),
        hashing_key: keys::hashing(&config.keys)?.id(),
        replicas: Vec::new(),
        unreachable: Vec::new(),
    };
    for replica in &config.replicas {
        match addresses(replica, &ring).await {
            Ok(addresses) => report.replicas.extend(addresses),
            Err(error) => report.unreachable.push(format!("replica {}: {error}", replica.name)),
        }
    }
    if json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
    }
    let mut missing: Vec<&str> =
        report.replicas.iter().filter(|line| !line.opens).map(|line| line.key.as_str()).collect();
    missing.sort_unstable();
    missing.dedup();
    // Whoever is about to destroy a key must know which replicas were not asked.
    let mut mistakes = report.unreachable.clone();
    if !missing.is_empty() {
        let missing = missing.join(", ");
        mistakes.push(format!("addresses lie under {missing}, and no file here holds such a key: name it in keys.sealing_old, or those addresses cannot be opened"));
    }
    if mistakes.is_empty() { Ok(()) } else { Err(mistakes.join("; ").into()) }
}

fn key(id: &str, file: &Path, current: bool) -> Key {
    Key { id: id.to_owned(), file: file.display().to_string(), current }
}

async fn addresses(replica: &Replica, ring: &KeyRing) -> Result<Vec<Addresses>, Box<dyn Error>> {
    let options = connect_options(&replica.url, &replica.passwords, Role::Projector, "projector keys")?;
    let mut connection = PgConnection::connect_with(&options.options([("search_path", SCHEMA_LIVE)])).await?;
    let rows = sqlx::query(ADDRESSES).fetch_all(&mut connection).await?;
    connection.close().await?;
    let mut lines = Vec::with_capacity(rows.len());
    for row in rows {
        let key: String = row.try_get("key")?;
        lines.push(Addresses {
            replica: replica.name.clone(),
            table: row.try_get("name")?,
            addresses: row.try_get("addresses")?,
            opens: ring.key_ids().any(|id| id == key),
            key,
        });
    }
    Ok(lines)
}

fn print(report: &Report) {
    for key in &report.keys {
        let does = if key.current { "seals, and opens what it sealed" } else { "opens what it sealed" };
        println!("sealing key {} ({}): {does}", key.id, key.file);
    }
    println!("hashing key {}", report.hashing_key);
    if report.replicas.is_empty() {
        return;
    }
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_header(["replica", "table", "key", "addresses", ""]);
    for line in &report.replicas {
        let opens = if line.opens { "" } else { "no file here" };
        let count = line.addresses.to_string();
        table.add_row([line.replica.as_str(), &line.table, &line.key, &count, opens]);
    }
    println!("{table}");
}
