//! Builds the writer and runs it until a signal.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use contract::email::Sealer;
use contract::keyed_hash::{HashingKey, KEY_BYTES, parse_key};
use service::metrics::Recorder;
use service::{Config, front, operations, serve, shutdown};
use stream::Connection;
use tokio_util::sync::CancellationToken;

use crate::arguments::Run;
use crate::commit::Commits;
use crate::references::References;
use crate::resources;
use crate::visibility::Visibility;

/// What handlers share.
pub(crate) struct App {
    pub(crate) sealer: Sealer,
    pub(crate) hashing: HashingKey,
    pub(crate) connection: Connection,
    pub(crate) references: References,
    pub(crate) commits: Commits,
    pub(crate) visibility: Visibility,
    pub(crate) visible_wait: Duration,
}

pub(crate) async fn run(config: Config, arguments: &Run) -> Result<(), Box<dyn Error>> {
    let sealer = Sealer::new(read_key(&config.keys.sealing)?);
    let hashing = HashingKey::new(read_key(&config.keys.hashing)?);
    let listener = serve::bind(arguments.listen).await?;
    let operations_listener = serve::bind(arguments.operations).await?;
    let recorder = Recorder::start();
    let stop = shutdown::on_signal()?;
    let last = CancellationToken::new();

    let connection = Connection::open(config.stream_settings(), "atelier writer", last.clone());
    let readiness: operations::Readiness = {
        let (connection, stop) = (connection.clone(), stop.clone());
        Arc::new(move || match connection.current() {
            _ if stop.is_cancelled() => Err("stopping".to_owned()),
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        })
    };
    let watching = tokio::spawn(serve::serve(
        operations_listener,
        operations::router(readiness, recorder),
        last.clone(),
    ));
    // A server or stream that must not be used as it is is told at once to whoever starts the writer.
    tokio::select! {
        verified = connection.verified() => drop(verified?),
        () = stop.cancelled() => return Ok(()),
    }
    let visibility = Visibility::start(connection.clone(), last.clone());
    let app = App {
        sealer,
        hashing,
        references: References::new(&config, connection.clone(), visibility.clone())?,
        commits: Commits::start(&config.writer, connection.clone()),
        visible_wait: Duration::from_millis(config.writer.visible_wait_ms),
        connection,
        visibility,
    };
    tracing::info!(listen = %arguments.listen, operations = %arguments.operations, "the writer started");
    serve::serve(listener, front::finish(resources::routes(Arc::new(app))), stop).await;
    last.cancel();
    watching.await?;
    tracing::info!("the writer stopped");
    Ok(())
}

fn read_key(path: &Path) -> Result<[u8; KEY_BYTES], String> {
    let named = |error: &dyn Error| {
        format!("the key file {} cannot be used: {error}. `projector init` makes it", path.display())
    };
    let text = std::fs::read_to_string(path).map_err(|error| named(&error))?;
    parse_key(&text).map_err(|error| named(&error))
}
