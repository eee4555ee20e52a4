//! `projector audit`: replicas are compared at one position while everybody reads and writes; what differs is named by its key
//! with both rows, and healed.

mod elsewhere;
mod heal;
mod held;
mod interval;
mod seeded;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;
use sqlx::{AssertSqlSafe, Row};
use tests::{Load, Private, Said, Shopper, catalogue, tables, with_catalogue, within};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// What an audit said, and its report.
struct Seen {
    said: Said,
    report: Value,
}

impl Seen {
    /// The tables that differ.
    fn differing(&self) -> Vec<String> {
        let tables = self.report["tables"].as_array().cloned().unwrap_or_default();
        let differing = tables.iter().filter(|table| table["equal"] == false);
        differing.map(|table| table["table"].as_str().unwrap().to_owned()).collect()
    }

    /// The one key of a table that differs.
    fn key(&self, table: &str) -> &Value {
        let tables = self.report["tables"].as_array().unwrap();
        let table = tables.iter().find(|it| it["table"] == table).unwrap();
        let keys = table["keys"].as_array().unwrap();
        assert_eq!((keys.len(), &table["more_keys"]), (1, &Value::from(0)), "{table:#}");
        &keys[0]
    }

    fn replica(&self, name: &str) -> &Value {
        let replicas = self.report["replicas"].as_array().unwrap();
        replicas.iter().find(|replica| replica["name"] == name).unwrap()
    }
}

/// `projector audit --json`; the last line or document that it told.
async fn audit(system: &Private, more: &[&str]) -> Seen {
    let said = system.operator().run("projector", ["audit", "--json"].iter().chain(more)).await;
    let documents = serde_json::Deserializer::from_str(&said.out).into_iter::<Value>();
    let report = documents.filter_map(Result::ok).last().unwrap_or_default();
    Seen { said, report }
}

/// It is said that all replicas are equal.
async fn is_equal(system: &Private, more: &[&str]) -> Seen {
    let seen = audit(system, more).await;
    assert_eq!((seen.said.code, &seen.report["result"]), (Some(0), &Value::from("equal")), "{:?}", seen.said);
    seen
}

async fn sql(system: &Private, replica: &str, statement: &str) {
    let mut connection = tables::connect(system, replica).await.unwrap();
    let done = sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await;
    let _done = done.unwrap_or_else(|error| panic!("{statement}: {error}"));
}

/// One number that a replica answers.
async fn number(system: &Private, replica: &str, statement: &str) -> i64 {
    let mut connection = tables::connect(system, replica).await.unwrap();
    let row = sqlx::query(AssertSqlSafe(statement.to_owned())).fetch_one(&mut connection).await;
    row.and_then(|row| row.try_get(0)).unwrap_or_else(|error| panic!("{statement}: {error}"))
}

/// A value, a row less and a row more, in three tables of one replica.
const PLANTED: &str = "
    update reviews set helpfulness = helpfulness + 7, reviewer_email = 'sealed1.none.BBBB' where id = 5;
    delete from answers where id = 8;
    insert into interactions values (7, 'planted', 'nowhere', 'never', '2026-01-02 03:04:05.678');";

/// Shoppers who read all the time, and are served each time.
struct Reading {
    stop: CancellationToken,
    served: Arc<AtomicUsize>,
    reading: JoinHandle<Vec<String>>,
}

impl Reading {
    fn start(shopper: Shopper) -> Reading {
        let (stop, served) = (CancellationToken::new(), Arc::new(AtomicUsize::new(0)));
        let (until, count) = (stop.clone(), Arc::clone(&served));
        let reading = tokio::spawn(async move {
            let mut failed = Vec::new();
            let paths =
                ["/products/1", "/products/1/styles", "/reviews?product_id=2", "/qa/questions?product_id=1"];
            for path in paths.into_iter().cycle() {
                if until.is_cancelled() {
                    break;
                }
                match shopper.try_send(shopper.request(reqwest::Method::GET, path)).await {
                    Ok(answer) if answer.status == 200 => drop(count.fetch_add(1, Ordering::Relaxed)),
                    other => failed.push(format!("{path}: {other:?}")),
                }
            }
            failed
        });
        Reading { stop, served, reading }
    }

    /// Nobody was turned away.
    async fn all_were_served(self) {
        self.stop.cancel();
        let failed = self.reading.await.unwrap();
        assert!(failed.is_empty(), "{failed:?}");
        assert!(self.served.load(Ordering::Relaxed) > 20);
    }
}

fn load(system: &Private, shoppers: usize) -> Load {
    let spares: Vec<_> = catalogue::spare_products().take(10).collect();
    Load::start(&system.shopper(), &spares, shoppers)
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_replicas_are_said_to_be_equal_while_everybody_reads_and_writes() {
    let system = with_catalogue("audit-equal", |options| options).await;
    let (load, reading) = (load(&system, 4), Reading::start(system.shopper()));
    load.more(50, within(60)).await;
    let first = is_equal(&system, &[]).await;
    let (position, rows) =
        (first.report["position"].as_u64().unwrap(), first.report["replicas"][0]["rows"].as_u64());
    assert!(position > 1_000_000_000 && rows > Some(900), "{:#}", first.report);
    for name in ["a", "b"] {
        let of = first.replica(name);
        assert_eq!(
            (&of["compared"], &of["hash"]),
            (&Value::from(true), &first.report["replicas"][0]["hash"])
        );
    }
    assert_eq!(first.report["tables"].as_array().unwrap().len(), 23, "{:#}", first.report);
    // At a mark behind a position that is yet to come.
    let later = (position + 30).to_string();
    let second = is_equal(&system, &["--at", &later]).await;
    assert!(second.report["position"].as_u64() > Some(position + 30), "{:#}", second.report);
    let third = is_equal(&system, &["--tables", "reviews,answers"]).await;
    assert_eq!(third.report["tables"].as_array().unwrap().len(), 2);
    let tally = load.stop().await;
    assert_eq!(tally.failed, 0, "{}", tally.last_failure);
    reading.all_were_served().await;
    let _tables = tally.is_all_there(&system).await;

    let said = system.operator().run("projector", ["audit"]).await.expect_success();
    assert!(said.out.contains("equal at ") && said.out.contains("review_totals"), "{said:?}");
    for replica in ["a", "b"] {
        let recorded = "select count(*) from control.audits where result = 'equal'";
        assert_eq!(number(&system, replica, recorded).await, 3, "one was of two tables alone");
        let recorded = "select count(*) from control.operations where verb = 'audit' and outcome = 'equal'";
        assert_eq!(number(&system, replica, recorded).await, 4);
        assert_eq!(number(&system, replica, "select count(*) from control.snapshots").await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_differs_is_named_by_its_key_with_both_rows_and_nothing_is_touched() {
    let system = with_catalogue("audit-planted", |options| options).await;
    sql(&system, "b", PLANTED).await;
    let seen = audit(&system, &[]).await;
    assert_eq!(
        (seen.said.code, &seen.report["result"]),
        (Some(1), &Value::from("different")),
        "{:?}",
        seen.said
    );
    assert_eq!(seen.differing(), ["answers", "interactions", "reviews"]);
    let review = seen.key("reviews");
    assert_eq!(
        (&review["key"]["id"], &review["columns"]),
        (&"5".into(), &serde_json::json!(["reviewer_email", "helpfulness"]))
    );
    let helpful =
        |replica: &str| review["rows"][replica]["helpfulness"].as_str().unwrap().parse::<i64>().unwrap();
    assert_eq!(helpful("b"), helpful("a") + 7);
    let sealed = review["rows"]["a"]["reviewer_email"].as_str().unwrap();
    assert!(sealed.starts_with("sealed1."), "an address is shown as it is stored: {sealed}");
    let answer = seen.key("answers");
    assert_eq!((&answer["key"]["id"], &answer["rows"]["b"]), (&"8".into(), &Value::Null));
    assert!(answer["rows"]["a"]["body"].is_string(), "{answer:#}");
    let interaction = seen.key("interactions");
    assert_eq!((&interaction["key"]["id"], &interaction["rows"]["a"]), (&"7".into(), &Value::Null));
    assert_eq!(interaction["rows"]["b"]["date"], "2026-01-02 03:04:05.678");

    let said = system.operator().run("projector", ["audit"]).await;
    assert_eq!(said.code, Some(1), "{said:?}");
    for part in
        ["reviews, id 5", "differs in reviewer_email, helpfulness", "answers, id 8", "no such row", "--heal"]
    {
        assert!(said.out.contains(part), "{part}: {said:?}");
    }
    let recorded = "select count(*) from control.audits where result = 'different'";
    assert_eq!(number(&system, "a", recorded).await, 2);
    // Where nothing differs, nothing is said.
    is_equal(&system, &["--tables", "questions,products"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_cannot_be_compared_is_named_and_so_is_a_table_that_is_not_there() {
    let three = |mut options: local::SystemOptions| {
        options.replicas.push("c".into());
        options
    };
    let system = with_catalogue("audit-named", three).await;
    system.process("projector-c").stop().await;
    let seen = audit(&system, &[]).await;
    assert_eq!(
        (seen.said.code, &seen.report["result"]),
        (Some(2), &Value::from("unknown")),
        "{:?}",
        seen.said
    );
    assert_eq!(seen.replica("c")["compared"], false);
    assert!(seen.replica("c")["why"].as_str().unwrap().contains("silent"), "{:#}", seen.report);
    assert_eq!((&seen.replica("a")["compared"], seen.differing().len()), (&Value::from(true), 0));

    system.process("projector-b").stop().await;
    let seen = audit(&system, &["--patience", "2"]).await;
    assert_eq!((seen.said.code, &seen.report["position"]), (Some(2), &Value::Null), "{:?}", seen.said);
    assert!(seen.replica("a")["why"].as_str().unwrap().contains("no other replica"), "{:#}", seen.report);
    for name in ["projector-b", "projector-c"] {
        system.process(name).start().await.unwrap();
    }
    system.ready().await;

    // Its projector is there and does not come to the mark, because its tables are locked.
    let mut lock = tables::connect(&system, "c").await.unwrap();
    sqlx::raw_sql("begin; lock table checkpoint in exclusive mode").execute(&mut lock).await.unwrap();
    let seen = audit(&system, &["--patience", "2"]).await;
    drop(lock);
    assert_eq!(seen.said.code, Some(2), "{:?}", seen.said);
    assert!(
        seen.replica("c")["why"].as_str().unwrap().contains("did not come to the mark"),
        "{:#}",
        seen.report
    );
    assert_eq!(seen.replica("b")["compared"], true);

    let said = system.operator().run("projector", ["audit", "--tables", "nonsense"]).await;
    let said = said.expect_refusal(&["nonsense", "review_totals"]);
    assert_eq!(said.code, Some(2));
    let said = system.operator().run("projector", ["audit", "--at", "2000000000", "--patience", "1"]).await;
    assert_eq!(said.expect_refusal(&["has not come to 2000000000"]).code, Some(2));
    system.ready().await;
    is_equal(&system, &[]).await;
}

/// Longer than any replica takes to let go of something.
const SOON: Duration = Duration::from_secs(15);
