//! How a project's settings are written as JSON: by the management API, and in the logs of changes (`recording/change.rs`). No secret is in any of it: of a key no
//! token, of an endpoint no secret and of its own headers the names alone, of an invitation no link.

use serde_json::{Map, Value, json};

use super::v1::json::time;
use crate::model::alert::Mute;
use crate::model::endpoint::EndpointFacts;
use crate::model::key::KeyFacts;
use crate::model::masking::MaskRule;
use crate::model::member::{InvitationFacts, MemberFacts, RoleRights};
use crate::model::project::ProjectWish;
use crate::model::retention::Choice;
use crate::server::store::Changed;
use crate::server::store::alerts::Alert;
use crate::server::store::embeds::Embed;
use crate::server::store::views::View;

/// A member, without when they were seen.
pub fn member(member: &MemberFacts) -> Value {
    json!({
        "id": member.id,
        "object": "member",
        "email": member.email,
        "name": member.name,
        "role": member.role,
        "created_at": time(member.joined_at),
    })
}

/// An invitation.
pub fn invitation(invitation: &InvitationFacts) -> Value {
    json!({
        "id": invitation.id,
        "object": "invitation",
        "email": invitation.email,
        "role": invitation.role,
        "invited_by": invitation.invited_by,
        "created_at": time(invitation.created_at),
        "expires_at": time(invitation.expires_at),
    })
}

/// What roles may see, by role.
pub fn role_rights<'a>(rights: impl IntoIterator<Item = &'a RoleRights>) -> Value {
    let sights = rights.into_iter().map(|of| {
        let sight = json!({ "read_bodies": of.read_bodies, "read_users": of.read_users });
        (of.role.as_str().to_owned(), sight)
    });
    Value::Object(sights.collect::<Map<_, _>>())
}

/// A key, without when it was used.
pub fn key(key: &KeyFacts) -> Value {
    json!({
        "id": key.app_id,
        "object": "key",
        "app_id": key.app_id,
        "name": key.name,
        "scopes": key.scopes,
        "client": key.origins.is_some(),
        "origins": key.origins.as_deref().unwrap_or_default(),
        "calls_a_minute": key.calls_a_minute,
        "created_at": time(key.created_at),
        "expires_at": key.expires_at.map(time),
        "revoked_at": key.revoked_at.map(time),
        "old_token_until": key.old_token_until.map(time),
    })
}

/// A project's own masking rules.
pub fn masking(rules: &[MaskRule]) -> Value {
    json!({ "object": "masking", "rules": rules })
}

/// How long a project's logs are kept, as somebody chose.
pub fn retention(choice: &Choice) -> Value {
    let mut shown = json!(choice);
    shown["object"] = json!("retention");
    shown
}

/// A project's own settings.
pub fn project(id: &str, settings: &ProjectWish) -> Value {
    json!({
        "id": id,
        "object": "project",
        "name": settings.name,
        "time_zone": settings.time_zone,
        "endpoint_templates": settings.templates,
    })
}

/// A shared view.
pub fn view(view: &View) -> Value {
    json!({
        "id": view.id,
        "object": "view",
        "tab": view.tab,
        "name": view.name,
        "query": view.query,
        "created_by": view.by,
        "created_at": time(view.created_at),
        "updated_at": time(view.changed_at),
    })
}

/// An alert, as people settled it; without what it counted and did.
pub fn alert(alert: &Alert) -> Value {
    json!({
        "id": alert.id,
        "object": "alert",
        "name": alert.name,
        "view": alert.view,
        "kind": alert.condition.kind,
        "condition": alert.condition.words(),
        "recipients": alert.recipients,
        "active": alert.active,
        "muted_until": alert.muted_until.map(|until| if until == Mute::FOR_EVER { "unmuted".to_owned() } else { time(until) }),
        "created_at": time(alert.created_at),
        "updated_at": time(alert.changed_at),
    })
}

/// An embedded view; without its link, and without how often it was opened.
pub fn embed(embed: &Embed) -> Value {
    json!({
        "id": embed.id,
        "object": "embed",
        "name": embed.name,
        "view": embed.view,
        "read_bodies": embed.bodies,
        "read_users": embed.users,
        "origins": embed.origins,
        "created_by": embed.by,
        "created_at": time(embed.created_at),
        "expires_at": time(embed.expires_at),
        "revoked_at": embed.revoked_at.map(time),
    })
}

/// An endpoint. Of its own headers, which may be secrets, only the names.
pub fn endpoint(facts: &EndpointFacts) -> Value {
    json!({
        "id": facts.id,
        "object": "webhook",
        "target_url": facts.target_url,
        "events": facts.events,
        "active": facts.active,
        "source": facts.source,
        "description": facts.description,
        "rate_limit": facts.rate_limit,
        "header_names": header_names(facts, |_| true),
        "disabled_at": facts.disabled_at.map(time),
        "disabled_reason": facts.disabled_reason,
        "old_secret_until": facts.old_secret_until.map(time),
        "created_at": time(facts.created_at),
    })
}

/// An endpoint that was changed, before and after; after also says which of its headers have another value than before.
pub fn endpoints(changed: &Changed<EndpointFacts>) -> (Value, Value) {
    let before = changed.before.headers.as_deref().unwrap_or_default();
    let mut after = endpoint(&changed.after);
    after["changed_headers"] = json!(header_names(&changed.after, |header| !before.contains(header)));
    (endpoint(&changed.before), after)
}

fn header_names(facts: &EndpointFacts, is_meant: impl Fn(&(String, String)) -> bool) -> Vec<&str> {
    let headers = facts.headers.iter().flatten();
    headers
        .filter(|header| is_meant(header))
        .map(|(name, _)| name.as_str())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::endpoint::Source;

    fn with(headers: &[(&str, &str)]) -> EndpointFacts {
        EndpointFacts {
            id: "wh_1".to_owned(),
            target_url: "https://a.example/".to_owned(),
            events: vec!["*".to_owned()],
            active: true,
            disabled_reason: None,
            disabled_at: None,
            source: Source::Project,
            description: String::new(),
            rate_limit: None,
            created_at: 0,
            updated_at: 0,
            has_headers: !headers.is_empty(),
            headers: Some(
                headers
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                    .collect(),
            ),
            old_secret_until: None,
            paused: 0,
        }
    }

    #[test]
    fn of_own_headers_the_names_are_told_and_which_have_changed() {
        let changed = Changed {
            before: with(&[("x-same", "hidden-1"), ("x-other", "hidden-2"), ("x-gone", "hidden-3")]),
            after: with(&[("x-same", "hidden-1"), ("x-other", "hidden-4"), ("x-new", "hidden-5")]),
        };
        let (before, after) = endpoints(&changed);
        assert_eq!(before["header_names"], json!(["x-same", "x-other", "x-gone"]));
        assert_eq!(after["header_names"], json!(["x-same", "x-other", "x-new"]));
        assert_eq!(after["changed_headers"], json!(["x-other", "x-new"]));
        assert!(!before.to_string().contains("hidden") && !after.to_string().contains("hidden"));
    }
}
