//! Who makes links and sees them, and what becomes of a view that a link shows.

use audit_log::server::access::REMEMBERED_MS;
use audit_log::server::store::{accounts, members};

use super::*;
use crate::support::tables;

for_each_db! {
    async fn whoever_sees_less_neither_makes_nor_reads_a_link_that_shows_more(app: TestApp) {
        let (project, cookie, _) = owner(app).await;
        let ada = By { app, project: &project, cookie };
        let grace = By::new(app, &project, "grace", Role::Member).await;
        let olive = By::new(app, &project, "olive", Role::Auditor).await;
        let view = ada.view("All", "").await;
        let plain = ada.embed(&view, json!({"name": "Plain"})).await;
        let bodies = ada.embed(&view, json!({"name": "Bodies", "bodies": true})).await;
        let users = ada.embed(&view, json!({"name": "Users", "users": true})).await;
        let graces = grace.embed(&view, json!({"name": "Of Grace", "bodies": true, "users": true})).await;

        let links = async |by: &By<'_>| {
            let mut has = Vec::new();
            for id in [&plain, &bodies, &users, &graces] {
                has.push(!by.facts(id).await["link"].is_null());
            }
            has
        };
        assert_eq!((links(&ada).await, links(&grace).await), (vec![true; 4], vec![true; 4]));
        assert_eq!(links(&olive).await, [false; 4], "who may not work reads the list without links");
        let seen = olive.embeds().await;
        assert_eq!((&seen["may_make"], seen["embeds"].as_array().unwrap().len()), (&json!(false), 4));
        let (status, page) = olive.get(&format!("/projects/{}/settings/embedding", project.id)).await;
        assert!(status == 200 && page.contains("Of Grace") && !page.contains("/embed/emb_"), "{page}");

        // An auditor changes nothing; of others' only an owner ends them.
        assert_eq!(olive.wish(&view, json!({})).await.0, 403);
        for path in ["/api/revoke_embed", "/api/delete_embed"] {
            assert_eq!(olive.form(path, &plain).await.0, 403);
            let (status, why) = grace.form(path, &plain).await;
            assert!(status == 403 && why.contains("Only who made"), "{status}: {why}");
            assert_eq!(ada.form(path, "emb_none").await.0, 404);
        }
        assert_eq!((&grace.facts(&plain).await["can_end"], &grace.facts(&graces).await["can_end"]), (&json!(false), &json!(true)));
        let (status, why) = grace.form("/api/delete_embed", &graces).await;
        assert!(status == 409 && why.contains("revoke it first"), "{status}: {why}");
        assert_eq!(ada.form("/api/revoke_embed", &graces).await.0, 200);
        assert_eq!(ada.form("/api/revoke_embed", &graces).await.0, 409, "it has ended already");
        assert_eq!(grace.form("/api/delete_embed", &graces).await.0, 200);

        // Members lose sight of bodies: they make and read no link that shows them. What was made goes on, and says so.
        let more = grace.embed(&view, json!({"bodies": true})).await;
        let path = grace.path(&more).await;
        accounts::set_rights(app.db(), project.key, Role::Member, false, true).await.unwrap();
        app.pass(REMEMBERED_MS);
        let (status, why) = grace.wish(&view, json!({"bodies": true})).await;
        assert!(status == 403 && why.contains("no more than whoever makes it sees"), "{status}: {why}");
        assert_eq!(grace.wish(&view, json!({"users": true})).await.0, 200);
        assert!(grace.facts(&more).await["link"].is_null() && grace.facts(&bodies).await["link"].is_null());
        assert!(!grace.facts(&plain).await["link"].is_null());
        assert_eq!(opened(app, &format!("{path}?log=broken")).await.0, 200);
        assert_eq!(ada.facts(&more).await["maker"], "MayLess");
        // Whoever made it leaves.
        let people = members::list(app.db(), project.key, 0).await.unwrap();
        let id = &people.iter().find(|member| member.email == "grace@example.com").unwrap().id;
        members::remove(app.db(), project.key, id).await.unwrap();
        app.server.door.forget();
        assert_eq!((&ada.facts(&more).await["maker"], opened(app, &path).await.0), (&json!("Left"), 200));
        assert_eq!(ada.form("/api/revoke_embed", &more).await.0, 200);
        assert_eq!(opened(app, &path).await.0, 404);
        // Who made them is told to those who may see that.
        accounts::set_rights(app.db(), project.key, Role::Auditor, false, false).await.unwrap();
        app.pass(REMEMBERED_MS);
        assert_eq!((&olive.facts(&plain).await["by"], &ada.facts(&plain).await["by"]), (&Value::Null, &json!("owner@example.com")));

        let elsewhere = app.add_project("elsewhere").await;
        let stranger = By::new(app, &elsewhere, "stranger", Role::Owner).await;
        assert_eq!(stranger.form("/api/revoke_embed", &plain).await.0, 404);
        assert_eq!(stranger.get(&format!("/api/embeds?project={}&query=", project.id)).await.0, 404);
        assert_eq!(stranger.wish(&view, json!({})).await.0, 422, "another project's view");
    }

    async fn a_view_that_asks_for_more_than_a_link_shows_is_not_shown(app: TestApp) {
        let (project, cookie, _) = owner(app).await;
        let ada = By { app, project: &project, cookie };
        for (query, argument, wish) in [
            ("q=Nadel", "q", json!({"users": true})),
            ("request_body=told", "request_body", json!({})),
            ("response_body=answer", "response_body", json!({"users": true})),
            ("user=grace@example.com", "user", json!({"bodies": true})),
            ("app_id=!Checkout service", "app_id", json!({})),
        ] {
            let view = ada.view(&format!("By {argument}"), query).await;
            let (status, why) = ada.wish(&view, wish).await;
            assert!(status == 422 && why.contains("\"view\"") && why.contains(&format!("filters by {argument}")), "{query}: {status} {why}");
            let link = ada.link(&view, json!({"bodies": true, "users": true})).await;
            let (_, page) = opened(app, &link).await;
            assert_eq!(page.contains("title=\"broken\""), argument != "app_id", "{query}: {page}");
        }

        // The same, where the view comes to ask for it later.
        let view = ada.view("Failed", "status=FAILURE").await;
        let id = ada.embed(&view, json!({"name": "Board"})).await;
        let link = ada.path(&id).await;
        assert_eq!(opened(app, &link).await.0, 200);
        assert_eq!(ada.change_view(&view, json!({"query": "request_body=told"})).await.0, 200);
        for page in ["", "?log=broken", "?log=fine"] {
            let (status, text) = opened(app, &format!("{link}{page}")).await;
            assert!(status == 404 && text.contains("This link is not valid or has ended"), "{page}: {status}");
        }
        let closed = ada.facts(&id).await["closed"].clone();
        assert!(closed.as_str().is_some_and(|why| why.contains("filters by request_body")), "{closed}");
        let (_, page) = ada.get(&format!("/projects/{}/settings/embedding", project.id)).await;
        assert!(page.contains("Shows nothing: Its view filters by request_body"), "{page}");
        assert_eq!(ada.change_view(&view, json!({"query": "status=SUCCESS"})).await.0, 200);
        let (status, page) = opened(app, &link).await;
        assert!(status == 200 && page.contains("title=\"fine\"") && !page.contains("broken"), "what the view says now: {page}");

        // A filter that this version does not know is not left out: that would show more.
        tables::execute(app.db(), format!("UPDATE views SET query = 'tenant=acme&status=FAILURE' WHERE id = '{view}'")).await;
        assert_eq!(opened(app, &link).await.0, 404);
        assert!(ada.facts(&id).await["closed"].as_str().unwrap().contains("tenant"));
        assert_eq!(ada.wish(&view, json!({})).await.0, 422);
        // And a view that is gone by whatever way is shown by nothing.
        tables::execute(app.db(), format!("DELETE FROM views WHERE id = '{view}'")).await;
        assert_eq!(opened(app, &link).await.0, 404);
        assert_eq!((&ada.facts(&id).await["view_name"], ada.facts(&id).await["closed"].is_null()), (&Value::Null, false));
    }

    async fn a_view_that_is_shown_outside_stays_and_says_so(app: TestApp) {
        let (project, cookie, _) = owner(app).await;
        let ada = By { app, project: &project, cookie };
        let view = ada.view("Failed", "status=FAILURE").await;
        let id = ada.embed(&view, json!({"name": "Board for Acme"})).await;
        let of_views = async || -> Value {
            let (_, text) = ada.get(&format!("/api/views?project={}&tab=logs", project.id)).await;
            serde_json::from_str::<Value>(&text).unwrap()["views"][0].clone()
        };
        assert_eq!(of_views().await["embedded"], json!(["Board for Acme"]));
        let delete = async || {
            let known = of_views().await["changed_at"].to_string();
            let fields = [("project", project.id.as_str()), ("id", view.as_str()), ("known", known.as_str())];
            words(app.post_form("/api/delete_view", &fields).header("cookie", &ada.cookie).send().await.unwrap()).await
        };
        let (status, why) = delete().await;
        assert!(status == 409 && why.contains("Board for Acme") && why.contains("revoke it first"), "{status}: {why}");
        let (status, why) = ada.change_view(&view, json!({"shared": false})).await;
        assert!(status == 409 && why.contains("Board for Acme"), "{status}: {why}");
        assert_eq!(ada.change_view(&view, json!({"name": "Failures"})).await.0, 200, "it may be called otherwise");
        ada.embed(&view, json!({"name": "Another"})).await;
        assert!(delete().await.1.contains("and another one"), "each is counted");
        for embed in ada.embeds().await["embeds"].as_array().unwrap() {
            assert_eq!(ada.form("/api/revoke_embed", embed["id"].as_str().unwrap()).await.0, 200);
        }
        assert_eq!(of_views().await["embedded"], json!([]));
        assert_eq!(delete().await.0, 200);
        let facts = ada.facts(&id).await;
        assert_eq!((&facts["view_name"], &facts["closed"]), (&Value::Null, &Value::Null), "what has ended stays in the list");
    }
}
