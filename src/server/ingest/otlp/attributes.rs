//! The attributes of a span or a record, by their names: the stable semantic conventions for HTTP first, then those from before them.

use std::borrow::Cow;

use super::messages::{KeyValue, List, Value};
use crate::server::ingest::headers::Headers;

/// Attributes, as they came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attributes<'a>(pub(super) &'a [KeyValue]);

impl<'a> Attributes<'a> {
    /// The value of the first of these names that has one.
    pub(super) fn value(self, names: &[&str]) -> Option<&'a Value> {
        names.iter().find_map(|name| {
            let attribute = self.0.iter().find(|attribute| attribute.key == *name)?;
            attribute.value.as_ref()?.value.as_ref()
        })
    }

    /// The text of the first of these names that has one which is not empty.
    pub(super) fn text(self, names: &[&str]) -> Option<Cow<'a, str>> {
        names
            .iter()
            .find_map(|name| text(self.value(&[*name])?).filter(|text| !text.is_empty()))
    }

    /// The whole number of the first of these names that has one; some senders write it as a text.
    pub(super) fn whole(self, names: &[&str]) -> Option<i64> {
        names.iter().find_map(|name| match self.value(&[*name])? {
            Value::Whole(number) => Some(*number),
            Value::Text(text) => text.trim().parse().ok(),
            Value::Number(number) if number.fract() == 0.0 => Some(*number as i64),
            _ => None,
        })
    }

    /// The headers whose names stand behind this beginning. Some senders write `-` as `_`; no header that passes a proxy has one.
    pub(super) fn headers(self, beginning: &str) -> Headers<'a> {
        let mut headers = Headers::default();
        for attribute in self.0 {
            let Some(name) = attribute.key.strip_prefix(beginning).filter(|name| !name.is_empty()) else {
                continue;
            };
            let name = if name.contains('_') {
                Cow::Owned(name.replace('_', "-"))
            } else {
                Cow::Borrowed(name)
            };
            let value = attribute.value.as_ref().and_then(|value| value.value.as_ref());
            for value in value.map(texts).unwrap_or_default() {
                headers.pairs.push((name.clone(), value));
            }
        }
        headers
    }
}

/// A value's text; of a list with one value, that one's.
fn text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::Text(text) => Some(Cow::Borrowed(text)),
        Value::Flag(flag) => Some(Cow::Borrowed(if *flag { "true" } else { "false" })),
        Value::Whole(number) => Some(Cow::Owned(number.to_string())),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::List(List { values }) => match values.as_slice() {
            [one] => one.value.as_ref().filter(|one| !matches!(one, Value::List(_))).and_then(text),
            _ => None,
        },
        Value::Bytes(bytes) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
    }
}

/// The texts of a list, or the one of a value that is none.
fn texts(value: &Value) -> Vec<Cow<'_, str>> {
    match value {
        Value::List(List { values }) => values.iter().filter_map(|value| text(value.value.as_ref()?)).collect(),
        one => text(one).into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::ingest::otlp::messages::AnyValue;

    fn attribute(key: &str, value: Value) -> KeyValue {
        KeyValue {
            key: key.to_owned(),
            value: Some(AnyValue { value: Some(value) }),
        }
    }

    fn list(texts: &[&str]) -> Value {
        let values = texts.iter().map(|text| AnyValue {
            value: Some(Value::Text((*text).to_owned())),
        });
        Value::List(List {
            values: values.collect(),
        })
    }

    #[test]
    fn the_first_name_that_says_something_counts() {
        let all = [
            attribute("new", Value::Text(String::new())),
            attribute("old", Value::Text("b".to_owned())),
            attribute("code", Value::Text(" 404 ".to_owned())),
            attribute("size", Value::Number(2.0)),
            attribute("part", Value::Number(2.5)),
            KeyValue {
                key: "bare".to_owned(),
                value: None,
            },
        ];
        let all = Attributes(&all);
        assert_eq!(all.text(&["none", "bare", "new", "old"]).as_deref(), Some("b"));
        assert_eq!(all.text(&["none", "bare"]), None);
        assert_eq!(
            (all.whole(&["code"]), all.whole(&["size"]), all.whole(&["part", "old"])),
            (Some(404), Some(2), None)
        );
    }

    #[test]
    fn headers_are_lists_or_texts_under_either_spelling() {
        let all = [
            attribute("http.request.header.x-tag", list(&["a", "b"])),
            attribute("http.request.header.content_type", Value::Text("text/plain".to_owned())),
            attribute("http.request.header.", list(&["a"])),
            attribute("http.request.header.empty", list(&[])),
            attribute("http.response.header.x-tag", list(&["c"])),
        ];
        let headers = Attributes(&all).headers("http.request.header.");
        let pairs: Vec<(&str, &str)> = headers.pairs.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(pairs, [("x-tag", "a"), ("x-tag", "b"), ("content-type", "text/plain")]);
    }
}
