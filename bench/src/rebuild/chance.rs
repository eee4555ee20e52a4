//! Chance that is the same each time.

const WORDS: [&str; 40] = [
    "the", "colour", "has", "stayed", "and", "it", "fits", "as", "on", "first", "day", "seams", "held",
    "washed", "more", "than", "once", "worn", "for", "a", "month", "now", "most", "of", "all", "I", "like",
    "how", "soft", "feels", "but", "sleeves", "run", "long", "would", "buy", "again", "in", "another",
    "size",
];

/// Numbers that look like chance (xorshift64*).
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// A place in a list of this length.
    pub(super) fn place(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).expect("a place in memory")
    }

    /// A place in a list whose first ones are asked for more: a tenth of them gets about a third of everything.
    pub(super) fn skewed(&mut self, length: usize) -> usize {
        let place = self.place(length);
        if self.below(2) == 0 { place } else { self.place(place + 1) }
    }

    /// 1 to 5, more often high.
    pub(super) fn rating(&mut self) -> u8 {
        [1, 2, 3, 3, 4, 4, 4, 5, 5, 5][self.place(10)]
    }

    /// So many words.
    pub(super) fn text(&mut self, words: u64) -> String {
        let mut text = String::new();
        for number in 0..words {
            if number > 0 {
                text.push(' ');
            }
            text.push_str(WORDS[self.place(WORDS.len())]);
        }
        text
    }
}
