//! A service of a test's own beside those of a system, for what needs another configuration.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};

use local::System;
use reqwest::Method;
use tokio::process::Child;

use crate::operator::Operator;
use crate::shopper::Shopper;
use crate::{eventually, within};

/// How often a service is started that ends before it is ready.
const TRIES: u32 = 5;

/// A running service; killed when it is dropped.
pub struct Beside {
    _process: Child,
    listen: String,
}

impl Beside {
    /// Another writer.
    pub async fn writer(system: &System, environment: &[(&str, &str)]) -> Beside {
        Beside::start(system, "writer", &[], environment).await
    }

    /// Another reader of a replica.
    pub async fn reader(system: &System, replica: &str, environment: &[(&str, &str)]) -> Beside {
        // Nobody asks its lenient listener: any port does.
        let more = ["--replica", replica, "--lenient", "127.0.0.1:0"];
        Beside::start(system, "reader", &more, environment).await
    }

    /// A shopper of it, without nginx.
    #[must_use]
    pub fn shopper(&self) -> Shopper {
        Shopper::at(format!("http://{}", self.listen))
    }

    async fn start(system: &System, binary: &str, more: &[&str], environment: &[(&str, &str)]) -> Beside {
        let mut said = String::new();
        // Between the choice of a port and its use another process may take it.
        for _ in 0..TRIES {
            match Beside::try_start(system, binary, more, environment).await {
                Ok(beside) => return beside,
                Err(error) => said = error,
            }
        }
        panic!("another {binary} did not start in {TRIES} tries; at last: {said}");
    }

    /// One try; an error when the process ends before it is ready.
    async fn try_start(
        system: &System,
        binary: &str,
        more: &[&str],
        environment: &[(&str, &str)],
    ) -> Result<Beside, String> {
        let (listen, operations) = free_addresses();
        let arguments = ["run", "--listen", &listen, "--operations", &operations];
        let (path, log) = new_log(system, binary);
        let mut command = Operator::of(system).command(binary, arguments.iter().chain(more));
        command.envs(environment.iter().copied()).stdout(Stdio::null()).stderr(log);
        let mut process = command.spawn().unwrap_or_else(|error| panic!("{binary} does not run: {error}"));
        let asked = Shopper::at(format!("http://{operations}"));
        let what = format!("another {binary} is ready; its log is {}", path.display());
        let ended = eventually(&what, within(30), async || {
            if let Some(status) = process.try_wait().expect("a child can be waited for") {
                return Ok(Some(status));
            }
            let answer = asked.try_send(asked.request(Method::GET, "/readyz")).await?;
            if answer.status == 200 { Ok(None) } else { Err(answer.body) }
        })
        .await;
        match ended {
            None => Ok(Beside { _process: process, listen }),
            Some(status) => {
                let log = fs::read_to_string(&path).unwrap_or_default();
                Err(format!("it ended with {status}; {} says: {}", path.display(), log.trim()))
            }
        }
    }
}

/// Two addresses of this machine that nobody listens at.
fn free_addresses() -> (String, String) {
    // Both are held until both are chosen, so that they differ.
    let [one, another] =
        [0; 2].map(|port| TcpListener::bind(("127.0.0.1", port)).expect("this machine has free ports"));
    let address =
        |listener: &TcpListener| listener.local_addr().expect("a listener has an address").to_string();
    (address(&one), address(&another))
}

/// A log of its own among those of the system, and where it lies.
fn new_log(system: &System, binary: &str) -> (PathBuf, File) {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let path = system.data().log(&format!("{binary}-beside-{}", NEXT.fetch_add(1, Ordering::Relaxed)));
    let log = File::create(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    (path, log)
}
