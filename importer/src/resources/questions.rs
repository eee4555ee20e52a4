//! What shoppers asked and were told: questions.csv, answers.csv, answers_photos.csv.

use contract::catalogue::Table;
use contract::resources::reviews::BODY_LIMIT;

use super::{EMAIL, HIGHEST_COUNT, NAME, Source, URL};
use crate::csv::Framing;
use crate::row::{Refusal, Row};

pub(super) const SOURCES: [Source; 3] = [
    Source {
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
        framing: Framing::Quotes,
        table: Table::Questions,
        clean: question,
    },
    Source {
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
        framing: Framing::Quotes,
        table: Table::Answers,
        clean: answer,
    },
    Source {
        name: "answers_photos.csv",
        columns: &["id", "answer_id", "url"],
        framing: Framing::Lines,
        table: Table::AnswerPhotos,
        clean: photo,
    },
];

fn question(row: &mut Row<'_>) -> Result<(), Refusal> {
    row.id()?;
    row.parent(Table::Products)?;
    written(row)
}

fn answer(row: &mut Row<'_>) -> Result<(), Refusal> {
    row.id()?;
    row.parent(Table::Questions)?;
    written(row)
}

/// The columns in which questions and answers are alike.
fn written(row: &mut Row<'_>) -> Result<(), Refusal> {
    row.text(BODY_LIMIT)?;
    row.date()?;
    row.text(NAME)?;
    row.sealed(EMAIL)?;
    row.boolean()?;
    row.integer(0, HIGHEST_COUNT)
}

fn photo(row: &mut Row<'_>) -> Result<(), Refusal> {
    row.id()?;
    row.parent(Table::Answers)?;
    row.text(URL)
}
