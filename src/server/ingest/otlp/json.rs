//! How OTLP writes its values in JSON: ids in hexadecimal, bytes in base64, 64 bits as a text (or a number), and `null` for what is not there
//! (<https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>).

use std::fmt;

use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use super::messages::{AnyValue, List, Value};

/// `null` is what is not there.
pub(super) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(value: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(value)?.unwrap_or_default())
}

/// The bytes of an id.
pub(super) fn hexadecimal<'de, D: Deserializer<'de>>(value: D) -> Result<Vec<u8>, D::Error> {
    let text: String = or_default(value)?;
    let decoded = HEXLOWER_PERMISSIVE.decode(text.as_bytes());
    decoded.map_err(|_| D::Error::custom("an id is no hexadecimal number"))
}

/// A whole number, or its text.
pub(super) fn whole<'de, D: Deserializer<'de>, T: TryFrom<i128>>(value: D) -> Result<T, D::Error> {
    let number = value.deserialize_any(WholeVisitor)?;
    T::try_from(number).map_err(|_| D::Error::custom(format!("{number} does not fit its field")))
}

struct WholeVisitor;

impl Visitor<'_> for WholeVisitor {
    type Value = i128;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number, or its text")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<i128, E> {
        Ok(number.into())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<i128, E> {
        Ok(number.into())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<i128, E> {
        text.parse().map_err(|_| E::custom(format!("{text:?} is no whole number")))
    }

    fn visit_unit<E: Error>(self) -> Result<i128, E> {
        Ok(0)
    }
}

/// A whole number of an attribute.
#[derive(Deserialize)]
struct Whole(#[serde(deserialize_with = "whole")] i64);

/// Any number; JSON has no word for some of them, so those are texts.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Number(f64),
    Text(String),
}

impl Number {
    fn read<E: Error>(self) -> Result<f64, E> {
        match self {
            Self::Number(number) => Ok(number),
            Self::Text(text) => text.parse().map_err(|_| E::custom(format!("{text:?} is no number"))),
        }
    }
}

impl<'de> Deserialize<'de> for AnyValue {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        value.deserialize_map(AnyValueVisitor)
    }
}

struct AnyValueVisitor;

impl<'de> Visitor<'de> for AnyValueVisitor {
    type Value = AnyValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with the value under the name of its kind, as stringValue")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<AnyValue, A::Error> {
        let mut read = AnyValue::default();
        while let Some(kind) = map.next_key::<String>()? {
            let value = match kind.as_str() {
                "stringValue" => map.next_value::<Option<String>>()?.map(Value::Text),
                "boolValue" => map.next_value::<Option<bool>>()?.map(Value::Flag),
                "intValue" => map.next_value::<Option<Whole>>()?.map(|Whole(whole)| Value::Whole(whole)),
                "doubleValue" => match map.next_value::<Option<Number>>()? {
                    Some(number) => Some(Value::Number(number.read()?)),
                    None => None,
                },
                "arrayValue" => map.next_value::<Option<List>>()?.map(Value::List),
                "bytesValue" => bytes(map.next_value()?)?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    None
                }
            };
            if value.is_some() {
                read.value = value;
            }
        }
        Ok(read)
    }
}

fn bytes<E: Error>(base64: Option<String>) -> Result<Option<Value>, E> {
    let Some(base64) = base64 else { return Ok(None) };
    let bytes = BASE64.decode(base64.as_bytes());
    bytes
        .map(|bytes| Some(Value::Bytes(bytes)))
        .map_err(|_| E::custom("bytesValue is not base64"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::server::ingest::otlp::messages::Span;

    fn value(json: &serde_json::Value) -> Option<Value> {
        serde_json::from_value::<AnyValue>(json.clone()).unwrap().value
    }

    #[test]
    fn every_kind_of_value_in_every_spelling() {
        for (json, read) in [
            (json!({"stringValue": "a"}), Some(Value::Text("a".to_owned()))),
            (json!({"boolValue": true}), Some(Value::Flag(true))),
            (json!({"intValue": "-9223372036854775808"}), Some(Value::Whole(i64::MIN))),
            (json!({"intValue": 7}), Some(Value::Whole(7))),
            (json!({"doubleValue": 1}), Some(Value::Number(1.0))),
            (json!({"doubleValue": "-Infinity"}), Some(Value::Number(f64::NEG_INFINITY))),
            (json!({"bytesValue": "YQ=="}), Some(Value::Bytes(b"a".to_vec()))),
            // What is at its default may be left out.
            (json!({"arrayValue": {}}), Some(Value::List(List::default()))),
            (json!({"kvlistValue": {"values": [{}]}}), None),
            (
                json!({"ofTomorrow": [[{}]], "stringValue": "a"}),
                Some(Value::Text("a".to_owned())),
            ),
            (json!({"stringValue": null}), None),
            (json!({}), None),
        ] {
            assert_eq!(value(&json), read, "{json}");
        }
    }

    #[test]
    fn a_span_in_every_spelling() {
        let read: Span = serde_json::from_value(json!({
            "traceId": "5B8EFFF798038103D269B633813FC60C", "spanId": null, "kind": "2", "startTimeUnixNano": "1544712660000000000",
            "endTimeUnixNano": 1_544_712_661_000_000_000_u64, "attributes": null, "status": {}, "links": [{"traceId": 1}], "traceState": 7,
            "events": [{"attributes": [{"value": {"arrayValue": {"values": [{"intValue": 1}]}}}, {"key": null, "value": null}]}],
        }))
        .unwrap();
        assert_eq!(
            (read.trace_id[0], read.trace_id.len(), read.span_id.len(), read.kind),
            (0x5b, 16, 0, 2)
        );
        assert_eq!(read.end_time_unix_nano - read.start_time_unix_nano, 1_000_000_000);
        assert_eq!(read.events[0].attributes.len(), 2);
    }

    #[test]
    fn what_is_spelt_otherwise_is_refused() {
        for json in [
            r#"{"traceId": "5b8"}"#,
            r#"{"traceId": "xx"}"#,
            r#"{"traceId": 7}"#,
            r#"{"kind": "SPAN_KIND_SERVER"}"#,
            r#"{"kind": 99999999999}"#,
            r#"{"kind": 1.5}"#,
            r#"{"startTimeUnixNano": -1}"#,
            r#"{"startTimeUnixNano": "18446744073709551616"}"#,
            r#"{"startTimeUnixNano": []}"#,
            r#"{"attributes": {}}"#,
            r#"{"attributes": [7]}"#,
            r#"{"attributes": [{"key": "a", "value": "b"}]}"#,
            r#"{"attributes": [{"key": "a", "value": {"intValue": "1.5"}}]}"#,
            r#"{"attributes": [{"key": "a", "value": {"intValue": 9223372036854775808}}]}"#,
            r#"{"attributes": [{"key": "a", "value": {"bytesValue": "?"}}]}"#,
            r#"{"attributes": [{"key": "a", "value": {"doubleValue": "much"}}]}"#,
        ] {
            assert!(serde_json::from_str::<Span>(json).is_err(), "{json}");
        }
    }
}
