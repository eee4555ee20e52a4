//! The origins to which nginx's own answers speak as the services' do.

use crate::error::Error;
use crate::template::fill;

/// Where the services read `[http] origins`, which nginx cannot read in their configuration.
const VARIABLE: &str = "ATELIER_HTTP_ORIGINS";

/// The listed origins, from what a process's environment gets besides our own.
///
/// # Errors
///
/// [`Error::Options`] for what is no list of origins.
pub(crate) fn listed(environment: &[(String, String)]) -> Result<Vec<String>, Error> {
    let given = environment.iter().rev().find(|(key, _)| key == VARIABLE).map(|(_, value)| value.clone());
    match given.or_else(|| std::env::var(VARIABLE).ok()) {
        Some(text) => parse(&text),
        None => Ok(vec![]),
    }
}

fn parse(text: &str) -> Result<Vec<String>, Error> {
    let wrong = || {
        Error::Options(format!(
            "{VARIABLE} is {text}: write a list of origins as browsers send them, as in [\"https://shop.example\"]"
        ))
    };
    let list = match text.parse() {
        Ok(toml::Value::Array(list)) => list,
        _ => return Err(wrong()),
    };
    // Whatever else is wrong with an origin the services say; these may stand in nginx's configuration.
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._[]:/".contains(c);
    let origin =
        |value: toml::Value| value.as_str().filter(|text| text.chars().all(plain)).map(str::to_owned);
    list.into_iter().map(|value| origin(value).ok_or_else(wrong)).collect()
}

/// The text of `origins.conf`.
pub(super) fn text(origins: &[String]) -> Result<String, Error> {
    let lines = |value: &dyn Fn(&str) -> String| {
        let lines = origins.iter().map(|origin| format!("    \"{origin}\" \"{}\";", value(origin)));
        lines.collect::<Vec<_>>().join("\n")
    };
    fill(
        include_str!("../../../../deploy/nginx/origins.conf"),
        &[
            ("echoed", &lines(&str::to_owned)),
            ("credentials", &lines(&|_| "true".to_owned())),
            ("vary", if origins.is_empty() { "" } else { "Origin" }),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_written_as_the_services_read_it() {
        let listed = parse(r#"["https://shop.example", "http://[::1]:3000"]"#).unwrap();
        assert_eq!(listed, ["https://shop.example", "http://[::1]:3000"]);
        assert_eq!(parse("[]").unwrap(), Vec::<String>::new());
        for text in ["", "https://shop.example", r#"["a\"; b"]"#, "[1]", r#"["https://a b"]"#, r#"["$host"]"#]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_a_process_is_given_comes_before_our_own_environment() {
        let given = |value: &str| (VARIABLE.to_owned(), value.to_owned());
        let last = listed(&[given("[]"), given(r#"["https://shop.example"]"#)]).unwrap();
        assert_eq!(last, ["https://shop.example"]);
    }

    #[test]
    fn without_listed_origins_no_answer_depends_on_one() {
        let text = text(&[]).unwrap();
        assert!(
            text.contains("default \"\";") && !text.contains("Origin\";") && !text.contains("true"),
            "{text}"
        );
    }
}
