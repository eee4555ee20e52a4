//! The real nginx with our configuration in front of small upstreams: which pool, what arrives there, what comes back.

// The functions below belong to tests.
#![allow(clippy::unwrap_used)]

mod upstreams;

use std::sync::Arc;

use tokio::task::JoinSet;
use upstreams::{Gateway, LISTED, TAG, header, is_problem};

#[tokio::test(flavor = "multi_thread")]
async fn the_method_alone_chooses_the_pool_and_the_request_arrives_as_it_was_sent() {
    let gateway = Gateway::start("pools").await;
    for (method, pool) in [
        ("GET", "reader"),
        ("HEAD", "reader"),
        ("OPTIONS", "reader"),
        ("POST", "writer"),
        ("PUT", "writer"),
        ("DELETE", "writer"),
    ] {
        let (_, arrived) = gateway.ask(method, "/reviews/?a=1&b=%22", "").await;
        assert_eq!(arrived.len(), 1, "{method}");
        assert!(
            arrived[0].starts_with(pool) && arrived[0].contains(&format!(" {method} /reviews/?a=1&b=%22 ")),
            "{arrived:?}"
        );
    }
    let (_, arrived) = gateway.ask("POST", "/reviews", "X: y\n\n{\"a\":1}").await;
    assert!(arrived[0].ends_with("\r\n\r\n{\"a\":1}"), "{arrived:?}");
    let (_, arrived) = gateway.ask("GET", "/products", "Content-Type: application/json\n\n{}").await;
    assert!(arrived[0].starts_with("reader") && arrived[0].ends_with("\r\n\r\n{}"), "{arrived:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn api_is_a_second_base_and_raw_quotes_arrive_escaped() {
    let gateway = Gateway::start("targets").await;
    for (sent, arrives) in [
        ("/api/products?x=1", "/products?x=1"),
        ("/api", "/"),
        ("/api?x=1", "/?x=1"),
        ("/apis", "/apis"),
        ("/reviews?sort=\"helpful\"", "/reviews?sort=%22helpful%22"),
        ("/api/r?a=\"b\"&c=\"\"\"", "/r?a=%22b%22&c=%22%22%22"),
        ("/\"x\"", "/%22x%22"),
        (&format!("/q?{}", "\"".repeat(15)), &format!("/q?{}", "%22".repeat(15))),
    ] {
        let (_, arrived) = gateway.ask("GET", sent, "").await;
        assert!(arrived[0].contains(&format!("GET {arrives} HTTP/1.1")), "{sent}: {arrived:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_gets_one_attempt_id_that_a_client_cannot_choose() {
    let gateway = Gateway::start("attempt").await;
    let (_, arrived) =
        gateway.ask("POST", "/first-falls", "Atelier-Attempt: mine\nX-Request-Id: me\n\nx").await;
    let attempts: Vec<_> = arrived.iter().filter_map(|head| header(head, "atelier-attempt")).collect();
    assert!(attempts.iter().all(|attempt| attempt.len() == 32 && *attempt == attempts[0]), "{arrived:?}");
    assert!(arrived.iter().all(|head| header(head, "x-request-id") == Some("me")), "{arrived:?}");
    let (_, arrived) = gateway.ask("GET", "/", "").await;
    assert_eq!(header(&arrived[0], "x-request-id"), header(&arrived[0], "atelier-attempt"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_try_goes_to_the_next_one_for_reads_and_for_writes() {
    let gateway = Gateway::start("next").await;
    for method in ["GET", "POST", "PUT"] {
        // Twice, so that the first of the pool is asked whoever's turn it is.
        for _ in 0..2 {
            let (answer, _) = gateway.ask(method, "/first-falls", "").await;
            assert!(answer.ends_with("fine"), "{method}: {answer}");
        }
    }
    for _ in 0..2 {
        let (answer, _) = gateway.ask("GET", "/first-is-behind", "").await;
        assert!(answer.ends_with("fine"), "{answer}");
    }
    let (answer, arrived) = gateway.ask("GET", "/all-are-behind", "").await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.ends_with("all are behind"), "{answer}");
    assert_eq!(arrived.len(), 4);
    // One request that nobody can answer takes nobody out of the pool.
    let (answer, _) = gateway.ask("GET", "/", "").await;
    assert!(answer.ends_with("fine"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn lenient_listeners_are_asked_last_and_only_when_no_strict_one_has_answered() {
    let gateway = Gateway::start("lenient").await;
    for target in ["/strict-are-behind", "/strict-fall"] {
        for _ in 0..4 {
            let (answer, arrived) = gateway.ask("GET", target, "").await;
            assert!(answer.ends_with("fine"), "{target}: {answer}");
            let asked: Vec<&str> = arrived.iter().filter_map(|head| head.split('-').next()).collect();
            assert_eq!(asked, ["reader", "reader", "lenient"], "{target}");
        }
        for _ in 0..4 {
            let (_, arrived) = gateway.ask("GET", "/", "").await;
            assert!(arrived.len() == 1 && arrived[0].starts_with("reader"), "{arrived:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_s_own_problems_pass_and_everything_else_becomes_one() {
    let gateway = Gateway::start("problems").await;
    for method in ["GET", "POST"] {
        for (target, status) in [("/own-400", "400"), ("/own-404", "404")] {
            let (answer, _) = gateway.ask(method, target, "").await;
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status}")) && answer.ends_with("own words"),
                "{method}: {answer}"
            );
        }
        let (answer, _) = gateway.ask(method, "/empty-400", "").await;
        is_problem(&answer, 400, "bad-request");
        // nginx cannot tell a service's 500 from its own; both say the same.
        let (answer, _) = gateway.ask(method, "/own-500", "").await;
        is_problem(&answer, 500, "internal");
        assert_eq!(answer.contains("may have been stored"), method == "POST", "{answer}");
    }
    let (answer, _) = gateway.ask("GET", "/falls", "").await;
    is_problem(&answer, 502, "no-reader-answered");
    assert_eq!(header(&answer, "retry-after"), Some("1"));
    let (answer, _) = gateway.ask("POST", "/falls", "").await;
    is_problem(&answer, 502, "no-writer-answered");
    assert!(answer.contains("may have been stored"), "{answer}");
    let (answer, _) = gateway.ask("TRACE", "/", "").await;
    is_problem(&answer, 405, "method-not-allowed");
    let (answer, _) = gateway.ask("GET", "/a b", "").await;
    is_problem(&answer, 400, "bad-request");
    let (answer, _) = gateway.ask("GET", &format!("/{}", "x".repeat(9000)), "").await;
    is_problem(&answer, 414, "uri-too-long");
    let (answer, _) = gateway.ask("GET", "/", &format!("X: {}", "x".repeat(9000))).await;
    is_problem(&answer, 431, "headers-too-large");
    let (answer, _) = gateway.ask("POST", "/", "Transfer-Encoding: gzip").await;
    is_problem(&answer, 501, "bad-request");
    let answer = gateway.say("GET / HTTP/3.0\r\nHost: x\r\n\r\n").await;
    is_problem(&answer, 505, "bad-request");
    let (answer, arrived) = gateway.ask("POST", "/", "Content-Length: 262145\nExpect: 100-continue").await;
    is_problem(&answer, 413, "body-too-large");
    assert!(arrived.is_empty());
    let (answer, _) = gateway.ask("POST", "/", &format!("X: y\n\n{}", "x".repeat(262_144))).await;
    assert!(answer.ends_with("fine"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_is_overloaded_is_believed_and_nobody_else_is_asked() {
    let gateway = Gateway::start("overloaded").await;
    let (answer, arrived) = gateway.ask("GET", "/overloaded", "").await;
    is_problem(&answer, 503, "overloaded");
    assert_eq!(header(&answer, "retry-after"), Some("1"));
    assert_eq!(arrived.len(), 1, "{arrived:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_at_a_time_than_services_should_have_is_refused_by_nginx_and_a_burst_of_reads_is_not() {
    let gateway = Gateway::start("full").await;
    // As many as both writers, and as both readers, have at a time.
    let _writes = gateway.hold("POST", 2 * 320).await;
    let (answer, arrived) = gateway.ask("POST", "/", "X: y\n\nbody").await;
    is_problem(&answer, 503, "overloaded");
    assert_eq!(header(&answer, "retry-after"), Some("1"));
    assert!(answer.contains("nothing was stored") && arrived.is_empty(), "{answer}");
    let _reads = gateway.hold("GET", 2 * 56).await;
    let (answer, arrived) = gateway.ask("GET", "/?a=%22", "Content-Type: application/json\n\n{}").await;
    assert!(
        arrived[0].starts_with("reader"),
        "busy is no reason to ask a replica that is behind: {arrived:?}"
    );
    assert!(answer.ends_with("fine") && arrived[0].contains("GET /?a=%22 "), "{answer}");
    assert!(arrived[0].ends_with("{}"), "the body arrives too: {arrived:?}");
    // Who demands a position has another place.
    let (answer, _) = gateway.ask("GET", "/", "Cookie: atelier_position=x-1").await;
    assert!(answer.ends_with("fine"), "{answer}");
    let gateway = Arc::new(gateway);
    let mut many = JoinSet::new();
    for _ in 0..1_500 {
        let gateway = gateway.clone();
        many.spawn(
            async move { gateway.say("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await },
        );
    }
    let answers = many.join_all().await;
    let (fine, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.ends_with("fine"));
    assert!(fine.len() > 100 && !refused.is_empty(), "{} of {}", refused.len(), answers.len());
    for answer in refused {
        is_problem(answer, 503, "overloaded");
        assert_eq!(header(answer, "retry-after"), Some("1"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_a_listed_origin_may_read_nginx_s_own_problems_with_its_cookies() {
    let gateway = Gateway::start("origins").await;
    for (origin, allowed, credentials) in
        [(LISTED, LISTED, Some("true")), ("https://other.example", "*", None), ("null", "*", None)]
    {
        for (method, target) in [("GET", "/falls"), ("POST", "/falls"), ("POST", "/own-500"), ("TRACE", "/")]
        {
            let (answer, _) = gateway.ask(method, target, &format!("Origin: {origin}")).await;
            assert!(answer.contains("application/problem+json"), "{method} {target}: {answer}");
            assert_eq!(header(&answer, "access-control-allow-origin"), Some(allowed), "{answer}");
            assert_eq!(header(&answer, "access-control-allow-credentials"), credentials, "{answer}");
            assert_eq!(header(&answer, "vary"), Some("Origin"), "{answer}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn encryption_that_was_taken_off_before_nginx_is_told_to_the_services() {
    let gateway = Gateway::start("scheme").await;
    for (sent, arrives) in
        [("X: y", "http"), ("X-Forwarded-Proto: https", "https"), ("X-Forwarded-Proto: x", "http")]
    {
        for method in ["GET", "POST"] {
            let (_, arrived) = gateway.ask(method, "/", sent).await;
            assert_eq!(header(&arrived[0], "x-forwarded-proto"), Some(arrives), "{arrived:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_large_and_text_is_compressed_for_whoever_can_read_it() {
    let gateway = Gateway::start("compression").await;
    let accepts = "Accept-Encoding: gzip";
    for (method, target, status) in
        [("GET", "/large", "200"), ("POST", "/large", "200"), ("GET", "/large-404", "404")]
    {
        let (answer, _) = gateway.ask(method, target, accepts).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert_eq!(header(&answer, "content-encoding"), Some("gzip"), "{method} {target}: {answer}");
        assert_eq!(header(&answer, "vary"), Some("Accept-Encoding"), "{answer}");
        assert_eq!(header(&answer, "etag"), Some("W/\"a-tag\""), "{answer}");
        let (answer, _) = gateway.ask(method, target, "").await;
        assert_eq!(header(&answer, "content-encoding"), None, "{answer}");
        assert_eq!(header(&answer, "vary"), Some("Accept-Encoding"), "{answer}");
        assert_eq!(header(&answer, "etag"), Some(TAG), "{answer}");
        assert!(answer.ends_with("\"the same again\",\"x\"]"), "{answer}");
    }
    // The weakened tag is compared by the reader, which gets it as it is.
    let (answer, arrived) =
        gateway.ask("GET", "/tagged", &format!("{accepts}\nIf-None-Match: W/{TAG}")).await;
    assert!(answer.starts_with("HTTP/1.1 304 "), "{answer}");
    assert_eq!(header(&arrived[0], "if-none-match"), Some("W/\"a-tag\""));
    let (answer, _) = gateway.ask("GET", "/small", accepts).await;
    assert_eq!(header(&answer, "content-encoding"), None, "what fits into a packet gains nothing: {answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_gets_the_page_and_its_files_and_nobody_else_does() {
    let gateway = Gateway::start("page").await;
    let browser = "Accept: text/html,application/xhtml+xml,*/*;q=0.8";
    let (answer, arrived) = gateway.ask("GET", "/", browser).await;
    assert!(answer.starts_with("HTTP/1.1 302 ") && arrived.is_empty(), "{answer}");
    assert_eq!((header(&answer, "location"), header(&answer, "vary")), (Some("/shop/"), Some("Accept")));
    for (method, target, more) in [
        ("GET", "/", ""),
        ("GET", "/", "Accept: */*"),
        ("POST", "/", browser),
        ("HEAD", "/", browser),
        ("GET", "/api/", browser),
    ] {
        let (answer, arrived) = gateway.ask(method, target, more).await;
        assert!(answer.starts_with("HTTP/1.1 200 ") && arrived.len() == 1, "{method} {target}: {answer}");
    }
    let (answer, _) = gateway.ask("GET", "/shop?product=2", browser).await;
    assert_eq!(header(&answer, "location"), Some("/shop/?product=2"), "{answer}");

    for (target, kind) in [
        ("/shop/", "text/html; charset=utf-8"),
        ("/shop/any/path?product=2", "text/html; charset=utf-8"),
        ("/shop/main.js", "text/javascript; charset=utf-8"),
        ("/shop/styles/base.css", "text/css; charset=utf-8"),
        ("/shop/icon.svg", "image/svg+xml; charset=utf-8"),
    ] {
        let (answer, arrived) = gateway.ask("GET", target, "").await;
        assert!(answer.starts_with("HTTP/1.1 200 ") && arrived.is_empty(), "{target}: {answer}");
        assert_eq!(header(&answer, "content-type"), Some(kind));
        assert_eq!(header(&answer, "cache-control"), Some("no-cache"));
        let policy = header(&answer, "content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"), "{policy}");
        let tag = header(&answer, "etag").unwrap();
        for tag in [tag.to_owned(), format!("W/{tag}")] {
            let (answer, _) = gateway.ask("GET", target, &format!("If-None-Match: {tag}")).await;
            assert!(answer.starts_with("HTTP/1.1 304 "), "{target}: {answer}");
        }
    }
    let (answer, _) = gateway.ask("GET", "/shop/main.js", "Accept-Encoding: gzip").await;
    assert_eq!(header(&answer, "content-encoding"), Some("gzip"), "{answer}");
    for target in ["/shop/gone.js", "/shop/../nginx/nginx.conf", "/shop/%2e%2e/nginx.conf"] {
        let (answer, _) = gateway.ask("GET", target, browser).await;
        assert!(!answer.contains("worker_processes"), "{answer}");
    }
    let (answer, _) = gateway.ask("GET", "/shop/gone.js", browser).await;
    is_problem(&answer, 404, "no-route");
    let (answer, _) = gateway.ask("POST", "/shop/", "").await;
    is_problem(&answer, 405, "method-not-allowed");
    assert_eq!(header(&answer, "allow"), Some("GET, HEAD"));
}
