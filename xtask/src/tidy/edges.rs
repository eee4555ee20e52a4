//! Which crate may depend on which.

use super::{File, Tree};

/// Everything that speaks to the stream goes through one crate; the bench measures it against the bare library.
const MAY_NAME_ASYNC_NATS: [&str; 3] = ["Cargo.toml", "crates/stream/Cargo.toml", "bench/Cargo.toml"];
const IO: [&str; 6] = ["tokio", "sqlx", "axum", "async-nats", "reqwest", "hyper"];
/// Whoever starts processes must not link them.
const STARTERS: [&str; 5] = [
    "crates/local/Cargo.toml",
    "tests/Cargo.toml",
    "bench/Cargo.toml",
    "faults/Cargo.toml",
    "xtask/Cargo.toml",
];
const SERVICES: [&str; 4] = ["writer", "projector", "reader", "importer"];

/// The bench measures the writer's group commit by itself too.
const MAY_LINK: (&str, &str) = ("bench/Cargo.toml", "writer");

/// Nothing else knows the client library.
pub(super) fn only_the_stream_crate_names_async_nats(tree: &Tree) -> Vec<String> {
    manifests(tree)
        .filter(|file| !MAY_NAME_ASYNC_NATS.contains(&file.path.as_str()))
        .filter(|file| depends_on(file, "async-nats", true))
        .map(|file| format!("{}: only crates/stream knows async-nats; use that crate", file.path))
        .collect()
}

/// What crosses a process boundary is pure.
pub(super) fn the_contract_does_no_io(tree: &Tree) -> Vec<String> {
    manifests(tree)
        .filter(|file| file.path == "crates/contract/Cargo.toml")
        .flat_map(|file| IO.iter().filter(|io| depends_on(file, io, false)))
        .map(|io| {
            format!(
                "crates/contract/Cargo.toml: the contract does no input or output; {io} does not belong there"
            )
        })
        .collect()
}

/// Tests, bench and tools see our services as an operator does: as binaries.
pub(super) fn services_are_started_and_not_linked(tree: &Tree) -> Vec<String> {
    let mut faults = Vec::new();
    for file in manifests(tree).filter(|file| STARTERS.contains(&file.path.as_str())) {
        let linked = SERVICES.iter().filter(|service| depends_on(file, service, true));
        for service in linked.filter(|service| (file.path.as_str(), **service) != MAY_LINK) {
            faults.push(format!("{}: starts {service} as a process and must not link it", file.path));
        }
    }
    faults
}

fn manifests(tree: &Tree) -> impl Iterator<Item = &File> {
    tree.ending("toml").filter(|file| file.path.ends_with("Cargo.toml"))
}

fn depends_on(file: &File, name: &str, also_in_tests: bool) -> bool {
    let Ok(manifest) = file.text.parse::<toml::Table>() else {
        return false;
    };
    let sections: &[&str] = if also_in_tests {
        &["dependencies", "build-dependencies", "dev-dependencies"]
    } else {
        &["dependencies", "build-dependencies"]
    };
    sections
        .iter()
        .filter_map(|section| manifest.get(*section)?.as_table())
        .any(|dependencies| dependencies.contains_key(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NATS: &str = "[dependencies]\nasync-nats.workspace = true\n";

    #[test]
    fn async_nats_outside_its_crate_is_a_fault_in_tests_too() {
        let hidden = NATS.replace("dependencies", "dev-dependencies");
        let tree = Tree::of(&[
            ("crates/stream/Cargo.toml", NATS),
            ("bench/Cargo.toml", NATS),
            ("writer/Cargo.toml", &hidden),
        ]);
        assert_eq!(only_the_stream_crate_names_async_nats(&tree).len(), 1);
    }

    #[test]
    fn io_in_the_contract_is_a_fault() {
        let tree =
            Tree::of(&[("crates/contract/Cargo.toml", "[dependencies]\ntokio = \"1\"\nserde = \"1\"\n")]);
        assert_eq!(the_contract_does_no_io(&tree).len(), 1);
        let pure = Tree::of(&[
            ("crates/contract/Cargo.toml", "[dev-dependencies]\ntokio = \"1\"\n"),
            ("a/Cargo.toml", NATS),
        ]);
        assert!(the_contract_does_no_io(&pure).is_empty());
    }

    #[test]
    fn a_linked_service_is_a_fault() {
        let tree = Tree::of(&[("tests/Cargo.toml", "[dependencies]\nwriter = { path = \"../writer\" }\n")]);
        assert_eq!(services_are_started_and_not_linked(&tree).len(), 1);
    }
}
