//! The connection to the stream, verified whenever it is made.
//!
//! The library would buffer what is sent while it is disconnected and send it behind the caller's back later. So a
//! client here lives for one connection only: when that breaks, everything in flight on it ends at once, and this
//! module makes and verifies a new one.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::{self, stream::Info};
use async_nats::{Client, ConnectOptions, Event};
use contract::position::{Epoch, Position};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::definition::{verified_info, verify_hashing_key};
use crate::error::{Error, Result};
use crate::guard::{Guard, Held};
use crate::server::Monitor;

/// How often a living connection looks whether the stream is still what it was, and whether its server is well.
const VERIFY_EVERY: Duration = Duration::from_secs(1);
/// So many bad answers about its health in a row count: one alone may come from a moment's hitch.
const UNHEALTHY_ANSWERS: u32 = 2;

/// Where the stream is.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Address of nats-server, as in `nats://127.0.0.1:4222`.
    pub url: String,
    /// Address of its monitor, as in `http://127.0.0.1:8222`.
    pub monitor_url: String,
    /// Go on although the server acknowledges before it syncs: a power failure then loses acknowledged writes.
    pub accept_acknowledgement_before_sync: bool,
    /// The id of the process's hashing key, if it has one: a stream that was made under another is refused.
    pub hashing_key: Option<String>,
}

/// One verified connection. Clones share it; it never comes back once it is [closed](Link::closed).
#[derive(Clone)]
pub struct Link {
    pub(crate) client: Client,
    pub(crate) context: jetstream::Context,
    pub(crate) epoch: Epoch,
    pub(crate) first: Position,
    pub(crate) duplicate_window: Duration,
    pub(crate) closed: CancellationToken,
    /// What who writes remembers.
    pub(crate) guard: Option<Guard>,
    /// Nothing is published for now.
    pub(crate) held: Held,
}

impl Link {
    /// The stream's epoch when the connection was made.
    pub fn epoch(&self) -> &Epoch {
        &self.epoch
    }

    /// The first position that the stream was made with.
    pub fn first(&self) -> Position {
        self.first
    }

    /// How long the broker remembers message ids.
    pub fn duplicate_window(&self) -> Duration {
        self.duplicate_window
    }

    /// Resolves when the connection is lost.
    pub async fn closed(&self) {
        self.closed.cancelled().await;
    }

    /// Whether the connection is lost.
    pub fn is_closed(&self) -> bool {
        self.closed.is_cancelled()
    }

    /// The stream's last position, freshly asked.
    ///
    /// # Errors
    /// When the server does not answer, or the stream is not as needed any more.
    pub async fn head(&self) -> Result<Position> {
        self.info().await.map(|info| Position(info.state.last_sequence))
    }

    /// Publishes nothing on this connection from now on: replicas refuse the stream.
    pub fn hold(&self) {
        if self.held.set(true) {
            tracing::error!("every replica refuses the stream: nothing is written to it");
        }
    }

    /// Publishes again.
    pub fn release(&self) {
        if self.held.set(false) {
            tracing::info!("a replica follows the stream: it is written to again");
        }
    }

    /// Whether nothing is published for now.
    pub fn is_held(&self) -> bool {
        self.held.is_held()
    }

    /// The stream as it is, as long as it is the one that was connected to.
    pub(crate) async fn info(&self) -> Result<Info> {
        let (found, info) = self.until_closed("tell its head", verified_info(&self.context)).await?;
        if found != self.epoch {
            // Recreated under a live connection: nothing more may be published or followed on it.
            self.closed.cancel();
            return Err(Error::OtherEpoch { found, remembered: self.epoch.clone() });
        }
        Ok(info)
    }

    /// Awaits an answer, or the connection's end.
    pub(crate) async fn until_closed<T>(
        &self,
        what: &'static str,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        tokio::select! {
            result = work => result,
            () = self.closed() => Err(Error::Request { what, reason: "the connection was lost".into() }),
        }
    }
}

/// What the connection is like just now.
#[derive(Clone)]
pub enum Status {
    /// No verified connection. The text says why.
    Away(Arc<Error>),
    /// Connected and verified.
    Up(Box<Link>),
}

/// Keeps a verified connection, for ever.
#[derive(Clone)]
pub struct Connection {
    status: watch::Receiver<Status>,
}

impl Connection {
    /// Connects in the background, and again whenever the connection is lost, until `stop`. `name` is shown by the
    /// server's monitor.
    pub fn open(settings: Settings, name: &str, stop: CancellationToken) -> Connection {
        Connection::open_guarded(settings, name, stop, None)
    }

    /// The same for who writes: it remembers the last event that was acknowledged, and there is no connection to a stream
    /// that lost it, or that has a gap.
    pub fn open_for_writing(settings: Settings, name: &str, stop: CancellationToken) -> Connection {
        Connection::open_guarded(settings, name, stop, Some(Guard::default()))
    }

    fn open_guarded(
        settings: Settings,
        name: &str,
        stop: CancellationToken,
        guard: Option<Guard>,
    ) -> Connection {
        let starting = Error::Away { url: settings.url.clone(), reason: "not connected yet".into() };
        let (sender, status) = watch::channel(Status::Away(Arc::new(starting)));
        let name = name.to_owned();
        tokio::spawn(async move {
            let kept = keep(settings, name, sender, guard);
            tokio::select! {
                () = kept => {}
                () = stop.cancelled() => {}
            }
        });
        Connection { status }
    }

    /// The connection as it is now.
    ///
    /// # Errors
    /// Why there is none: publishing must fail fast instead of waiting.
    pub fn current(&self) -> Result<Link, Arc<Error>> {
        match &*self.status.borrow() {
            Status::Up(link) if !link.is_closed() => Ok(Link::clone(link)),
            Status::Up(_) => Err(Arc::new(Error::Request {
                what: "answer",
                reason: "the connection was just lost".into(),
            })),
            Status::Away(error) => Err(error.clone()),
        }
    }

    /// Waits for a connection, however long it takes.
    pub async fn link(&self) -> Link {
        self.wait(|_| false).await.unwrap_or_else(|_| unreachable!("no error ends this wait"))
    }

    /// Waits for the first connection, but gives up at once on a server or stream that must not be used as it is.
    ///
    /// # Errors
    /// The refusal, naming the difference.
    pub async fn verified(&self) -> Result<Link, Arc<Error>> {
        self.wait(Error::is_refusal).await
    }

    /// Waits for a connection that may come back by itself, but gives up at once on a server that says that it stores
    /// nothing, or a stream that is not as needed: that takes longer than any write may wait.
    ///
    /// # Errors
    /// What the server or stream is like.
    pub async fn link_unless_unwell(&self) -> Result<Link, Arc<Error>> {
        let unwell = |error: &Error| matches!(error, Error::Unhealthy { .. }) || error.ends_connection();
        self.wait(unwell).await
    }

    /// Resolves when the status changes.
    pub async fn changed(&mut self) {
        if self.status.changed().await.is_err() {
            std::future::pending().await
        }
    }

    async fn wait(&self, give_up: impl Fn(&Error) -> bool) -> Result<Link, Arc<Error>> {
        let mut status = self.status.clone();
        loop {
            match &*status.borrow_and_update() {
                Status::Up(link) if !link.is_closed() => return Ok(Link::clone(link)),
                Status::Away(error) if give_up(error) => return Err(error.clone()),
                _ => {}
            }
            if status.changed().await.is_err() {
                std::future::pending().await
            }
        }
    }
}

async fn keep(settings: Settings, name: String, status: watch::Sender<Status>, guard: Option<Guard>) {
    let mut pause = Duration::from_millis(50);
    let mut said = String::new();
    loop {
        match connect(&settings, &name, guard.clone()).await {
            Ok(link) => {
                tracing::info!(url = %settings.url, epoch = %link.epoch, "connected to the stream");
                said.clear();
                pause = Duration::from_millis(50);
                status.send_replace(Status::Up(Box::new(link.clone())));
                let lost = keep_verified(&settings, &link).await.unwrap_or_else(|| {
                    tracing::warn!(url = %settings.url, "the connection to the stream was lost");
                    Error::Away { url: settings.url.clone(), reason: "the connection was lost".into() }
                });
                status.send_replace(Status::Away(Arc::new(lost)));
            }
            Err(error) => {
                let text = error.to_string();
                if text != said {
                    tracing::error!(error = text, "the stream cannot be used");
                    said = text;
                }
                status.send_replace(Status::Away(Arc::new(error)));
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(1));
    }
}

/// Waits until the connection is lost, or closes it and says why: the stream is not what it was, or its server stores
/// nothing. Then whoever writes fails at once, and whoever follows waits for the next connection.
async fn keep_verified(settings: &Settings, link: &Link) -> Option<Error> {
    let reason = tokio::select! {
        () = link.closed() => return None,
        error = until_changed(link) => error,
        error = until_unhealthy(settings) => error,
    };
    tracing::error!(error = %reason, "the stream is not what it was when the connection was made");
    link.closed.cancel();
    Some(reason)
}

/// Looks at the stream again and again until it is not as needed any more.
async fn until_changed(link: &Link) -> Error {
    loop {
        tokio::time::sleep(VERIFY_EVERY).await;
        let looked = if link.guard.is_some() { link.verify_whole().await } else { link.head().await };
        match looked {
            Err(error) if error.ends_connection() => return error,
            _ => {}
        }
    }
}

/// Asks the server for its health again and again until it is bad. A monitor that does not answer says nothing of it.
async fn until_unhealthy(settings: &Settings) -> Error {
    let Ok(monitor) = Monitor::new(&settings.monitor_url) else { return std::future::pending().await };
    let mut bad = 0;
    loop {
        tokio::time::sleep(VERIFY_EVERY).await;
        match monitor.verify_health().await {
            Err(error @ Error::Unhealthy { .. }) if bad + 1 >= UNHEALTHY_ANSWERS => return error,
            Err(Error::Unhealthy { .. }) => bad += 1,
            _ => bad = 0,
        }
    }
}

async fn connect(settings: &Settings, name: &str, guard: Option<Guard>) -> Result<Link> {
    let closed = CancellationToken::new();
    let on_end = closed.clone();
    let client = open_client(settings, name, move |event| {
        if matches!(
            event,
            Event::Disconnected | Event::Closed | Event::ClientError(async_nats::ClientError::MaxReconnects)
        ) {
            on_end.cancel();
        }
    })
    .await?;
    let monitor = Monitor::new(&settings.monitor_url)?;
    monitor.verify_sync(settings).await?;
    // Who accepts another sync setting needs no monitor: one that does not answer is borne.
    if let Err(error @ Error::Unhealthy { .. }) = monitor.verify_health().await {
        return Err(error);
    }
    let context = context(&client);
    let (epoch, info) = verified_info(&context).await?;
    if let Some(ours) = &settings.hashing_key {
        verify_hashing_key(&info, ours)?;
    }
    let (duplicate_window, held) = (info.config.duplicate_window, Held::default());
    let first = Position(info.config.first_sequence.unwrap_or(1));
    let link = Link { client, context, epoch, first, duplicate_window, closed, guard, held };
    if let Some(guard) = &link.guard {
        guard.verify(&link).await?;
    }
    Ok(link)
}

/// JetStream on a connection; no answer takes longer than two seconds.
pub(crate) fn context(client: &Client) -> jetstream::Context {
    let mut context = jetstream::new(client.clone());
    context.set_timeout(Duration::from_secs(2));
    context
}

pub(crate) async fn open_client(
    settings: &Settings,
    name: &str,
    on_event: impl Fn(Event) + Send + Sync + 'static,
) -> Result<Client> {
    ConnectOptions::new()
        .name(name)
        .connection_timeout(Duration::from_secs(2))
        .request_timeout(Some(Duration::from_secs(2)))
        // A frozen server is noticed after two unanswered pings; the library's default is a minute each.
        .ping_interval(Duration::from_secs(2))
        .max_reconnects(1)
        .event_callback(move |event| {
            on_event(event);
            async {}
        })
        .connect(&settings.url)
        .await
        .map_err(|error| Error::Away { url: settings.url.clone(), reason: error.to_string() })
}
