//! NDJSON: a JSON object a line; a column is a key of it. What is no string is shown as it is written, `null` as nothing.

use std::borrow::Cow;
use std::ops::ControlFlow;

use memchr::{memchr, memchr_iter, memchr2};

/// Notes the place after each row that ends in these bytes, which stand at `at` in the file.
pub(super) fn cut(bytes: &[u8], at: usize, starts: &mut Vec<u32>) {
    starts.extend(memchr_iter(b'\n', bytes).map(|place| (at + place + 1) as u32));
}

/// Whether a line begins and ends as an object does.
pub(super) fn is_object(line: &[u8]) -> bool {
    matches!(line.trim_ascii(), [b'{', .., b'}'])
}

/// Whether a line writes letters in more than one way: a search through its bytes alone may then miss some.
pub(super) fn is_odd(line: &[u8]) -> bool {
    let mut rest = line;
    while let Some(place) = memchr(b'\\', rest) {
        match rest.get(place + 1) {
            Some(b'u' | b'/') => return true,
            _ => rest = rest.get(place + 2..).unwrap_or_default(),
        }
    }
    false
}

/// Goes through an object's keys and values as they are written, until told to stop. What is not JSON ends it.
pub(super) fn pairs<'a>(line: &'a [u8], mut each: impl FnMut(&'a [u8], &'a [u8]) -> ControlFlow<()>) {
    let mut rest = line.trim_ascii().strip_prefix(b"{").unwrap_or_default();
    loop {
        rest = rest.trim_ascii_start();
        let Some(key_end) = string_end(rest) else { return };
        let (key, after) = rest.split_at(key_end);
        let Some(after) = after.trim_ascii_start().strip_prefix(b":") else {
            return;
        };
        let after = after.trim_ascii_start();
        let end = value_end(after);
        if end == 0 || each(&key[1..key.len() - 1], after[..end].trim_ascii_end()).is_break() {
            return;
        }
        let Some(next) = after[end..].strip_prefix(b",") else { return };
        rest = next;
    }
}

/// Where a string ends, after its quote.
fn string_end(text: &[u8]) -> Option<usize> {
    let mut at = if text.first() == Some(&b'"') { 1 } else { return None };
    loop {
        let place = at + memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[place] == b'"' {
            return Some(place + 1);
        }
        at = place + 2;
    }
}

/// Where a value ends: before the comma or the brace that follows it.
fn value_end(text: &[u8]) -> usize {
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(&byte) = text.get(at) {
        match byte {
            b'"' => {
                at += string_end(&text[at..]).unwrap_or(text.len() - at);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' | b',' if depth == 0 => return at,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    text.len()
}

/// What a value says.
pub(super) fn text(value: &[u8]) -> Cow<'_, [u8]> {
    match value {
        b"null" => Cow::Borrowed(b""),
        [b'"', inner @ .., b'"'] => unescaped(value, inner),
        other => Cow::Borrowed(other),
    }
}

/// What a key says.
pub(super) fn is_key(written: &[u8], name: &str) -> bool {
    if memchr(b'\\', written).is_none() {
        return written == name.as_bytes();
    }
    let quoted = [b"\"", written, b"\""].concat();
    serde_json::from_slice::<String>(&quoted).is_ok_and(|key| key == name)
}

fn unescaped<'a>(value: &'a [u8], inner: &'a [u8]) -> Cow<'a, [u8]> {
    if memchr(b'\\', inner).is_none() {
        return Cow::Borrowed(inner);
    }
    // What has an escape that JSON does not know is shown as it is written.
    serde_json::from_slice::<String>(value).map_or(Cow::Borrowed(inner), |text| Cow::Owned(text.into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Vec<(String, String)> {
        let mut out = Vec::new();
        pairs(line.as_bytes(), |key, value| {
            let value = text(value).into_owned();
            out.push((String::from_utf8_lossy(key).into_owned(), String::from_utf8(value).unwrap()));
            ControlFlow::Continue(())
        });
        out
    }

    #[test]
    fn values_are_texts() {
        let line = r#" {"a": "x\"\n\u00fc", "b":{"c":[1,"},"]} , "d":null,"e":-1.5e3,"f":""} "#;
        let pairs = read(line);
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(
            pairs,
            [
                ("a", "x\"\nü"),
                ("b", r#"{"c":[1,"},"]}"#),
                ("d", ""),
                ("e", "-1.5e3"),
                ("f", "")
            ]
        );
    }

    #[test]
    fn what_is_no_object_has_no_cells_and_ends() {
        for line in ["", "{", "{}", "[1]", "{\"a", "{\"a\":", "{\"a\" 1}", "{\"a\":\"\\"] {
            assert!(read(line).len() <= 1, "{line}");
        }
        assert!(is_object(b" {} \r") && !is_object(b"[]") && !is_object(b"{"));
    }

    #[test]
    fn odd_ways_of_writing_are_known() {
        assert!(is_odd(br#"{"a":"\u0041"}"#) && is_odd(br#"{"a":"a\/b"}"#));
        assert!(!is_odd(br#"{"a":"\\u0041\n"}"#));
        assert!(is_key(br"\u0061", "a") && is_key(b"a", "a") && !is_key(b"b", "a"));
    }
}
