//! The files of the catalogue, grouped by what they are about.

mod cart;
mod products;
mod questions;
mod reviews;

use std::path::Path;

use crate::popularity::Popularity;
use crate::random::Random;
use crate::sheet::{Format, Sheet};
use crate::summary::Summary;
use crate::{Error, Options};

/// All files, open.
#[derive(Debug)]
pub(crate) struct Catalogue {
    seed: u64,
    popularity: Popularity,
    products: products::Files,
    cart: cart::Files,
    reviews: reviews::Files,
    questions: questions::Files,
}

impl Catalogue {
    pub(crate) fn create(options: &Options, directory: &Path) -> Result<Self, Error> {
        let mut random = Random::new(options.seed, 0);
        let mut create = |format: &'static Format| Sheet::create(format, directory, &mut random);
        Ok(Self {
            seed: options.seed,
            popularity: Popularity::new(options.seed, options.products),
            products: products::Files::create(options.products, &mut create)?,
            cart: cart::Files::create(&mut create)?,
            reviews: reviews::Files::create(&mut create)?,
            questions: questions::Files::create(&mut create)?,
        })
    }

    /// Everything about one product; to be called for 1, 2, 3 and so on.
    pub(crate) fn write_product(&mut self, product: u64) -> Result<(), Error> {
        let mut random = Random::new(self.seed, product);
        let weight = self.popularity.weight(product);
        let sold = self.products.write(product, &mut random)?;
        self.cart.write(product, sold, &mut random)?;
        self.reviews.write(product, weight, &mut random)?;
        self.questions.write(product, weight, &mut random)
    }

    pub(crate) fn rows(&self) -> u64 {
        self.products.rows() + self.cart.rows() + self.reviews.rows() + self.questions.rows()
    }

    pub(crate) fn finish(self) -> Result<Summary, Error> {
        let mut files = Vec::with_capacity(14);
        self.products.finish(&mut files)?;
        self.cart.finish(&mut files)?;
        self.reviews.finish(&mut files)?;
        self.questions.finish(&mut files)?;
        Ok(Summary { files })
    }
}

/// Makes a file of this format.
type Create<'a> = dyn FnMut(&'static Format) -> Result<Sheet, Error> + 'a;
