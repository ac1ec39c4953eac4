//! Cursors: where a page of a list begins, opaque and signed, so that nobody edits one or carries it into another project.

use data_encoding::BASE64URL_NOPAD;

use crate::model::page::Key;
use crate::model::query::QueryProblem;
use crate::server::secrets::InstanceKey;

/// What cursors are signed for.
const PURPOSE: &str = "cursor";
/// Bytes of a signature: half of an HMAC-SHA-256, as RFC 2104, 5 allows.
const SIGNATURE: usize = 16;
/// Bytes of the time before the id.
const TIME: usize = 8;

/// The cursor that stands for a place in the list: opaque, signed, bound to the project.
pub fn cursor(key: &InstanceKey, project_id: &str, place: &Key) -> String {
    let mut payload = place.created_at.to_be_bytes().to_vec();
    payload.extend_from_slice(place.id.as_bytes());
    let signature = key.sign(PURPOSE, &message(project_id, &payload));
    payload.extend_from_slice(&signature[..SIGNATURE]);
    BASE64URL_NOPAD.encode(&payload)
}

/// The place that a cursor stands for.
pub(super) fn read(argument: &str, text: &str, key: &InstanceKey, project_id: &str) -> Result<Key, QueryProblem> {
    let refused = || QueryProblem::new(argument, "is no cursor that this project's lists gave out");
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| refused())?;
    let at = bytes.len().checked_sub(SIGNATURE).ok_or_else(refused)?;
    let (payload, signed) = bytes.split_at(at);
    if !key.is_signed(PURPOSE, &message(project_id, payload), signed) {
        return Err(refused());
    }
    let (time, id) = payload.split_first_chunk::<TIME>().ok_or_else(refused)?;
    let id = String::from_utf8(id.to_vec()).map_err(|_| refused())?;
    Ok(Key {
        created_at: i64::from_be_bytes(*time),
        id,
    })
}

fn message(project_id: &str, payload: &[u8]) -> Vec<u8> {
    let mut message = project_id.as_bytes().to_vec();
    // No project's id has a NUL in it, so the two cannot run into one another.
    message.push(0);
    message.extend_from_slice(payload);
    message
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: InstanceKey = InstanceKey::new([7; 32]);

    proptest! {
        #[test]
        fn a_cursor_gives_its_place_back(created_at: i64, id in "\\PC{0,64}") {
            let place = Key { created_at, id };
            let text = cursor(&KEY, "prj_1", &place);
            prop_assert_eq!(read("after", &text, &KEY, "prj_1").unwrap(), place);
            prop_assert!(read("after", &text, &KEY, "prj_2").is_err());
            prop_assert!(read("after", &text, &InstanceKey::new([8; 32]), "prj_1").is_err());
        }

        #[test]
        fn an_edited_cursor_is_refused(created_at: i64, id in "[A-Za-z0-9_]{0,30}", at: prop::sample::Index, letter in "[A-Za-z0-9_-]") {
            let text = cursor(&KEY, "prj_1", &Key { created_at, id });
            let at = at.index(text.len());
            let mut edited = text.clone();
            edited.replace_range(at..=at, &letter);
            prop_assume!(edited != text);
            let problem = read("before", &edited, &KEY, "prj_1").unwrap_err();
            prop_assert_eq!(problem.argument.as_str(), "before");
        }

        #[test]
        fn any_text_is_refused_in_words(text in "\\PC{0,80}") {
            prop_assert!(read("after", &text, &KEY, "prj_1").is_err());
        }
    }
}
