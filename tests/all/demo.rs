//! `--demo`, through the door that applications use.

use std::time::Duration;

use audit_log::model::log::Note;
use audit_log::model::page::Place;
use audit_log::model::query::Order;
use audit_log::model::selection::{LogSelection, TimeRange};
use audit_log::server::access;
use audit_log::server::demo;
use audit_log::server::store::accounts;
use audit_log::server::store::logs::list::{self, ListRequest};
use audit_log::server::store::logs::one;
use audit_log::server::store::projects::{self, Project};

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

    async fn a_database_that_has_a_project_is_left_alone(app: TestApp) {
        app.add_project("Shop").await;
        assert_eq!(demo::prepare(&app.server).await.unwrap(), None);
        assert_eq!(projects::all(app.db()).await.unwrap().len(), 1);
        assert!(access::demo_person(&app.server).await.unwrap().is_none());
    }
}
