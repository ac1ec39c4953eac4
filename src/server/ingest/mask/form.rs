//! Forms, `application/x-www-form-urlencoded`, which a URL's query is too.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use super::names::NameKind;
use super::{MASK, MaskRules, json};

/// The form with its secrets masked; none where there were none.
pub(super) fn mask(rules: &MaskRules, bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut copied = 0;
    let mut at = 0;
    for pair in bytes.split(|byte| *byte == b'&') {
        let end = at + pair.len();
        if let Some(equals) = memchr::memchr(b'=', pair) {
            let value = &pair[equals + 1..];
            if value != MASK.as_bytes()
                && let Some(masked) = masked_value(rules, &pair[..equals], value)
            {
                out.extend_from_slice(&bytes[copied..=at + equals]);
                out.extend_from_slice(&masked);
                copied = end;
            }
        }
        at = end + 1;
    }
    if copied == 0 {
        return None;
    }
    out.extend_from_slice(&bytes[copied..]);
    Some(out)
}

fn masked_value(rules: &MaskRules, name: &[u8], value: &[u8]) -> Option<Vec<u8>> {
    let name = decoded(name);
    match rules.names.kind(&name) {
        NameKind::Secret => (!value.is_empty()).then(|| MASK.as_bytes().to_vec()),
        NameKind::Card if json::is_card_number(&decoded(value)) => Some(MASK.as_bytes().to_vec()),
        NameKind::Card | NameKind::Plain => {
            let value = decoded(value);
            if !super::looks_like_json(&value) {
                return None;
            }
            let masked = json::mask(rules, &value).bytes?;
            Some(
                percent_encoding::percent_encode(&masked, percent_encoding::NON_ALPHANUMERIC)
                    .to_string()
                    .into_bytes(),
            )
        }
    }
}

/// Whether text without a content type may be a form: `name=value`, no white space, nothing that a form would have to escape.
pub(super) fn looks_like_form(bytes: &[u8]) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'{' | b'}');
    let bytes = bytes.trim_ascii_end();
    memchr::memchr(b'=', bytes).is_some_and(|at| at > 0) && bytes.iter().all(is_plain)
}

fn decoded(bytes: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr2(b'+', b'%', bytes).is_none() {
        return Cow::Borrowed(bytes);
    }
    let spaced: Vec<u8> = bytes.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    Cow::Owned(percent_decode(&spaced).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(form: &str) -> String {
        let rules = MaskRules::default();
        let once = mask(&rules, form.as_bytes()).map_or(form.to_owned(), |bytes| String::from_utf8(bytes).expect("text"));
        assert_eq!(mask(&rules, once.as_bytes()), None, "masking twice changes nothing: {form}");
        once
    }

    #[test]
    fn only_the_values_of_secrets_go() {
        assert_eq!(masked("user=a&password=b%26c&x=1"), "user=a&password=masked&x=1");
        assert_eq!(masked("user%5Bpass%77ord%5D=b&&=&x"), "user%5Bpass%77ord%5D=masked&&=&x");
        assert_eq!(masked("client+secret=b=c"), "client+secret=masked");
        assert_eq!(masked("password=&token"), "password=&token");
        assert_eq!(masked("next_page_token=abc&a=b"), "next_page_token=abc&a=b");
        assert_eq!(masked("card=4111+1111+1111+1111&card=blue"), "card=masked&card=blue");
    }

    #[test]
    fn json_in_a_field_is_masked_too() {
        assert_eq!(
            masked("payload=%7B%22token%22%3A%22abc%22%7D"),
            "payload=%7B%22token%22%3A%22masked%22%7D"
        );
        assert_eq!(masked("payload=%7B%22a%22:1%7D"), "payload=%7B%22a%22:1%7D");
    }

    #[test]
    fn prose_is_no_form() {
        assert!(looks_like_form(b"a=b&c=d\n"));
        for text in ["a = b", "hello", "=", "<a href=\"x\">", "{\"a\":\"=\"}", "a=b\nc=d"] {
            assert!(!looks_like_form(text.as_bytes()), "{text}");
        }
    }
}
