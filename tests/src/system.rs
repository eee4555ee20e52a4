//! Real systems for the tests: one that most share, and private ones for whoever kills or misconfigures something.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use local::{System, SystemOptions, TemporaryFolder};
use tokio::sync::{OnceCell, Semaphore, SemaphorePermit, oneshot};

use crate::operator::Operator;
use crate::shopper::Shopper;
use crate::{catalogue, eventually, guardian};

/// How long replicas may take to apply a small catalogue.
const IMPORT: Duration = Duration::from_secs(60);
/// They wait most of the time, for each other's timers: with two at a time two cores idle. More would starve each other there.
static PRIVATE_SYSTEMS: Semaphore = Semaphore::const_new(4);

/// The running system that all tests share which only read, or write to products of their own. Two replicas with a
/// reader each, two writers that wait long until a write is visible, the tests' catalogue.
pub struct Shared(Arc<System>);

/// A system for one test alone; its processes are killed and its data removed at the end of the test.
pub struct Private {
    system: System,
    folder: TemporaryFolder,
    _permit: SemaphorePermit<'static>,
}

/// The shared system, started by whoever asks first.
///
/// # Panics
/// When it does not start.
pub async fn shared() -> Shared {
    static SHARED: OnceCell<Result<Arc<System>, String>> = OnceCell::const_new();
    let started = SHARED.get_or_init(|| async {
        let (tell, told) = oneshot::channel();
        // Its supervisor must outlive the test that happens to be the first, so it has a thread and a runtime.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
            let runtime = runtime.expect("a process may start threads");
            runtime.block_on(async {
                let started = start_shared().await;
                let _system = started.clone();
                let _first_test_is_gone = tell.send(started);
                // The guardian ends the system with the tests.
                std::future::pending::<()>().await;
            });
        });
        told.await.unwrap_or_else(|_| Err("its thread ended".to_owned()))
    });
    match started.await {
        Ok(system) => Shared(system.clone()),
        Err(error) => panic!("the shared system did not start: {error}"),
    }
}

async fn start_shared() -> Result<Arc<System>, String> {
    let mut folder = TemporaryFolder::new("shared").map_err(|error| error.to_string())?;
    guardian::watch_over(folder.path());
    folder.keep();
    let mut options = options(folder.path());
    options.writers = 2;
    let system = System::start(options, &mut |_| ()).await.map_err(|error| error.to_string())?;
    // When it cannot be filled, its logs say why.
    let shared = Shared(Arc::new(system));
    fill(&shared).await;
    Ok(shared.0.clone())
}

/// One's turn to run a system that the tests do not share: more at a time would starve each other.
pub async fn turn() -> SemaphorePermit<'static> {
    PRIVATE_SYSTEMS.acquire().await.expect("the semaphore is never closed")
}

/// Options for a system of the tests in this folder.
#[must_use]
pub fn options(data: &Path) -> SystemOptions {
    // On a machine that is busy with other tests replicas may take longer than shoppers would wait.
    SystemOptions::new(data)
        .with_environment("writer", "ATELIER_WRITER_VISIBLE_WAIT_MS", "10000")
        .with_environment("reader", "ATELIER_READER_OVERLOAD_MS", "500")
}

/// A private system without a catalogue.
pub async fn empty(name: &str, change: impl FnOnce(SystemOptions) -> SystemOptions) -> Private {
    private(name, change).await
}

/// A private system with the tests' catalogue, ready for writes.
pub async fn with_catalogue(name: &str, change: impl FnOnce(SystemOptions) -> SystemOptions) -> Private {
    let private = private(name, change).await;
    fill(&private).await;
    private
}

/// A private system.
///
/// # Panics
/// When it does not start.
pub async fn private(name: &str, change: impl FnOnce(SystemOptions) -> SystemOptions) -> Private {
    let permit = turn().await;
    let folder = TemporaryFolder::new(name).expect("the temporary folder can be written");
    guardian::watch_over(folder.path());
    match System::start(change(options(folder.path())), &mut |_| ()).await {
        Ok(system) => Private { system, folder, _permit: permit },
        Err(error) => {
            let mut folder = folder;
            folder.keep();
            keep(folder.path());
            panic!("the system {name} did not start: {error}");
        }
    }
}

/// Imports the tests' catalogue and waits until every replica serves it and writers wait for every replica.
async fn fill(system: &System) {
    let folder = system.data().root().join("catalogue");
    catalogue::write(&folder).expect("a system's data folder can be written");
    let operator = Operator::of(system);
    let _summary = operator.import(&folder).await.expect_success();
    ready(system).await;
}

/// Waits until every replica serves at the head and every writer has heard of it: then a write is applied at once
/// everywhere.
pub(crate) async fn ready(system: &System) {
    let operator = Operator::of(system);
    eventually("all replicas serve at the head", IMPORT, async || {
        let status = operator.status().await?;
        let replicas = status["replicas"].as_array().cloned().unwrap_or_default();
        let well = |replica: &serde_json::Value| {
            replica["state"] == "serving" && replica["position"] == status["head"]
        };
        if !replicas.is_empty() && replicas.iter().all(well) { Ok(()) } else { Err(status.to_string()) }
    })
    .await;
    for url in system.writer_urls() {
        let writer = Shopper::at(url);
        eventually("a writer has heard all replicas", IMPORT, async || {
            // A second report of a hidden review changes nothing; without a catalogue there is nothing to wait for.
            let answer = writer.report(9).await;
            if answer.status == 404 || answer.applied() { Ok(()) } else { Err(format!("{answer:?}")) }
        })
        .await;
    }
}

impl Deref for Shared {
    type Target = System;

    fn deref(&self) -> &System {
        &self.0
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if std::thread::panicking() {
            keep(self.0.data().root());
        }
    }
}

impl Private {
    /// Waits until every replica serves at the head and every writer has heard of it.
    pub async fn ready(&self) {
        ready(&self.system).await;
    }

    /// A shopper of it, through nginx.
    #[must_use]
    pub fn shopper(&self) -> Shopper {
        Shopper::at(self.system.url())
    }

    /// Its operator.
    #[must_use]
    pub fn operator(&self) -> Operator {
        Operator::of(&self.system)
    }

    /// A folder of its data that a test may fill.
    #[must_use]
    pub fn place(&self, name: &str) -> PathBuf {
        self.system.data().root().join(name)
    }
}

impl Shared {
    /// A shopper of it, through nginx.
    #[must_use]
    pub fn shopper(&self) -> Shopper {
        Shopper::at(self.0.url())
    }

    /// Its operator.
    #[must_use]
    pub fn operator(&self) -> Operator {
        Operator::of(&self.0)
    }
}

impl Deref for Private {
    type Target = System;

    fn deref(&self) -> &System {
        &self.system
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.folder.keep();
            keep(self.folder.path());
        }
    }
}

#[allow(clippy::print_stdout, reason = "shown by the test harness, because the test failed")]
fn keep(data: &Path) {
    guardian::keep(data);
    println!("the system's data is kept for a look: {}", data.display());
}
