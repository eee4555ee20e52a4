//! What a legacy value means: absent values, prices, booleans and dates in all forms in which they occur.
//!
//! Pure functions from a field's bytes to a value or a fault.

use std::ops::RangeInclusive;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

/// Highest legacy id: from 1,000,000,000 on, ids are positions of events.
pub(crate) const HIGHEST_ID: u32 = 999_999_999;
/// Prices have ten digits before the point.
const PRICE_END: u64 = 1_000_000_000_000;

/// What is wrong with one value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    #[error("is absent")]
    Absent,
    #[error("is not UTF-8")]
    NotUtf8,
    #[error("holds the character NUL")]
    Nul,
    #[error("is longer than {0} characters")]
    TooLong(usize),
    #[error("is not an integer")]
    NotAnInteger,
    #[error("is not within {0} and {1}")]
    OutOfRange(u32, u32),
    #[error("is not a price")]
    NotAPrice,
    #[error("is not a boolean")]
    NotABoolean,
    #[error("is not a date")]
    NotADate,
    #[error("is not within the years 1970 and 9999")]
    OtherYear,
    #[error("refers to {0}, which is not among the {1}")]
    MissingParent(u32, &'static str),
    #[error("refers to {0}, which has no sku")]
    NoSku(u32),
    #[error("occurred before")]
    Duplicate,
}

/// A value that could be read, and whether it had to be read for what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Read<T> {
    pub(crate) value: T,
    /// Written in another form than the usual one.
    pub(crate) other_form: bool,
}

/// Nothing for an absent value: an empty field, or the text `null` (then it is in another form).
pub(crate) fn present(field: &[u8]) -> Read<Option<&[u8]>> {
    match field.trim_ascii() {
        b"" => Read { value: None, other_form: false },
        b"null" => Read { value: None, other_form: true },
        _ => Read { value: Some(field), other_form: false },
    }
}

/// Text that Postgres can hold, of at most `limit` characters; as it is, spaces included.
pub(crate) fn text(field: &[u8], limit: usize) -> Result<&str, Fault> {
    let text = std::str::from_utf8(field).map_err(|_| Fault::NotUtf8)?;
    if !contract::text::is_storable(text) {
        return Err(Fault::Nul);
    }
    // A text has no more characters than bytes.
    if text.len() > limit && text.chars().count() > limit {
        return Err(Fault::TooLong(limit));
    }
    Ok(text)
}

/// An integer without a sign.
pub(crate) fn integer(field: &[u8], range: RangeInclusive<u32>) -> Result<u32, Fault> {
    let digits = field.trim_ascii();
    let (digits, negative) = match digits.strip_prefix(b"-") {
        Some(digits) => (digits, true),
        None => (digits, false),
    };
    let number = unsigned(digits).ok_or(Fault::NotAnInteger)?;
    match u32::try_from(number) {
        Ok(number) if range.contains(&number) && (!negative || number == 0) => Ok(number),
        _ => Err(Fault::OutOfRange(*range.start(), *range.end())),
    }
}

/// A price in hundredths: digits with at most two decimals that count, perhaps a `$`, perhaps spaces.
pub(crate) fn price(field: &[u8]) -> Result<Read<u64>, Fault> {
    let trimmed = field.trim_ascii();
    let amount = trimmed.strip_prefix(b"$").map_or(trimmed, <[u8]>::trim_ascii);
    let amount = amount.strip_suffix(b"$").map_or(amount, <[u8]>::trim_ascii);
    let (whole, decimals) = match amount.iter().position(|byte| *byte == b'.') {
        Some(point) => (&amount[..point], &amount[point + 1..]),
        None => (amount, b"0".as_slice()),
    };
    let whole = unsigned(whole).ok_or(Fault::NotAPrice)?;
    let (decimals, zeros) = decimals.split_at(decimals.len().min(2));
    if zeros.iter().any(|byte| *byte != b'0') {
        return Err(Fault::NotAPrice);
    }
    let hundredths = match (decimals.len(), unsigned(decimals)) {
        (1, Some(tenths)) => tenths * 10,
        (2, Some(hundredths)) => hundredths,
        _ => return Err(Fault::NotAPrice),
    };
    let value = whole.checked_mul(100).and_then(|whole| whole.checked_add(hundredths));
    let value = value.filter(|value| *value < PRICE_END).ok_or(Fault::NotAPrice)?;
    Ok(Read { value, other_form: amount.len() != field.len() })
}

/// `true`, `false`, `1` or `0`.
pub(crate) fn boolean(field: &[u8]) -> Result<Read<bool>, Fault> {
    let field = field.trim_ascii();
    match field {
        b"1" => Ok(Read { value: true, other_form: true }),
        b"0" => Ok(Read { value: false, other_form: true }),
        _ if field.eq_ignore_ascii_case(b"true") => Ok(Read { value: true, other_form: false }),
        _ if field.eq_ignore_ascii_case(b"false") => Ok(Read { value: false, other_form: false }),
        _ => Err(Fault::NotABoolean),
    }
}

/// A moment as the date and time of UTC: ISO 8601 (UTC where it names no zone), `YYYY-MM-DD` (midnight), or
/// milliseconds since 1970.
pub(crate) fn date(field: &[u8]) -> Result<Read<DateTime>, Fault> {
    let field = field.trim_ascii();
    let text = std::str::from_utf8(field).map_err(|_| Fault::NotADate)?;
    let digits = text.strip_prefix('-').unwrap_or(text);
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let time = text.parse().ok().and_then(|milliseconds| Timestamp::from_millisecond(milliseconds).ok());
        let time = time.ok_or(Fault::OtherYear)?;
        return within_years(TimeZone::UTC.to_datetime(time), true);
    }
    if text.len() == "YYYY-MM-DD".len() {
        let day: Date = text.parse().map_err(|_| Fault::NotADate)?;
        return within_years(day.to_datetime(jiff::civil::Time::midnight()), true);
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return within_years(TimeZone::UTC.to_datetime(time), false);
    }
    within_years(text.parse().map_err(|_| Fault::NotADate)?, false)
}

fn within_years(time: DateTime, other_form: bool) -> Result<Read<DateTime>, Fault> {
    if !(1970..=9999).contains(&time.year()) {
        return Err(Fault::OtherYear);
    }
    // Cut, not rounded: rounding could reach another day.
    let below = i64::from(time.subsec_nanosecond() % 1_000_000);
    let value = time.checked_sub(below.nanoseconds()).map_err(|_| Fault::NotADate)?;
    Ok(Read { value, other_form })
}

/// Digits alone, at most nineteen of them.
fn unsigned(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 19 {
        return None;
    }
    digits
        .iter()
        .try_fold(0_u64, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u64::from(byte - b'0')))
}

#[cfg(test)]
mod tests;
