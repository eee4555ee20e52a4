//! The generator of random numbers: splitmix64.
//!
//! No crate, because a seed must give the same catalogue for as long as documents show what is in it, and the
//! crates change their sampling between versions. Quality beyond "looks mixed" is not needed.

/// A stream of random numbers, cheap to make: each product has its own, so that its contents do not depend on
/// how many others there are.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// The stream number `stream` of a seed.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut random = Self(seed ^ 0x5851_f42d_4c95_7f2d);
        random.0 = random.next() ^ stream.wrapping_mul(0xd134_2543_de82_ef95);
        random.next();
        random
    }

    /// 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// 0 to `bound - 1`. The bias of the multiplication is far below what anybody could see here.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// `low` to `high`, both possible.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// True in `percent` of a hundred cases.
    pub(crate) fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// 0 to just below 1.
    pub(crate) fn fraction(&mut self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
        let bits = (self.next() >> 11) as f64;
        bits / 9_007_199_254_740_992.0
    }

    /// One of `choices`, which are not empty.
    pub(crate) fn pick<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[usize::try_from(self.below(choices.len() as u64)).unwrap_or(0)]
    }
}

/// Something that happens once in every `every` times, from a random start, so that a small catalogue has it
/// too.
#[derive(Debug)]
pub(crate) struct Occasional {
    every: u64,
    left: u64,
}

impl Occasional {
    pub(crate) fn new(every: u64, random: &mut Random) -> Self {
        Self { every, left: random.below(every) }
    }

    /// Counts one time and says whether it is the one.
    pub(crate) fn due(&mut self) -> bool {
        if self.left == 0 {
            self.left = self.every - 1;
            true
        } else {
            self.left -= 1;
            false
        }
    }
}

/// Shares out rows at a mean rate: what one owner does not get, the next one does, so that totals hold.
#[derive(Debug)]
pub(crate) struct Share {
    rate: f64,
    owed: f64,
}

impl Share {
    pub(crate) fn new(rate: f64) -> Self {
        Self { rate, owed: 0.5 }
    }

    /// Rows for an owner of this weight; weights have a mean of 1.
    pub(crate) fn take(&mut self, weight: f64) -> u64 {
        self.owed += self.rate * weight;
        let whole = self.owed.floor();
        self.owed -= whole;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and not negative")]
        let rows = whole as u64;
        rows
    }
}
