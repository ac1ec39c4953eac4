//! Headers as they are sent in, and as they are kept.

use std::borrow::Cow;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::draft::Fault;

/// Names and values of one side, 64 KB.
pub(crate) const MAX_HEADERS: usize = 64 << 10;
/// So many headers a side.
const MAX_COUNT: usize = 1_000;

/// Header names and values, in the order they came.
#[derive(Debug, Default)]
pub(crate) struct Headers<'a> {
    pub(crate) pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> Headers<'a> {
    /// Reads an object of strings or arrays of strings, or an array of `{name, value}` as HAR has them.
    /// Numbers and booleans are taken for their text; null is no header.
    pub(crate) fn read(json: &'a str, field: &'static str) -> Result<Self, Fault> {
        let mut reader = serde_json::Deserializer::from_str(json);
        reader
            .deserialize_any(HeadersVisitor)
            .map_err(|error| Fault::invalid(field, without_place(&error)))
    }

    /// The first header of this name, in any case.
    pub(crate) fn first(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| &**value)
    }
}

/// The bytes of all names and values, against their bound; then one JSON object, a header that came more than once as an array.
pub(crate) fn to_json(side: &'static str, headers: &Headers<'_>) -> Result<String, Fault> {
    let pairs = &headers.pairs;
    let bytes: usize = pairs.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > MAX_HEADERS || pairs.len() > MAX_COUNT {
        let reason = format!(
            "{side}.headers: {} headers of {bytes} bytes; at most {MAX_COUNT} of {MAX_HEADERS} are taken",
            pairs.len()
        );
        return Err(Fault::TooLarge(reason));
    }
    let mut json = String::with_capacity(bytes + pairs.len() * 6 + 2);
    json.push('{');
    for (place, (name, value)) in pairs.iter().enumerate() {
        let is_same = |(other, _): &&(Cow<'_, str>, Cow<'_, str>)| other.eq_ignore_ascii_case(name);
        if pairs[..place].iter().any(|pair| is_same(&pair)) {
            continue;
        }
        if place > 0 {
            json.push(',');
        }
        push_string(&mut json, name);
        json.push(':');
        let mut more = pairs[place + 1..].iter().filter(is_same).peekable();
        if more.peek().is_none() {
            push_string(&mut json, value);
            continue;
        }
        json.push('[');
        push_string(&mut json, value);
        for (_, value) in more {
            json.push(',');
            push_string(&mut json, value);
        }
        json.push(']');
    }
    json.push('}');
    Ok(json)
}

/// Writes a JSON string.
fn push_string(json: &mut String, text: &str) {
    let is_plain = |byte: u8| byte >= 0x20 && byte != b'"' && byte != b'\\';
    if text.bytes().all(is_plain) {
        json.push('"');
        json.push_str(text);
        json.push('"');
    } else {
        json.push_str(&serde_json::Value::from(text).to_string());
    }
}

/// A serde message without `at line 1 column 5`, which would count from the wrong place.
pub(crate) fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(at) => text[..at].to_owned(),
        None => text,
    }
}

struct HeadersVisitor;

impl<'de> Visitor<'de> for HeadersVisitor {
    type Value = Headers<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object of header names and values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut headers = Headers::default();
        while let Some(name) = map.next_key_seed(Text)? {
            map.next_value_seed(Values {
                name,
                headers: &mut headers,
            })?;
        }
        Ok(headers)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut headers = Headers::default();
        while seq.next_element_seed(Pair { headers: &mut headers })?.is_some() {}
        Ok(headers)
    }
}

/// The value or values of one header.
struct Values<'h, 'de> {
    name: Cow<'de, str>,
    headers: &'h mut Headers<'de>,
}

impl<'de> DeserializeSeed<'de> for Values<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Values<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a string or an array of strings as the value of {:?}", self.name)
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<(), E> {
        self.headers.pairs.push((self.name, Cow::Borrowed(text)));
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.headers.pairs.push((self.name, Cow::Owned(text.to_owned())));
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.visit_str(if value { "true" } else { "false" })
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.visit_str(&value.to_string())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.visit_str(&value.to_string())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.visit_str(&value.to_string())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(value) = seq.next_element_seed(Text)? {
            self.headers.pairs.push((self.name.clone(), value));
        }
        Ok(())
    }
}

/// A string, borrowed where it has no escapes.
struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

/// `{"name": …, "value": …}`.
struct Pair<'h, 'de> {
    headers: &'h mut Headers<'de>,
}

impl<'de> DeserializeSeed<'de> for Pair<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Pair<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object with a name and a value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (mut name, mut value) = (None, None);
        while let Some(key) = map.next_key_seed(Text)? {
            match &*key {
                "name" => name = Some(map.next_value_seed(Text)?),
                "value" => value = Some(map.next_value_seed(Text)?),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        let name = name.ok_or_else(|| Error::missing_field("name"))?;
        self.headers.pairs.push((name, value.unwrap_or_default()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(json: &str) -> Result<String, Fault> {
        to_json("request", &Headers::read(json, "request.headers")?)
    }

    #[test]
    fn every_form_is_kept_as_one_object_in_its_order() {
        assert_eq!(
            kept(r#"{"b":"1","a":["2","3"],"c":4,"d":null,"e":true}"#).unwrap(),
            r#"{"b":"1","a":["2","3"],"c":"4","e":"true"}"#
        );
        assert_eq!(
            kept(r#"{"A":"1","b":"2","a":"\u0000\"3"}"#).unwrap(),
            r#"{"A":["1","\u0000\"3"],"b":"2"}"#
        );
        assert_eq!(
            kept(r#"[{"name":"a","value":"1","comment":"x"},{"value":"2","name":"A"}]"#).unwrap(),
            r#"{"a":["1","2"]}"#
        );
        assert_eq!(kept("{}").unwrap(), "{}");
        assert_eq!(kept("[]").unwrap(), "{}");
    }

    #[test]
    fn other_types_are_refused() {
        for json in [
            "1",
            "\"a: b\"",
            r#"{"a":{"b":"c"}}"#,
            r#"{"a":[["b"]]}"#,
            r#"{"a":[1]}"#,
            "[1]",
            r#"[{"value":"1"}]"#,
            r#"{"a":"\ud800"}"#,
        ] {
            assert!(matches!(kept(json), Err(Fault::Invalid { .. })), "{json}");
        }
    }

    #[test]
    fn sixty_four_kilobytes_and_no_more() {
        assert!(kept(&format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_HEADERS - 1))).is_ok());
        assert!(matches!(
            kept(&format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_HEADERS))),
            Err(Fault::TooLarge(_))
        ));
        let many: Vec<String> = (0..=MAX_COUNT).map(|nth| format!("\"h{nth}\":\"\"")).collect();
        assert!(matches!(kept(&format!("{{{}}}", many.join(","))), Err(Fault::TooLarge(_))));
    }
}
