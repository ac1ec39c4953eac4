//! The OpenAPI document: made of what stands at each handler, so that it says what the code does. `docs/openapi.json` is its copy.
//!
//! To add a path: `#[utoipa::path(…)]` at its handler (operation id, tag, summary, arguments, and the answers that are its own), and its line in the
//! `Described` beside its route. What every path of a kind answers (a wrong key, too many calls, the headers) is added in `everywhere.rs`. Then
//! `audit-log openapi > docs/openapi.json`. A test fails while the copy is an old one, and another where a route is in one of the two alone.

mod arguments;
mod everywhere;
mod refusals;
mod shapes;

use utoipa::OpenApi;
use utoipa::openapi::path::{HttpMethod, Operation, PathItem};
use utoipa::openapi::{self as doc};

pub(super) use arguments::{ExportArguments, HeadArguments, LogArguments, SendoutArguments, TaskArguments, ViewArguments};
pub(super) use refusals::{BadBody, BadEntry, BadEvent, BadForm, BadOtlp, BadQuery, Clash, NoRange, NotYet, TooSlow};
pub(super) use shapes::{
    EventTaken, Happened, Health, ImportForm, InvitationShown, KeyIssued, KeyShown, List, LogList, LogShown, LogsToSend,
    MemberAdded, MemberShown, ProjectShown, RecordsTaken, RecordsToSend, RetryCount, RetryMany, SpansTaken, SpansToSend,
    TaskBegun, TestSent, ViewShown,
};

use super::{health, management, v1};

/// What stands at the document's head.
const ABOUT: &str = "The history of an API product: logs, background tasks, exports and webhook sendouts.\n\n\
    Times are RFC 3339 in UTC, with milliseconds. Every error is JSON of one shape (`Problem`), also for a path that is not there (404) and a method that \
    a path does not know (405, whose `Allow` names those it knows). Arguments of the URL that are not known are passed over.";

#[derive(OpenApi)]
#[openapi(
    info(title = "audit-log", description = ABOUT, license(name = "MIT", identifier = "MIT")),
    components(schemas(shapes::Problem)),
    tags(
        (name = "Logs", description = "Requests that were logged"),
        (name = "OpenTelemetry", description = "Where OTLP's exporters send to: requests become logs. An error is a `Problem` where JSON was sent, and \
            `google.rpc.Status` in protobuf where that was"),
        (name = "Background tasks", description = "Work that goes on after its request was answered"),
        (name = "Exports", description = "Files made of what is kept"),
        (name = "Events", description = "What is sent to webhook endpoints"),
        (name = "Webhooks", description = "The endpoints that events are sent to"),
        (name = "Webhook sendouts", description = "Events on their way to one endpoint"),
        (name = "Views", description = "What the project's people look at, under names of theirs"),
        (name = "Chain", description = "What the signed heads of a project's chain are: saved elsewhere, they show that nothing before them was changed"),
        (name = "Management", description = "Projects, and who and what belongs to them"),
        (name = "Health", description = "Whether this server lives, and is ready"),
    ),
)]
struct Head;

/// The document.
pub fn document() -> doc::OpenApi {
    let mut document = Head::openapi();
    for part in [health::described(), v1::described(), management::described()] {
        document.merge(part);
    }
    of_managers(&mut document);
    everywhere::add(&mut document);
    document
}

/// The document as it is printed and kept.
pub fn printed() -> Result<String, serde_json::Error> {
    document().to_pretty_json()
}

/// What a key does with the endpoints of its project, a management key does with those of any.
fn of_managers(document: &mut doc::OpenApi) {
    let own = document
        .paths
        .paths
        .iter()
        .filter(|(path, _)| path.starts_with("/v1/webhooks"));
    let own: Vec<(String, PathItem)> = own.map(|(path, item)| (path.clone(), item.clone())).collect();
    for (path, mut item) in own {
        for (_, operation) in operations(&mut item) {
            operation.tags = Some(vec!["Management".to_owned()]);
            operation.operation_id = operation.operation_id.take().map(|id| format!("{id}OfProject"));
            operation.description = None;
        }
        let path = path.replacen("/v1/", "/management/v1/projects/{prj}/", 1);
        document.paths.paths.insert(path, item);
    }
}

/// The operations of a path, each with its method.
fn operations(item: &mut PathItem) -> impl Iterator<Item = (HttpMethod, &mut Operation)> {
    [
        (HttpMethod::Get, &mut item.get),
        (HttpMethod::Put, &mut item.put),
        (HttpMethod::Post, &mut item.post),
        (HttpMethod::Patch, &mut item.patch),
        (HttpMethod::Delete, &mut item.delete),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_copy_is_what_the_code_says() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/openapi.json");
        let copy = std::fs::read_to_string(path).unwrap_or_default();
        let is_new = copy.trim_end() == printed().unwrap().trim_end();
        assert!(
            is_new,
            "docs/openapi.json is not what the code says: make it anew by `audit-log openapi > docs/openapi.json`"
        );
    }

    #[test]
    fn an_operation_has_its_name_to_itself_and_says_what_it_does() {
        let mut names = BTreeSet::new();
        for (path, mut item) in document().paths.paths {
            for (_, operation) in operations(&mut item) {
                let name = operation.operation_id.clone().unwrap_or_default();
                assert!(names.insert(name.clone()), "{path}: {name:?} is there twice");
                assert!(operation.summary.is_some() && operation.tags.is_some(), "{path}: {name}");
            }
        }
        assert!(names.len() > 50, "{}", names.len());
    }

    #[test]
    fn nothing_is_referred_to_that_is_not_there() {
        let document = serde_json::to_value(document()).unwrap();
        let text = document.to_string();
        let mut found = 0;
        for reference in text.split(r##""$ref":"#"##).skip(1) {
            let pointer = reference.split('"').next().unwrap();
            assert!(document.pointer(pointer).is_some(), "{pointer}");
            found += 1;
        }
        assert!(found > 100, "{found}");
    }
}
