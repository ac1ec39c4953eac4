//! Errors as people read them who come by a link or a form: a page with the words, and the way back. Programs get JSON.
//!
//! Plain HTML without scripts: such a page stands at the address of a file or of a form, where the application has no page to wake.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::assets;
use super::errors::is_for_machines;
use crate::app::parts::markup::Escaped;
use crate::server::error::ApiError;

/// What such a page may do: be looked at.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
);

/// Somebody's visit to an address that may answer with an error.
pub(super) struct Visit {
    is_get: bool,
    /// The address, without what it was asked.
    path: String,
    /// The page that the address belongs to: a record's page for its file, a list for its form.
    page: String,
}

impl Visit {
    /// The visit of a person with a browser; none of a program, or of a page's script.
    pub(super) fn of(request: &Request) -> Option<Self> {
        let path = request.uri().path();
        if is_for_machines(path) || path.starts_with("/api/") || !wants_a_page(request.headers()) {
            return None;
        }
        let page = path.rsplit_once('/').map_or("/", |(page, _)| page);
        Some(Self {
            is_get: request.method() == Method::GET,
            path: path.to_owned(),
            page: if page.is_empty() { "/".to_owned() } else { page.to_owned() },
        })
    }

    /// The answer: the sign-in page, the page that says that there is no such record, or the error in words.
    pub(super) fn answer(&self, error: &ApiError, request_id: &str) -> Response {
        if error.status() == StatusCode::UNAUTHORIZED {
            let next = utf8_percent_encode(&self.page, NON_ALPHANUMERIC);
            return Redirect::to(&format!("/sign-in?next={next}")).into_response();
        }
        if self.is_get && error.misses_a_resource() {
            return Redirect::to(&self.page).into_response();
        }
        let mut answer = Response::new(Body::from(self.page_of(error, request_id)));
        *answer.status_mut() = error.status();
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
        if let Some(seconds) = error.retry_after_s() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        answer
    }

    fn page_of(&self, error: &ApiError, request_id: &str) -> String {
        let title = title(error.status(), &self.path);
        let words = sentence(error.details());
        let back = back(&self.page);
        format!(
            "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\">\
             <link rel=\"icon\" type=\"image/svg+xml\" href=\"/assets/favicon.svg\">{styles}<title>{title} · audit-log</title></head>\
             <body><main id=\"content\" class=\"alone\"><h1>{title}</h1><p>{words}</p>\
             <p><a class=\"button\" href=\"{page}\">{back}</a></p><p class=\"quiet\">Request ID {id}</p></main></body></html>",
            styles = styles(&assets::head()),
            words = Escaped(&words),
            page = Escaped(&self.page),
            id = Escaped(request_id),
        )
    }
}

/// Whether a browser asks on somebody's behalf: scripts and programs that do not care say `*/*`.
fn wants_a_page(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.split(',').any(|kind| kind.trim().starts_with("text/html")))
}

fn title(status: StatusCode, path: &str) -> &'static str {
    if path.ends_with("/tasks/import") {
        return "Nothing was imported";
    }
    match status {
        StatusCode::FORBIDDEN => "You may not do that",
        StatusCode::NOT_FOUND => "There is no such page",
        StatusCode::PAYLOAD_TOO_LARGE => "That is too large",
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => "That cannot be done just now",
        status if status.is_server_error() => "Something broke on the server",
        _ => "That did not work",
    }
}

/// The words as a sentence.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters
        .next()
        .map(|first| first.to_uppercase().to_string())
        .unwrap_or_default();
    let end = if words.ends_with('.') { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

/// What the way back is called.
fn back(page: &str) -> &'static str {
    let mut parts = page.split('/').skip(3);
    match (parts.next(), parts.next()) {
        (Some("tasks"), None) => "Back to Background tasks",
        (Some("tasks"), Some(_)) => "Back to the task",
        (Some("exports"), Some(_)) => "Back to the export",
        (Some("sendouts"), Some(_)) => "Back to the sendout",
        (Some("logs"), Some(_)) => "Back to the log",
        _ => "Back",
    }
}

/// The styles of the built page, without its scripts.
pub(super) fn styles(head: &str) -> String {
    let links = head
        .split("<link ")
        .skip(1)
        .filter_map(|rest| rest.split_once('>').map(|(link, _)| link));
    links
        .filter(|link| link.starts_with("rel=\"stylesheet\""))
        .map(|link| format!("<link {link}>"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visit(method: &str, path: &str, accept: &str) -> Option<Visit> {
        let request = Request::builder().method(method).uri(path).header(header::ACCEPT, accept);
        Visit::of(&request.body(Body::empty()).unwrap())
    }

    #[test]
    fn people_get_pages_and_programs_json() {
        const BROWSER: &str = "text/html,application/xhtml+xml,*/*;q=0.8";
        for (path, accept, is) in [
            ("/projects/p/tasks/import", BROWSER, true),
            ("/projects/p/tasks/import", "*/*", false),
            ("/projects/p/tasks/import", "application/json", false),
            ("/v1/logs/import", BROWSER, false),
            ("/api/retry_task", BROWSER, false),
        ] {
            assert_eq!(visit("POST", path, accept).is_some(), is, "{path} {accept}");
        }
    }

    #[test]
    fn the_words_stand_in_the_page_and_run_nothing() {
        let visit = visit("POST", "/projects/p/tasks/import", "text/html").unwrap();
        let page = visit.page_of(&ApiError::unreadable("the file <script> is empty"), "req_1");
        assert!(
            page.contains("<h1>Nothing was imported</h1><p>The file &lt;script&gt; is empty.</p>"),
            "{page}"
        );
        assert!(
            page.contains("<a class=\"button\" href=\"/projects/p/tasks\">Back to Background tasks</a>"),
            "{page}"
        );
        assert!(!page.contains("<script"), "{page}");
    }

    #[test]
    fn the_built_pages_styles_come_without_its_scripts() {
        let head =
            "<link rel=\"stylesheet\" href=\"/a.css\" />\n<script type=\"module\">x</script><link rel=\"later\" href=\"/b.js\">";
        assert_eq!(styles(head), "<link rel=\"stylesheet\" href=\"/a.css\" />");
    }
}
