//! Where things lie in the checkout.

use std::path::{Path, PathBuf};

/// The checkout's folder.
pub(crate) fn root() -> PathBuf {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR"));
    // Run by cargo, it is this one, even if the binary was built for another.
    let run_from = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let manifest = run_from.filter(|folder| folder.ends_with("xtask")).unwrap_or_else(|| ours.to_owned());
    manifest.parent().unwrap_or(Path::new(".")).to_owned()
}

/// What is fetched and made, and never committed.
pub(crate) fn private() -> PathBuf {
    root().join(".atelier")
}

/// The data of the system that is meant when none is named.
pub(crate) fn default_data() -> PathBuf {
    private().join("data")
}

/// nats-server, Postgres and nginx.
pub(crate) fn components() -> PathBuf {
    private().join("components")
}

/// Tools that take minutes to compile.
pub(crate) fn tools() -> PathBuf {
    private().join("tools")
}
