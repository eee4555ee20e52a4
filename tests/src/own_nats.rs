//! A nats-server of one's own making, as it should not be.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::process::Stdio;

use local::{Ready, System, TemporaryFolder};
use tokio::process::{Child, Command};

use crate::operator::{Operator, Said};
use crate::{eventually, within};

/// It ends when it is dropped.
pub struct OwnNats {
    /// Where clients reach it.
    pub url: String,
    /// Where its monitor answers.
    pub monitor: String,
    _process: Child,
    _folder: TemporaryFolder,
}

impl OwnNats {
    /// Starts one with this line in its `jetstream` block.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(system: &System, jetstream: &str) -> OwnNats {
        OwnNats::monitored_at(system, jetstream, IpAddr::V4(Ipv4Addr::LOCALHOST)).await
    }

    /// The same with a monitor that listens there.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn monitored_at(system: &System, jetstream: &str, host: IpAddr) -> OwnNats {
        let (address, monitor) = (free(), SocketAddr::new(host, free().port()));
        let folder = TemporaryFolder::new("nats").expect("the temporary folder can be written");
        let configuration = folder.path().join("nats.conf");
        let store = folder.path().join("store");
        let text = format!(
            "listen: \"{address}\"\nhttp: \"{monitor}\"\njetstream {{ store_dir: {store:?}\n{jetstream} }}\n"
        );
        fs::write(&configuration, text).expect("the temporary folder can be written");
        let mut command = Command::new(&system.components().nats_server);
        command.arg("-c").arg(configuration).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let process = command.spawn().expect("nats-server is there");
        let here = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), monitor.port());
        let ready = Ready::Http { address: here, path: "/healthz".into() };
        eventually("nats-server is ready", within(30), async || ready.check().await).await;
        OwnNats {
            url: format!("nats://{address}"),
            monitor: format!("http://{here}"),
            _process: process,
            _folder: folder,
        }
    }

    /// What `projector init` says, and what [`OwnNats::services`] do.
    pub async fn commands(&self, operator: &Operator) -> Vec<Said> {
        let mut said = vec![self.run(operator, "projector", &["init"]).await];
        said.extend(self.services(operator).await);
        said
    }

    /// What the services say that follow or feed the stream, run against this server.
    pub async fn services(&self, operator: &Operator) -> Vec<Said> {
        let (listen, operations) = (free().to_string(), free().to_string());
        vec![
            self.run(operator, "projector", &["run", "--replica", "a", "--operations", &operations]).await,
            self.run(operator, "writer", &["run", "--listen", &listen, "--operations", &operations]).await,
        ]
    }

    /// What a command of ours says, run against this server.
    pub async fn run(&self, operator: &Operator, binary: &str, arguments: &[&str]) -> Said {
        let (url, monitor) =
            (format!("stream.url={}", self.url), format!("stream.monitor_url={}", self.monitor));
        operator.run(binary, arguments.iter().copied().chain(["--set", &url, "--set", &monitor])).await
    }
}

fn free() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    listener.expect("there are free ports")
}
