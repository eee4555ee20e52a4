//! What a recovery would do, from what is known of the replicas and of the stream: pure.

use contract::{Epoch, PROJECTION_VERSION, Position};
use replica::Checkpoint;

/// Positions that are left out between the lives of a stream: ids that were told to shoppers and lost are not given again.
pub(crate) const LEFT_OUT: u64 = 1_000_000;

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// Nothing is wrong.
    #[error(
        "the stream is whole, as far as nats-server and the replicas know, and every replica follows it: there is nothing to \
         recover. `projector verify` reads all of it"
    )]
    Well,
    /// A replica may hold the most, and says nothing.
    #[error(
        "replica {name} does not say where it stands ({why}), and may hold what no other one does: start its Postgres; or \
         leave it out by --without {name}, and what it alone holds is lost"
    )]
    Silent {
        /// The replica.
        name: String,
        /// What was tried.
        why: String,
    },
    /// Nobody is left.
    #[error("no replica is left that could be the base")]
    Nobody,
    /// The one that was asked for is not among those that answer.
    #[error("replica {name} cannot be the base: it is left out, or not in the configuration")]
    NoSuchBase {
        /// The replica.
        name: String,
    },
    /// There are several histories.
    #[error("{}. Both cannot be kept: name the one that goes on by --base NAME; what the others alone hold is lost", .0.join("; "))]
    Histories(
        /// Each as a sentence part.
        Vec<String>,
    ),
    /// Half a catalogue is no base.
    #[error(
        "replica {name}, which would be the base, holds half a catalogue, and no shopper's event comes before its end: empty \
         the system and import it anew"
    )]
    Imports {
        /// The replica.
        name: String,
    },
    /// This binary cannot read it.
    #[error(
        "replica {name}, which would be the base, was written by projection version {found}, and this binary has {ours}: use \
         the projector of version {found}"
    )]
    Version {
        /// The replica.
        name: String,
        /// In its checkpoint.
        found: i32,
        /// This binary's.
        ours: i32,
    },
}

/// What is known of a replica.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) name: String,
    /// Or why it does not say.
    pub(crate) checkpoint: Result<Checkpoint, String>,
    /// The highest position that it knows of: its own, or one that it has seen in the stream.
    pub(crate) knows: Position,
    /// The stream that is there holds what it remembers.
    pub(crate) fits: bool,
}

/// What is known of everything.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    pub(crate) replicas: Vec<Standing>,
    /// The stream's last position; none without a stream.
    pub(crate) last: Option<Position>,
    /// The first position that it was made with.
    pub(crate) first: Position,
    /// Something is wrong with it that its server knows, or that a projector has found.
    pub(crate) damage: Vec<String>,
}

/// What an operator decides.
#[derive(Clone, Debug, Default)]
pub(crate) struct Choices {
    pub(crate) base: Option<String>,
    pub(crate) without: Vec<String>,
}

/// What is to become of a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Part {
    /// Everything goes on from what it holds.
    Base,
    /// It stands where the base does, behind the same event.
    Adopts,
    /// It is made from the base.
    Cloned,
    /// It is left as it is.
    LeftOut,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) base: String,
    /// The life that ends.
    pub(crate) previous: Epoch,
    /// Where the base stands.
    pub(crate) position: Position,
    /// The new stream's first position, if no more is applied before.
    pub(crate) first: Position,
    /// In the order of the configuration.
    pub(crate) parts: Vec<(String, Part)>,
    /// Events that the stream still has behind the base, and that fit to it: they are applied before.
    pub(crate) behind: u64,
    /// What is lost with replicas that are not the base, for people.
    pub(crate) lost: Vec<String>,
}

/// Decides.
///
/// # Errors
/// Why nothing is to be done, or what an operator must decide first.
pub(crate) fn plan(scene: &Scene, choices: &Choices) -> Result<Plan, Refusal> {
    let mut standing = Vec::new();
    for Standing { name, checkpoint, .. } in &scene.replicas {
        match checkpoint {
            _ if choices.without.contains(name) => {}
            Ok(checkpoint) => standing.push((name.as_str(), checkpoint)),
            Err(why) => return Err(Refusal::Silent { name: name.clone(), why: why.clone() }),
        }
    }
    let fits = |name: &str| scene.replicas.iter().any(|replica| replica.name == name && replica.fits);
    // The first of those that stand the highest.
    let highest = standing.iter().rev().max_by_key(|(_, checkpoint)| checkpoint.position);
    let highest = *highest.ok_or(Refusal::Nobody)?;
    if scene.damage.is_empty() && scene.last.is_some() && standing.iter().all(|(name, _)| fits(name)) {
        return Err(Refusal::Well);
    }
    let (base, at) = match &choices.base {
        Some(name) => *standing
            .iter()
            .find(|(known, _)| known == name)
            .ok_or_else(|| Refusal::NoSuchBase { name: name.clone() })?,
        None => highest,
    };
    let lost = histories(scene, (base, at), &standing);
    if choices.base.is_none() && !lost.is_empty() {
        return Err(Refusal::Histories(lost));
    }
    if at.version != PROJECTION_VERSION {
        return Err(Refusal::Version { name: base.to_owned(), found: at.version, ours: PROJECTION_VERSION });
    }
    if at.importing || at.step != 0 {
        return Err(Refusal::Imports { name: base.to_owned() });
    }
    let known = scene.replicas.iter().map(|replica| replica.knows).chain(scene.last).max();
    let part = |replica: &Standing| match &replica.checkpoint {
        _ if replica.name == base => Part::Base,
        _ if choices.without.contains(&replica.name) => Part::LeftOut,
        Ok(checkpoint) if same(checkpoint, at) => Part::Adopts,
        _ => Part::Cloned,
    };
    let behind = scene.last.filter(|_| fits(base)).map_or(0, |last| last.0.saturating_sub(at.position.0));
    Ok(Plan {
        base: base.to_owned(),
        previous: at.epoch.clone(),
        position: at.position,
        first: Position(known.unwrap_or(at.position).0 + LEFT_OUT),
        parts: scene.replicas.iter().map(|replica| (replica.name.clone(), part(replica))).collect(),
        behind,
        lost,
    })
}

/// Whether two replicas hold the same.
pub(crate) fn same(one: &Checkpoint, other: &Checkpoint) -> bool {
    (&one.epoch, one.position, &one.event_hash, one.version)
        == (&other.epoch, other.position, &other.event_hash, other.version)
}

/// What other replicas may have applied that the base has not.
fn histories(
    scene: &Scene,
    (base, at): (&str, &Checkpoint),
    standing: &[(&str, &Checkpoint)],
) -> Vec<String> {
    let fits = |name: &str| scene.replicas.iter().any(|replica| replica.name == name && replica.fits);
    let others = standing.iter().filter(|(name, other)| *name != base && !same(other, at));
    let others = others.filter(|(_, other)| other.position >= Position::FIRST);
    let told = others.filter_map(|(name, other)| {
        let (theirs, ours) = (other.position, at.position);
        if other.epoch != at.epoch {
            return Some(format!(
                "replica {name} stands at {theirs} of epoch {}, and replica {base} at {ours} of epoch {}",
                other.epoch, at.epoch
            ));
        }
        if theirs > ours {
            return Some(format!("replica {name} stands at {theirs}, beyond replica {base} at {ours}"));
        }
        if theirs == ours && other.event_hash != at.event_hash {
            return Some(format!(
                "replicas {name} and {base} stand at {theirs} behind different events"
            ));
        }
        // It may have gone on with what was written since.
        let followed = fits(name) && !fits(base) && theirs >= scene.first && theirs < ours;
        followed.then(|| {
            format!(
                "replica {name}, at {theirs}, follows the stream as it is, and replica {base}, at {ours}, does not: what was \
                 written since the damage may be in one alone"
            )
        })
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "abcdefgh2345";

    fn checkpoint(position: u64, event: u8) -> Checkpoint {
        Checkpoint {
            position: Position(Position::FIRST.0 + position),
            epoch: ONE.parse().unwrap(),
            event_hash: vec![event],
            fence: 1,
            step: 0,
            clock: None,
            version: PROJECTION_VERSION,
            importing: false,
        }
    }

    fn standing(name: &str, checkpoint: Checkpoint, fits: bool) -> Standing {
        Standing { name: name.into(), knows: checkpoint.position, checkpoint: Ok(checkpoint), fits }
    }

    /// A stream that ends there, too early for whom it does not fit.
    fn scene(replicas: Vec<Standing>, last: u64) -> Scene {
        let last = Some(Position(Position::FIRST.0 + last));
        Scene { replicas, last, first: Position::FIRST, damage: vec![] }
    }

    fn parts(plan: &Plan) -> Vec<Part> {
        plan.parts.iter().map(|(_, part)| *part).collect()
    }

    #[test]
    fn the_most_advanced_is_the_base_equals_adopt_and_the_rest_is_cloned() {
        let mut scene = scene(
            vec![
                standing("a", checkpoint(7, 7), false),
                standing("b", checkpoint(9, 9), false),
                standing("c", checkpoint(9, 9), false),
            ],
            5,
        );
        let made = plan(&scene, &Choices::default()).unwrap();
        assert_eq!((made.base.as_str(), made.position.0), ("b", Position::FIRST.0 + 9));
        assert_eq!(parts(&made), [Part::Cloned, Part::Base, Part::Adopts]);
        assert_eq!(made.first.0, Position::FIRST.0 + 9 + LEFT_OUT);
        assert_eq!((made.behind, made.lost.len()), (0, 0));
        // What was only heard of counts for the ids that are left out.
        scene.replicas[0].knows = Position(Position::FIRST.0 + 20);
        assert_eq!(plan(&scene, &Choices::default()).unwrap().first.0, Position::FIRST.0 + 20 + LEFT_OUT);
        scene.last = Some(Position(Position::FIRST.0 + 30));
        assert_eq!(plan(&scene, &Choices::default()).unwrap().first.0, Position::FIRST.0 + 30 + LEFT_OUT);
        scene.last = None;
        assert_eq!(plan(&scene, &Choices::default()).unwrap().base, "b");
    }

    #[test]
    fn a_stream_that_everybody_follows_is_left_alone_unless_a_projector_has_found_a_damage() {
        let mut scene = scene(vec![standing("a", checkpoint(7, 7), true)], 9);
        assert_eq!(plan(&scene, &Choices::default()).unwrap_err(), Refusal::Well);
        scene.damage = vec!["event 1000000003 cannot be read".into()];
        let made = plan(&scene, &Choices::default()).unwrap();
        assert_eq!(made.behind, 2, "what the stream has behind it is applied first");
    }

    #[test]
    fn what_could_be_lost_is_an_operator_s_choice() {
        let choose = |base: &str| Choices { base: Some(base.into()), ..Choices::default() };
        // b went on with a stream that was cut, and was written to since.
        let cut =
            scene(vec![standing("a", checkpoint(9, 9), false), standing("b", checkpoint(7, 70), true)], 7);
        let refusal = plan(&cut, &Choices::default()).unwrap_err();
        assert!(refusal.to_string().contains("--base NAME"), "{refusal}");
        let made = plan(&cut, &choose("a")).unwrap();
        assert_eq!((parts(&made), made.lost.len()), (vec![Part::Base, Part::Cloned], 1));
        let made = plan(&cut, &choose("b")).unwrap();
        assert_eq!((parts(&made), made.lost.len()), (vec![Part::Cloned, Part::Base], 1));

        let fork =
            scene(vec![standing("a", checkpoint(9, 9), false), standing("b", checkpoint(9, 90), false)], 7);
        assert!(matches!(plan(&fork, &Choices::default()), Err(Refusal::Histories(_))));
        let mut lives = fork.clone();
        lives.replicas[1].checkpoint =
            Ok(Checkpoint { epoch: "zzzzzzzz2345".parse().unwrap(), ..checkpoint(3, 3) });
        assert!(matches!(plan(&lives, &Choices::default()), Err(Refusal::Histories(_))));
        // One that has applied nothing has nothing to lose.
        lives.replicas[1].checkpoint = Ok(Checkpoint {
            position: Position::BEFORE_FIRST,
            epoch: "zzzzzzzz2345".parse().unwrap(),
            ..checkpoint(0, 0)
        });
        assert_eq!(parts(&plan(&lives, &Choices::default()).unwrap()), [Part::Base, Part::Cloned]);
        assert!(matches!(plan(&lives, &choose("x")), Err(Refusal::NoSuchBase { .. })));
    }

    #[test]
    fn a_replica_that_does_not_answer_must_be_left_out_by_name() {
        let mut scene =
            scene(vec![standing("a", checkpoint(7, 7), false), standing("b", checkpoint(9, 9), false)], 5);
        scene.replicas[1].checkpoint = Err("no answer".into());
        let refusal = plan(&scene, &Choices::default()).unwrap_err();
        assert!(refusal.to_string().contains("--without b"), "{refusal}");
        let without = |name: &str| Choices { without: vec![name.into()], ..Choices::default() };
        let made = plan(&scene, &without("b")).unwrap();
        assert_eq!(parts(&made), [Part::Base, Part::LeftOut]);
        let both = Choices { without: vec!["a".into(), "b".into()], ..Choices::default() };
        assert_eq!(plan(&scene, &both).unwrap_err(), Refusal::Nobody);
    }

    #[test]
    fn a_base_is_of_our_version_and_complete() {
        let of = |checkpoint| plan(&scene(vec![standing("a", checkpoint, false)], 1), &Choices::default());
        let importing = Checkpoint { importing: true, ..checkpoint(9, 9) };
        assert!(matches!(of(importing), Err(Refusal::Imports { .. })));
        let other = Checkpoint { version: PROJECTION_VERSION + 1, ..checkpoint(9, 9) };
        assert!(matches!(of(other), Err(Refusal::Version { .. })));
    }
}
