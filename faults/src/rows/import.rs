//! A legacy catalogue with broken rows: the good ones land once, the others are set aside with their lines.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use ::tests::catalogue::Spare;
use ::tests::imported::{FILES, Quarantined, counted, quarantined};
use ::tests::{Said, eventually, tables, within};
use futures::FutureExt;
use sample::{Options, SpoiltLine, Summary};

use crate::arena::Arena;
use crate::drive::Plan;
use crate::log::Reading;
use crate::row::{Row, Seen, Setup, Stop};

pub(crate) const ROWS: [Row; 1] = [Row {
    number: 43,
    title: "an import of files with broken rows, mixed ends of lines, NUL, and a killed importer",
    quick: false,
    setup: Setup { catalogue: false, ..Setup::USUAL },
    run: |arena| broken_files(arena).boxed_local(),
}];

const PRODUCTS: u64 = 1_000;
/// Broken lines for each hundred rows.
const BROKEN: u64 = 5;
/// Chunks that are stored before the importer is killed.
const CHUNKS: i64 = 3;
/// What the importer exits with when the stream has its catalogue already.
const CLOSED: i32 = 3;
/// Rows that a spreadsheet would compute, in a file whose rows begin with a number.
const FORMULAS: [&str; 4] =
    ["=HYPERLINK(A1),b,c,d,e,1", "+1+1,b,c,d,e,1", "-2+3,b,c,d,e,1", "@SUM(A1),b,c,d,e,1"];
/// Products with their characteristics: the first two of each.
const CHARACTERISTICS: &str = "select product_id, min(id), max(id) from characteristics \
     group by product_id having count(*) > 1 order by product_id limit 40";

async fn broken_files(arena: &mut Arena) -> Result<Seen, Stop> {
    let folder = arena.system.place("sample");
    let seed = arena.random.below(1 << 30) as u64;
    let failed = |error: sample::Error| Stop::from(error.to_string());
    let options = Options { products: PRODUCTS, seed };
    let made = sample::generate(&options, &folder, &mut |_| ()).map_err(failed)?;
    with_formulas(&folder)?;
    let spoilt = sample::spoil(&folder, BROKEN, seed).map_err(failed)?;

    let killed_at = begun_and_killed(arena, &folder).await?;
    let operator = arena.system.operator();
    let said = operator.import(&folder).await;
    if said.code != Some(0) {
        return Err(Stop::from(format!("an import that was killed at {killed_at} does not go on: {said:?}")));
    }
    arena.system.ready().await;
    let aside = quarantined(&arena.system);
    each_is_accounted_for(arena, &made, &spoilt, &said, &aside).await?;

    // Once more, with the same files: nothing happens, and that it is there is told by a status of its own.
    let (stored, before) = (head(arena).await?, everything(arena).await?);
    let again = operator.import(&folder).await;
    if again.code != Some(CLOSED) || !again.error.contains("already has a catalogue") {
        return Err(Stop::from(format!("the import once more said {again:?}")));
    }
    let changed =
        before.iter().zip(everything(arena).await?).find_map(|(before, after)| before.difference(&after));
    if changed.is_some() || head(arena).await? != stored {
        return Err(Stop::from(format!("the import once more changed something: {changed:?}")));
    }

    let products = products(arena).await?;
    arena.is_filled(products).await?;
    let drive = arena.drive(Plan::USUAL);
    drive.more(100, within(60)).await;
    drive.stop().await;
    let note = format!(
        "killed at event {killed_at}; {} rows imported, {} set aside, of which {} broken by us; once more changed nothing",
        FILES.iter().filter_map(|(file, _)| made.file(file)).map(sample::FileSummary::imported).sum::<u64>(),
        aside.len(),
        spoilt.len() + FORMULAS.len()
    );
    arena.judge(Seen::default().note(note)).await
}

/// Rows that begin as formulas do, behind the header of the first file.
fn with_formulas(folder: &Path) -> Result<(), Stop> {
    let file = folder.join("product.csv");
    let failed = |error: std::io::Error| Stop::from(format!("{}: {error}", file.display()));
    let text = fs::read_to_string(&file).map_err(failed)?;
    let (header, rows) =
        text.split_once('\n').ok_or_else(|| Stop::from("product.csv has no rows".to_owned()))?;
    fs::write(&file, format!("{header}\n{}\n{rows}", FORMULAS.join("\n"))).map_err(failed)
}

/// Begins an import and kills it when some chunks are stored; the head of the stream then.
async fn begun_and_killed(arena: &Arena, folder: &Path) -> Result<i64, Stop> {
    let mut importer =
        arena.system.operator().command("importer", [folder]).spawn().map_err(|error| error.to_string())?;
    let first = contract::Position::FIRST.as_i64();
    eventually("some chunks are stored", within(60), async || {
        let head = head(arena).await.map_err(|stop| format!("{stop:?}"))?;
        if head >= first + CHUNKS { Ok(()) } else { Err(head.to_string()) }
    })
    .await;
    importer.kill().await.map_err(|error| error.to_string())?;
    head(arena).await
}

async fn head(arena: &Arena) -> Result<i64, Stop> {
    Ok(Reading::open(&arena.system).await?.head().await?)
}

/// All tables of all replicas.
async fn everything(arena: &Arena) -> Result<Vec<tables::Tables>, Stop> {
    let mut all = Vec::new();
    for replica in arena.system.replicas() {
        all.push(tables::read(&arena.system, replica).await.map_err(|error| error.to_string())?);
    }
    Ok(all)
}

/// Each row of each file is imported, dropped, or set aside with its line and a reason that explains it.
async fn each_is_accounted_for(
    arena: &Arena,
    made: &Summary,
    spoilt: &[SpoiltLine],
    said: &Said,
    aside: &[Quarantined],
) -> Result<(), Stop> {
    let (told, mut wrong, mut all) = (counted(&said.out), Vec::new(), 0);
    let replicas = everything(arena).await?;
    for (file, table) in FILES {
        let (Some(made), Some(told)) = (made.file(file), told.get(file)) else {
            return Err(Stop::from(format!("the importer tells nothing of {file}: {said:?}")));
        };
        let ours = spoilt.iter().filter(|line| line.file == file).count()
            + if file == "product.csv" { FORMULAS.len() } else { 0 };
        let expected =
            (made.rows + ours as u64, made.imported(), made.dropped(), made.quarantined() + ours as u64);
        let found = (told.rows, told.imported, told.dropped, told.quarantined);
        if found != expected {
            wrong.push(format!("{file}: rows, imported, dropped, set aside are {found:?}, not {expected:?}"));
        }
        for tables in &replicas {
            let rows = tables.of(table).len() as u64;
            if rows != made.imported() {
                wrong.push(format!("{table} has {rows} rows, and {} were to be imported", made.imported()));
            }
        }
        all += told.quarantined;
    }
    let reasons: BTreeMap<(&str, u64), &str> =
        aside.iter().map(|row| ((row.file.as_str(), row.line), row.reason.as_str())).collect();
    if reasons.len() as u64 != all || aside.len() as u64 != all {
        wrong.push(format!("{all} rows were to be set aside, each once; {} were", aside.len()));
    }
    for line in spoilt {
        let reason = reasons.get(&(line.file, line.line));
        if !reason.is_some_and(|reason| line.is_explained_by(reason)) {
            wrong.push(format!("{line:?} was set aside because {reason:?}"));
        }
    }
    let computed = aside.iter().filter(|row| row.text.starts_with(['=', '+', '-', '@', '\t', '\r']));
    wrong.extend(computed.map(|row| format!("a spreadsheet would compute {row:?}")));
    if wrong.is_empty() { Ok(()) } else { Err(Stop::Failed(wrong)) }
}

async fn products(arena: &Arena) -> Result<Vec<Spare>, Stop> {
    let read = async {
        let mut connection = tables::connect(&arena.system, "a").await?;
        let found: Vec<(i64, i64, i64)> = sqlx::query_as(CHARACTERISTICS).fetch_all(&mut connection).await?;
        Ok::<_, sqlx::Error>(found)
    };
    let found = read.await.map_err(|error| error.to_string())?;
    Ok(found.into_iter().map(|(id, fit, quality)| Spare { id, fit, quality }).collect())
}
