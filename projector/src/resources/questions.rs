//! Questions: `questions`.

use contract::fold::Occurrence;
use contract::resources::questions::{QuestionCreated, QuestionHelpful, QuestionReported};
use sqlx::PgConnection;

use crate::failure::Failure;

const CREATED: &str = include_str!("questions/created.sql");
const HELPFUL: &str = include_str!("questions/helpful.sql");
const REPORTED: &str = include_str!("questions/reported.sql");

/// What a batch changes, column by column, as the statements take it.
#[derive(Default)]
pub(super) struct Changes<'a> {
    questions: Questions<'a>,
    helpful: Vec<i64>,
    reported: Vec<i64>,
}

#[derive(Default)]
struct Questions<'a> {
    ids: Vec<i64>,
    products: Vec<i64>,
    times: Vec<i64>,
    bodies: Vec<&'a str>,
    names: Vec<&'a str>,
    emails: Vec<&'a str>,
}

impl<'a> Changes<'a> {
    pub(super) fn created(&mut self, occurrence: &Occurrence, event: &'a QuestionCreated) {
        self.questions.ids.push(occurrence.position.as_i64());
        self.questions.products.push(event.product_id);
        self.questions.times.push(occurrence.time.0);
        self.questions.bodies.push(&event.body);
        self.questions.names.push(&event.asker_name);
        self.questions.emails.push(&event.asker_email);
    }

    pub(super) fn helpful(&mut self, event: &QuestionHelpful) {
        self.helpful.push(event.question_id);
    }

    pub(super) fn reported(&mut self, event: &QuestionReported) {
        self.reported.push(event.question_id);
    }

    pub(super) async fn write(self, connection: &mut PgConnection) -> Result<(), Failure> {
        let Changes { questions, helpful, reported } = self;
        if !questions.ids.is_empty() {
            sqlx::query(CREATED)
                .bind(questions.ids)
                .bind(questions.products)
                .bind(questions.times)
                .bind(questions.bodies)
                .bind(questions.names)
                .bind(questions.emails)
                .execute(&mut *connection)
                .await?;
        }
        if !helpful.is_empty() {
            sqlx::query(HELPFUL).bind(helpful).execute(&mut *connection).await?;
        }
        if !reported.is_empty() {
            sqlx::query(REPORTED).bind(reported).execute(&mut *connection).await?;
        }
        Ok(())
    }
}
