//! The command line.

use clap::Parser;

/// Injects faults into a whole private system, one a row, and judges what shoppers were told against the stream and
/// every replica.
///
/// Each row starts a system of its own (two replicas, two writers, nginx) on free ports in a temporary folder, and
/// removes it; a row that fails leaves logs and dumps in a folder that it names. Without arguments: the quick dozen,
/// within five minutes.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask faults", version, max_term_width = 110)]
pub(crate) struct Arguments {
    /// Rows by their numbers in the fault matrix
    #[arg(value_name = "ROW")]
    pub(crate) rows: Vec<u32>,
    /// All rows, with more rounds each
    #[arg(long, conflicts_with = "rows")]
    pub(crate) all: bool,
    /// Only show which rows there are
    #[arg(long)]
    pub(crate) list: bool,
    /// Instead of rows: runs in which each checker must find a fault; one that does not is told
    #[arg(long, conflicts_with_all = ["rows", "all"])]
    pub(crate) controls: bool,
    /// Instead of rows: a load for so many minutes with an outage each minute; the memory of our processes must not grow
    #[arg(long, value_name = "MINUTES", num_args = 0..=1, default_missing_value = "20", conflicts_with_all = ["rows", "all", "controls"])]
    pub(crate) soak: Option<u64>,
    /// Instead of rows: so many damages of a real store, each looked at by a projector at the head or a lagging one
    #[arg(long, value_name = "NUMBER", num_args = 0..=1, default_missing_value = "100", conflicts_with_all = ["rows", "all", "controls", "soak"])]
    pub(crate) damages: Option<usize>,
    /// The seed of everything that is left to chance; a new one when it is not given. Processes are not repeated by it
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Arguments::command().debug_assert();
    }
}
