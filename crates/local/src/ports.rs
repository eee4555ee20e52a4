//! Which ports a system uses: one block of them, remembered in its data folder.
//!
//! Blocks lie below the ports that the kernel gives to outgoing connections, and each system holds a lock on its block
//! while it lives: so several that start at once, as in tests, never choose the same.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::kernel;
use crate::layout::{Data, make_folder, write_atomically};
use crate::temporary::fill_random;

const BLOCK: u16 = 64;
const FIRST: u16 = 15_040;
const BLOCKS: u16 = 265;

const NATS: u16 = 0;
const NATS_MONITOR: u16 = 1;
const NGINX: u16 = 2;
const WRITERS: u16 = 4;
const FOR_A_WRITER: u16 = 2;
/// The most writers that a block has ports for.
pub const MOST_WRITERS: u16 = 4;
const REPLICAS: u16 = WRITERS + MOST_WRITERS * FOR_A_WRITER;
const FOR_A_REPLICA: u16 = 11;
const FOR_A_READER: u16 = 3;
/// The most replicas that a block has ports for.
pub const MOST_REPLICAS: u16 = (BLOCK - REPLICAS) / FOR_A_REPLICA;
/// The most readers of one replica that a block has ports for.
pub const MOST_READERS: u16 = (FOR_A_REPLICA - 2) / FOR_A_READER;

/// The ports of one system.
#[derive(Debug)]
pub struct Ports {
    base: u16,
    nginx: u16,
    _lock: Option<File>,
}

#[derive(Serialize, Deserialize)]
struct Remembered {
    base: u16,
    port: u16,
}

impl Ports {
    /// Chooses: `port` is nginx's, `base` the first of all others; what is not given is as remembered, or free.
    ///
    /// # Errors
    ///
    /// [`Error::PortTaken`] for a port that was asked for.
    pub fn choose(data: &Data, port: Option<u16>, base: Option<u16>) -> Result<Self, Error> {
        let remembered: Option<Remembered> =
            fs::read_to_string(data.ports()).ok().and_then(|text| serde_json::from_str(&text).ok());
        let (base, lock) = match base {
            Some(base) if !(1024..=u16::MAX - BLOCK).contains(&base) => {
                return Err(Error::Options(format!(
                    "--port-base {base} leaves no room: 1024 to {} is possible",
                    u16::MAX - BLOCK
                )));
            }
            Some(base) => (base, lock_block(base)?),
            None => match remembered.as_ref().map(|old| (old.base, lock_block(old.base))) {
                Some((old, Ok(lock))) if lock.is_some() && block_is_free(old) => (old, lock),
                _ => free_block()?,
            },
        };
        let nginx = match (port, remembered) {
            (Some(port), _) => port,
            // A port inside the block moves with it.
            (None, Some(old)) if old.port != old.base + NGINX => old.port,
            (None, _) => base + NGINX,
        };
        Ok(Self { base, nginx, _lock: lock })
    }

    /// The port of the Postgres at this place at the last start, if there was one.
    #[must_use]
    pub(crate) fn last_postgres(data: &Data, replica: u16) -> Option<u16> {
        let remembered: Remembered = serde_json::from_str(&fs::read_to_string(data.ports()).ok()?).ok()?;
        Some(remembered.base + REPLICAS + replica * FOR_A_REPLICA)
    }

    /// Keeps the choice for the next start.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn remember(&self, data: &Data) -> Result<(), Error> {
        let text = serde_json::json!(Remembered { base: self.base, port: self.nginx }).to_string();
        write_atomically(&data.ports(), &text, 0o644)
    }

    /// nats-server's port for clients.
    #[must_use]
    pub fn nats(&self) -> u16 {
        self.base + NATS
    }

    /// nats-server's port for its monitor.
    #[must_use]
    pub fn nats_monitor(&self) -> u16 {
        self.base + NATS_MONITOR
    }

    /// nginx's port.
    #[must_use]
    pub fn nginx(&self) -> u16 {
        self.nginx
    }

    /// A writer's port; the next one is its operations port.
    #[must_use]
    pub fn writer(&self, index: u16) -> u16 {
        self.base + WRITERS + index * FOR_A_WRITER
    }

    /// A replica's Postgres.
    #[must_use]
    pub fn postgres(&self, replica: u16) -> u16 {
        self.base + REPLICAS + replica * FOR_A_REPLICA
    }

    /// The operations port of a replica's projector.
    #[must_use]
    pub fn projector(&self, replica: u16) -> u16 {
        self.postgres(replica) + 1
    }

    /// A reader's strict port; the next one is its lenient one, the one after that its operations port.
    #[must_use]
    pub fn reader(&self, replica: u16, index: u16) -> u16 {
        self.postgres(replica) + 2 + index * FOR_A_READER
    }
}

/// A port of this machine, as an address.
#[must_use]
pub fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// Fails when somebody listens on a port, with the option that moves it.
///
/// # Errors
///
/// [`Error::PortTaken`].
pub fn check_free(port: u16, process: &str, option: &'static str) -> Result<(), Error> {
    if is_free(port) {
        return Ok(());
    }
    let holder =
        kernel::listener(port).map_or(String::new(), |(name, pid)| format!(" by {name} (pid {pid})"));
    Err(Error::PortTaken { port, process: process.to_owned(), holder, option })
}

fn is_free(port: u16) -> bool {
    TcpListener::bind(loopback(port)).is_ok()
}

fn block_is_free(base: u16) -> bool {
    (base..base + BLOCK).all(is_free)
}

fn free_block() -> Result<(u16, Option<File>), Error> {
    let mut random = [0; 2];
    fill_random(&mut random)?;
    let start = u16::from_le_bytes(random) % BLOCKS;
    for step in 0..BLOCKS {
        let base = FIRST + (start + step) % BLOCKS * BLOCK;
        if let Some(lock) = lock_block(base)?
            && block_is_free(base)
        {
            return Ok((base, Some(lock)));
        }
    }
    Err(Error::Options(
        "no 64 free ports in a row between 15040 and 32000; name them with --port-base".to_owned(),
    ))
}

/// None when another system holds the block.
fn lock_block(base: u16) -> Result<Option<File>, Error> {
    let folder: PathBuf =
        std::env::temp_dir().join(format!("atelier-ports-{}", rustix::process::geteuid().as_raw()));
    make_folder(&folder)?;
    let path = folder.join(base.to_string());
    let file = File::create(&path).map_err(Error::io(format!("make {}", path.display())))?;
    Ok(file.try_lock().is_ok().then_some(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_processes_share_a_port() {
        let ports = Ports { base: 20_000, nginx: 20_000 + NGINX, _lock: None };
        let mut all = vec![ports.nats(), ports.nats_monitor(), ports.nginx()];
        for writer in 0..MOST_WRITERS {
            all.extend([ports.writer(writer), ports.writer(writer) + 1]);
        }
        for replica in 0..MOST_REPLICAS {
            all.extend([ports.postgres(replica), ports.projector(replica)]);
            for reader in 0..MOST_READERS {
                all.extend((0..3).map(|offset| ports.reader(replica, reader) + offset));
            }
        }
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
        assert!(all.iter().all(|port| (20_000..20_000 + BLOCK).contains(port)));
    }

    #[test]
    fn a_block_is_remembered_and_two_systems_never_share_one() {
        let folder = crate::TemporaryFolder::new("ports").unwrap();
        let (one, two) = (Data::new(&folder.path().join("one")), Data::new(&folder.path().join("two")));
        one.prepare().unwrap();
        two.prepare().unwrap();
        let first = Ports::choose(&one, None, None).unwrap();
        let second = Ports::choose(&two, None, None).unwrap();
        assert_ne!(first.base, second.base);
        let base = first.base;
        first.remember(&one).unwrap();
        drop(first);
        assert_eq!(Ports::choose(&one, None, None).unwrap().base, base);
    }

    #[test]
    fn a_port_that_was_asked_for_stays_and_a_taken_one_names_its_holder() {
        let folder = crate::TemporaryFolder::new("port").unwrap();
        let data = Data::new(folder.path());
        Ports::choose(&data, Some(14_999), None).unwrap().remember(&data).unwrap();
        assert_eq!(Ports::choose(&data, None, None).unwrap().nginx(), 14_999);

        let holder = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = holder.local_addr().unwrap().port();
        let said = check_free(port, "nginx", "--port").unwrap_err().to_string();
        let me = format!("pid {}", std::process::id());
        assert!(said.contains(&me) && said.contains("--port") && said.contains("nginx"), "{said}");
    }
}
