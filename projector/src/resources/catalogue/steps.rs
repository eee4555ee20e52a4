//! What the closing of a catalogue makes, in steps that each stand alone: a table's keys, indexes and statistics, or
//! something derived.

use contract::catalogue::Table;
use sqlx::{AssertSqlSafe, PgConnection};

use crate::failure::Failure;

/// The tables' owner, for what only it may.
pub(crate) const BECOME_OWNER: &str = include_str!("become_owner.sql");
const DOCUMENTS: &str = include_str!("../products/documents.sql");
const REVIEWS_PHOTOS: &str = include_str!("../reviews/photos.sql");
const REVIEW_TOTALS: &str = include_str!("../reviews/totals.sql");
const CHARACTERISTIC_TOTALS: &str = include_str!("../reviews/characteristic_totals.sql");
const CART_LINES: &str = include_str!("../cart/legacy.sql");
const ANALYZE: &str = include_str!("analyze.sql");
/// Loading first and indexing after is several times faster than both at once.
const INDEXES: [&str; 4] = [
    include_str!("../../../../migrations/indexes/products.sql"),
    include_str!("../../../../migrations/indexes/reviews.sql"),
    include_str!("../../../../migrations/indexes/questions.sql"),
    include_str!("../../../../migrations/indexes/answers.sql"),
];
/// Documents are the longest part: in so many steps they can be made side by side, and less is lost with a crash.
const DOCUMENT_PARTS: i64 = 6;

/// Tables that ordinary events change, but whose indexes no event is applied by: only readers need them. Votes change what
/// they hold, so keeping them up all the way costs several times more than making them at the end.
const ONLY_READ_BY: [Table; 4] = [Table::Reviews, Table::Questions, Table::Answers, Table::AnswerPhotos];

/// Which indexes the closing makes beside the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Indexes {
    /// All: the generation is read.
    All,
    /// Only those that making what is derived and applying events need: the generation is not read yet. The rest comes
    /// with [`indexes_only_read_by`].
    ToApply,
}

/// What one step makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A table's primary key, indexes and statistics.
    Table(Table),
    /// The answers of one part of the products, in the order of their ids.
    Documents(i64),
    /// Reviews' photos, beside them.
    ReviewsPhotos,
    /// What /reviews/meta counts.
    ReviewTotals,
    /// What /reviews/meta sums for each characteristic.
    CharacteristicTotals,
    /// Carts of the imported lines.
    Carts,
    /// Statistics of what was derived.
    Statistics,
}

/// All steps, in the order in which they are begun: long ones first, so that none is left over at the end. A step's
/// place is its bit in the checkpoint, so a list that changes raises `PROJECTION_VERSION`.
pub(crate) const STEPS: [Step; 25] = [
    Step::ReviewsPhotos,
    Step::Table(Table::CharacteristicRatings),
    Step::Table(Table::Skus),
    Step::Table(Table::StylePhotos),
    Step::Table(Table::RelatedProducts),
    Step::Table(Table::Features),
    Step::Table(Table::Styles),
    Step::Table(Table::Products),
    Step::Documents(0),
    Step::Table(Table::Reviews),
    Step::Documents(1),
    Step::Table(Table::Characteristics),
    Step::CharacteristicTotals,
    Step::Documents(2),
    Step::Documents(3),
    Step::Documents(4),
    Step::Documents(5),
    Step::Table(Table::Answers),
    Step::Table(Table::Questions),
    Step::ReviewTotals,
    Step::Table(Table::ReviewPhotos),
    Step::Table(Table::AnswerPhotos),
    Step::Table(Table::LegacyCartLines),
    Step::Carts,
    Step::Statistics,
];

/// Every step's bit.
pub(crate) const ALL_STEPS: i32 = (1 << STEPS.len()) - 1;

impl Step {
    /// What it makes, for people.
    pub(crate) fn what(self) -> String {
        match self {
            Step::Table(table) => format!("keys and indexes of {}", table.name().replace('_', " ")),
            Step::Documents(part) => format!("product documents, part {} of {DOCUMENT_PARTS}", part + 1),
            Step::ReviewsPhotos => "reviews' photos".to_owned(),
            Step::ReviewTotals => "review totals".to_owned(),
            Step::CharacteristicTotals => "characteristic totals".to_owned(),
            Step::Carts => "carts".to_owned(),
            Step::Statistics => "statistics".to_owned(),
        }
    }

    /// Its bit in the checkpoint.
    pub(crate) fn bit(self) -> i32 {
        let place = STEPS.iter().position(|step| *step == self);
        1 << place.expect("STEPS has every step")
    }

    /// The bits of the steps that must be done before: what its statements look up.
    pub(crate) fn needs(self) -> i32 {
        use Table::{
            CharacteristicRatings, Characteristics, Features, LegacyCartLines, Products, RelatedProducts,
            Reviews, Skus, StylePhotos, Styles,
        };
        let tables: &[Table] = match self {
            Step::Table(Reviews) => return Step::ReviewsPhotos.bit(),
            Step::Table(_) | Step::ReviewsPhotos => &[],
            Step::Documents(_) => &[Products, Features, Styles, Skus, StylePhotos, RelatedProducts],
            Step::ReviewTotals => &[Reviews],
            Step::CharacteristicTotals => &[Reviews, Characteristics, CharacteristicRatings],
            Step::Carts => &[LegacyCartLines],
            Step::Statistics => {
                let derived = |step: &&Step| !matches!(step, Step::Table(_) | Step::Statistics);
                return STEPS.iter().filter(derived).map(|step| step.bit()).sum();
            }
        };
        tables.iter().map(|table| Step::Table(*table).bit()).sum()
    }

    /// About how many of a thousand parts of all steps' work it is, measured on the full catalogue.
    pub(crate) fn share(self) -> f64 {
        match self {
            Step::Table(table) => match table {
                Table::CharacteristicRatings => 200.0,
                Table::Skus => 100.0,
                Table::Reviews => 90.0,
                Table::Answers => 70.0,
                Table::StylePhotos => 50.0,
                Table::RelatedProducts => 40.0,
                Table::Questions | Table::Characteristics => 30.0,
                Table::AnswerPhotos | Table::ReviewPhotos | Table::Features | Table::Styles => 20.0,
                Table::Products | Table::LegacyCartLines => 10.0,
            },
            Step::ReviewsPhotos => 60.0,
            Step::Documents(_) => 35.0,
            Step::CharacteristicTotals => 60.0,
            Step::ReviewTotals => 8.0,
            Step::Carts => 6.0,
            Step::Statistics => 6.0,
        }
    }

    /// Makes it, in a transaction of the caller's.
    pub(crate) async fn make(self, connection: &mut PgConnection, indexes: Indexes) -> Result<(), Failure> {
        sqlx::raw_sql(BECOME_OWNER).execute(&mut *connection).await?;
        match self {
            Step::Table(table) => keys_and_indexes(connection, table, indexes).await?,
            Step::Documents(part) => sqlx::query(DOCUMENTS)
                .bind(part)
                .bind(DOCUMENT_PARTS)
                .execute(&mut *connection)
                .await
                .map(drop)?,
            Step::ReviewsPhotos => sqlx::raw_sql(REVIEWS_PHOTOS).execute(&mut *connection).await.map(drop)?,
            Step::ReviewTotals => sqlx::raw_sql(REVIEW_TOTALS).execute(&mut *connection).await.map(drop)?,
            Step::CharacteristicTotals => {
                sqlx::raw_sql(CHARACTERISTIC_TOTALS).execute(&mut *connection).await.map(drop)?
            }
            Step::Carts => sqlx::raw_sql(CART_LINES).execute(&mut *connection).await.map(drop)?,
            Step::Statistics => sqlx::raw_sql(ANALYZE).execute(&mut *connection).await.map(drop)?,
        }
        Ok(sqlx::raw_sql("reset role").execute(connection).await.map(drop)?)
    }
}

/// Lets rows come in as fast as they can: without keys, which come back when the catalogue closes, and without being
/// vacuumed and analysed again and again in between.
pub(super) async fn prepare_loading(connection: &mut PgConnection) -> Result<(), Failure> {
    sqlx::raw_sql(BECOME_OWNER).execute(&mut *connection).await?;
    for name in Table::ALL.map(Table::name) {
        let statement =
            format!("alter table {name} drop constraint {name}_pkey, set (autovacuum_enabled = off)");
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *connection).await?;
    }
    Ok(sqlx::raw_sql("reset role").execute(connection).await.map(drop)?)
}

/// Readers are kept out only for the moment in which the index becomes the primary key.
async fn keys_and_indexes(
    connection: &mut PgConnection,
    table: Table,
    indexes: Indexes,
) -> Result<(), Failure> {
    let name = table.name();
    let key = format!("create unique index {name}_pkey on {name} (id)");
    sqlx::raw_sql(AssertSqlSafe(key)).execute(&mut *connection).await?;
    let later = indexes == Indexes::ToApply && ONLY_READ_BY.contains(&table);
    for index in indexes_of(table).into_iter().filter(|_| !later) {
        sqlx::raw_sql(AssertSqlSafe(index)).execute(&mut *connection).await?;
    }
    let mut last = format!(
        "analyze {name}; alter table {name} add constraint {name}_pkey primary key using index {name}_pkey"
    );
    if !later {
        last += ", reset (autovacuum_enabled)";
    }
    sqlx::raw_sql(AssertSqlSafe(last)).execute(connection).await?;
    Ok(())
}

/// The statements that make what a closing with [`Indexes::ToApply`] leaves out.
pub(crate) fn indexes_only_read_by() -> Vec<String> {
    ONLY_READ_BY.into_iter().flat_map(indexes_of).collect()
}

/// The statements that make all indexes but the keys'.
pub(crate) fn indexes() -> Vec<String> {
    Table::ALL.into_iter().flat_map(indexes_of).collect()
}

/// The statements that make the indexes that a table of the catalogue gets when that closes; none for other tables.
pub(crate) fn indexes_on(name: &str) -> Vec<String> {
    Table::ALL.into_iter().filter(|table| table.name() == name).flat_map(indexes_of).collect()
}

/// The statements that make a table's indexes.
fn indexes_of(table: Table) -> Vec<String> {
    let on = format!(" on {} (", table.name());
    let code = |file: &str| -> String {
        file.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join(" ")
    };
    let statements = INDEXES.iter().flat_map(|file| {
        code(file).split(';').map(|statement| statement.trim().to_owned()).collect::<Vec<_>>()
    });
    statements.filter(|statement| statement.contains(&on)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_step_is_in_the_list_once_and_what_it_needs_comes_before() {
        let mut bits = HashSet::new();
        let mut before = 0;
        for step in STEPS {
            assert!(bits.insert(step.bit()) && step.bit() > 0, "{}", step.what());
            assert_eq!(step.needs() & !before, 0, "{} needs what comes later", step.what());
            before |= step.bit();
        }
        assert_eq!(before, ALL_STEPS);
        assert!(Table::ALL.iter().all(|table| STEPS.contains(&Step::Table(*table))));
        assert!((0..DOCUMENT_PARTS).all(|part| STEPS.contains(&Step::Documents(part))));
    }

    #[test]
    fn every_index_is_made_by_the_step_of_its_table() {
        let written: usize = INDEXES.iter().map(|file| file.matches("create index").count()).sum();
        let made = indexes();
        assert_eq!(made.len(), written);
        assert!(written >= 12 && made.iter().all(|index| index.starts_with("create index ")));
    }
}
