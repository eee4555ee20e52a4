//! Builds the reader's listeners, two for shoppers and one for operators, and runs them until a signal.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::middleware::from_fn;
use service::metrics::Recorder;
use service::operations::Readiness;
use service::{front, operations, overload, serve, shutdown};
use stream::Connection;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::config::Settings;
use crate::document::Documents;
use crate::freshness::Freshness;
use crate::listener::{Kind, Listener};
use crate::resources::{self, Sources};
use crate::revalidation;

/// How long operators' requests may take at the end.
const OPERATIONS_BOUND: Duration = Duration::from_millis(500);

/// Why a reader could not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An address is taken, or signals cannot be heard.
    #[error("the reader could not start: {0}")]
    Start(#[from] io::Error),
    /// A public listener panicked.
    #[error("a public listener ended: {0}. Start the reader again, and report what its log says")]
    Listener(#[from] JoinError),
}

/// Serves until SIGTERM or SIGINT, then finishes what is in flight.
///
/// # Errors
/// When it cannot start. A replica that is away is no error: the reader waits for it and is not ready.
pub async fn run(settings: Settings) -> Result<(), Error> {
    let stop = shutdown::on_signal()?;
    let recorder = Recorder::start();
    let strict = serve::bind(settings.listen).await?;
    let lenient = serve::bind(settings.lenient).await?;
    let private = serve::bind(settings.operations).await?;
    tracing::info!(
        replica = settings.replica,
        listen = %strict.local_addr()?,
        lenient = %lenient.local_addr()?,
        operations = %private.local_addr()?,
        "the reader is listening"
    );
    let (documents, tasks) = Documents::start(&settings.replica, &settings.connect, &settings.reader);

    // Reads go on without the stream, whatever is wrong with it: the connection tries again by itself.
    let stop_listening = CancellationToken::new();
    let freshness = Freshness::unknown(&settings.replica, &settings.reader);
    let name = format!("atelier reader {}", settings.replica);
    freshness
        .listen_to(Connection::open(settings.stream, &name, stop_listening.clone()), stop_listening.clone());

    let stopping = Arc::new(AtomicBool::new(false));
    let readiness = readiness(documents.clone(), stopping.clone());
    // Operators may ask until the last request is answered.
    let stop_operations = CancellationToken::new();
    let operations = operations::router(readiness, recorder);
    let operations = tokio::spawn(serve::serve(private, operations, stop_operations.clone()));

    let sources = Sources { documents, hashing: settings.hashing };
    let app = |kind| {
        let listener = Listener { kind, freshness: freshness.clone(), origins: settings.origins.clone() };
        let routes = resources::routes(listener).with_state(sources.clone());
        // Around all, because the pages of problems are not among the reader's own routes.
        let whole = front::finish(routes, settings.origins.clone());
        whole.layer(from_fn(revalidation::unless_modified)).layer(from_fn(overload::tell_nginx))
    };
    let mut serving = JoinSet::new();
    serving.spawn(serve::serve(strict, app(Kind::Strict), stop.clone()));
    serving.spawn(serve::serve(lenient, app(Kind::Lenient), stop.clone()));
    drop(sources);
    tokio::select! {
        biased;
        () = stop.cancelled() => stopping.store(true, Ordering::Relaxed),
        // They end before they are told to only by a panic, and a reader that serves nobody must not look well.
        Some(ended) = serving.join_next() => ended?,
    }
    while let Some(ended) = serving.join_next().await {
        ended?;
    }
    stop_listening.cancel();
    stop_operations.cancel();
    if tokio::time::timeout(OPERATIONS_BOUND, operations).await.is_err() {
        tracing::debug!("an operator's connection was cut");
    }
    tasks.finish().await;
    tracing::info!("the reader has stopped");
    Ok(())
}

fn readiness(documents: Documents, stopping: Arc<AtomicBool>) -> Readiness {
    Arc::new(move || {
        if stopping.load(Ordering::Relaxed) {
            return Err("the reader is stopping".to_owned());
        }
        documents.check()
    })
}
