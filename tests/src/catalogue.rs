//! A small legacy catalogue with every odd case, whose answers the tests know.
//!
//! Products 1 to 8 stay as they are, so that tests of reads need not care about each other. Whoever writes takes a
//! [`spare_product`] that nobody else touches.

mod questions;

use std::fmt::Write;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};

pub use questions::{ANSWERER, ASKER, SESSION};

/// An address in reviews.csv. It must never be seen again.
pub const CANARY: &str = "canary-imported@secret.example";
/// Products 1 to 8 and the spare ones.
pub const PRODUCTS: i64 = 8 + SPARE_PRODUCTS;
/// The first spare product's id.
const FIRST_SPARE: i64 = 101;
const SPARE_PRODUCTS: i64 = 300;

/// A product of one's own: it has no reviews and no questions yet, and two characteristics.
///
/// # Panics
/// When all were taken.
#[must_use]
pub fn spare_product() -> Spare {
    static NEXT: AtomicI64 = AtomicI64::new(FIRST_SPARE);
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    assert!(id < FIRST_SPARE + SPARE_PRODUCTS, "the catalogue has too few spare products");
    Spare::of(id)
}

/// All spare products, for a private system.
pub fn spare_products() -> impl Iterator<Item = Spare> {
    (FIRST_SPARE..FIRST_SPARE + SPARE_PRODUCTS).map(Spare::of)
}

/// A product for writing tests.
#[derive(Clone, Copy, Debug)]
pub struct Spare {
    /// The product's id.
    pub id: i64,
    /// The id of its characteristic `Fit`.
    pub fit: i64,
    /// The id of its characteristic `Quality`.
    pub quality: i64,
}

impl Spare {
    fn of(id: i64) -> Spare {
        Spare { id, fit: id * 10, quality: id * 10 + 1 }
    }
}

/// Writes all fourteen files.
///
/// # Errors
/// When the folder cannot be written.
pub fn write(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut products = PRODUCT.to_owned();
    let mut characteristics = CHARACTERISTICS.to_owned();
    for spare in spare_products() {
        let Spare { id, fit, quality } = spare;
        // Writing to a string does not fail.
        let _ = writeln!(products, "{id},\"Spare {id}\",\"s\",\"d\",\"Spare\",10");
        let _ = writeln!(characteristics, "{fit},{id},\"Fit\"\n{quality},{id},\"Quality\"");
    }
    for (name, text) in [
        ("product.csv", products.as_str()),
        ("features.csv", FEATURES),
        ("styles.csv", STYLES),
        ("skus.csv", SKUS),
        ("photos.csv", PHOTOS),
        ("related.csv", RELATED),
        ("reviews.csv", &reviews()),
        ("reviews_photos.csv", REVIEWS_PHOTOS),
        ("characteristics.csv", &characteristics),
        ("characteristic_reviews.csv", CHARACTERISTIC_REVIEWS),
        ("questions.csv", &questions::questions()),
        ("answers.csv", &questions::answers()),
        ("answers_photos.csv", questions::ANSWERS_PHOTOS),
        ("cart.csv", &questions::cart()),
    ] {
        fs::write(folder.join(name), text)?;
    }
    Ok(())
}

const PRODUCT: &str = r#"id, name, slogan, description, category, default_price
1,"Camo Onesie","Blend in to your crowd","The So Fatigues will wake you up and fit you in. ""Quoted"", with commas.","Jackets",140
2,"Bright Future Sunglasses","You've got to wear shades","Where you're going you might not need roads","Accessories","$69.00"
3,"Bare Product",null,null,null," 40 "
4,"Tied Product","s","d","c",1.5
5,"Paged Product","s","d","c","$ 12345678.9 "
6,"Unrated Product","s","d","c",7
7,"Ünïcode – “Product” 👕","slogan ✓","d","c",15.99
8,"Last Product","s","d","c",1
"#;

const FEATURES: &str = r#"id,product_id,feature,value
2,1,"Buttons","Brass"
1,1,"Fabric","Canvas"
3,1,"Non-GMO",null
"#;

const STYLES: &str = r#"id,productId,name,sale_price,original_price,default_style
1,1,"Forest Green & Black",null,140,1
2,1,"Desert Brown","$100.5"," 140.00 ",false
3,2,"Black Lenses",55,69,true
"#;

const SKUS: &str = r#"id,styleId,size,quantity
10,1,"XL",0
2,1,"S",16
1,1,"XS",8
11,3,null,5
"#;

const PHOTOS: &str = r#"id,styleId,url,thumbnail_url
2,1,"https://img.example/2.jpg","https://img.example/2-small.jpg"
1,1,"https://img.example/1.jpg","https://img.example/1-small.jpg"
3,3,null,"https://img.example/3-small.jpg"
"#;

const RELATED: &str = r#"id,current_product_id,related_product_id
1,1,2
2,1,3
3,1,8
4,1,0
5,1,1
6,1,7
7,1,3
8,2,1
"#;

fn reviews() -> String {
    let mut text = format!(
        r#"id,product_id,rating,date,summary,body,recommend,reported,reviewer_name,reviewer_email,response,helpfulness
5,2,3,"2019-04-14T00:00:00.000Z","I'm enjoying wearing these shades","Comfortable and practical.",false,false,"shortandsweeet","{CANARY}","null",5
6,2,4,1560000000123,"Liked it","Good, ""really""","1",0,"bigbrotherbenjamin","first.last@gmail.com","Thanks!",2
7,2,4,2019-01-02,"","Glad I bought it",true,false,"mymainstreammother","third@gmail.com",null,5
8,2,2,"2020-02-29T23:59:59.999Z","Leap","A day
that is rare",true,false,"fanofgreen","fourth@gmail.com",,0
9,2,1,"2021-01-01T00:00:00.000Z","Reported","Not to be seen",false,true,"negativity","fifth@gmail.com",null,99
"#
    );
    for id in 20..=23 {
        let _ = writeln!(
            text,
            "{id},4,5,2019-05-05,\"Tie\",\"All are equal\",true,false,\"tie\",\"tie@gmail.com\",null,3"
        );
    }
    for id in 31..=42 {
        let (day, helpful) = (id - 30, 100 - id);
        let _ = writeln!(
            text,
            "{id},5,5,2019-05-{day:02},\"Page\",\"One of twelve\",true,false,\"page\",\"page@gmail.com\",null,{helpful}"
        );
    }
    text
}

const REVIEWS_PHOTOS: &str = r#"id,review_id,url
2,5,"https://img.example/review-2.jpg"
1,5,"https://img.example/review-1.jpg"
3,9,"https://img.example/review-3.jpg"
"#;

const CHARACTERISTICS: &str = r#"id,product_id,name
14,2,"Size"
15,2,"Width"
16,2,"Comfort"
17,6,"Fit"
18,4,"Fit"
"#;

const CHARACTERISTIC_REVIEWS: &str = r#"id,characteristic_id,review_id,value
1,14,5,4
2,14,6,4
3,16,5,3
4,16,6,4
5,14,9,1
6,16,9,1
7,18,20,5
8,18,21,4
9,18,22,1
"#;
