//! Secrets are masked before anything is stored.
//!
//! What is masked is the value; names, order, white space and everything else stay byte for byte as they came. Masking twice changes
//! nothing more. It reads bytes in one pass, builds no tree and does not recurse, so that a hostile body costs no more than its length.
//!
//! To mask another format: a file here with a function from its bytes to the masked bytes (none where there was nothing to mask), its word in [`Format`],
//! and its branches in [`MaskRules::built_in`] and, for a project's own rules, in [`own`].

mod form;
mod headers;
mod json;
mod multipart;
mod names;
mod nodes;
mod own;
mod pairs;
mod paths;
mod patterns;
mod people;
mod spans;
mod url;
mod walk;
mod written;
mod xml;

use std::borrow::{Borrow, Cow};
use std::collections::HashSet;
use std::sync::Arc;

use crate::model::log::BodyKind;
use crate::model::masking::{self, MaskRule, RuleFault, RuleKind};

pub use json::JSON_MASK;
pub(crate) use multipart::form_parts;
use names::SecretNames;
use own::Own;
use paths::{Paths, Taken};
use patterns::Patterns;
use people::People;

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

/// A project's own rules act on what they have made as often as it changes still, and so many times at most; then all of it is masked.
const ROUNDS: usize = 8;

/// What is masked: names of headers, and names of body keys, form fields and URL arguments; of a project also JSON paths and patterns in text.
/// The defaults stand; configuration and the project's own rules add to them.
#[derive(Clone, Debug)]
pub struct MaskRules {
    headers: HashSet<String>,
    /// Headers that the project keeps, although their names say that they are secret.
    kept_headers: HashSet<String>,
    names: SecretNames,
    people: People,
    own: Option<Arc<Own>>,
}

/// What a body is, as far as masking it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    /// There is nothing in it.
    Nothing,
    /// JSON, known to be right.
    Json,
    Multipart,
    Form,
    Xml,
    /// It begins as XML does.
    XmlOrLines,
    Html,
    Text,
    Binary,
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
            kept_headers: HashSet::new(),
            names: SecretNames::with(keys, [""; 0]),
            people: People::default(),
            own: None,
        }
    }

    /// What a project masks: the defaults, what was configured for the instance (names of headers and of keys), and the project's own rules.
    pub fn of_project(configured: &[String], rules: &[MaskRule]) -> Result<Self, RuleFault> {
        let rules = masking::check(rules)?;
        let of = |kind: RuleKind| {
            let own = rules.iter().enumerate().filter(move |(_, rule)| rule.kind == kind);
            own.map(|(place, rule)| (place, rule.text.as_str()))
        };
        let paths = of(RuleKind::Path).map(|(rule, text)| {
            masking::path::read(text).map_err(|fault| RuleFault {
                rule,
                place: Some(fault.place),
                reason: fault.reason,
            })
        });
        let paths = Paths::new(paths.collect::<Result<_, _>>()?);
        let (places, patterns): (Vec<usize>, Vec<&str>) = of(RuleKind::Pattern).unzip();
        let patterns = Patterns::read(&patterns).map_err(|fault| RuleFault {
            rule: places[fault.pattern],
            place: fault.place,
            reason: fault.reason,
        })?;
        let texts = |kind: RuleKind| of(kind).map(|(_, text)| text);
        let instance = || configured.iter().map(String::as_str);
        let (kept, more): (Vec<&str>, Vec<&str>) = texts(RuleKind::Header).partition(|text| text.starts_with('!'));
        let mut all = Self {
            names: SecretNames::with(instance(), texts(RuleKind::Key)),
            people: People::of(texts(RuleKind::User), texts(RuleKind::Ip)),
            own: Own::new(paths, patterns).map(Arc::new),
            ..Self::with(instance().chain(more), [""; 0])
        };
        all.keep_headers(configured, &kept);
        Ok(all)
    }

    /// Keeps what headers of these names (after `!`) say, but for those that the instance's own names mask.
    fn keep_headers(&mut self, configured: &[String], kept: &[&str]) {
        for name in kept {
            let name = name.trim_start_matches('!').to_ascii_lowercase();
            let is_configured = configured.iter().any(|word| word.eq_ignore_ascii_case(&name));
            if !is_configured && !self.names.is_settled(name.as_bytes()) {
                self.headers.remove(&name);
                self.kept_headers.insert(name);
            }
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
        let built_in = |value: &str| headers::mask(self, name, value);
        match &self.own {
            None => built_in(value),
            Some(own) => settled(value, built_in, |value| own.line(value), MASK),
        }
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
        let built_in = |url: &str| url::mask(self, url);
        match &self.own {
            None => built_in(url),
            Some(own) => settled(url, built_in, |url| own.url(url), MASK),
        }
    }

    /// A text that stands by itself, outside of any body, with what the project's patterns match masked; none where they match nothing.
    pub fn text(&self, text: &str) -> Option<String> {
        let masked = self.own.as_ref()?.plain(text.as_bytes())?;
        Some(String::from_utf8_lossy(&masked).into_owned())
    }

    /// Masks a body by what it is: JSON (also as text, several values in a row, or cut off), XML, a form, or a multipart form.
    /// The content type decides where it is known; text without one is looked at.
    pub fn body(&self, kind: BodyKind, content_type: Option<&str>, bytes: &[u8]) -> MaskedBody {
        let root = self.own.as_ref().map(|own| own.paths.at_root()).unwrap_or_default();
        self.body_at(kind, content_type, bytes, &root)
    }

    /// Masks JSON that is also shown as this member of another: a project's paths may begin at either.
    pub fn json_member(&self, member: &str, bytes: &[u8]) -> MaskedBody {
        let root = self.own.as_ref().map(|own| own.paths.at_root_or_member(member));
        self.body_at(BodyKind::Json, None, bytes, &root.unwrap_or_default())
    }

    fn body_at(&self, kind: BodyKind, content_type: Option<&str>, bytes: &[u8], root: &[Taken]) -> MaskedBody {
        let content_type = content_type.unwrap_or_default();
        let first = self.built_in(format(kind, content_type, bytes), content_type, bytes);
        let Some(own) = &self.own else { return first };
        let whole = if kind == BodyKind::Json { JSON_MASK } else { MASK };
        let masked = settled_from(
            first.bytes,
            bytes,
            |bytes: &[u8]| self.built_in(format(kind, content_type, bytes), content_type, bytes).bytes,
            |bytes| own.body(format(kind, content_type, bytes), content_type, bytes, root),
            whole.as_bytes(),
        );
        MaskedBody {
            bytes: masked,
            levels: first.levels,
        }
    }

    /// What is masked by names, whoever's body it is.
    fn built_in(&self, format: Format, content_type: &str, bytes: &[u8]) -> MaskedBody {
        let flat = |bytes| MaskedBody { bytes, levels: 0 };
        match format {
            Format::Nothing | Format::Binary => flat(None),
            Format::Json | Format::Html | Format::Text => self.json(bytes),
            Format::Multipart => flat(multipart::mask(self, content_type, bytes)),
            Format::Form => flat(form::mask(self, bytes)),
            Format::Xml => flat(xml::mask(self, bytes)),
            Format::XmlOrLines => self.xml_or_lines(bytes),
        }
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

/// What a body is. The content type decides where it is known; text without one is looked at.
fn format(kind: BodyKind, content_type: &str, bytes: &[u8]) -> Format {
    if bytes.is_empty() || kind == BodyKind::None {
        return Format::Nothing;
    }
    if kind == BodyKind::Json {
        return Format::Json;
    }
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if essence.starts_with("multipart/") {
        return Format::Multipart;
    }
    if essence == "application/x-www-form-urlencoded" {
        return Format::Form;
    }
    let is_html = essence.contains("html");
    if essence.contains("xml") && !is_html {
        return Format::Xml;
    }
    let is_binary = kind == BodyKind::Binary && !essence.contains("json") && !essence.starts_with("text/");
    if is_binary && !looks_like_json(bytes) {
        return Format::Binary;
    }
    if form::looks_like_form(bytes) {
        return Format::Form;
    }
    match (is_html, xml::looks_like_xml(bytes)) {
        (true, _) => Format::Html,
        (false, true) => Format::XmlOrLines,
        (false, false) => Format::Text,
    }
}

/// What is masked once by names and then by a project's own rules, until neither finds anything more.
fn settled<T: ToOwned + ?Sized>(
    original: &T,
    built_in: impl Fn(&T) -> Option<T::Owned>,
    own: impl Fn(&T) -> Option<T::Owned>,
    whole: &T,
) -> Option<T::Owned> {
    settled_from(built_in(original), original, built_in, own, whole)
}

/// The same, once names are masked.
fn settled_from<T: ToOwned + ?Sized>(
    mut masked: Option<T::Owned>,
    original: &T,
    built_in: impl Fn(&T) -> Option<T::Owned>,
    own: impl Fn(&T) -> Option<T::Owned>,
    whole: &T,
) -> Option<T::Owned> {
    for _ in 0..ROUNDS {
        let now: &T = masked.as_ref().map_or(original, |masked| masked.borrow());
        let Some(next) = own(now) else { return masked };
        masked = Some(built_in(next.borrow()).unwrap_or(next));
    }
    Some(whole.to_owned())
}

/// Whether the first byte that is not white space begins a JSON object or array.
fn looks_like_json(bytes: &[u8]) -> bool {
    matches!(bytes.iter().find(|byte| !byte.is_ascii_whitespace()), Some(b'{' | b'['))
}

#[cfg(test)]
mod own_tests;
#[cfg(test)]
mod pairs_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod xml_tests;
