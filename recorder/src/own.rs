//! Copies that hold on to nothing else. What a server has parsed are slices of what it read: a record that kept them would keep the whole of that, and the server would need new memory
//! for each request.

use bytes::Bytes;
use http::uri::{Authority, PathAndQuery};
use http::{HeaderMap, HeaderValue, Uri};

/// The same headers, in the same order, in memory of their own.
pub(crate) fn headers(of: &HeaderMap) -> HeaderMap {
    let mut bytes = Vec::with_capacity(of.values().map(HeaderValue::len).sum());
    of.values().for_each(|value| bytes.extend_from_slice(value.as_bytes()));
    let mut bytes = Bytes::from(bytes);
    let mut own = of.clone();
    for value in own.values_mut() {
        // What was a value once is one still: there is no error to come.
        if let Ok(mut copy) = HeaderValue::from_maybe_shared(bytes.split_to(value.len())) {
            copy.set_sensitive(value.is_sensitive());
            *value = copy;
        }
    }
    own
}

/// The same URI, in memory of its own.
pub(crate) fn uri(of: &Uri) -> Uri {
    let copy = |text: &str| Bytes::copy_from_slice(text.as_bytes());
    let mut parts = of.clone().into_parts();
    // What was parsed once is parsed again, as above.
    if let Some(Ok(path)) = of
        .path_and_query()
        .map(|path| PathAndQuery::from_maybe_shared(copy(path.as_str())))
    {
        parts.path_and_query = Some(path);
    }
    if let Some(Ok(authority)) = of.authority().map(|of| Authority::from_maybe_shared(copy(of.as_str()))) {
        parts.authority = Some(authority);
    }
    Uri::from_parts(parts).unwrap_or_else(|_| of.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_equal_and_share_nothing() {
        let read = Bytes::from_static(b"one two \xE9t\xE9").slice(..);
        let read = Bytes::copy_from_slice(&read);
        let value = |range: std::ops::Range<usize>| HeaderValue::from_maybe_shared(read.slice(range)).unwrap();
        let mut headers = HeaderMap::new();
        headers.append("x-a", value(0..3));
        headers.append("cookie", value(4..7));
        headers.append("x-a", value(8..11));
        headers.append("x-empty", value(0..0));
        headers.get_mut("cookie").unwrap().set_sensitive(true);
        let own = super::headers(&headers);
        assert_eq!(own, headers);
        assert!(own["cookie"].is_sensitive() && !own["x-a"].is_sensitive());
        assert_eq!(own.keys().collect::<Vec<_>>(), headers.keys().collect::<Vec<_>>());
        drop(headers);
        assert!(read.is_unique(), "nothing holds on to what was read");
    }

    #[test]
    fn a_uri_stays_what_it_is() {
        for text in ["/", "*", "/a/../b?c=%20&d", "http://a:81/b?c", "a.example.com:443", "/?"] {
            let uri: Uri = text.parse().unwrap();
            assert_eq!(super::uri(&uri), uri, "{text}");
        }
        let read = Bytes::copy_from_slice(b"/a/b?c");
        let uri = Uri::from_maybe_shared(read.clone()).unwrap();
        let own = super::uri(&uri);
        drop(uri);
        assert!(read.is_unique());
        assert_eq!(own, "/a/b?c");
    }
}
