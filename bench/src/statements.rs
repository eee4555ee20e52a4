//! `bench statements`: every statement of a reader, alone, over a catalogue; and the pages of one big product, whole.

mod buffers;
mod cases;
mod fill;
mod pages;
mod table;
mod target;

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use local::Data;

use crate::disk;
use crate::error::Error;
use crate::figures::percentile;
use crate::private::Private;
use crate::unless_interrupted;

use cases::{Case, cases};
use table::{Figures, StatementRow, Table};
use target::Target;

/// Products of the full catalogue.
const FULL: u64 = 1_000_000;
/// Runs of each statement before those that count: they open the relations and make the plan.
const WARM_UP: usize = 20;
/// Keys of each statement whose plan is looked at for buffers.
const EXPLAINED: usize = 300;

/// Measure each of a reader's statements on one connection, ids from the last tenth of the tables, and the deep pages
/// of a product with 5,000 reviews through the reader
///
/// Bounds: a statement's median under 1 ms and its p99.9 under 10 ms, in Postgres as its client sees it; a page in 20 ms
/// in the median, the whole answer. Fails when one is broken. The full catalogue takes long to make and to import: name a
/// running system that has it with --data.
#[derive(Debug, Args)]
pub(crate) struct StatementArguments {
    /// Products of the made-up catalogue of a private system
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(20..=FULL))]
    products: u64,
    /// A million products
    #[arg(long, conflicts_with = "products")]
    full: bool,
    /// Measure a system that runs, as `cargo xtask up --data DIR` started it, instead of a private one. Nothing is written
    /// to it; the deep pages are those of its product nearest above 5,000 reviews, or of its biggest
    #[arg(long, value_name = "DIR", conflicts_with_all = ["products", "full"])]
    data: Option<PathBuf>,
    /// Counted runs of each statement. p99.9 of fewer than some thousands is the slowest few
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    runs: u32,
}

/// Measures, prints the table, and judges it.
pub(crate) async fn run(arguments: &StatementArguments) -> Result<(), Error> {
    let table = match &arguments.data {
        Some(data) => unless_interrupted(measure(arguments, &Data::new(data))).await?,
        None => {
            let products = if arguments.full { FULL } else { arguments.products };
            let private = unless_interrupted(Private::start(products, false)).await?;
            let measured = unless_interrupted(async {
                fill::until_a_product_is_big(&private).await?;
                measure(arguments, private.system.data()).await
            })
            .await;
            private.stop().await;
            measured?
        }
    };
    println!("{table}");
    table.judge()
}

async fn measure(arguments: &StatementArguments, data: &Data) -> Result<Table, Error> {
    let mut target = Target::of(data).await?;
    let mut statements = Vec::new();
    for case in cases(&mut target, arguments.runs).await? {
        let row = statement(&mut target, &case, arguments.runs as usize).await?;
        eprintln!("{row}");
        statements.push(row);
    }
    let (product, reviews) = target.big_product().await?;
    let mut pages = Vec::new();
    for page in pages::PAGES {
        let row = page.measure(&target, product).await?;
        eprintln!("{row}");
        pages.push(row);
    }
    Ok(Table {
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        file_system: disk::file_system(data.root()),
        products: target.products().await?,
        runs: arguments.runs,
        statements,
        product,
        reviews,
        pages,
    })
}

async fn statement(target: &mut Target, case: &Case, runs: usize) -> Result<StatementRow, Error> {
    for keys in case.keys.iter().cycle().take(WARM_UP) {
        target.fetch(case, keys).await?;
    }
    let mut milliseconds = Vec::with_capacity(runs);
    // Not those that were just warmed up.
    for keys in case.keys.iter().cycle().skip(WARM_UP).take(runs) {
        let started = Instant::now();
        target.fetch(case, keys).await?;
        milliseconds.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    let mut buffers = buffers::of(target, case, EXPLAINED).await?;
    Ok(StatementRow {
        name: case.name,
        figures: Figures::of(&mut milliseconds),
        buffers: percentile(&mut buffers, 0.5),
        most_buffers: percentile(&mut buffers, 1.0),
    })
}
