//! The key that signs chains' heads: Ed25519, derived from the instance key, or from a key of its own that lies in another file.

use std::path::Path;

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use crate::server::clock::Random;
use crate::server::config::DataOptions;
use crate::server::secrets::{InstanceKey, KeyError, purposes};

/// Signs heads, and knows whose signatures are good: its own, and those of the keys from before.
pub struct ChainKey {
    now: SigningKey,
    good: Vec<VerifyingKey>,
}

impl std::fmt::Debug for ChainKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ChainKey")
    }
}

impl ChainKey {
    /// The key of the file that is configured for chains, which is made where it is not there; else the instance key's.
    pub fn load(options: &DataOptions, instance: &InstanceKey, random: &Random) -> Result<Self, KeyError> {
        match &options.chain_key_file {
            Some(path) => Self::of_file(path, random),
            None => Ok(Self::of(instance)),
        }
    }

    fn of_file(path: &Path, random: &Random) -> Result<Self, KeyError> {
        Ok(Self::of(&InstanceKey::load_file(path, random)?))
    }

    /// Derived from a key, and from those before it.
    pub fn of(key: &InstanceKey) -> Self {
        let mut seeds = key.seeds(purposes::CHAIN).into_iter();
        let now = SigningKey::from_bytes(&seeds.next().unwrap_or_default());
        let before = seeds.map(|seed| SigningKey::from_bytes(&seed).verifying_key());
        Self {
            good: std::iter::once(now.verifying_key()).chain(before).collect(),
            now,
        }
    }

    /// The public key that goes with what it signs.
    pub fn public(&self) -> [u8; 32] {
        self.now.verifying_key().to_bytes()
    }

    /// The signature (RFC 8032) of a message.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.now.sign(message).to_bytes()
    }

    /// Whether this is the signature of a message by one of the keys, that with this public half.
    pub fn is_signed(&self, public: &[u8], message: &[u8], signature: &[u8]) -> bool {
        let Ok(signature) = Signature::from_slice(signature) else {
            return false;
        };
        self.good
            .iter()
            .any(|key| key.as_bytes() == public && key.verify_strict(message, &signature).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_is_good_and_nothing_else_is() {
        let key = ChainKey::of(&InstanceKey::new([7; 32]));
        let other = ChainKey::of(&InstanceKey::new([8; 32]));
        let (public, signature) = (key.public(), key.sign(b"a"));
        assert!(key.is_signed(&public, b"a", &signature));
        assert!(!key.is_signed(&public, b"b", &signature));
        assert!(!key.is_signed(&other.public(), b"a", &other.sign(b"a")), "a stranger's");
        assert!(!key.is_signed(&public, b"a", &other.sign(b"a")));
        assert!(!key.is_signed(&public, b"a", &signature[..63]));
    }

    #[test]
    fn a_key_from_before_is_still_believed_and_signs_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chain.key");
        let random = Random::seeded(1);
        let first = ChainKey::of_file(&path, &random).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let newer = data_encoding::BASE64.encode(&random.bytes::<32>());
        std::fs::write(&path, format!("{newer}\n{text}")).unwrap();
        let both = ChainKey::of_file(&path, &random).unwrap();
        assert_ne!(both.public(), first.public());
        assert!(both.is_signed(&first.public(), b"a", &first.sign(b"a")));
        assert!(!first.is_signed(&both.public(), b"a", &both.sign(b"a")));
    }
}
