//! Which products people talk about: a few have thousands of reviews, most a handful, some none.

use crate::random::Random;

/// Part of all attention that is spread evenly.
const EVEN: f64 = 0.4;
/// Products of a hundred that nobody talks about.
const SILENT_PERCENT: u64 = 5;

/// The weight of each product among all, with a mean of exactly 1, computed anew on each call: memory stays flat.
#[derive(Debug)]
pub(crate) struct Popularity {
    seed: u64,
    products: u64,
    /// Steps through all ranks: has no divisor in common with the number of products.
    stride: u64,
    offset: u64,
    /// Brings the mean to 1.
    ranked: f64,
    scale: f64,
}

impl Popularity {
    #[expect(clippy::cast_precision_loss, reason = "at most 4 * 10^7")]
    pub(crate) fn new(seed: u64, products: u64) -> Self {
        let mut random = Random::new(seed, u64::MAX);
        let mut stride = random.below(products).max(1);
        while greatest_common_divisor(stride, products) != 1 {
            stride += 1;
        }
        let offset = random.below(products);
        let total: f64 = (1..=products).map(by_rank).sum();
        let ranked = (1.0 - EVEN) * products as f64 / total;
        let mut popularity = Self { seed, products, stride, offset, ranked, scale: 1.0 };
        let sum: f64 = (1..=products).map(|product| popularity.weight(product)).sum();
        popularity.scale = products as f64 / sum.max(f64::MIN_POSITIVE);
        popularity
    }

    /// Of one product, 1 to the number of products.
    pub(crate) fn weight(&self, product: u64) -> f64 {
        // Below 2^53 in all: ranks are at most 4 * 10^7.
        let rank = 1 + (product * self.stride + self.offset) % self.products;
        let mut random = Random::new(!self.seed, product);
        if random.percent(SILENT_PERCENT) && rank > 3 {
            return 0.0;
        }
        let attention = EVEN + self.ranked * by_rank(rank);
        self.scale * attention * (0.4 + 1.2 * random.fraction())
    }
}

/// The attention that follows rank falls with its power of 5/8: at a million products and 5.77 reviews for each
/// on average, the first has some seven thousand, the hundredth four hundred, the median three. Only square
/// roots, because these are equal to the last bit on every machine and `powf` is not.
#[expect(clippy::cast_precision_loss, reason = "at most 4 * 10^7")]
fn by_rank(rank: u64) -> f64 {
    let root = (rank as f64).sqrt();
    1.0 / (root * root.sqrt().sqrt())
}

fn greatest_common_divisor(first: u64, second: u64) -> u64 {
    if second == 0 { first } else { greatest_common_divisor(second, first % second) }
}

#[cfg(test)]
mod tests {
    use super::Popularity;

    #[test]
    fn most_products_have_little_attention_and_a_few_very_much() {
        let popularity = Popularity::new(7, 100_000);
        let mut weights: Vec<f64> = (1..=100_000).map(|product| popularity.weight(product)).collect();
        weights.sort_by(f64::total_cmp);
        let mean = weights.iter().sum::<f64>() / 100_000.0;
        assert!((mean - 1.0).abs() < 1e-6, "mean {mean}");
        assert!(weights[50_000] < 1.0, "median {}", weights[50_000]);
        assert!(weights[99_999] > 100.0, "highest {}", weights[99_999]);
    }
}
