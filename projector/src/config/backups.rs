//! The command line of snapshots and backups.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

// `projector snapshot …`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Snapshot {
    #[command(subcommand)]
    pub(crate) verb: Option<SnapshotVerb>,
    #[command(flatten)]
    pub(crate) config: service::config::Arguments,
    /// The replica's name in the configuration
    #[arg(long, required = true)]
    pub(crate) replica: Option<String>,
    /// The folder that is made for it; it must not be there yet
    #[arg(long, value_name = "DIR", required = true)]
    pub(crate) out: Option<PathBuf>,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print JSON for programs, a line each second
    #[arg(long)]
    pub(crate) json: bool,
}

// `projector snapshot VERB`
#[derive(Debug, Subcommand)]
pub(crate) enum SnapshotVerb {
    /// Prove a snapshot: restore it into a scratch database, apply what came since, compare, and remove that again
    Verify(Proof),
}

// `projector snapshot verify …`
#[derive(Debug, Args)]
pub(crate) struct Proof {
    #[command(flatten)]
    pub(crate) config: service::config::Arguments,
    /// The snapshot's folder
    #[arg(value_name = "DIR")]
    pub(crate) snapshot: PathBuf,
    /// On whose server the scratch database is made; without it on that of the replica of which the snapshot is
    #[arg(long, conflicts_with = "database_url")]
    pub(crate) replica: Option<String>,
    /// Make it on another server, which then has Atelier's roles, with the passwords in --passwords
    #[arg(long, value_name = "URL", requires = "passwords")]
    pub(crate) database_url: Option<String>,
    /// Folder of that server's passwords; a file `postgres` in it must be there
    #[arg(long, value_name = "FOLDER", requires = "database_url")]
    pub(crate) passwords: Option<PathBuf>,
    /// What the result is compared with
    #[arg(long, value_enum, default_value_t = Against::Replica)]
    pub(crate) against: Against,
    /// Print JSON for programs, a line each second
    #[arg(long)]
    pub(crate) json: bool,
}

/// What a restored snapshot is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Against {
    /// A replica that serves, at one position
    Replica,
    /// Everything in the stream, applied anew: needs no replica, and proves the stream as well
    Stream,
}

// `projector stream VERB`
#[derive(Debug, Subcommand)]
pub(crate) enum StreamVerb {
    /// Write the whole stream into a folder, with checksums; everything serves meanwhile
    Backup {
        #[command(flatten)]
        config: service::config::Arguments,
        /// The folder that is made for it; it must not be there yet
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Say what would be done, and do nothing
        #[arg(long)]
        dry_run: bool,
        /// Print JSON for programs, a line each second
        #[arg(long)]
        json: bool,
    },
    /// Make the stream again from such a folder, on a server that has none
    Restore {
        #[command(flatten)]
        config: service::config::Arguments,
        /// The backup's folder
        #[arg(long, value_name = "DIR")]
        from: PathBuf,
        /// Check everything, say what would be done, and do nothing
        #[arg(long)]
        dry_run: bool,
        /// Print JSON for programs, a line each second
        #[arg(long)]
        json: bool,
    },
}

impl Snapshot {
    pub(crate) fn config(&self) -> &service::config::Arguments {
        match &self.verb {
            Some(SnapshotVerb::Verify(proof)) => &proof.config,
            None => &self.config,
        }
    }
}

impl StreamVerb {
    pub(crate) fn config(&self) -> &service::config::Arguments {
        match self {
            StreamVerb::Backup { config, .. } | StreamVerb::Restore { config, .. } => config,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use crate::config::{Arguments, Verb};

    #[test]
    fn a_snapshot_is_taken_or_verified_and_lacks_nothing() {
        let read = |words: &str| Arguments::try_parse_from(words.split(' ')).map(|read| read.verb);
        let taken = read("projector snapshot --replica a --out /x --config c").unwrap();
        assert_eq!(taken.config().config.to_str(), Some("c"));
        assert!(matches!(taken, Verb::Snapshot(taken) if taken.verb.is_none() && taken.replica.is_some()));
        let proof = read("projector snapshot verify /x --against stream --config c").unwrap();
        assert_eq!(proof.config().config.to_str(), Some("c"));
        for wrong in [
            "snapshot",
            "snapshot --replica a",
            "snapshot verify",
            "snapshot --replica a verify /x",
            "stream",
        ] {
            assert!(read(&format!("projector {wrong}")).is_err(), "{wrong}");
        }
        assert!(read("projector stream backup --out /x").is_ok());
    }
}
