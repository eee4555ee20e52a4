//! Text is text: what a writer accepts, every replica applies and every reader returns unchanged.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};
use serde_json::{Value, json};
use sqlx::Row;
use tests::{Answer, Shopper, answer, catalogue, interaction, question, review, shared, tables};
use tokio::runtime::Handle;
use tokio::task::block_in_place;

/// Each is a review, a question, an answer and an interaction with up to 19 texts.
const CASES: u32 = 40;

/// Texts of one round of writes.
#[derive(Clone, Debug)]
struct Texts {
    review: [String; 3],
    question: [String; 2],
    answer: [String; 2],
    interaction: [String; 3],
    paths: Vec<String>,
    /// Whether bodies are sent with every character as `\uXXXX`.
    escaped: bool,
}

/// Characters that have broken something somewhere: control, quoting, COPY, arrays, JSON, bidirectional, combining,
/// joining, noncharacters, the ends of the planes, byte order marks.
fn odd() -> impl Strategy<Value = char> {
    let odd: Vec<char> = "\u{1}\u{8}\t\n\r\u{b}\u{1b}\u{1f} \"\\'`{},()[]<>&%$;:|/*-\u{7f}\u{80}\u{85}\u{a0}\u{ad}\u{300}\u{488}\u{61c}\u{5d0}\u{627}\u{e01}\u{200b}\u{200d}\u{200e}\u{200f}\u{2028}\u{2029}\u{202e}\u{2066}\u{3000}\u{d7ff}\u{e000}\u{fdd0}\u{feff}\u{fe0f}\u{fffd}\u{fffe}\u{ffff}\u{10000}\u{1f468}\u{1f3ff}\u{1fffe}\u{e0001}\u{10fffe}\u{10ffff}"
        .chars()
        .collect();
    prop::sample::select(odd)
}

/// A text of at most so many characters, seldom an empty one, one with NUL or one that is a little too long.
fn text(longest: usize) -> impl Strategy<Value = String> {
    let character = prop_oneof![3 => odd(), 2 => any::<char>(), 1 => prop::char::range(' ', '~')];
    prop_oneof![
        40 => vec(character, 1..30.min(longest)).prop_map(String::from_iter),
        4 => (odd(), 1..=longest).prop_map(|(one, count)| one.to_string().repeat(count)),
        1 => odd().prop_map(move |one| one.to_string().repeat(longest)),
        1 => odd().prop_map(move |one| one.to_string().repeat(longest + 1)),
        1 => Just(String::new()),
        1 => Just("a\0b".to_owned()),
        2 => prop::sample::select(vec!["null", "NULL", "\\N", "\\.", "{}", "{NULL}", "undefined", "\"\"", "'; drop table reviews; --"])
            .prop_map(str::to_owned),
    ]
}

fn texts() -> impl Strategy<Value = Texts> {
    let path = vec(odd(), 1..20)
        .prop_map(|path| path.into_iter().filter(|c| !c.is_control() && !c.is_whitespace()).collect());
    let review = [text(1_000).boxed(), text(10_000).boxed(), text(100).boxed()];
    let interaction = [text(10_000).boxed(), text(1_000).boxed(), text(100).boxed()];
    (
        review,
        [text(10_000).boxed(), text(100).boxed()],
        [text(10_000).boxed(), text(100).boxed()],
        interaction,
        vec(path, 0..5),
        any::<bool>(),
    )
        .prop_map(|(review, question, answer, interaction, paths, escaped)| Texts {
            review,
            question,
            answer,
            interaction,
            paths,
            escaped,
        })
}

/// A write, and which of its fields must be refused.
struct Sent {
    path: String,
    body: Value,
    wrong: Vec<&'static str>,
}

/// Sets text fields, and tells which of them cannot be accepted.
fn sent(
    path: impl Into<String>,
    mut body: Value,
    fields: &[(&'static str, &String, usize, usize)],
    photos: Option<&[String]>,
) -> Sent {
    let mut wrong = Vec::new();
    for (field, text, shortest, longest) in fields {
        body[*field] = json!(text);
        if text.contains('\0') || !(*shortest..=*longest).contains(&text.chars().count()) {
            wrong.push(*field);
        }
    }
    if let Some(photos) = photos {
        body["photos"] = photos.iter().map(|path| format!("https://img.example/{path}")).collect();
    }
    Sent { path: path.into(), body, wrong }
}

/// The same JSON without a character that is not ASCII, nor one that needs no escape.
fn escaped(body: &Value) -> String {
    match body {
        Value::String(text) => {
            let units = text.encode_utf16().map(|unit| format!("\\u{unit:04x}"));
            format!("\"{}\"", units.collect::<String>())
        }
        Value::Array(list) => format!("[{}]", list.iter().map(escaped).collect::<Vec<_>>().join(",")),
        Value::Object(object) => {
            let members =
                object.iter().map(|(name, value)| format!("{}:{}", escaped(&json!(name)), escaped(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}

/// Writes it and checks the answer; the answer when it was accepted.
async fn write(shopper: &Shopper, texts: &Texts, sent: &Sent) -> Result<Option<Answer>, TestCaseError> {
    let body = if texts.escaped { escaped(&sent.body) } else { sent.body.to_string() };
    let answer = shopper.post_bytes(&sent.path, body).await;
    if sent.wrong.is_empty() {
        prop_assert_eq!(answer.status, 201, "{:?}", answer);
        prop_assert!(answer.applied(), "every replica has applied it: {:?}", answer);
        return Ok(Some(answer));
    }
    prop_assert_eq!(answer.status, 422, "{:?}", answer);
    prop_assert_eq!(answer.wrong_fields(), sent.wrong.clone());
    Ok(None)
}

/// What is shown under this id on each reader.
async fn shown(readers: &[Shopper], path: &str, id: (&str, i64)) -> Result<Vec<Value>, TestCaseError> {
    let mut all = Vec::new();
    for reader in readers {
        let page = reader.get(path).await.expect(200).json();
        let found = page["results"].as_array().and_then(|list| list.iter().find(|one| one[id.0] == id.1));
        all.push(
            found.cloned().ok_or_else(|| TestCaseError::fail(format!("{id:?} is not shown at {path}")))?,
        );
    }
    Ok(all)
}

async fn round(system: &local::System, product: i64, asked: i64, texts: &Texts) -> Result<(), TestCaseError> {
    let shopper = Shopper::at(system.url());
    let readers: Vec<Shopper> = system.reader_urls().into_iter().map(Shopper::at).collect();
    let [summary, body, name] = &texts.review;
    let fields = [("summary", summary, 0, 1_000), ("body", body, 1, 10_000), ("name", name, 1, 100)];
    let reviewed = sent("/reviews", review(product), &fields, Some(&texts.paths));
    if let Some(answer) = write(&shopper, texts, &reviewed).await? {
        for found in shown(
            &readers,
            &format!("/reviews?product_id={product}&count=10000"),
            ("review_id", answer.review_id()),
        )
        .await?
        {
            let texts = json!([found["summary"], found["body"], found["reviewer_name"]]);
            prop_assert_eq!(texts, json!([summary, body, name]));
            let urls: Vec<_> =
                found["photos"].as_array().unwrap().iter().map(|photo| photo["url"].clone()).collect();
            prop_assert_eq!(json!(urls), reviewed.body["photos"].clone());
        }
    }
    let [body, name] = &texts.question;
    let question =
        sent("/qa/questions", question(product), &[("body", body, 1, 10_000), ("name", name, 1, 100)], None);
    if let Some(answer) = write(&shopper, texts, &question).await? {
        let id = ("question_id", answer.made("question_id"));
        for found in shown(&readers, &format!("/qa/questions?product_id={product}&count=10000"), id).await? {
            prop_assert_eq!(json!([found["question_body"], found["asker_name"]]), json!([body, name]));
        }
    }
    let [body, name] = &texts.answer;
    let path = format!("/qa/questions/{asked}/answers");
    let answered =
        sent(&path, answer(), &[("body", body, 1, 10_000), ("name", name, 1, 100)], Some(&texts.paths));
    if let Some(answer) = write(&shopper, texts, &answered).await? {
        for found in
            shown(&readers, &format!("{path}?count=10000"), ("answer_id", answer.made("answer_id"))).await?
        {
            prop_assert_eq!(json!([found["body"], found["answerer_name"]]), json!([body, name]));
            let urls: Vec<_> =
                found["photos"].as_array().unwrap().iter().map(|photo| photo["url"].clone()).collect();
            prop_assert_eq!(json!(urls), answered.body["photos"].clone());
        }
    }
    let [element, widget, time] = &texts.interaction;
    let fields = [("element", element, 1, 10_000), ("widget", widget, 1, 1_000), ("time", time, 1, 100)];
    if let Some(answer) = write(&shopper, texts, &sent("/interactions", interaction(), &fields, None)).await?
    {
        for replica in system.replicas() {
            let mut connection = tables::connect(system, replica).await.unwrap();
            let row = sqlx::query("select element, widget, time from interactions where id = $1");
            let row = row.bind(answer.token().position.as_i64()).fetch_one(&mut connection).await.unwrap();
            let kept: [String; 3] = [row.get(0), row.get(1), row.get(2)];
            prop_assert_eq!(&kept, &texts.interaction);
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_writer_accepts_every_replica_applies_and_every_reader_returns_unchanged() {
    let system = shared().await;
    let product = catalogue::spare_product().id;
    let asked = system.shopper().post_question(&question(product)).await.expect(201).made("question_id");
    let config =
        Config { cases: CASES, max_shrink_iters: 150, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let handle = Handle::current();
    block_in_place(|| {
        let ran = runner.run(&texts(), |texts| handle.block_on(round(&system, product, asked, &texts)));
        match ran {
            Ok(()) => {}
            Err(TestError::Fail(why, texts)) => panic!("{why}\nfor {texts:?}"),
            Err(error) => panic!("{error}"),
        }
    });
    tables::equal(&system, asked).await;
}
