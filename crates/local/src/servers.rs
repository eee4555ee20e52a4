//! Postgres servers beyond those that a system was started with, for replicas that are added to it: whoever wants one puts
//! an empty file of its name into a folder; the supervisor starts the server and writes its address into the file.

use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::layout::{Data, make_folder, write_atomically};

const BETWEEN_LOOKS: Duration = Duration::from_millis(50);
/// What begins the words in the place of an address.
const FAILED: &str = "error: ";

/// Asks the supervisor for a server and waits until it runs; answers the address of its database, without user and password.
/// One that is there is there.
///
/// # Errors
///
/// [`Error::Options`] when the supervisor could not start it, or did not within this time; [`Error::Io`].
pub async fn ask(data: &Data, name: &str, within: Duration) -> Result<String, Error> {
    if !is_plain(name) {
        return Err(Error::Options(format!(
            "the name `{name}` is not possible: use lower-case letters and digits"
        )));
    }
    make_folder(&data.servers())?;
    let path = file_of(data, name);
    let said = fs::read_to_string(&path).unwrap_or_default();
    if !said.starts_with("postgres://") {
        let made = OpenOptions::new().write(true).create(true).truncate(true).open(&path);
        made.map_err(Error::io(format!("write {}", path.display())))?;
    }
    let began = Instant::now();
    loop {
        let said = fs::read_to_string(&path).unwrap_or_default();
        let said = said.trim();
        if let Some(why) = said.strip_prefix(FAILED) {
            return Err(Error::Options(format!("postgres-{name} does not run: {why}")));
        }
        if !said.is_empty() {
            return Ok(said.to_owned());
        }
        if began.elapsed() > within {
            // It is not wanted any more.
            let _ = fs::remove_file(&path);
            return Err(Error::Options(format!(
                "the supervisor has not started postgres-{name} within {} s; its log is {}",
                within.as_secs(),
                data.log("supervisor").display()
            )));
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

/// The servers that were asked for, by name; whether each one is still waited for.
///
/// # Errors
///
/// [`Error::Io`].
pub(crate) fn asked(data: &Data) -> Result<Vec<(String, bool)>, Error> {
    let entries = match fs::read_dir(data.servers()) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(vec![]),
        Err(error) => return Err(Error::io(format!("read {}", data.servers().display()))(error)),
    };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut asked: Vec<(String, bool)> = names
        .filter(|name| is_plain(name))
        .map(|name| {
            let waited = fs::read_to_string(file_of(data, &name)).is_ok_and(|text| text.trim().is_empty());
            (name, waited)
        })
        .collect();
    asked.sort();
    Ok(asked)
}

/// Says where the server is.
///
/// # Errors
///
/// [`Error::Io`].
pub(crate) fn tell(data: &Data, name: &str, address: &str) -> Result<(), Error> {
    write_atomically(&file_of(data, name), &format!("{address}\n"), 0o644)
}

/// Says why there is none.
///
/// # Errors
///
/// [`Error::Io`].
pub(crate) fn tell_failure(data: &Data, name: &str, error: &Error) -> Result<(), Error> {
    tell(data, name, &format!("{FAILED}{error}"))
}

/// Whether a replica on this machine may have this name: it becomes a part of processes' names.
pub(crate) fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

fn file_of(data: &Data, name: &str) -> PathBuf {
    data.servers().join(name)
}
