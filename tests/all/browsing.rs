//! What cannot be browsed says why, on the export's page and where it would be opened; and its file is not given out either.

use audit_log::model::export::Exported;
use audit_log::model::rights::Role;
use audit_log::server::access::REMEMBERED_MS;
use audit_log::server::access::issue::IssuedKey;
use audit_log::server::store::exports::Made;
use audit_log::server::store::projects::Project;
use audit_log::server::store::{accounts, exports, jobs};
use audit_log::server::webhooks::own;
use reqwest::Method;
use serde_json::{Value, json};

use crate::exports_api::{ALL, over};
use crate::support::TestApp;

const DAY_MS: i64 = 86_400_000;

async fn begin(app: &TestApp, key: &IssuedKey, fields: &[&str]) -> String {
    let body = json!({"exported_object": Exported::ApiLog, "parameters": {"fields": fields}});
    let begun = app.call(Method::POST, "/v1/exports", key).json(&body).send().await.unwrap();
    begun.json::<Value>().await.unwrap()["id"].as_str().unwrap().to_owned()
}

async fn page(app: &TestApp, cookie: &str, project: &Project, rest: &str) -> String {
    let answer = app.get_as(cookie, &format!("/projects/{}/exports/{rest}", project.id)).await;
    assert_eq!(answer.status(), 200, "{rest}");
    answer.text().await.unwrap()
}

/// Both places refuse, with this reason.
async fn is_refused(app: &TestApp, cookie: &str, project: &Project, id: &str, why: &str) {
    let export = page(app, cookie, project, id).await;
    assert!(export.contains(why), "the export's page does not say: {why}");
    assert!(!export.contains(&format!("/exports/{id}/browse\"")), "no link leads there");
    let browse = page(app, cookie, project, &format!("{id}/browse")).await;
    assert!(
        browse.contains("This file cannot be browsed") && browse.contains(why),
        "nor where it would be opened: {why}"
    );
}

for_each_db! {
    async fn a_file_is_browsed_for_ninety_days(app: TestApp) {
        let (project, cookie) = app.signed_in(Role::Member).await;
        let key = app.add_key(&project, &ALL).await;
        let id = begin(app, &key, &["id"]).await;
        is_refused(app, &cookie, &project, &id, "The file is not ready yet.").await;
        let workers = app.work();
        over(app, &key, &id).await;
        workers.stop().await;
        assert!(page(app, &cookie, &project, &id).await.contains(&format!("/exports/{id}/browse\"")));
        // A minute before, and after; sessions do not hold that long.
        app.pass(90 * DAY_MS - 60_000);
        let cookie = app.sign_in("member@example.com", "correct horse").await;
        assert!(page(app, &cookie, &project, &id).await.contains(&format!("/exports/{id}/browse\"")));
        app.pass(120_000);
        is_refused(app, &cookie, &project, &id, "The file is older than 90 days.").await;
    }

    async fn what_can_be_done_with_a_file_are_buttons_that_need_no_script(app: TestApp) {
        let (project, cookie) = app.signed_in(Role::Member).await;
        let key = app.add_key(&project, &ALL).await;
        let id = begin(app, &key, &["id"]).await;
        let list = format!("/projects/{}/exports", project.id);
        let running = app.get_as(&cookie, &list).await.text().await.unwrap();
        assert!(running.contains(&id) && !running.contains(">Download</button>"), "there is no file yet");
        let workers = app.work();
        over(app, &key, &id).await;
        workers.stop().await;
        let form = |page: &str, end: &str, words: &str| {
            let action = format!("action=\"{list}/{id}/{end}\"");
            let (_, rest) = page.split_once(&action).unwrap_or_else(|| panic!("{words}: no form leads there"));
            let form = rest.split_once("</form>").unwrap().0.replace("<!>", "");
            assert!(form.contains("type=\"submit\"") && form.contains(&format!(">{words}</button>")), "{form}");
        };
        let rows = app.get_as(&cookie, &list).await.text().await.unwrap();
        form(&rows, "file", "Download");
        let page = page(app, &cookie, &project, &id).await;
        form(&page, "file", "Download");
        form(&page, "browse", "Browse data");
        // As a form without controls sends it.
        let led = app.get_as(&cookie, &format!("{list}/{id}/file?")).await;
        let file = app.get(led.headers()["location"].to_str().unwrap()).await;
        assert!(file.headers()["content-disposition"].to_str().unwrap().starts_with("attachment"));
        assert_eq!(file.text().await.unwrap().trim_end(), "id");
    }

    async fn a_file_too_large_for_a_page_is_to_be_downloaded(app: TestApp) {
        let (project, cookie) = app.signed_in(Role::Member).await;
        let key = app.add_key(&project, &ALL).await;
        let id = begin(app, &key, &["id"]).await;
        let now_ms = app.server.clock.now_ms();
        let job = jobs::claim(app.db(), "nobody", now_ms).await.unwrap().unwrap();
        let made = Made { file: "exports/huge", rows: Some(1), bytes: 3 << 30, sha256: "" };
        let told = own::export_done(&app.server, project.key, &id, &made).await.unwrap();
        assert!(exports::finish(app.db(), &job, &made, "{}", told, now_ms).await.unwrap());
        is_refused(app, &cookie, &project, &id, "Download it instead.").await;
        assert!(page(app, &cookie, &project, &id).await.contains(&format!("/exports/{id}/file\"")), "the download is offered");
    }

    async fn a_file_that_holds_more_than_one_may_see_is_not_opened(app: TestApp) {
        let (project, cookie) = app.signed_in(Role::Auditor).await;
        let key = app.add_key(&project, &ALL).await;
        let workers = app.work();
        let (bodies, narrow) = (begin(app, &key, &["id", "request_body"]).await, begin(app, &key, &["id"]).await);
        over(app, &key, &bodies).await;
        over(app, &key, &narrow).await;
        workers.stop().await;
        let link = |id: &str| format!("/exports/{id}/browse\"");
        assert!(page(app, &cookie, &project, &bodies).await.contains(&link(&bodies)));
        accounts::set_rights(app.db(), project.key, Role::Auditor, false, true).await.unwrap();
        app.pass(REMEMBERED_MS);
        is_refused(app, &cookie, &project, &bodies, "which you may not see here.").await;
        let file = app.get_as(&cookie, &format!("/projects/{}/exports/{bodies}/file", project.id)).await;
        assert_eq!(file.status(), 403);
        assert!(page(app, &cookie, &project, &narrow).await.contains(&link(&narrow)), "one without bodies is");
    }
}
