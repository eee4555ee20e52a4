//! Lines of shoppers' carts: cart.csv. The legacy documentation gives no number of rows; here it is one for each
//! product on average.

use super::Create;
use crate::Error;
use crate::dirt::Dirt;
use crate::random::{Random, Share};
use crate::sheet::{Format, Sheet};
use crate::summary::FileSummary;

const CART: Format = Format {
    name: "cart.csv",
    columns: &["id", "user_session", "product_id", "active"],
    header_spaces: false,
    carriage_returns: true,
    last_line_ends: true,
};

/// The file of this resource, open.
#[derive(Debug)]
pub(super) struct Files {
    cart: Sheet,
    carts: Share,
}

impl Files {
    pub(super) fn create(create: &mut Create<'_>) -> Result<Self, Error> {
        Ok(Self { cart: create(&CART)?, carts: Share::new(1.0) })
    }

    /// `sold`: whether the product has a sku that can be in a cart.
    pub(super) fn write(&mut self, product: u64, sold: bool, random: &mut Random) -> Result<(), Error> {
        for _ in 0..self.carts.take(2.0 * random.fraction()) {
            self.cart.begin();
            self.cart.number(random.below(1_000_000)).parent(product, random);
            let active = random.percent(80);
            self.cart.boolean(active, random);
            if !active {
                self.cart.mark(Dirt::Inactive);
            } else if !sold {
                self.cart.mark(Dirt::NoSku);
            }
            self.cart.end()?;
        }
        Ok(())
    }

    pub(super) fn rows(&self) -> u64 {
        self.cart.rows()
    }

    pub(super) fn finish(self, summaries: &mut Vec<FileSummary>) -> Result<(), Error> {
        summaries.push(self.cart.finish()?);
        Ok(())
    }
}
