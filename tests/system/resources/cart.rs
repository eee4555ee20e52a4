//! `GET /cart`, `POST /cart`

use std::sync::atomic::{AtomicU32, Ordering};

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Answer, Shopper, catalogue, shared};

/// A session that no other test has.
fn session() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("cart-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// `/cart` with these headers; with a line, it is added.
async fn cart(shopper: &Shopper, headers: &[(&str, &str)], line: Option<Value>) -> Answer {
    let method = if line.is_some() { Method::POST } else { Method::GET };
    let mut request = shopper.request(method, "/cart");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    shopper.send(if let Some(line) = line { request.json(&line) } else { request }).await
}

/// `[sku, count]` of each line.
fn lines(answer: &Answer) -> Vec<(i64, &'static str)> {
    let lines = answer.json().as_array().cloned().unwrap_or_else(|| panic!("no cart: {answer:?}"));
    let line = |line: &Value| {
        (line["sku_id"].as_i64().unwrap(), line["count"].as_str().unwrap().to_owned().leak() as &'static str)
    };
    lines.iter().map(line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cart_has_exactly_the_contract_s_shape() {
    let shopper = shared().await.shopper();
    let session = session();
    let added = shopper.add_to_cart(&session, &json!({"sku_id": 10})).await.expect(201);
    assert!(added.applied() && added.token().position.as_i64() >= 1_000_000_000, "{added:?}");
    let cart = shopper.cart(&session).await.expect(200);
    assert_eq!(cart.header("content-type"), Some("application/json"));
    assert_eq!(cart.body, r#"[{"sku_id":10,"count":"1"}]"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn count_is_1_unless_said_and_counts_of_one_sku_add_up() {
    let shopper = shared().await.shopper();
    let session = session();
    for (line, expected) in [
        (json!({"sku_id": 10}), &[(10, "1")][..]),
        (json!({"sku_id": 10, "count": 2}), &[(10, "3")]),
        (json!({"sku_id": 1, "count": null}), &[(10, "3"), (1, "1")]),
        (json!({"sku_id": "10", "count": "1000", "unknown": true}), &[(10, "1003"), (1, "1")]),
        (json!({"sku_id": 1.0, "count": 4.0}), &[(10, "1003"), (1, "5")]),
    ] {
        let _added = shopper.add_to_cart(&session, &line).await.expect(201);
        assert_eq!(lines(&shopper.cart(&session).await), expected, "in the order in which they came: {line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_added_at_once_are_all_counted() {
    let shopper = shared().await.shopper();
    let session = session();
    let one = |sku: i64| {
        let (shopper, session) = (shopper.clone(), session.clone());
        tokio::spawn(async move { shopper.add_to_cart(&session, &json!({"sku_id": sku, "count": 2})).await })
    };
    for answer in futures::future::join_all((0..60).map(|number| one([1, 2, 10][number % 3]))).await {
        let _added = answer.unwrap().expect(201);
    }
    let cart = shopper.cart(&session).await;
    let mut lines = lines(&cart);
    lines.sort_unstable();
    assert_eq!(lines, [(1, "40"), (2, "40"), (10, "40")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_that_carries_no_session_is_given_one_by_a_cookie() {
    let shopper = shared().await.shopper();
    let added = cart(&shopper, &[], Some(json!({"sku_id": 2}))).await.expect(201);
    let cookie = added.cookie("atelier_session").unwrap_or_else(|| panic!("{added:?}")).to_owned();
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.split("; ").any(|part| part == attribute), "{attribute}: {cookie}");
    }
    let session = added.new_session().unwrap();
    assert!(session.len() >= 22, "nobody can guess it: {session}");
    let cookie = format!("other=1; atelier_session={session}");
    let carried = [("cookie", cookie.as_str())];
    assert_eq!(lines(&cart(&shopper, &carried, None).await), [(2, "1")]);
    let again = cart(&shopper, &carried, Some(json!({"sku_id": 2}))).await.expect(201);
    assert_eq!(again.new_session(), None, "it carried one");
    assert_eq!(lines(&cart(&shopper, &carried, None).await), [(2, "2")]);
    let another = cart(&shopper, &[], Some(json!({"sku_id": 2}))).await.expect(201).new_session();
    assert_ne!(another.unwrap(), session);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_get_without_a_session_is_an_empty_cart_and_sets_no_cookie() {
    let shopper = shared().await.shopper();
    for headers in [
        &[][..],
        &[("atelier-session", ""), ("authorization", ""), ("cookie", "atelier_session=; other=1")],
        &[("atelier-session", "nobody-has-this-one")],
    ] {
        let empty = cart(&shopper, headers, None).await.expect(200);
        assert_eq!((empty.body.as_str(), empty.header("set-cookie")), ("[]", None));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_comes_before_the_header_and_that_before_an_authorization() {
    let shopper = shared().await.shopper();
    let (one, two, three) = (session(), session(), session());
    let cookie = format!("a=b; atelier_session={one}; c=d");
    let all = [("cookie", cookie.as_str()), ("atelier-session", &two), ("authorization", &three)];
    let counted = async |name: &str| lines(&shopper.cart(name).await);
    for (carried, expected) in [
        (&all[..], [vec![(1, "1")], vec![], vec![]]),
        (&all[1..], [vec![(1, "1")], vec![(1, "1")], vec![]]),
        (&all[2..], [vec![(1, "1")], vec![(1, "1")], vec![(1, "1")]]),
    ] {
        let added = cart(&shopper, carried, Some(json!({"sku_id": 1}))).await.expect(201);
        assert_eq!(added.new_session(), None);
        assert_eq!(lines(&cart(&shopper, carried, None).await), [(1, "1")]);
        assert_eq!([counted(&one).await, counted(&two).await, counted(&three).await], expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authorization_of_any_form_names_the_cart_as_it_stands() {
    let shopper = shared().await.shopper();
    for token in ["ghp_rawtokenwithoutscheme", "Bearer a.b-c", "Basic ???", "1 2 3"] {
        let token = format!("{token} {}", session());
        let carried = [("authorization", token.as_str())];
        let added = cart(&shopper, &carried, Some(json!({"sku_id": 11}))).await.expect(201);
        assert_eq!(added.new_session(), None);
        assert_eq!(lines(&cart(&shopper, &carried, None).await), [(11, "1")], "{token}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn carts_of_others_are_not_seen() {
    let shopper = shared().await.shopper();
    let (mine, yours) = (session(), session());
    let _added = shopper.add_to_cart(&mine, &json!({"sku_id": 1})).await.expect(201);
    assert_eq!(lines(&shopper.cart(&yours).await), []);
    let _added = shopper.add_to_cart(&yours, &json!({"sku_id": 2})).await.expect(201);
    assert_eq!(lines(&shopper.cart(&mine).await), [(1, "1")]);
    for other in [mine.to_uppercase(), format!("{mine}0"), format!("Bearer {mine}")] {
        assert_eq!(lines(&shopper.cart(&other).await), [], "{other}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn imported_lines_are_found_by_an_authorization_of_their_session() {
    let shopper = shared().await.shopper();
    for (session, expected) in
        [("1234", &[(11, "1"), (1, "2")][..]), ("5678", &[(1, "1")]), (catalogue::SESSION, &[(1, "1")])]
    {
        assert_eq!(lines(&cart(&shopper, &[("authorization", session)], None).await), expected, "{session}");
        assert_eq!(lines(&shopper.cart(session).await), expected, "by the header too");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sku_must_be_known_and_every_wrong_field_is_named_at_once() {
    let shopper = shared().await.shopper();
    let session = session();
    for sku in [999_999, 3, 9_007_199_254_740_991_i64] {
        let problem = shopper.add_to_cart(&session, &json!({"sku_id": sku})).await.expect_problem(404);
        assert!(problem.json()["detail"].as_str().unwrap().contains(&sku.to_string()), "{problem:?}");
    }
    for (line, wrong) in [
        (json!({}), &["sku_id"][..]),
        (json!({"sku_id": null, "count": 0}), &["sku_id", "count"]),
        (json!({"sku_id": "XL", "count": "two"}), &["sku_id", "count"]),
        (json!({"sku_id": 0, "count": -1}), &["sku_id", "count"]),
        (json!({"sku_id": 9_007_199_254_740_992_i64}), &["sku_id"]),
        (json!({"sku_id": 10, "count": 1_001}), &["count"]),
        (json!({"sku_id": 10, "count": 1.5}), &["count"]),
        (json!({"sku_id": 10, "count": [1]}), &["count"]),
    ] {
        let problem = shopper.add_to_cart(&session, &line).await.expect_problem(422);
        assert_eq!(problem.wrong_fields(), wrong, "{problem:?}");
    }
    assert_eq!(lines(&shopper.cart(&session).await), [], "nothing refused was added");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_without_any_session_is_422_and_says_what_to_send() {
    let shopper = shared().await.shopper();
    for _ in 0..2 {
        let key = [("idempotency-key", "cart-without-session")];
        let problem = cart(&shopper, &key, Some(json!({"sku_id": 10}))).await.expect_problem(422);
        assert!(problem.json()["detail"].as_str().unwrap().contains("Atelier-Session"), "{problem:?}");
        assert_eq!(problem.header("set-cookie"), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_twice_without_a_cookie_jar_adds_once_in_its_session() {
    let shopper = shared().await.shopper();
    for carrier in ["atelier-session", "authorization"] {
        let (mine, yours) = (session(), session());
        let line = json!({"sku_id": 10, "count": 2});
        let add = async |session: &str, path: &str, line: &Value| {
            let request = shopper.request(Method::POST, path).header(carrier, session);
            shopper.send(request.header("idempotency-key", "add").json(line)).await
        };
        let first = add(&mine, "/cart", &line).await.expect(201);
        // The same path, however it is written.
        for path in ["/cart", "/cart/", "/api/cart", "/api/cart/"] {
            let again = add(&mine, path, &line).await.expect(201);
            assert_eq!(again.header("atelier-position"), first.header("atelier-position"), "{path}");
        }
        let other_body = add(&mine, "/cart", &json!({"sku_id": 1})).await.expect_problem(422);
        assert_eq!(other_body.json()["type"], "/problems/idempotency-key-reused");
        assert_eq!(lines(&shopper.cart(&mine).await), [(10, "2")]);
        let _other_session = add(&yours, "/cart", &line).await.expect(201);
        assert_eq!(lines(&shopper.cart(&yours).await), [(10, "2")]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_made_is_equal_on_all_of_nginx_s_tries_and_the_line_is_added_once() {
    let system = shared().await;
    let mut sessions = Vec::new();
    for url in system.writer_urls().into_iter().cycle().take(4) {
        let tried = [("atelier-attempt", "a-try-of-a-first-line")];
        let added = cart(&Shopper::at(url), &tried, Some(json!({"sku_id": 2}))).await.expect(201);
        sessions.push(added.new_session().unwrap());
    }
    sessions.dedup();
    assert_eq!(sessions.len(), 1, "{sessions:?}");
    assert_eq!(lines(&system.shopper().cart(&sessions[0]).await), [(2, "1")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_a_strange_origin_cannot_write_into_the_cart_of_a_cookie() {
    let shopper = shared().await.shopper();
    let session = session();
    let cookie = format!("atelier_session={session}");
    let strange =
        [("origin", "https://stranger.example"), ("sec-fetch-site", "cross-site"), ("cookie", &cookie)];
    let added = cart(&shopper, &strange, Some(json!({"sku_id": 1}))).await.expect(201);
    assert_eq!(added.header("set-cookie"), None, "it would take the place of the visitor's own");
    assert_eq!(lines(&cart(&shopper, &strange, None).await), []);
    // What the visitor's browser would send of a form on that page: as text, without any cookie.
    let form = [
        ("origin", "http://stranger.example"),
        ("sec-fetch-site", "cross-site"),
        ("content-type", "text/plain"),
        ("cookie", &cookie),
    ];
    // Where this system is reached without https, browsers say nothing of sites, and some are old.
    for headers in [&form[..1], &form[..3], &[form[0], form[2], form[3]], &[("origin", "null"), form[3]]] {
        let added = cart(&shopper, headers, Some(json!({"sku_id": 1}))).await.expect(201);
        assert_eq!(added.header("set-cookie"), None, "{headers:?}");
    }
    assert_eq!(lines(&shopper.cart(&session).await), []);
    // Its own visitors' carts it names by the header.
    let named = [
        ("origin", "https://stranger.example"),
        ("sec-fetch-site", "cross-site"),
        ("atelier-session", &session),
    ];
    let _added = cart(&shopper, &named, Some(json!({"sku_id": 1}))).await.expect(201);
    assert_eq!(lines(&shopper.cart(&session).await), [(1, "1")]);
}
