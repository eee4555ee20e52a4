//! No statement reads a growing table from end to end.

use std::fs;
use std::path::{Path, PathBuf};

use contract::catalogue::Table;
use local::System;
use serde_json::Value;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Connection, Row};
use tests::shared;

const PRODUCTS: u32 = 2_000;
/// They have one row each, or one for each type of event, generation, or comparison that runs.
const TABLES_OF_A_FEW_ROWS: [&str; 7] =
    ["checkpoint", "catalogue", "heard", "event_counts", "generations", "snapshots", "audits"];
/// Run once, when a catalogue closes or an operator asks: they read everything, by design. Or no statements with a plan.
const RUN_ONCE: &[&str] = &[
    "products/documents.sql",
    "reviews/photos.sql",
    "reviews/totals.sql",
    "reviews/characteristic_totals.sql",
    "cart/legacy.sql",
    "keys/addresses.sql",
    "catalogue/analyze.sql",
    "catalogue/become_owner.sql",
    "/init/",
    "/generation/",
    "/rebuild/",
    "/doctor/",
    "/status/",
    "/verify/",
    "audit/hash.sql",
    "/add/",
    "/members/",
    "audit/keys.sql",
    "audit/rows.sql",
    "audit/settings.sql",
    "audit/tables.sql",
    "audit/schema_then.sql",
    "audit/heal/",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_is_prepared_and_none_scans_a_growing_table() {
    let system = shared().await;
    let mut connection = loaded(&system, "statements").await;
    let scanning = "explain (generic_plan, format json) select id from reviews where body = $1";
    let row = sqlx::raw_sql(scanning).fetch_one(&mut connection).await.unwrap();
    assert_eq!(scanned(&row), ["reviews"], "this test sees a scan where there is one");
    let walking = "explain (generic_plan, format json) select id from reviews order by id limit 5 offset $1";
    let row = sqlx::raw_sql(walking).fetch_one(&mut connection).await.unwrap();
    assert_eq!(scanned(&row), ["reviews"], "an index can be walked from its beginning too");

    let mut faults = Vec::new();
    let mut checked = 0;
    for service in ["reader", "projector", "writer", "crates/replica"] {
        for file in statements(&checkout().join(service).join("src")) {
            let name = file.strip_prefix(checkout()).unwrap().display().to_string();
            if RUN_ONCE.iter().any(|part| name.contains(part)) {
                continue;
            }
            let statement = fs::read_to_string(&file).unwrap();
            let explain =
                format!("explain (generic_plan, format json) {}", statement.trim().trim_end_matches(';'));
            match sqlx::raw_sql(AssertSqlSafe(explain)).fetch_one(&mut connection).await {
                Ok(row) => faults.extend(scanned(&row).iter().map(|table| format!("{name} scans {table}"))),
                Err(error) => faults.push(format!("{name} cannot be prepared: {error}")),
            }
            checked += 1;
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(checked >= 45, "only {checked} statements were found");
}

/// While a catalogue is open its tables have no keys: a look for one id would read all of them, however many rows have
/// come.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_runs_while_a_catalogue_is_imported_looks_into_its_tables() {
    let system = shared().await;
    let mut connection = loaded(&system, "importing").await;
    let mut script = "update catalogue set closed = null;".to_owned();
    for name in Table::ALL.map(Table::name) {
        script += &format!("alter table {name} drop constraint {name}_pkey;");
    }
    sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut connection).await.unwrap();
    let looking = "select from reviews where id = $1";
    assert_eq!(run(&mut connection, looking).await.unwrap(), ["reviews"], "this test sees a scan that ran");

    let mut faults = Vec::new();
    let mut checked = 0;
    for folder in ["writer/src/references", "projector/src/apply", "crates/replica/src"] {
        for file in statements(&checkout().join(folder)) {
            let name = file.strip_prefix(checkout()).unwrap().display();
            match run(&mut connection, &fs::read_to_string(&file).unwrap()).await {
                Ok(tables) => faults.extend(tables.iter().map(|table| format!("{name} scans {table}"))),
                Err(error) => faults.push(format!("{name} cannot be run: {error}")),
            }
            checked += 1;
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(checked >= 16, "only {checked} statements were found");
}

/// Runs a statement with nothing for its parameters, without a trace; the tables that it read from end to end.
async fn run(connection: &mut PgConnection, statement: &str) -> sqlx::Result<Vec<String>> {
    let parameters = (1..).take_while(|number| statement.contains(&format!("${number}"))).count();
    let nothing =
        if parameters == 0 { String::new() } else { format!("({})", vec!["null"; parameters].join(", ")) };
    let prepare = format!("begin; prepare run as {}", statement.trim().trim_end_matches(';'));
    let prepared = sqlx::raw_sql(AssertSqlSafe(prepare)).execute(&mut *connection).await;
    let explain = format!("explain (analyze, format json) execute run{nothing}");
    let explained = match prepared {
        Ok(_) => sqlx::raw_sql(AssertSqlSafe(explain)).fetch_one(&mut *connection).await,
        Err(error) => Err(error),
    };
    sqlx::raw_sql("rollback; deallocate all").execute(connection).await?;
    explained.map(|row| scanned(&row))
}

fn scanned(explained: &PgRow) -> Vec<String> {
    let plan: String = explained.try_get_unchecked(0).unwrap();
    let mut found = Vec::new();
    scans(&serde_json::from_str(&plan).unwrap(), &mut found);
    found
}

/// Tables of a plan that are read from end to end, as they lie or in an index's order, but for those of a few rows. What a
/// plan that ran has passed over does not count.
fn scans(plan: &Value, found: &mut Vec<String>) {
    match plan {
        Value::Object(node) => {
            let text = |key| node.get(key).and_then(Value::as_str);
            let all = match text("Node Type") {
                Some("Seq Scan") => true,
                Some("Index Scan" | "Index Only Scan") => text("Index Cond").is_none(),
                _ => false,
            };
            let ran = node.get("Actual Loops").and_then(Value::as_f64) != Some(0.0);
            if let (true, true, Some(table)) = (all, ran, text("Relation Name"))
                && !TABLES_OF_A_FEW_ROWS.contains(&table)
            {
                found.push(table.to_owned());
            }
            node.values().for_each(|value| scans(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| scans(value, found)),
        _ => {}
    }
}

/// A database of its own with the tables of a generation, full.
async fn loaded(system: &System, name: &str) -> PgConnection {
    let options: PgConnectOptions = system.postgres_url("a").unwrap().parse().unwrap();
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    let create = format!("create database {name}");
    sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut connection).await.unwrap();
    let mut connection = PgConnection::connect_with(&options.database(name)).await.unwrap();
    // As a reader's session: the plan that is looked at is the plan that runs.
    let schemas = fs::read_to_string(checkout().join("projector/src/init/database.sql")).unwrap();
    let mut script = schemas.replace("{database}", name);
    script += "set search_path = live; set jit = off; set plan_cache_mode = force_generic_plan;";
    let migrations = checkout().join("migrations");
    for file in
        sorted(&migrations).into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "sql"))
    {
        script += &fs::read_to_string(file).unwrap();
    }
    script += &rows();
    for file in statements(&checkout().join("migrations/indexes")) {
        script += &fs::read_to_string(file).unwrap();
    }
    for file in &RUN_ONCE[..4] {
        let statement = fs::read_to_string(checkout().join("projector/src/resources").join(file)).unwrap();
        // All documents are one part.
        script += &statement.replace("$1", "0").replace("$2", "1");
        script += ";\n";
    }
    script += "analyze;";
    sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut connection).await.unwrap();
    let documents =
        sqlx::query("select count(*) from product_documents").fetch_one(&mut connection).await.unwrap();
    assert_eq!(documents.get::<i64, _>(0), i64::from(PRODUCTS));
    connection
}

fn rows() -> String {
    format!(
        "insert into checkpoint values (true, 1000100000, 'abcdefgh2345', '', 1, 0, 1, 1);
         insert into catalogue values (true, 1000000000, 1000000100);
         insert into products select id, 'name ' || id, 's', 'd', 'c', 10 from generate_series(1, {PRODUCTS}) id;
         insert into features select id, id / 2 + 1, 'f', 'v' from generate_series(1, {PRODUCTS} * 2 - 2) id;
         insert into styles select id, id / 2 + 1, 'style', null, 10, true from generate_series(1, {PRODUCTS} * 2 - 2) id;
         insert into skus select id, id / 6 + 1, 'S', 1 from generate_series(1, {PRODUCTS} * 10) id;
         insert into style_photos select id, id / 3 + 1, 'u', 't' from generate_series(1, {PRODUCTS} * 5) id;
         insert into related_products select id, id % {PRODUCTS} + 1, id % 700 + 1 from generate_series(1, {PRODUCTS} * 4) id;
         insert into reviews (id, product_id, rating, date, summary, body, recommend, reported, reviewer_name, reviewer_email,
             response, helpfulness) select id, id % {PRODUCTS} + 1, id % 5 + 1, timestamp '2020-01-01' + id * interval '1 minute', 's', 'b',
             id % 3 = 0, id % 20 = 0, 'n', 'sealed', null, id % 50 from generate_series(1, {PRODUCTS} * 10) id;
         insert into review_photos select id, id * 2, 'u' from generate_series(1, {PRODUCTS} * 5) id;
         insert into characteristics select id, id % {PRODUCTS} + 1, 'Fit ' || id from generate_series(1, {PRODUCTS} * 3) id;
         insert into characteristic_ratings select id, id % ({PRODUCTS} * 3) + 1, id / 3 + 1, id % 5 + 1 from generate_series(1, {PRODUCTS} * 30 - 3) id;
         insert into questions select id, id % {PRODUCTS} + 1, 'b', timestamp '2020-01-01' + id * interval '1 minute', 'n', 'sealed',
             id % 20 = 0, id % 50 from generate_series(1, {PRODUCTS} * 4) id;
         insert into answers select id, id % ({PRODUCTS} * 4) + 1, 'b', timestamp '2020-01-01' + id * interval '1 minute', 'n', 'sealed',
             id % 20 = 0, id % 50 from generate_series(1, {PRODUCTS} * 7) id;
         insert into answer_photos select id, id * 3, 'u' from generate_series(1, {PRODUCTS} * 2) id;
         insert into legacy_cart_lines select id, 'session ' || id / 3, id from generate_series(1, {PRODUCTS} * 3) id;
         insert into cart_lines select 'session ' || id / 3, id, 1, id from generate_series(1, {PRODUCTS} * 3) id;
         insert into interactions select id, 'e', 'w', 't', timestamp '2020-01-01' from generate_series(1000020201, 1000040200) id;
         insert into rejections select id, 'review.helpful', 'unknown_review' from generate_series(1000000200, 1000010200) id;
         insert into idempotency_keys select 'key ' || id, id, 'b', 'applied', id from generate_series(1000000200, 1000020200) id;
         insert into control.operations (verb, arguments, operator, begun) select 'v', 'a', 'o', now() from generate_series(1, {PRODUCTS}) id;\n"
    )
}

fn statements(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in sorted(folder) {
        if path.is_dir() {
            found.extend(statements(&path));
        } else if path.extension().is_some_and(|ending| ending == "sql") {
            found.push(path);
        }
    }
    found
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}
