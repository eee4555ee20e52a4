//! What each of our processes does in the same way: configuration, logs, metrics, listening, draining, problem
//! documents, and the table of routes.

mod allocator;
pub mod config;
mod cookie;
pub mod cors;
pub mod extract;
pub mod front;
pub mod keys;
pub mod metrics;
pub mod operations;
pub mod overload;
pub mod page;
pub mod position;
pub mod problem;
pub mod request_id;
pub mod routes;
pub mod serve;
pub mod session;
pub mod shutdown;
pub mod task;
pub mod telemetry;
pub mod time;
mod unread;

pub use config::Config;
pub use problem::Problem;
