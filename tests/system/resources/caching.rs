//! `ETag`, `If-None-Match`, `Cache-Control`, and compression.

use std::io::Write;
use std::process::{Command, Stdio};

use reqwest::Method;
use serde_json::json;
use tests::{Answer, Shopper, answer, catalogue, question, review, shared};

use super::{MANUAL, READS};

async fn conditional(shopper: &Shopper, method: Method, path: &str, tag: &str) -> Answer {
    shopper.send(shopper.request(method, path).header("if-none-match", tag)).await
}

fn tag(answer: &Answer) -> String {
    answer.header("etag").unwrap_or_else(|| panic!("no ETag: {answer:?}")).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_whose_etag_is_shown_again_is_304_with_its_position_and_without_a_body() {
    let system = shared().await;
    for shopper in [system.shopper(), Shopper::at(&system.reader_urls()[0])] {
        for path in READS {
            let full = shopper.get(path).await.expect(200);
            let tag = tag(&full);
            let opaque = tag.trim_start_matches("W/").to_owned();
            assert!(opaque.len() > 10 && opaque.starts_with('"') && opaque.ends_with('"'), "{path}: {tag}");
            let several = format!("\"another\" , W/{opaque}");
            let weak = format!("W/{opaque}");
            for shown in [opaque.as_str(), &weak, &several, "*"] {
                for method in [Method::GET, Method::HEAD] {
                    // The other reader may be a moment behind, and waits for what this one has shown.
                    let request = shopper.request(method, path).header("if-none-match", shown);
                    let request = request.header("atelier-min-position", full.token().to_string());
                    let unchanged = shopper.send(request).await.expect(304);
                    assert_eq!(unchanged.body, "");
                    assert_eq!(
                        unchanged.header("etag").map(|tag| tag.trim_start_matches("W/")),
                        Some(opaque.as_str())
                    );
                    let there = unchanged.token().position >= full.token().position;
                    assert!(there || unchanged.stale(), "{path}: {unchanged:?}");
                    for name in
                        ["cache-control", "access-control-allow-origin", "access-control-expose-headers"]
                    {
                        assert_eq!(unchanged.header(name), full.header(name), "{path}: {name}");
                    }
                    // nginx says of what it may compress that it varies, and does not say it of a 304.
                    let vary = |answer: &Answer| {
                        answer.header("vary").filter(|vary| *vary != "Accept-Encoding").map(str::to_owned)
                    };
                    assert_eq!(vary(&unchanged), vary(&full), "{path}");
                }
            }
            let unquoted = opaque.trim_matches('"').to_owned();
            for shown in ["\"another\"", "W/\"another\"", "", "junk", unquoted.as_str(), "\""] {
                let answer = conditional(&shopper, Method::GET, path, shown).await.expect(200);
                assert_eq!(answer.body, full.body, "{path}: {shown}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_etag_is_a_hash_of_what_is_shown_so_all_readers_give_the_same_and_head_too() {
    let system = shared().await;
    for path in READS {
        let mut tags = Vec::new();
        for url in system.reader_urls() {
            let reader = Shopper::at(url);
            tags.push(tag(&reader.get(path).await.expect(200)));
            tags.push(tag(&reader.send(reader.request(Method::HEAD, path)).await.expect(200)));
        }
        tags.dedup();
        assert_eq!(tags.len(), 1, "{path}: {tags:?}");
    }
    let reader = Shopper::at(&system.reader_urls()[0]);
    let (one, two) = (tag(&reader.product(1).await), tag(&reader.product(2).await));
    assert_ne!(one, two);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_explains_the_rest_is_kept_and_asked_about_as_reads_are_with_a_slash_or_without() {
    let system = shared().await;
    for shopper in [system.shopper(), Shopper::at(&system.reader_urls()[0])] {
        for path in MANUAL {
            let full = shopper.get(path).await.expect(200);
            let tag = tag(&full);
            assert_eq!(full.header("cache-control"), Some("no-cache"), "{path}");
            let vary = full.header("vary").unwrap_or_default();
            assert!(vary.eq_ignore_ascii_case("accept-encoding"), "{path}: {vary}");
            let slashed = shopper.get(&format!("{path}/")).await.expect(200);
            assert_eq!((slashed.header("etag"), &slashed.body), (Some(tag.as_str()), &full.body), "{path}");
            let head = shopper.send(shopper.request(Method::HEAD, path)).await.expect(200);
            assert_eq!(head.body, "");
            for name in ["etag", "cache-control", "content-type", "content-length"] {
                assert_eq!(head.header(name), full.header(name), "{path}: {name}");
            }
            for method in [Method::GET, Method::HEAD] {
                for path in [path, &format!("{path}/")] {
                    let unchanged = conditional(&shopper, method.clone(), path, &tag).await.expect(304);
                    assert_eq!(unchanged.body, "");
                    for name in ["etag", "cache-control", "access-control-allow-origin"] {
                        assert_eq!(unchanged.header(name), full.header(name), "{path}: {name}");
                    }
                }
            }
            let answer = conditional(&shopper, Method::GET, path, "\"another\"").await.expect(200);
            assert_eq!(answer.body, full.body, "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_change_it_is_200_and_a_change_elsewhere_moves_the_position_alone() {
    let shopper = shared().await.shopper();
    let (product, other) = (catalogue::spare_product().id, catalogue::spare_product().id);
    let session = "a-cart-that-changes";
    let asked = shopper.post_question(&question(product)).await.expect(201).made("question_id");
    let reviewed = shopper.post_review(&review(product)).await.expect(201).review_id();
    let answered = shopper.post_answer(asked, &answer()).await.expect(201).made("answer_id");
    let reviews = format!("/reviews?product_id={product}");
    let meta = format!("/reviews/meta?product_id={product}");
    let questions = format!("/qa/questions?product_id={product}");
    let answers = format!("/qa/questions/{asked}/answers");
    let with = |method: Method, path: &str| shopper.request(method, path).header("atelier-session", session);
    let changes = [
        (&reviews, with(Method::PUT, &format!("/reviews/{reviewed}/helpful"))),
        (&meta, with(Method::POST, "/reviews").json(&review(product))),
        (&questions, with(Method::PUT, &format!("/qa/questions/{asked}/helpful"))),
        (&questions, with(Method::PUT, &format!("/qa/answers/{answered}/helpful"))),
        (&answers, with(Method::PUT, &format!("/qa/answers/{answered}/helpful"))),
        (&"/cart".to_owned(), with(Method::POST, "/cart").json(&json!({"sku_id": 1}))),
    ];
    for (path, change) in changes {
        let read = async |tag: &str| shopper.send(with(Method::GET, path).header("if-none-match", tag)).await;
        let before = read("").await.expect(200);
        let elsewhere = shopper.post_review(&review(other)).await.expect(201);
        let unchanged = read(&tag(&before)).await.expect(304);
        assert!(unchanged.token().position >= elsewhere.token().position, "{path}: {unchanged:?}");
        let changed = shopper.send(change).await;
        assert!([201, 204].contains(&changed.status), "{changed:?}");
        let after = read(&tag(&before)).await.expect(200);
        assert_ne!((tag(&after), &after.body), (tag(&before), &before.body), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_found_or_refused_is_never_304_and_never_kept() {
    let shopper = shared().await.shopper();
    for (path, status) in [
        ("/products/99999", 404),
        ("/nothing", 404),
        ("/docs/nothing", 404),
        ("/problems/nothing", 404),
        ("/reviews?product_id=x", 422),
        ("/interactions", 405),
    ] {
        let problem = conditional(&shopper, Method::GET, path, "*").await.expect_problem(status);
        assert_eq!(problem.header("etag"), None, "{problem:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn browsers_keep_an_answer_and_ask_again_before_they_show_it_and_a_cart_is_private() {
    let shopper = shared().await.shopper();
    let words = |answer: &Answer| -> Vec<String> {
        let value = answer.header("cache-control").unwrap_or_else(|| panic!("no Cache-Control: {answer:?}"));
        value.split(',').map(|word| word.trim().to_ascii_lowercase()).collect()
    };
    for path in READS {
        let words = words(&shopper.get(path).await.expect(200));
        let has = |word: &str| words.iter().any(|found| found == word);
        assert!(has("no-cache") || has("max-age=0") && has("must-revalidate"), "{path}: {words:?}");
        assert!(!has("no-store"), "{path}: {words:?}");
        assert_eq!(has("private"), path == "/cart", "{path}: {words:?}");
    }
    let named = shopper.cart("anybody").await.expect(200);
    assert!(words(&named).contains(&"private".to_owned()), "{named:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn through_nginx_a_large_answer_is_compressed_for_those_who_take_it() {
    let shopper = shared().await.shopper();
    let get = async |path: &str, accepted: &str, shown: &str| {
        let request = shopper.request(Method::GET, path).header("accept-encoding", accepted);
        let response = request.header("if-none-match", shown).send().await.unwrap();
        let headers = response.headers().clone();
        (response.status().as_u16(), headers, response.bytes().await.unwrap())
    };
    let path = "/products?count=100";
    let (status, plain_headers, plain) = get(path, "identity", "").await;
    assert_eq!((status, plain_headers.get("content-encoding")), (200, None));
    let (status, headers, packed) = get(path, "gzip, br", "").await;
    assert_eq!((status, headers["content-encoding"].to_str().unwrap()), (200, "gzip"));
    assert!(packed.len() * 2 < plain.len(), "{} of {} bytes", packed.len(), plain.len());
    assert_eq!(unpacked(&packed), plain);
    for headers in [&plain_headers, &headers] {
        let vary: Vec<_> = headers
            .get_all("vary")
            .iter()
            .map(|value| value.to_str().unwrap().to_ascii_lowercase())
            .collect();
        assert!(vary.join(",").contains("accept-encoding"), "a cache must not mix them up: {headers:?}");
    }
    assert!(headers.contains_key("atelier-position"), "{headers:?}");
    let (status, ..) = get(path, "gzip", headers["etag"].to_str().unwrap()).await;
    assert_eq!(status, 304, "the tag of the compressed answer counts");

    let (_, headers, _) = get("/qa/questions?product_id=5&count=12", "gzip", "").await;
    assert!(headers.contains_key("content-encoding"), "{headers:?}");
    let (_, headers, body) = get("/products/9/related", "gzip", "").await;
    assert!(!headers.contains_key("content-encoding"), "nothing is gained from {} bytes", body.len());
}

fn unpacked(bytes: &[u8]) -> Vec<u8> {
    let mut gzip =
        Command::new("gzip").arg("-dc").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut stdin, bytes) = (gzip.stdin.take().unwrap(), bytes.to_vec());
    let writing = std::thread::spawn(move || stdin.write_all(&bytes));
    let output = gzip.wait_with_output().unwrap();
    writing.join().unwrap().unwrap();
    assert!(output.status.success());
    output.stdout
}
