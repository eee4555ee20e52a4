//! Which pages may read and write, and which with cookies.

use reqwest::Method;
use serde_json::json;
use tests::{Answer, Beside, SKU, Shopper, catalogue, review, shared};

const LISTED: &str = "https://shop.example";
const ORIGINS: (&str, &str) =
    ("ATELIER_HTTP_ORIGINS", r#"["https://shop.example", "http://localhost:3000"]"#);

/// `Vary`, all lines of it.
fn vary(answer: &Answer) -> String {
    let lines = answer.headers.get_all("vary").iter().map(|line| line.to_str().unwrap().to_ascii_lowercase());
    lines.collect::<Vec<_>>().join(",")
}

#[tokio::test(flavor = "multi_thread")]
async fn any_origin_may_read_and_write_without_credentials_and_read_our_headers() {
    let shopper = shared().await.shopper();
    let product = catalogue::spare_product();
    let from = |method: Method, path: &str| shopper.request(method, path).header("origin", LISTED);
    for request in [
        from(Method::GET, "/products"),
        from(Method::GET, "/cart"),
        from(Method::POST, "/reviews").json(&review(product.id)),
        from(Method::POST, "/cart").json(&json!({"sku_id": SKU})),
        from(Method::PUT, "/qa/answers/57/helpful"),
        from(Method::GET, "/nothing"),
        from(Method::GET, "/products/99999"),
        from(Method::DELETE, "/products"),
        from(Method::POST, "/interactions").body("{}"),
        from(Method::POST, "/interactions").body(vec![b'x'; 300 * 1024]),
    ] {
        let answer = shopper.send(request).await;
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{answer:?}");
        assert_eq!(answer.header("access-control-allow-credentials"), None);
        let exposed = answer.header("access-control-expose-headers").unwrap().to_ascii_lowercase();
        // nginx's own 413 has no position.
        let ours = [
            "atelier-position",
            "atelier-applied",
            "atelier-staleness-ms",
            "atelier-stale",
            "etag",
            "x-request-id",
        ];
        let ours = if answer.status == 413 { &ours[5..] } else { &ours[..] };
        for header in ours {
            assert!(exposed.contains(header), "{header}: {answer:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preflight_is_allowed_what_it_asks_for_and_may_be_remembered() {
    let shopper = shared().await.shopper();
    for path in [
        "/products",
        "/products/1",
        "/reviews/5/helpful",
        "/qa/questions/37/answers/",
        "/cart",
        "/interactions",
        "/api/cart",
    ] {
        let request = shopper.request(Method::OPTIONS, path).header("origin", LISTED);
        let request = request
            .header("access-control-request-method", "PUT")
            .header("access-control-request-headers", "content-type, x-odd");
        let answer = shopper.send(request).await.expect(204);
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        let methods = answer.header("access-control-allow-methods").unwrap();
        for method in ["GET", "HEAD", "POST", "PUT", "OPTIONS"] {
            assert!(methods.split(", ").any(|word| word == method), "{method}: {answer:?}");
        }
        assert_eq!(answer.header("access-control-allow-headers"), Some("content-type, x-odd"));
        assert!(vary(&answer).contains("access-control-request-headers"), "{answer:?}");
        let seconds: u32 = answer.header("access-control-max-age").unwrap().parse().unwrap();
        assert!(seconds >= 600, "{answer:?}");
        assert!(answer.header("allow").is_some(), "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_origin_of_the_configuration_is_echoed_with_credentials_and_its_cookie_crosses_sites() {
    let system = shared().await;
    let (writing, reading) =
        tokio::join!(Beside::writer(&system, &[ORIGINS]), Beside::reader(&system, "a", &[ORIGINS]));
    let (writer, reader) = (writing.shopper(), reading.shopper());
    let preflight = |shopper: &Shopper| {
        shopper.request(Method::OPTIONS, "/cart").header("access-control-request-headers", "content-type")
    };
    let product = catalogue::spare_product();
    for (origin, allowed, credentials) in [
        (Some(LISTED), LISTED, Some("true")),
        (Some("http://localhost:3000"), "http://localhost:3000", Some("true")),
        (Some("https://shop.example.stranger.example"), "*", None),
        (Some("http://shop.example"), "*", None),
        (Some("null"), "*", None),
        (None, "*", None),
    ] {
        for (shopper, request) in [
            (&reader, reader.request(Method::GET, "/products")),
            (&reader, reader.request(Method::GET, "/products/99999")),
            (&reader, reader.request(Method::GET, "/products").header("if-none-match", "*")),
            (&reader, preflight(&reader)),
            (&writer, writer.request(Method::POST, "/reviews").json(&review(product.id))),
            (&writer, writer.request(Method::POST, "/reviews").body("{}")),
        ] {
            let request = if let Some(origin) = origin { request.header("origin", origin) } else { request };
            let answer = shopper.send(request).await;
            assert_eq!(answer.header("access-control-allow-origin"), Some(allowed), "{answer:?}");
            assert_eq!(answer.header("access-control-allow-credentials"), credentials, "{answer:?}");
            assert!(vary(&answer).split(',').any(|name| name.trim() == "origin"), "{answer:?}");
        }
    }

    let add = |origin: &str| {
        writer.request(Method::POST, "/cart").header("origin", origin).header("sec-fetch-site", "cross-site")
    };
    let added = writer.send(add(LISTED).json(&json!({"sku_id": SKU}))).await.expect(201);
    for name in ["atelier_session", "atelier_position"] {
        let cookie = added.cookie(name).unwrap();
        for attribute in ["SameSite=None", "Secure", "HttpOnly"] {
            assert!(cookie.split("; ").any(|part| part == attribute), "{attribute}: {cookie}");
        }
    }
    let session = added.new_session().unwrap();
    let carried = format!("atelier_session={session}");
    let _added =
        writer.send(add(LISTED).header("cookie", &carried).json(&json!({"sku_id": SKU}))).await.expect(201);
    let _stranger = writer
        .send(add("https://stranger.example").header("cookie", &carried).json(&json!({"sku_id": SKU})))
        .await
        .expect(201);
    let cart = async |origin: &str| {
        let request = reader
            .request(Method::GET, "/cart")
            .header("origin", origin)
            .header("sec-fetch-site", "cross-site");
        reader.send(request.header("cookie", &carried)).await.expect(200).json()
    };
    assert_eq!(cart(LISTED).await, json!([{"sku_id": SKU, "count": "2"}]));
    assert_eq!(cart("https://stranger.example").await, json!([]));
}
