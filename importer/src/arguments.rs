//! The command line.

use std::path::PathBuf;

/// Brings the legacy catalogue into the stream, once, before the first shopper's event.
///
/// Reads the fourteen CSV files, cleans them, and publishes them as bulk events. Rows that cannot be saved go to a
/// quarantine file and do not stop the import. Replicas answer 503 to writes about products until they have applied
/// the closing event.
///
/// An import that broke off goes on when the same command is run again: the same files under the same keys. A stream
/// that has a whole catalogue already takes no other: exit status 3.
#[derive(Debug, clap::Parser)]
#[command(name = "importer", version)]
pub(crate) struct Arguments {
    /// Folder with product.csv, reviews.csv and the others, named as in the legacy export
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// Folder for quarantine.csv, which an earlier one is replaced by; it may hold e-mail addresses (mode 0600)
    ///
    /// Without it: the folder `quarantine` beside the configuration file.
    #[arg(long, value_name = "DIR", env = "ATELIER_IMPORTER_QUARANTINE")]
    pub(crate) quarantine: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) service: service::config::Arguments,
}

impl Arguments {
    /// Where the quarantine file goes.
    pub(crate) fn quarantine_folder(&self) -> PathBuf {
        let beside = || self.service.config.with_file_name("quarantine");
        self.quarantine.clone().unwrap_or_else(beside)
    }
}
