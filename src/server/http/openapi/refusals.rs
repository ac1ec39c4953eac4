//! The answers that turn a call away: one shape, a name for each status. To add a status: its row in [`ALL`].

use std::collections::BTreeMap;

use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::{ContentBuilder, Ref, RefOr};
use utoipa::{IntoResponses, PartialSchema};

/// What OTLP's protobuf is called.
const PROTOBUF: &str = "application/x-protobuf";

/// Every status with which a call is turned away, its name in the document, and when that is.
pub(super) const ALL: [(u16, &str, &str); 13] = [
    (400, "BadRequest", "The path, the query or the payload cannot be read"),
    (401, "Unauthorized", "No key, or one that is not taken"),
    (
        403,
        "Forbidden",
        "The key may not do this: it lacks the scope, or is a client-side key",
    ),
    (404, "NotFound", "There is no such thing in this project"),
    (
        405,
        "MethodNotAllowed",
        "This path does not know this method; `Allow` names those it knows",
    ),
    (408, "RequestTimeout", "The body comes too slowly to be waited for"),
    (409, "Conflict", "It is taken already, or stands so that this cannot be done"),
    (
        413,
        "PayloadTooLarge",
        "The body, or a part of it, is larger than what is taken",
    ),
    (
        415,
        "UnsupportedMediaType",
        "Content-Type names a format that is not read here",
    ),
    (416, "RangeNotSatisfiable", "The range begins after the file's end"),
    (
        422,
        "Unprocessable",
        "Readable, but a field or an entry is wrong; `details` says which and why",
    ),
    (
        429,
        "TooManyRequests",
        "More calls a minute than the key has, or more than this server holds at once",
    ),
    (
        503,
        "Unavailable",
        "The database or the files cannot be reached just now, or this server is stopping",
    ),
];

/// A reference to the answer of a status.
pub(super) fn reference(status: u16) -> RefOr<Response> {
    let name = ALL
        .iter()
        .find(|(code, ..)| *code == status)
        .map_or("BadRequest", |(_, name, _)| name);
    RefOr::Ref(Ref::from_response_name(name))
}

/// The answers, by their names.
pub(super) fn components() -> impl Iterator<Item = (u16, &'static str, Response)> {
    ALL.into_iter().map(|(status, name, when)| {
        let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        let response = ResponseBuilder::new().description(when).content("application/json", problem);
        (status, name, response.build())
    })
}

/// The same answer to OTLP, whose protobuf is answered by protobuf.
pub(super) fn in_otlp(status: &str) -> Option<(u16, Response)> {
    let (status, _, mut response) = components().find(|(code, ..)| code.to_string() == status)?;
    let bytes = ContentBuilder::new().schema(Some(String::schema())).build();
    response.content.insert(PROTOBUF.to_owned(), RefOr::T(bytes));
    Some((status, response))
}

/// A name for statuses that come together.
macro_rules! refusals {
    ($($(#[$about:meta])* $name:ident: $($status:literal),+;)+) => {$(
        $(#[$about])*
        pub(in crate::server::http) struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                [$($status),+].into_iter().map(|status: u16| (status.to_string(), reference(status))).collect()
            }
        }
    )+};
}

refusals! {
    /// An argument of the query makes no sense.
    BadQuery: 400;
    /// The JSON of a body is none, or a field of it is wrong.
    BadBody: 400, 415, 422;
    /// The same of a body that is read with patience.
    BadEntry: 400, 408, 415, 422;
    /// A request of OTLP's that is none.
    BadOtlp: 400, 408, 415;
    /// JSON that is read whatever Content-Type calls it.
    BadEvent: 400, 408, 422;
    /// A form with a file.
    BadForm: 400, 415;
    /// A body that is taken as it comes.
    TooSlow: 400, 408;
    /// It cannot be done as things stand.
    Clash: 409;
    /// The one thing that a path without ids leads to is not there yet.
    NotYet: 404;
    /// A range that the file does not have.
    NoRange: 416;
}
