//! A small TCP proxy before nats-server: it passes bytes on, cuts, delays, falls silent, or loses replies alone.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What the proxy does with bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Passes them on.
    Pass,
    /// Ends every connection and takes no new one.
    Cut,
    /// Keeps connections and passes nothing on, as a machine that vanished.
    Silent,
    /// Passes on what clients say and loses what the server answers.
    LoseReplies,
    /// Passes on with so much delay, both ways.
    Delay(Duration),
}

/// A running proxy; its connections end when it is dropped.
pub(crate) struct Proxy {
    port: u16,
    mode: Arc<watch::Sender<Mode>>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Listens on a free port. Where the server is stands in the system's configuration, which is written later.
    ///
    /// # Panics
    /// When this machine has no free port.
    pub(crate) fn start(configuration: PathBuf) -> Proxy {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("this machine has free ports");
        let port = listener.local_addr().expect("a listener has an address").port();
        listener.set_nonblocking(true).expect("a socket can be told not to block");
        let listener = tokio::net::TcpListener::from_std(listener).expect("a runtime is there");
        let mode = Arc::new(watch::Sender::new(Mode::Pass));
        let modes = mode.clone();
        let accepting = tokio::spawn(async move {
            loop {
                let Ok((client, _)) = listener.accept().await else {
                    continue;
                };
                if *modes.borrow() != Mode::Cut {
                    tokio::spawn(connection(client, configuration.clone(), modes.subscribe()));
                }
            }
        });
        Proxy { port, mode, accepting }
    }

    /// Where clients connect to.
    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// From now on.
    pub(crate) fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.mode.send_replace(Mode::Cut);
    }
}

async fn connection(client: TcpStream, configuration: PathBuf, mode: watch::Receiver<Mode>) {
    let Some(address) = server(&configuration) else {
        return;
    };
    let Ok(server) = TcpStream::connect(address).await else {
        return;
    };
    let ((client_in, client_out), (server_in, server_out)) = (client.into_split(), server.into_split());
    tokio::select! {
        () = pass(client_in, server_out, mode.clone(), false) => {}
        () = pass(server_in, client_out, mode, true) => {}
    }
}

/// nats-server's address, as the system's own configuration has it.
fn server(configuration: &Path) -> Option<String> {
    let text = std::fs::read_to_string(configuration).ok()?;
    let url = text.lines().find_map(|line| line.strip_prefix("url = \"nats://"))?;
    Some(url.trim_end_matches('"').to_owned())
}

/// One direction. A connection from which bytes were lost ends with the mode: nobody could make sense of what follows.
async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut mode: watch::Receiver<Mode>,
    replies: bool,
) {
    let mut bytes = vec![0; 64 * 1024];
    let mut lost = false;
    loop {
        let now = *mode.borrow_and_update();
        match now {
            Mode::Cut => return,
            Mode::Pass | Mode::Delay(_) if lost => return,
            Mode::Silent => {
                if mode.changed().await.is_err() {
                    return;
                }
                continue;
            }
            _ => {}
        }
        let read = tokio::select! {
            read = from.read(&mut bytes) => read,
            changed = mode.changed() => match changed {
                Ok(()) => continue,
                Err(_) => return,
            },
        };
        let Ok(length @ 1..) = read else {
            return;
        };
        // It may have changed while the bytes were awaited.
        let now = *mode.borrow();
        match now {
            Mode::Cut => return,
            Mode::LoseReplies if replies => {
                lost = true;
                continue;
            }
            Mode::Delay(delay) => tokio::time::sleep(delay).await,
            _ => {}
        }
        if to.write_all(&bytes[..length]).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that sends everything back, a proxy before it, and a connection through both.
    async fn echo() -> (Proxy, TcpStream, local::TemporaryFolder) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                tokio::spawn(async move {
                    let (mut from, mut to) = stream.split();
                    let _ended = tokio::io::copy(&mut from, &mut to).await;
                });
            }
        });
        let folder = local::TemporaryFolder::new("proxy").unwrap();
        let configuration = folder.path().join("atelier.toml");
        std::fs::write(&configuration, format!("[stream]\nurl = \"nats://{address}\"\n")).unwrap();
        let proxy = Proxy::start(configuration);
        let stream = TcpStream::connect(("127.0.0.1", proxy.port)).await.unwrap();
        (proxy, stream, folder)
    }

    async fn answers(stream: &mut TcpStream) -> bool {
        let mut byte = [0];
        let exchange =
            async { stream.write_all(b"x").await.is_ok() && matches!(stream.read(&mut byte).await, Ok(1)) };
        tokio::time::timeout(Duration::from_millis(300), exchange).await.unwrap_or(false)
    }

    #[tokio::test]
    async fn it_passes_falls_silent_goes_on_and_cuts() {
        let (proxy, mut stream, _folder) = echo().await;
        assert!(answers(&mut stream).await);
        proxy.set(Mode::Silent);
        assert!(!answers(&mut stream).await);
        proxy.set(Mode::Pass);
        let mut byte = [0];
        assert_eq!(stream.read(&mut byte).await.unwrap(), 1, "what was said meanwhile arrives");
        assert!(answers(&mut stream).await);
        proxy.set(Mode::Cut);
        assert!(!answers(&mut stream).await);
    }

    #[tokio::test]
    async fn a_connection_that_lost_replies_does_not_go_on_as_if_nothing_was() {
        let (proxy, mut stream, _folder) = echo().await;
        proxy.set(Mode::LoseReplies);
        assert!(!answers(&mut stream).await);
        proxy.set(Mode::Pass);
        let mut byte = [0];
        let read = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut byte)).await;
        assert!(matches!(read, Ok(Ok(0) | Err(_))), "{read:?}");
    }
}
