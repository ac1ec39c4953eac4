//! A link's token: an id, when it ends, and a signature over both. It is derived and kept nowhere, so it can be shown again, and whoever has a copy of the database alone has no
//! link.

use data_encoding::BASE64URL_NOPAD;

use crate::server::secrets::InstanceKey;

/// What tokens are signed for.
const PURPOSE: &str = "embed-link";
/// Bytes of a signature, which is taken whole: HMAC-SHA-256.
const SIGNATURE: usize = 32;

/// What a signed token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The embedded view, `emb_…`.
    pub id: String,
    /// From when on it leads nowhere, in milliseconds since 1970.
    pub until_ms: i64,
}

/// The token of an embedded view.
pub fn token(key: &InstanceKey, id: &str, until_ms: i64) -> String {
    let said = format!("{id}.{until_ms}");
    let signature = key.sign(PURPOSE, said.as_bytes());
    format!("{said}.{}", BASE64URL_NOPAD.encode(&signature))
}

/// What a token says; nothing where this instance did not sign it. The signature is compared in a time that says nothing of where it differs.
pub fn read(key: &InstanceKey, token: &str) -> Option<Signed> {
    let (said, signature) = token.rsplit_once('.')?;
    let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).ok()?;
    if signature.len() != SIGNATURE || !key.is_signed(PURPOSE, said.as_bytes(), &signature) {
        return None;
    }
    let (id, until) = said.split_once('.')?;
    Some(Signed {
        id: id.to_owned(),
        until_ms: until.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: InstanceKey = InstanceKey::new([7; 32]);

    #[test]
    fn a_token_says_what_it_was_made_of() {
        let text = token(&KEY, "emb_1", 1_000);
        let signed = read(&KEY, &text).unwrap();
        assert_eq!((signed.id.as_str(), signed.until_ms), ("emb_1", 1_000));
        assert_eq!(read(&InstanceKey::new([8; 32]), &text), None, "another instance's");
        let (said, signature) = text.rsplit_once('.').unwrap();
        for other in [
            format!("emb_2.1000.{signature}"),
            format!("emb_1.2000.{signature}"),
            format!("emb_1.1000.{}", &signature[..22]),
            format!("emb_1.1000.{signature}A"),
            format!("{said}."),
            said.to_owned(),
            signature.to_owned(),
            String::new(),
        ] {
            assert_eq!(read(&KEY, &other), None, "{other}");
        }
    }

    #[test]
    fn what_was_signed_for_something_else_is_no_token() {
        let said = "emb_1.1000";
        let elsewhere = KEY.sign("cursor", said.as_bytes());
        assert_eq!(read(&KEY, &format!("{said}.{}", BASE64URL_NOPAD.encode(&elsewhere))), None);
    }

    proptest! {
        #[test]
        fn an_edited_token_is_none(at in 0_usize..200, letter in "[A-Za-z0-9_.-]") {
            let text = token(&KEY, "emb_01JD0000000000000000000000", 1_795_348_800_000);
            let at = at % text.len();
            let mut edited = text.clone();
            edited.replace_range(at..=at, &letter);
            prop_assume!(edited != text);
            prop_assert_eq!(read(&KEY, &edited), None);
        }

        #[test]
        fn any_text_is_none(text in "\\PC{0,80}") {
            prop_assert_eq!(read(&KEY, &text), None);
        }
    }
}
