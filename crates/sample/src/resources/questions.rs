//! What shoppers asked and were told: questions.csv, answers.csv, answers_photos.csv.

use super::Create;
use crate::Error;
use crate::dates::{self, Form};
use crate::dirt::Dirt;
use crate::random::{Random, Share};
use crate::sheet::{Format, Sheet};
use crate::summary::FileSummary;
use crate::text::{self, people, question as words, review};

const QUESTIONS: Format = Format {
    name: "questions.csv",
    columns: &[
        "id",
        "product_id",
        "body",
        "date_written",
        "asker_name",
        "asker_email",
        "reported",
        "helpful",
    ],
    header_spaces: false,
    carriage_returns: false,
    last_line_ends: true,
};
const ANSWERS: Format = Format {
    name: "answers.csv",
    columns: &[
        "id",
        "question_id",
        "body",
        "date_written",
        "answerer_name",
        "answerer_email",
        "reported",
        "helpful",
    ],
    header_spaces: true,
    carriage_returns: true,
    last_line_ends: true,
};
const ANSWERS_PHOTOS: Format = Format {
    name: "answers_photos.csv",
    columns: &["id", "answer_id", "url"],
    header_spaces: false,
    carriage_returns: false,
    last_line_ends: true,
};

// Rows of the legacy export at full size.
const QUESTIONS_PER_PRODUCT: f64 = 3_518_963.0 / 1_000_011.0;
const ANSWERS_PER_QUESTION: f64 = 6_879_306.0 / 3_518_963.0;
const PHOTOS_PER_ANSWER: f64 = 2_063_759.0 / 6_879_306.0;

/// The files of this resource, open.
#[derive(Debug)]
pub(super) struct Files {
    questions: Sheet,
    answers: Sheet,
    photos: Sheet,
    question_share: Share,
    answer_share: Share,
    photo_share: Share,
    date: String,
}

impl Files {
    pub(super) fn create(create: &mut Create<'_>) -> Result<Self, Error> {
        Ok(Self {
            questions: create(&QUESTIONS)?,
            answers: create(&ANSWERS)?,
            photos: create(&ANSWERS_PHOTOS)?,
            question_share: Share::new(QUESTIONS_PER_PRODUCT),
            answer_share: Share::new(ANSWERS_PER_QUESTION),
            photo_share: Share::new(PHOTOS_PER_ANSWER),
            date: String::new(),
        })
    }

    pub(super) fn write(&mut self, product: u64, weight: f64, random: &mut Random) -> Result<(), Error> {
        for _ in 0..self.question_share.take(weight) {
            let question = self.questions.begin();
            self.questions.parent(product, random).text(random.pick(words::QUESTIONS));
            if !write_author(&mut self.questions, &mut self.date, random)? {
                continue;
            }
            for _ in 0..self.answer_share.take(text::varied(random, 5)) {
                let answer = self.answers.begin();
                self.answers.parent(question, random).text(random.pick(words::ANSWERS));
                if !write_author(&mut self.answers, &mut self.date, random)? {
                    continue;
                }
                for _ in 0..self.photo_share.take(if random.percent(20) { 5.0 } else { 0.0 }) {
                    self.photos.begin();
                    self.photos.parent(answer, random).text(&review::photo(random)).end()?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn rows(&self) -> u64 {
        self.questions.rows() + self.answers.rows() + self.photos.rows()
    }

    pub(super) fn finish(self, summaries: &mut Vec<FileSummary>) -> Result<(), Error> {
        for sheet in [self.questions, self.answers, self.photos] {
            summaries.push(sheet.finish()?);
        }
        Ok(())
    }
}

/// The columns in which questions and answers are alike: date, name, address, reported, helpful.
fn write_author(sheet: &mut Sheet, date: &mut String, random: &mut Random) -> Result<bool, Error> {
    if dates::write(random, date) != Form::Iso {
        sheet.mark(Dirt::DateForm);
    }
    sheet.raw(date).text(&people::name(random)).text(&people::email(random));
    let reported = random.percent(2);
    sheet.boolean(reported, random).number(random.below(21)).end()
}
