//! Headers as they are kept, one JSON object's text, in the order they came.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use super::Pair;

/// What stands for a secret.
const MASK: &str = "masked";

/// One value, or several of the same name.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Values {
    One(String),
    Many(Vec<String>),
}

/// An object's members in their order, which a map would lose.
struct Ordered(Vec<(String, Values)>);

impl<'de> Deserialize<'de> for Ordered {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Ordered;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object of headers")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ordered, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Ordered(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

/// The headers that a JSON object's text holds, one a value.
pub(super) fn pairs(text: &str) -> Result<Vec<Pair>, serde_json::Error> {
    let Ordered(members) = serde_json::from_str(text)?;
    let pairs = members.into_iter().flat_map(|(name, values)| {
        let values = match values {
            Values::One(value) => vec![value],
            Values::Many(values) => values,
        };
        values.into_iter().map(move |value| pair(name.clone(), value))
    });
    Ok(pairs.collect())
}

/// A name and its value, and whether that is masked.
pub(super) fn pair(name: String, value: String) -> Pair {
    let masked = value.split([' ', '=', ';', ',', '&']).any(|word| word == MASK);
    Pair { name, value, masked }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn headers_keep_their_order_and_their_repeats() {
        let pairs = pairs(r#"{"Z":"1","A":"Bearer masked","Set-Cookie":["a=masked; Path=/","b=unmasked"]}"#).unwrap();
        let shown: Vec<_> = pairs
            .iter()
            .map(|pair| (pair.name.as_str(), pair.value.as_str(), pair.masked))
            .collect();
        let wanted = [
            ("Z", "1", false),
            ("A", "Bearer masked", true),
            ("Set-Cookie", "a=masked; Path=/", true),
            ("Set-Cookie", "b=unmasked", false),
        ];
        assert_eq!(shown, wanted);
        assert!(super::pairs("[]").is_err());
    }
}
