//! `/v1/async-actions`: tasks of applications, listed, reported, moved on; shapes as in the reference.

use audit_log::model::rights::Scope;
use audit_log::server::store::tasks::{self, NewTask};
use reqwest::Method;
use serde_json::{Value, json};

const ALL: [Scope; 4] = [Scope::Read, Scope::ReadBodies, Scope::TasksWrite, Scope::LogsWrite];

async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or(Value::Null))
}

for_each_db! {
    async fn an_application_reports_its_own_tasks(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &ALL).await;
        let new = json!({"type": "VOUCHERS.IMPORT_CSV", "id": "aa_mine-1", "request_id": "v-1"});
        let (status, task) = answer(app.call(Method::POST, "/v1/async-actions", &key).json(&new)).await;
        assert_eq!(status, 201, "{task}");
        assert_eq!((task["status"].as_str(), task["progress"].as_i64()), (Some("ENQUEUED"), Some(0)));
        assert_eq!((task["object"].as_str(), task["request_id"].as_str()), (Some("async_action"), Some("v-1")));
        let (status, again) = answer(app.call(Method::POST, "/v1/async-actions", &key).json(&new)).await;
        assert_eq!(status, 409, "{again}");

        let one = "/v1/async-actions/aa_mine-1";
        let (status, task) = answer(app.call(Method::PATCH, one, &key).json(&json!({"status": "IN_PROGRESS", "progress": 40}))).await;
        assert_eq!((status, task["progress"].as_i64()), (200, Some(40)), "{task}");
        app.pass(1_500);
        let result = json!({"message": "done", "done_count": 7, "failed_count": 1, "failed": [{"row": 3, "reason": "no code"}]});
        let change = json!({"status": "DONE", "operation_status": "SUCCESS", "result": result});
        let (status, task) = answer(app.call(Method::PATCH, one, &key).json(&change)).await;
        assert_eq!((status, task["progress"].as_i64(), &task["result"]), (200, Some(100), &result), "{task}");
        assert!(task["processing_time"].as_i64().unwrap() >= 1_500, "{task}");
        assert!(task["updated_at"].as_str().unwrap() > task["created_at"].as_str().unwrap());
        let (status, error) = answer(app.call(Method::PATCH, one, &key).json(&json!({"status": "FAILED"}))).await;
        assert_eq!((status, error["key"].as_str()), (409, Some("task_is_over")), "{error}");

        let (status, list) = answer(app.call(Method::GET, "/v1/async-actions?limit=10", &key)).await;
        assert_eq!((status, list["data_ref"].as_str(), list["has_more"].as_bool()), (200, Some("async_actions"), Some(false)));
        assert_eq!(list["async_actions"][0]["id"], "aa_mine-1");
        assert!(list["async_actions"][0].get("result").is_none(), "lists go without");
    }

    async fn what_makes_no_sense_is_refused_and_stores_nothing(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &ALL).await;
        let reader = app.add_key(&project, &[Scope::Read]).await;
        let post = |key, body: Value| answer(app.call(Method::POST, "/v1/async-actions", key).json(&body));
        for (body, status) in [
            (json!({}), 422),
            (json!({"type": ""}), 422),
            (json!({"type": "A B"}), 422),
            (json!({"type": "A", "id": "a b"}), 422),
            (json!({"type": "A", "status": "GONE"}), 422),
            (json!({"type": "A", "progress": 101}), 422),
            (json!({"type": "A", "colour": 1}), 422),
            (json!({"type": 1}), 422),
        ] {
            let (is, error) = post(&key, body.clone()).await;
            assert_eq!(is, status, "{body} {error}");
            assert!(error["details"].as_str().is_some_and(|details| !details.is_empty()), "{error}");
        }
        let broken = app.call(Method::POST, "/v1/async-actions", &key).header("content-type", "application/json").body("{");
        assert_eq!(answer(broken).await.0, 400);
        assert_eq!(post(&reader, json!({"type": "A"})).await.0, 403);
        let (_, list) = answer(app.call(Method::GET, "/v1/async-actions", &key)).await;
        assert_eq!(list["async_actions"], json!([]));
        for query in ["limit=0", "limit=101", "end_date=never", "status=GONE", "after=x"] {
            let (status, error) = answer(app.call(Method::GET, &format!("/v1/async-actions?{query}"), &key)).await;
            assert_eq!((status, error["key"].as_str()), (400, Some("invalid_query_params")), "{query} {error}");
        }
        let (status, error) = answer(app.call(Method::GET, "/v1/async-actions/aa_none", &key)).await;
        assert_eq!((status, error["resource_type"].as_str()), (404, Some("async_action")), "{error}");
    }

    async fn all_of_a_millisecond_are_found_by_end_date(app: TestApp) {
        let project = app.add_project("shop").await;
        let other = app.add_project("other").await;
        let key = app.add_key(&project, &ALL).await;
        let now = app.server.clock.now_ms();
        for number in 0..250 {
            let new = NewTask { id: format!("aa_{number:03}"), kind: "A".to_owned(), ..NewTask::default() };
            tasks::add(app.db(), project.key, &new, now).await.unwrap();
            tasks::add(app.db(), other.key, &new, now).await.unwrap();
        }
        let (mut found, mut end) = (Vec::new(), String::new());
        loop {
            let (status, page) = answer(app.call(Method::GET, &format!("/v1/async-actions?limit=100{end}"), &key)).await;
            assert_eq!(status, 200, "{page}");
            let page_rows = page["async_actions"].as_array().unwrap();
            found.extend(page_rows.iter().map(|task| task["id"].as_str().unwrap().to_owned()));
            if page["has_more"] == json!(false) {
                break;
            }
            end = format!("&end_date={}", page_rows.last().unwrap()["created_at"].as_str().unwrap());
        }
        let expected: Vec<String> = (0..250).rev().map(|number| format!("aa_{number:03}")).collect();
        assert_eq!(found, expected);
    }

    async fn lists_are_filtered_as_in_the_tab(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &ALL).await;
        for (id, kind, status) in [("a", "X.ONE", "DONE"), ("b", "X.TWO", "FAILED"), ("c", "X.ONE", "IN_PROGRESS")] {
            let new = json!({"type": kind, "id": id, "status": status, "request_id": format!("r-{id}")});
            assert_eq!(answer(app.call(Method::POST, "/v1/async-actions", &key).json(&new)).await.0, 201);
        }
        for (query, expected) in [
            ("type=X.ONE", "c a"),
            ("type=!X.ONE", "b"),
            ("status=DONE,FAILED", "b a"),
            ("status=!DONE&order=created_at", "b c"),
            ("request_id=r-a", "a"),
            ("id=b,c", "c b"),
            ("operation_status=SUCCESS", ""),
        ] {
            let (status, list) = answer(app.call(Method::GET, &format!("/v1/async-actions?{query}"), &key)).await;
            assert_eq!(status, 200, "{query} {list}");
            let ids: Vec<&str> = list["async_actions"].as_array().unwrap().iter().map(|task| task["id"].as_str().unwrap()).collect();
            assert_eq!(ids.join(" "), expected, "{query}");
        }
        let (_, first) = answer(app.call(Method::GET, "/v1/async-actions?limit=2", &key)).await;
        let after = first["more_starting_after"].as_str().unwrap();
        let (_, second) = answer(app.call(Method::GET, &format!("/v1/async-actions?limit=2&after={after}"), &key)).await;
        assert_eq!(second["async_actions"][0]["id"], "a");
    }

    async fn what_a_task_says_is_for_those_who_may_read_bodies(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &ALL).await;
        let reader = app.add_key(&project, &[Scope::Read]).await;
        let new = json!({"type": "A", "id": "a", "status": "DONE", "result": {"message": "quotes a body"}});
        let (status, task) = answer(app.call(Method::POST, "/v1/async-actions", &key).json(&new)).await;
        assert_eq!((status, task["result"]["message"].as_str()), (201, Some("quotes a body")));
        let (_, task) = answer(app.call(Method::GET, "/v1/async-actions/a", &reader)).await;
        assert_eq!(task["result"], Value::Null, "{task}");
    }
}
