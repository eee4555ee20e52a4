//! Where two states differ.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use super::State;

/// Differences told of one table.
const TOLD: usize = 3;

impl State {
    /// Every difference, table by table; the first ones of each are told.
    pub(crate) fn differences(&self, found: &State) -> Vec<String> {
        let mut all = Vec::new();
        if self.position != found.position {
            all.push(format!("position {} is expected and {} found", self.position, found.position));
        }
        if self.clock != found.clock {
            all.push(format!("stream clock {} is expected and {} found", self.clock, found.clock));
        }
        if self.event_hash != found.event_hash {
            all.push(format!("the event hash at {} differs", self.position));
        }
        sets("products", &self.products, &found.products, &mut all);
        sets("skus", &self.skus, &found.skus, &mut all);
        tables("reviews", &self.reviews, &found.reviews, &mut all);
        tables("review_photos", &self.review_photos, &found.review_photos, &mut all);
        tables("characteristic_ratings", &self.ratings, &found.ratings, &mut all);
        tables("review_totals", &self.review_totals, &found.review_totals, &mut all);
        tables("characteristic_totals", &self.characteristic_totals, &found.characteristic_totals, &mut all);
        tables("questions", &self.questions, &found.questions, &mut all);
        tables("answers", &self.answers, &found.answers, &mut all);
        tables("answer_photos", &self.answer_photos, &found.answer_photos, &mut all);
        tables("cart_lines", &self.cart, &found.cart, &mut all);
        tables("interactions", &self.interactions, &found.interactions, &mut all);
        tables("rejections", &self.rejections, &found.rejections, &mut all);
        tables("idempotency_keys", &self.keys, &found.keys, &mut all);
        all
    }
}

fn sets(table: &str, expected: &BTreeSet<i64>, found: &BTreeSet<i64>, all: &mut Vec<String>) {
    let different: Vec<&i64> = expected.symmetric_difference(found).take(TOLD).collect();
    if !different.is_empty() {
        all.push(format!("{table}: only one side has {different:?}"));
    }
}

fn tables<K, V>(table: &str, expected: &BTreeMap<K, V>, found: &BTreeMap<K, V>, all: &mut Vec<String>)
where
    K: Ord + Debug,
    V: PartialEq + Debug,
{
    let keys: BTreeSet<&K> = expected.keys().chain(found.keys()).collect();
    let different: Vec<&K> = keys.into_iter().filter(|key| expected.get(*key) != found.get(*key)).collect();
    for key in different.iter().take(TOLD) {
        all.push(format!(
            "{table} {key:?}: {:?} is expected and {:?} found",
            expected.get(*key),
            found.get(*key)
        ));
    }
    if different.len() > TOLD {
        all.push(format!("{table}: {} more rows differ", different.len() - TOLD));
    }
}
