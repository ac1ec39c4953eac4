//! `PUT` and `GET /v1/logs/{id}/import-file`: the original that an import came from, kept sealed.

use crate::server::http::openapi::{Clash, NoRange, TooSlow};
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use percent_encoding::percent_decode_str;

use super::log::found;
use super::raw_body::{SANDBOX, attachment, reader};
use super::tasks::files::original_of;
use crate::model::log::{ImportFile, Origin};
use crate::model::query;
use crate::model::rights::Scope;
use crate::server::access::KeyAccess;
use crate::server::error::ApiError;
use crate::server::http::recording::Recording;
use crate::server::ingest::draft::MAX_BODY;
use crate::server::secrets::purposes;
use crate::server::state::Server;
use crate::server::store::chain::canon::sha256;
use crate::server::store::logs::one::{self, Put};
use crate::server::store::projects::ProjectKey;
use crate::server::store::tasks;

/// What originals are sealed for.
pub(crate) const PURPOSE: &str = purposes::IMPORT_FILE;
/// Bytes of a file's name.
const MAX_NAME: usize = 255;

/// Keeps the original beside its log. Sent again it is taken as sent once; another one in its place is refused.
#[utoipa::path(
    put,
    path = "/v1/logs/{id}/import-file",
    operation_id = "putImportFile",
    tag = "Logs",
    summary = "Keeps the original that an import came from",
    description = "Needs the scope `logs:write`.",
    params(("name" = Option<String>, Query, description = "The file's name, where Content-Disposition does not have it"), ("Content-Disposition" = Option<String>, Header, description = "`attachment; filename=\"customers.csv\"`")),
    request_body(content = Value, content_type = "*/*", description = "The file, at most 64 MB"),
    responses(
        (status = 200, description = "It is kept", body = ImportFile),
        TooSlow,
        Clash,
    ),
)]
pub(super) async fn put(
    State(server): State<Server>,
    Extension(key): Extension<KeyAccess>,
    recording: Option<Extension<Recording>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    key.require(Scope::LogsWrite)?;
    if let Some(Extension(recording)) = recording {
        recording.request_not_captured();
    }
    let name = name(&headers, query.as_deref().unwrap_or_default())?;
    found(&server, key.project.key, &id).await?;
    let body = server.limits.read(&headers, body, MAX_BODY).await?;
    let file = ImportFile {
        name,
        bytes: body.bytes.len() as i64,
    };
    let sealed = {
        let server = server.clone();
        let plain = body.bytes.clone();
        tokio::task::spawn_blocking(move || server.key.seal(PURPOSE, &plain, &server.random)).await
    };
    let sealed = sealed.map_err(|error| {
        tracing::error!(%error, "sealing an original broke");
        ApiError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Something broke on the server while sealing the file",
        )
    })?;
    match one::put_import_file(
        &server.db,
        key.project.key,
        &id,
        &file,
        (&sealed, &sha256(&[&body.bytes])),
        server.clock.now_ms(),
    )
    .await?
    {
        Put::Kept => Ok(Json(file).into_response()),
        Put::Taken if is_kept(&server, key.project.key, &id, (&file, &body.bytes)).await? => Ok(Json(file).into_response()),
        Put::Taken => Err(ApiError::new(
            StatusCode::CONFLICT,
            "This log has an original already, and an original is not replaced",
        )),
        Put::NoLog => Err(ApiError::not_found("api_log", &id)),
    }
}

/// Whether the original that is kept is this one.
async fn is_kept(server: &Server, project: ProjectKey, id: &str, (file, plain): (&ImportFile, &[u8])) -> Result<bool, ApiError> {
    let kept = one::import_file(&server.db, project, id).await?;
    Ok(kept.is_some_and(|(known, sealed)| known == *file && server.key.open(PURPOSE, &sealed).is_some_and(|kept| kept == plain)))
}

/// The original, by key.
#[utoipa::path(
    get,
    path = "/v1/logs/{id}/import-file",
    operation_id = "getImportFile",
    tag = "Logs",
    summary = "The original that an import came from",
    description = "Needs the scope `read:bodies`.",
    responses(
        (status = 200, description = "The file", body = Value, content_type = "*/*"),
        (status = 206, description = "The range of it that was asked for", body = Value, content_type = "*/*"),
        NoRange,
    ),
)]
pub(super) async fn get(
    State(server): State<Server>,
    Extension(key): Extension<KeyAccess>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    key.require(Scope::ReadBodies)?;
    download(&server, key.project.key, &id, &headers).await
}

/// The original, for a member.
pub(super) async fn get_for_member(
    State(server): State<Server>,
    recording: Option<Extension<Recording>>,
    Path((project, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let member = reader(&server, recording, &headers, &project).await?;
    download(&server, member.project.key, &id, &headers).await
}

async fn download(server: &Server, project: ProjectKey, id: &str, asked: &HeaderMap) -> Result<Response, ApiError> {
    let log = found(server, project, id).await?;
    let none = || ApiError::new(StatusCode::NOT_FOUND, format!("The log {id} has no import file"));
    let Some((file, sealed)) = one::import_file(&server.db, project, id).await? else {
        // The log of an import that was sent here: its task keeps the file.
        let task = log
            .facts
            .async_action_id
            .as_deref()
            .filter(|_| log.facts.origin == Origin::Own);
        return match tasks::find(&server.db, project, task.ok_or_else(none)?).await? {
            Some(task) if task.file.is_some() => original_of(server, &task, asked),
            _ => Err(none()),
        };
    };
    let Some(plain) = server.key.open(PURPOSE, &sealed) else {
        tracing::error!(
            id,
            "an original does not open: it was sealed with another instance key, or changed since"
        );
        return Err(ApiError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The file was sealed with another instance key, or changed since",
        ));
    };
    let kind = mime_guess::from_path(&file.name).first_or_octet_stream();
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_str(kind.as_ref()).unwrap_or(HeaderValue::from_static("application/octet-stream")),
        ),
        (header::CONTENT_DISPOSITION, attachment(&file.name)),
        (header::CONTENT_SECURITY_POLICY, SANDBOX),
    ];
    Ok((headers, plain).into_response())
}

/// The name that a `Content-Disposition` gives a file, where it is one that may be kept.
pub(crate) fn file_name(disposition: &str) -> Option<String> {
    cleaned(&name_in(disposition)?)
}

/// The last part of a path, what people call a file, whatever machine it lay on; none where that is no name.
fn cleaned(name: &str) -> Option<String> {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default().trim();
    let is_name = !name.is_empty() && name.len() <= MAX_NAME && !name.chars().any(char::is_control);
    is_name.then(|| name.to_owned())
}

/// The file's name: from `Content-Disposition`, else `?name=`.
fn name(headers: &HeaderMap, query: &str) -> Result<String, ApiError> {
    let disposition = headers
        .get(header::CONTENT_DISPOSITION)
        .map(|value| String::from_utf8_lossy(value.as_bytes()));
    let asked = query::pairs(query).find(|(name, _)| name == "name").map(|(_, value)| value);
    let name = disposition.as_deref().and_then(name_in).or(asked).unwrap_or_default();
    cleaned(&name).ok_or_else(|| {
        ApiError::bad_query(format!(
            "the file's name is wanted, 1 to {MAX_NAME} bytes, in Content-Disposition (filename=\"customers.csv\") or ?name="
        ))
    })
}

/// The name in a `Content-Disposition` (RFC 6266): `filename*` before `filename`.
fn name_in(disposition: &str) -> Option<String> {
    let mut plain = None;
    for parameter in parameters(disposition) {
        let Some((key, value)) = parameter.split_once('=') else {
            continue;
        };
        let value = value.trim();
        match key.trim().to_ascii_lowercase().as_str() {
            "filename*" => {
                let (charset, encoded) = value
                    .split_once('\'')
                    .and_then(|(charset, rest)| Some((charset, rest.split_once('\'')?.1)))?;
                if charset.eq_ignore_ascii_case("utf-8")
                    && let Ok(name) = percent_decode_str(encoded).decode_utf8()
                {
                    return Some(name.into_owned());
                }
            }
            "filename" => plain = Some(unquoted(value)),
            _ => {}
        }
    }
    plain
}

/// The parts between semicolons that stand in no quotes.
fn parameters(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ';' if !quoted => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn unquoted(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return value.to_owned();
    };
    let mut escaped = false;
    inner
        .chars()
        .filter(|letter| {
            let is_escape = *letter == '\\' && !escaped;
            escaped = is_escape;
            !is_escape
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_where_clients_write_it() {
        for (disposition, query, expected) in [
            ("attachment; filename=\"a;b.csv\"", "", Some("a;b.csv")),
            ("attachment; filename=\"a\\\"b.csv\"", "", Some("a\"b.csv")),
            (
                "attachment; filename=plain.csv; filename*=UTF-8''caf%C3%A9.csv",
                "",
                Some("café.csv"),
            ),
            ("", "name=x+y.csv", Some("x y.csv")),
            ("inline", "name=z.csv", Some("z.csv")),
            ("attachment; filename=\"C:\\\\data\\\\a.csv\"", "", Some("a.csv")),
            ("attachment; filename=\"../../etc/passwd\"", "", Some("passwd")),
            ("attachment; filename=\"\"", "", None),
            ("", "name=a%00b", None),
            ("", "", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(
                header::CONTENT_DISPOSITION,
                HeaderValue::from_bytes(disposition.as_bytes()).unwrap(),
            );
            assert_eq!(name(&headers, query).ok().as_deref(), expected, "{disposition} {query}");
        }
    }
}
