//! Requests whose bodies stay out of their log: an endpoint's own headers, a secret or a key's token that is shown once,
//! the data of an event, what masking rules that are tried out would mask, and what one person keeps for themselves.
//!
//! It goes by the path, before anybody handles the request: so refusals, and answers given again under an `Idempotency-Key`, are covered, too.
//! To add a request: its path here, and what it must not tell in `tests/all/webhooks_secrets.rs`.

/// The pages' own calls that carry a secret both ways, or whose answer shows what was sent.
/// A saved view may be somebody's own, whose name and filters are theirs alone; of a shared one its log has what changed.
const BOTH: [&str; 5] = [
    "/api/create_endpoint",
    "/api/update_endpoint",
    "/api/try_masking",
    "/api/save_view",
    "/api/change_view",
];
/// Those that are answered with a secret which is shown once; what was asked for is no secret.
const ANSWER: [&str; 5] = [
    "/api/rotate_secret",
    "/api/create_key",
    "/api/rotate_key",
    "/api/invite_member",
    "/api/create_embed",
];

/// What of a request stays out of its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quiet {
    /// Nothing.
    Nothing,
    /// The body of its answer.
    Answer,
    /// Both bodies.
    Both,
}

/// What stays out of the log of a request that changes something under this path.
pub(super) fn of(path: &str) -> Quiet {
    let is_under = |root: &str| {
        path.strip_prefix(root)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    // A test event carries nothing of the sender's.
    if (is_under("/v1/webhooks") && !path.ends_with("/test")) || is_under("/v1/events") || BOTH.contains(&path) {
        return Quiet::Both;
    }
    let of_management = path.strip_prefix("/management/v1/projects/").is_some_and(|rest| {
        let parts: Vec<&str> = rest.split('/').collect();
        matches!(parts.as_slice(), [_, "keys" | "members" | "webhooks", ..])
    });
    if of_management {
        // An endpoint's own headers are sent; of keys and members only the answers show what is secret.
        return if path.contains("/webhooks") {
            Quiet::Both
        } else {
            Quiet::Answer
        };
    }
    if ANSWER.contains(&path) {
        Quiet::Answer
    } else {
        Quiet::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_carries_a_secret_is_quiet() {
        for (path, is) in [
            ("/v1/webhooks", Quiet::Both),
            ("/v1/webhooks/wh_1", Quiet::Both),
            ("/v1/webhooks/wh_1/rotate-secret", Quiet::Both),
            ("/v1/webhooks/wh_1/test", Quiet::Nothing),
            ("/v1/webhook-sendouts/so_1/retry", Quiet::Nothing),
            ("/v1/events", Quiet::Both),
            ("/v1/exports", Quiet::Nothing),
            ("/api/create_endpoint", Quiet::Both),
            ("/api/create_key", Quiet::Answer),
            ("/api/rotate_key", Quiet::Answer),
            ("/api/invite_member", Quiet::Answer),
            ("/api/create_embed", Quiet::Answer),
            ("/api/revoke_embed", Quiet::Nothing),
            ("/api/change_key", Quiet::Nothing),
            ("/api/test_endpoint", Quiet::Nothing),
            ("/management/v1/projects", Quiet::Nothing),
            ("/management/v1/projects/prj_1/keys", Quiet::Answer),
            ("/management/v1/projects/prj_1/keys/k/rotate", Quiet::Answer),
            ("/management/v1/projects/prj_1/members", Quiet::Answer),
            ("/management/v1/projects/prj_1/webhooks/wh_1", Quiet::Both),
            ("/api/try_masking", Quiet::Both),
            ("/api/save_masking", Quiet::Nothing),
            ("/api/save_view", Quiet::Both),
            ("/api/change_view", Quiet::Both),
            ("/api/delete_view", Quiet::Nothing),
            ("/api/create_alert", Quiet::Nothing),
        ] {
            assert_eq!(of(path), is, "{path}");
        }
    }
}
