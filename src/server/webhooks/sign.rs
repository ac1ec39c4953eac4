//! Signatures as <https://www.standardwebhooks.com> has them: HMAC-SHA-256 of `id.timestamp.body`, under a secret that is shown once.

use data_encoding::BASE64;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::server::clock::Random;

/// What a secret's text begins with.
const PREFIX: &str = "whsec_";
/// Random bytes of a secret: the specification wants 24 to 64.
const BYTES: usize = 32;

/// A new secret: `whsec_` and base64.
pub(super) fn new_secret(random: &Random) -> String {
    format!("{PREFIX}{}", BASE64.encode(&random.bytes::<BYTES>()))
}

/// The key that a secret's text stands for; none where it is no secret.
pub(super) fn key_of(secret: &str) -> Option<Vec<u8>> {
    BASE64.decode(secret.strip_prefix(PREFIX)?.as_bytes()).ok()
}

/// The header `webhook-signature`: one signature for each key, separated by a space.
#[allow(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "HMAC takes keys of any length (RFC 2104, 2)"
)]
pub(super) fn signature(keys: &[Vec<u8>], id: &str, timestamp_s: i64, body: &[u8]) -> String {
    let mut header = String::with_capacity(48 * keys.len());
    for key in keys {
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(key).expect("a key of any length");
        mac.update(id.as_bytes());
        mac.update(b".");
        mac.update(timestamp_s.to_string().as_bytes());
        mac.update(b".");
        mac.update(body);
        if !header.is_empty() {
            header.push(' ');
        }
        header.push_str("v1,");
        BASE64.encode_append(&mac.finalize().into_bytes(), &mut header);
    }
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_specifications_example_is_signed_as_it_says() {
        // From the specification's reference libraries' tests.
        let key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed = signature(
            &[key],
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn two_keys_make_two_signatures() {
        let (old, new) = (vec![1; 24], vec![2; 24]);
        let both = signature(&[new.clone(), old.clone()], "so_1", 1, b"{}");
        let one = |key| signature(&[key], "so_1", 1, b"{}");
        assert_eq!(both, format!("{} {}", one(new), one(old)));
    }

    #[test]
    fn a_new_secret_is_long_and_reads_back() {
        let secret = new_secret(&Random::seeded(1));
        assert_eq!(key_of(&secret).unwrap().len(), BYTES);
        assert_eq!(key_of("secret"), None);
    }
}
