//! `kill -9` of everything that an import needs, at random points of it: the same command goes on, and in the end every
//! table is what an undisturbed import makes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use local::{Data, System, SystemOptions, TemporaryFolder};
use sqlx::Row;
use tests::{Private, Random, empty, eventually, tables, within};
use tokio::process::Child;

const PRODUCTS: u64 = 2_500;
/// Steps of the closing.
const STEPS: usize = 24;
const FIRST: i64 = 1_000_000_000;
/// The replica whose projector and Postgres are killed; the other one is left alone.
const VICTIM: &str = "a";
const KEYS: [&str; 2] = ["sealing.key", "hashing.key"];

/// When something is killed: with so many events applied, or so many steps of the closing made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Point {
    Events(usize),
    Steps(usize),
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_killed_anywhere_goes_on_and_ends_as_an_undisturbed_one() {
    let mut random = Random::announced("import kills");
    let place = TemporaryFolder::new("import-kills").unwrap();
    let folder = place.path().join("sample");
    let seed = random.below(1_000) as u64;
    let _made =
        sample::generate(&sample::Options { products: PRODUCTS, seed }, &folder, &mut |_| ()).unwrap();

    let (expected, events) = undisturbed(&folder, place.path()).await;
    let mut faults: Vec<(Point, &str)> = Vec::new();
    for victim in ["importer", "nats", "projector-a", "postgres-a"] {
        faults.extend((0..2).map(|_| (Point::Events(random.below(events)), victim)));
    }
    for victim in ["projector-a", "postgres-a", "nats", "projector-a"] {
        faults.push((Point::Steps(random.below(STEPS)), victim));
    }
    faults.sort();

    let keys = place.path().to_owned();
    let system = empty("import-kills", |options| with_keys(options, &keys)).await;
    let mut importer = start(&system, &folder);
    for (point, victim) in faults {
        let (events_applied, steps) = reached(&system, &mut importer, &folder, point).await;
        tell(&format!("{victim} is killed with {events_applied} of {events} events applied, {steps} steps"));
        match victim {
            "importer" => importer.kill().await.unwrap(),
            _ => system.process(victim).kill9().await,
        }
    }
    let mut tries = 0;
    loop {
        match importer.wait().await.unwrap().code() {
            // Done, or the catalogue is whole already.
            Some(0 | 3) => break,
            _ => importer = start(&system, &folder),
        }
        tries += 1;
        assert!(tries < 10, "the same command goes on until it is done");
    }
    system.ready().await;
    for replica in system.replicas() {
        let found = hashes(&system, replica).await;
        assert_eq!(found, expected, "replica {replica}");
    }
}

/// Hashes of an undisturbed import's tables, and how many events it has.
async fn undisturbed(folder: &Path, keys: &Path) -> (BTreeMap<String, String>, usize) {
    let system = empty("import-undisturbed", |mut options| {
        options.replicas = vec![VICTIM.into()];
        options
    })
    .await;
    let _said = system.operator().import(folder).await.expect_success();
    system.ready().await;
    for key in KEYS {
        std::fs::copy(system.data().keys().join(key), keys.join(key)).unwrap();
    }
    let position = tables::position(&system, VICTIM).await.unwrap();
    (hashes(&system, VICTIM).await, usize::try_from(position - FIRST).unwrap() + 1)
}

/// A system under keys that are there already, so that equal rows are equal bytes.
fn with_keys(options: SystemOptions, keys: &Path) -> SystemOptions {
    let folder: PathBuf = Data::new(&options.data).keys();
    std::fs::create_dir_all(&folder).unwrap();
    for key in KEYS {
        std::fs::copy(keys.join(key), folder.join(key)).unwrap();
    }
    options
}

/// Each table's hash. The stream's life and clock differ between systems, and how many probes were sent; the checkpoint and
/// the counts hold them and nothing else.
async fn hashes(system: &System, replica: &str) -> BTreeMap<String, String> {
    let tables = tables::read(system, replica).await.unwrap();
    let hashes = tables.hashes().into_iter().map(|(name, hash)| (name.to_owned(), hash));
    hashes.filter(|(name, _)| !["checkpoint", "event_counts"].contains(&name.as_str())).collect()
}

fn start(system: &Private, folder: &Path) -> Child {
    system.operator().command("importer", [folder]).spawn().unwrap()
}

/// Waits for a point of the import; one that ended badly, or was killed, is started again.
async fn reached(system: &Private, importer: &mut Child, folder: &Path, point: Point) -> (usize, usize) {
    eventually(&format!("the import comes to {point:?}"), within(120), async || {
        if importer.try_wait().unwrap().is_some_and(|ended| !matches!(ended.code(), Some(0 | 3))) {
            *importer = start(system, folder);
        }
        let state = tokio::time::timeout(Duration::from_secs(5), state(system)).await;
        let (events, steps) = state.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
        let reached = match point {
            Point::Events(number) => events >= number,
            Point::Steps(number) => steps >= number,
        };
        if reached { Ok((events, steps)) } else { Err(format!("{events} events, {steps} steps")) }
    })
    .await
}

#[allow(clippy::print_stdout, reason = "shown by the test harness when the test fails")]
fn tell(line: &str) {
    println!("{line}");
}

/// Events applied and steps of the closing made; all of them once it is closed.
async fn state(system: &Private) -> sqlx::Result<(usize, usize)> {
    let mut connection = tables::connect(system, VICTIM).await?;
    let row = sqlx::query(
        "select position, step, exists (select from catalogue where closed is not null) as closed from checkpoint",
    )
    .fetch_one(&mut connection)
    .await?;
    let closed: bool = row.try_get("closed")?;
    let steps = if closed { STEPS } else { row.try_get::<i32, _>("step")?.count_ones() as usize };
    Ok((usize::try_from(row.try_get::<i64, _>("position")? - FIRST + 1).unwrap_or_default(), steps))
}
