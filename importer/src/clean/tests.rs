//! Every form of every value that the legacy documentation names, and what is refused.

use super::*;

fn form<T>(value: T, other_form: bool) -> Result<Read<T>, Fault> {
    Ok(Read { value, other_form })
}

#[test]
fn prices_are_read_in_all_forms() {
    for (field, hundredths, other_form) in [
        ("140", 14_000, false),
        ("140.00", 14_000, false),
        ("140.5", 14_050, false),
        ("140.500", 14_050, false),
        ("0.07", 7, false),
        ("$140.00", 14_000, true),
        ("$ 140", 14_000, true),
        (" 140 ", 14_000, true),
        (" $140.00 ", 14_000, true),
        ("140 $", 14_000, true),
        ("9999999999.99", 999_999_999_999, false),
    ] {
        assert_eq!(price(field.as_bytes()), form(hundredths, other_form), "{field}");
    }
    for field in
        ["", "$", "-1", "1,000", "1.234", "1.", ".5", "1e3", "abc", "10000000000", "99999999999999999999"]
    {
        assert_eq!(price(field.as_bytes()), Err(Fault::NotAPrice), "{field}");
    }
}

#[test]
fn booleans_are_read_in_all_forms() {
    assert_eq!(boolean(b"true"), form(true, false));
    assert_eq!(boolean(b" FALSE"), form(false, false));
    assert_eq!(boolean(b"1"), form(true, true));
    assert_eq!(boolean(b"0"), form(false, true));
    for field in ["", "2", "yes", "null"] {
        assert_eq!(boolean(field.as_bytes()), Err(Fault::NotABoolean), "{field}");
    }
}

#[test]
fn dates_are_read_in_all_forms_as_utc() {
    for (field, expected, other_form) in [
        ("2019-04-14T00:00:00.000Z", "2019-04-14T00:00:00", false),
        ("2019-04-14T01:30:00.123+02:00", "2019-04-13T23:30:00.123", false),
        ("2019-04-14T01:30:00.1239Z", "2019-04-14T01:30:00.123", false),
        ("2019-04-14 01:30:00", "2019-04-14T01:30:00", false),
        ("2019-04-14T01:30:00", "2019-04-14T01:30:00", false),
        ("2020-02-29", "2020-02-29T00:00:00", true),
        ("1555200000007", "2019-04-14T00:00:00.007", true),
        ("0", "1970-01-01T00:00:00", true),
    ] {
        assert_eq!(date(field.as_bytes()), form(expected.parse().unwrap(), other_form), "{field}");
    }
    for field in ["", "2019-02-29", "2019-13-01", "14.04.2019", "yesterday", "2019-04-14T25:00:00Z", "12.5"] {
        assert_eq!(date(field.as_bytes()), Err(Fault::NotADate), "{field}");
    }
    for field in ["-1", "253402300800000", "99999999999999999999", "1969-12-31", "0001-01-01T00:00:00Z"] {
        assert_eq!(date(field.as_bytes()), Err(Fault::OtherYear), "{field}");
    }
}

#[test]
fn integers_are_read_within_their_range() {
    assert_eq!(integer(b" 7 ", 1..=9), Ok(7));
    assert_eq!(integer(b"007", 1..=9), Ok(7));
    for field in ["0", "10", "-7", "4294967297", "9999999999999999999"] {
        assert_eq!(integer(field.as_bytes(), 1..=9), Err(Fault::OutOfRange(1, 9)), "{field}");
    }
    for field in ["", "-", "1.0", "+1", "seven", "99999999999999999999"] {
        assert_eq!(integer(field.as_bytes(), 1..=9), Err(Fault::NotAnInteger), "{field}");
    }
}

#[test]
fn absent_values_are_empty_or_the_text_null() {
    assert_eq!(present(b"null"), Read { value: None, other_form: true });
    assert_eq!(present(b" null "), Read { value: None, other_form: true });
    assert_eq!(present(b""), Read { value: None, other_form: false });
    assert_eq!(present(b"nullable").value, Some(b"nullable".as_slice()));
}

#[test]
fn text_is_what_postgres_can_hold() {
    assert_eq!(text("é".repeat(5).as_bytes(), 5), Ok("ééééé"));
    assert_eq!(text("é".repeat(6).as_bytes(), 5), Err(Fault::TooLong(5)));
    assert_eq!(text(b"a\0b", 5), Err(Fault::Nul));
    assert_eq!(text(b"\xff", 5), Err(Fault::NotUtf8));
}
