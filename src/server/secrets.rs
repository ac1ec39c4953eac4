//! The instance key: one secret of 32 bytes, from which every other is derived. Signs cursors and links, seals what must not lie open.

/// The instance's secret.
pub struct InstanceKey([u8; 32]);

impl std::fmt::Debug for InstanceKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InstanceKey")
    }
}

impl InstanceKey {
    /// A key of these bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// HMAC-SHA-256 of a message under the key derived for `purpose`.
    pub fn sign(&self, purpose: &str, message: &[u8]) -> [u8; 32] {
        let _ = (purpose, message, self.0);
        todo!()
    }

    /// Seals bytes (XChaCha20-Poly1305, random nonce first) under the key derived for `purpose`.
    pub fn seal(&self, purpose: &str, plain: &[u8], random: &super::clock::Random) -> Vec<u8> {
        let _ = (purpose, plain, random);
        todo!()
    }

    /// Opens what [`InstanceKey::seal`] made; none where it was changed or sealed by another key.
    pub fn open(&self, purpose: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let _ = (purpose, sealed);
        todo!()
    }
}
