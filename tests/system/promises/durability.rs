//! Invariant 6: what was acknowledged to a shopper is on disk in the stream.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::process::Stdio;

use local::{Ready, TemporaryFolder};
use tests::{Load, Operator, Said, catalogue, eventually, shared, wire, with_catalogue, within};
use tokio::process::{Child, Command};

/// A nats-server of a test's own making.
struct Nats {
    url: String,
    monitor: String,
    _process: Child,
    _folder: TemporaryFolder,
}

impl Nats {
    async fn start(system: &local::System, sync: &str) -> Nats {
        let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (address, monitor) = (free(), free());
        let folder = TemporaryFolder::new("nats").unwrap();
        let configuration = folder.path().join("nats.conf");
        let store = folder.path().join("store");
        let text = format!(
            "listen: \"{address}\"\nhttp: \"{monitor}\"\njetstream {{ store_dir: {store:?}\n{sync} }}\n"
        );
        fs::write(&configuration, text).unwrap();
        let mut command = Command::new(&system.components().nats_server);
        command.arg("-c").arg(configuration).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let process = command.spawn().unwrap();
        let ready = Ready::Http { address: monitor, path: "/healthz".into() };
        eventually("nats-server is ready", within(30), async || ready.check().await).await;
        Nats {
            url: format!("nats://{address}"),
            monitor: format!("http://{monitor}"),
            _process: process,
            _folder: folder,
        }
    }

    /// `projector init` and what [`Nats::services`] says.
    async fn commands(&self, operator: &Operator) -> Vec<Said> {
        let mut said = vec![
            operator
                .run("projector", ["init"].into_iter().chain(self.overrides().iter().map(String::as_str)))
                .await,
        ];
        said.extend(self.services(operator).await);
        said
    }

    fn overrides(&self) -> [String; 4] {
        let set = "--set".to_owned();
        [set.clone(), format!("stream.url={}", self.url), set, format!("stream.monitor_url={}", self.monitor)]
    }

    /// What the services say that follow or feed the stream, run against this server.
    async fn services(&self, operator: &Operator) -> Vec<Said> {
        let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let (listen, operations) = (free(), free());
        let mut said = Vec::new();
        for (binary, arguments) in [
            ("projector", vec!["run", "--replica", "a", "--operations", &operations]),
            ("writer", vec!["run", "--listen", &listen, "--operations", &operations]),
        ] {
            let overrides = self.overrides();
            let arguments = arguments.into_iter().chain(overrides.iter().map(String::as_str));
            said.push(operator.run(binary, arguments).await);
        }
        said
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nats_server_that_acknowledges_before_it_syncs_is_refused_by_name() {
    let system = shared().await;
    let nats = Nats::start(&system, "").await;
    for said in nats.commands(&system.operator()).await {
        let _refusal = said.expect_refusal(&["sync_interval: always", "accept_acknowledgement_before_sync"]);
    }
    let interval = Nats::start(&system, "sync_interval: \"10s\"").await;
    for said in interval.commands(&system.operator()).await {
        let _refusal = said.expect_refusal(&["sync_interval: always"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_accepted_by_a_setting_whose_name_says_the_risk() {
    let system = shared().await;
    let nats = Nats::start(&system, "").await;
    let url = format!("stream.url={}", nats.url);
    let accept = "stream.accept_acknowledgement_before_sync=true";
    // By default a server takes less than the share of the disk that a stream asks for.
    let arguments = ["init", "--set", &url, "--set", accept, "--set", "stream.max_bytes=1000000"];
    let said = system.operator().run("projector", arguments).await.expect_success();
    assert!(said.out.contains("created"), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_differs_in_what_matters_is_refused_naming_each_difference() {
    let system = shared().await;
    let nats = Nats::start(&system, "sync_interval: always").await;
    let stream = serde_json::json!({"name": "ATELIER", "subjects": ["atelier.>"], "storage": "file",
        "retention": "limits", "discard": "old", "max_age": 3_600_000_000_000_u64, "num_replicas": 1});
    let made = wire::request(
        &nats.url,
        "$JS.API.STREAM.CREATE.ATELIER",
        &BTreeMap::new(),
        stream.to_string().as_bytes(),
    )
    .await;
    assert_eq!(made["config"]["name"], "ATELIER", "{made}");
    for said in nats.commands(&system.operator()).await {
        let named = [
            "atelier.>",
            "discard",
            "deny_delete",
            "deny_purge",
            "allow_direct",
            "atomic",
            "max_age",
            "first sequence",
        ];
        let _refusal = said.expect_refusal(&named);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_stream_services_refuse_and_name_the_command_that_makes_it() {
    let system = shared().await;
    let nats = Nats::start(&system, "sync_interval: always").await;
    for said in nats.services(&system.operator()).await {
        let _refusal = said.expect_refusal(&["ATELIER", "projector init"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nats_server_that_is_killed_loses_nothing_that_was_acknowledged() {
    let system = with_catalogue("durability", |options| options).await;
    let products: Vec<_> = catalogue::spare_products().take(4).collect();
    let load = Load::start(&system.shopper(), &products, 16);
    for _ in 0..3 {
        load.more(60, within(60)).await;
        system.process("nats").kill9().await;
        system.process("nats").wait_ready(within(60)).await.unwrap();
    }
    load.more(60, within(60)).await;
    let tally = load.stop().await;
    assert!(tally.stored.len() >= 240, "{tally:?}");
    let _tables = tally.is_all_there(&system).await;
    for name in ["writer", "projector-a", "projector-b", "reader-a", "reader-b"] {
        assert_eq!(system.process(name).restarts(), 0, "{name} waited for nats-server");
    }
}
