//! Answers: `answers`, `answer_photos`.

use contract::fold::Occurrence;
use contract::resources::answers::{AnswerCreated, AnswerHelpful, AnswerReported};
use sqlx::PgConnection;

use crate::failure::Failure;

const CREATED: &str = include_str!("answers/created.sql");
const CREATED_PHOTOS: &str = include_str!("answers/created_photos.sql");
const HELPFUL: &str = include_str!("answers/helpful.sql");
const REPORTED: &str = include_str!("answers/reported.sql");

/// What a batch changes, column by column, as the statements take it.
#[derive(Default)]
pub(super) struct Changes<'a> {
    answers: Answers<'a>,
    photos: Photos<'a>,
    helpful: Vec<i64>,
    reported: Vec<i64>,
}

#[derive(Default)]
struct Answers<'a> {
    ids: Vec<i64>,
    questions: Vec<i64>,
    times: Vec<i64>,
    bodies: Vec<&'a str>,
    names: Vec<&'a str>,
    emails: Vec<&'a str>,
}

#[derive(Default)]
struct Photos<'a> {
    ids: Vec<i64>,
    answers: Vec<i64>,
    urls: Vec<&'a str>,
}

impl<'a> Changes<'a> {
    pub(super) fn created(&mut self, occurrence: &Occurrence, event: &'a AnswerCreated) {
        let position = occurrence.position;
        let id = position.as_i64();
        self.answers.ids.push(id);
        self.answers.questions.push(event.question_id);
        self.answers.times.push(occurrence.time.0);
        self.answers.bodies.push(&event.body);
        self.answers.names.push(&event.answerer_name);
        self.answers.emails.push(&event.answerer_email);
        for (index, url) in event.photos.iter().enumerate() {
            self.photos.ids.push(position.part(index));
            self.photos.answers.push(id);
            self.photos.urls.push(url);
        }
    }

    pub(super) fn helpful(&mut self, event: &AnswerHelpful) {
        self.helpful.push(event.answer_id);
    }

    pub(super) fn reported(&mut self, event: &AnswerReported) {
        self.reported.push(event.answer_id);
    }

    pub(super) async fn write(self, connection: &mut PgConnection) -> Result<(), Failure> {
        let Changes { answers, photos, helpful, reported } = self;
        if !answers.ids.is_empty() {
            sqlx::query(CREATED)
                .bind(answers.ids)
                .bind(answers.questions)
                .bind(answers.times)
                .bind(answers.bodies)
                .bind(answers.names)
                .bind(answers.emails)
                .execute(&mut *connection)
                .await?;
        }
        if !photos.ids.is_empty() {
            let photos = sqlx::query(CREATED_PHOTOS).bind(photos.ids).bind(photos.answers).bind(photos.urls);
            photos.execute(&mut *connection).await?;
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
