//! Links in documents lead somewhere.

use super::Tree;

/// Links to files of the checkout; others are not followed.
pub(super) fn dead_links(tree: &Tree) -> Vec<String> {
    let mut faults = Vec::new();
    for file in tree.ending("md") {
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for (text, line) in outside_code(&file.text) {
            for target in targets(text) {
                let path = target.split('#').next().unwrap_or_default();
                if path.is_empty() || path.contains("://") || path.starts_with("mailto:") {
                    continue;
                }
                match resolve(folder, path) {
                    Some(resolved) if tree.has(&resolved) => {}
                    _ => faults.push(format!("{}:{line}: the link to {target} leads nowhere", file.path)),
                }
            }
        }
    }
    faults
}

fn outside_code(text: &str) -> impl Iterator<Item = (&str, usize)> {
    let mut in_code = false;
    text.lines().zip(1..).filter(move |(line, _)| {
        let fence = line.trim_start().starts_with("```");
        in_code ^= fence;
        !in_code && !fence
    })
}

/// What stands in `](…)`.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(target, _)| target.trim()))
}

/// None for a path out of the checkout.
fn resolve(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = match path.strip_prefix('/') {
        Some(_) => vec![],
        None => folder.split('/').filter(|part| !part.is_empty()).collect(),
    };
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_leads_nowhere_is_a_fault() {
        let page = "[a](b.md) [b](../README.md#x) [c](https://x.y/z)\n```\n[d](no.md)\n```\n[e](gone.md) [f](../../out.md)\n[g](.)";
        let tree = Tree::of(&[("docs/a.md", page), ("docs/b.md", ""), ("README.md", "[docs](docs)")]);
        let faults = dead_links(&tree);
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert!(faults.iter().all(|fault| fault.starts_with("docs/a.md:5")));
    }
}
