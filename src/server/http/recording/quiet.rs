//! Requests whose bodies stay out of their log: an endpoint's own headers, a secret or a key's token that is shown once,
//! the data of an event, and what masking rules that are tried out would mask.
//!
//! It goes by the path, before anybody handles the request: so refusals, and answers given again under an `Idempotency-Key`, are covered, too.
//! To add a request: its path here, and what it must not tell in `tests/all/webhooks_secrets.rs`.

/// The pages' own calls.
const BY_PAGE: [&str; 6] = [
    "/api/create_endpoint",
    "/api/update_endpoint",
    "/api/rotate_secret",
    "/api/create_key",
    "/api/rotate_key",
    "/api/try_masking",
];

/// Whether both bodies of a request that changes something under this path are left out.
pub(super) fn is_meant(path: &str) -> bool {
    let is_under = |root: &str| {
        path.strip_prefix(root)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    // A test event carries nothing of the sender's.
    (is_under("/v1/webhooks") && !path.ends_with("/test")) || is_under("/v1/events") || BY_PAGE.contains(&path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_carries_a_secret_is_quiet() {
        for (path, is) in [
            ("/v1/webhooks", true),
            ("/v1/webhooks/wh_1", true),
            ("/v1/webhooks/wh_1/rotate-secret", true),
            ("/v1/webhooks/wh_1/test", false),
            ("/v1/webhook-sendouts/so_1/retry", false),
            ("/v1/events", true),
            ("/v1/exports", false),
            ("/api/create_endpoint", true),
            ("/api/create_key", true),
            ("/api/rotate_key", true),
            ("/api/change_key", false),
            ("/api/try_masking", true),
            ("/api/save_masking", false),
            ("/api/test_endpoint", false),
        ] {
            assert_eq!(is_meant(path), is, "{path}");
        }
    }
}
