//! Moments and the forms in which the legacy export writes them.

use std::fmt::Write as _;

use crate::random::Random;

/// 2018-01-01 and 2021-01-01 in days since 1970.
const FIRST_DAY: u64 = 17_532;
const END_DAY: u64 = 18_628;
const MILLISECONDS_PER_DAY: u64 = 86_400_000;

/// How a date is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// ISO 8601 with milliseconds, in UTC or another zone.
    Iso,
    /// Milliseconds since 1970.
    Epoch,
    /// `YYYY-MM-DD`.
    Day,
}

/// Writes a random moment of 2018 to 2020 in a random form.
pub(crate) fn write(random: &mut Random, out: &mut String) -> Form {
    out.clear();
    let day = random.between(FIRST_DAY, END_DAY - 1);
    let time = random.below(MILLISECONDS_PER_DAY);
    let form = match random.below(100) {
        0..60 => Form::Iso,
        60..85 => Form::Epoch,
        _ => Form::Day,
    };
    let (year, month, of_month) = civil(day);
    // A String takes everything that is written to it.
    let _ = match form {
        Form::Epoch => write!(out, "{}", day * MILLISECONDS_PER_DAY + time),
        Form::Day => write!(out, "{year:04}-{month:02}-{of_month:02}"),
        Form::Iso => {
            let zone = if random.percent(5) { "+02:00" } else { "Z" };
            let (hour, minute) = (time / 3_600_000, time / 60_000 % 60);
            let (second, millisecond) = (time / 1_000 % 60, time % 1_000);
            write!(
                out,
                "{year:04}-{month:02}-{of_month:02}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}{zone}"
            )
        }
    };
    form
}

/// Year, month and day of the month of a day counted from 1970 (the usual count from 0000-03-01, where leap
/// days come last).
fn civil(day: u64) -> (u64, u64, u64) {
    let shifted = day + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, of_month)
}

#[cfg(test)]
mod tests {
    use super::civil;

    #[test]
    fn days_have_their_dates() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(super::FIRST_DAY), (2018, 1, 1));
        assert_eq!(civil(super::END_DAY), (2021, 1, 1));
        assert_eq!(civil(18_321), (2020, 2, 29));
    }
}
