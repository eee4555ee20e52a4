//! Builds the writer and runs it until a signal.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use contract::email::Sealer;
use contract::keyed_hash::HashingKey;
use service::config::watch;
use service::cors::Origins;
use service::metrics::Recorder;
use service::{Config, front, keys, operations, serve, shutdown};
use stream::Connection;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::arguments::Run;
use crate::commit::Commits;
use crate::references::References;
use crate::resources;
use crate::standstill::Pulse;
use crate::visibility::Visibility;

/// How long an operator's last request may take when the process ends.
const OPERATIONS_BOUND: Duration = Duration::from_secs(1);

/// What handlers share.
pub(crate) struct App {
    pub(crate) sealer: Sealer,
    pub(crate) hashing: HashingKey,
    /// Whose pages may send cookies.
    pub(crate) origins: Origins,
    pub(crate) connection: Connection,
    pub(crate) references: References,
    pub(crate) commits: Commits,
    pub(crate) visibility: Visibility,
    pub(crate) pulse: Pulse,
    pub(crate) visible_wait: Duration,
    /// Units of 8 kB that writes in progress may hold.
    pub(crate) room: Arc<Semaphore>,
}

/// Serves until SIGTERM or SIGINT, then finishes what is in flight.
///
/// # Errors
/// When it cannot start, or the server or the stream must not be used as it is.
pub async fn run(config: Config, arguments: &Run) -> Result<(), Box<dyn Error>> {
    // A writer opens nothing: it needs no old keys.
    let sealer = Sealer::new(keys::read(&config.keys.sealing)?);
    let hashing = keys::hashing(&config.keys)?;
    let origins = Origins::new(&config.http.origins);
    let listener = serve::bind(arguments.listen).await?;
    let operations_listener = serve::bind(arguments.operations).await?;
    let recorder = Recorder::start();
    let stop = shutdown::on_signal()?;
    let last = CancellationToken::new();

    let settings = stream::Settings { hashing_key: Some(hashing.id()), ..config.stream_settings() };
    let connection = Connection::open_for_writing(settings, "atelier writer", last.clone());
    let visibility = Visibility::start(connection.clone(), last.clone());
    let readiness: operations::Readiness = {
        let (connection, visibility, stop) = (connection.clone(), visibility.clone(), stop.clone());
        Arc::new(move || match connection.current() {
            _ if stop.is_cancelled() => Err("stopping".to_owned()),
            Ok(link) if link.is_held() => Err("every replica refuses the stream".to_owned()),
            Ok(_) if visibility.knows_replicas() => Ok(()),
            Ok(_) => Err("listening for replicas since less than two seconds".to_owned()),
            Err(error) => Err(error.to_string()),
        })
    };
    let pulse = Pulse::new();
    let app = App {
        sealer,
        hashing,
        origins: origins.clone(),
        references: References::new(
            watch::replicas(arguments.config.clone(), &config),
            Duration::from_millis(config.writer.reference_wait_ms),
            connection.clone(),
            visibility.clone(),
        )?,
        commits: Commits::start(&config.writer, connection.clone()),
        visible_wait: Duration::from_millis(config.writer.visible_wait_ms),
        room: Arc::new(Semaphore::new(config.writer.queue)),
        connection: connection.clone(),
        visibility,
        pulse: pulse.clone(),
    };
    let app = front::finish(resources::routes(Arc::new(app)), origins);
    let watching = tokio::spawn(serve::serve(
        operations_listener,
        operations::router(readiness, recorder),
        last.clone(),
    ));
    tracing::info!(listen = %arguments.listen, operations = %arguments.operations, "the writer started");
    // Shoppers are answered from the first moment, with a 503 while the stream is away.
    let mut serving = tokio::spawn(serve::serve(listener, app, stop.clone()));
    tokio::select! {
        // A server or stream that must not be used as it is: whoever starts the writer is told at once.
        refusal = refused(&connection) => return Err(refusal.into()),
        stood_still = pulse.beat() => return Err(stood_still.into()),
        () = stop.cancelled() => (&mut serving).await?,
        // It ends before it is told to only by a panic, and a writer that serves nobody must not look well.
        ended = &mut serving => ended?,
    }
    last.cancel();
    // An operator's connection that does not end is cut with the process.
    if let Ok(watched) = tokio::time::timeout(OPERATIONS_BOUND, watching).await {
        watched?;
    }
    tracing::info!("the writer stopped");
    Ok(())
}

/// Resolves only when the first connection is refused for what the server or the stream is.
async fn refused(connection: &Connection) -> Arc<stream::Error> {
    match connection.verified().await {
        Err(refusal) => refusal,
        Ok(_) => std::future::pending().await,
    }
}
