//! Keyed hashes (HMAC-SHA-256) of what a shopper sent, under a key that the writers share: message ids, names of
//! idempotency keys and sessions. Nobody without the key can tell what was sent.

use data_encoding::{BASE32_NOPAD, HEXLOWER_PERMISSIVE};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Bytes of a key.
pub const KEY_BYTES: usize = 32;
/// Bytes of a hash that are kept: 160 bits, 32 characters of base32.
const HASH_BYTES: usize = 20;

/// The writers' shared hashing key.
#[derive(Clone)]
pub struct HashingKey([u8; KEY_BYTES]);

impl HashingKey {
    /// A key of raw bytes.
    pub fn new(bytes: [u8; KEY_BYTES]) -> HashingKey {
        HashingKey(bytes)
    }

    /// Hash of `parts` for one `purpose`, as 32 lower-case base32 characters. Each part's length goes in first, so
    /// that no two lists of parts can meet.
    pub fn hash(&self, purpose: &str, parts: &[&[u8]]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        for part in std::iter::once(&purpose.as_bytes()).chain(parts) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        BASE32_NOPAD.encode(&mac.finalize().into_bytes()[..HASH_BYTES]).to_ascii_lowercase()
    }

    /// The key's public name: 8 characters that say nothing of the key.
    pub fn id(&self) -> String {
        self.hash("hashing key id", &[])[..8].to_owned()
    }

    /// The name of a session in events and tables: the same whichever way a request carried its value.
    pub fn session(&self, value: &str) -> String {
        self.hash("session", &[value.as_bytes()])
    }
}

impl std::fmt::Debug for HashingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HashingKey(…)")
    }
}

/// Reads a key file's text: 64 hexadecimal digits and perhaps a line's end.
///
/// # Errors
/// When the text is anything else.
pub fn parse_key(text: &str) -> Result<[u8; KEY_BYTES], UnreadableKey> {
    let bytes = HEXLOWER_PERMISSIVE.decode(text.trim_end().as_bytes()).map_err(|_| UnreadableKey)?;
    bytes.try_into().map_err(|_| UnreadableKey)
}

/// A key file that does not hold 64 hexadecimal digits. The text itself is never repeated.
#[derive(Debug, thiserror::Error)]
#[error("it must hold exactly 64 hexadecimal digits")]
pub struct UnreadableKey;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_parts_are_cut_matters() {
        let key = HashingKey::new([7; 32]);
        assert_ne!(key.hash("x", &[b"ab", b"c"]), key.hash("x", &[b"a", b"bc"]));
        assert_ne!(key.hash("x", &[b"ab"]), key.hash("y", &[b"ab"]));
        assert_ne!(key.hash("x", &[b"ab"]), HashingKey::new([8; 32]).hash("x", &[b"ab"]));
        assert_eq!(key.hash("x", &[b"ab"]).len(), 32);
        assert_ne!(key.id(), HashingKey::new([8; 32]).id());
    }

    #[test]
    fn a_session_keeps_its_name_for_ever() {
        let key = HashingKey::new([7; 32]);
        assert_eq!(key.session("1234"), "nofcwqyzmk3czsm5vnsns653lw4wbcdw");
        assert_eq!(key.session("1234"), key.hash("session", &[b"1234"]));
        assert_ne!(key.session("1234"), key.session("1235"));
    }

    #[test]
    fn a_key_file_holds_64_hexadecimal_digits() {
        assert_eq!(parse_key(&format!("{}\n", "0a".repeat(32))).unwrap(), [10; 32]);
        assert!(parse_key("0a0a").is_err());
        assert!(parse_key(&"zz".repeat(32)).is_err());
    }
}
