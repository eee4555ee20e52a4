//! A log is for people; nothing depends on whether it can be written.

use std::net::TcpListener;

use local::kernel::Identity;
use rustix::process::Signal;
use tests::{Shopper, catalogue, eventually, review, shared, within};

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_whose_log_nobody_takes_any_more_goes_on_and_stops_when_it_is_told_to() {
    let system = shared().await;
    let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let (listen, operations) = (free(), free());
    let arguments = ["run", "--listen", &listen, "--operations", &operations];
    let mut writer = system.operator().command("writer", arguments).spawn().unwrap();
    let asked = Shopper::at(format!("http://{operations}"));
    eventually("the writer is ready", within(30), async || {
        let request = asked.request(reqwest::Method::GET, "/readyz");
        asked
            .try_send(request)
            .await
            .and_then(|answer| if answer.status == 200 { Ok(()) } else { Err(answer.body) })
    })
    .await;
    let shopper = Shopper::at(format!("http://{listen}"));
    let product = catalogue::spare_product();
    eventually("the writer takes writes", within(30), async || {
        let request = shopper.request(reqwest::Method::POST, "/reviews").json(&review(product.id));
        shopper
            .try_send(request)
            .await
            .and_then(|answer| if answer.status == 201 { Ok(()) } else { Err(answer.body) })
    })
    .await;

    // As when the program at the other end of a pipe has died.
    drop((writer.stderr.take(), writer.stdout.take()));
    let _written = shopper.post_review(&review(product.id)).await.expect(201);
    Identity::of(writer.id().unwrap()).unwrap().signal(Signal::TERM);
    let ended = tokio::time::timeout(within(12), writer.wait()).await;
    assert_eq!(ended.expect("it stops within its bound").unwrap().code(), Some(0));
}
