//! The house's rules that a compiler does not check. Each rule is a function from the tree to its faults.

mod edges;
mod files;
mod markdown;
mod sql;

use std::fs;
use std::path::Path;

use crate::error::Error;

/// The text files of the checkout.
pub(crate) struct Tree {
    files: Vec<File>,
}

/// One file.
struct File {
    /// From the root, with slashes.
    path: String,
    text: String,
}

/// What is ours and a person reads.
const ENDINGS: [&str; 5] = ["rs", "sql", "toml", "md", "conf"];

/// All faults of the checkout.
pub(crate) fn check(root: &Path) -> Result<Vec<String>, Error> {
    let mut tree = Tree { files: vec![] };
    tree.read(root, "")?;
    let rules: [fn(&Tree) -> Vec<String>; 8] = [
        files::too_large,
        files::grab_bags,
        sql::thinks_for_itself,
        sql::without_header,
        edges::only_the_stream_crate_names_async_nats,
        edges::the_contract_does_no_io,
        edges::services_are_started_and_not_linked,
        markdown::dead_links,
    ];
    Ok(rules.iter().flat_map(|rule| rule(&tree)).collect())
}

impl Tree {
    fn read(&mut self, root: &Path, folder: &str) -> Result<(), Error> {
        let failed = |error| Error::said(format!("read {folder}: {error}"));
        let mut entries: Vec<_> =
            fs::read_dir(root.join(folder)).map_err(failed)?.collect::<Result<_, _>>().map_err(failed)?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
            if entry.file_type().map_err(failed)?.is_dir() {
                if name != "target" && (!name.starts_with('.') || name == ".ci") {
                    self.read(root, &path)?;
                }
            } else if ENDINGS.iter().any(|ending| name.ends_with(&format!(".{ending}"))) {
                let text = fs::read_to_string(entry.path())
                    .map_err(|error| Error::said(format!("read {path}: {error}")))?;
                self.files.push(File { path, text });
            } else {
                self.files.push(File { path, text: String::new() });
            }
        }
        Ok(())
    }

    fn ending<'a>(&'a self, ending: &'a str) -> impl Iterator<Item = &'a File> {
        self.files.iter().filter(move |file| file.path.rsplit_once('.').is_some_and(|(_, of)| of == ending))
    }

    fn has(&self, path: &str) -> bool {
        let folder = format!("{path}/");
        path.is_empty() || self.files.iter().any(|file| file.path == path || file.path.starts_with(&folder))
    }

    #[cfg(test)]
    fn of(files: &[(&str, &str)]) -> Self {
        let files =
            files.iter().map(|(path, text)| File { path: (*path).to_owned(), text: (*text).to_owned() });
        Self { files: files.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_holds_our_files_with_their_text_and_nothing_that_was_built() {
        let mut tree = Tree { files: vec![] };
        tree.read(&crate::checkout::root(), "").unwrap();
        assert!(
            tree.files.iter().any(|file| file.path == "xtask/src/tidy.rs" && file.text.contains("fn check("))
        );
        assert!(tree.has("deploy/nginx/nginx.conf") && tree.has("deploy/nginx"));
        assert!(
            !tree
                .files
                .iter()
                .any(|file| file.path.starts_with("target/") || file.path.starts_with(".atelier/"))
        );
    }
}
