//! The kinds of dirt of the legacy export, and what an import has to do about each.

/// One way in which a row is not as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dirt {
    /// The text `null` (quoted or not) stands for an absent value.
    NullText,
    /// A price with a `$` or with spaces around it.
    PriceForm,
    /// A boolean as `0` or `1`.
    BooleanForm,
    /// A date as milliseconds since 1970 or as `YYYY-MM-DD` instead of ISO 8601.
    DateForm,
    /// A thumbnail whose closing quote is missing or doubled, so that it runs into the next line.
    RunawayQuote,
    /// A related product of id 0.
    RelatedZero,
    /// A product related to itself.
    RelatedSelf,
    /// A cart's line that is not active any more.
    Inactive,
    /// The row that it belongs to does not exist.
    MissingParent,
    /// A cart's line of a product that has no sku.
    NoSku,
    /// The row before it has the same id.
    DuplicateId,
}

/// What becomes of a dirty row in an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Imported, after its values were read for what they mean.
    Repaired,
    /// Left out as meaningless.
    Dropped,
    /// Set aside for a person to look at.
    Quarantined,
}

impl Dirt {
    /// All kinds, in the order in which tables list them.
    pub const ALL: [Self; 11] = [
        Self::NullText,
        Self::PriceForm,
        Self::BooleanForm,
        Self::DateForm,
        Self::RunawayQuote,
        Self::RelatedZero,
        Self::RelatedSelf,
        Self::Inactive,
        Self::MissingParent,
        Self::NoSku,
        Self::DuplicateId,
    ];

    /// What an import does with a row of this kind.
    #[must_use]
    pub const fn fate(self) -> Fate {
        match self {
            Self::NullText | Self::PriceForm | Self::BooleanForm | Self::DateForm | Self::RunawayQuote => {
                Fate::Repaired
            }
            Self::RelatedZero | Self::RelatedSelf | Self::Inactive => Fate::Dropped,
            Self::MissingParent | Self::NoSku | Self::DuplicateId => Fate::Quarantined,
        }
    }

    /// A few words for tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NullText => "null text",
            Self::PriceForm => "price form",
            Self::BooleanForm => "boolean form",
            Self::DateForm => "date form",
            Self::RunawayQuote => "runaway quote",
            Self::RelatedZero => "related to 0",
            Self::RelatedSelf => "related to itself",
            Self::Inactive => "inactive",
            Self::MissingParent => "missing parent",
            Self::NoSku => "product without sku",
            Self::DuplicateId => "duplicate id",
        }
    }
}
