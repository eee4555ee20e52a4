//! An operator at a terminal: one method a command of ours.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use local::System;
use serde_json::Value;
use tokio::process::Command;

/// Longer than any command that ends by itself may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Somebody who types commands with a system's configuration.
#[derive(Clone, Debug)]
pub struct Operator {
    binaries: PathBuf,
    config: PathBuf,
}

/// What a command said, and how it ended.
#[derive(Clone, Debug)]
pub struct Said {
    /// Its exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub error: String,
}

impl Operator {
    /// The operator of a system.
    #[must_use]
    pub fn of(system: &System) -> Operator {
        Operator { binaries: system.binaries().to_owned(), config: system.config_path() }
    }

    /// The same, with another configuration.
    #[must_use]
    pub fn with_configuration(&self, config: &Path) -> Operator {
        Operator { binaries: self.binaries.clone(), config: config.to_owned() }
    }

    /// `projector VERB`, `writer run …`: a command of ours with its arguments, and `--config`.
    ///
    /// # Panics
    /// When it cannot be run, or does not end within a minute.
    pub async fn run(&self, binary: &str, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Said {
        let command = self.command(binary, arguments).output();
        let output = tokio::time::timeout(PATIENCE, command).await;
        let output =
            output.unwrap_or_else(|_| panic!("{binary} did not end within {} s", PATIENCE.as_secs()));
        let output = output.unwrap_or_else(|error| panic!("{binary} does not run: {error}"));
        Said {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            error: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The same, not run yet; killed when it is dropped.
    pub fn command(&self, binary: &str, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        let mut command = Command::new(self.binaries.join(binary));
        command.args(arguments).arg("--config").arg(&self.config);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    /// `importer DIR`
    pub async fn import(&self, folder: &Path) -> Said {
        self.run("importer", [folder]).await
    }

    /// `projector status --json`
    ///
    /// # Errors
    /// What it said instead.
    pub async fn status(&self) -> Result<Value, String> {
        let said = self.run("projector", ["status", "--json"]).await;
        serde_json::from_str(&said.out).map_err(|_| format!("{said:?}"))
    }

    /// `projector probe --json`: the position that every replica has passed then.
    pub async fn probe(&self) -> Said {
        self.run("projector", ["probe", "--json"]).await
    }
}

impl Said {
    /// Itself, when it ended well.
    ///
    /// # Panics
    /// When it did not.
    #[must_use]
    pub fn expect_success(self) -> Said {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    /// The last line of its standard output, as programs read it.
    ///
    /// # Panics
    /// When it is no JSON.
    #[must_use]
    pub fn last_json(&self) -> Value {
        let line = self.out.lines().last().unwrap_or_default();
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Itself, when it failed and named all of these.
    ///
    /// # Panics
    /// When it did not.
    #[must_use]
    pub fn expect_refusal(self, naming: &[&str]) -> Said {
        assert!(self.code.is_some_and(|code| code != 0), "it was not refused: {self:?}");
        for part in naming {
            assert!(self.error.contains(part), "{part} is not named: {self:?}");
        }
        self
    }
}
