//! What a proxy must change of headers, and nothing else: those that are of one connection alone go (RFC 9110, 7.6.1), and who asked is added.

use std::net::IpAddr;

use axum::http::header::{
    CONNECTION, CONTENT_LENGTH, EXPECT, HOST, HeaderMap, HeaderName, HeaderValue, TE, TRANSFER_ENCODING, UPGRADE,
};
use axum::http::uri::Authority;

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Who asked, and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asker {
    /// The other end of the connection.
    pub(super) peer: IpAddr,
    /// Whether that is a proxy which is believed.
    pub(super) is_trusted: bool,
    /// Whether it spoke TLS to us.
    pub(super) is_tls: bool,
}

/// The protocol that a message wants to change to.
pub(super) fn upgrade(headers: &HeaderMap) -> Option<HeaderValue> {
    let asks = tokens(headers).any(|token| token.eq_ignore_ascii_case("upgrade"));
    asks.then(|| headers.get(UPGRADE).cloned()).flatten()
}

/// Whether a request's body waits for a word of the upstream.
pub(super) fn expects_continue(headers: &HeaderMap) -> bool {
    headers
        .get(EXPECT)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

/// A request's headers as the upstream gets them. `is_chunked`: its body comes in chunks, and so does it go on.
pub(super) fn of_request(headers: HeaderMap, upgrade: Option<&HeaderValue>, is_chunked: bool) -> HeaderMap {
    let trailers = headers
        .get_all(TE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|coding| coding.trim().eq_ignore_ascii_case("trailers"));
    let mut kept = passed_on(headers, is_chunked);
    if trailers {
        kept.insert(TE, HeaderValue::from_static("trailers"));
    }
    if is_chunked {
        kept.entry(TRANSFER_ENCODING).or_insert(HeaderValue::from_static("chunked"));
        kept.remove(CONTENT_LENGTH);
    }
    change_protocol(&mut kept, upgrade);
    kept
}

/// An answer's headers as the client gets them.
pub(super) fn of_answer(headers: HeaderMap, upgrade: Option<&HeaderValue>) -> HeaderMap {
    let is_chunked = headers.contains_key(TRANSFER_ENCODING);
    let mut kept = passed_on(headers, true);
    if is_chunked {
        kept.remove(CONTENT_LENGTH);
    }
    change_protocol(&mut kept, upgrade);
    kept
}

fn change_protocol(headers: &mut HeaderMap, upgrade: Option<&HeaderValue>) {
    if let Some(protocol) = upgrade {
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, protocol.clone());
    }
}

/// The host that the upstream is asked for: the one that was chosen, the client's, or the upstream's own.
pub(super) fn set_host(headers: &mut HeaderMap, asked: Option<&Authority>, chosen: Option<&HeaderValue>, own: &Authority) {
    // HTTP/2 names it in its authority.
    let named = asked.and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
    let before = named.or_else(|| headers.get(HOST).cloned());
    match (chosen, before) {
        (Some(chosen), before) => {
            headers.insert(HOST, chosen.clone());
            if let Some(before) = before.filter(|before| before != chosen) {
                headers.entry(FORWARDED_HOST).or_insert(before);
            }
        }
        (None, Some(before)) => drop(headers.insert(HOST, before)),
        (None, None) => {
            if let Ok(own) = HeaderValue::from_str(own.as_str()) {
                headers.insert(HOST, own);
            }
        }
    }
}

/// Tells the upstream who asked: at the end of those whom proxies before named.
pub(super) fn tell_asker(headers: &mut HeaderMap, asker: Asker) {
    let mut path: Vec<u8> = Vec::new();
    for value in headers.get_all(&FORWARDED_FOR) {
        path.extend_from_slice(value.as_bytes());
        path.extend_from_slice(b", ");
    }
    path.extend_from_slice(asker.peer.to_string().as_bytes());
    if let Ok(path) = HeaderValue::from_bytes(&path) {
        headers.insert(FORWARDED_FOR, path);
    }
    if !(asker.is_trusted && headers.contains_key(&FORWARDED_PROTO)) {
        let how = if asker.is_tls { "https" } else { "http" };
        headers.insert(FORWARDED_PROTO, HeaderValue::from_static(how));
    }
}

/// Headers without those of the connection, in the order they came. Taking single ones out of a map would mix the order up.
fn passed_on(headers: HeaderMap, with_coding: bool) -> HeaderMap {
    let named: Vec<HeaderName> = tokens(&headers)
        .filter_map(|token| HeaderName::from_bytes(token.as_bytes()).ok())
        .filter(|name| *name != HOST && *name != CONTENT_LENGTH)
        .collect();
    let stays = |name: &HeaderName| {
        let of_connection = [CONNECTION, KEEP_ALIVE, PROXY_CONNECTION, TE, UPGRADE].contains(name);
        !of_connection && (with_coding || *name != TRANSFER_ENCODING) && (!named.contains(name) || *name == TRANSFER_ENCODING)
    };
    if headers.keys().all(stays) {
        return headers;
    }
    let mut kept = HeaderMap::with_capacity(headers.keys_len() + 4);
    let mut last = None;
    for (name, value) in headers {
        if name.is_some() {
            last = name.filter(stays);
        }
        if let Some(name) = &last {
            kept.append(name.clone(), value);
        }
    }
    kept
}

/// The words of `Connection`.
fn tokens(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .fold(HeaderMap::new(), |mut headers, (name, value)| {
                headers.append(name, value);
                headers
            })
    }

    fn lines(headers: &HeaderMap) -> Vec<String> {
        headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect()
    }

    #[test]
    fn what_is_of_the_connection_stays_behind_and_the_rest_keeps_its_order() {
        let came = headers(&[
            ("host", "api.example.com"),
            ("connection", "keep-alive, X-Own, Host"),
            ("accept", "a"),
            ("x-own", "1"),
            ("keep-alive", "timeout=5"),
            ("accept", "b"),
            ("te", "gzip, trailers"),
            ("upgrade", "h2c"),
            ("transfer-encoding", "chunked"),
            ("z", "last"),
        ]);
        assert_eq!(
            lines(&of_request(came.clone(), None, true)),
            [
                "host: api.example.com",
                "accept: a",
                "accept: b",
                "transfer-encoding: chunked",
                "z: last",
                "te: trailers"
            ]
        );
        assert!(!of_request(came, None, false).contains_key(TRANSFER_ENCODING));
    }

    #[test]
    fn a_change_of_protocol_is_asked_for_on_both_sides() {
        let came = headers(&[("connection", "keep-alive, Upgrade"), ("upgrade", "websocket")]);
        let wanted = upgrade(&came).unwrap();
        assert_eq!(wanted, "websocket");
        assert_eq!(
            lines(&of_request(came, Some(&wanted), false)),
            ["connection: Upgrade", "upgrade: websocket"]
        );
        assert!(
            upgrade(&headers(&[("upgrade", "websocket")])).is_none(),
            "the connection does not name it"
        );
        assert!(upgrade(&headers(&[("connection", "upgrade")])).is_none(), "to what?");
    }

    #[test]
    fn a_length_beside_chunks_goes() {
        let both = headers(&[("content-length", "3"), ("transfer-encoding", "chunked")]);
        assert_eq!(lines(&of_request(both.clone(), None, true)), ["transfer-encoding: chunked"]);
        assert_eq!(lines(&of_answer(both, None)), ["transfer-encoding: chunked"]);
    }

    #[test]
    fn the_host_is_the_clients_unless_another_is_chosen() {
        let own: Authority = "10.0.0.5:8080".parse().unwrap();
        let asked: Authority = "api.example.com".parse().unwrap();
        let with = |came: &[(&'static str, &'static str)], asked: Option<&Authority>, chosen: Option<&'static str>| {
            let mut headers = headers(came);
            set_host(&mut headers, asked, chosen.map(HeaderValue::from_static).as_ref(), &own);
            lines(&headers)
        };
        assert_eq!(with(&[("host", "a")], None, None), ["host: a"]);
        assert_eq!(with(&[], Some(&asked), None), ["host: api.example.com"]);
        assert_eq!(with(&[], None, None), ["host: 10.0.0.5:8080"]);
        assert_eq!(with(&[("host", "a")], None, Some("b")), ["host: b", "x-forwarded-host: a"]);
        assert_eq!(with(&[("host", "b")], None, Some("b")), ["host: b"]);
    }

    #[test]
    fn who_asked_stands_at_the_end() {
        let asker = |is_trusted| Asker {
            peer: "192.0.2.7".parse().unwrap(),
            is_trusted,
            is_tls: false,
        };
        let told = |came: &[(&'static str, &'static str)], trusted| {
            let mut headers = headers(came);
            tell_asker(&mut headers, asker(trusted));
            lines(&headers)
        };
        assert_eq!(told(&[], false), ["x-forwarded-for: 192.0.2.7", "x-forwarded-proto: http"]);
        let before = [
            ("x-forwarded-for", "a"),
            ("x-forwarded-for", "b"),
            ("x-forwarded-proto", "https"),
        ];
        assert_eq!(
            told(&before, true),
            ["x-forwarded-for: a, b, 192.0.2.7", "x-forwarded-proto: https"]
        );
        assert_eq!(
            told(&before, false),
            ["x-forwarded-for: a, b, 192.0.2.7", "x-forwarded-proto: http"]
        );
    }
}
