//! Checks in an order, each on the grounds of earlier ones: what depends on a check that failed is skipped.

use std::time::Duration;

use serde::Serialize;

/// How long one check may take.
const PATIENCE: Duration = Duration::from_secs(8);

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// As it should be.
    Pass,
    /// It works, and somebody should look at it soon.
    Warn,
    /// It does not work, or a promise does not hold.
    Fail,
    /// Not looked at: a check that it depends on failed, or it cannot be known from here.
    Skipped,
}

impl Outcome {
    /// The word for people.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Outcome::Pass => "pass",
            Outcome::Warn => "warn",
            Outcome::Fail => "fail",
            Outcome::Skipped => "skipped",
        }
    }
}

/// One check, done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Check {
    /// As in `stream.settings` or `replica.a.indexes`.
    pub(crate) name: String,
    pub(crate) outcome: Outcome,
    /// What was found, or why it was skipped.
    pub(crate) found: String,
    /// The command that mends it, of a warning or a failure.
    pub(crate) mend: Option<String>,
    /// The check because of which it was skipped.
    pub(crate) because: Option<String>,
}

/// What a check found, and what later checks need of it.
pub(crate) struct Finding<T = ()> {
    outcome: Outcome,
    found: String,
    mend: Option<String>,
    grounds: Option<T>,
}

impl Finding<()> {
    /// As it should be.
    pub(crate) fn pass(found: impl Into<String>) -> Finding {
        Finding::known((), found)
    }
}

impl<T> Finding<T> {
    /// As it should be, with grounds for later checks.
    pub(crate) fn known(grounds: T, found: impl Into<String>) -> Finding<T> {
        Finding { outcome: Outcome::Pass, found: found.into(), mend: None, grounds: Some(grounds) }
    }

    /// Somebody should look at it soon; later checks have what they need.
    pub(crate) fn warn(grounds: T, found: impl Into<String>, mend: impl Into<String>) -> Finding<T> {
        Finding { outcome: Outcome::Warn, mend: Some(mend.into()), ..Finding::known(grounds, found) }
    }

    /// It does not work.
    pub(crate) fn fail(found: impl Into<String>, mend: impl Into<String>) -> Finding<T> {
        let (found, mend) = (found.into(), Some(mend.into()));
        Finding { outcome: Outcome::Fail, found, mend, grounds: None }
    }

    /// It cannot be known from here.
    pub(crate) fn unknown(found: impl Into<String>) -> Finding<T> {
        Finding { outcome: Outcome::Skipped, found: found.into(), mend: None, grounds: None }
    }
}

/// The checks that were done so far, in their order.
pub(crate) struct Examination {
    checks: Vec<Check>,
    patience: Duration,
}

impl Default for Examination {
    fn default() -> Examination {
        Examination { checks: Vec::new(), patience: PATIENCE }
    }
}

impl Examination {
    /// Does a check, unless one that it `needs` did not hold. `grounds` is what those have found; the check gives its own
    /// to later ones.
    pub(crate) async fn check<G, T>(
        &mut self,
        name: impl Into<String>,
        needs: &[&str],
        grounds: Option<G>,
        look: impl AsyncFnOnce(G) -> Finding<T>,
    ) -> Option<T> {
        let name = name.into();
        let because = needs.iter().find(|need| !self.holds(need));
        let finding = match (because, grounds) {
            (None, Some(grounds)) => {
                let looked = tokio::time::timeout(self.patience, look(grounds)).await;
                looked.unwrap_or_else(|_| {
                    Finding::fail(
                        format!("no answer within {} s", self.patience.as_secs()),
                        "see whether the machine is overloaded, then run `projector doctor` again",
                    )
                })
            }
            (Some(because), _) => Finding::unknown(format!("needs {because}")),
            (None, None) => Finding::unknown("what it needs is not known"),
        };
        self.checks.push(Check {
            name,
            outcome: finding.outcome,
            found: finding.found,
            mend: finding.mend,
            because: because.map(|because| (*because).to_owned()),
        });
        finding.grounds
    }

    /// All checks.
    pub(crate) fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// How many checks ended so.
    pub(crate) fn count(&self, outcome: Outcome) -> usize {
        self.checks.iter().filter(|check| check.outcome == outcome).count()
    }

    /// A warning holds: what it warns of still works.
    fn holds(&self, name: &str) -> bool {
        let check = self.checks.iter().find(|check| check.name == name);
        let check = check.unwrap_or_else(|| panic!("{name} is checked before what needs it"));
        matches!(check.outcome, Outcome::Pass | Outcome::Warn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_depends_on_a_failed_check_is_skipped_and_names_it_and_the_rest_is_done() {
        let mut examination = Examination::default();
        let one = examination.check("a", &[], Some(()), async |()| Finding::known(1, "one")).await;
        let two = examination
            .check("a.b", &["a"], one, async |one| -> Finding<i32> {
                Finding::fail(format!("not {one}"), "mend it")
            })
            .await;
        let three =
            examination.check("a.b.c", &["a", "a.b"], two, async |two| Finding::known(two, "three")).await;
        let _four = examination.check("a.b.c.d", &["a.b.c"], three, async |_| Finding::pass("four")).await;
        let five = examination
            .check("e", &["a"], one, async |one| Finding::warn(one + 4, "five", "look at it"))
            .await;
        let six = examination.check("f", &["e"], five, async |five| Finding::known(five + 1, "six")).await;
        assert_eq!(six, Some(6), "a warning holds");

        let told: Vec<_> = examination
            .checks()
            .iter()
            .map(|check| {
                (check.name.as_str(), check.outcome, check.because.as_deref(), check.mend.as_deref())
            })
            .collect();
        assert_eq!(
            told,
            [
                ("a", Outcome::Pass, None, None),
                ("a.b", Outcome::Fail, None, Some("mend it")),
                ("a.b.c", Outcome::Skipped, Some("a.b"), None),
                ("a.b.c.d", Outcome::Skipped, Some("a.b.c"), None),
                ("e", Outcome::Warn, None, Some("look at it")),
                ("f", Outcome::Pass, None, None),
            ]
        );
        assert_eq!(examination.count(Outcome::Skipped), 2);
    }

    #[tokio::test]
    async fn a_check_that_does_not_end_fails() {
        let mut examination = Examination { patience: Duration::from_millis(1), ..Examination::default() };
        let never = examination
            .check("a", &[], Some(()), async |()| {
                std::future::pending::<()>().await;
                Finding::pass("")
            })
            .await;
        assert_eq!((never, examination.count(Outcome::Fail)), (None, 1));
    }
}
