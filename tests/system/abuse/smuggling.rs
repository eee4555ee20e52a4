//! Requests that two servers could read differently: nginx refuses them, or passes on exactly one.

use tests::hostile::smuggling::{cases, judge};
use tests::with_catalogue;

#[tokio::test(flavor = "multi_thread")]
async fn what_could_be_read_in_two_ways_is_refused_and_one_request_is_one_answer() {
    let system = with_catalogue("smuggling", |mut options| {
        options.replicas = vec!["a".into()];
        options
    })
    .await;
    let mut wrong = Vec::new();
    for (request, fate) in cases() {
        wrong.extend(judge(&system, &request, fate).await.err());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // nginx's connections to the services are in step.
    for product in [1, 2, 1] {
        assert_eq!(system.shopper().product(product).await.expect(200).json()["id"], product);
    }
}
