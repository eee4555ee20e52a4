//! The keys that an import needs: addresses are sealed and sessions named before they leave this machine.

use contract::email::Sealer;
use contract::keyed_hash::HashingKey;

/// Both keys.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    pub(crate) sealer: Sealer,
    pub(crate) hashing: HashingKey,
}

impl Keys {
    /// Reads them from their files. Addresses are sealed under the current key; nothing is opened, so old ones are not
    /// needed.
    pub(crate) fn read(files: &service::config::Keys) -> Result<Self, service::keys::Error> {
        let sealer = Sealer::new(service::keys::read(&files.sealing)?);
        Ok(Self { sealer, hashing: service::keys::hashing(files)? })
    }

    /// The sealing key's public name.
    pub(crate) fn sealing_id(&self) -> String {
        self.sealer.key_id().to_owned()
    }

    /// The hashing key's public name.
    pub(crate) fn hashing_id(&self) -> String {
        self.hashing.id()
    }
}
