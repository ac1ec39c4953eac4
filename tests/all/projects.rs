//! Projects: made, changed, deleted, and gone.

use std::time::Duration;

use audit_log::model::retention::{DAY_MS, HALF_YEAR};
use audit_log::model::rights::{Role, Scope};
use audit_log::server::access::REMEMBERED_MS;
use audit_log::server::config::Config;
use audit_log::server::store::{Db, accounts, projects, purge};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use sqlx::Row;

use crate::support::TestApp;

const PASSWORD: &str = "correct horse";

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

fn wish(name: &str, zone: &str, templates: &[&str]) -> Value {
    json!({"name": name, "time_zone": zone, "templates": templates})
}

/// Every table that has a project's number, with how many rows of this project it holds.
async fn rows_of(db: &Db, project: i64) -> Vec<(String, i64)> {
    let (find, mut found) = match db {
        Db::Sqlite { read, .. } => {
            let sql = "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND c.name = 'project_id' ORDER BY m.name";
            (
                sqlx::query_scalar::<_, String>(sql).fetch_all(read).await.unwrap(),
                Vec::new(),
            )
        }
        Db::Postgres(pool) => {
            let sql = "SELECT table_name::text FROM information_schema.columns WHERE column_name = 'project_id' AND table_schema = current_schema() ORDER BY 1";
            (
                sqlx::query_scalar::<_, String>(sql).fetch_all(pool).await.unwrap(),
                Vec::new(),
            )
        }
    };
    for table in find {
        let sql = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) AS n FROM {table} WHERE project_id = $1"));
        let count: i64 = match db {
            Db::Sqlite { read, .. } => sqlx::query(sql).bind(project).fetch_one(read).await.unwrap().get("n"),
            Db::Postgres(pool) => sqlx::query(sql).bind(project).fetch_one(pool).await.unwrap().get("n"),
        };
        found.push((table, count));
    }
    found
}

for_each_db! {
    with |config: &mut Config| config.retention_days = HALF_YEAR;
    async fn whoever_runs_the_server_makes_projects_and_nobody_else(app: TestApp) {
        app.add_person("root@example.com", PASSWORD, None).await;
        app.add_person("ada@example.com", PASSWORD, None).await;
        let make = async |cookie: &str, name: &str, zone: &str| {
            app.post_form("/account/projects", &[("name", name), ("time_zone", zone)]).header("cookie", cookie).send().await.unwrap()
        };
        let (root, ada) = (app.sign_in("root@example.com", PASSWORD).await, app.sign_in("ada@example.com", PASSWORD).await);
        assert_eq!(location(&make(&ada, "hers", "UTC").await), "/account?problem=operator");
        assert_eq!(location(&make(&root, " ", "UTC").await), "/account?problem=name");
        assert_eq!(location(&make(&root, "shop", "Mars/Olympus").await), "/account?problem=zone");
        assert!(projects::all(app.db()).await.unwrap().is_empty());
        let made = make(&root, "shop", "europe/berlin").await;
        assert!(location(&made).starts_with("/projects/prj_"), "{made:?}");
        assert_eq!(app.get_as(&root, location(&made)).await.status(), 200);
        let all = projects::all(app.db()).await.unwrap();
        assert_eq!((all[0].name.as_str(), all[0].time_zone.as_str()), ("shop", "Europe/Berlin"));
        assert_eq!(app.get_as(&ada, location(&made)).await.status(), 404);
    }

    async fn a_project_is_changed_by_its_owners(app: TestApp) {
        let (project, owner) = app.signed_in(Role::Owner).await;
        app.add_person("mo@example.com", PASSWORD, Some((&project, Role::Member))).await;
        let member = app.sign_in("mo@example.com", PASSWORD).await;
        let key = app.add_key(&project, &Scope::ALL).await;
        let send = async || {
            let log = json!({"method": "GET", "url": "https://api.example.com/v1/vouchers/SUMMER/redemption", "status_code": 200});
            let sent: Value = app.call(Method::POST, "/v1/logs", &key).json(&log).send().await.unwrap().json().await.unwrap();
            let one = app.call(Method::GET, &format!("/v1/logs/{}", sent["ids"][0].as_str().unwrap()), &key).send().await.unwrap();
            one.json::<Value>().await.unwrap()["endpoint"].as_str().unwrap().to_owned()
        };
        assert_eq!(send().await, "GET_v1_vouchers_{id}_redemption");
        let change = |wish: Value| json!({"project": project.id, "wish": wish});
        assert_eq!(call(app, &member, "/api/change_project", change(wish("x", "UTC", &[]))).await.status(), 403);
        for (bad, word) in [
            (wish(" ", "UTC", &[]), "needs a name"),
            (wish("x", "Nowhere", &[]), "no time zone"),
            (wish("x", "UTC", &["v1/vouchers"]), "no route template"),
        ] {
            let answer = call(app, &owner, "/api/change_project", change(bad)).await;
            assert_eq!(answer.status(), 409);
            assert!(answer.text().await.unwrap().contains(word), "{word}");
        }
        assert_eq!(projects::find(app.db(), &project.id).await.unwrap().unwrap(), project, "nothing was changed");
        let good = wish("New name", "Asia/Tokyo", &["/v1/vouchers/{code}/redemption"]);
        assert_eq!(call(app, &owner, "/api/change_project", change(good)).await.status(), 200);
        let now = projects::find(app.db(), &project.id).await.unwrap().unwrap();
        assert_eq!((now.name.as_str(), now.time_zone.as_str()), ("New name", "Asia/Tokyo"));
        assert_eq!(send().await, "GET_v1_vouchers_{code}_redemption", "at once");
        let page = app.get_as(&owner, &format!("/projects/{}/settings/project", project.id)).await.text().await.unwrap();
        assert!(page.contains("New name") && page.contains("1 API key, 2 members"), "{page}");
    }

    async fn the_menu_of_a_page_knows_what_was_made_here_at_once_and_elsewhere_within_seconds(app: TestApp) {
        let (project, owner) = app.signed_in(Role::Owner).await;
        let user = accounts::find_by_email(app.db(), "owner@example.com").await.unwrap().unwrap().key;
        let menu = async |of: &str| {
            let page = app.get_as(&owner, &format!("/projects/{of}/logs")).await.text().await.unwrap();
            let menu = page.split_once("id=\"projects\"").unwrap().1.split_once("Settings of this project").unwrap().0.to_owned();
            ["shop", "renamed", "elsewhere", "third"].map(|name| menu.contains(&format!(">{name}<")))
        };
        assert_eq!(menu(&project.id).await, [true, false, false, false]);
        let renamed = json!({"project": project.id, "wish": wish("renamed", "UTC", &[])});
        assert_eq!(call(app, &owner, "/api/change_project", renamed).await.status(), 200);
        assert_eq!(menu(&project.id).await, [false, true, false, false], "at once");

        // As another server on the same database would: on its own page at once, on others within seconds.
        let elsewhere = app.add_project("elsewhere").await;
        accounts::set_member(app.db(), elsewhere.key, user, Role::Member, 1).await.unwrap();
        assert_eq!(menu(&elsewhere.id).await, [false, true, true, false]);
        let third = app.add_project("third").await;
        accounts::set_member(app.db(), third.key, user, Role::Member, 2).await.unwrap();
        app.pass(REMEMBERED_MS);
        assert_eq!(menu(&project.id).await, [false, true, true, true]);
    }

    async fn a_deleted_project_is_gone_at_once_and_leaves_nothing(app: TestApp) {
        let (project, owner) = app.signed_in(Role::Owner).await;
        let other = app.add_project("other").await;
        let (key, of_other) = (app.add_key(&project, &Scope::ALL).await, app.add_key(&other, &Scope::ALL).await);
        for key in [&key, &of_other] {
            fill(app, key).await;
        }
        let workers = app.work();
        finished(app, &key).await;
        let before: i64 = rows_of(app.db(), project.key).await.iter().map(|(_, count)| count).sum();
        assert!(before > 10, "{before}");
        let of_others = rows_of(app.db(), other.key).await;

        let delete = |name: &str| json!({"project": project.id, "name": name});
        let refused = call(app, &owner, "/api/delete_project", delete("shops")).await;
        assert_eq!(refused.status(), 409);
        assert!(refused.text().await.unwrap().contains("Type the project's name"));
        assert_eq!(call(app, &owner, "/api/delete_project", delete("shop")).await.status(), 200);
        assert_eq!(app.call(Method::GET, "/v1/logs", &key).send().await.unwrap().status(), 401);
        assert_eq!(app.get_as(&owner, &format!("/projects/{}/logs", project.id)).await.status(), 404);
        assert_eq!(location(&app.get_as(&owner, "/").await), "/account");
        assert_eq!(call(app, &owner, "/api/delete_project", delete("shop")).await.status(), 404);

        assert_eq!(purge::next(app.db(), app.server.clock.now_ms()).await.unwrap(), None, "what had begun before is let end");
        app.pass(61_000);
        gone(app).await;
        let left = async || {
            let rows = rows_of(app.db(), project.key).await.into_iter();
            rows.filter(|(table, count)| *count > 0 && table != "doomed_files").map(|(table, _)| table).collect::<Vec<_>>()
        };
        let of_own = |table: &String| OF_OWN.iter().any(|of| table == of || table.starts_with(&format!("{of}_20")));
        let strange: Vec<_> = left().await.into_iter().filter(|table| !of_own(table)).collect();
        assert!(strange.is_empty(), "a table that is not in store/purge.rs: {strange:?}");
        // What the other project holds may grow meanwhile, by its own logs; it does not shrink.
        for ((table, before), (_, now)) in of_others.iter().zip(rows_of(app.db(), other.key).await) {
            assert!(now >= *before || matches!(table.as_str(), "jobs" | "lanes" | "doomed_files"), "{table}: {before} to {now}");
        }

        let paths = trail(app, &project.id).await;
        assert!(paths.iter().any(|path| path == "/api/delete_project"), "what was done in it stays: {paths:?}");
        assert!(paths.iter().all(|path| path != "/v1/a"), "what applications sent does not: {paths:?}");
        assert_eq!(app.get_as(&owner, &format!("/projects/{}/logs", project.id)).await.status(), 404);
        let listed = printed(app, &["trail"]);
        let listed: Vec<Value> = listed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let of = listed.iter().find(|line| line["id"] == project.id.as_str()).unwrap();
        assert!(of["deleted_at"].is_string() && of["logs"].as_u64() == Some(paths.len() as u64), "{of}");
        assert!(listed.iter().any(|line| line["id"] == other.id.as_str() && line["deleted_at"].is_null()));

        app.pass(365 * DAY_MS);
        gone(app).await;
        assert!(!trail(app, &project.id).await.is_empty(), "it is looked at, and stays until its time is over");
        app.pass(DAY_MS);
        gone(app).await;
        assert!(left().await.is_empty(), "nothing is left of it");
        let again = app.command(&["trail", "--project", &project.id], "");
        assert!(String::from_utf8_lossy(&again.stderr).contains("there is no project"), "{again:?}");
        workers.stop().await;
    }
}

/// What the log of the log lies in, which outlives its project.
const OF_OWN: [&str; 15] = [
    "chain_heads",
    "chain_entries",
    "chain_leaves",
    "chain_signed",
    "chain_checkpoints",
    "logs",
    "log_blocks",
    "log_signatures",
    "log_moves",
    "log_minutes",
    "log_quarters",
    "log_value_hours",
    "log_value_days",
    "log_value_weeks",
    "retention",
];

/// Waits until nothing is to be removed of deleted projects for now.
async fn gone(app: &TestApp) {
    for _ in 0..600 {
        if purge::next(app.db(), app.server.clock.now_ms()).await.unwrap().is_none() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it is never done");
}

fn printed(app: &TestApp, arguments: &[&str]) -> String {
    let output = app.command(arguments, "");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The paths of a project's log of the log, as the operator's command prints it.
async fn trail(app: &TestApp, project: &str) -> Vec<String> {
    let printed = printed(app, &["trail", "--project", project]);
    let logs: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(
        logs.is_sorted_by_key(|log| log["created_at"].as_str().unwrap().to_owned()),
        "oldest first"
    );
    assert!(logs.iter().all(|log| log["origin"] == "self" && log["object"] == "api_log"));
    logs.iter()
        .map(|log| log["url"].as_str().unwrap().split('?').next().unwrap().to_owned())
        .collect()
}

/// Something in as many tables as can be.
async fn fill(app: &TestApp, key: &audit_log::server::access::issue::IssuedKey) {
    let post = async |path: &str, body: Value| {
        let answer = app
            .call(Method::POST, path, key)
            .header("idempotency-key", path)
            .json(&body)
            .send()
            .await
            .unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str::<Value>(&text).unwrap()
    };
    let log = |id: &str| json!({"id": id, "method": "GET", "url": "https://api.example.com/v1/a", "status_code": 500, "request": {"body": {"a": 1}}});
    post("/v1/logs", json!([log("one"), log("two")])).await;
    post(
        "/v1/webhooks",
        json!({"target_url": "https://hooks.example.com/in", "events": ["*"]}),
    )
    .await;
    post("/v1/events", json!({"type": "voucher.created", "data": {"a": 1}})).await;
    post("/v1/async-actions", json!({"type": "IMPORT"})).await;
    post("/v1/exports", json!({"exported_object": "api_log", "parameters": {}})).await;
    let file = app
        .call(Method::PUT, "/v1/logs/one/import-file", key)
        .header("content-disposition", "attachment; filename=\"a.csv\"")
        .body("a,b");
    assert!(file.send().await.unwrap().status().is_success());
}

/// Waits until the export that was asked for is made.
async fn finished(app: &TestApp, key: &audit_log::server::access::issue::IssuedKey) {
    for _ in 0..400 {
        let list: Value = app
            .call(Method::GET, "/v1/exports", key)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        if list["exports"][0]["status"] == "DONE" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the export was not made");
}
