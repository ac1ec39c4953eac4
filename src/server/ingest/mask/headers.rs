//! Headers: the value goes, what says nothing stays (a scheme, a cookie's name and attributes).

use super::{MASK, MaskRules};

/// Authentication schemes whose name stays (<https://www.iana.org/assignments/http-authschemes>, and what is common beside it).
/// A value that begins with anything else may begin with the secret itself.
const SCHEMES: &[&str] = &[
    "basic",
    "bearer",
    "digest",
    "dpop",
    "gnap",
    "hoba",
    "mutual",
    "negotiate",
    "ntlm",
    "oauth",
    "privatetoken",
    "scram-sha-1",
    "scram-sha-256",
    "vapid",
    "token",
    "apikey",
    "hawk",
    "signature",
    "aws4-hmac-sha256",
];

/// Headers that hold a URL, whose query may hold a secret.
const URLS: &[&str] = &["referer", "location", "content-location", "x-original-url", "x-forwarded-uri"];

/// A header's value with its secret masked; none where there was none.
pub(super) fn mask(rules: &MaskRules, name: &str, value: &str) -> Option<String> {
    let lower = name.to_ascii_lowercase();
    let masked = match lower.as_str() {
        "cookie" => cookies(value),
        "set-cookie" => set_cookie(value),
        "authorization" | "proxy-authorization" => credentials(value),
        name if rules.kept_headers.contains(name) => return None,
        name if rules.headers.contains(name) => credentials(value),
        name if URLS.contains(&name) => return rules.url(value),
        _ if rules.is_secret_name(name) => credentials(value),
        _ => return None,
    };
    (masked != value).then_some(masked)
}

/// `Bearer abc` as `Bearer masked`.
fn credentials(value: &str) -> String {
    let scheme = value.trim_start().split_once(' ').map(|(scheme, _)| scheme);
    match scheme {
        Some(scheme) if SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(scheme)) => format!("{scheme} {MASK}"),
        _ if value.is_empty() => String::new(),
        _ => MASK.to_owned(),
    }
}

/// `a=1; b=2` as `a=masked; b=masked`.
fn cookies(value: &str) -> String {
    value.split(';').map(cookie).collect::<Vec<_>>().join(";")
}

/// `sid=1; Path=/` as `sid=masked; Path=/`.
fn set_cookie(value: &str) -> String {
    match value.split_once(';') {
        Some((pair, attributes)) => format!("{};{attributes}", cookie(pair)),
        None => cookie(value),
    }
}

/// A cookie without a name is all value.
fn cookie(pair: &str) -> String {
    match pair.split_once('=') {
        Some((name, _)) => format!("{name}={MASK}"),
        None if pair.trim().is_empty() => pair.to_owned(),
        None => {
            let space = pair.len() - pair.trim_start().len();
            format!("{}{MASK}", &pair[..space])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(name: &str, value: &str) -> String {
        let rules = MaskRules::with(["X-Partner-Code"], ["fidelity_seed"]);
        let once = mask(&rules, name, value).unwrap_or_else(|| value.to_owned());
        assert_eq!(
            mask(&rules, name, &once),
            None,
            "masking twice changes nothing: {name}: {value}"
        );
        once
    }

    #[test]
    fn what_is_taken_out_of_the_list_is_kept() {
        let own = ["!token", "!X-API-Key", "!authorization", "!cookie"];
        let rules = MaskRules::with(own, own);
        assert!(!rules.is_secret_name("token") && !rules.is_secret_name("pageToken"));
        assert!(rules.is_secret_name("password") && rules.is_secret_name("client_secret"));
        assert_eq!(rules.header("X-Api-Key", "k-1"), None);
        // How somebody signs in is never kept.
        assert_eq!(rules.header("Authorization", "Bearer abc").as_deref(), Some("Bearer masked"));
        assert_eq!(rules.header("Cookie", "a=1").as_deref(), Some("a=masked"));
    }

    #[test]
    fn the_scheme_stays() {
        assert_eq!(masked("Authorization", "Bearer abc.def"), "Bearer masked");
        assert_eq!(masked("PROXY-AUTHORIZATION", "basic dXNlcjpwYXNz"), "basic masked");
        assert_eq!(
            masked("authorization", "Digest username=\"Mufasa\", response=\"6629\""),
            "Digest masked"
        );
        assert_eq!(masked("authorization", "my secret words"), "masked");
        assert_eq!(masked("authorization", "abc"), "masked");
    }

    #[test]
    fn cookies_keep_their_names() {
        assert_eq!(masked("Cookie", "sid=abc; theme=dark;"), "sid=masked; theme=masked;");
        assert_eq!(masked("cookie", "abc; a=b=c"), "masked; a=masked");
        assert_eq!(
            masked("Set-Cookie", "sid=abc; Path=/; HttpOnly"),
            "sid=masked; Path=/; HttpOnly"
        );
        assert_eq!(masked("set-cookie", "sid=abc"), "sid=masked");
    }

    #[test]
    fn keys_go_whole() {
        for name in [
            "X-App-Token",
            "x-client-token",
            "X-Management-Token",
            "x-api-key",
            "Api-Key",
            "x-auth-token",
            "X-Partner-Code",
            "x-fidelity-seed",
        ] {
            assert_eq!(masked(name, "abc"), "masked", "{name}");
        }
    }

    #[test]
    fn the_rest_stays() {
        for name in [
            "X-App-Id",
            "accept",
            "x-next-page-token",
            "idempotency-key",
            "sec-websocket-key",
            "content-type",
        ] {
            assert_eq!(masked(name, "abc def"), "abc def", "{name}");
        }
        assert_eq!(
            masked("referer", "https://a.example/?token=abc&x=1"),
            "https://a.example/?token=masked&x=1"
        );
    }
}
