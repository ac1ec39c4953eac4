//! Masking of XML.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

fn masked(body: &str) -> String {
    let once = |body: &str| {
        let bytes = xml::mask(&MaskRules::default(), body.as_bytes());
        bytes.map_or_else(|| body.to_owned(), |bytes| String::from_utf8(bytes).unwrap())
    };
    let first = once(body);
    assert_eq!(once(&first), first, "masking twice changes nothing");
    first
}

#[test]
fn elements_and_attributes_are_masked_by_their_local_names() {
    for (body, expected) in [
        (
            "<a><password>x &amp; y</password><b>1</b></a>",
            "<a><password>masked</password><b>1</b></a>",
        ),
        (
            "<s:a><wsse:Password Type='t'>\n x\n</wsse:Password></s:a>",
            "<s:a><wsse:Password Type='t'>\n masked\n</wsse:Password></s:a>",
        ),
        (
            "<a token = \"x>y\" b='1' api-key=k/><c>2</c>",
            "<a token = \"masked\" b='1' api-key=masked/><c>2</c>",
        ),
        (
            "<secret><![CDATA[a<b]]></secret><b><![CDATA[c]]></b>",
            "<secret><![CDATA[masked]]></secret><b><![CDATA[c]]></b>",
        ),
        (
            "<credentials><user>u</user><secret>s</secret>t</credentials><b>1</b>",
            "<credentials><user>masked</user><secret>masked</secret>masked</credentials><b>1</b>",
        ),
        (
            "<card><n>4111 1111 1111 1111</n><t>visa</t></card>",
            "<card><n>masked</n><t>visa</t></card>",
        ),
        ("<a>{\"token\": \"x\"}</a>", "<a>{\"token\": \"masked\"}</a>"),
        ("<password/><a>1</a><token></token>", "<password/><a>1</a><token></token>"),
        ("<nextPageToken>x</nextPageToken>", "<nextPageToken>x</nextPageToken>"),
    ] {
        assert_eq!(masked(body), expected);
    }
}

#[test]
fn what_is_broken_keeps_no_secret() {
    for (body, expected) in [
        ("<password>x", "<password>masked"),
        ("<a><password>x</a><b>1</b>", "<a><password>masked</a><b>1</b>"),
        (
            "<password>x<br>y</password><b>1</b>",
            "<password>masked<br>masked</password><b>1</b>",
        ),
        ("<password>1 < 2</password>", "<password>masked</password>"),
        ("<password><![CDATA[x", "<password><![CDATA[masked"),
        ("<a password=\"x", "<a password=\"masked"),
        ("<a password=\"x<b>1</b>", "<a password=\"masked<b>1</b>"),
        ("</password></a><", "</password></a><"),
    ] {
        assert_eq!(masked(body), expected);
    }
}

#[test]
fn xml_is_known_by_its_type_or_its_first_letter() {
    let body = |kind, content_type, body: &str| MaskRules::default().body(kind, content_type, body.as_bytes()).bytes;
    let text = "\u{feff} <token>x</token>";
    assert!(body(BodyKind::Text, None, text).is_some());
    assert!(body(BodyKind::Binary, Some("application/soap+xml; charset=utf-8"), text).is_some());
    assert_eq!(body(BodyKind::Text, Some("text/html"), text), None);
    assert!(body(BodyKind::Text, None, "<14>app: {\"token\":\"x\"}").is_some());
}

#[test]
fn a_hundred_thousand_open_tags_take_no_time() {
    for part in ["<password>", "<a b='", "<!--", "<![CDATA[", "</", "<"] {
        xml::mask(&MaskRules::default(), part.repeat(100_000).as_bytes());
    }
}

proptest! {
    #[test]
    fn text_outside_of_secrets_stays(parts in prop::collection::vec((any::<bool>(), "[a-z0-9 é\"'=]{1,12}", 0_usize..3), 0..12)) {
        let part = |is_secret: bool, text: &str, shape: usize, is_masked: bool| {
            let name = if is_secret { "ns:user_password" } else { "note" };
            let text = if is_secret && is_masked && !text.is_empty() { "masked" } else { text };
            match shape {
                0 => format!("<{name}>{text}</{name}> between "),
                1 => format!("<{name} a='b'><![CDATA[{text}]]></{name}>"),
                _ => format!("<{name}><i>{text}</i></{name}>\n<!-- token -->"),
            }
        };
        let write = |is_masked: bool| {
            let parts = parts.iter().map(|(is_secret, text, shape)| part(*is_secret, text.trim(), *shape, is_masked));
            parts.collect::<String>()
        };
        prop_assert_eq!(masked(&write(false)), write(true));
    }

    #[test]
    fn any_tags_at_all_are_read(body in "(<|>|/|password|a|=|\"|'| |!--|-->|!\\[CDATA\\[|\\]\\]>|\\?|x){0,40}") {
        masked(&body);
    }
}
