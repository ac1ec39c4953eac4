//! How many parts a request has: each message inside it, before any is made. Two bytes can be a whole message, so a request of a few megabytes might
//! take gigabytes once it is read.

use super::messages::{AnyValue, Span};
use super::{Encoding, OtlpError, Signal};

/// So many parts a request may have: ten thousand spans with some forty attributes each.
pub(crate) const MOST_PARTS: usize = 1_000_000;
/// Levels of lists within lists; prost reads no more, either.
const MOST_LEVELS: usize = 100;
/// Bytes that the largest of them takes, beside its texts.
pub(crate) const BYTES_OF_A_PART: usize = size_of::<Span>();
// A text's bytes stand in the request, and are counted there.
const _: () = assert!(BYTES_OF_A_PART >= size_of::<AnyValue>());

/// The messages that are looked into.
#[derive(Clone, Copy)]
enum Kind {
    Request,
    OfResource,
    OfScope,
    Span,
    Record,
    Event,
    Attribute,
    Value,
    List,
    /// One with no messages in it.
    Last,
}

/// How many parts a request has; refused where there are more than [`MOST_PARTS`].
pub(crate) fn count(signal: Signal, encoding: Encoding, bytes: &[u8]) -> Result<usize, OtlpError> {
    let parts = match encoding {
        Encoding::Json => brackets(bytes),
        Encoding::Protobuf => {
            let mut counted = Counted { signal, parts: 0 };
            counted.look_into(bytes, Kind::Request, 0)?;
            counted.parts
        }
    };
    if parts > MOST_PARTS {
        return Err(too_many());
    }
    Ok(parts)
}

fn too_many() -> OtlpError {
    OtlpError::TooLarge(format!(
        "the request has more than {MOST_PARTS} parts (spans or records, their attributes and values); send fewer at once"
    ))
}

/// The objects and lists of a JSON text: every message is an object, and serde would take a list of its fields for one, too.
fn brackets(json: &[u8]) -> usize {
    let (mut found, mut in_string, mut escaped) = (0, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => found += 1,
            _ => {}
        }
    }
    found
}

struct Counted {
    signal: Signal,
    parts: usize,
}

impl Counted {
    /// Counts the messages in one of this kind.
    fn look_into(&mut self, mut bytes: &[u8], kind: Kind, level: usize) -> Result<(), OtlpError> {
        if level > MOST_LEVELS {
            return Err(OtlpError::Unreadable(format!("nested deeper than {MOST_LEVELS} levels")));
        }
        while !bytes.is_empty() {
            let key = varint(&mut bytes)?;
            let length = match key & 7 {
                0 => {
                    varint(&mut bytes)?;
                    continue;
                }
                1 => 8,
                2 => varint(&mut bytes)?,
                5 => 4,
                other => return Err(OtlpError::Unreadable(format!("there is no wire type {other} in OTLP"))),
            };
            let (field, rest) = bytes
                .split_at_checked(length)
                .ok_or_else(|| OtlpError::Unreadable("a field is longer than its message".to_owned()))?;
            bytes = rest;
            if let Some(inner) = self.inside(kind, key >> 3).filter(|_| key & 7 == 2) {
                self.parts += 1;
                if self.parts > MOST_PARTS {
                    return Err(too_many());
                }
                self.look_into(field, inner, level + 1)?;
            }
        }
        Ok(())
    }

    /// Which message a field has, where it has one that is read.
    const fn inside(&self, kind: Kind, tag: usize) -> Option<Kind> {
        Some(match (kind, tag) {
            (Kind::Request, 1) => Kind::OfResource,
            (Kind::OfResource, 2) => Kind::OfScope,
            (Kind::OfScope, 2) => match self.signal {
                Signal::Traces => Kind::Span,
                Signal::Logs => Kind::Record,
            },
            (Kind::Span, 9) | (Kind::Event, 3) | (Kind::Record, 6) => Kind::Attribute,
            (Kind::Span, 11) => Kind::Event,
            (Kind::Span, 15) => Kind::Last,
            (Kind::Attribute, 2) | (Kind::List, 1) => Kind::Value,
            (Kind::Value, 5) => Kind::List,
            _ => return None,
        })
    }
}

/// A number of variable length, as keys and lengths are.
fn varint(bytes: &mut &[u8]) -> Result<usize, OtlpError> {
    prost::decode_length_delimiter(bytes).map_err(|error| OtlpError::Unreadable(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_is_counted_once() {
        let json = br#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"{\"{","attributes":[{"key":"a","value":{"intValue":1}}]}]}]}]}"#;
        assert_eq!(count(Signal::Traces, Encoding::Json, json), Ok(6 + 4));
        // resource, scope, span, attribute, value: each in the one before, then a number of the span's that is passed over.
        let wire = [
            0x0a, 0x0d, 0x12, 0x0b, 0x12, 0x09, 0x4a, 0x04, 0x12, 0x02, 0x18, 0x01, 0x30, 0xff, 0x01,
        ];
        assert_eq!(count(Signal::Traces, Encoding::Protobuf, &wire), Ok(5));
        // A record has its attributes elsewhere.
        assert_eq!(count(Signal::Logs, Encoding::Protobuf, &wire), Ok(3));
        assert_eq!(count(Signal::Logs, Encoding::Protobuf, b""), Ok(0));
    }

    #[test]
    fn a_request_of_many_parts_is_refused_before_it_is_read() {
        let too_many = |refused| matches!(refused, Err(OtlpError::TooLarge(_)));
        let resources = [0x0a, 0x00].repeat(MOST_PARTS);
        assert_eq!(count(Signal::Traces, Encoding::Protobuf, &resources), Ok(MOST_PARTS));
        let more = [0x0a, 0x00].repeat(MOST_PARTS + 1);
        assert!(too_many(count(Signal::Traces, Encoding::Protobuf, &more)));
        assert!(too_many(count(Signal::Logs, Encoding::Json, &b"{}".repeat(MOST_PARTS + 1))));
        assert!(too_many(count(Signal::Logs, Encoding::Json, &b"[],".repeat(MOST_PARTS + 1))));
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for wire in [
            &[0x0a][..],
            &[0x0a, 0x02, 0x12],
            &[0x09, 0x00],
            &[0x0b, 0x0c],
            &[0xff; 11],
            &[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
        ] {
            let refused = count(Signal::Traces, Encoding::Protobuf, wire);
            assert!(matches!(refused, Err(OtlpError::Unreadable(_))), "{wire:?}: {refused:?}");
        }
        // Lists in lists without end.
        let mut value: Vec<u8> = Vec::new();
        let wrap = |tag: u8, inner: &[u8]| {
            let mut outer = vec![tag];
            prost::encode_length_delimiter(inner.len(), &mut outer).unwrap();
            outer.extend_from_slice(inner);
            outer
        };
        for _ in 0..60 {
            value = wrap(0x2a, &wrap(0x0a, &value));
        }
        for tag in [0x12, 0x4a, 0x12, 0x12, 0x0a] {
            value = wrap(tag, &value);
        }
        assert!(matches!(
            count(Signal::Traces, Encoding::Protobuf, &value),
            Err(OtlpError::Unreadable(_))
        ));
    }
}
