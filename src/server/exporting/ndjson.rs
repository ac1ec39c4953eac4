//! NDJSON: an object a line. JSON that was kept goes out as it is, unless it spans lines.

use super::cells::{Cell, write_bytes, write_millis, write_number};

/// Writes objects.
#[derive(Debug)]
pub struct NdjsonEncoder {
    /// `"name":`, with the comma or brace before it.
    names: Vec<Vec<u8>>,
}

impl NdjsonEncoder {
    pub(super) fn begin(fields: &[String]) -> Self {
        let names = fields.iter().enumerate().map(|(place, field)| {
            let before = if place == 0 { '{' } else { ',' };
            format!("{before}{}:", serde_json::Value::from(field.as_str())).into_bytes()
        });
        Self { names: names.collect() }
    }

    pub(super) fn row(&self, cells: &[Cell<'_>], out: &mut Vec<u8>) {
        for (name, cell) in self.names.iter().zip(cells) {
            out.extend_from_slice(name);
            match cell {
                Cell::None => out.extend_from_slice(b"null"),
                Cell::Number(number) => write_number(*number, out),
                Cell::Millis(micros) => write_millis(*micros, out),
                Cell::Text(text) => write_text(text, out),
                Cell::Json(json) => write_json(json, out),
                Cell::Bytes(bytes) => write_bytes(bytes, out),
            }
        }
        out.extend_from_slice(b"}\n");
    }
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    // Writing a text into memory does not fail.
    if serde_json::to_writer(&mut *out, text).is_err() {
        out.extend_from_slice(b"null");
    }
}

/// A line break between a JSON's parts means nothing; inside a text there is none (RFC 8259, 7).
fn write_json(json: &[u8], out: &mut Vec<u8>) {
    out.extend(
        json.iter()
            .map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }),
    );
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    #[test]
    fn every_line_is_an_object() {
        let encoder = NdjsonEncoder::begin(&["a".to_owned(), "b \"q\"".to_owned(), "c".to_owned()]);
        let mut out = Vec::new();
        encoder.row(
            &[
                Cell::Text(Cow::Borrowed("x\n\"y\"")),
                Cell::Json(Cow::Borrowed(b"{\n\"k\" : [1,\r\n2]}")),
                Cell::Millis(1_500),
            ],
            &mut out,
        );
        let lines: Vec<&[u8]> = out.split_inclusive(|byte| *byte == b'\n').collect();
        assert_eq!(lines.len(), 1);
        let read: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(read, serde_json::json!({"a": "x\n\"y\"", "b \"q\"": {"k": [1, 2]}, "c": 1.5}));
    }
}
