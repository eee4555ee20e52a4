//! Nobody's e-mail address is seen again, and secrets are their owner's alone.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use contract::email::Sealer;
use contract::keyed_hash::parse_key;
use contract::{Event, Position};
use serde_json::json;
use sqlx::AssertSqlSafe;
use tests::{answer, catalogue, question, review, shared, stream_access, tables};

const TYPED: &str = "canary-sealed@secret.example";

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_sealed_in_stream_and_rows_and_opens_with_the_key_in_its_own_place_alone() {
    let system = shared().await;
    let shopper = system.shopper();
    let product = catalogue::spare_product().id;
    let with_address = |mut body: serde_json::Value| {
        body["email"] = json!(TYPED);
        body
    };
    let reviewed = shopper.post_review(&with_address(review(product))).await.expect(201).review_id();
    let asked = shopper.post_question(&with_address(question(product))).await.expect(201).made("question_id");
    let answered = shopper.post_answer(asked, &with_address(answer())).await.expect(201).made("answer_id");
    let key = fs::read_to_string(system.data().keys().join("sealing.key")).unwrap();
    let sealer = Sealer::new(parse_key(&key).unwrap());
    let link = stream_access::link(&system).await;
    for (table, column, written, imported, imported_address) in [
        ("reviews", "reviewer_email", reviewed, 5, catalogue::CANARY),
        ("questions", "asker_email", asked, 37, catalogue::ASKER),
        ("answers", "answerer_email", answered, 68, catalogue::ANSWERER),
    ] {
        let stored = link.read(Position::from_i64(written)).await.unwrap();
        let (envelope, event) = stored.decode().unwrap();
        let sealed = match &event {
            Event::ReviewCreated(created) => &created.reviewer_email,
            Event::QuestionCreated(created) => &created.asker_email,
            Event::AnswerCreated(created) => &created.answerer_email,
            other => panic!("{other:?}"),
        };
        assert_eq!(sealer.open(sealed, event.type_name(), &envelope.id).unwrap(), TYPED);
        for replica in system.replicas() {
            let mut connection = tables::connect(&system, replica).await.unwrap();
            let mut row = async |id: i64| -> String {
                let statement = AssertSqlSafe(format!("select {column} from {table} where id = $1"));
                let row = sqlx::query(statement).bind(id).fetch_one(&mut connection).await;
                sqlx::Row::get(&row.unwrap(), 0)
            };
            assert_eq!(row(written).await, *sealed, "{table}");
            let of_the_catalogue = row(imported).await;
            let own_place = sealer.open(&of_the_catalogue, table, &imported.to_string()).unwrap();
            assert_eq!(own_place, imported_address);
            for (sealed, context, place) in [
                (sealed, event.type_name(), "6"),
                (&of_the_catalogue, table, "6"),
                (&of_the_catalogue, "other", "5"),
            ] {
                assert!(
                    sealer.open(sealed, context, place).is_err(),
                    "moved to another row it does not open"
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_and_writers_see_what_they_need_and_no_sealed_address_and_cannot_write() {
    let system = shared().await;
    let both = ["atelier_reader", "atelier_writer"];
    let (reader, writer) = (&both[..1], &both[1..]);
    for (statement, allowed) in [
        ("select id, product_id from reviews limit 1", &both[..]),
        ("select id from questions limit 1", &both),
        ("select id from answers limit 1", &both),
        ("select position from checkpoint", &both),
        ("select body, asker_name from questions limit 1", reader),
        ("select body, answerer_name from answers limit 1", reader),
        ("select url from answer_photos limit 1", reader),
        ("select sku_id, count from cart_lines limit 1", reader),
        ("select id from skus limit 1", writer),
        ("select reviewer_email from reviews limit 1", &[]),
        ("select asker_email from questions limit 1", &[]),
        ("select answerer_email from answers limit 1", &[]),
        ("select count(asker_email) from questions", &[]),
        ("select id from answers order by answerer_email limit 1", &[]),
        ("select * from reviews limit 1", &[]),
        ("select * from questions limit 1", &[]),
        ("select * from answers limit 1", &[]),
        ("select id from interactions limit 1", &[]),
        ("select id from legacy_cart_lines limit 1", &[]),
        ("update reviews set helpfulness = 0", &[]),
        ("update questions set helpfulness = 0", &[]),
        ("insert into interactions (id) values (1)", &[]),
        ("delete from answers", &[]),
        ("delete from cart_lines", &[]),
        ("update checkpoint set position = 0", &[]),
    ] {
        for role in both {
            let mut connection = tables::connect(&system, "a").await.unwrap();
            let statements = format!("begin; set local role {role}; {statement}; rollback");
            let done = sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut connection).await;
            match done {
                Ok(_) => assert!(allowed.contains(&role), "{role} may: {statement}"),
                Err(error) => assert!(
                    !allowed.contains(&role) && error.to_string().contains("permission denied"),
                    "{role}: {statement}: {error}"
                ),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn key_and_password_files_and_the_quarantine_can_be_read_by_their_owner_alone() {
    let system = shared().await;
    let root = system.data().root();
    let mut checked = 0;
    for folder in [system.data().keys(), root.join("passwords"), root.join("quarantine")] {
        for file in files(&folder) {
            let mode = fs::metadata(&file).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{}", file.display());
            checked += 1;
        }
    }
    // Two keys, five passwords for each of two replicas, the quarantine.
    assert_eq!(checked, 13);
    let configuration = fs::read_to_string(system.config_path()).unwrap();
    for replica in system.replicas() {
        for file in files(&system.data().passwords(replica)) {
            let secret = fs::read_to_string(&file).unwrap();
            assert!(!configuration.contains(secret.trim()), "{} stands in the configuration", file.display());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_a_log() {
    let system = shared().await;
    let mut secrets = files(&system.data().keys());
    secrets.extend(files(&system.data().root().join("passwords")));
    let logs: Vec<String> = files(&system.data().logs())
        .iter()
        .map(|log| String::from_utf8_lossy(&fs::read(log).unwrap()).into_owned())
        .collect();
    assert!(logs.len() >= 10);
    for file in secrets {
        let secret = fs::read_to_string(&file).unwrap();
        assert!(logs.iter().all(|log| !log.contains(secret.trim())), "{}", file.display());
    }
}

/// Every file below a folder.
pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}
