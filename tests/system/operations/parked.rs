//! `projector parked` and `projector rejected`: one decision lets every replica go on behind an event that none can apply.

use contract::Event;
use contract::event::types::{CART_ADDED, REVIEW_CREATED};
use contract::resources::reviews::ReviewHelpful;
use serde_json::{Value, json};
use tests::{
    Private, Said, catalogue, eventually, review, stream_access, tables, wire, with_catalogue, within,
};

const BECAUSE: &str = "its body has a NUL, which no replica can store";

async fn type_in(system: &Private, arguments: &[&str]) -> Said {
    system.operator().run("projector", arguments).await
}

async fn skip(system: &Private, position: i64, more: &[&str]) -> Said {
    let position = position.to_string();
    type_in(system, &[&["parked", "skip", &position, "--because", BECAUSE][..], more].concat()).await
}

fn report(said: &Said) -> Value {
    serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:?}"))
}

/// Waits until both replicas stand just before the event and say so; what they say.
async fn stopped_before(system: &Private, position: i64) -> Vec<Value> {
    eventually("both replicas have stopped", within(40), async || {
        let status = system.operator().status().await?;
        let replicas = status["replicas"].as_array().cloned().unwrap_or_default();
        let there = |replica: &Value| {
            let mend = replica["mend"].as_str().unwrap_or_default();
            replica["state"] == "stopped"
                && replica["position"] == position - 1
                && mend.contains(&format!("projector parked skip {position} --because"))
        };
        if replicas.len() == 2 && replicas.iter().all(there) { Ok(replicas) } else { Err(status.to_string()) }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_no_replica_can_apply_is_parked_and_all_go_on_behind_it_alike() {
    let system = with_catalogue("parked", |options| options).await;
    let (shopper, product) = (system.shopper(), catalogue::spare_products().next().unwrap().id);
    let applied = shopper.post_review(&review(product)).await.expect(201).review_id();
    let key = Some(("poisonskey", "poisonsbody"));
    let poison =
        wire::publish(&system.nats_url(), REVIEW_CREATED, "poison", key, &wire::poison(product)).await;
    let link = stream_access::link(&system).await;
    let vote = Event::ReviewHelpful(ReviewHelpful { review_id: poison });
    let vote =
        stream_access::publish(&link, "vote", contract::Millis(1_795_449_000_007), &vote).await.position;
    let behind = shopper.post_review(&review(product)).await.expect(201);
    assert_eq!(behind.header("atelier-applied"), Some("false"), "nobody is there to wait for");

    for replica in stopped_before(&system, poison).await {
        assert!(
            replica["why"].as_str().unwrap().contains(&format!("event {poison} cannot be applied")),
            "{replica}"
        );
        assert!((replica["stalled"] == false) && (replica["serving"] == false), "{replica}");
    }
    assert_eq!(shopper.products("").await.expect(200).ids(), [1, 2, 3, 4, 5], "readers go on serving");
    let doctor = type_in(&system, &["doctor", "--json"]).await;
    assert!(doctor.out.contains(&format!("projector parked skip {poison} --because")), "{doctor:?}");
    refusals(&system, poison, applied).await;

    // Whoever is started anew comes to the same event.
    system.process("projector-b").kill9().await;
    let _both = stopped_before(&system, poison).await;
    let decision = report(&skip(&system, poison, &["--json"]).await.expect_success());
    assert_eq!((&decision["went_on"], &decision["must_be_rebuilt"]), (&json!(["a", "b"]), &json!([])));
    let tables = tables::equal(&system, decision["decision"].as_i64().unwrap()).await;
    let rejected = tables.of("rejections");
    assert_eq!(rejected[0], format!("({poison},review.created,parked)"));
    assert_eq!(rejected[1], format!("({vote},review.helpful,unknown_review)"));
    let key = tables.of("idempotency_keys").iter().find(|row| row.starts_with("(poisonskey,"));
    assert!(
        key.is_some_and(|row| row.contains(",parked,")),
        "a retry is told what became of the first: {key:?}"
    );
    assert!(shopper.review_ids(product, "newest").await.contains(&behind.review_id()));
    shows(&system, poison).await;

    unreadable(&system).await;
    // A rebuild from the stream reads the decisions as well.
    let rebuilt = type_in(&system, &["rebuild", "--replica", "b", "--from", "stream"]).await;
    let _swapped = rebuilt.expect_success();
    let again = tables::equal(&system, tables.position).await;
    assert_eq!(again.of("rejections")[..2], tables.of("rejections")[..2]);
    let _verified = type_in(&system, &["verify"]).await.expect_success();
}

async fn refusals(system: &Private, poison: i64, applied: i64) {
    let head = system.operator().status().await.unwrap()["head"].clone();
    let one = poison.to_string();
    let _said =
        type_in(system, &["parked", "skip", &one, "--because", " "]).await.expect_refusal(&["say why"]);
    let beyond = head.as_i64().unwrap() + 1;
    let _said = skip(system, beyond, &[]).await.expect_refusal(&["is not there", &beyond.to_string()]);
    let _said = skip(system, applied, &[]).await.expect_refusal(&[
        &format!("replica a and replica b applied event {applied}"),
        "projector rebuild --replica a --from stream",
    ]);
    let _said = skip(system, 1_000_000_000, &["--force"]).await.expect_refusal(&["catalogue"]);
    let _said = type_in(system, &["parked", "show", &one]).await.expect_refusal(&["is not parked"]);
    let dry = skip(system, poison, &["--dry-run"]).await.expect_success();
    assert!(
        dry.out.contains("would be parked") && dry.out.contains("replica a has not applied it"),
        "{dry:?}"
    );
    let listed = type_in(system, &["parked", "list"]).await.expect_success();
    assert!(listed.out.contains("no event is parked"), "{listed:?}");
    assert_eq!(system.operator().status().await.unwrap()["head"], head, "nothing was decided");
}

async fn shows(system: &Private, poison: i64) {
    let one = poison.to_string();
    let _again = skip(system, poison, &[]).await.expect_refusal(&["parked already", BECAUSE]);
    let listed = report(&type_in(system, &["parked", "list", "--json"]).await.expect_success());
    assert_eq!(
        (&listed["parked"][0]["position"], &listed["parked"][0]["because"]),
        (&json!(poison), &json!(BECAUSE))
    );
    let decision = &listed["parked"][0]["decision"];
    let _itself =
        skip(system, decision.as_i64().unwrap(), &["--force"]).await.expect_refusal(&["itself a decision"]);
    let shown = report(&type_in(system, &["parked", "show", &one, "--json"]).await.expect_success());
    for replica in shown["replicas"].as_array().unwrap() {
        assert_eq!(replica["outcome"], "parked", "{shown}");
    }
    let listed = type_in(system, &["rejected", "list", "--replica", "a", "--limit", "1", "--json"]).await;
    let listed = report(&listed.expect_success());
    assert_eq!(listed["rejections"][0]["reason"], "unknown_review", "the newest first: {listed}");
    let next = listed["next"].to_string();
    let page = ["rejected", "list", "--replica", "a", "--before", &next];
    let page = type_in(system, &page).await.expect_success();
    assert!(
        page.out.contains(&one) && page.out.contains("parked") && !page.out.contains("unknown"),
        "{page:?}"
    );
    let shown = type_in(system, &["rejected", "show", "--replica", "b", &one]).await.expect_success();
    for part in
        ["reason parked", "review.created", "ce-idempotencykey: poisonskey", "sealed1.none.AAAA", "stored"]
    {
        assert!(shown.out.contains(part), "{part}: {}", shown.out);
    }
    let never = ["rejected", "show", "--replica", "b", "1000000000"];
    let _never = type_in(system, &never).await.expect_refusal(&["has not rejected event 1000000000"]);
    let far = ["rejected", "show", "--replica", "b", "1099999999"];
    let _far = type_in(system, &far).await.expect_refusal(&["has not come to 1099999999"]);
    let mut connection = tables::connect(system, "a").await.unwrap();
    let put_on_record =
        sqlx::query("select outcome, ended is not null from control.operations where verb = 'parked skip'")
            .fetch_all(&mut connection)
            .await
            .unwrap();
    let outcome = |row: &sqlx::postgres::PgRow| {
        (sqlx::Row::get::<String, _>(row, 0), sqlx::Row::get::<bool, _>(row, 1))
    };
    let outcomes: Vec<_> = put_on_record.iter().map(outcome).collect();
    assert_eq!(outcomes, [(format!("decision {decision}"), true)], "refusals and dry runs change nothing");
}

/// One of a type that this build does not know, and one whose content is spoiled: neither is read.
async fn unreadable(system: &Private) {
    let unknown = wire::publish(&system.nats_url(), "review.liked", "unknown", None, b"{}").await;
    let spoiled = wire::publish(&system.nats_url(), CART_ADDED, "spoiled", None, b"{\"sku_id\":").await;
    let stopped = stopped_before(system, unknown).await;
    assert!(stopped[0]["mend"].as_str().unwrap().contains("upgrade the projectors"), "{stopped:?}");
    let _first = skip(system, unknown, &[]).await.expect_success();
    let _stopped = stopped_before(system, spoiled).await;
    let decision = report(&skip(system, spoiled, &["--json"]).await.expect_success());
    let tables = tables::equal(system, decision["decision"].as_i64().unwrap()).await;
    for row in [format!("({unknown},review.liked,parked)"), format!("({spoiled},cart.added,parked)")] {
        assert!(tables.of("rejections").contains(&row), "{row}: {:?}", tables.of("rejections"));
    }
    let shown = type_in(system, &["parked", "show", &unknown.to_string()]).await.expect_success();
    assert!(shown.out.contains("unreadable: ") && shown.out.contains("atelier.review.liked.v1"), "{shown:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_had_applied_what_was_parked_by_force_stops_there_until_it_is_rebuilt() {
    let system = with_catalogue("parked-force", |options| options).await;
    let (shopper, product) = (system.shopper(), catalogue::spare_products().next().unwrap().id);
    system.process("projector-b").stop().await;
    let applied = shopper.post_review(&review(product)).await.expect(201).review_id();
    let _refused = skip(&system, applied, &[]).await.expect_refusal(&["replica a applied event"]);
    let forced = skip(&system, applied, &["--force"]).await.expect_success();
    assert!(forced.out.contains("projector rebuild --replica a --from stream"), "{forced:?}");
    let status = eventually("replica a has stopped at the decision", within(30), async || {
        let status = system.operator().status().await?;
        if status["replicas"][0]["state"] == "stopped" { Ok(status) } else { Err(status.to_string()) }
    })
    .await;
    let replica = &status["replicas"][0];
    let mend = replica["mend"].as_str().unwrap();
    assert!(mend.starts_with("projector rebuild --replica a --from stream"), "{replica}");
    assert!(replica["why"].as_str().unwrap().contains(&format!("event {applied} was parked")), "{replica}");
    assert_eq!(replica["position"], status["head"].as_i64().unwrap() - 1, "{replica}");
    let verified = type_in(&system, &["verify"]).await;
    let _at_the_event = verified.expect_refusal(&[]);

    system.process("projector-b").start().await.unwrap();
    let _waits_for_it = eventually("replica b serves", within(30), async || {
        let status = system.operator().status().await?;
        if status["replicas"][1]["state"] == "serving" { Ok(()) } else { Err(status.to_string()) }
    })
    .await;
    // What serves has the parked review: the difference is shown, and has to be accepted.
    let rebuild = ["rebuild", "--replica", "a", "--from", "stream", "--accept-differences"];
    let shown = type_in(&system, &rebuild[..5]).await.expect_refusal(&["--accept-differences"]);
    assert!(shown.error.contains(&applied.to_string()), "{shown:?}");
    let _swapped = type_in(&system, &rebuild).await.expect_success();
    let tables = tables::equal(&system, status["head"].as_i64().unwrap()).await;
    assert_eq!(tables.of("rejections"), [format!("({applied},review.created,parked)")]);
    system.ready().await;
}
