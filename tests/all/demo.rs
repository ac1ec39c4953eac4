//! `--demo`, through the door that applications use.

use std::time::Duration;

use audit_log::model::log::Note;
use audit_log::model::page::{Place, Total};
use audit_log::model::query::Order;
use audit_log::model::selection::{LogSelection, TimeRange};
use audit_log::server::access;
use audit_log::server::demo;
use audit_log::server::store::accounts;
use audit_log::server::store::logs::counts;
use audit_log::server::store::logs::list::{self, ListRequest};
use audit_log::server::store::logs::one;
use audit_log::server::store::projects::{self, Project};
use reqwest::Method;

use crate::logs_api::{READS_AND_WRITES, sent};
use crate::support::TestApp;

/// The id of the log of the CSV import.
async fn import_log(app: &TestApp, project: &Project) -> String {
    let range = TimeRange {
        from: 0,
        to: app.server.clock.now_ms(),
    };
    let mut selection = LogSelection::all(range);
    selection.endpoints.wanted = vec!["POST_v1_customers_importCSV".to_owned()];
    let request = ListRequest {
        project: project.key,
        selection: &selection,
        order: Order::NewestFirst,
        place: Place::Start,
        limit: 2,
        budget: Duration::from_secs(10),
    };
    let page = list::page(app.db(), request).await.unwrap();
    assert_eq!(page.rows.len(), 1);
    page.rows[0].id.clone()
}

/// How many logs the project has.
async fn logs_of(app: &TestApp, project: &Project) -> u64 {
    let all = LogSelection::all(TimeRange {
        from: 0,
        to: app.server.clock.now_ms(),
    });
    match counts::total(app.db(), project.key, &all, 100_000).await.unwrap() {
        (Total::Exact(success), Total::Exact(failure)) => success + failure,
        other => panic!("{other:?}"),
    }
}

for_each_db! {
    with |config| config.demo = true;

    async fn an_empty_database_gets_a_project_its_person_and_its_traffic(app: TestApp) {
        let project = demo::prepare(&app.server).await.unwrap().unwrap();
        let person = access::demo_person(&app.server).await.unwrap().unwrap();
        assert!(!person.operator);
        assert!(accounts::role(app.db(), project.key, person.key).await.unwrap().is_some());
        let mut days = Vec::new();
        let logs = demo::record(&app.server, &project, 2, |day, _| days.push(day)).await.unwrap();
        assert_eq!(days, [1, 2]);
        assert!(logs > 1_500, "{logs}");
        let import = import_log(app, &project).await;
        let log = one::find(app.db(), project.key, &import).await.unwrap().unwrap();
        let (about, sealed) = one::import_file(app.db(), project.key, &import).await.unwrap().unwrap();
        let file = app.server.key.open("import-file", &sealed).unwrap();
        assert_eq!(file.len() as i64, about.bytes);
        assert!(file.starts_with(b"Name,Email,"));
        assert!(log.facts.notes.contains(&Note::Masked), "the session's cookie is gone");
    }

    async fn a_fill_that_was_interrupted_is_made_up(app: TestApp) {
        let project = demo::prepare(&app.server).await.unwrap().unwrap();
        let part = demo::record(&app.server, &project, 1, |_, _| {}).await.unwrap();
        assert_eq!(logs_of(app, &project).await, part);
        app.pass(3 * 86_400_000);
        assert_eq!(demo::prepare(&app.server).await.unwrap().as_ref(), Some(&project));
        let whole = demo::record(&app.server, &project, 2, |_, _| {}).await.unwrap();
        assert!(whole > part, "{whole}, {part}");
        assert_eq!(logs_of(app, &project).await, whole, "nothing is there twice");
        let again = demo::record(&app.server, &project, 2, |_, _| {}).await.unwrap();
        assert_eq!((again, logs_of(app, &project).await), (whole, whole));
        import_log(app, &project).await;
    }

    async fn a_month_that_is_whole_is_not_made_again(app: TestApp) {
        let project = demo::prepare(&app.server).await.unwrap().unwrap();
        let key = app.add_key(&project, &READS_AND_WRITES).await;
        let last = sent(&demo::last_log_id(), 200);
        assert!(app.call(Method::POST, "/v1/logs", &key).json(&last).send().await.unwrap().status().is_success());
        assert_eq!(demo::prepare(&app.server).await.unwrap(), None);
    }

    async fn a_database_that_has_a_project_is_left_alone(app: TestApp) {
        app.add_project("Shop").await;
        assert_eq!(demo::prepare(&app.server).await.unwrap(), None);
        assert_eq!(projects::all(app.db()).await.unwrap().len(), 1);
        assert!(access::demo_person(&app.server).await.unwrap().is_none());
    }
}
