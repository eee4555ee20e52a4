//! The words of the shop. All of it is made up; addresses lie in the domains reserved for examples.

pub(crate) mod people;
pub(crate) mod product;
pub(crate) mod question;
pub(crate) mod review;

use crate::random::Random;

/// A weight with a mean of 1 that is 0 in `none` of a hundred cases and else between a half and one and a half
/// (before the mean is restored).
pub(crate) fn varied(random: &mut Random, none: u64) -> f64 {
    if random.percent(none) {
        return 0.0;
    }
    #[expect(clippy::cast_precision_loss, reason = "below 100")]
    let rest = (100 - none) as f64;
    (0.5 + random.fraction()) * 100.0 / rest
}
