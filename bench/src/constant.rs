//! The reference of a read: a handler that knows its answer, straight and behind an nginx like the system's.

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, StatusCode};
use bytes::Bytes;
use local::nginx::{self, Shape};
use local::ports::{Ports, loopback};
use local::{Data, Process, TemporaryFolder};
use tokio::net::TcpListener;

use crate::error::Error;
use crate::private::Private;

/// A running reference.
pub(crate) struct Constant {
    /// The handler itself.
    pub(crate) straight: String,
    /// Through nginx.
    pub(crate) nginx: String,
    /// What both answer at any path: 200, and 201 to a POST.
    pub(crate) body: Bytes,
}

impl Constant {
    /// Starts as many listeners as the system has readers, and an nginx before them. They are stopped with the system.
    ///
    /// # Errors
    /// When one does not start.
    pub(crate) async fn start(private: &Private, bytes: usize) -> Result<Self, Error> {
        let body = Bytes::from(format!("\"{}\"", "x".repeat(bytes.saturating_sub(2))));
        let mut readers = Vec::new();
        for _ in private.system.reader_urls() {
            readers.push(listen(body.clone()).await?);
        }
        let nginx = before(private, readers.clone()).await?;
        Ok(Self { straight: format!("http://{}", loopback(readers[0])), nginx, body })
    }
}

/// Starts an nginx like the system's before other services, and tells its address. It is stopped with the system.
///
/// # Errors
/// When it does not start.
pub(crate) async fn before(private: &Private, ports_of_services: Vec<u16>) -> Result<String, Error> {
    let folder = TemporaryFolder::new("nginx")?;
    let data = Data::new(folder.path());
    data.prepare()?;
    let ports = Ports::choose(&data, None, None)?;
    let shape = Shape {
        port: ports.nginx(),
        readers: ports_of_services.clone(),
        lenient: ports_of_services.clone(),
        writers: ports_of_services,
        origins: Vec::new(),
    };
    let spec = nginx::prepare(&private.system.components().nginx, &data, &shape)?;
    let process = Process::new(spec, || {});
    private.stop_later(process.clone(), folder);
    process.start().await?;
    Ok(format!("http://{}", loopback(shape.port)))
}

/// Serves until the bench ends.
async fn listen(body: Bytes) -> Result<u16, Error> {
    let failed = |error: std::io::Error| Error::failed("listen for the constant handler")(error.into());
    let listener = TcpListener::bind(loopback(0)).await.map_err(failed)?;
    let port = listener.local_addr().map_err(failed)?.port();
    // The request's body is read whole, as a service does.
    let handler = move |method: Method, _read: Bytes| async move {
        let status = if method == Method::POST { StatusCode::CREATED } else { StatusCode::OK };
        (status, [(CONTENT_TYPE, "application/json")], body)
    };
    let router = Router::new().fallback(handler);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(port)
}
