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
    /// The row that it belongs to does not exist.
    MissingParent,
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
    pub const ALL: [Self; 9] = [
        Self::NullText,
        Self::PriceForm,
        Self::BooleanForm,
        Self::DateForm,
        Self::RunawayQuote,
        Self::RelatedZero,
        Self::RelatedSelf,
        Self::MissingParent,
        Self::DuplicateId,
    ];

    /// What an import does with a row of this kind.
    #[must_use]
    pub const fn fate(self) -> Fate {
        match self {
            Self::NullText | Self::PriceForm | Self::BooleanForm | Self::DateForm | Self::RunawayQuote => {
                Fate::Repaired
            }
            Self::RelatedZero | Self::RelatedSelf => Fate::Dropped,
            Self::MissingParent | Self::DuplicateId => Fate::Quarantined,
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
            Self::MissingParent => "missing parent",
            Self::DuplicateId => "duplicate id",
        }
    }
}
