//! A snapshot in a folder was damaged, cut, or lost a part: it is refused before anything is touched.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use futures::FutureExt;
use sqlx::Row as _;
use tests::{Said, tables, within};

use crate::arena::Arena;
use crate::drive::Plan;
use crate::row::{Row, Seen, Setup, Stop};
use crate::store;

pub(crate) const ROWS: [Row; 1] = [Row {
    number: 29,
    title: "a snapshot's file is corrupted, cut or lost: refused by its checksum, the old generation serves on",
    quick: false,
    setup: Setup::USUAL,
    run: |arena| damaged(arena).boxed_local(),
}];

async fn damaged(arena: &mut Arena) -> Result<Seen, Stop> {
    let drive = arena.drive(Plan::USUAL);
    drive.more(60, within(60)).await;
    let place = arena.system.place("snapshot");
    let taken = verb(arena, &["snapshot", "--replica", "a", "--out", &place.display().to_string()]).await;
    if taken.code != Some(0) {
        return Err(Stop::from(format!("no snapshot was taken: {taken:?}")));
    }
    let files = files(&place)?;
    let rounds = arena.rounds(6, 20);
    for round in 0..rounds {
        let file = &files[arena.random.below(files.len())];
        let name = file.strip_prefix(&place).unwrap_or(file).display().to_string();
        let harm = |error| Stop::from(format!("{name} cannot be harmed: {error}"));
        let whole = fs::read(file).map_err(harm)?;
        match round % 3 {
            _ if whole.is_empty() => fs::write(file, "1\n"),
            0 => store::flip(file, arena.random.below(whole.len()) as u64),
            1 => store::cut(file, 1 + arena.random.below(whole.len()) as u64),
            _ => fs::remove_file(file),
        }
        .map_err(harm)?;
        let said = restore(arena, &place).await;
        if said.code == Some(0) || !said.error.contains(&place.display().to_string()) {
            return Err(Stop::from(format!("with {name} harmed, a restore said {said:?}")));
        }
        untouched(arena).await?;
        fs::write(file, whole).map_err(harm)?;
        drive.more(10, within(60)).await;
    }
    let began = Instant::now();
    let said = restore(arena, &place).await;
    if said.code != Some(0) {
        return Err(Stop::from(format!("the whole snapshot was not restored: {said:?}")));
    }
    let restored = began.elapsed();
    drive.more(30, within(60)).await;
    drive.stop().await;
    let note = format!(
        "{rounds} damages over {} files, each refused; the whole one was restored under load within {:.1} s",
        files.len(),
        restored.as_secs_f64()
    );
    arena.judge(Seen::default().note(note)).await
}

async fn restore(arena: &Arena, place: &Path) -> Said {
    verb(arena, &["restore", "--replica", "b", "--from", &place.display().to_string()]).await
}

async fn verb(arena: &Arena, arguments: &[&str]) -> Said {
    arena.system.operator().run("projector", arguments).await
}

/// All files of a snapshot.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Stop> {
    let mut found = Vec::new();
    let failed =
        |error: std::io::Error| Stop::from(format!("{} cannot be listed: {error}", folder.display()));
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        match path.is_dir() {
            true => found.extend(files(&path)?),
            false => found.push(path),
        }
    }
    found.sort();
    Ok(found)
}

/// No generation was begun beside the one that serves.
async fn untouched(arena: &Arena) -> Result<(), Stop> {
    let asked = async {
        let mut connection = tables::connect(&arena.system, "b").await?;
        let statement = "select count(*) from control.generations where schema <> 'live'";
        sqlx::query(statement).fetch_one(&mut connection).await?.try_get::<i64, _>(0)
    };
    match asked.await {
        Ok(0) => Ok(()),
        other => Err(Stop::from(format!("beside what serves there is more than nothing: {other:?}"))),
    }
}
