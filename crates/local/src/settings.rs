//! Writes atelier.toml, the configuration of all our processes.

use std::fmt::Write;

use crate::error::Error;
use crate::layout::{Data, write_atomically};
use crate::ports::{Ports, loopback};
use crate::postgres;

/// Writes it anew: ports may have moved since the last start.
///
/// # Errors
///
/// [`Error::Io`].
pub fn write(data: &Data, ports: &Ports, replicas: &[String]) -> Result<(), Error> {
    write_atomically(&data.config(), &text(ports, replicas), 0o644)
}

fn text(ports: &Ports, replicas: &[String]) -> String {
    let mut text = format!(
        "# Written at each start of this system. To change a value, set ATELIER_SECTION_KEY in the environment.\n\
         [stream]\nurl = \"nats://{}\"\nmonitor_url = \"http://{}\"\nstore_dir = \"nats\"\n\n\
         [keys]\nsealing = \"keys/sealing.key\"\nhashing = \"keys/hashing.key\"\n",
        loopback(ports.nats()),
        loopback(ports.nats_monitor())
    );
    for (replica, index) in replicas.iter().zip(0..) {
        let address = postgres::address(ports.postgres(index));
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "\n[[replica]]\nname = \"{replica}\"\nurl = \"{address}\"\npasswords = \"passwords/{replica}\"\n"
        );
    }
    text.push_str("\n[writer]\n\n[reader]\n\n[projector]\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TemporaryFolder;

    #[test]
    fn every_replica_has_a_url_without_secrets_and_the_text_parses() {
        let folder = TemporaryFolder::new("settings").unwrap();
        let ports = Ports::choose(&Data::new(folder.path()), None, None).unwrap();
        let text = text(&ports, &["a".into(), "b".into()]);
        let parsed: toml::Table = text.parse().unwrap();
        let replicas = parsed["replica"].as_array().unwrap();
        assert_eq!(replicas.len(), 2);
        assert_eq!(replicas[1]["name"].as_str(), Some("b"));
        let url = replicas[1]["url"].as_str().unwrap();
        assert_eq!(url, format!("postgres://127.0.0.1:{}/atelier", ports.postgres(1)));
    }
}
