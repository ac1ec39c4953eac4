//! What a request changed of a project's settings: what held before and what holds after it. Its log has the two in the place of the answer's body.
//!
//! To note a change: [`noted`] in the handler, once it is made, with the values as `http/shown.rs` writes them; [`Change::told`] is the one place that composes
//! what the log says.

use serde_json::Value;

use super::Recording;
use crate::server::ingest::mask::MaskRules;
use crate::server::store::projects::ProjectKey;

/// A change.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Change {
    /// Of whose settings. A request may become a log of other projects, too (a sign-in is one of all that it opens): they are not told.
    project: ProjectKey,
    before: Value,
    after: Value,
}

/// Says what the request changed of a project's settings. `before` is null for what was made, `after` for what was removed. No secret may be in either.
pub fn noted(recording: Option<&Recording>, project: ProjectKey, before: Value, after: Value) {
    if let Some(recording) = recording {
        recording.context(|subject| {
            subject.change = Some(Change { project, before, after });
        });
    }
}

/// A change as its log has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// JSON: `{"before": …, "after": …}`.
    pub(super) body: String,
    /// Whether something of it was masked.
    pub(super) masked: bool,
}

impl Change {
    /// What the log of this project has in the place of the answer's body.
    pub(super) fn told(&self, project: ProjectKey, mask: &MaskRules) -> Option<Told> {
        if self.project != project {
            return None;
        }
        let (mut before, mut after) = (self.before.clone(), self.after.clone());
        let masked = mask_addresses(&mut before, mask) | mask_addresses(&mut after, mask);
        // By hand, so that what was comes first.
        let body = format!(r#"{{"before":{before},"after":{after}}}"#);
        Some(Told { body, masked })
    }
}

/// An endpoint's address is a text here, in which masking looks for no arguments; says whether there was anything to mask.
fn mask_addresses(value: &mut Value, mask: &MaskRules) -> bool {
    match value {
        Value::String(text) if text.contains("://") => match mask.url(text) {
            Some(masked) => {
                *text = masked;
                true
            }
            None => false,
        },
        Value::Array(values) => values.iter_mut().fold(false, |any, value| mask_addresses(value, mask) | any),
        Value::Object(members) => members
            .values_mut()
            .fold(false, |any, value| mask_addresses(value, mask) | any),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_is_told_to_its_own_project_alone_and_masked() {
        let change = Change {
            project: 7,
            before: Value::Null,
            after: json!({"role": "owner", "urls": ["https://a:b@c.example/?token=d"]}),
        };
        let told = change.told(7, &MaskRules::default()).unwrap();
        let body: Value = serde_json::from_str(&told.body).unwrap();
        assert!(
            told.body.starts_with(r#"{"before":null,"after":{"#) && told.masked,
            "{told:?}"
        );
        assert_eq!(body["after"]["role"], "owner");
        let url = body["after"]["urls"][0].as_str().unwrap();
        assert!(url.ends_with("@c.example/?token=masked") && !url.contains("a:b@"), "{url}");
        assert_eq!(change.told(8, &MaskRules::default()), None);
    }
}
