//! What means something elsewhere is text here: stored as it came, or refused.

use serde_json::{Value, json};
use sqlx::Row;
use tests::hostile::{INJECTIONS, percent_encoded};
use tests::{Shopper, answer, catalogue, interaction, question, review, shared, tables};

async fn shown(readers: &[Shopper], path: &str, id: (&str, i64), fields: [&str; 2]) -> Vec<[Value; 2]> {
    let mut all = Vec::new();
    for reader in readers {
        let page = reader.get(path).await.expect(200).json();
        let found = page["results"].as_array().unwrap().iter().find(|one| one[id.0] == id.1).unwrap().clone();
        all.push(fields.map(|field| found[field].clone()));
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_means_something_elsewhere_is_stored_as_it_came_in_every_text() {
    let system = shared().await;
    let shopper = system.shopper();
    let readers: Vec<Shopper> = system.reader_urls().into_iter().map(Shopper::at).collect();
    let product = catalogue::spare_product().id;
    let asked = shopper.post_question(&question(product)).await.expect(201).made("question_id");
    for text in INJECTIONS {
        let with = |mut body: Value, fields: &[&str]| {
            fields.iter().for_each(|field| body[*field] = json!(text));
            body
        };
        let both = [json!(text), json!(text)];
        let posted =
            shopper.post_review(&with(review(product), &["summary", "body", "name"])).await.expect(201);
        let path = format!("/reviews?product_id={product}&count=10000");
        for found in
            shown(&readers, &path, ("review_id", posted.review_id()), ["body", "reviewer_name"]).await
        {
            assert_eq!(found, both);
        }
        for found in shown(&readers, &path, ("review_id", posted.review_id()), ["summary", "body"]).await {
            assert_eq!(found, both);
        }
        let posted = shopper.post_question(&with(question(product), &["body", "name"])).await.expect(201);
        let path = format!("/qa/questions?product_id={product}&count=10000");
        let id = ("question_id", posted.made("question_id"));
        for found in shown(&readers, &path, id, ["question_body", "asker_name"]).await {
            assert_eq!(found, both);
        }
        let posted = shopper.post_answer(asked, &with(answer(), &["body", "name"])).await.expect(201);
        let path = format!("/qa/questions/{asked}/answers?count=10000");
        let id = ("answer_id", posted.made("answer_id"));
        for found in shown(&readers, &path, id, ["body", "answerer_name"]).await {
            assert_eq!(found, both);
        }
        let body = with(interaction(), &["element", "widget", "time"]);
        let position = shopper.post_interaction(&body).await.expect(201).token().position.as_i64();
        for replica in system.replicas() {
            let mut connection = tables::connect(&system, replica).await.unwrap();
            let row = sqlx::query("select element, widget, time from interactions where id = $1");
            let row = row.bind(position).fetch_one(&mut connection).await.unwrap();
            assert_eq!([0, 1, 2].map(|column| row.get::<String, _>(column)), [text; 3].map(str::to_owned));
        }
        // An address and a photo are no texts: they are what they must be, or refused.
        for field in ["email", "photos"] {
            let value = if field == "photos" { json!([text]) } else { json!(text) };
            let mut body = review(product);
            body[field] = value;
            let answer = shopper.post_review(&body).await;
            assert!([201, 422].contains(&answer.status), "{answer:?}");
        }
        // In a query and in a path it is no id.
        for target in
            ["/reviews?product_id=", "/products/", "/qa/questions?product_id=", "/reviews/meta?product_id="]
        {
            let answer = shopper.get(&format!("{target}{}", percent_encoded(text))).await;
            // nginx itself refuses a path that leads out of everything.
            assert!([400, 404, 422].contains(&answer.status), "{target}: {answer:?}");
        }
    }
    // A subject is made of what is written, never of what is written in it.
    let _equal = tables::equal(&system, asked).await;
}
