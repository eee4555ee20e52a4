//! Products, their features, styles, sizes and pictures.

use crate::random::Random;

/// A kind of product.
#[derive(Debug)]
pub(crate) struct Category {
    pub(crate) name: &'static str,
    nouns: &'static [&'static str],
    pub(crate) sizes: &'static [&'static str],
    /// In whole units of money.
    pub(crate) lowest_price: u64,
    pub(crate) highest_price: u64,
}

const CLOTHES: &[&str] = &["XS", "S", "M", "L", "XL", "XXL", "3XL", "4XL"];
const SHOES: &[&str] = &["7", "7.5", "8", "8.5", "9", "9.5", "10", "10.5", "11", "11.5", "12"];
const ONE_SIZE: &[&str] = &["One Size", "XS–S", "S–M", "M–L", "L–XL", "XL–XXL"];

pub(crate) const CATEGORIES: &[&Category] = &[
    &Category {
        name: "Jackets",
        nouns: &["Onesie", "Parka", "Windbreaker", "Blazer"],
        sizes: CLOTHES,
        lowest_price: 60,
        highest_price: 380,
    },
    &Category {
        name: "Pants",
        nouns: &["Joggers", "Trousers", "Slacks", "Jeans"],
        sizes: CLOTHES,
        lowest_price: 25,
        highest_price: 160,
    },
    &Category {
        name: "Dress Shoes",
        nouns: &["Oxfords", "Loafers", "Derbys"],
        sizes: SHOES,
        lowest_price: 80,
        highest_price: 450,
    },
    &Category {
        name: "Kicks",
        nouns: &["Trainers", "High Tops", "Runners"],
        sizes: SHOES,
        lowest_price: 45,
        highest_price: 260,
    },
    &Category {
        name: "Accessories",
        nouns: &["Sunglasses", "Béret", "Belt", "Scarf"],
        sizes: ONE_SIZE,
        lowest_price: 9,
        highest_price: 120,
    },
];

const PREFIXES: &[&str] = &[
    "Camo",
    "Bright Future",
    "Morning",
    "Heir Force",
    "Pumped Up",
    "YEasy",
    "Blues Suede",
    "Summer",
    "Café",
    "Nordström",
    "5\" Heel",
    "Über",
    "東京",
    "Rock & Roll",
    "Slacker's",
];

pub(crate) const SLOGANS: &[&str] = &[
    "Blend in to your crowd",
    "You've got to wear shades",
    "Make yourself a morning person",
    "A sneaker dynasty",
    "Faster than a just, barely slower than light",
    "Comfortable for everything, or nothing",
    "Don't step on them \u{2014} really",
    "Für jeden Tag, und jede Nacht",
    "The world said \"no\", we said \"why not\"",
];

const SENTENCES: &[&str] = &[
    "The So Fatigues will wake you up and fit you in.",
    "This high energy camo will have you blending in to even the wildest surroundings.",
    "Where you're going you might not need roads, but you definitely need some shades.",
    "Give those baby blues a rest and let the future shine bright, warm, and timeless.",
    "Made of fabric that breathes, stretches and forgives.",
    "Whether you're a morning person or not, whether you're gym bound or not: everyone looks good in them.",
    "Handmade in Łódź from recycled bottles.",
    "Machine wash at 30 °C; do not iron the print.",
    "Now where da boxes where I keep mine? You should peep mine, maybe once or twice but never three times.",
    "Reviewers called it \"the last pair you will need\".",
];

pub(crate) const FEATURES: &[&(&str, &[&str])] = &[
    &("Fabric", &["Canvas", "100% Cotton", "Wool, Merino", "Silk", "Linen"]),
    &("Buttons", &["Brass", "Wood", "Pressurized Weatherproof"]),
    &("Lenses", &["Ultrasheen", "Polarized", "UV 400"]),
    &("Frames", &["DuraResin", "LightCompose", "\"Flex\" Steel"]),
    &("Cut", &["Loose", "Skinny", "Straight"]),
    &("Sole", &["Rubber", "99% Natürlich", "Cork"]),
    &("Material", &["Control Support Bridge", "FullControlSkin", "Recycled"]),
    &("Mid-Sole", &["ControlSupport Arch Bridge", "Foam"]),
    &("Stitching", &["Double Stitch", "Hand-stitched"]),
    &("Non-GMO", &["yes"]),
];

const COLOURS: &[&str] = &[
    "Forest Green",
    "Desert Brown",
    "Ocean Blue",
    "Black",
    "White",
    "Sky Blue",
    "Dark Grey",
    "Crème",
    "Hot Pink",
    "Digital Red",
    "Lila",
    "Gold",
];

pub(crate) fn name(category: &Category, random: &mut Random) -> String {
    let (prefix, noun) = (random.pick(PREFIXES), random.pick(category.nouns));
    if random.percent(50) {
        format!("{prefix} {noun}")
    } else {
        format!("{prefix} {noun} {}", random.between(2, 900))
    }
}

pub(crate) fn description(random: &mut Random) -> String {
    let mut description = random.pick(SENTENCES).to_owned();
    for _ in 0..random.below(3) {
        description.push(' ');
        description.push_str(random.pick(SENTENCES));
    }
    description
}

pub(crate) fn style(random: &mut Random) -> String {
    let (first, second) = (random.pick(COLOURS), random.pick(COLOURS));
    if first == second { first.to_owned() } else { format!("{first} & {second}") }
}

/// The address of a picture, without its query.
pub(crate) fn image(random: &mut Random) -> String {
    format!(
        "https://images.example.com/photo-{}-{:012x}",
        random.between(1_450_000_000, 1_580_000_000),
        random.next() >> 16
    )
}
