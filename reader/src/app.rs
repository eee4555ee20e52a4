//! Builds the reader's two listeners and runs them until a signal.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::middleware::from_fn;
use service::metrics::Recorder;
use service::operations::Readiness;
use service::{front, operations, serve, shutdown};
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;

use crate::config::Settings;
use crate::document::Documents;
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
    /// The public listener panicked.
    #[error("the public listener ended: {0}. Start the reader again, and report what its log says")]
    Listener(#[from] JoinError),
}

/// Serves until SIGTERM or SIGINT, then finishes what is in flight.
///
/// # Errors
/// When it cannot start. A replica that is away is no error: the reader waits for it and is not ready.
pub async fn run(settings: Settings) -> Result<(), Error> {
    let stop = shutdown::on_signal()?;
    let recorder = Recorder::start();
    let public = serve::bind(settings.listen).await?;
    let private = serve::bind(settings.operations).await?;
    tracing::info!(
        replica = settings.replica,
        listen = %public.local_addr()?,
        operations = %private.local_addr()?,
        "the reader is listening"
    );
    let (documents, tasks) = Documents::start(&settings.replica, &settings.connect, &settings.reader);

    let stopping = Arc::new(AtomicBool::new(false));
    let readiness = readiness(documents.clone(), stopping.clone());
    // Operators may ask until the last request is answered.
    let stop_operations = CancellationToken::new();
    let operations = operations::router(readiness, recorder);
    let operations = tokio::spawn(serve::serve(private, operations, stop_operations.clone()));

    let sources = Sources { documents, hashing: settings.hashing };
    // Around all, because the pages of problems are not among the reader's own routes.
    let app = front::finish(resources::routes().with_state(sources), settings.origins)
        .layer(from_fn(revalidation::unless_modified));
    let mut serving = tokio::spawn(serve::serve(public, app, stop.clone()));
    tokio::select! {
        () = stop.cancelled() => {
            stopping.store(true, Ordering::Relaxed);
            (&mut serving).await?;
        }
        // It ends before it is told to only by a panic, and a reader that serves nobody must not look well.
        ended = &mut serving => ended?,
    }
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
