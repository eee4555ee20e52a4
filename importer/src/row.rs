//! One row on its way from a record to COPY text: values are read and written in the columns' order, which is the
//! same in the files and in the tables (but for the lines of carts).

use contract::catalogue::Table;

use crate::clean::{self, Fault, HIGHEST_ID, Read};
use crate::copy::CopyText;
use crate::csv::{Broken, Record};
use crate::keys::Keys;
use crate::known::Known;

/// A value's meaning differed from its look; counted, for rows that were imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repair {
    NullText,
    PriceForm,
    BooleanForm,
    DateForm,
    StrayQuote,
}

impl Repair {
    pub(crate) const ALL: [Self; 5] =
        [Self::NullText, Self::PriceForm, Self::BooleanForm, Self::DateForm, Self::StrayQuote];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::NullText => "null as text",
            Self::PriceForm => "price with $ or spaces",
            Self::BooleanForm => "boolean as 0 or 1",
            Self::DateForm => "date without time or in milliseconds",
            Self::StrayQuote => "stray quote",
        }
    }
}

/// Why a row is not imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It says nothing; it is counted and forgotten.
    Dropped(&'static str),
    /// It says something that cannot be saved; it goes to the quarantine.
    Quarantined(Reason),
}

/// Why a row goes to the quarantine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Reason {
    #[error(transparent)]
    Record(#[from] Broken),
    #[error("{column} {fault}")]
    Value { column: &'static str, fault: Fault },
}

impl Reason {
    /// The reason without what is particular to the row, for counting.
    pub(crate) fn kind(&self) -> String {
        match self {
            Self::Record(Broken::Columns { .. }) => "wrong number of columns".to_owned(),
            Self::Value { column, fault: Fault::MissingParent(_, table) } => {
                format!("{column} is not among the {table}")
            }
            Self::Value { column, fault: Fault::NoSku(_) } => format!("{column} has no sku"),
            Self::Record(_) | Self::Value { .. } => self.to_string(),
        }
    }
}

/// Reads the values of one record from left to right and writes them as one row.
pub(crate) struct Row<'a> {
    record: &'a Record,
    columns: &'static [&'static str],
    copy: &'a mut CopyText,
    known: &'a Known,
    keys: &'a Keys,
    table: Table,
    /// The column to be read next.
    next: usize,
    id: u32,
    /// What the row belongs to in the first place; 0 for what belongs to nothing.
    parent: u32,
    repairs: u8,
}

/// A row that was written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ended {
    pub(crate) id: u32,
    /// What the row belongs to in the first place; 0 for what belongs to nothing.
    pub(crate) parent: u32,
    /// As bits in the order of [`Repair::ALL`].
    pub(crate) repairs: u8,
}

impl<'a> Row<'a> {
    pub(crate) fn new(
        record: &'a Record,
        columns: &'static [&'static str],
        copy: &'a mut CopyText,
        known: &'a Known,
        keys: &'a Keys,
        table: Table,
    ) -> Self {
        let repairs = if record.mended { 1 << Repair::StrayQuote as u8 } else { 0 };
        Self { record, columns, copy, known, keys, table, next: 0, id: 0, parent: 0, repairs }
    }

    /// The row's own id, which must be new; the first column of every file.
    pub(crate) fn id(&mut self) -> Result<(), Refusal> {
        self.id = self.read_integer(1..=HIGHEST_ID)?;
        if self.known.contains(self.table, self.id) {
            return Err(self.refusal(Fault::Duplicate));
        }
        self.copy.number(self.id);
        Ok(())
    }

    /// The id of a row of another table, which must have been imported.
    pub(crate) fn parent(&mut self, table: Table) -> Result<(), Refusal> {
        let parent = self.read_integer(1..=HIGHEST_ID)?;
        self.write_parent(table, parent)
    }

    /// Two ids of a row's parents in one table. Dropped for `reason` when the second is 0 or equals the first.
    pub(crate) fn pair(&mut self, table: Table, reason: &'static str) -> Result<(), Refusal> {
        let first = self.read_integer(0..=HIGHEST_ID)?;
        let second = self.read_integer(0..=HIGHEST_ID)?;
        if second == 0 || first == second {
            return Err(Refusal::Dropped(reason));
        }
        self.next -= 1;
        self.write_parent(table, first)?;
        self.next += 1;
        self.write_parent(table, second)
    }

    /// A cart's line, active or not: whose it is, and its product, for which the lowest sku is written. Dropped for
    /// `reason` when it is not active.
    pub(crate) fn cart_line(&mut self, limit: usize, reason: &'static str) -> Result<(), Refusal> {
        let session = self.read_text(limit);
        let session = session.and_then(|text| text.ok_or_else(|| self.refusal(Fault::Absent)));
        let product = self.read_integer(1..=HIGHEST_ID);
        let active = self.read_present()?;
        // An inactive line is dropped whatever else it says.
        if !self.form(clean::boolean(active), Repair::BooleanForm)? {
            return Err(Refusal::Dropped(reason));
        }
        let (session, product) = (session?, product?);
        self.next -= 1;
        if !self.known.contains(Table::Products, product) {
            return Err(self.refusal(Fault::MissingParent(product, Table::Products.name())));
        }
        let sku = self.known.lowest_sku(product).ok_or_else(|| self.refusal(Fault::NoSku(product)))?;
        self.next += 1;
        self.copy.text(&self.keys.hashing.session(session.trim()));
        self.copy.number(sku);
        Ok(())
    }

    pub(crate) fn integer(&mut self, lowest: u32, highest: u32) -> Result<(), Refusal> {
        let number = self.read_integer(lowest..=highest)?;
        self.copy.number(number);
        Ok(())
    }

    /// Text that must be there, of at most `limit` characters.
    pub(crate) fn text(&mut self, limit: usize) -> Result<(), Refusal> {
        match self.read_text(limit)? {
            Some(text) => self.copy.text(text),
            None => return Err(self.refusal(Fault::Absent)),
        }
        Ok(())
    }

    /// Text that may be absent, which is null.
    pub(crate) fn optional_text(&mut self, limit: usize) -> Result<(), Refusal> {
        let text = self.read_text(limit)?;
        self.copy.optional_text(text);
        Ok(())
    }

    /// Text that may be absent, which is an empty text.
    pub(crate) fn text_or_empty(&mut self, limit: usize) -> Result<(), Refusal> {
        let text = self.read_text(limit)?;
        self.copy.text(text.unwrap_or_default());
        Ok(())
    }

    /// An e-mail address, sealed; absent is null.
    pub(crate) fn sealed(&mut self, limit: usize) -> Result<(), Refusal> {
        match self.read_text(limit)? {
            Some(address) => {
                let sealed = self.keys.sealer.seal(address.trim(), self.table.name(), &self.id.to_string());
                self.copy.text(&sealed);
            }
            None => self.copy.null(),
        }
        Ok(())
    }

    pub(crate) fn price(&mut self) -> Result<(), Refusal> {
        let field = self.read_present()?;
        let price = self.form(clean::price(field), Repair::PriceForm)?;
        self.copy.price(price);
        Ok(())
    }

    /// A price that may be absent, which is null.
    pub(crate) fn optional_price(&mut self) -> Result<(), Refusal> {
        match self.read_optional() {
            Some(field) => {
                let price = self.form(clean::price(field), Repair::PriceForm)?;
                self.copy.price(price);
            }
            None => self.copy.null(),
        }
        Ok(())
    }

    pub(crate) fn boolean(&mut self) -> Result<(), Refusal> {
        let field = self.read_present()?;
        let value = self.form(clean::boolean(field), Repair::BooleanForm)?;
        self.copy.boolean(value);
        Ok(())
    }

    pub(crate) fn date(&mut self) -> Result<(), Refusal> {
        let field = self.read_present()?;
        let time = self.form(clean::date(field), Repair::DateForm)?;
        self.copy.timestamp(time);
        Ok(())
    }

    /// Ends the row.
    pub(crate) fn end(self) -> Ended {
        debug_assert_eq!(self.next, self.columns.len(), "all columns are read");
        self.copy.end_row();
        Ended { id: self.id, parent: self.parent, repairs: self.repairs }
    }

    fn write_parent(&mut self, table: Table, parent: u32) -> Result<(), Refusal> {
        if !self.known.contains(table, parent) {
            return Err(self.refusal(Fault::MissingParent(parent, table.name())));
        }
        if self.parent == 0 {
            self.parent = parent;
        }
        self.copy.number(parent);
        Ok(())
    }

    fn read_integer(&mut self, range: std::ops::RangeInclusive<u32>) -> Result<u32, Refusal> {
        let field = self.read_present()?;
        clean::integer(field, range).map_err(|fault| self.refusal(fault))
    }

    fn read_text(&mut self, limit: usize) -> Result<Option<&'a str>, Refusal> {
        let field = self.read_optional();
        field.map(|field| clean::text(field, limit)).transpose().map_err(|fault| self.refusal(fault))
    }

    fn read_present(&mut self) -> Result<&'a [u8], Refusal> {
        self.read_optional().ok_or_else(|| self.refusal(Fault::Absent))
    }

    fn read_optional(&mut self) -> Option<&'a [u8]> {
        let found = clean::present(self.record.value(self.next));
        self.next += 1;
        self.note(found.other_form, Repair::NullText);
        found.value
    }

    fn form<T>(&mut self, read: Result<Read<T>, Fault>, repair: Repair) -> Result<T, Refusal> {
        let read = read.map_err(|fault| self.refusal(fault))?;
        self.note(read.other_form, repair);
        Ok(read.value)
    }

    fn note(&mut self, repaired: bool, repair: Repair) {
        self.repairs |= u8::from(repaired) << repair as u8;
    }

    /// A refusal for the column that was read last.
    fn refusal(&self, fault: Fault) -> Refusal {
        Refusal::Quarantined(Reason::Value { column: self.columns[self.next - 1], fault })
    }
}
