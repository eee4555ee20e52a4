//! What reviews say, with everything that makes CSV hard: commas, quotes, line breaks, other scripts.

use crate::random::Random;

const GOOD_SUMMARIES: &[&str] = &[
    "Love it!",
    "This product was great!",
    "Best pair I ever had, hands down",
    "Très content",
    "They said \"true to size\", and it is",
    "素晴らしい",
    "Worth every cent",
    "5 ★",
];
const POOR_SUMMARIES: &[&str] = &[
    "Not what I expected",
    "Ripped after a week, sadly",
    "I am not impressed",
    "\"Waterproof\" it is not",
    "Enttäuschend",
    "Ok for the price, I guess",
];
const GOOD: &[&str] = &[
    "I really did like this product, and so did my sister.",
    "It fits like a glove.",
    "Comfortable from the first minute; no break-in needed!",
    "Shipping took two days, the box was dry and whole.",
    "My husband calls them my \"everyday\" pair.",
    "C'est exactement ce que je cherchais, merci.",
    "I'll buy another one in Crème 😍.",
    "The colour looks just like in the picture, perhaps a bit warmer.",
    "Made it through a week in Kraków, rain included.",
];
const POOR: &[&str] = &[
    "I did not like this product at all.",
    "The size runs small: order one up, or two.",
    "Seams came apart after the third wash.",
    "Support said \"that's normal\". It is not.",
    "Der Stoff ist dünn, und die Farbe blass.",
    "It smells of glue, even after airing it for days.",
    "Looks nice, feels cheap.",
    "I'm sending it back \u{2026}",
];
pub(crate) const RESPONSES: &[&str] = &[
    "Thank you for your kind words!",
    "Sorry to hear that. Please write to our support, we'll send you another one.",
    "Thanks, we passed \"runs small\" on to the makers.",
    "Vielen Dank für die Rückmeldung!",
];

/// Summaries that go with a rating.
pub(crate) fn summaries(rating: u64) -> &'static [&'static str] {
    if rating >= 3 { GOOD_SUMMARIES } else { POOR_SUMMARIES }
}

/// One to six sentences, sometimes in paragraphs.
pub(crate) fn body(rating: u64, random: &mut Random) -> String {
    let sentences = if rating >= 3 { GOOD } else { POOR };
    let in_paragraphs = random.percent(8);
    let mut body = random.pick(sentences).to_owned();
    for _ in 0..random.below(6) {
        body.push_str(match (in_paragraphs, random.percent(50)) {
            (true, true) => "\n\n",
            (true, false) => "\n",
            (false, _) => " ",
        });
        body.push_str(random.pick(sentences));
    }
    body
}

/// The address of a picture that a shopper took.
pub(crate) fn photo(random: &mut Random) -> String {
    format!("https://pictures.example.org/{:016x}/{}.jpg", random.next(), random.between(1, 400))
}
