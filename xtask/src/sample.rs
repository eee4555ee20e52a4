//! `cargo xtask sample`.

use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use crate::error::Error;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Products; about 71 rows belong to each
    #[arg(long, default_value_t = 1000)]
    products: u64,
    /// Another seed gives other contents in the same shape
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The folder for the fourteen files
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Error> {
    let summary = write(arguments.products, arguments.seed, &arguments.out)?;
    for file in &summary.files {
        println!("{:>26} {:>12} rows", file.name, file.rows);
    }
    println!("{:>26} {:>12} rows in {}", "together", summary.rows(), arguments.out.display());
    Ok(())
}

/// Writes a catalogue with a progress bar.
pub(crate) fn write(products: u64, seed: u64, out: &Path) -> Result<sample::Summary, Error> {
    let style = ProgressStyle::with_template(
        "{msg:>20} {bar:30} {human_pos} of {human_len} rows, {per_sec}, {eta} left",
    )
    .map_err(|error| Error::said(format!("the progress bar: {error}")))?;
    let bar = ProgressBar::new(0).with_style(style).with_message("sample");
    let summary = sample::generate(&sample::Options { products, seed }, out, &mut |progress| {
        bar.set_length(progress.rows_expected);
        bar.set_position(progress.rows_written);
    });
    bar.finish_and_clear();
    summary.map_err(|error| {
        let cause = std::error::Error::source(&error).map_or(String::new(), |cause| format!(": {cause}"));
        Error::said(format!("{error}{cause}"))
    })
}
