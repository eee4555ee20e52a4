//! A system that was filled once, and each damage's copy of it.

use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use contract::Position;
use futures::future::join_all;
use sqlx::{Connection, PgConnection, Row};
use stream::Inspection;
use tests::{eventually, tables, within};

use super::harm::{Harm, Kind};
use super::verdict::Sight;
use crate::arena::Arena;
use crate::checkers::{self, Evidence};
use crate::drive::Plan;
use crate::leavings;
use crate::log::{Logged, Reading, settings};
use crate::row::Stop;
use crate::rows::damage::{fill, recreate, refill};
use crate::{replica, store};

/// How long a projector may take to say something about a stream.
const DECIDES: Duration = Duration::from_secs(20);
/// Longer than the pause between two looks of a projector at the whole stream.
const LOOKS: Duration = Duration::from_millis(1_300);
/// Events read at once.
const READ: usize = 64;
/// What a projector says, or what is said when it ends, because it does not take the stream.
const REFUSALS: [&str; 4] =
    ["Nothing is applied", "has no stream ATELIER", "differs from what is needed", "is not well"];
/// How long nats-server may take to be well; with damaged settings of the stream it never is.
const WELL: Duration = Duration::from_secs(3);

pub(super) struct Prepared {
    arena: Arena,
    store: PathBuf,
    log: Vec<Logged>,
    /// What replicas remember.
    remembered: Vec<(String, i64)>,
}

impl Prepared {
    /// Fills a system, and stops all of it but the databases.
    pub(super) async fn prepare(mut arena: Arena) -> Result<Prepared, Stop> {
        let drive = arena.drive(Plan::USUAL);
        drive.more(150, within(60)).await;
        drive.stop().await;
        fill(&arena, 2, 100).await?;
        arena.system.ready().await;
        let mut hold = tables::connect(&arena.system, "b").await.map_err(failed)?;
        sqlx::raw_sql("begin; lock table checkpoint in share mode")
            .execute(&mut hold)
            .await
            .map_err(failed)?;
        fill(&arena, 3, 250).await?;
        let head = Reading::open(&arena.system).await?.head().await?;
        eventually("replica b remembers the head", within(30), async || {
            let heard = heard(&arena, "b").await.map_err(|error| error.to_string())?;
            if heard >= head { Ok(()) } else { Err(format!("it remembers {heard}")) }
        })
        .await;
        arena.system.process("projector-b").stop().await;
        hold.close().await.map_err(failed)?;
        let drive = arena.drive_named("e", Plan::USUAL);
        drive.more(60, within(60)).await;
        drive.stop().await;
        fill(&arena, 3, 250).await?;
        let head = Reading::open(&arena.system).await?.head().await?;
        eventually("replica a has applied everything", within(30), async || {
            let position = tables::position(&arena.system, "a").await?;
            if position == head { Ok(()) } else { Err(format!("it stands at {position} of {head}")) }
        })
        .await;
        let log = arena.log().await?;
        for name in ["nginx", "writer-1", "writer-2", "reader-a", "reader-b", "projector-a", "nats"] {
            arena.system.process(name).stop().await;
        }
        let store = arena.system.data().root().join("prepared");
        leavings::copy(&arena.system.data().nats().join("store"), &store).map_err(failed)?;
        let mut remembered = Vec::new();
        for name in arena.system.replicas() {
            let position = tables::position(&arena.system, name).await?;
            remembered.push((name.clone(), position.max(heard(&arena, name).await.map_err(failed)?)));
            administer(&arena, name, "create database atelier_prepared template atelier").await?;
        }
        Ok(Prepared { arena, store, log, remembered })
    }

    /// Damages a copy, lets the replica's projector look at it, and looks at what came of it; `wiped`: the replica has
    /// forgotten what it heard.
    pub(super) async fn damage(&self, harm: &Harm, name: &str, wiped: bool) -> Result<(Sight, String), Stop> {
        let system = &self.arena.system;
        let (nats, projector) = (system.process("nats"), system.process(&format!("projector-{name}")));
        projector.stop().await;
        nats.stop().await;
        administer(&self.arena, name, "drop database atelier with (force)").await?;
        let restore = "create database atelier template atelier_prepared owner atelier_owner";
        administer(&self.arena, name, restore).await?;
        if wiped {
            let mut connection = tables::connect(system, name).await.map_err(failed)?;
            sqlx::raw_sql("delete from control.heard").execute(&mut connection).await.map_err(failed)?;
            connection.close().await.map_err(failed)?;
        }
        let store = system.data().nats().join("store");
        fs::remove_dir_all(&store).map_err(failed)?;
        leavings::copy(&self.store, &store).map_err(failed)?;
        let place = harm.apply(&store::stream(system)).map_err(failed)?;

        let mut sight = Sight { remembered: self.remembered(name), ..Sight::default() };
        let starting = {
            let nats = nats.clone();
            tokio::spawn(async move { nats.start().await })
        };
        let well = nats.wait_ready(WELL).await.is_ok();
        if well {
            self.go_on(harm).await?;
        }
        let decided = self.decided(name).await;
        starting.abort();
        projector.stop().await;
        self.read_back(&mut sight).await;
        let state = replica::read(system, name).await?;
        let history = self.arena.history.lock();
        let found = [(name.to_owned(), state)];
        sight.wrong = checkers::fold::folds(&Evidence {
            history: &history,
            log: &self.log,
            base: &self.arena.base,
            replicas: &found,
            hashing: &self.arena.hashing,
            tokens: false,
            panics: &[],
        });
        match decided {
            Ok(refused) => sight.refused = refused,
            Err(undecided) => sight.wrong.push(undecided),
        }
        Ok((sight, place))
    }

    fn remembered(&self, name: &str) -> i64 {
        self.remembered.iter().find(|(replica, _)| replica == name).map_or(0, |(_, position)| *position)
    }

    fn head(&self) -> i64 {
        self.log.last().map_or(0, |last| last.position)
    }

    /// What is done to a running server.
    async fn go_on(&self, harm: &Harm) -> Result<(), Stop> {
        match harm.kind {
            Kind::Recreated => {
                let epoch = match harm.other_epoch {
                    true => "recreated234".to_owned(),
                    false => Reading::open(&self.arena.system).await?.link.epoch().to_string(),
                };
                recreate(&self.arena, &epoch).await
            }
            Kind::Refilled => {
                let cut = Reading::open(&self.arena.system).await?.head().await?;
                let most = u64::try_from(self.head() + 20 - cut).unwrap_or_default();
                refill(&self.arena, cut + 1 + Position((most * harm.refill) >> 32).as_i64()).await
            }
            Kind::Flipped | Kind::Cut | Kind::Deleted => Ok(()),
        }
    }

    /// Starts the projector and waits until it has refused the stream, or has looked at all of it and serves.
    async fn decided(&self, name: &str) -> Result<Option<String>, String> {
        let projector = self.arena.system.process(&format!("projector-{name}")).clone();
        let log = projector.log().to_owned();
        let before = fs::read_to_string(&log).unwrap_or_default().len();
        let starting = tokio::spawn(async move { projector.start().await });
        let started = Instant::now();
        let mut passed: Option<Instant> = None;
        let refused = loop {
            let text = fs::read_to_string(&log).unwrap_or_default();
            let text = text.get(before..).unwrap_or_default();
            let refusal = text.lines().find(|line| REFUSALS.iter().any(|words| line.contains(words)));
            if let Some(line) = refusal {
                let from = line.find("\"error\":").unwrap_or(0);
                break Some(line[from..].to_owned());
            }
            let serves = text.contains("\"to\":\"serving\"");
            if serves && text.contains("everything up to here can be read") {
                // Meanwhile nats-server may have learnt what it lacks.
                if passed.get_or_insert_with(Instant::now).elapsed() > LOOKS {
                    break None;
                }
            }
            if started.elapsed() > DECIDES {
                let last: Vec<&str> = text.lines().rev().take(3).collect();
                starting.abort();
                return Err(format!("projector {name} did not decide: {last:?}"));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        starting.abort();
        Ok(refused)
    }

    /// Which events cannot be read as they were.
    async fn read_back(&self, sight: &mut Sight) {
        let looked = async {
            let inspection = Inspection::open(&settings(&self.arena.system), "the fault suite").await.ok()?;
            let description = inspection.describe().await.ok()?;
            inspection.link(&description)
        };
        let Some(link) = looked.await else {
            sight.replaced = true;
            sight.damaged = self.log.iter().map(|logged| logged.position).collect();
            return;
        };
        for some in self.log.chunks(READ) {
            let read = some.iter().map(async |logged| {
                let read = link.read(Position::from_i64(logged.position)).await;
                let same = read.is_ok_and(|event| event.hash()[..] == logged.hash[..]);
                (!same).then_some(logged.position)
            });
            sight.damaged.extend(join_all(read).await.into_iter().flatten());
        }
    }
}

impl fmt::Display for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.log.first().map_or(0, |first| first.position);
        write!(f, "prepared: events {first} to {}", self.head())?;
        for (name, position) in &self.remembered {
            write!(f, "; {name} remembers {position}")?;
        }
        Ok(())
    }
}

/// The last event that a replica saw without having applied it.
async fn heard(arena: &Arena, name: &str) -> sqlx::Result<i64> {
    let mut connection = tables::connect(&arena.system, name).await?;
    let row = sqlx::query("select coalesce(max(position), 0) from control.heard")
        .fetch_one(&mut connection)
        .await?;
    connection.close().await?;
    row.try_get(0)
}

/// Runs a statement beside the replica's database.
async fn administer(arena: &Arena, name: &str, statement: &'static str) -> Result<(), Stop> {
    let url = arena.system.postgres_url(name)?;
    let url = url.strip_suffix("/atelier").map(|server| format!("{server}/postgres")).unwrap_or(url);
    let run = async {
        let mut connection = PgConnection::connect(&url).await?;
        sqlx::raw_sql(statement).execute(&mut connection).await?;
        connection.close().await
    };
    run.await.map_err(|error: sqlx::Error| Stop::from(format!("{statement}: {error}")))
}

fn failed(error: impl fmt::Display) -> Stop {
    Stop::from(error.to_string())
}
