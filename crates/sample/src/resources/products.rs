//! What the shop sells: product.csv, features.csv, styles.csv, skus.csv, photos.csv, related.csv.

use super::Create;
use crate::Error;
use crate::dirt::Dirt;
use crate::random::{Occasional, Random, Share};
use crate::sheet::{Format, Sheet};
use crate::summary::FileSummary;
use crate::text::{self, product as words};

const PRODUCT: Format = Format {
    name: "product.csv",
    columns: &["id", "name", "slogan", "description", "category", "default_price"],
    header_spaces: false,
    carriage_returns: false,
    last_line_ends: true,
};
const FEATURES: Format = Format {
    name: "features.csv",
    columns: &["id", "product_id", "feature", "value"],
    header_spaces: true,
    carriage_returns: false,
    last_line_ends: true,
};
const STYLES: Format = Format {
    name: "styles.csv",
    columns: &["id", "productId", "name", "sale_price", "original_price", "default_style"],
    header_spaces: false,
    carriage_returns: true,
    last_line_ends: true,
};
const SKUS: Format = Format {
    name: "skus.csv",
    columns: &["id", "styleId", "size", "quantity"],
    header_spaces: true,
    carriage_returns: false,
    last_line_ends: true,
};
const PHOTOS: Format = Format {
    name: "photos.csv",
    columns: &["id", "styleId", "url", "thumbnail_url"],
    header_spaces: false,
    carriage_returns: false,
    last_line_ends: true,
};
const RELATED: Format = Format {
    name: "related.csv",
    columns: &["id", "current_product_id", "related_product_id"],
    header_spaces: true,
    carriage_returns: false,
    last_line_ends: false,
};

// Rows of the legacy export at full size, by which proportions are kept.
const FEATURES_PER_PRODUCT: f64 = 2_219_279.0 / 1_000_011.0;
const STYLES_PER_PRODUCT: f64 = 1_958_102.0 / 1_000_011.0;
const SKUS_PER_STYLE: f64 = 11_323_917.0 / 1_958_102.0;
const PHOTOS_PER_STYLE: f64 = 5_655_656.0 / 1_958_102.0;
const RELATED_PER_PRODUCT: f64 = 4_508_263.0 / 1_000_011.0;

/// The files of this resource, open.
#[derive(Debug)]
pub(super) struct Files {
    /// Products in the whole catalogue.
    products: u64,
    product: Sheet,
    features: Sheet,
    styles: Sheet,
    skus: Sheet,
    photos: Sheet,
    related: Sheet,
    feature_share: Share,
    style_share: Share,
    sku_share: Share,
    photo_share: Share,
    related_share: Share,
    runaway_quotes: Occasional,
    related_zero: Occasional,
    related_self: Occasional,
}

impl Files {
    pub(super) fn create(products: u64, create: &mut Create<'_>) -> Result<Self, Error> {
        let mut random = Random::new(products, 1);
        Ok(Self {
            products,
            product: create(&PRODUCT)?,
            features: create(&FEATURES)?,
            styles: create(&STYLES)?,
            skus: create(&SKUS)?,
            photos: create(&PHOTOS)?,
            related: create(&RELATED)?,
            feature_share: Share::new(FEATURES_PER_PRODUCT),
            style_share: Share::new(STYLES_PER_PRODUCT),
            sku_share: Share::new(SKUS_PER_STYLE),
            photo_share: Share::new(PHOTOS_PER_STYLE),
            related_share: Share::new(RELATED_PER_PRODUCT),
            runaway_quotes: Occasional::new(150, &mut random),
            related_zero: Occasional::new(211, &mut random),
            related_self: Occasional::new(307, &mut random),
        })
    }

    /// Answers whether the product has a sku.
    pub(super) fn write(&mut self, product: u64, random: &mut Random) -> Result<bool, Error> {
        let category = random.pick(words::CATEGORIES);
        let price = random.between(category.lowest_price, category.highest_price);
        let row = &mut self.product;
        row.begin();
        row.text(&words::name(category, random));
        if random.percent(2) {
            row.null(random);
        } else {
            row.text(random.pick(words::SLOGANS));
        }
        row.text(&words::description(random));
        if random.percent(1) {
            row.null(random);
        } else {
            row.text(category.name);
        }
        row.price(price, random).end()?;
        self.write_features(product, random)?;
        let styles = self.style_share.take(text::varied(random, 3));
        let mut sold = false;
        for index in 0..styles {
            sold |= self.write_style(product, price, category, index == 0, random)?;
        }
        self.write_related(product, random)?;
        Ok(sold)
    }

    fn write_features(&mut self, product: u64, random: &mut Random) -> Result<(), Error> {
        for _ in 0..self.feature_share.take(2.0 * random.fraction()) {
            let (feature, values) = random.pick(words::FEATURES);
            self.features.begin();
            self.features.parent(product, random).text(feature);
            if random.percent(12) {
                self.features.null(random);
            } else {
                self.features.text(random.pick(values));
            }
            self.features.end()?;
        }
        Ok(())
    }

    /// Answers whether the style has a sku.
    fn write_style(
        &mut self,
        product: u64,
        price: u64,
        category: &words::Category,
        first: bool,
        random: &mut Random,
    ) -> Result<bool, Error> {
        let row = &mut self.styles;
        let style = row.begin();
        row.parent(product, random).text(&words::style(random));
        if random.percent(80) {
            row.null(random);
        } else {
            row.price(price * random.between(5, 9) / 10 + 1, random);
        }
        row.price(price, random).boolean(first, random);
        if !row.end()? {
            return Ok(false);
        }
        let sizes = self.sku_share.take(text::varied(random, 4));
        let mut sold = false;
        for index in 0..sizes {
            let row = &mut self.skus;
            row.begin();
            row.parent(style, random);
            if random.percent(1) {
                row.null(random);
            } else {
                row.text(category.sizes[usize::try_from(index).unwrap_or(0) % category.sizes.len()]);
            }
            let quantity = if random.percent(6) { 0 } else { random.between(1, 60) };
            sold |= row.number(quantity).end()?;
        }
        for _ in 0..self.photo_share.take(text::varied(random, 4)) {
            self.write_photo(style, random)?;
        }
        Ok(sold)
    }

    fn write_photo(&mut self, style: u64, random: &mut Random) -> Result<(), Error> {
        let row = &mut self.photos;
        row.begin();
        row.parent(style, random);
        let image = words::image(random);
        row.text(&format!("{image}?ixlib=rb-1.2.1&auto=format&fit=crop&w=1000&q=80"));
        let thumbnail = format!("{image}?ixlib=rb-1.2.1&auto=format&fit=crop&w=300&q=80");
        if self.runaway_quotes.due() {
            row.mark(Dirt::RunawayQuote);
            let closing = if random.percent(50) { "" } else { "\"\"" };
            row.raw(&format!("\"{thumbnail}{closing}"));
        } else if random.percent(1) {
            row.null(random);
        } else {
            row.text(&thumbnail);
        }
        row.end().map(drop)
    }

    fn write_related(&mut self, product: u64, random: &mut Random) -> Result<(), Error> {
        for _ in 0..self.related_share.take(2.0 * random.fraction()) {
            let row = &mut self.related;
            row.begin();
            if self.related_zero.due() {
                row.mark(Dirt::RelatedZero);
                row.number(product).number(0);
            } else if self.products == 1 || self.related_self.due() {
                row.mark(Dirt::RelatedSelf);
                row.number(product).number(product);
            } else {
                let other = random.between(1, self.products - 1);
                let other = if other >= product { other + 1 } else { other };
                if random.percent(50) {
                    row.parent(product, random).number(other);
                } else {
                    row.number(product).parent(other, random);
                }
            }
            row.end()?;
        }
        Ok(())
    }

    pub(super) fn rows(&self) -> u64 {
        self.product.rows()
            + self.features.rows()
            + self.styles.rows()
            + self.skus.rows()
            + self.photos.rows()
            + self.related.rows()
    }

    pub(super) fn finish(self, summaries: &mut Vec<FileSummary>) -> Result<(), Error> {
        for sheet in [self.product, self.features, self.styles, self.skus, self.photos, self.related] {
            summaries.push(sheet.finish()?);
        }
        Ok(())
    }
}
