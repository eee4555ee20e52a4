//! Each product's lowest sku, which is what a line of a legacy cart stands for.
//!
//! Two numbers for each style while styles and skus are read, then two for each product: sorted arrays, because a
//! map of two million entries would take several times their room.

/// Learns from styles, then from skus, then answers.
#[derive(Debug, Default)]
pub(crate) struct LowestSkus {
    /// Style and product; in the order of styles once all are known.
    styles: Vec<(u32, u32)>,
    /// Each style's lowest sku, in the order of `styles`; 0 where there is none.
    lowest: Vec<u32>,
    /// Where the last sku's style stands: neighbours belong together.
    last: usize,
    /// Product and lowest sku, in the order of products.
    products: Vec<(u32, u32)>,
}

impl LowestSkus {
    /// A style of a product.
    pub(crate) fn style(&mut self, style: u32, product: u32) {
        self.styles.push((style, product));
    }

    /// All styles are known.
    pub(crate) fn styles_ended(&mut self) {
        if !self.styles.is_sorted() {
            self.styles.sort_unstable();
        }
        self.lowest = vec![0; self.styles.len()];
    }

    /// A sku of a style.
    pub(crate) fn sku(&mut self, sku: u32, style: u32) {
        if self.styles.get(self.last).is_none_or(|known| known.0 != style) {
            match self.styles.binary_search_by_key(&style, |known| known.0) {
                Ok(index) => self.last = index,
                Err(_) => return,
            }
        }
        let lowest = &mut self.lowest[self.last];
        if *lowest == 0 || sku < *lowest {
            *lowest = sku;
        }
    }

    /// All skus are known.
    pub(crate) fn skus_ended(&mut self) {
        let (styles, lowest) = (std::mem::take(&mut self.styles), std::mem::take(&mut self.lowest));
        let pairs = styles.iter().zip(lowest).filter(|(_, sku)| *sku != 0);
        self.products = pairs.map(|((_, product), sku)| (*product, sku)).collect();
        self.products.sort_unstable();
        self.products.dedup_by_key(|(product, _)| *product);
        self.products.shrink_to_fit();
    }

    /// The lowest sku of a product, if it has any.
    pub(crate) fn of(&self, product: u32) -> Option<u32> {
        let found = self.products.binary_search_by_key(&product, |known| known.0);
        found.ok().map(|index| self.products[index].1)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::LowestSkus;

    proptest! {
        #[test]
        fn each_product_has_the_lowest_of_all_its_styles(
            styles in proptest::collection::hash_map(1_u32..60, 1_u32..20, 0..40),
            skus in proptest::collection::hash_map(1_u32..200, 1_u32..60, 0..80),
        ) {
            let mut lowest = LowestSkus::default();
            // Maps come in any order, and so may files.
            styles.iter().for_each(|(style, product)| lowest.style(*style, *product));
            lowest.styles_ended();
            let mut expected = HashMap::<u32, u32>::new();
            for (sku, style) in &skus {
                lowest.sku(*sku, *style);
                if let Some(product) = styles.get(style) {
                    let known = expected.entry(*product).or_insert(*sku);
                    *known = (*known).min(*sku);
                }
            }
            lowest.skus_ended();
            for product in 1..20 {
                prop_assert_eq!(lowest.of(product), expected.get(&product).copied());
            }
        }
    }
}
