//! Carts: `cart_lines`.

use contract::fold::Occurrence;
use contract::resources::cart::CartAdded;
use sqlx::PgConnection;

use crate::failure::Failure;

const ADDED: &str = include_str!("cart/added.sql");

/// What a batch changes, column by column, as the statement takes it.
#[derive(Default)]
pub(super) struct Changes<'a> {
    positions: Vec<i64>,
    sessions: Vec<&'a str>,
    skus: Vec<i64>,
    counts: Vec<i64>,
}

impl<'a> Changes<'a> {
    pub(super) fn added(&mut self, occurrence: &Occurrence, event: &'a CartAdded) {
        self.positions.push(occurrence.position.as_i64());
        self.sessions.push(&event.session);
        self.skus.push(event.sku_id);
        self.counts.push(event.count);
    }

    pub(super) async fn write(self, connection: &mut PgConnection) -> Result<(), Failure> {
        if !self.positions.is_empty() {
            sqlx::query(ADDED)
                .bind(self.positions)
                .bind(self.sessions)
                .bind(self.skus)
                .bind(self.counts)
                .execute(connection)
                .await?;
        }
        Ok(())
    }
}
