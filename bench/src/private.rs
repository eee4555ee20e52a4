//! The private system that is measured: started, filled, asked, stopped.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_nats::jetstream::{self, Context};
use bytes::Bytes;
use local::{Process, Stage, System, SystemOptions, TemporaryFolder};
use reqwest::StatusCode;
use sqlx::postgres::PgPoolOptions;
use sqlx::{PgPool, Row};
use tokio::process::Command;

use crate::error::Error;

/// The seed of the made-up catalogue.
const SEED: u64 = 1;
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);
/// Replicas that come no nearer to the head for so long are stuck: the longest step of a large catalogue's closing takes
/// a minute or so.
const PATIENCE: Duration = Duration::from_secs(300);

/// A running system of our own, and what is used to ask it.
pub(crate) struct Private {
    /// The system.
    pub(crate) system: System,
    /// For single requests.
    pub(crate) http: reqwest::Client,
    /// Each replica's database, as its superuser.
    pub(crate) databases: Vec<PgPool>,
    /// nats-server.
    pub(crate) stream: Context,
    /// For files that loads are read from.
    pub(crate) folder: TemporaryFolder,
    /// Servers of the references, stopped with the system.
    beside: Mutex<Vec<(Process, TemporaryFolder)>>,
}

impl Private {
    /// Starts it and fills it.
    ///
    /// # Errors
    /// The first thing that failed; nothing is left running then.
    pub(crate) async fn start(products: u64, keep: bool) -> Result<Self, Error> {
        Self::start_as(products, keep, |options| options).await
    }

    /// The same, with other options.
    ///
    /// # Errors
    /// As [`Private::start`].
    pub(crate) async fn start_as(
        products: u64,
        keep: bool,
        shape: impl FnOnce(SystemOptions) -> SystemOptions,
    ) -> Result<Self, Error> {
        let mut folder = TemporaryFolder::new("bench")?;
        if keep {
            folder.keep();
            eprintln!("data and logs: {}", folder.path().display());
        }
        let options = shape(SystemOptions::new(folder.path()));
        let system = System::start(options, &mut |stage| {
            if let Stage::Ended(name, took) = stage {
                eprintln!("started {name} in {:.1} s", took.as_secs_f64());
            }
        })
        .await?;
        let mut databases = Vec::new();
        for replica in system.replicas() {
            let pool = PgPoolOptions::new().max_connections(2);
            databases.push(pool.connect(&system.postgres_url(replica)?).await?);
        }
        let client = async_nats::connect(system.nats_url())
            .await
            .map_err(|error| Error::failed("connect to nats-server")(error.into()))?;
        let private = Self {
            system,
            http: reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build()?,
            databases,
            stream: jetstream::new(client),
            folder,
            beside: Mutex::default(),
        };
        let started = Instant::now();
        private.import(products).await?;
        eprintln!("imported {products} products in {:.1} s", started.elapsed().as_secs_f64());
        Ok(private)
    }

    /// Stops everything.
    pub(crate) async fn stop(self) {
        let beside = self.beside.into_inner().unwrap_or_else(PoisonError::into_inner);
        for (process, _folder) in &beside {
            process.stop().await;
        }
        for database in &self.databases {
            database.close().await;
        }
        self.system.stop().await;
    }

    /// Stops a server together with the system.
    pub(crate) fn stop_later(&self, process: Process, folder: TemporaryFolder) {
        self.beside.lock().unwrap_or_else(PoisonError::into_inner).push((process, folder));
    }

    /// The body of a 200.
    ///
    /// # Errors
    /// When the answer is another one.
    pub(crate) async fn get(&self, line: &str, url: &str) -> Result<Bytes, Error> {
        let answer = self.http.get(url).send().await?;
        match answer.status() {
            StatusCode::OK => Ok(answer.bytes().await?),
            other => Err(Error::wrong(line, format!("{url} answers {other}"))),
        }
    }

    /// The stream's last position.
    ///
    /// # Errors
    /// When nats-server does not tell.
    pub(crate) async fn stream_head(&self) -> Result<u64, Error> {
        let stream = self
            .stream
            .get_stream(contract::subject::STREAM)
            .await
            .map_err(|error| Error::failed("ask for the stream's head")(error.into()))?;
        Ok(stream.cached_info().state.last_sequence)
    }

    /// Waits until every replica has applied all that is in the stream now.
    ///
    /// # Errors
    /// When they stand still before that.
    pub(crate) async fn until_applied(&self) -> Result<(), Error> {
        let head = self.stream_head().await?;
        let (mut last, mut moved) = (Vec::new(), Instant::now());
        loop {
            let mut positions = Vec::new();
            for database in &self.databases {
                let row = sqlx::query(include_str!("private/position.sql")).fetch_one(database).await?;
                let position: i64 = row.try_get("position")?;
                let step: i32 = row.try_get("step")?;
                positions.push((u64::try_from(position).unwrap_or_default(), step));
            }
            if positions.iter().all(|(position, _)| *position >= head) {
                return Ok(());
            }
            if positions != last {
                (last, moved) = (positions, Instant::now());
            } else if moved.elapsed() > PATIENCE {
                return Err(Error::said(format!(
                    "the replicas stand at {last:?} for {} s, and the stream at {head}",
                    PATIENCE.as_secs()
                )));
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
    }

    async fn import(&self, products: u64) -> Result<(), Error> {
        let folder = TemporaryFolder::new("sample")?;
        let options = sample::Options { products, seed: SEED };
        sample::generate(&options, folder.path(), &mut |_| {})
            .map_err(|error| Error::failed("make the sample")(error.into()))?;
        let output = Command::new(self.system.binaries().join("importer"))
            .arg(folder.path())
            .arg("--config")
            .arg(self.system.config_path())
            .arg("--quarantine")
            .arg(folder.path().join("quarantine"))
            .kill_on_drop(true)
            .output()
            .await
            .map_err(|error| Error::said(format!("the importer does not run: {error}")))?;
        if !output.status.success() {
            return Err(Error::said(format!(
                "the importer failed ({}): {}",
                output.status,
                String::from_utf8_lossy(&output.stderr).trim()
            )));
        }
        self.until_applied().await
    }
}
