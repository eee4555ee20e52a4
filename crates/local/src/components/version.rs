//! Versions as servers tell them.

use std::fmt;

/// Numbers with dots, compared number by number.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(Vec<u64>);

impl Version {
    /// The first version in a text as `nats-server: v2.15.1` or `postgres (PostgreSQL) 18.6`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.split(|c: char| c.is_whitespace() || c == '/' || c == '(' || c == ')')
            .map(|word| word.trim_start_matches('v'))
            .find_map(|word| {
                let numeric: String = word.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
                let numbers: Option<Vec<u64>> =
                    numeric.trim_end_matches('.').split('.').map(|number| number.parse().ok()).collect();
                numbers.filter(|numbers| numbers.len() > 1).map(Self)
            })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&numbers.join("."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_server_s_words_are_understood() {
        for (said, version) in [
            ("nats-server: v2.15.1", "2.15.1"),
            ("postgres (PostgreSQL) 18.6", "18.6"),
            ("postgres (PostgreSQL) 18beta1", ""),
            ("nginx version: nginx/1.31.3", "1.31.3"),
            ("nginx version: nginx/1.22.1 (Debian)", "1.22.1"),
            ("hello", ""),
        ] {
            assert_eq!(Version::parse(said).map_or(String::new(), |v| v.to_string()), version, "{said}");
        }
    }

    #[test]
    fn numbers_are_compared_as_numbers() {
        assert!(Version::parse("2.9.10") < Version::parse("2.12.0"));
        assert!(Version::parse("18.0") < Version::parse("18.6"));
    }
}
