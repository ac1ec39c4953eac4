//! The chain's signed heads: by API, on the settings page, and as files that the command takes.

use audit_log::model::retention::{Choice, DAY_MS};
use audit_log::model::rights::{Role, Scope};
use audit_log::server::access::issue::IssuedKey;
use audit_log::server::chain::head::SignedHead;
use audit_log::server::chain::signing;
use audit_log::server::clock::Random;
use audit_log::server::jobs::retention::Asker;
use audit_log::server::retention;
use audit_log::server::store::projects::Project;
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::chain::{number, purged, run, sent, sql};
use crate::logs::call;
use crate::plain_scan::Dice;
use crate::support::TestApp;

async fn get(app: &TestApp, key: &IssuedKey, path: &str) -> Response {
    app.call(Method::GET, path, key).send().await.unwrap()
}

async fn json_of(answer: Response, code: u16) -> Value {
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert_eq!(status, code, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// One more log, of its own seed: of the same one it would be the same log.
async fn write_one(app: &TestApp, project: &Project, seed: u64) {
    let log = Dice(Random::seeded(seed)).log(app.server.clock.now_ms());
    app.server.writer.write(call(project.key, vec![log])).await.unwrap();
}

/// Waits until what was asked so far is in this service's own log, and so on the chain.
async fn recorded(app: &TestApp) {
    app.server.recordings.close();
    app.server.recordings.wait().await;
    app.server.recordings.reopen();
}

/// A page's text, without what Leptos puts between its parts.
async fn shown(app: &TestApp, cookie: &str, path: &str) -> String {
    let answer = app.get_as(cookie, path).await;
    assert_eq!(answer.status(), 200, "{path}");
    answer.text().await.unwrap().replace("<!>", "")
}

/// The name and the contents of a file.
async fn file(app: &TestApp, cookie: &str, path: &str) -> (String, String) {
    let answer = app.get_as(cookie, path).await;
    assert_eq!(answer.status(), 200, "{path}");
    let name = answer.headers()["content-disposition"].to_str().unwrap();
    assert!(name.starts_with("attachment; filename=\""), "{name}");
    let name = name.split('"').nth(1).unwrap().to_owned();
    (name, answer.text().await.unwrap())
}

fn page_of(project: &Project) -> String {
    format!("/projects/{}/settings/chain", project.id)
}

/// As a database is that no server has been started on since there are chains.
async fn unbegin(app: &TestApp) {
    for table in ["chain_entries", "chain_leaves", "chain_heads"] {
        sql(app, &format!("DELETE FROM {table}")).await;
    }
}

for_each_db! {
    async fn the_head_of_now_is_signed_for_keys_that_read(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &[Scope::Read]).await;
        unbegin(app).await;
        // Asking is recorded: before that there is nothing.
        let refused = json_of(get(app, &key, "/v1/chain/head").await, 404).await;
        assert_eq!(refused["key"], "chain_not_begun");
        assert!(refused["details"].as_str().unwrap().contains("Nothing is on this project's chain yet"), "{refused}");
        recorded(app).await;

        write_one(app, &project, 1).await;
        let head = json_of(get(app, &key, "/v1/chain/head").await, 200).await;
        assert_eq!((&head["object"], &head["project_id"]), (&json!("chain_head"), &json!(project.id)));
        let signed: SignedHead = serde_json::from_value(head.clone()).unwrap();
        assert!(audit_log::server::chain::head::is_good(&app.server.chain_key, &project.id, &signed.row().unwrap()));
        write_one(app, &project, 2).await;
        assert_eq!(json_of(get(app, &key, "/v1/chain/head").await, 200).await, head, "no older than a minute");
        app.pass(60_000);
        let later = json_of(get(app, &key, "/v1/chain/head").await, 200).await;
        assert!(later["number"].as_i64() > head["number"].as_i64(), "{later}");

        let writer = app.add_key(&project, &[Scope::LogsWrite]).await;
        let other = app.add_project("other").await;
        let stranger = app.add_key(&other, &Scope::ALL).await;
        for path in ["/v1/chain/head", "/v1/chain/heads"] {
            let lacks = json_of(get(app, &writer, path).await, 403).await;
            assert!(lacks["details"].as_str().unwrap().contains("lacks the scope read"), "{lacks}");
            assert_eq!(app.get(path).await.status(), 401, "{path}");
        }
        let theirs = json_of(get(app, &stranger, "/v1/chain/heads").await, 200).await;
        assert_eq!(theirs["data"], json!([]), "another project's key sees its own chain alone");
    }

    async fn heads_are_listed_newest_first_a_page_at_a_time(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &[Scope::Read]).await;
        for seed in 0..23 {
            write_one(app, &project, seed).await;
            app.pass(60_000);
            signing::fresh(&app.server, &project).await.unwrap().unwrap();
        }
        let first = json_of(get(app, &key, "/v1/chain/heads").await, 200).await;
        let numbers = |page: &Value| -> Vec<i64> { page["data"].as_array().unwrap().iter().map(|head| head["number"].as_i64().unwrap()).collect() };
        let mut all = numbers(&first);
        assert_eq!((all.len(), &first["has_more"]), (20, &json!(true)));
        let next = first["more_starting_after"].as_str().unwrap();
        let second = json_of(get(app, &key, &format!("/v1/chain/heads?after={next}")).await, 200).await;
        assert_eq!((&second["has_more"], &second["more_starting_after"]), (&json!(false), &Value::Null));
        all.extend(numbers(&second));
        assert_eq!(all.len(), 23);
        assert!(all.is_sorted_by(|a, b| a > b), "{all:?}");
        assert_eq!(numbers(&json_of(get(app, &key, "/v1/chain/heads?limit=2").await, 200).await), all[..2]);
        for wrong in ["limit=0", "limit=101", "limit=x", "after=x"] {
            let refused = json_of(get(app, &key, &format!("/v1/chain/heads?{wrong}")).await, 400).await;
            assert_eq!(refused["key"], "invalid_query_params", "{wrong}");
        }
    }

    async fn everybody_in_the_project_sees_the_page_and_others_do_not(app: TestApp) {
        let (project, auditor) = app.signed_in(Role::Auditor).await;
        recorded(app).await;
        unbegin(app).await;
        let page = page_of(&project);
        let empty = shown(app, &auditor, &page).await;
        assert!(empty.contains("Nothing is on the chain yet") && !empty.contains("Download signed head"), "{empty}");
        let latest = format!("/projects/{}/chain/heads/latest", project.id);
        assert_eq!(app.get_as(&auditor, &latest).await.status(), 404);

        recorded(app).await;
        write_one(app, &project, 3).await;
        let unsigned = shown(app, &auditor, &page).await;
        assert!(unsigned.contains("No head was signed yet") && unsigned.contains("Download signed head"), "{unsigned}");
        let head = signing::fresh(&app.server, &project).await.unwrap().unwrap();
        for role in [Role::Member, Role::Owner] {
            let email = format!("{}-2@example.com", role.as_str());
            app.add_person(&email, "correct horse", Some((&project, role))).await;
            let cookie = app.sign_in(&email, "correct horse").await;
            let shown = shown(app, &cookie, &page).await;
            for words in [head.digest.as_str(), head.key.as_str(), "chain.head", &format!("/projects/{}/settings/webhooks", project.id),
                &format!("audit-log verify --project {} --anchor FILE", project.id), &format!("/chain/heads/{}\"", head.number)] {
                assert!(shown.contains(words), "{words}: {shown}");
            }
            assert!(!shown.contains("checkpoint"), "nothing was taken: {shown}");
        }
        let other = app.add_project("other").await;
        app.add_person("stranger@example.com", "correct horse", Some((&other, Role::Owner))).await;
        let stranger = app.sign_in("stranger@example.com", "correct horse").await;
        for path in [page.as_str(), &latest, &format!("/projects/{}/chain/heads/{}", project.id, head.number)] {
            assert_eq!(app.get_as(&stranger, path).await.status(), 404, "{path}");
            assert!(matches!(app.get(path).await.status().as_u16(), 303 | 401), "{path}");
        }
        let own = format!("/projects/{}/chain/heads/{}", other.id, head.number);
        assert_eq!(app.get_as(&stranger, &own).await.status(), 404, "a number is of one project's chain");
    }

    async fn the_file_of_a_head_is_taken_by_the_command(app: TestApp) {
        let (project, cookie) = app.signed_in(Role::Auditor).await;
        write_one(app, &project, 4).await;
        let heads = format!("/projects/{}/chain/heads", project.id);
        let (name, text) = file(app, &cookie, &format!("{heads}/latest")).await;
        let head: SignedHead = serde_json::from_str(&text).unwrap();
        assert_eq!(name, format!("audit-log-head-{}-{}.json", project.id, head.number));
        assert_eq!(file(app, &cookie, &format!("{heads}/{}", head.number)).await, (name.clone(), text.clone()), "by its number, too");
        for none in ["0", "-1", "999999", "none", "9223372036854775807", "99999999999999999999"] {
            assert_eq!(app.get_as(&cookie, &format!("{heads}/{none}")).await.status(), 404, "{none}");
        }
        app.pass(60_000);
        recorded(app).await;
        write_one(app, &project, 5).await;
        let (_, later) = file(app, &cookie, &format!("{heads}/latest")).await;
        assert_ne!(later, text);

        let place = app.folder().join(&name);
        let anchored = ["verify", "--project", &project.id, "--anchor", place.to_str().unwrap()];
        std::fs::write(&place, &text).unwrap();
        let (code, told) = run(app, &anchored);
        assert_eq!(code, Some(0), "{told}");
        let both = text.clone() + &later;
        std::fs::write(&place, both).unwrap();
        assert_eq!(run(app, &anchored).0, Some(0), "several files put together");
        let wrong = text.replace(&format!("\"digest\":\"{}", &head.digest[..4]), "\"digest\":\"0000");
        assert_ne!(wrong, text);
        std::fs::write(&place, wrong).unwrap();
        let (code, told) = run(app, &anchored);
        assert!(code == Some(1) && told.contains("does not bear this instance"), "{told}");
    }

    async fn what_retention_took_is_summed_up(app: TestApp) {
        // Its own log begins after what goes: nothing goes as long as something older is left.
        let project = app.add_project("shop").await;
        let dice = Dice(Random::seeded(8));
        let now = app.server.clock.now_ms();
        for days in [250, 240, 1] {
            let logs = (0..20).map(|place| sent(dice.log(now - days * DAY_MS + place))).collect();
            app.server.writer.write(call(project.key, logs)).await.unwrap();
        }
        let choice = Choice { logs_days: Some(200), bodies_days: None };
        retention::set(&app.server, project.key, choice, Asker::default()).await.unwrap();
        let workers = app.work();
        purged(app, &project).await;
        workers.stop().await;
        app.add_person("auditor@example.com", "correct horse", Some((&project, Role::Auditor))).await;
        let cookie = app.sign_in("auditor@example.com", "correct horse").await;
        let checkpoints = number(app, "SELECT COUNT(*) FROM chain_checkpoints").await;
        let entries = number(app, "SELECT CAST(SUM(entries) AS BIGINT) FROM chain_checkpoints").await;
        let one = |number: i64, one: &str, many: &str| format!("{number} {}", if number == 1 { one } else { many });
        let told = format!(
            "{} with 40 logs went behind {}, the last one on",
            one(entries, "entry", "entries"),
            one(checkpoints, "signed checkpoint", "signed checkpoints")
        );
        let shown = shown(app, &cookie, &page_of(&project)).await;
        assert!(shown.contains(&told), "{told}: {shown}");
    }
}
