//! Sealing of e-mail addresses: only ever stored, sent or replayed sealed, from the first event on.
//!
//! AES-256-GCM-SIV. The nonce is a keyed hash over everything that goes in, so equal input gives equal bytes in
//! every event and replica; key id, context and row or message id are bound as associated data, so a sealed
//! address cannot be moved to another row. The form names its key: `sealed1.<key id>.<base64url>`.

use aes_gcm_siv::aead::{Aead, KeyInit, Payload};
use aes_gcm_siv::{Aes256GcmSiv, Nonce};
use data_encoding::{BASE32_NOPAD, BASE64URL_NOPAD};
use sha2::{Digest, Sha256};

use crate::keyed_hash::{HashingKey, KEY_BYTES};

/// First part of every sealed form.
const FORM: &str = "sealed1";
/// Bytes of a nonce.
const NONCE_BYTES: usize = 12;

/// Seals and opens addresses under one key.
#[derive(Clone)]
pub struct Sealer {
    cipher: Aes256GcmSiv,
    nonces: HashingKey,
    key_id: String,
}

impl Sealer {
    /// A sealer under the key of a sealing key file.
    pub fn new(key: [u8; KEY_BYTES]) -> Sealer {
        let derived = |purpose: &str| -> [u8; 32] {
            Sha256::new().chain_update(purpose).chain_update([0]).chain_update(key).finalize().into()
        };
        Sealer {
            cipher: Aes256GcmSiv::new(&derived("atelier sealing cipher").into()),
            nonces: HashingKey::new(derived("atelier sealing nonces")),
            key_id: BASE32_NOPAD.encode(&derived("atelier sealing key id")[..5]).to_ascii_lowercase(),
        }
    }

    /// The key's public name: 8 characters that say nothing of the key.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// Seals an address. `context` is the event's type or the table, `id` the message id or the row's id.
    pub fn seal(&self, address: &str, context: &str, id: &str) -> String {
        let nonce = self.nonces.hash("nonce", &[context.as_bytes(), id.as_bytes(), address.as_bytes()]);
        let nonce: [u8; NONCE_BYTES] =
            Sha256::digest(nonce)[..NONCE_BYTES].try_into().expect("a digest has 32 bytes");
        let aad = self.associated_data(context, id);
        let sealed = self
            .cipher
            .encrypt(&Nonce::from(nonce), Payload { msg: address.as_bytes(), aad: aad.as_bytes() })
            .expect("an address is far shorter than the cipher's limit of 64 GiB");
        format!("{FORM}.{}.{}", self.key_id, BASE64URL_NOPAD.encode(&[&nonce[..], &sealed].concat()))
    }

    /// Opens a sealed address.
    ///
    /// # Errors
    /// When the form is unknown, sealed under another key, or does not belong to this context and id.
    pub fn open(&self, sealed: &str, context: &str, id: &str) -> Result<String, OpenError> {
        let mut parts = sealed.splitn(3, '.');
        let (form, key_id, text) = (parts.next(), parts.next(), parts.next());
        if form != Some(FORM) {
            return Err(OpenError::Form);
        }
        if key_id != Some(&self.key_id) {
            return Err(OpenError::OtherKey(key_id.unwrap_or_default().to_owned()));
        }
        let bytes =
            BASE64URL_NOPAD.decode(text.unwrap_or_default().as_bytes()).map_err(|_| OpenError::Form)?;
        let (nonce, ciphertext) = bytes.split_at_checked(NONCE_BYTES).ok_or(OpenError::Form)?;
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().expect("split at the nonce's length");
        let aad = self.associated_data(context, id);
        let address = self
            .cipher
            .decrypt(&Nonce::from(nonce), Payload { msg: ciphertext, aad: aad.as_bytes() })
            .map_err(|_| OpenError::Elsewhere)?;
        String::from_utf8(address).map_err(|_| OpenError::Form)
    }

    fn associated_data(&self, context: &str, id: &str) -> String {
        format!("{}\0{context}\0{id}", self.key_id)
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sealer({})", self.key_id)
    }
}

/// The key that seals now, and those that sealed before it.
#[derive(Clone, Debug)]
pub struct KeyRing {
    current: Sealer,
    old: Vec<Sealer>,
}

impl KeyRing {
    /// A ring of the current key and the old ones.
    pub fn new(current: Sealer, old: Vec<Sealer>) -> KeyRing {
        KeyRing { current, old }
    }

    /// What seals from now on.
    pub fn current(&self) -> &Sealer {
        &self.current
    }

    /// The ids of all keys, the current one first.
    pub fn key_ids(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.current).chain(&self.old).map(Sealer::key_id)
    }

    /// Opens a sealed address under the key that it names.
    ///
    /// # Errors
    /// When the form is unknown, no key of the ring sealed it, or it does not belong to this context and id.
    pub fn open(&self, sealed: &str, context: &str, id: &str) -> Result<String, OpenError> {
        let named = key_id_of(sealed).ok_or(OpenError::Form)?;
        let mut keys = std::iter::once(&self.current).chain(&self.old);
        match keys.find(|sealer| sealer.key_id() == named) {
            Some(sealer) => sealer.open(sealed, context, id),
            None => Err(OpenError::OtherKey(named.to_owned())),
        }
    }
}

/// The id of the key under which an address was sealed; nothing when the text is no sealed address.
pub fn key_id_of(sealed: &str) -> Option<&str> {
    let (key_id, _) = sealed.strip_prefix(FORM)?.strip_prefix('.')?.split_once('.')?;
    Some(key_id)
}

/// Why a sealed address could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Not of the form `sealed1.<key id>.<base64url>`.
    #[error("the text is no sealed address of a known form")]
    Form,
    /// Sealed under a key that is not this one.
    #[error(
        "the address was sealed under key {0}, which is not here: name that key's file in keys.sealing_old"
    )]
    OtherKey(String),
    /// Altered, or moved here from another row or event.
    #[error("the sealed address was altered or belongs to another row")]
    Elsewhere,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealing_is_deterministic_and_opens_only_in_its_place() {
        let sealer = Sealer::new([1; 32]);
        let sealed = sealer.seal("a@example.com", "reviews", "5");
        assert_eq!(sealed, sealer.seal("a@example.com", "reviews", "5"));
        assert_ne!(sealed, sealer.seal("a@example.com", "reviews", "6"));
        assert!(!sealed.contains("example"));
        assert_eq!(sealer.open(&sealed, "reviews", "5").unwrap(), "a@example.com");
        assert!(matches!(sealer.open(&sealed, "reviews", "6"), Err(OpenError::Elsewhere)));
        assert!(matches!(Sealer::new([2; 32]).open(&sealed, "reviews", "5"), Err(OpenError::OtherKey(_))));
        assert!(matches!(sealer.open("a@example.com", "reviews", "5"), Err(OpenError::Form)));
    }

    #[test]
    fn a_change_of_the_key_leaves_what_the_old_one_sealed_readable() {
        let ring = KeyRing::new(Sealer::new([1; 32]), vec![]);
        let before = ring.current().seal("a@example.com", "reviews", "5");
        let ring = KeyRing::new(Sealer::new([2; 32]), vec![Sealer::new([1; 32])]);
        let after = ring.current().seal("b@example.com", "reviews", "6");
        assert_eq!(key_id_of(&before), Some(Sealer::new([1; 32]).key_id()));
        assert_eq!(key_id_of(&after), Some(Sealer::new([2; 32]).key_id()));
        assert_eq!(ring.open(&before, "reviews", "5").unwrap(), "a@example.com");
        assert_eq!(ring.open(&after, "reviews", "6").unwrap(), "b@example.com");
        assert!(matches!(ring.open(&before, "reviews", "6"), Err(OpenError::Elsewhere)));
        let without = KeyRing::new(Sealer::new([2; 32]), vec![Sealer::new([3; 32])]);
        assert!(matches!(without.open(&before, "reviews", "5"), Err(OpenError::OtherKey(_))));
        assert!(matches!(ring.open("a@example.com", "reviews", "5"), Err(OpenError::Form)));
    }

    #[test]
    fn golden_bytes_open_for_ever() {
        let golden = Sealer::new([1; 32]).seal("a@example.com", "reviews", "5");
        assert_eq!(golden, include_str!("../golden/sealed1.txt").trim_end());
    }
}
