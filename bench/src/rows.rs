//! The rows of the table, one file each.

mod reviews;
mod styles;
pub(crate) mod writes;

use std::path::Path;

use crate::arguments::RowName;
use crate::error::Error;
use crate::private::Private;
use crate::row::Row;

/// All rows, in the table's order.
pub(crate) const ALL: [RowName; 3] = [RowName::Reviews, RowName::Styles, RowName::Writes];

/// Makes a row ready to be measured; its answers are checked first.
///
/// # Errors
/// When an answer is wrong or a reference does not start.
pub(crate) async fn prepare(name: RowName, private: &Private, oha: &Path) -> Result<Row, Error> {
    match name {
        RowName::Reviews => reviews::prepare(private, oha).await,
        RowName::Styles => styles::prepare(private, oha).await,
        RowName::Writes => writes::prepare(private, oha).await,
    }
}
