//! Logs: structured, to stderr; for people on a terminal, JSON otherwise.

use std::error::Error;
use std::io::{IsTerminal, Write};

use tracing_subscriber::EnvFilter;

/// What a service logs unless `ATELIER_LOG` says otherwise. The library's own words about its connection are left out,
/// because ours say the same once, with what to do.
const SERVICE: &str = "info,async_nats=off,sqlx=warn,hyper=warn";
/// What a command that somebody types logs: its own words say the rest.
const COMMAND: &str = "warn,async_nats=off";

/// Starts a service's logging. `ATELIER_LOG` takes a filter, as in `debug` or `info,projector=debug`.
pub fn start() {
    start_with(SERVICE);
}

/// Starts the logging of a command that ends by itself; `ATELIER_LOG` as for a service.
pub fn start_for_command() {
    start_with(COMMAND);
}

fn start_with(usual: &str) {
    let filter = EnvFilter::try_from_env("ATELIER_LOG").unwrap_or_else(|_| EnvFilter::new(usual));
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        // A line that cannot be written would be complained of on stderr as well, which then panics.
        .log_internal_errors(false);
    // A second start, as in tests that share a process, keeps the first.
    let _already_started = if std::io::stderr().is_terminal() {
        logs.try_init()
    } else {
        logs.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init()
    };
}

/// What a command says to whoever typed it, beside its result: its last word, or progress. Nobody may be there to read
/// it any more, which must not stop the work.
pub fn say(text: &str) {
    let _read_or_not = writeln!(std::io::stderr(), "{text}");
}

/// An error and what caused it, in one line; what an error repeats of its cause stands once.
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text += &format!(": {said}");
        }
        cause = error.source();
    }
    text
}
