//! `audit-log import`, as the real binary, beside the running service.

use std::path::PathBuf;
use std::process::Output;

use audit_log::model::log::{BodyKind, Note, Origin};
use audit_log::server::store::logs::one;
use audit_log::server::store::projects::Project;

use crate::support::TestApp;

fn file(app: &TestApp, name: &str, content: &str) -> PathBuf {
    let path = app.folder().join(name);
    std::fs::write(&path, content).unwrap();
    path
}

fn import(app: &TestApp, project: &Project, path: &std::path::Path) -> Output {
    app.command(&["import", path.to_str().unwrap(), "--project", &project.id], "")
}

fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (
        output.status.code(),
        text(&output.stdout).trim_end().to_owned(),
        text(&output.stderr),
    )
}

fn line(app: &TestApp, nth: i64) -> String {
    let at = app.server.clock.now_ms() - 1_000 * nth;
    format!(
        "{{\"id\":\"order-{nth}\",\"method\":\"POST\",\"url\":\"/v1/orders/{nth}\",\"status_code\":200,\"created_at\":{at},\"request\":{{\"body\":{{\"password\":\"planted\",\"n\":{nth}}}}}}}\n"
    )
}

for_each_db! {
    async fn a_file_is_imported_once_however_often_it_is_given(app: TestApp) {
        let project = app.add_project("Shop").await;
        let at = app.server.clock.now_ms();
        let without_id = format!("{{\"method\":\"GET\",\"url\":\"/v1/a\",\"status_code\":null,\"created_at\":{at}}}\n");
        let content: String = (0..2_500).map(|nth| line(app, nth)).chain([without_id.clone(), without_id]).collect();
        let path = file(app, "a.ndjson", &content);
        assert_eq!(said(&import(app, &project, &path)), (Some(0), "2502 accepted, 0 there already, 0 rejected".to_owned(), String::new()));
        assert_eq!(said(&import(app, &project, &path)).1, "0 accepted, 2502 there already, 0 rejected");
        let log = one::find(app.db(), project.key, "order-17").await.unwrap().unwrap();
        let text = log.text.unwrap();
        assert_eq!((text.request.kind, text.request.body.as_slice()), (BodyKind::Json, &b"{\"password\":\"masked\",\"n\":17}"[..]));
        assert_eq!((log.facts.endpoint.as_str(), log.facts.origin, log.facts.notes.as_slice()), ("POST_v1_orders_{id}", Origin::Application, &[Note::Masked][..]));
    }

    async fn whoever_runs_the_service_brings_its_own_logs_along(app: TestApp) {
        let project = app.add_project("Shop").await;
        let path = file(app, "own.csv", "id,method,url,status_code,origin,colour\nown-1,POST,/v1/keys,200,self,red\n");
        let (code, summary, told) = said(&import(app, &project, &path));
        assert_eq!((code, summary.as_str()), (Some(0), "1 accepted, 0 there already, 0 rejected"));
        assert_eq!(told, "The column colour is not known, and its values were left out\n");
        assert_eq!(one::find(app.db(), project.key, "own-1").await.unwrap().unwrap().facts.origin, Origin::Own);
    }

    async fn every_rejected_line_is_told_and_the_rest_is_taken(app: TestApp) {
        let project = app.add_project("Shop").await;
        let content = format!("{}{{\"method\":\n{{\"method\":\"GET\",\"url\":\"/\",\"status_code\":99}}\n\n{}", line(app, 1), line(app, 2));
        let (code, summary, told) = said(&import(app, &project, &file(app, "a.jsonl", &content)));
        assert_eq!((code, summary.as_str()), (Some(1), "2 accepted, 0 there already, 2 rejected"));
        assert!(told.contains("line 2: EOF while parsing a value at column 10"), "{told}");
        assert!(told.contains("line 3: status_code: 99 is none of 100 to 999, nor null"), "{told}");
        assert!(one::find(app.db(), project.key, "order-2").await.unwrap().is_some());
    }

    async fn csv_and_har_are_known_by_their_names(app: TestApp) {
        let project = app.add_project("Shop").await;
        let now = app.server.clock.now_ms();
        let csv = file(app, "a.csv", &format!("id,created_at,method,url,status,response_body\ncsv-1,{now},GET,/v1/a,FAILURE,'=1+1\n"));
        assert_eq!(said(&import(app, &project, &csv)).0, Some(0));
        let log = one::find(app.db(), project.key, "csv-1").await.unwrap().unwrap();
        assert_eq!(log.text.unwrap().response.body, b"'=1+1", "nobody said that the file is guarded");
        let csv = file(app, "b.csv", &format!("id,created_at,method,url,status,response_body\ncsv-2,{now},GET,/v1/a,FAILURE,'=1+1\n"));
        let guarded = app.command(&["import", csv.to_str().unwrap(), "--project", &project.id, "--csv-formulas", "guarded"], "");
        assert_eq!(said(&guarded).0, Some(0));
        let log = one::find(app.db(), project.key, "csv-2").await.unwrap().unwrap();
        assert_eq!(log.text.unwrap().response.body, b"=1+1");
        let har = "{\"log\":{\"version\":\"1.2\",\"entries\":[{\"startedDateTime\":\"2001-01-01T00:00:00Z\",\"request\":{\"method\":\"GET\",\"url\":\"/\"}}]}}";
        let (code, _, told) = said(&import(app, &project, &file(app, "a.har", har)));
        assert_eq!(code, Some(1));
        assert!(told.contains("entry 1: created_at: is older than logs are kept"), "{told}");
    }

    async fn what_cannot_be_imported_is_said(app: TestApp) {
        let project = app.add_project("Shop").await;
        let (code, _, told) = said(&import(app, &project, &app.folder().join("nothing.ndjson")));
        assert_eq!(code, Some(1));
        assert!(told.contains("nothing.ndjson"), "{told}");
        let path = file(app, "a.csv", "a,b\n1,2\n");
        assert!(said(&import(app, &project, &path)).2.contains("names no column method"));
        let (code, _, told) = said(&app.command(&["import", path.to_str().unwrap(), "--project", "prj_nobody"], ""));
        assert_eq!((code, told.contains("there is no project prj_nobody")), (Some(1), true));
    }
}
