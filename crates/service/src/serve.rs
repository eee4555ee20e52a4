//! Listening for HTTP, with a bound on how slowly a client may send its headers, and draining at the end.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::sync::CancellationToken;

use crate::shutdown;

/// How long a connection may wait for a request's headers, idle or dribbling: hyper does not tell the two apart. Above
/// the 5 s for which nginx keeps an idle connection to a service, so that nginx is the side that closes. (axum's own
/// `serve` has no such bound.)
const HEADER_READ: Duration = Duration::from_secs(8);

/// Connections that may wait to be accepted. A library's usual 128 are fewer than the requests that may come at once:
/// the kernel then drops the rest, and nginx gives up on them.
const BACKLOG: u32 = 4096;

/// Binds an address.
///
/// # Errors
/// A sentence that names the address.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, io::Error> {
    listen(address).map_err(|error| {
        let sentence = format!(
            "{address} cannot be listened on: {error}. Choose another address, or stop what holds it"
        );
        io::Error::new(error.kind(), sentence)
    })
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A restart may take the address although connections of before are still being closed.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves until `stop`, then finishes what is in flight within [`shutdown::BOUND`].
pub async fn serve(listener: TcpListener, app: Router, stop: CancellationToken) {
    let graceful = GracefulShutdown::new();
    loop {
        let (socket, _) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file descriptors, mostly: leave the others time to close.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            () = stop.cancelled() => break,
        };
        let _only_slower_without = socket.set_nodelay(true);
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_READ)
            .serve_connection(TokioIo::new(socket), TowerToHyperService::new(app.clone()));
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(shutdown::BOUND, graceful.shutdown()).await.is_err() {
        tracing::warn!(
            seconds = shutdown::BOUND.as_secs(),
            "some requests did not finish in time and were cut"
        );
    }
}
