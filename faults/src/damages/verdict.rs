//! What a damage came to: judged by what can still be read, and by what the replica holds.

use std::collections::BTreeMap;

use super::harm::Kind;

/// What became of one damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    /// The projector refused the stream, and no row is wrong.
    Found,
    /// Every event can be read as it was, and the projector went on.
    Harmless,
    /// Only what the replica had never heard of was damaged.
    Above,
    /// The projector went on with a damaged stream, or a row is wrong.
    Missed,
    /// The projector refused a stream that is as it was.
    Alarm,
}

/// What was seen of one damage.
#[derive(Clone, Debug, Default)]
pub(super) struct Sight {
    /// The highest position that the replica remembered.
    pub(super) remembered: i64,
    /// Positions of events that cannot be read any more, or are others.
    pub(super) damaged: Vec<i64>,
    /// The stream is another one, or is not served at all.
    pub(super) replaced: bool,
    /// What the projector said when it refused.
    pub(super) refused: Option<String>,
    /// Where the replica differs from the fold of the original stream up to its checkpoint.
    pub(super) wrong: Vec<String>,
}

impl Sight {
    pub(super) fn judge(&self) -> Verdict {
        let known = self.replaced || self.damaged.iter().any(|position| *position <= self.remembered);
        match (known, &self.refused) {
            (true, Some(_)) if self.wrong.is_empty() => Verdict::Found,
            (true, _) => Verdict::Missed,
            (false, _) if !self.damaged.is_empty() => Verdict::Above,
            (false, Some(_)) => Verdict::Alarm,
            (false, None) if self.wrong.is_empty() => Verdict::Harmless,
            (false, None) => Verdict::Missed,
        }
    }
}

/// How often each verdict came, by kind.
#[derive(Default)]
pub(super) struct Tally(BTreeMap<(Kind, Verdict), usize>);

impl Tally {
    pub(super) fn add(&mut self, kind: Kind, verdict: Verdict) {
        *self.0.entry((kind, verdict)).or_default() += 1;
    }

    fn of(&self, kind: Option<Kind>, verdict: Option<Verdict>) -> usize {
        let counted = self.0.iter().filter(|((k, v), _)| {
            kind.is_none_or(|kind| kind == *k) && verdict.is_none_or(|verdict| verdict == *v)
        });
        counted.map(|(_, number)| number).sum()
    }

    /// Whether nothing was missed, and nothing refused without a reason.
    pub(super) fn is_clean(&self) -> bool {
        self.of(None, Some(Verdict::Missed)) + self.of(None, Some(Verdict::Alarm)) == 0
    }

    pub(super) fn table(&self) -> String {
        let mut text = format!(
            "{:22} {:>6} {:>6} {:>9} {:>6} {:>7} {:>12}\n",
            "damage", "drawn", "found", "harmless", "above", "MISSED", "false alarm"
        );
        for kind in Kind::ALL.map(Some).into_iter().chain([None]) {
            let of = |verdict| self.of(kind, Some(verdict));
            text += &format!(
                "{:22} {:>6} {:>6} {:>9} {:>6} {:>7} {:>12}\n",
                kind.map_or("all", Kind::word),
                self.of(kind, None),
                of(Verdict::Found),
                of(Verdict::Harmless),
                of(Verdict::Above),
                of(Verdict::Missed),
                of(Verdict::Alarm)
            );
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_verdict_has_its_grounds() {
        let refused = Some("a gap".to_owned());
        let whole = Sight { remembered: 10, ..Sight::default() };
        let known = Sight { damaged: vec![10, 12], ..whole.clone() };
        let above = Sight { damaged: vec![11], ..whole.clone() };
        let wrong = vec!["a row".to_owned()];
        assert_eq!(whole.judge(), Verdict::Harmless);
        assert_eq!(Sight { refused: refused.clone(), ..whole.clone() }.judge(), Verdict::Alarm);
        assert_eq!(Sight { wrong: wrong.clone(), ..whole.clone() }.judge(), Verdict::Missed);
        assert_eq!(Sight { replaced: true, ..whole.clone() }.judge(), Verdict::Missed);
        assert_eq!(Sight { replaced: true, refused: refused.clone(), ..whole }.judge(), Verdict::Found);
        assert_eq!(known.judge(), Verdict::Missed);
        assert_eq!(Sight { refused: refused.clone(), ..known.clone() }.judge(), Verdict::Found);
        assert_eq!(Sight { refused, wrong, ..known }.judge(), Verdict::Missed, "too late");
        assert_eq!(above.judge(), Verdict::Above);
    }
}
