//! Size and names of files.

use super::Tree;

const LARGEST_BYTES: usize = 20_000;
const GRAB_BAGS: [&str; 8] = ["util", "utils", "helper", "helpers", "common", "manager", "misc", "shared"];

/// A file in which everything happens is read by nobody.
pub(super) fn too_large(tree: &Tree) -> Vec<String> {
    tree.ending("rs")
        .chain(tree.ending("sql"))
        .filter(|file| file.text.len() >= LARGEST_BYTES)
        .map(|file| {
            format!(
                "{}: {} bytes, and {LARGEST_BYTES} is the limit; cut it along its parts",
                file.path,
                file.text.len()
            )
        })
        .collect()
}

/// A name that says nothing collects what nobody has thought about.
pub(super) fn grab_bags(tree: &Tree) -> Vec<String> {
    let mut faults = Vec::new();
    for file in tree.ending("rs") {
        let parts = file.path.split('/').map(|part| part.trim_end_matches(".rs"));
        for part in parts.filter(|part| GRAB_BAGS.contains(part)) {
            faults.push(format!("{}: `{part}` says nothing; name what it is for", file.path));
        }
        for (line, text) in file.text.lines().zip(1..).map(|(text, line)| (line, text.trim())) {
            let text = text.strip_prefix("pub ").or_else(|| text.strip_prefix("pub(crate) ")).unwrap_or(text);
            let module = text.strip_prefix("mod ").and_then(|rest| rest.split([' ', ';', '{']).next());
            if let Some(name) = module.filter(|name| GRAB_BAGS.contains(name)) {
                faults.push(format!("{}:{line}: `mod {name}` says nothing; name what it is for", file.path));
            }
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_file_is_a_fault() {
        let large = "x".repeat(LARGEST_BYTES);
        assert_eq!(too_large(&Tree::of(&[("a.rs", &large), ("b.sql", &large), ("c.md", &large)])).len(), 2);
        assert!(too_large(&Tree::of(&[("a.rs", &large[1..])])).is_empty());
    }

    #[test]
    fn a_grab_bag_is_a_fault_as_a_file_and_as_a_module() {
        let tree =
            Tree::of(&[("writer/src/utils.rs", ""), ("a/helpers/x.rs", ""), ("b.rs", "pub mod common {\n")]);
        assert_eq!(grab_bags(&tree).len(), 3);
        assert!(grab_bags(&Tree::of(&[("a/src/utility_bill.rs", "mod commons;")])).is_empty());
    }
}
