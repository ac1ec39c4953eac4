//! Members: who comes in by which link, who may change whom, and what a role sees.

use std::time::Duration;

use audit_log::model::rights::{Role, Scope};
use audit_log::server::store::invitations;
use audit_log::server::store::members::{self, MemberChange};
use audit_log::server::store::projects::Project;
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::support::{TestApp, cookie_of};

const PASSWORD: &str = "correct horse";
const DAY_MS: i64 = 86_400_000;

fn location(answer: &Response) -> &str {
    answer.headers().get("location").map_or("", |value| value.to_str().unwrap())
}

async fn call(app: &TestApp, cookie: &str, path: &str, body: Value) -> Response {
    app.request(Method::POST, path)
        .header("cookie", cookie)
        .json(&body)
        .send()
        .await
        .unwrap()
}

/// Invites somebody, and gives the token of their link.
async fn invite(app: &TestApp, cookie: &str, project: &Project, email: &str, role: &str) -> String {
    let answer = call(
        app,
        cookie,
        "/api/invite_member",
        json!({"project": project.id, "email": email, "role": role}),
    )
    .await;
    assert_eq!(answer.status(), 200);
    let fresh: Value = answer.json().await.unwrap();
    let link = fresh["link"].as_str().unwrap().to_owned();
    assert!(link.starts_with(&format!("{}/invite?token=", app.url)), "{link}");
    link.split_once('=').unwrap().1.to_owned()
}

async fn join(app: &TestApp, token: &str, password: &str, cookie: Option<&str>) -> Response {
    let form = app.post_form("/invite", &[("token", token), ("name", "Ada"), ("password", password)]);
    let form = match cookie {
        Some(cookie) => form.header("cookie", cookie),
        None => form,
    };
    form.send().await.unwrap()
}

async fn page(app: &TestApp, cookie: &str, project: &Project) -> (u16, String) {
    let answer = app
        .get_as(cookie, &format!("/projects/{}/settings/members", project.id))
        .await;
    (answer.status().as_u16(), answer.text().await.unwrap())
}

for_each_db! {
    async fn somebody_new_comes_in_by_their_link_once(app: TestApp) {
        let (project, owner) = app.signed_in(Role::Owner).await;
        let token = invite(app, &owner, &project, " Ada@Example.com ", "auditor").await;
        let shown = app.get(&format!("/invite?token={token}")).await.text().await.unwrap();
        for word in ["ada@example.com", "shop", "owner@example.com", "Auditor", "Choose a password"] {
            assert!(shown.contains(word), "{word:?} in {shown}");
        }
        assert_eq!(location(&join(app, &token, "short", None).await), format!("/invite?token={}&problem=unfit", token.replace('-', "%2D").replace('_', "%5F")));
        let joined = join(app, &token, PASSWORD, None).await;
        assert_eq!(location(&joined), format!("/projects/{}/logs", project.id));
        let cookie = cookie_of(&joined).unwrap();
        assert_eq!(app.get_as(&cookie, location(&joined)).await.status(), 200);
        assert_eq!(page(app, &cookie, &project).await.0, 403, "an auditor settles nothing");
        let again = join(app, &token, PASSWORD, None).await;
        assert!(location(&again).ends_with("problem=gone"), "{again:?}");
        assert_eq!(cookie_of(&again), None);
        assert!(app.get(&format!("/invite?token={token}")).await.text().await.unwrap().contains("leads nowhere any more"));
        app.sign_in("ada@example.com", PASSWORD).await;
        let (_, text) = page(app, &owner, &project).await;
        assert!(text.contains("ada@example.com") && !text.contains(&token));
    }

    async fn a_link_leads_in_whom_it_is_for_alone(app: TestApp) {
        let (project, owner) = app.signed_in(Role::Owner).await;
        app.add_person("ada@example.com", PASSWORD, None).await;
        app.add_person("eve@example.com", PASSWORD, None).await;
        let token = invite(app, &owner, &project, "ada@example.com", "member").await;
        let eve = app.sign_in("eve@example.com", PASSWORD).await;
        assert!(location(&join(app, &token, PASSWORD, Some(&eve)).await).ends_with("problem=other"));
        assert_eq!(app.get_as(&eve, &format!("/projects/{}/logs", project.id)).await.status(), 404);
        let first = join(app, &token, "another horse", None).await;
        assert!(location(&first).starts_with("/sign-in?email=ada%40example%2Ecom&next=%2Finvite%3Ftoken"), "an account that there is keeps its password");
        let ada = app.sign_in("ada@example.com", PASSWORD).await;
        let shown = app.get_as(&ada, &format!("/invite?token={token}")).await.text().await.unwrap();
        assert!(shown.contains("Join the project") && !shown.contains("type=\"password\""), "{shown}");
        let joined = join(app, &token, "", Some(&ada)).await;
        assert_eq!(location(&joined), format!("/projects/{}/logs", project.id));
        assert_eq!(app.get_as(&cookie_of(&joined).unwrap(), location(&joined)).await.status(), 200);
    }

    async fn a_link_ends_by_time_by_hand_and_by_the_next_one(app: TestApp) {
        let (project, owner) = app.signed_in(Role::Owner).await;
        let first = invite(app, &owner, &project, "ada@example.com", "member").await;
        let second = invite(app, &owner, &project, "ada@example.com", "auditor").await;
        assert!(location(&join(app, &first, PASSWORD, None).await).ends_with("problem=gone"), "the second took its place");
        let known = invitations::list(app.db(), project.key).await.unwrap();
        assert_eq!(known.len(), 1);
        let revoke = [("project", project.id.as_str()), ("id", known[0].id.as_str())];
        assert!(app.post_form("/api/revoke_invitation", &revoke).header("cookie", &owner).send().await.unwrap().status().is_success());
        assert!(location(&join(app, &second, PASSWORD, None).await).ends_with("problem=gone"), "taken back");
        let third = invite(app, &owner, &project, "ada@example.com", "member").await;
        let end = invitations::list(app.db(), project.key).await.unwrap()[0].expires_at;
        app.pass(end - app.server.clock.now_ms());
        assert!(location(&join(app, &third, PASSWORD, None).await).ends_with("problem=gone"), "its time has passed");
        assert_eq!((end - invitations::list(app.db(), project.key).await.unwrap()[0].created_at) / DAY_MS, 7);
        assert!(location(&join(app, "nonsense", PASSWORD, None).await).ends_with("problem=gone"));
    }

    async fn a_wrong_invitation_is_refused_in_words(app: TestApp) {
        let (project, owner) = app.signed_in(Role::Owner).await;
        for (email, word) in [("", "e-mail"), ("ada", "no e-mail address"), ("owner@example.com", "belongs to this project already")] {
            let answer = call(app, &owner, "/api/invite_member", json!({"project": project.id, "email": email, "role": "member"})).await;
            assert_eq!(answer.status(), 409, "{email}");
            assert!(answer.text().await.unwrap().contains(word), "{email}");
        }
        let answer = call(app, &owner, "/api/invite_member", json!({"project": project.id, "email": "a@b.c", "role": "king"})).await;
        assert!(answer.status().is_client_error() || answer.status().is_server_error());
        assert!(invitations::list(app.db(), project.key).await.unwrap().is_empty());
    }

    async fn only_owners_settle_members_and_a_project_keeps_one(app: TestApp) {
        let (project, owner) = app.signed_in(Role::Owner).await;
        app.add_person("mo@example.com", PASSWORD, Some((&project, Role::Member))).await;
        let member = app.sign_in("mo@example.com", PASSWORD).await;
        let people = members::list(app.db(), project.key, 0).await.unwrap();
        let id = |email: &str| people.iter().find(|known| known.email == email).unwrap().id.clone();
        let (owner_id, member_id) = (id("owner@example.com"), id("mo@example.com"));
        for (path, body) in [
            ("/api/invite_member", json!({"project": project.id, "email": "a@b.c", "role": "owner"})),
            ("/api/change_role", json!({"project": project.id, "user": member_id, "role": "owner"})),
            ("/api/set_role_rights", json!({"project": project.id, "rights": {"role": "auditor", "read_bodies": false, "read_users": true}})),
        ] {
            assert_eq!(call(app, &member, path, body).await.status(), 403, "{path}");
        }
        let demote = json!({"project": project.id, "user": owner_id, "role": "member"});
        let refused = call(app, &owner, "/api/change_role", demote.clone()).await;
        assert_eq!(refused.status(), 409);
        assert!(refused.text().await.unwrap().contains("keeps an owner"));
        assert_eq!(members::remove(app.db(), project.key, &owner_id).await.unwrap(), MemberChange::LastOwner);
        assert_eq!(call(app, &owner, "/api/change_role", json!({"project": project.id, "user": member_id, "role": "owner"})).await.status(), 200);
        assert_eq!(call(app, &owner, "/api/change_role", demote).await.status(), 200);
        assert_eq!(page(app, &owner, &project).await.0, 403, "at once");
        assert_eq!(page(app, &member, &project).await.0, 200, "at once");
        let other = app.add_project("other").await;
        assert_eq!(members::set_role(app.db(), other.key, &owner_id, Role::Owner).await.unwrap(), MemberChange::NoMember, "of another project");
    }

    async fn two_owners_who_remove_each_other_leave_one(app: TestApp) {
        let project = app.add_project("shop").await;
        for n in 0..2 {
            app.add_person(&format!("{n}@example.com"), PASSWORD, Some((&project, Role::Owner))).await;
        }
        let ids: Vec<String> = members::list(app.db(), project.key, 0).await.unwrap().into_iter().map(|member| member.id).collect();
        let (one, other) = tokio::join!(members::remove(app.db(), project.key, &ids[0]), members::remove(app.db(), project.key, &ids[1]));
        let done = [one.unwrap(), other.unwrap()].into_iter().filter(|change| matches!(change, MemberChange::Done(_))).count();
        assert_eq!(done, 1);
        assert_eq!(members::list(app.db(), project.key, 0).await.unwrap().len(), 1);
    }

    async fn whoever_is_taken_out_sees_nothing_from_then_on(app: TestApp) {
        let (project, owner) = app.signed_in(Role::Owner).await;
        app.add_person("mo@example.com", PASSWORD, Some((&project, Role::Member))).await;
        let member = app.sign_in("mo@example.com", PASSWORD).await;
        let logs = format!("/projects/{}/logs", project.id);
        assert_eq!(app.get_as(&member, &logs).await.status(), 200);
        let id = members::list(app.db(), project.key, 0).await.unwrap().into_iter().find(|known| known.email == "mo@example.com").unwrap().id;
        let remove = [("project", project.id.as_str()), ("user", id.as_str())];
        assert_eq!(app.post_form("/api/remove_member", &remove).header("cookie", &member).send().await.unwrap().status(), 403);
        assert!(app.post_form("/api/remove_member", &remove).header("cookie", &owner).send().await.unwrap().status().is_success());
        assert_eq!(app.get_as(&member, &logs).await.status(), 404);
    }

    async fn what_is_taken_from_a_role_is_taken_at_once_and_from_owners_never(app: TestApp) {
        let (project, owner) = app.signed_in(Role::Owner).await;
        app.add_person("olive@example.com", PASSWORD, Some((&project, Role::Auditor))).await;
        let auditor = app.sign_in("olive@example.com", PASSWORD).await;
        let find = format!("/projects/{}/logs?q=secret-word", project.id);
        assert_eq!(app.get_as(&auditor, &find).await.status(), 200);
        let set = |role: &str, read_bodies: bool| json!({"project": project.id, "rights": {"role": role, "read_bodies": read_bodies, "read_users": true}});
        assert_eq!(call(app, &owner, "/api/set_role_rights", set("auditor", false)).await.status(), 200);
        assert_eq!(app.get_as(&auditor, &find).await.status(), 403);
        assert_eq!(call(app, &owner, "/api/set_role_rights", set("owner", false)).await.status(), 409);
        assert_eq!(app.get_as(&owner, &find).await.status(), 200);
    }

    async fn invitations_are_on_the_log_and_their_links_are_not(app: TestApp) {
        let (project, owner) = app.signed_in(Role::Owner).await;
        let token = invite(app, &owner, &project, "ada@example.com", "member").await;
        let joined = join(app, &token, PASSWORD, None).await;
        assert_eq!(joined.status(), 303);
        let logs = format!("/projects/{}/logs?origin=self&from=-1h", project.id);
        let mut text = String::new();
        for _ in 0..200 {
            text = app.get_as(&owner, &logs).await.text().await.unwrap();
            if text.contains("/api/invite_member") && text.contains(">/invite<") {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        assert!(text.contains("/api/invite_member") && text.contains(">/invite<"), "{text}");
        let key = app.add_key(&project, &[Scope::Read, Scope::ReadBodies]).await;
        let all = app.call(Method::GET, "/v1/logs?origin=self&limit=100", &key).send().await.unwrap().text().await.unwrap();
        assert!(all.contains("/invite") && all.contains("ada@example.com") && !all.contains(&token), "what was asked for is there, its link is not: {all}");
        if app.database_url.starts_with("sqlite") {
            for file in ["audit-log.db", "audit-log.db-wal"] {
                let bytes = std::fs::read(app.folder().join(file)).unwrap_or_default();
                assert!(memchr::memmem::find(&bytes, token.as_bytes()).is_none(), "of a link only its hash is kept: {file}");
            }
        }
    }
}
