//! What an operator is told: the plan, and what came of it.

use std::path::Path;

use serde::Serialize;

use super::decision::Decision;
use super::plan::{Part, Plan, Scene};
use super::save::Saved;
use super::{Error, Options};

/// Schema version 1. Fields are added within one; docs/operating.md tells them.
#[derive(Serialize)]
struct PlanLine<'a> {
    schema_version: u32,
    kind: &'static str,
    damage: &'a [String],
    previous: &'a str,
    base: &'a str,
    position: u64,
    first: u64,
    /// Events of the old stream that are applied before.
    behind: u64,
    replicas: Vec<ReplicaLine<'a>>,
    lost: &'a [String],
    out: &'a Path,
    yes: bool,
}

#[derive(Serialize)]
struct ReplicaLine<'a> {
    name: &'a str,
    part: Part,
    position: Option<u64>,
}

#[derive(Serialize)]
struct DoneLine<'a> {
    schema_version: u32,
    kind: &'static str,
    previous: &'a str,
    epoch: &'a str,
    base: &'a str,
    position: u64,
    first: u64,
    audit_hash: &'a str,
    snapshot: &'a str,
    cloned: &'a [String],
    out: &'a Path,
}

/// What would be done.
pub(super) fn plan(plan: &Plan, scene: &Scene, out: &Path, options: &Options) -> Result<(), Error> {
    let position = |name: &str| {
        let standing = scene.replicas.iter().find(|replica| replica.name == name);
        standing.and_then(|replica| replica.checkpoint.as_ref().ok()).map(|checkpoint| checkpoint.position.0)
    };
    if options.json {
        let line = PlanLine {
            schema_version: 1,
            kind: "plan",
            damage: &scene.damage,
            previous: plan.previous.as_str(),
            base: &plan.base,
            position: plan.position.0,
            first: plan.first.0,
            behind: plan.behind,
            replicas: plan
                .parts
                .iter()
                .map(|(name, part)| ReplicaLine { name, part: *part, position: position(name) })
                .collect(),
            lost: &plan.lost,
            out,
            yes: options.yes,
        };
        println!("{}", serde_json::to_string(&line).expect("a plan is plain data"));
        return Ok(());
    }
    println!(
        "epoch {} of the stream ends, and another one begins with what replica {} holds",
        plan.previous, plan.base
    );
    for damage in &scene.damage {
        println!("  {damage}");
    }
    if let Some(last) = scene.last {
        for replica in scene.replicas.iter().filter(|replica| !replica.fits) {
            println!(
                "  the stream, which ends at {last}, does not hold what replica {} remembers",
                replica.name
            );
        }
    }
    for (name, part) in &plan.parts {
        let at = position(name).map_or("says nothing".to_owned(), |at| format!("stands at {at}"));
        let words = match part {
            Part::Base => "everything goes on from here".to_owned(),
            Part::Adopts => "the same; it goes on as it is".to_owned(),
            Part::Cloned => format!("it is made anew from replica {}", plan.base),
            Part::LeftOut => "it is left out".to_owned(),
        };
        println!("replica {name} {at}: {words}");
    }
    if plan.behind > 0 {
        println!(
            "{} events that the stream still has behind it are applied first, as far as they can be read",
            plan.behind
        );
    }
    for lost in &plan.lost {
        println!("lost: {lost}");
    }
    println!("the new stream begins at {}; ids below that are not given again", plan.first);
    println!("the old stream's files and a snapshot of replica {} are kept in {}", plan.base, out.display());
    println!("shoppers read all the time; what they write is refused until the new stream is open");
    if !options.yes {
        println!("nothing was changed; to do it: projector recover --yes");
    }
    Ok(())
}

/// A recovery that was broken off goes on.
pub(super) fn goes_on(place: &Path, decision: &Decision, options: &Options) -> Result<(), Error> {
    let Decision { epoch, first, decided, opened, replica, .. } = decision;
    if options.json {
        let line = serde_json::json!({
            "schema_version": 1, "kind": "plan", "previous": opened.previous, "epoch": epoch, "base": replica,
            "position": opened.base, "first": first, "decided": decided, "out": place, "yes": options.yes,
        });
        println!("{line}");
        return Ok(());
    }
    println!(
        "a recovery that was decided at {decided} goes on: epoch {epoch}, from what replica {replica} held at {}, begins at \
         {first}; see {}",
        opened.base,
        place.display()
    );
    if !options.yes {
        println!("nothing was changed; to go on: projector recover --yes");
    }
    Ok(())
}

/// What was done.
pub(super) fn done(decision: &Decision, out: &Path, cloned: &[String], options: &Options) {
    let Decision { epoch, first, opened, replica, .. } = decision;
    if options.json {
        let line = DoneLine {
            schema_version: 1,
            kind: "done",
            previous: opened.previous.as_str(),
            epoch: epoch.as_str(),
            base: replica,
            position: opened.base.0,
            first: first.0,
            audit_hash: &opened.audit_hash,
            snapshot: &opened.snapshot,
            cloned,
            out,
        };
        println!("{}", serde_json::to_string(&line).expect("a report is plain data"));
        return;
    }
    println!(
        "the stream lives again: epoch {epoch} from {first} on, with all that replica {replica} held at {} (audit hash {})",
        opened.base, opened.audit_hash
    );
    println!(
        "keep {}: a rebuild from the stream begins with it. Look now: projector status, projector audit",
        opened.snapshot
    );
}

impl Saved {
    /// For people.
    pub(super) fn words(&self) -> String {
        match self {
            Saved::Backup(place, last) => {
                format!("the old stream, up to {last}, is saved in {}", place.display())
            }
            Saved::Files(place) => format!("the old stream's files are saved in {}", place.display()),
            Saved::Nothing => "nothing of the old stream is saved".to_owned(),
        }
    }
}
