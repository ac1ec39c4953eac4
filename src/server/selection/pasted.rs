//! What people paste into *Find anywhere*: beside text, the link of a log's page, and a request line as consoles and other tools print it.

use percent_encoding::percent_decode_str;
use url::Url;

/// What is looked for: a link to a log means the log's id, `GET /v1/orders HTTP/1.1` means the address; all else is taken literally.
pub(super) fn meant(text: String) -> String {
    log_of_link(&text)
        .or_else(|| address_of_request_line(&text).map(str::to_owned))
        .unwrap_or(text)
}

fn log_of_link(text: &str) -> Option<String> {
    if !text.starts_with("http://") && !text.starts_with("https://") {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let mut parts = url.path_segments()?;
    let is_page = parts.next() == Some("projects") && parts.next()?.starts_with("prj_") && parts.next() == Some("logs");
    let id = parts.next().filter(|id| is_page && !id.is_empty())?;
    let id = percent_decode_str(id).decode_utf8().ok()?.into_owned();
    parts.next().is_none().then_some(id)
}

fn address_of_request_line(text: &str) -> Option<&str> {
    let (method, rest) = text.split_once(' ')?;
    let is_method = (3..=7).contains(&method.len()) && method.bytes().all(|letter| letter.is_ascii_uppercase());
    let mut words = rest.split_ascii_whitespace();
    let address = words.next()?;
    let is_line = match words.next() {
        None => true,
        Some(version) => version.starts_with("HTTP/") && words.next().is_none(),
    };
    let is_address = address.starts_with('/') || address.starts_with("http://") || address.starts_with("https://");
    (is_method && is_line && is_address).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_means_its_log_and_a_request_line_its_address() {
        for (pasted, looked_for) in [
            (
                "https://logs.example.com/projects/prj_1/logs/log_01ABC?status=FAILURE#request",
                "log_01ABC",
            ),
            ("http://127.0.0.1:3000/projects/prj_1/logs/order%2F17", "order/17"),
            ("GET /v1/vouchers/A-1", "/v1/vouchers/A-1"),
            (
                "POST https://api.example.com/v1/orders HTTP/1.1",
                "https://api.example.com/v1/orders",
            ),
            ("DELETE /v1/orders/1 HTTP/2", "/v1/orders/1"),
        ] {
            assert_eq!(meant(pasted.to_owned()), looked_for);
        }
        for literal in [
            "https://logs.example.com/projects/prj_1/logs",
            "https://logs.example.com/projects/prj_1/logs/a/request",
            "https://api.example.com/projects/42/logs/7",
            "/projects/prj_1/logs/a",
            "GET /v1/orders then",
            "get /v1/orders",
            "GET it",
            "\"key\": \"not_found\"",
            "customer",
            "",
        ] {
            assert_eq!(meant(literal.to_owned()), literal);
        }
    }
}
