//! Secrets are masked before anything is stored.
//!
//! What is masked is the value; names, order, white space and everything else stay byte for byte as they came. Masking twice changes
//! nothing more. It reads bytes in one pass, builds no tree and does not recurse, so that a hostile body costs no more than its length.
//!
//! To mask another format: a file here with a function from its bytes to the masked bytes (none where there was nothing to mask), and a
//! branch in [`MaskRules::body`].

mod form;
mod headers;
mod json;
mod multipart;
mod names;
mod pairs;
mod url;
mod xml;

use std::borrow::Cow;
use std::collections::HashSet;

use crate::model::log::BodyKind;

pub use json::JSON_MASK;
use names::SecretNames;

/// What stands where a secret was.
pub const MASK: &str = "masked";

/// Headers whose values are masked although their names do not give them away as [`SecretNames`] would.
const HEADERS: &[&str] = &[
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "x-amz-credential",
    "x-original-authorization",
];

/// The names that are masked without being configured, for people: what each list is of.
pub const BUILT_IN: [(&str, &[&str]); 6] = [
    ("headers", HEADERS),
    (
        "keys of bodies, fields of forms, arguments of URLs and headers that end in these words",
        names::WORDS,
    ),
    ("those that end so even where no word begins there", names::ENDINGS),
    ("those that are exactly so", names::WHOLE),
    ("not those that end so", names::EXCEPTIONS),
    ("a card's number alone, in these", names::CARDS),
];

/// What is masked: names of headers, and names of body keys, form fields and URL arguments. The defaults stand; configuration adds to them.
#[derive(Clone, Debug)]
pub struct MaskRules {
    headers: HashSet<String>,
    names: SecretNames,
}

impl Default for MaskRules {
    fn default() -> Self {
        Self::with(std::iter::empty::<&str>(), std::iter::empty::<&str>())
    }
}

/// A body after masking.
#[derive(Debug, PartialEq, Eq)]
pub struct MaskedBody {
    /// The masked bytes; none where there was nothing to mask.
    pub bytes: Option<Vec<u8>>,
    /// How deep its brackets are nested; counted for JSON alone.
    pub levels: usize,
}

impl MaskRules {
    /// The defaults, and these headers (any case) and keys (as [`MaskRules::is_secret_name`] reads them) too; without those that are named after `!`.
    pub fn with(headers: impl IntoIterator<Item = impl AsRef<str>>, keys: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let mut all: HashSet<String> = HEADERS.iter().map(|name| (*name).to_owned()).collect();
        for name in headers {
            let name = name.as_ref().to_ascii_lowercase();
            match name.strip_prefix('!') {
                Some(name) => all.remove(name),
                None => all.insert(name),
            };
        }
        Self {
            headers: all,
            names: SecretNames::with(keys),
        }
    }

    /// Whether a key of this name holds a secret: its letters without case and punctuation are on the list, or its last words are
    /// (`userPassword`, `client_secret`), and it is none of the known exceptions (`next_page_token`).
    pub fn is_secret_name(&self, name: &str) -> bool {
        self.names.kind(name.as_bytes()) == names::NameKind::Secret
    }

    /// A header's value with its secret masked; none where there was none.
    /// The scheme of an `Authorization`, and the names and attributes of cookies, stay.
    pub fn header(&self, name: &str, value: &str) -> Option<String> {
        headers::mask(self, name, value)
    }

    /// Masks headers in place; says whether anything was masked.
    pub fn headers(&self, headers: &mut [(Cow<'_, str>, Cow<'_, str>)]) -> bool {
        let mut any = false;
        for (name, value) in headers {
            if let Some(masked) = self.header(name, value) {
                *value = Cow::Owned(masked);
                any = true;
            }
        }
        any
    }

    /// A URL with its user info and the secrets in its query and fragment masked; none where there were none.
    pub fn url(&self, url: &str) -> Option<String> {
        url::mask(self, url)
    }

    /// Masks a body by what it is: JSON (also as text, several values in a row, or cut off), XML, a form, or a multipart form.
    /// The content type decides where it is known; text without one is looked at.
    pub fn body(&self, kind: BodyKind, content_type: Option<&str>, bytes: &[u8]) -> MaskedBody {
        if bytes.is_empty() || kind == BodyKind::None {
            return MaskedBody { bytes: None, levels: 0 };
        }
        if kind == BodyKind::Json {
            return self.json(bytes);
        }
        let essence = content_type
            .unwrap_or_default()
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        if essence.starts_with("multipart/") {
            return MaskedBody {
                bytes: multipart::mask(self, content_type.unwrap_or_default(), bytes),
                levels: 0,
            };
        }
        if essence == "application/x-www-form-urlencoded" {
            return MaskedBody {
                bytes: form::mask(self, bytes),
                levels: 0,
            };
        }
        let is_html = essence.contains("html");
        if essence.contains("xml") && !is_html {
            return MaskedBody {
                bytes: xml::mask(self, bytes),
                levels: 0,
            };
        }
        let is_binary = kind == BodyKind::Binary && !essence.contains("json") && !essence.starts_with("text/");
        if is_binary && !looks_like_json(bytes) {
            return MaskedBody { bytes: None, levels: 0 };
        }
        if form::looks_like_form(bytes) {
            return MaskedBody {
                bytes: form::mask(self, bytes),
                levels: 0,
            };
        }
        if !is_html && xml::looks_like_xml(bytes) {
            return self.xml_or_lines(bytes);
        }
        self.json(bytes)
    }

    /// What only begins as XML does may be anything (lines of a system log begin with `<14>`): it is read as text is, too.
    fn xml_or_lines(&self, bytes: &[u8]) -> MaskedBody {
        let Some(masked) = xml::mask(self, bytes) else {
            return self.json(bytes);
        };
        let MaskedBody { bytes: both, levels } = self.json(&masked);
        MaskedBody {
            bytes: both.or(Some(masked)),
            levels,
        }
    }

    fn json(&self, bytes: &[u8]) -> MaskedBody {
        json::mask(self, bytes)
    }

    /// What a name says that stands beside its value: of a header as of a key.
    fn kind_of_pair(&self, name: &[u8]) -> names::NameKind {
        if self.headers.iter().any(|header| name.eq_ignore_ascii_case(header.as_bytes())) {
            return names::NameKind::Secret;
        }
        self.names.kind(name)
    }
}

/// Whether the first byte that is not white space begins a JSON object or array.
fn looks_like_json(bytes: &[u8]) -> bool {
    matches!(bytes.iter().find(|byte| !byte.is_ascii_whitespace()), Some(b'{' | b'['))
}

#[cfg(test)]
mod pairs_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod xml_tests;
