//! `projector keys`, `projector address`, and what a changed key means.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tests::{Beside, Operator, Said, answer, catalogue, question, review, shared};

/// A key file of one's own, outside of the system's.
fn key(system: &local::System, name: &str, digit: &str) -> PathBuf {
    let folder = system.data().root().join("keys-of-tests");
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join(name);
    fs::write(&file, digit.repeat(64)).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    file
}

fn set(key: &str, value: &str) -> [String; 2] {
    ["--set".to_owned(), format!("keys.{key}={value}")]
}

async fn address(operator: &Operator, kind: &str, id: i64, keys: &[String]) -> Said {
    let arguments = ["address", kind, &id.to_string()].map(str::to_owned);
    operator.run("projector", arguments.iter().chain(keys)).await
}

async fn keys(operator: &Operator, keys: &[String]) -> (Said, Value) {
    let arguments = ["keys", "--json"].map(str::to_owned);
    let said = operator.run("projector", arguments.iter().chain(keys)).await;
    let report = serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:?}"));
    (said, report)
}

/// Addresses of all replicas that no file opens.
fn closed(report: &Value) -> i64 {
    let of = |part: &Value| if part["opens"] == true { 0 } else { part["addresses"].as_i64().unwrap() };
    report["replicas"].as_array().unwrap().iter().map(of).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_change_of_the_sealing_key_old_addresses_open_as_long_as_the_old_key_is_kept() {
    let system = shared().await;
    let (shopper, operator) = (system.shopper(), system.operator());
    let old = system.data().keys().join("sealing.key");
    let new = key(&system, "sealing-2.key", "a");
    let text = |path: &Path| path.display().to_string();
    let list = format!("[\"{}\"]", text(&old));
    let changed = Beside::writer(
        &system,
        &[("ATELIER_KEYS_SEALING", &text(&new)), ("ATELIER_KEYS_SEALING_OLD", &list)],
    )
    .await;
    let product = catalogue::spare_product().id;
    let with_address = |mut body: Value, address: &str| {
        body["email"] = json!(address);
        body
    };
    let (before, after) = ("canary-before@secret.example", "canary-after@secret.example");
    let asked = shopper.post_question(&with_address(question(product), before)).await.expect(201);
    let asked = asked.made("question_id");
    let answered = changed.shopper().post_answer(asked, &with_address(answer(), after)).await.expect(201);
    let answered = answered.made("answer_id");
    let reviewed =
        changed.shopper().post_review(&with_address(review(product), after)).await.expect(201).review_id();

    let both = [set("sealing", &text(&new)), set("sealing_old", &list)].concat();
    for (kind, id, expected) in [
        ("question", asked, before),
        ("answer", answered, after),
        ("review", reviewed, after),
        ("review", 5, catalogue::CANARY),
        ("question", 37, catalogue::ASKER),
        ("answer", 68, catalogue::ANSWERER),
    ] {
        let said = address(&operator, kind, id, &both).await.expect_success();
        assert_eq!((said.out.trim_end(), said.error.as_str()), (expected, ""), "{kind} {id}");
    }
    let _refusal =
        address(&operator, "review", asked, &both).await.expect_refusal(&["review", &asked.to_string()]);
    let (said, report) = keys(&operator, &both).await;
    let _well = said.expect_success();
    assert_eq!((report["keys"].as_array().unwrap().len(), closed(&report)), (2, 0), "{report}");
    let ids: Vec<String> = [1, 0].map(|key| report["keys"][key]["id"].as_str().unwrap().to_owned()).into();

    // Without the old key, what it sealed is closed for good and the rest is not; and the other way round.
    let (forgotten, kept) = (set("sealing", &text(&new)), [].as_slice());
    for (keyring, opens, closes, missing) in [
        (forgotten.as_slice(), ("answer", answered), ("question", asked), &ids[0]),
        (kept, ("question", asked), ("answer", answered), &ids[1]),
    ] {
        let _opened = address(&operator, opens.0, opens.1, keyring).await.expect_success();
        let refusal = address(&operator, closes.0, closes.1, keyring).await.expect_refusal(&[missing]);
        assert!(!format!("{refusal:?}").contains("canary-"), "{refusal:?}");
        let (said, report) = keys(&operator, keyring).await;
        let _refusal = said.expect_refusal(&[missing]);
        assert!(closed(&report) > 0, "{report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_hashing_key_is_refused_by_name_because_every_cart_would_be_a_stranger_s() {
    let system = shared().await;
    let operator = system.operator();
    let (_, report) = keys(&operator, &[]).await;
    let ours = report["hashing_key"].as_str().unwrap().to_owned();
    let other = key(&system, "hashing-2.key", "b").display().to_string();
    let (_, report) = keys(&operator, &set("hashing", &other)).await;
    let theirs = report["hashing_key"].as_str().unwrap();
    let other = set("hashing", &other);
    let init = operator.run("projector", ["init".to_owned()].iter().chain(&other)).await;
    let _refusal = init.expect_refusal(&[&ours, theirs]);
    let writer = ["run", "--listen", "127.0.0.1:0", "--operations", "127.0.0.1:0"].map(str::to_owned);
    let _refusal = operator.run("writer", writer.iter().chain(&other)).await.expect_refusal(&[&ours, theirs]);
}
