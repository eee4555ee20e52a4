//! Random events as shoppers cause them, most of them sensible, straight for the stream.

use contract::resources::answers::{AnswerCreated, AnswerHelpful, AnswerReported};
use contract::resources::cart::CartAdded;
use contract::resources::interactions::InteractionRecorded;
use contract::resources::questions::{QuestionCreated, QuestionHelpful, QuestionReported};
use contract::resources::reviews::{CharacteristicRating, ReviewCreated, ReviewHelpful, ReviewReported};
use contract::{Envelope, Event, Idempotency, Millis};

use crate::Random;
use crate::catalogue::{Spare, spare_products};

/// A product, question, sku that never was.
const NOBODY: i64 = 99_999;
/// Text that must come through COPY, arrays and JSON as it is.
const TEXT: &str = "a tab\t, a \\, \"quotes\", {braces} and a\nbreak \u{fffe}\u{10ffff}";

/// What was told so far.
pub struct Story<'a> {
    random: &'a mut Random,
    spares: Vec<Spare>,
    reviews: Kind,
    questions: Kind,
    answers: Kind,
}

/// What there is of one kind.
#[derive(Debug)]
struct Kind {
    known: Vec<i64>,
    rejected: Vec<i64>,
}

impl<'a> Story<'a> {
    /// Begins on the tests' catalogue.
    pub fn new(random: &'a mut Random) -> Story<'a> {
        let kind = |known: &[i64]| Kind { known: known.to_vec(), rejected: vec![] };
        Story {
            random,
            spares: spare_products().take(5).collect(),
            reviews: kind(&[5, 6, 7, 8, 9, 20]),
            questions: kind(&[36, 37, 39, 50]),
            answers: kind(&[8, 57, 66, 80]),
        }
    }

    /// The next event, with its envelope.
    pub fn next(&mut self, number: usize) -> (Envelope, Event) {
        let event = match self.random.below(24) {
            0..3 => self.review(),
            3..6 => Event::ReviewHelpful(ReviewHelpful { review_id: self.reviews.pick(self.random) }),
            6 => Event::ReviewReported(ReviewReported { review_id: self.reviews.pick(self.random) }),
            7..10 => self.question(),
            10..12 => {
                Event::QuestionHelpful(QuestionHelpful { question_id: self.questions.pick(self.random) })
            }
            12 => Event::QuestionReported(QuestionReported { question_id: self.questions.pick(self.random) }),
            13..16 => self.answer(),
            16..18 => Event::AnswerHelpful(AnswerHelpful { answer_id: self.answers.pick(self.random) }),
            18 => Event::AnswerReported(AnswerReported { answer_id: self.answers.pick(self.random) }),
            19..23 => self.cart_line(),
            _ => Event::InteractionRecorded(InteractionRecorded {
                element: TEXT.into(),
                widget: "overview".into(),
                time: number.to_string(),
            }),
        };
        // Now and then an id that the broker knows, and keys that recur under other ids.
        let id = if number > 10 && self.random.below(20) == 0 { number - 1 } else { number };
        let time = Millis(1_795_449_000_000 + number as i64 * 7);
        let mut envelope = Envelope::new(format!("story-{id}"), time, "/atelier/test");
        if self.random.below(4) == 0 {
            let key = self.random.below(30);
            let body = format!("body-{}", self.random.below(3));
            envelope.idempotency = Some(Idempotency { key: format!("key-{key}"), body });
        }
        (envelope, event)
    }

    /// The event was stored at this position.
    pub fn remember(&mut self, id: i64, event: &Event) {
        match event {
            Event::ReviewCreated(review) => self.reviews.remember(id, review.product_id != NOBODY),
            Event::QuestionCreated(question) => self.questions.remember(id, question.product_id != NOBODY),
            Event::AnswerCreated(answer) => {
                let known = self.questions.known.contains(&answer.question_id);
                self.answers.remember(id, known);
            }
            _ => {}
        }
    }

    fn review(&mut self) -> Event {
        let product = *self.random.pick(&self.spares);
        let foreign = self.random.below(15) == 0;
        let characteristics = match self.random.below(4) {
            0 => vec![],
            1 => vec![product.fit],
            _ => vec![product.fit, if foreign { 14 } else { product.quality }],
        };
        let value = self.random.below(5) as u8 + 1;
        Event::ReviewCreated(ReviewCreated {
            product_id: self.or_nobody(product.id),
            rating: self.random.below(5) as u8 + 1,
            summary: "Fits".into(),
            body: TEXT.into(),
            recommend: self.random.below(2) == 0,
            reviewer_name: "jo".into(),
            reviewer_email: "sealed1.none.AAAA".into(),
            photos: self.photos(),
            characteristics: characteristics
                .into_iter()
                .map(|id| CharacteristicRating { id, value })
                .collect(),
        })
    }

    fn question(&mut self) -> Event {
        let product = *self.random.pick(&self.spares);
        Event::QuestionCreated(QuestionCreated {
            product_id: self.or_nobody(product.id),
            body: TEXT.into(),
            asker_name: "jo".into(),
            asker_email: "sealed1.none.AAAA".into(),
        })
    }

    fn answer(&mut self) -> Event {
        Event::AnswerCreated(AnswerCreated {
            question_id: self.questions.pick(self.random),
            body: TEXT.into(),
            answerer_name: "al".into(),
            answerer_email: "sealed1.none.AAAA".into(),
            photos: self.photos(),
        })
    }

    /// A few carts, of which the catalogue has one already.
    fn cart_line(&mut self) -> Event {
        let sku = *self.random.pick(&[1, 2, 10, 11]);
        Event::CartAdded(CartAdded {
            session: format!("session-{}", self.random.below(4)),
            sku_id: self.or_nobody(sku),
            count: self.random.below(3) as i64 + 1,
        })
    }

    fn photos(&mut self) -> Vec<String> {
        // With what JSON escapes, and what some writers of JSON escape and others do not.
        (0..self.random.below(4))
            .map(|photo| format!("https://img.example/{photo}/\"\\/<é\u{7f}\u{2028}\u{1}.jpg"))
            .collect()
    }

    fn or_nobody(&mut self, id: i64) -> i64 {
        if self.random.below(15) == 0 { NOBODY } else { id }
    }
}

impl Kind {
    /// Mostly one that exists; else one that was rejected, is yet to come, or never was.
    fn pick(&self, random: &mut Random) -> i64 {
        let newest = self.known[self.known.len() - 1];
        match random.below(12) {
            0 if !self.rejected.is_empty() => *random.pick(&self.rejected),
            1 => newest + 1 + random.below(5) as i64,
            2 => 55_555_555,
            // Soon after it was written, often in the same batch.
            3..8 => newest,
            _ => *random.pick(&self.known),
        }
    }

    fn remember(&mut self, id: i64, known: bool) {
        if known { self.known.push(id) } else { self.rejected.push(id) }
    }
}
