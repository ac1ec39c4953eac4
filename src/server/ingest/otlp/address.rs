//! The address that was asked for, put together of what attributes tell.

use std::borrow::Cow;

use super::attributes::Attributes;

/// The whole URL, or as much of it as is told; `otherwise` is the path where no attribute tells one. None without either.
pub(super) fn of<'a>(told: Attributes<'a>, otherwise: Option<Cow<'a, str>>) -> Option<Cow<'a, str>> {
    if let Some(url) = told.text(&["url.full", "http.url"]) {
        return Some(url);
    }
    let target = target(told).or(otherwise)?;
    let Some(host) = host(told) else { return Some(target) };
    let scheme = told.text(&["url.scheme", "http.scheme"]).unwrap_or(Cow::Borrowed("http"));
    let slash = if target.starts_with('/') { "" } else { "/" };
    Some(Cow::Owned(format!("{scheme}://{host}{slash}{target}")))
}

/// Path and query.
fn target(told: Attributes<'_>) -> Option<Cow<'_, str>> {
    let Some(path) = told.text(&["url.path"]) else {
        return told.text(&["http.target"]);
    };
    match told.text(&["url.query"]) {
        None => Some(path),
        Some(query) => Some(Cow::Owned(format!("{path}?{}", query.trim_start_matches('?')))),
    }
}

/// Host and port, the scheme's own port left out.
fn host(told: Attributes<'_>) -> Option<String> {
    if let Some(address) = told.text(&["server.address"]) {
        return Some(with_port(&address, told, &["server.port", "net.host.port"]));
    }
    // As the Host header had it, with the port.
    if let Some(host) = told.text(&["http.host"]) {
        return Some(host.into_owned());
    }
    let name = told.text(&["net.host.name", "http.server_name"])?;
    Some(with_port(&name, told, &["net.host.port"]))
}

fn with_port(host: &str, told: Attributes<'_>, ports: &[&str]) -> String {
    let is_bare_ipv6 = host.contains("::") || host.matches(':').count() > 1;
    let host = if is_bare_ipv6 && !host.starts_with('[') {
        format!("[{host}]")
    } else {
        host.to_owned()
    };
    let scheme = told.text(&["url.scheme", "http.scheme"]);
    let own = match scheme.as_deref() {
        Some("https") => 443,
        _ => 80,
    };
    match told.whole(ports) {
        Some(port) if port != own && (1..=65_535).contains(&port) && !has_port(&host) => format!("{host}:{port}"),
        _ => host,
    }
}

fn has_port(host: &str) -> bool {
    let end = host.rsplit(']').next().unwrap_or(host);
    end.contains(':')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::ingest::otlp::messages::{AnyValue, KeyValue, Value};

    #[test]
    fn without_a_path_there_is_the_one_otherwise_told() {
        let otherwise = || Some(Cow::Borrowed("/v1/a"));
        let attribute = |key: &str, text: &str| KeyValue {
            key: key.to_owned(),
            value: Some(AnyValue {
                value: Some(Value::Text(text.to_owned())),
            }),
        };
        let host = [attribute("server.address", "a.example")];
        assert_eq!(of(Attributes(&host), otherwise()).as_deref(), Some("http://a.example/v1/a"));
        let path = [attribute("url.path", "/v1/b")];
        assert_eq!(of(Attributes(&path), otherwise()).as_deref(), Some("/v1/b"));
    }

    #[test]
    fn an_address_of_what_is_told() {
        for (told, address) in [
            ("url.full=https://a.example/b?c url.path=/x", Some("https://a.example/b?c")),
            ("http.url=http://a.example/b http.target=/x", Some("http://a.example/b")),
            ("url.path=/b", Some("/b")),
            ("url.path=/b url.query=c=1", Some("/b?c=1")),
            ("http.target=/b?c=1", Some("/b?c=1")),
            (
                "url.scheme=https server.address=a.example server.port=443 url.path=/b",
                Some("https://a.example/b"),
            ),
            (
                "url.scheme=https server.address=a.example server.port=8443 url.path=/b",
                Some("https://a.example:8443/b"),
            ),
            ("server.address=::1 server.port=3000 url.path=/b", Some("http://[::1]:3000/b")),
            (
                "server.address=a.example:81 server.port=3000 url.path=/b",
                Some("http://a.example:81/b"),
            ),
            (
                "http.scheme=https http.host=a.example:8443 net.host.name=b net.host.port=1 http.target=b",
                Some("https://a.example:8443/b"),
            ),
            (
                "http.scheme=http net.host.name=a.example net.host.port=8080 http.target=/b",
                Some("http://a.example:8080/b"),
            ),
            ("server.address=a.example http.route=/b/{id}", None),
            ("", None),
        ] {
            let all: Vec<KeyValue> = told
                .split_whitespace()
                .map(|pair| {
                    let (key, text) = pair.split_once('=').unwrap();
                    let value = Some(Value::Text(text.to_owned()));
                    KeyValue {
                        key: key.to_owned(),
                        value: Some(AnyValue { value }),
                    }
                })
                .collect();
            assert_eq!(of(Attributes(&all), None).as_deref(), address, "{told}");
        }
    }
}
