//! SQL that gives the same in every replica.

use super::Tree;

const THINKING: [&str; 6] =
    ["now(", "random(", "clock_timestamp(", "nextval(", "gen_random_uuid(", "current_timestamp"];

/// Times, ids and chance come from the event, never from a database of many that must be equal. Schema `control` is what is
/// each database's own.
pub(super) fn thinks_for_itself(tree: &Tree) -> Vec<String> {
    let mut faults = Vec::new();
    for file in tree.ending("sql").filter(|file| !file.text.contains("control.")) {
        for (text, line) in file.text.lines().zip(1..) {
            let code = text.split("--").next().unwrap_or_default().to_lowercase();
            for thought in THINKING.iter().filter(|thought| contains_word(&code, thought)) {
                faults.push(format!(
                    "{}:{line}: {thought} differs between replicas; take it from the event",
                    file.path
                ));
            }
        }
    }
    faults
}

/// A statement's header says what it is for, its parameters, its answer and the index that it relies on.
pub(super) fn without_header(tree: &Tree) -> Vec<String> {
    let folders = ["reader/", "writer/", "projector/", "crates/replica/"];
    tree.ending("sql")
        .filter(|file| folders.iter().any(|folder| file.path.starts_with(folder)))
        .filter(|file| {
            let mut header = file.text.lines().take_while(|line| line.starts_with("--"));
            // Setting a database up relies on no index.
            !file.text.starts_with("--")
                || !file.path.contains("/init/") && !header.any(|line| line.to_lowercase().contains("index"))
        })
        .map(|file| {
            format!(
                "{}: begins without a comment that says what it is for and on which index it relies",
                file.path
            )
        })
        .collect()
}

/// `now(` but not `renow(`.
fn contains_word(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        !code[..at].chars().next_back().is_some_and(|before| before.is_alphanumeric() || before == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_that_thinks_is_a_fault_and_a_comment_about_it_is_none() {
        let tree = Tree::of(&[
            ("a.sql", "select 1;\nselect NOW(), nextval('x')"),
            ("b.sql", "-- no now()\nselect renow()"),
        ]);
        let faults = thinks_for_itself(&tree);
        assert_eq!(faults.len(), 2);
        assert!(faults[0].starts_with("a.sql:2"), "{faults:?}");
    }

    #[test]
    fn a_statement_without_header_is_a_fault_where_it_must_have_one() {
        let tree = Tree::of(&[
            ("reader/a.sql", "select 1"),
            ("projector/b.sql", "-- b\nselect 1"),
            ("writer/c.sql", "-- c. Index: c_pkey.\nselect 1"),
            ("projector/src/init/d.sql", "-- d\nselect 1"),
            ("x.sql", "select 1"),
        ]);
        let faults = without_header(&tree);
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert!(faults.iter().all(|fault| fault.contains("a.sql") || fault.contains("b.sql")), "{faults:?}");
    }
}
