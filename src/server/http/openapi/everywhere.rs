//! What no handler says of itself, since it is done around it: keys, allowances, headers, and the ids of a path.

use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::path::{HttpMethod, Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::response::Response;
use utoipa::openapi::schema::{ComponentsBuilder, ObjectBuilder, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{OpenApi, Ref, RefOr, Required, Schema};

use super::{operations, refusals};

/// The headers that keys are named and shown by.
const KEYS: [(&str, &str, &str); 6] = [
    ("appId", "X-App-Id", "A key's id"),
    ("appToken", "X-App-Token", "Its token"),
    (
        "clientId",
        "X-Client-Application-Id",
        "A client-side key's id; from an allowed origin",
    ),
    ("clientToken", "X-Client-Token", "Its token"),
    ("managementId", "X-Management-Id", "A management key's id"),
    ("managementToken", "X-Management-Token", "Its token"),
];
/// What calls may be sent by client-side keys.
const FROM_CLIENTS: [&str; 2] = ["/v1/logs", "/v1/events"];
/// The paths whose errors have two encodings.
const OTLP: &str = "/v1/otlp/";
/// The path that a signed link leads to.
const BY_LINK: &str = "/v1/exports/{id}";

/// The headers of answers, by their names: what they say, and the kind of it.
const HEADERS: [(&str, &str, Type); 4] = [
    (REQUEST_ID, "What this service's own log has the call under", Type::String),
    (LIMIT, "Calls a minute that the key has", Type::Integer),
    (REMAINING, "How many of them are left", Type::Integer),
    (RETRY_AFTER, "Seconds until it is worth another try", Type::Integer),
];
const REQUEST_ID: &str = "X-Request-Id";
const LIMIT: &str = "X-Rate-Limit-Limit";
const REMAINING: &str = "X-Rate-Limit-Remaining";
const RETRY_AFTER: &str = "Retry-After";

/// Adds it.
pub(super) fn add(document: &mut OpenApi) {
    let mut components = document.components.take().unwrap_or_else(|| ComponentsBuilder::new().build());
    components.headers.extend(headers());
    for (status, name, mut response) in refusals::components() {
        has_headers(status, &mut response);
        components.responses.insert(name.to_owned(), RefOr::T(response));
    }
    for (name, header, about) in KEYS {
        let key = ApiKey::Header(ApiKeyValue::with_description(header, about));
        components.add_security_scheme(name, SecurityScheme::ApiKey(key));
    }
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
    let bearer = bearer.description(Some("A key's token alone: `Authorization: Bearer APP_TOKEN`"));
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer.build()));
    let link = ApiKey::Query(ApiKeyValue::with_description(
        "token",
        "Of the link to an export's file; holds a day",
    ));
    components.add_security_scheme("link", SecurityScheme::ApiKey(link));
    document.components = Some(components);
    for (path, item) in &mut document.paths.paths {
        name_apart(item);
        for (method, operation) in operations(item) {
            complete(path, &method, operation);
        }
    }
}

/// `PUT` and `PATCH` do the same and share a handler, but no name.
fn name_apart(item: &mut PathItem) {
    if let (Some(put), Some(patch)) = (&item.put, &mut item.patch)
        && put.operation_id == patch.operation_id
    {
        patch.operation_id = patch.operation_id.take().map(|id| format!("{id}ByPatch"));
    }
}

fn complete(path: &str, method: &HttpMethod, operation: &mut Operation) {
    let mut refused = vec![413, 503];
    let security = security(path, method);
    let is_open = security.is_empty();
    if !is_open {
        refused.extend([401, 429]);
        operation.security = Some(security);
    }
    if path.starts_with("/v1/") {
        refused.push(403);
    }
    let ids: Vec<Parameter> = places(path).map(id).collect();
    if !ids.is_empty() {
        refused.extend([400, 404]);
    }
    let parameters = operation.parameters.get_or_insert_default();
    parameters.splice(0..0, ids.into_iter().map(RefOr::T));
    if *method == HttpMethod::Post {
        refused.extend([400, 409]);
        parameters.push(RefOr::T(idempotency_key()));
    }
    if parameters.is_empty() {
        operation.parameters = None;
    }
    let responses = &mut operation.responses.responses;
    for response in responses.values_mut() {
        if let RefOr::T(response) = response {
            has(response, REQUEST_ID);
            if !is_open {
                has(response, LIMIT);
                has(response, REMAINING);
            }
        }
    }
    for status in refused {
        responses
            .entry(status.to_string())
            .or_insert_with(|| refusals::reference(status));
    }
    if path.starts_with(OTLP) {
        for (status, response) in responses {
            if let Some((status, mut refusal)) = refusals::in_otlp(status) {
                has_headers(status, &mut refusal);
                *response = RefOr::T(refusal);
            }
        }
    }
}

/// Who may call, each alternative by itself.
fn security(path: &str, method: &HttpMethod) -> Vec<SecurityRequirement> {
    let none: [&str; 0] = [];
    let pair = |id: &str, token: &str| SecurityRequirement::new(id, none).add(token, none);
    if path.starts_with("/management/") {
        return vec![pair("managementId", "managementToken")];
    }
    if !path.starts_with("/v1/") {
        return Vec::new();
    }
    let mut all = vec![pair("appId", "appToken"), SecurityRequirement::new("bearer", none)];
    if *method == HttpMethod::Post && FROM_CLIENTS.contains(&path) {
        all.push(pair("clientId", "clientToken"));
    }
    if *method == HttpMethod::Get && path == BY_LINK {
        all.push(SecurityRequirement::new("link", none));
    }
    all
}

/// The names of the places in a path.
fn places(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn id(name: &str) -> Parameter {
    let about = if name == "prj" { "The project's id" } else { "Its id" };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(about))
        .schema(Some(text(ObjectBuilder::new())))
        .build()
}

fn idempotency_key() -> Parameter {
    let schema = ObjectBuilder::new().min_length(Some(1)).max_length(Some(255));
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "The first answer under it is kept 24 hours and given again; another call under it is refused (409)",
        ))
        .schema(Some(text(schema.pattern(Some("^[!-~]{1,255}$")))))
        .build()
}

fn text(schema: ObjectBuilder) -> RefOr<Schema> {
    RefOr::T(Schema::Object(schema.schema_type(Type::String).build()))
}

fn headers() -> impl Iterator<Item = (String, RefOr<Header>)> {
    HEADERS.into_iter().map(|(name, about, kind)| {
        let schema = ObjectBuilder::new().schema_type(kind).build();
        let header = HeaderBuilder::new().description(Some(about));
        let header = header.schema(Some(RefOr::T(Schema::Object(schema))));
        (name.to_owned(), RefOr::T(header.build()))
    })
}

/// Says which headers an answer has that turns a call away.
fn has_headers(status: u16, response: &mut Response) {
    has(response, REQUEST_ID);
    if matches!(status, 429 | 503) {
        has(response, RETRY_AFTER);
    }
}

/// Says that an answer has this header.
fn has(response: &mut Response, name: &str) {
    let header = RefOr::Ref(Ref::new(format!("#/components/headers/{name}")));
    response.headers.insert(name.to_owned(), header);
}
