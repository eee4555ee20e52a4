//! Interactions: `interactions`.

use contract::fold::Occurrence;
use contract::resources::interactions::InteractionRecorded;
use sqlx::PgConnection;

use crate::failure::Failure;

const RECORDED: &str = include_str!("interactions/recorded.sql");

/// What a batch changes, column by column, as the statement takes it.
#[derive(Default)]
pub(super) struct Changes<'a> {
    ids: Vec<i64>,
    elements: Vec<&'a str>,
    widgets: Vec<&'a str>,
    words: Vec<&'a str>,
    times: Vec<i64>,
}

impl<'a> Changes<'a> {
    pub(super) fn recorded(&mut self, occurrence: &Occurrence, event: &'a InteractionRecorded) {
        self.ids.push(occurrence.position.as_i64());
        self.elements.push(&event.element);
        self.widgets.push(&event.widget);
        self.words.push(&event.time);
        self.times.push(occurrence.time.0);
    }

    pub(super) async fn write(self, connection: &mut PgConnection) -> Result<(), Failure> {
        if !self.ids.is_empty() {
            sqlx::query(RECORDED)
                .bind(self.ids)
                .bind(self.elements)
                .bind(self.widgets)
                .bind(self.words)
                .bind(self.times)
                .execute(connection)
                .await?;
        }
        Ok(())
    }
}
