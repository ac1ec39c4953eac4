//! The browser half: the files that `scripts/bundle` built into `dist/`, out of the binary itself (a release) or from the
//! folder (a debug build), already compressed.
//!
//! A file is served under `/assets/`, as the built `index.html` names them. Names with a hash in them are cached for ever;
//! the few without one (the worker's, `public/`) are asked for again each time, by their `ETag`.

use std::borrow::Cow;
use std::sync::OnceLock;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
    VARY,
};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use data_encoding::HEXLOWER;
use rust_embed::{Embed, EmbeddedFile};

/// Where the files are served, as `scripts/assemble.mjs` says, too.
pub const PREFIX: &str = "/assets/";

/// Which files are the code of which group of pages, as `scripts/split.mjs` tells.
const CHUNKS: &str = ".chunks";

/// A worker runs under the policy of its own script, not of the page that starts it: it loads the rest of itself, and bodies.
const WORKER_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";

// A plain `cargo check` needs no browser half; without one, pages come without styles and scripts.
#[derive(Embed)]
#[folder = "$CARGO_MANIFEST_DIR/dist"]
#[allow_missing = true]
struct Dist;

/// `GET` and `HEAD /assets/{path}`.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/assets/{*path}", get(asset))
}

async fn asset(Path(path): Path<String>, headers: HeaderMap) -> Response {
    respond(&Dist::get, &path, &headers)
}

/// What a page needs in its `<head>` to be styled and to come alive: the inside of the built `index.html`'s head, in
/// which every `<script>` and every link to one that comes later carries the page's nonce, for the Content-Security-Policy.
///
/// Empty where no browser half was built. Holds neither charset nor title.
pub fn head_with_nonce(nonce: &str) -> String {
    let nonce = if nonce.is_empty() {
        String::new()
    } else {
        format!(" nonce=\"{nonce}\"")
    };
    head()
        .replace("<script", &format!("<script{nonce}"))
        .replace("<link rel=\"later\"", &format!("<link rel=\"later\"{nonce}"))
}

/// The inside of the built `index.html`'s `<head>`, as it was written.
pub fn head() -> Cow<'static, str> {
    static HEAD: OnceLock<String> = OnceLock::new();
    // Under `make dev` the file's names change while the server runs.
    if cfg!(debug_assertions) {
        Cow::Owned(read_head())
    } else {
        Cow::Borrowed(HEAD.get_or_init(read_head))
    }
}

fn read_head() -> String {
    let index = Dist::get("index.html").map(|file| file.data).unwrap_or_default();
    inside_head(&String::from_utf8_lossy(&index)).to_owned()
}

fn inside_head(html: &str) -> &str {
    let inside = html.split_once("<head>").and_then(|(_, rest)| rest.split_once("</head>"));
    inside.map_or("", |(head, _)| head.trim())
}

/// Asks early for the code of a group of pages, see [`group`](crate::app::group): with the code of every page, as soon as the page has been drawn; else
/// it would be asked for only once that code is here and runs.
pub fn early(group: &str) -> String {
    let chunks = Dist::get(CHUNKS).map(|file| file.data).unwrap_or_default();
    early_of(&String::from_utf8_lossy(&chunks), group)
}

/// A line of `chunks` is a group and the names of its files.
fn early_of(chunks: &str, group: &str) -> String {
    let line = chunks.lines().find_map(|line| line.strip_prefix(group)?.strip_prefix(' '));
    let links = line
        .unwrap_or_default()
        .split(' ')
        .filter(|name| !name.is_empty())
        .map(|name| {
            format!(r#"<link rel="later" href="{PREFIX}{name}" as="fetch" type="application/wasm" crossorigin="anonymous">"#)
        });
    links.collect()
}

type Files<'a> = &'a dyn Fn(&str) -> Option<EmbeddedFile>;

fn respond(files: Files<'_>, path: &str, headers: &HeaderMap) -> Response {
    // The page's frame and the build's own stamp are not for the outside.
    let hidden = path == "index.html" || path.split('/').any(|part| part.starts_with('.'));
    let Some((file, encoding)) = (if hidden { None } else { best(files, path, headers) }) else {
        return (StatusCode::NOT_FOUND, [(CACHE_CONTROL, "no-store")], "not found\n").into_response();
    };
    let tag = format!("\"{}\"", HEXLOWER.encode(&file.metadata.sha256_hash()[..16]));
    let caching = if is_hashed(path) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let mut common = vec![
        (CACHE_CONTROL, caching.to_owned()),
        (VARY, ACCEPT_ENCODING.to_string()),
        (ETAG, tag.clone()),
    ];
    if path.ends_with("_loader.js") {
        common.push((CONTENT_SECURITY_POLICY, WORKER_POLICY.to_owned()));
    }
    if knows(headers, &tag) {
        return with_headers(StatusCode::NOT_MODIFIED, common, Body::empty());
    }
    common.push((CONTENT_TYPE, content_type(path)));
    common.push((CONTENT_LENGTH, file.data.len().to_string()));
    if let Some(encoding) = encoding {
        common.push((CONTENT_ENCODING, encoding.to_owned()));
    }
    let body = match file.data {
        Cow::Borrowed(bytes) => Body::from(bytes),
        Cow::Owned(bytes) => Body::from(bytes),
    };
    with_headers(StatusCode::OK, common, body)
}

fn with_headers(status: StatusCode, headers: Vec<(HeaderName, String)>, body: Body) -> Response {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    // Every value above is plain ASCII; were one not, the caller is told rather than the process ended.
    response
        .body(body)
        .unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

/// The smallest form of a file that the client takes.
fn best(files: Files<'_>, path: &str, headers: &HeaderMap) -> Option<(EmbeddedFile, Option<&'static str>)> {
    for (encoding, ending) in [("br", "br"), ("gzip", "gz")] {
        if accepts(headers, encoding)
            && let Some(file) = files(&format!("{path}.{ending}"))
        {
            return Some((file, Some(encoding)));
        }
    }
    files(path).map(|file| (file, None))
}

/// Whether `Accept-Encoding` names this encoding, or `*`, with a weight above nought.
fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    let mut wildcard = false;
    for choice in headers
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|v| v.split(','))
    {
        let mut parts = choice.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let weight = parts
            .find_map(|part| part.strip_prefix("q="))
            .and_then(|q| q.parse::<f32>().ok())
            .unwrap_or(1.0);
        if name.eq_ignore_ascii_case(encoding) {
            return weight > 0.0;
        }
        wildcard |= name == "*" && weight > 0.0;
    }
    wildcard
}

fn knows(headers: &HeaderMap, tag: &str) -> bool {
    let known = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    known
        .flat_map(|value| value.split(','))
        .map(|value| value.trim().trim_start_matches("W/"))
        .any(|known| known == tag || known == "*")
}

/// The build writes `NAME-HASH.ext` and `NAME-HASH_bg.wasm`: 64 bits in hexadecimal.
fn is_hashed(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.split_once('.').map_or(name, |(stem, _)| stem);
    let hash = stem.trim_end_matches("_bg").rsplit('-').next().unwrap_or_default();
    hash.len() == 16 && hash.len() < stem.len() && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn content_type(path: &str) -> String {
    let mime = mime_guess::from_path(path).first_or_octet_stream();
    if mime.type_() == mime_guess::mime::TEXT {
        format!("{mime}; charset=utf-8")
    } else {
        mime.to_string()
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use rust_embed::Metadata;

    use super::*;

    fn files(path: &str) -> Option<EmbeddedFile> {
        let (data, hash): (&'static [u8], u8) = match path {
            "app-0123456789abcdef.js" => (b"let plain", 1),
            "app-0123456789abcdef.js.br" => (b"br", 2),
            "app-0123456789abcdef.js.gz" => (b"gz", 3),
            "app-0123456789abcdef_bg.wasm" => (b"wasm", 4),
            "browse-worker.js" => (b"worker", 5),
            "index.html" | ".stamp" => (b"inside", 6),
            _ => return None,
        };
        Some(EmbeddedFile {
            data: Cow::Borrowed(data),
            metadata: Metadata::__rust_embed_new([hash; 32], None, None),
        })
    }

    fn ask(path: &str, headers: &[(HeaderName, &'static str)]) -> Response {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)))
            .collect();
        respond(&files, path, &headers)
    }

    fn header(response: &Response, name: HeaderName) -> &str {
        response.headers().get(name).map_or("", |value| value.to_str().unwrap())
    }

    const SCRIPT: &str = "app-0123456789abcdef.js";

    #[test]
    fn the_smallest_form_that_the_client_takes() {
        for (accepted, encoding, length) in [
            ("gzip, deflate, br, zstd", "br", "2"),
            ("gzip", "gzip", "2"),
            ("br;q=0, gzip;q=0.5", "gzip", "2"),
            ("*", "br", "2"),
            ("*, br;q=0", "gzip", "2"),
            ("identity", "", "9"),
            ("br;q=nonsense", "br", "2"),
            ("", "", "9"),
        ] {
            let response = ask(SCRIPT, &[(ACCEPT_ENCODING, accepted)]);
            assert_eq!(response.status(), StatusCode::OK);
            assert_eq!(header(&response, CONTENT_ENCODING), encoding, "{accepted}");
            assert_eq!(header(&response, CONTENT_LENGTH), length, "{accepted}");
            assert_eq!(header(&response, CONTENT_TYPE), "text/javascript; charset=utf-8");
            assert_eq!(header(&response, VARY), "accept-encoding");
        }
    }

    #[test]
    fn names_with_a_hash_are_kept_for_ever_and_others_asked_for_again() {
        assert!(header(&ask(SCRIPT, &[]), CACHE_CONTROL).ends_with("immutable"));
        let wasm = ask("app-0123456789abcdef_bg.wasm", &[]);
        assert!(header(&wasm, CACHE_CONTROL).ends_with("immutable"));
        assert_eq!(header(&wasm, CONTENT_TYPE), "application/wasm");
        assert_eq!(header(&ask("browse-worker.js", &[]), CACHE_CONTROL), "no-cache");
        for path in [
            "0123456789abcdef.js",
            "app-0123456789abcdeg.js",
            "app-0123456789a.js",
            "browse-worker_bg.wasm",
        ] {
            assert!(!is_hashed(path), "{path}");
        }
    }

    #[test]
    fn a_known_tag_is_not_sent_again() {
        let tag = header(&ask("browse-worker.js", &[]), ETAG).to_owned();
        assert_eq!(tag, format!("\"{}\"", "05".repeat(16)));
        let same = ask(
            "browse-worker.js",
            &[(IF_NONE_MATCH, "\"x\", W/\"05050505050505050505050505050505\"")],
        );
        assert_eq!(same.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(header(&same, CONTENT_LENGTH), "");
        assert_eq!(ask("browse-worker.js", &[(IF_NONE_MATCH, "\"x\"")]).status(), StatusCode::OK);
    }

    #[test]
    fn what_is_not_there_or_not_for_the_outside_is_not_found() {
        for path in ["", "nothing.js", "index.html", ".stamp", "../Cargo.toml", "/etc/passwd"] {
            assert_eq!(ask(path, &[]).status(), StatusCode::NOT_FOUND, "{path}");
        }
    }

    #[test]
    fn the_folder_has_no_way_out() {
        for path in ["../Cargo.toml", "/etc/passwd", "a/../../Cargo.toml"] {
            assert!(Dist::get(path).is_none(), "{path}");
        }
    }

    #[test]
    fn a_group_of_pages_is_asked_for_early() {
        let chunks = "logs split_logs-0123456789abcdef.wasm chunk_1-fedcba9876543210.wasm\nlists a.wasm\nlogs-old b.wasm\n";
        let early = early_of(chunks, "logs");
        assert_eq!(early.matches("<link rel=\"later\"").count(), 2);
        assert!(
            early.contains("href=\"/assets/chunk_1-fedcba9876543210.wasm\" as=\"fetch\""),
            "{early}"
        );
        assert_eq!(early_of(chunks, "details"), "");
        assert_eq!(early_of("", "logs"), "");
    }

    #[test]
    fn the_head_without_its_frame() {
        let html = "<!DOCTYPE html><html><head>\n<link rel=\"later\" href=\"a\"></head><body></body></html>";
        assert_eq!(inside_head(html), "<link rel=\"later\" href=\"a\">");
        assert_eq!(inside_head("nothing built"), "");
    }
}
