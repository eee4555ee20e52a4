//! Nobody's e-mail address is seen again, and secrets are their owner's alone.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use contract::email::Sealer;
use contract::keyed_hash::parse_key;
use contract::{Event, Position};
use serde_json::json;
use tests::{Shopper, catalogue, review, shared, stream_access, tables};

const TYPED: &str = "canary-typed@secret.example";

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_in_no_answer_no_log_no_metric_and_no_message_of_the_stream() {
    let system = shared().await;
    let shopper = system.shopper();
    let product = catalogue::spare_product();
    let mut body = review(product.id);
    body["email"] = json!(TYPED);
    let written = shopper.post_review(&body).await.expect(201);
    let mut seen =
        vec![("the answer", written.body.clone()), ("the headers", format!("{:?}", written.headers))];
    // Refused, in several ways, each of which could repeat what was sent.
    body["rating"] = json!(9);
    seen.push(("a refusal", shopper.post_review(&body).await.expect(422).body));
    body["rating"] = json!(3);
    body["email"] = json!(format!("{TYPED}\0"));
    seen.push(("a refused address", shopper.post_review(&body).await.expect(422).body));
    body["email"] = json!(TYPED);
    body["product_id"] = json!(99_999);
    seen.push(("an unknown product", shopper.post_review(&body).await.expect(404).body));
    seen.push((
        "a body that is cut",
        shopper.post_raw(format!("{{\"email\": \"{TYPED}\"")).await.expect(400).body,
    ));
    seen.push(("a body that is no object", shopper.post_raw(format!("\"{TYPED}\"")).await.expect(422).body));
    for id in [2, product.id] {
        seen.push((
            "reviews",
            shopper.reviews(&format!("product_id={id}&count=10000")).await.expect(200).body,
        ));
        seen.push(("meta", shopper.meta(id).await.expect(200).body));
    }
    let source = fs::read(system.data().root().join("catalogue/reviews.csv")).unwrap();
    assert!(contains(&source, catalogue::CANARY.as_bytes()), "this test sees an address where there is one");
    for (what, text) in seen {
        assert_clean(what, text.as_bytes());
    }
    for process in system.processes() {
        if let local::Ready::Http { address, path } = &process.spec().ready
            && path == "/readyz"
        {
            let metrics = Shopper::at(format!("http://{address}")).get("/metrics").await.expect(200);
            assert!(metrics.body.contains("# TYPE"), "{metrics:?}");
            assert_clean(process.name(), metrics.body.as_bytes());
        }
    }
    let link = stream_access::link(&system).await;
    let head = link.head().await.unwrap();
    for position in Position::FIRST.0..=head.0 {
        let stored = link.read(Position(position)).await.unwrap();
        assert_clean("a message of the stream", format!("{stored:?}").as_bytes());
        assert_clean("a payload of the stream", &stored.payload);
    }
    for folder in [system.data().logs(), system.data().nats()] {
        for file in files(&folder) {
            // A file that was just replaced is none.
            let bytes = fs::read(&file).unwrap_or_default();
            assert_clean(&file.display().to_string(), &bytes);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_sealed_in_stream_and_rows_and_opens_with_the_key_in_its_own_place_alone() {
    let system = shared().await;
    let product = catalogue::spare_product();
    let mut body = review(product.id);
    body["email"] = json!(TYPED);
    let id = system.shopper().post_review(&body).await.expect(201).review_id();
    let key = fs::read_to_string(system.data().keys().join("sealing.key")).unwrap();
    let sealer = Sealer::new(parse_key(&key).unwrap());

    let stored = stream_access::link(&system).await.read(Position::from_i64(id)).await.unwrap();
    let (envelope, event) = stored.decode().unwrap();
    let Event::ReviewCreated(created) = event else { panic!("{event:?}") };
    assert_eq!(sealer.open(&created.reviewer_email, "review.created", &envelope.id).unwrap(), TYPED);
    let rows = [
        (id, created.reviewer_email.clone(), "review.created", envelope.id.clone()),
        (5, String::new(), "reviews", "5".into()),
    ];
    for replica in system.replicas() {
        let mut connection = tables::connect(&system, replica).await.unwrap();
        for (id, expected, context, place) in &rows {
            let row = sqlx::query("select reviewer_email from reviews where id = $1").bind(id);
            let sealed: String = sqlx::Row::get(&row.fetch_one(&mut connection).await.unwrap(), 0);
            assert!(expected.is_empty() || sealed == *expected);
            let address = sealer.open(&sealed, context, place).unwrap();
            assert_eq!(address, if *id == 5 { catalogue::CANARY } else { TYPED });
            assert!(sealer.open(&sealed, context, "6").is_err(), "moved to another row it does not open");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_and_writers_cannot_select_a_sealed_address_and_cannot_write() {
    let system = shared().await;
    for role in ["atelier_reader", "atelier_writer"] {
        for (statement, allowed) in [
            ("select id, product_id from reviews limit 1", true),
            ("select reviewer_email from reviews limit 1", false),
            ("select * from reviews limit 1", false),
            ("update reviews set helpfulness = 0", false),
            ("delete from reviews", false),
            ("update checkpoint set position = 0", false),
        ] {
            let mut connection = tables::connect(&system, "a").await.unwrap();
            let statements = format!("begin; set local role {role}; {statement}; rollback");
            let done = sqlx::raw_sql(sqlx::AssertSqlSafe(statements)).execute(&mut connection).await;
            match done {
                Ok(_) => assert!(allowed, "{role} may: {statement}"),
                Err(error) => assert!(
                    !allowed && error.to_string().contains("permission denied"),
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

fn assert_clean(what: &str, bytes: &[u8]) {
    for canary in [TYPED, catalogue::CANARY, "first.last@gmail.com"] {
        let name = canary.split('@').next().unwrap();
        assert!(!contains(bytes, name.as_bytes()), "{what} has the address {canary}");
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}
