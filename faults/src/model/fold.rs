//! One event after the other.

use contract::Event;

use super::{Holder, Post, Review, State};
use crate::log::Logged;

/// A holder of a key counts while it is younger than a day by the stream clock.
const DAY: i64 = 24 * 60 * 60 * 1000;
/// One event moves the stream clock by a minute at most.
const MINUTE: i64 = 60 * 1000;

impl State {
    /// The state behind one more event.
    ///
    /// # Errors
    /// When the event is not the next one, or cannot stand behind the import.
    pub(crate) fn follow(&mut self, logged: &Logged) -> Result<(), String> {
        self.step(logged)?;
        if self.is_taken(logged) {
            return Ok(());
        }
        let outcome = self.apply(logged)?;
        self.record(logged, outcome);
        Ok(())
    }

    /// The state behind one more event that an operator has parked: nothing of it but its rejection.
    ///
    /// # Errors
    /// When the event is not the next one.
    pub(crate) fn pass_by(&mut self, logged: &Logged) -> Result<(), String> {
        self.step(logged)?;
        let unkeyed = Logged { key: logged.key.clone().filter(|_| !self.is_taken(logged)), ..logged.clone() };
        self.record(&unkeyed, Err("parked"));
        Ok(())
    }

    fn step(&mut self, logged: &Logged) -> Result<(), String> {
        if logged.position != self.position + 1 {
            return Err(format!("event {} comes behind {}", logged.position, self.position));
        }
        self.position = logged.position;
        self.event_hash.clone_from(&logged.hash);
        self.clock = self.clock.max(logged.stored.min(self.clock + MINUTE));
        Ok(())
    }

    /// Whether an earlier event holds its key.
    fn is_taken(&self, logged: &Logged) -> bool {
        let holder = logged.key.as_ref().and_then(|key| self.keys.get(&key.key));
        holder.is_some_and(|holder| self.clock - holder.clock < DAY)
    }

    fn record(&mut self, logged: &Logged, outcome: Result<(), &'static str>) {
        if let Err(reason) = outcome {
            let event_type = logged.event.type_name().to_owned();
            self.rejections.insert(logged.position, (event_type, reason.to_owned()));
        }
        if let Some(key) = &logged.key {
            let holder = Holder {
                position: logged.position,
                body: key.body.clone(),
                outcome: outcome.err().unwrap_or("applied").to_owned(),
                clock: self.clock,
            };
            self.keys.insert(key.key.clone(), holder);
        }
    }

    /// What becomes of an event that is no repeat: applied, or rejected for a reason.
    fn apply(&mut self, logged: &Logged) -> Result<Result<(), &'static str>, String> {
        let Logged { position, time, .. } = *logged;
        Ok(match &logged.event {
            Event::ReviewCreated(review) => self.review(position, time, review),
            Event::ReviewHelpful(vote) => match self.reviews.get_mut(&vote.review_id) {
                Some(review) => {
                    review.helpfulness += 1;
                    Ok(())
                }
                None => Err("unknown_review"),
            },
            Event::ReviewReported(report) => self.hide(report.review_id),
            Event::QuestionCreated(question) if !self.products.contains(&question.product_id) => {
                Err("unknown_product")
            }
            Event::QuestionCreated(question) => {
                let post = post(
                    question.product_id,
                    &question.body,
                    time,
                    &question.asker_name,
                    &question.asker_email,
                );
                self.questions.insert(position, post);
                Ok(())
            }
            Event::QuestionHelpful(vote) => {
                found(self.questions.get_mut(&vote.question_id), "unknown_question", |q| q.helpfulness += 1)
            }
            Event::QuestionReported(report) => {
                found(self.questions.get_mut(&report.question_id), "unknown_question", |q| q.reported = true)
            }
            Event::AnswerCreated(answer) if !self.questions.contains_key(&answer.question_id) => {
                Err("unknown_question")
            }
            Event::AnswerCreated(answer) => {
                let post = post(
                    answer.question_id,
                    &answer.body,
                    time,
                    &answer.answerer_name,
                    &answer.answerer_email,
                );
                self.answers.insert(position, post);
                for (index, url) in (0..).zip(&answer.photos) {
                    self.answer_photos.insert(position * 16 + index, (position, url.clone()));
                }
                Ok(())
            }
            Event::AnswerHelpful(vote) => {
                found(self.answers.get_mut(&vote.answer_id), "unknown_answer", |a| a.helpfulness += 1)
            }
            Event::AnswerReported(report) => {
                found(self.answers.get_mut(&report.answer_id), "unknown_answer", |a| a.reported = true)
            }
            Event::CartAdded(line) if !self.skus.contains(&line.sku_id) => Err("unknown_sku"),
            Event::CartAdded(line) => {
                let place = self.cart.entry((line.session.clone(), line.sku_id)).or_insert((0, position));
                place.0 += line.count;
                Ok(())
            }
            Event::InteractionRecorded(seen) => {
                let row = (seen.element.clone(), seen.widget.clone(), seen.time.clone(), time);
                self.interactions.insert(position, row);
                Ok(())
            }
            Event::ControlProbe(_)
            | Event::ControlAudit(_)
            | Event::ControlParked(_)
            | Event::EpochOpened(_) => Ok(()),
            Event::CatalogueOpened(_) => Err("catalogue_taken"),
            Event::CatalogueChunk(_) | Event::CatalogueClosed(_) => {
                return Err(format!("event {position} belongs to an import; the base must lie behind it"));
            }
        })
    }

    fn review(
        &mut self,
        position: i64,
        time: i64,
        review: &contract::resources::reviews::ReviewCreated,
    ) -> Result<(), &'static str> {
        let product = review.product_id;
        if !self.products.contains(&product) {
            return Err("unknown_product");
        }
        for rating in &review.characteristics {
            if self.characteristic_totals.contains_key(&(product, rating.id)) {
                continue;
            }
            let somebody_has_it = self.characteristic_totals.keys().any(|(_, id)| *id == rating.id);
            return Err(if somebody_has_it { "foreign_characteristic" } else { "unknown_characteristic" });
        }
        let row = Review {
            product,
            rating: review.rating.into(),
            date: time,
            summary: review.summary.clone(),
            body: review.body.clone(),
            recommend: review.recommend,
            reported: false,
            name: review.reviewer_name.clone(),
            email: Some(review.reviewer_email.clone()),
            helpfulness: 0,
        };
        self.count(&row, 1);
        self.reviews.insert(position, row);
        for (index, url) in (0..).zip(&review.photos) {
            self.review_photos.insert(position * 16 + index, (position, url.clone()));
        }
        for (index, rating) in (0..).zip(&review.characteristics) {
            let value = i64::from(rating.value);
            self.ratings.insert(position * 16 + index, (rating.id, position, value));
            self.count_rating(product, rating.id, value, 1);
        }
        Ok(())
    }

    /// Hides a review for good: it counts no more. A second report changes nothing.
    fn hide(&mut self, id: i64) -> Result<(), &'static str> {
        let review = self.reviews.get_mut(&id).ok_or("unknown_review")?;
        if review.reported {
            return Ok(());
        }
        review.reported = true;
        let review = review.clone();
        self.count(&review, -1);
        let of_it: Vec<(i64, i64)> = self
            .ratings
            .values()
            .filter(|(_, of, _)| *of == id)
            .map(|(characteristic, _, value)| (*characteristic, *value))
            .collect();
        for (characteristic, value) in of_it {
            self.count_rating(review.product, characteristic, value, -1);
        }
        Ok(())
    }

    fn count(&mut self, review: &Review, by: i64) {
        let totals = self.review_totals.entry(review.product).or_default();
        for (total, stars) in totals.iter_mut().zip(1..=5) {
            if stars == review.rating {
                *total += by;
            }
        }
        totals[if review.recommend { 5 } else { 6 }] += by;
    }

    fn count_rating(&mut self, product: i64, characteristic: i64, value: i64, by: i64) {
        if let Some((ratings, total)) = self.characteristic_totals.get_mut(&(product, characteristic)) {
            *ratings += by;
            *total += by * value;
        }
    }
}

fn found(
    post: Option<&mut Post>,
    otherwise: &'static str,
    change: impl FnOnce(&mut Post),
) -> Result<(), &'static str> {
    post.map(change).ok_or(otherwise)
}

fn post(of: i64, body: &str, date: i64, name: &str, email: &str) -> Post {
    Post {
        of,
        body: body.to_owned(),
        date,
        name: name.to_owned(),
        email: Some(email.to_owned()),
        reported: false,
        helpfulness: 0,
    }
}
