//! URLs: the user info, and the secrets among the arguments of the query and the fragment.

use super::{MASK, MaskRules, form};

/// Arguments that are secrets in a URL (a signed link is a key), and nothing much elsewhere.
const SIGNATURES: &[&str] = &[
    "sig",
    "signature",
    "x-amz-signature",
    "x-amz-credential",
    "x-goog-signature",
    "x-goog-credential",
];

/// The URL masked; none where there was nothing to mask.
pub(super) fn mask(rules: &MaskRules, url: &str) -> Option<String> {
    let user_info = user_info(url);
    let query_at = url.find(['?', '#']);
    let query = query_at.and_then(|at| arguments(rules, &url[at..]));
    if user_info.is_none() && query.is_none() {
        return None;
    }
    let rest_to = query_at.unwrap_or(url.len());
    let mut out = String::with_capacity(url.len());
    let mut from = 0;
    if let Some((start, end)) = user_info {
        out.push_str(&url[..start]);
        out.push_str(MASK);
        from = end;
    }
    out.push_str(&url[from..rest_to]);
    match query {
        Some(query) => out.push_str(&query),
        None => out.push_str(&url[rest_to..]),
    }
    Some(out)
}

/// Where the user info lies (`//user:password@host`), unless it is masked already.
fn user_info(url: &str) -> Option<(usize, usize)> {
    let start = url.find("://")? + 3;
    let authority_end = url[start..].find(['/', '?', '#', '\\']).map_or(url.len(), |at| start + at);
    let end = start + url[start..authority_end].rfind('@')?;
    (start < end && &url[start..end] != MASK).then_some((start, end))
}

/// The query and fragment, each introduced by `?` or `#`, masked.
fn arguments(rules: &MaskRules, text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut changed = false;
    let mut rest = text;
    while !rest.is_empty() {
        let (mark, after) = rest.split_at(1);
        let end = after.find(['?', '#']).unwrap_or(after.len());
        let (part, next) = after.split_at(end);
        out.push_str(mark);
        changed |= push_part(rules, part, &mut out);
        rest = next;
    }
    changed.then_some(out)
}

fn push_part(rules: &MaskRules, part: &str, out: &mut String) -> bool {
    let masked = form::mask(rules, part.as_bytes()).and_then(|bytes| String::from_utf8(bytes).ok());
    let mut changed = masked.is_some();
    let part = masked.as_deref().unwrap_or(part);
    for (place, pair) in part.split('&').enumerate() {
        if place > 0 {
            out.push('&');
        }
        match pair.split_once('=') {
            Some((name, value))
                if !value.is_empty() && value != MASK && SIGNATURES.iter().any(|known| known.eq_ignore_ascii_case(name)) =>
            {
                out.push_str(name);
                out.push('=');
                out.push_str(MASK);
                changed = true;
            }
            _ => out.push_str(pair),
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(url: &str) -> String {
        let rules = MaskRules::default();
        let once = mask(&rules, url).unwrap_or_else(|| url.to_owned());
        assert_eq!(mask(&rules, &once), None, "masking twice changes nothing: {url}");
        once
    }

    #[test]
    fn secrets_go_and_the_rest_stays() {
        assert_eq!(
            masked("/v1/x?api_key=abc&page=2#access_token=xyz"),
            "/v1/x?api_key=masked&page=2#access_token=masked"
        );
        assert_eq!(masked("https://ann:pw@h.example/x?a=b"), "https://masked@h.example/x?a=b");
        assert_eq!(
            masked("https://a@b@h.example?token=é&ü=é"),
            "https://masked@h.example?token=masked&ü=é"
        );
        assert_eq!(
            masked("https://b.s3.example/f?X-Amz-Signature=abc"),
            "https://b.s3.example/f?X-Amz-Signature=masked"
        );
        assert_eq!(masked("/f?a=1?token=abc"), "/f?a=1?token=masked");
    }

    #[test]
    fn what_is_no_secret_stays() {
        for url in [
            "/",
            "",
            "/a@b/c",
            "https://h.example/a@b?x@y",
            "/v1/x?page_token=abc",
            "?",
            "#",
            "/x?token",
            "mailto:a@b.example",
        ] {
            assert_eq!(masked(url), url);
        }
    }
}
