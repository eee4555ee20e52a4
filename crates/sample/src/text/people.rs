//! Shoppers' names and addresses.

use crate::random::Random;

const NAMES: &[&str] = &[
    "shortandsweet",
    "williamsmith",
    "janedoe",
    "bigbrother",
    "funnygirl",
    "iluvdogs",
    "Zoë",
    "José María",
    "Søren",
    "Chloé B.",
    "山田太郎",
    "Ольга",
    "Müller, Hans",
    "Dwayne \"Dee\" Carter",
    "l33t_sh0pper",
    "Nguyễn Anh",
    "mymainstreammother",
    "Björk 🦢",
    "figuringitout",
    "patagonia_pete",
    "Ahmet Yılmaz",
    "O'Hara",
];
const MAILBOXES: &[&str] =
    &["first.last", "shopper", "anna", "ben", "carla", "dmitri", "eve", "farid", "grace", "ho"];
const DOMAINS: &[&str] = &["example.com", "example.org", "example.net"];

pub(crate) fn name(random: &mut Random) -> String {
    let name = random.pick(NAMES);
    if random.percent(40) { format!("{name}{}", random.below(1_000)) } else { name.to_owned() }
}

pub(crate) fn email(random: &mut Random) -> String {
    let (mailbox, domain) = (random.pick(MAILBOXES), random.pick(DOMAINS));
    format!("{mailbox}{}@{domain}", random.below(100_000))
}
