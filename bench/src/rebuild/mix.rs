//! Ordinary events in a plausible mix, made up the same way each time: what shoppers of a busy day leave in the stream.

use contract::email::Sealer;
use contract::envelope::Idempotency;
use contract::resources::answers::{AnswerCreated, AnswerHelpful, AnswerReported};
use contract::resources::cart::CartAdded;
use contract::resources::interactions::InteractionRecorded;
use contract::resources::questions::{QuestionCreated, QuestionHelpful, QuestionReported};
use contract::resources::reviews::{CharacteristicRating, ReviewCreated, ReviewHelpful, ReviewReported};
use contract::{Envelope, Event, Millis};

use super::chance::Chance;

/// Of a thousand events, how many are of each kind. The rest are interactions.
const REVIEWS: u64 = 150;
const REVIEW_VOTES: u64 = 200;
const REVIEW_REPORTS: u64 = 8;
const QUESTIONS: u64 = 50;
const QUESTION_VOTES: u64 = 60;
const QUESTION_REPORTS: u64 = 3;
const ANSWERS: u64 = 70;
const ANSWER_VOTES: u64 = 70;
const ANSWER_REPORTS: u64 = 4;
const CART_LINES: u64 = 125;
/// Of a hundred reviews, questions, answers and cart lines, how many carry an idempotency key.
const KEYED: u64 = 15;
/// Of a hundred votes and reports, how many are for what was written here; the rest for what was imported.
const FOR_NEW: u64 = 60;
/// What was written last is voted for.
const NEWEST: usize = 20_000;
/// In words, for the table.
pub(super) const IN_WORDS: &str = "of 1,000 events 150 are reviews (0.5 photos, 3.3 characteristics), 50 questions, 70 answers, \
     330 votes, 15 reports, 125 cart lines, 260 interactions; 15 % of what is written carries an idempotency key";

/// What events refer to.
pub(super) struct Shop {
    /// Products with their characteristics.
    pub(super) products: Vec<(i64, Vec<i64>)>,
    pub(super) skus: Vec<i64>,
    pub(super) reviews: Vec<i64>,
    pub(super) questions: Vec<i64>,
    pub(super) answers: Vec<i64>,
}

/// Makes one event after another.
pub(super) struct Mix {
    shop: Shop,
    sealer: Sealer,
    chance: Chance,
    /// The position that the next event will have.
    position: i64,
    reviews: Newest,
    questions: Newest,
    answers: Newest,
}

/// The ids of the last things written.
#[derive(Default)]
struct Newest {
    ids: Vec<i64>,
    next: usize,
}

impl Newest {
    fn add(&mut self, id: i64) {
        if self.ids.len() < NEWEST {
            self.ids.push(id);
        } else {
            self.ids[self.next % NEWEST] = id;
            self.next += 1;
        }
    }
}

impl Mix {
    /// From the position that the first event will have.
    pub(super) fn new(shop: Shop, sealer: Sealer, position: i64) -> Self {
        let (reviews, questions, answers) = (Newest::default(), Newest::default(), Newest::default());
        Self { shop, sealer, chance: Chance::new(6), position, reviews, questions, answers }
    }

    /// The next event, as a writer would send it at that time.
    pub(super) fn next(&mut self, now: Millis) -> (Envelope, Event) {
        let id = format!("{:016x}{:016x}", self.chance.next(), self.chance.next());
        let mut draw = self.chance.below(1_000);
        let mut is = |share: u64| {
            let hit = draw < share;
            draw = if hit { u64::MAX } else { draw.saturating_sub(share) };
            hit
        };
        let event = if is(REVIEWS) {
            self.review(&id)
        } else if is(REVIEW_VOTES) {
            Event::ReviewHelpful(ReviewHelpful { review_id: self.review_id() })
        } else if is(REVIEW_REPORTS) {
            Event::ReviewReported(ReviewReported { review_id: self.review_id() })
        } else if is(QUESTIONS) {
            self.question(&id)
        } else if is(QUESTION_VOTES) {
            Event::QuestionHelpful(QuestionHelpful { question_id: self.question_id() })
        } else if is(QUESTION_REPORTS) {
            Event::QuestionReported(QuestionReported { question_id: self.question_id() })
        } else if is(ANSWERS) {
            self.answer(&id)
        } else if is(ANSWER_VOTES) {
            Event::AnswerHelpful(AnswerHelpful { answer_id: self.answer_id() })
        } else if is(ANSWER_REPORTS) {
            Event::AnswerReported(AnswerReported { answer_id: self.answer_id() })
        } else if is(CART_LINES) {
            self.cart_line()
        } else {
            self.interaction()
        };
        let mut envelope = Envelope::new(id, now, "/atelier/writer");
        let made = matches!(
            event,
            Event::ReviewCreated(_)
                | Event::QuestionCreated(_)
                | Event::AnswerCreated(_)
                | Event::CartAdded(_)
        );
        if made && self.chance.below(100) < KEYED {
            let mut hash = || (0..4).map(|_| format!("{:016x}", self.chance.next())).collect::<String>();
            envelope.idempotency = Some(Idempotency { key: hash(), body: hash() });
        }
        self.position += 1;
        (envelope, event)
    }

    fn review(&mut self, id: &str) -> Event {
        let place = self.chance.skewed(self.shop.products.len());
        let (product_id, characteristics) = self.shop.products[place].clone();
        let photos = if self.chance.below(4) == 0 { 1 + self.chance.below(3) } else { 0 };
        self.reviews.add(self.position);
        Event::ReviewCreated(ReviewCreated {
            product_id,
            rating: self.chance.rating(),
            summary: self.chance.text(5),
            body: self.text(15, 80),
            recommend: self.chance.below(3) > 0,
            reviewer_name: self.name(),
            reviewer_email: self.sealed(contract::event::types::REVIEW_CREATED, id),
            photos: self.photos(photos),
            characteristics: characteristics
                .into_iter()
                .map(|id| CharacteristicRating { id, value: self.chance.rating() })
                .collect(),
        })
    }

    fn question(&mut self, id: &str) -> Event {
        let place = self.chance.skewed(self.shop.products.len());
        self.questions.add(self.position);
        Event::QuestionCreated(QuestionCreated {
            product_id: self.shop.products[place].0,
            body: self.text(6, 20),
            asker_name: self.name(),
            asker_email: self.sealed(contract::event::types::QUESTION_CREATED, id),
        })
    }

    fn answer(&mut self, id: &str) -> Event {
        let question_id = self.question_id();
        self.answers.add(self.position);
        let photos = self.chance.below(5) / 4;
        Event::AnswerCreated(AnswerCreated {
            question_id,
            body: self.text(8, 40),
            answerer_name: self.name(),
            answerer_email: self.sealed(contract::event::types::ANSWER_CREATED, id),
            photos: self.photos(photos),
        })
    }

    fn cart_line(&mut self) -> Event {
        // Some come back and add the same again.
        let session = self.chance.below(1 << 24);
        let place = self.chance.skewed(self.shop.skus.len());
        Event::CartAdded(CartAdded {
            session: format!("{:064x}", u128::from(session) * 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835),
            sku_id: self.shop.skus[place],
            count: 1 + self.chance.below(3).cast_signed(),
        })
    }

    fn interaction(&mut self) -> Event {
        let number = self.chance.below(400);
        Event::InteractionRecorded(InteractionRecorded {
            element: format!(
                "<button class=\"thumbnail\" data-index=\"{number}\">{}</button>",
                self.chance.text(2)
            ),
            widget: ["overview", "related items", "questions and answers", "ratings and reviews"]
                [self.chance.place(4)]
            .to_owned(),
            time: format!("Sun Nov 29 2026 22:{:02}:{:02} GMT+0100", number % 60, number % 59),
        })
    }

    fn review_id(&mut self) -> i64 {
        one(&mut self.chance, &self.reviews, &self.shop.reviews)
    }

    fn question_id(&mut self) -> i64 {
        one(&mut self.chance, &self.questions, &self.shop.questions)
    }

    fn answer_id(&mut self) -> i64 {
        one(&mut self.chance, &self.answers, &self.shop.answers)
    }

    fn name(&mut self) -> String {
        format!("shopper{}", self.chance.below(1 << 20))
    }

    fn sealed(&mut self, context: &str, id: &str) -> String {
        let address = format!("shopper{}@example.com", self.chance.below(1 << 20));
        self.sealer.seal(&address, context, id)
    }

    fn text(&mut self, least: u64, more: u64) -> String {
        let words = least + self.chance.below(more);
        self.chance.text(words)
    }

    fn photos(&mut self, number: u64) -> Vec<String> {
        let photo = |_| format!("https://images.example.com/photo-{:016x}", self.chance.next());
        (0..number).map(photo).collect()
    }
}

fn one(chance: &mut Chance, newest: &Newest, imported: &[i64]) -> i64 {
    if !newest.ids.is_empty() && (imported.is_empty() || chance.below(100) < FOR_NEW) {
        newest.ids[chance.place(newest.ids.len())]
    } else {
        imported[chance.place(imported.len())]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn the_mix_is_what_it_says_and_refers_to_what_is_there() {
        let shop = Shop {
            products: (1..=100).map(|id| (id, vec![id * 10, id * 10 + 1])).collect(),
            skus: vec![5, 6],
            reviews: vec![7],
            questions: vec![8],
            answers: vec![9],
        };
        let mut mix = Mix::new(shop, Sealer::new([7; 32]), 1_000_000_000);
        let (mut kinds, mut keys, mut reviews) = (BTreeMap::<&str, u32>::new(), 0, vec![7]);
        for position in 1_000_000_000..1_000_020_000 {
            let (envelope, event) = mix.next(Millis(0));
            *kinds.entry(event.type_name()).or_default() += 1;
            keys += u32::from(envelope.idempotency.is_some());
            match event {
                Event::ReviewCreated(_) => reviews.push(position),
                Event::ReviewHelpful(vote) => assert!(reviews.contains(&vote.review_id)),
                _ => {}
            }
        }
        assert!((2_800..3_200).contains(&kinds["review.created"]), "{kinds:?}");
        assert!((3_800..4_200).contains(&kinds["review.helpful"]), "{kinds:?}");
        assert!((5_000..5_400).contains(&kinds["interaction.recorded"]), "{kinds:?}");
        assert_eq!(kinds.len(), 11);
        assert!((1_000..1_400).contains(&keys), "{keys}");
    }
}
