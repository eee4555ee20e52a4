//! All statements that a reader runs.

use crate::document::PROBE;
use crate::resources::{answers, cart, products, questions, reviews};

/// A statement of one row: `epoch`, `position`, `document` (text, or null when there is no such thing).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Its file without the ending, under `resources/`; also its label in metrics.
    pub name: &'static str,
    /// Its text.
    pub sql: &'static str,
    /// How many keys it takes.
    pub keys: usize,
}

/// What a statement is run with: `$1`, `$2` … in this order.
#[derive(Clone, Debug)]
pub(crate) enum Keys {
    /// Each a `bigint`.
    Numbers(Vec<i64>),
    /// One `text`.
    Text(String),
}

impl<const N: usize> From<[i64; N]> for Keys {
    fn from(numbers: [i64; N]) -> Keys {
        Keys::Numbers(numbers.into())
    }
}

impl From<String> for Keys {
    fn from(text: String) -> Keys {
        Keys::Text(text)
    }
}

/// Every statement, in the order of the HTTP contract.
pub const STATEMENTS: &[Statement] = &[
    products::LIST,
    products::PRODUCT,
    products::STYLES,
    products::RELATED,
    reviews::NEWEST,
    reviews::HELPFUL,
    reviews::RELEVANT,
    reviews::META,
    questions::LIST,
    answers::LIST,
    cart::CART,
    PROBE,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_takes_as_many_keys_as_it_says() {
        for statement in STATEMENTS {
            let code: String = statement.sql.lines().filter(|line| !line.starts_with("--")).collect();
            let highest = (1..=9).rev().find(|n| code.contains(&format!("${n}")));
            assert_eq!(highest.unwrap_or(0), statement.keys, "{}", statement.name);
        }
    }

    #[test]
    fn no_statement_names_a_sealed_column() {
        for statement in STATEMENTS {
            assert!(!statement.sql.contains("email"), "{}", statement.name);
        }
    }
}
