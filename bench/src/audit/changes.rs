//! Seeded changes of single values in one replica, each of which an audit must find and name.

use std::collections::BTreeSet;

use contract::resources::reviews::ReviewHelpful;
use contract::{Envelope, Event};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

use super::audit;
use crate::error::Error;
use crate::private::Private;

const COLUMNS: &str = include_str!("columns.sql");
/// A review that never was: a vote for it is rejected on record.
const NO_REVIEW: i64 = 55_555_555;

struct Column {
    table: String,
    name: String,
    kind: String,
    key: String,
}

/// Numbers that look like chance (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.0;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^= number >> 31;
        usize::try_from(number % bound.max(1) as u64).unwrap_or_default()
    }
}

/// Changes, compares, takes it back, so many times. Answers what was not found.
pub(super) async fn all_are_found(
    private: &Private,
    changes: u64,
    seed: u64,
) -> Result<Option<String>, Error> {
    println!("{changes} changes of single values in replica b, seed {seed}");
    rows_everywhere(private).await?;
    let mut connection = PgConnection::connect(&private.system.postgres_url("b")?).await?;
    sqlx::raw_sql("set search_path = live; set timezone = 'UTC'; set datestyle = 'ISO, YMD'")
        .execute(&mut connection)
        .await?;
    let columns = columns(&mut connection).await?;
    let (report, _) = audit(private).await?;
    if report["result"] != "equal" {
        return Err(Error::wrong("audit", format!("before any change it says {}", report["result"])));
    }
    let mut random = Random(seed);
    let (mut found, mut tables, mut touched) = (0, BTreeSet::new(), BTreeSet::new());
    let mut missed = Vec::new();
    for number in 0..changes {
        let column = &columns[random.below(columns.len())];
        let (table, name) = (&column.table, &column.name);
        let (before, after) = change(&mut connection, column, &mut random).await?;
        let (report, _) = audit(private).await?;
        let named = is_named(&report, table, &[before.clone(), after]);
        take_back(&mut connection, column).await?;
        tables.insert(table.clone());
        touched.insert((table.clone(), name.clone()));
        match named {
            Ok(()) => found += 1,
            Err(why) => {
                println!("change {number}, {table}.{name} of {before}: {why}");
                missed.push(format!("{table}.{name} of {before}"));
            }
        }
    }
    let (report, _) = audit(private).await?;
    if report["result"] != "equal" {
        return Err(Error::wrong("audit", "the changes were taken back and replicas differ"));
    }
    println!(
        "{found} of {changes} changes found, each with its table and key: {} tables, {} columns of {}",
        tables.len(),
        touched.len(),
        columns.len()
    );
    Ok((!missed.is_empty()).then(|| format!("changes that were not found: {}", missed.join(", "))))
}

/// The tables that a catalogue leaves empty get rows too.
async fn rows_everywhere(private: &Private) -> Result<(), Error> {
    let url = |path: &str| format!("{}{path}", private.system.url());
    let person =
        json!({"body": "Does it fit?", "name": "jo", "email": "jo@shopper.example", "product_id": 1});
    let interaction = json!({"element": "button", "widget": "overview", "time": "now"});
    for (path, body) in [("/qa/questions", person), ("/interactions", interaction)] {
        for number in 0..20 {
            let key = format!("audit{}-{number}", path.replace('/', "-"));
            let request = private.http.post(url(path)).header("idempotency-key", key);
            let status = request.json(&body).send().await?.status();
            if status != 201 {
                return Err(Error::wrong("audit", format!("POST {path} answers {status}")));
            }
        }
    }
    let event = Event::ReviewHelpful(ReviewHelpful { review_id: NO_REVIEW });
    let envelope = Envelope::new("no-review".to_owned(), service::time::now(), "/atelier/bench");
    let message = stream::Message::new(&envelope, &event);
    let settings = stream::Settings {
        url: private.system.nats_url(),
        monitor_url: private.system.nats_monitor_url(),
        accept_acknowledgement_before_sync: false,
        hashing_key: None,
    };
    let stop = tokio_util::sync::CancellationToken::new();
    let _stops_at_the_end = stop.clone().drop_guard();
    let failed = |error: String| Error::said(format!("an event could not be published: {error}"));
    let connection = stream::Connection::open(settings, "bench", stop);
    let link = connection.verified().await.map_err(|error| failed(error.to_string()))?;
    let placed = link.publish(&message, std::time::Duration::from_secs(5)).await;
    placed.map_err(|error| failed(error.to_string()))?;
    private.until_applied().await
}

/// Columns of tables that have rows.
async fn columns(connection: &mut PgConnection) -> Result<Vec<Column>, Error> {
    let mut columns: Vec<Column> = Vec::new();
    for row in sqlx::query(COLUMNS).fetch_all(&mut *connection).await? {
        let (table, name, kind, key) =
            (row.try_get("name")?, row.try_get("changed")?, row.try_get("type")?, row.try_get("key")?);
        columns.push(Column { table, name, kind, key });
    }
    let tables: BTreeSet<String> = columns.iter().map(|column| column.table.clone()).collect();
    for table in tables {
        let any = sqlx::query(AssertSqlSafe(format!("select from {table} limit 1")))
            .fetch_optional(&mut *connection);
        if any.await?.is_none() {
            println!("table {table} has no rows, so nothing can be changed there");
            columns.retain(|column| column.table != table);
        }
    }
    Ok(columns)
}

/// Changes one value, and keeps the row as it was. Answers the row's key before and after.
async fn change(
    connection: &mut PgConnection,
    column: &Column,
    random: &mut Random,
) -> Result<(Value, Value), Error> {
    let Column { table, name, kind, key } = column;
    // Marks are counted while they are looked at, in a row that is left alone for that.
    let rows = match table.as_str() {
        "event_counts" => "event_counts where event_type <> 'control.audit'",
        table => table,
    };
    let count = sqlx::query(AssertSqlSafe(format!("select count(*) from {rows}")));
    let count: i64 = count.fetch_one(&mut *connection).await?.try_get(0)?;
    let offset = random.below(usize::try_from(count).unwrap_or_default());
    let other = match kind.as_str() {
        "boolean" => format!("not coalesce({name}, false)"),
        "bigint" => format!("coalesce({name}, 0) + 4000000000007"),
        "integer" | "smallint" => format!("coalesce({name}, 0) + 1"),
        "numeric" => format!("coalesce({name}, 0) + 0.01"),
        "json" => format!("({name}::text || ' ')::json"),
        kind if kind.starts_with("timestamp") => format!("{name} + interval '1 millisecond'"),
        _ => format!("coalesce({name}, '') || '~'"),
    };
    let keys = format!(
        "to_json(array[{}])",
        key.split(", ").map(|part| format!("{part}::text")).collect::<Vec<_>>().join(", ")
    );
    let script = format!(
        "create temp table kept as select * from {rows} order by {key} limit 1 offset {offset};
         create temp table changed as select * from kept;
         update changed set {name} = {other};
         begin;
         delete from {table} where ({key}) = (select {key} from kept);
         insert into {table} select * from changed;
         commit"
    );
    sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut *connection).await?;
    let names = format!("select {keys}::text as name from kept union all select {keys}::text from changed");
    let mut read = Vec::new();
    for row in sqlx::query(AssertSqlSafe(names)).fetch_all(connection).await? {
        read.push(serde_json::from_str(row.try_get("name")?).unwrap_or_default());
    }
    let after = read.pop().unwrap_or_default();
    Ok((read.pop().unwrap_or_default(), after))
}

async fn take_back(connection: &mut PgConnection, column: &Column) -> Result<(), Error> {
    let Column { table, key, .. } = column;
    let script = format!(
        "begin;
         delete from {table} where ({key}) = (select {key} from changed);
         insert into {table} select * from kept;
         commit;
         drop table kept, changed"
    );
    sqlx::raw_sql(AssertSqlSafe(script)).execute(connection).await?;
    Ok(())
}

/// Whether an audit names exactly this table, and these keys alone.
fn is_named(report: &Value, table: &str, keys: &[Value]) -> Result<(), String> {
    let tables = report["tables"].as_array().cloned().unwrap_or_default();
    let differing: Vec<&Value> = tables.iter().filter(|table| table["equal"] == false).collect();
    let [one] = differing.as_slice() else {
        return Err(format!("it says {} and names {} tables", report["result"], differing.len()));
    };
    if one["table"] != table {
        return Err(format!("it names table {}", one["table"]));
    }
    let values = |key: &Value| -> BTreeSet<String> {
        let parts: Vec<Value> = match key {
            Value::Object(parts) => parts.values().cloned().collect(),
            Value::Array(parts) => parts.clone(),
            other => vec![other.clone()],
        };
        parts.iter().map(|part| part.as_str().unwrap_or_default().to_owned()).collect()
    };
    let named: BTreeSet<_> =
        one["keys"].as_array().into_iter().flatten().map(|key| values(&key["key"])).collect();
    let expected: BTreeSet<_> = keys.iter().map(values).collect();
    if named == expected {
        Ok(())
    } else {
        Err(format!("it names keys {named:?}, and {expected:?} were changed"))
    }
}
