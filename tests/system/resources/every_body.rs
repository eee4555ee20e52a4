//! What holds for every body that a shopper sends.

use std::sync::OnceLock;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{SKU, Shopper, answer, catalogue, interaction, question, review, shared};

/// Every route that takes a body, with one that it accepts and a text field in it.
fn posts() -> [(&'static str, Value, Option<&'static str>); 5] {
    static PRODUCT: OnceLock<i64> = OnceLock::new();
    let product = *PRODUCT.get_or_init(|| catalogue::spare_product().id);
    [
        ("/reviews", review(product), Some("body")),
        ("/qa/questions", question(product), Some("body")),
        ("/qa/questions/39/answers", answer(), Some("body")),
        ("/cart", json!({"sku_id": SKU}), None),
        ("/interactions", interaction(), Some("element")),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_no_json_is_400_on_every_route() {
    let shopper = shared().await.shopper();
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let deep_within = format!(r#"{{"x":{}1{}}}"#, r#"{"x":"#.repeat(200), "}".repeat(200));
    for (path, ..) in posts() {
        for body in
            ["", "{", "product_id=2", "{\"a\":1}x", "{'a':1}", "NaN", "\u{feff}{}", &deep, &deep_within]
        {
            let answer = shopper.post_bytes(path, body.to_owned()).await;
            assert_eq!(answer.status, 400, "{answer:?} to {}", body.chars().take(40).collect::<String>());
            let _problem = answer.expect_problem(400);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_not_utf_8_and_lone_surrogates_are_400_in_every_place() {
    let shopper = shared().await.shopper();
    for (path, body, field) in posts() {
        let Value::Object(body) = body else { panic!("{body} is no object") };
        let fields: Vec<String> =
            body.iter().map(|(name, value)| format!("{}:{value}", json!(name))).collect();
        let with = |member: &[u8]| [b"{", fields.join(",").as_bytes(), b",", member, b"}"].concat();
        let bad: [&[u8]; 5] = [
            r"\ud800".as_bytes(),
            r"\udc00\ud800".as_bytes(),
            r"\ud83d x".as_bytes(),
            b"\xff\xfe",
            b"\xed\xa0\x80",
        ];
        for text in bad {
            // In a field that nobody reads, in a name, and in one that is read: the last of its name counts.
            let mut places = vec![
                with(&[b"\"unknown\":\"", text, b"\""].concat()),
                with(&[b"\"", text, b"\":1"].concat()),
            ];
            places
                .extend(field.map(|field| with(&[b"\"", field.as_bytes(), b"\":\"", text, b"\""].concat())));
            for body in places {
                let answer = shopper.post_bytes(path, body.clone()).await;
                assert_eq!(answer.status, 400, "{answer:?} to {}", String::from_utf8_lossy(&body));
                let _problem = answer.expect_problem(400);
            }
        }
        let pair = with(br#""unknown":"\ud83d\udc55""#);
        assert_eq!(shopper.post_bytes(path, pair).await.status, 201, "a pair of surrogates is a character");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn json_that_is_no_object_is_422_on_every_route() {
    let shopper = shared().await.shopper();
    for (path, ..) in posts() {
        for body in ["[]", "null", "5", "\"text\"", "true"] {
            let _problem = shopper.post_bytes(path, body).await.expect_problem(422);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn any_content_type_is_taken_for_json_on_every_route() {
    let shopper = shared().await.shopper();
    for (path, body, _) in posts() {
        for kind in [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("nonsense")] {
            let mut request = shopper.request(Method::POST, path).body(body.to_string());
            if let Some(kind) = kind {
                request = request.header("content-type", kind);
            }
            let _written = shopper.send(request).await.expect(201);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_over_256_kb_is_413_on_every_route_through_nginx_and_without_it() {
    let system = shared().await;
    for (path, mut body, _) in posts() {
        body["unknown"] = json!("");
        let length = body.to_string().len();
        body["unknown"] = json!("x".repeat(256 * 1024 - length));
        let fits = body.to_string();
        body["unknown"] = json!("x".repeat(256 * 1024 + 1 - length));
        for shopper in [system.shopper(), Shopper::at(system.writer_url())] {
            let _written = shopper.post_bytes(path, fits.clone()).await.expect(201);
            let _problem = shopper.post_bytes(path, body.to_string()).await.expect_problem(413);
        }
    }
    for path in ["/reviews/9/helpful", "/qa/questions/39/helpful", "/qa/answers/57/helpful"] {
        let request = system.shopper().request(Method::PUT, path).body(vec![b'x'; 256 * 1024 + 1]);
        let _problem = system.shopper().send(request).await.expect_problem(413);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_at_the_edges_are_stored_exactly_or_refused_and_never_an_error_of_ours() {
    let shopper = shared().await.shopper();
    let session = "numbers-at-the-edges";
    let mut added = 0;
    for (count, expected) in [
        ("5.0", 201),
        ("1e1", 201),
        ("1E+1", 201),
        ("-0", 422),
        ("-0.0", 422),
        ("0.1", 422),
        ("4.9999999999999999999999", 201),
        ("1e400", 400),
        ("-1e400", 400),
        ("1e-400", 422),
        ("9223372036854775807", 422),
        ("9223372036854775808", 422),
        ("-9223372036854775809", 422),
        ("99999999999999999999999999999999", 422),
        ("\"99999999999999999999999999999999\"", 422),
        ("\"007\"", 201),
        ("\"+5\"", 422),
        ("\"5.0\"", 422),
        ("\" 5\"", 422),
        ("\"٥\"", 422),
        ("true", 422),
        ("01", 400),
        (".5", 400),
        ("5.", 400),
        ("+5", 400),
        ("Infinity", 400),
    ] {
        let body = format!(r#"{{"sku_id":10,"count":{count}}}"#);
        let request = shopper.request(Method::POST, "/cart").header("atelier-session", session).body(body);
        let answer = shopper.send(request).await;
        assert_eq!(answer.status, expected, "{count}: {answer:?}");
        if expected == 201 {
            let number: f64 = count.trim_matches('"').parse().unwrap();
            added += number as i64;
            assert_eq!(
                shopper.cart(session).await.json(),
                json!([{"sku_id": 10, "count": added.to_string()}]),
                "{count}"
            );
        }
    }
    for id in ["9007199254740992", "9007199254740993", "1e300", "-1", "0", "2.5"] {
        let body = format!(r#"{{"sku_id":{id}}}"#);
        let problem = shopper.post_bytes("/cart", body).await.expect_problem(422);
        assert_eq!(problem.wrong_fields(), ["sku_id"], "{id}");
    }
}
