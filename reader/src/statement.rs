//! All statements that a reader runs, and the settings of the sessions that they run in.

use crate::document::PROBE;
use crate::resources::{products, reviews};

/// A statement of one row: `epoch`, `position`, `document` (text, or null when there is no such thing).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Its file without the ending, under `resources/`; also its label in metrics.
    pub name: &'static str,
    /// Its text.
    pub sql: &'static str,
    /// How many keys it takes, each a `bigint`.
    pub keys: usize,
}

/// Settings of a reader's session, besides `statement_timeout`.
///
/// Generic plans: a plan that was checked is the plan that runs, whatever the keys; the best plan for a page of ten
/// thousand may be a scan, which is the wrong one for the next request. Compiling a plan costs more than any of these
/// statements. Keepalives are the server's, so that it notices a reader whose machine has gone.
pub const SESSION: [(&str, &str); 7] = [
    ("search_path", replica::SCHEMA_LIVE),
    ("default_transaction_read_only", "on"),
    ("plan_cache_mode", "force_generic_plan"),
    ("jit", "off"),
    ("tcp_keepalives_idle", "5"),
    ("tcp_keepalives_interval", "2"),
    ("tcp_keepalives_count", "3"),
];

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
