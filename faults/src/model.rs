//! An independent small model of what a replica holds: written from the design, not from the projection's code, and
//! folded in memory, one event at a time.
//!
//! The catalogue is its base, read from a replica right after the import; everything behind that is folded here. Keys
//! that are over a day old are not modelled: no run lasts that long.

mod compare;
mod fold;

use std::collections::{BTreeMap, BTreeSet};

/// What a replica holds, or should hold, at one position.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    /// The checkpoint.
    pub(crate) position: i64,
    /// The hash of the event there.
    pub(crate) event_hash: Vec<u8>,
    /// The stream clock, in milliseconds since 1970.
    pub(crate) clock: i64,
    /// Ids of products; none is made after the import.
    pub(crate) products: BTreeSet<i64>,
    /// Ids of skus; none is made after the import.
    pub(crate) skus: BTreeSet<i64>,
    /// By id.
    pub(crate) reviews: BTreeMap<i64, Review>,
    /// By id: the review or answer that it belongs to, and its address.
    pub(crate) review_photos: BTreeMap<i64, (i64, String)>,
    /// By id: characteristic, review, value.
    pub(crate) ratings: BTreeMap<i64, (i64, i64, i64)>,
    /// By product: reviews that are not reported with 1, 2, 3, 4, 5 stars, those that recommend, those that do not.
    pub(crate) review_totals: BTreeMap<i64, [i64; 7]>,
    /// By product and characteristic: how many ratings, and their sum.
    pub(crate) characteristic_totals: BTreeMap<(i64, i64), (i64, i64)>,
    /// By id.
    pub(crate) questions: BTreeMap<i64, Post>,
    /// By id.
    pub(crate) answers: BTreeMap<i64, Post>,
    /// By id: the answer that it belongs to, and its address.
    pub(crate) answer_photos: BTreeMap<i64, (i64, String)>,
    /// By session and sku: how many pieces, and where the line came from first.
    pub(crate) cart: BTreeMap<(String, i64), (i64, i64)>,
    /// By id: element, widget, time in the front end's words, when it was made.
    pub(crate) interactions: BTreeMap<i64, (String, String, String, i64)>,
    /// By position: the event's type and the reason.
    pub(crate) rejections: BTreeMap<i64, (String, String)>,
    /// By key.
    pub(crate) keys: BTreeMap<String, Holder>,
}

/// A review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Review {
    pub(crate) product: i64,
    pub(crate) rating: i64,
    /// In milliseconds since 1970.
    pub(crate) date: i64,
    pub(crate) summary: String,
    pub(crate) body: String,
    pub(crate) recommend: bool,
    pub(crate) reported: bool,
    pub(crate) name: String,
    /// Sealed.
    pub(crate) email: Option<String>,
    pub(crate) helpfulness: i64,
}

/// A question or an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Post {
    /// A question's product, an answer's question.
    pub(crate) of: i64,
    pub(crate) body: String,
    /// In milliseconds since 1970.
    pub(crate) date: i64,
    pub(crate) name: String,
    /// Sealed.
    pub(crate) email: Option<String>,
    pub(crate) reported: bool,
    pub(crate) helpfulness: i64,
}

/// Who holds an `Idempotency-Key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    pub(crate) position: i64,
    pub(crate) body: String,
    /// `applied`, or the reason of a rejection.
    pub(crate) outcome: String,
    pub(crate) clock: i64,
}

#[cfg(test)]
mod tests;
