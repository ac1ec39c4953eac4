//! What passed is a log: masked, cut at the limits, with what belongs to it.

use std::io::Write;

use reqwest::Method;
use serde_json::json;

use super::rig::{Rig, options};
use super::wire::Wire;
use crate::support::{Database, TestApp};

fn answer(head: &str, body: &[u8]) -> Vec<u8> {
    let mut answer = format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
    answer.extend_from_slice(body);
    answer
}

for_each_db! {
    async fn an_exchange_is_a_log_with_its_secrets_masked(app: TestApp) {
        let upstream = Wire::start(|_| {
            answer("201 Created\r\nContent-Type: application/json\r\nX-Request-Id: up-7", br#"{"id": 1, "token": "hunter2"}"#)
        })
        .await;
        let mut options = options(app, upstream.port);
        options.gateway_user_header = Some("x-user".parse().unwrap());
        options.gateway_app_header = Some("x-app".parse().unwrap());
        let rig = Rig::with(app, options).await;
        let sent = app.client.post(rig.url("/v1/customers/42?api_key=hunter2&a=b"))
            .header("authorization", "Bearer hunter2")
            .header("x-user", "ada").header("x-app", "app_1").header("user-agent", "curl/8")
            .json(&json!({"name": "Ada", "password": "hunter2"}))
            .send().await.unwrap();
        assert_eq!(sent.text().await.unwrap(), r#"{"id": 1, "token": "hunter2"}"#, "the client gets what there was");
        assert!(upstream.seen()[0].text().contains("hunter2"), "and so does the upstream");
        let log = rig.log().await;
        assert!(!log.to_string().contains("hunter2"), "{log}");
        assert_eq!(log["endpoint"], "POST_v1_customers_{id}");
        assert_eq!((&log["method"], &log["status_code"], &log["status"]), (&json!("POST"), &json!(201), &json!("SUCCESS")));
        assert_eq!((&log["user_id"], &log["app_id"], &log["user_agent"]), (&json!("ada"), &json!("app_1"), &json!("curl/8")));
        assert_eq!((&log["channel"], &log["origin"], &log["ip"]), (&json!("API"), &json!("application"), &json!("127.0.0.1")));
        assert_eq!(log["request_id"], "up-7");
        assert_eq!((&log["request"]["body"]["name"], &log["response"]["body"]["id"]), (&json!("Ada"), &json!(1)));
        assert_eq!((&log["request"]["bytes"], &log["response"]["content_type"]), (&json!(35), &json!("application/json")));
        assert_eq!(log["notes"], json!(["masked"]));
        assert!(log["request_duration"].as_f64().unwrap() > 0.0);
        let spool = std::fs::read(app.folder().join("spool/1.seg")).unwrap();
        assert!(memchr::memmem::find(&spool, b"hunter2").is_none(), "nor does it lie open in the spool");
    }

    async fn what_is_too_long_is_cut_with_a_note_and_passes_whole(app: TestApp) {
        let long = "é".repeat(100_000);
        let sent = long.clone();
        let upstream = Wire::start(move |_| answer("200 OK\r\nContent-Type: text/plain; charset=utf-8", sent.as_bytes())).await;
        let mut options = options(app, upstream.port);
        options.gateway_body_kb = 1;
        let rig = Rig::with(app, options).await;
        let got = app.client.post(rig.url("/long")).body(format!("a{long}")).send().await.unwrap();
        assert_eq!(got.text().await.unwrap(), long);
        assert_eq!(upstream.seen()[0].body.len(), 200_001);
        let log = rig.log().await;
        assert_eq!(log["notes"], json!(["truncated"]));
        assert_eq!((&log["request"]["bytes"], &log["response"]["bytes"]), (&json!(200_001), &json!(200_000)));
        // Cut within a letter, at an odd byte: the half letter is left out.
        assert_eq!(log["request"]["body"].as_str().unwrap().chars().count(), 512);
        assert_eq!(log["response"]["body"].as_str().unwrap().chars().count(), 512);
    }

    async fn what_was_compressed_is_masked_and_can_be_read(app: TestApp) {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(br#"{"name":"Ada","password":"hunter2"}"#).unwrap();
        let gzip = gzip.finish().unwrap();
        let sent = gzip.clone();
        let upstream = Wire::start(move |request| {
            let coding = if request.start.contains("/odd") { "own" } else { "gzip" };
            answer(&format!("200 OK\r\nContent-Type: application/json\r\nContent-Encoding: {coding}"), &sent)
        })
        .await;
        let rig = Rig::before(app, upstream.port).await;
        for path in ["/known", "/odd"] {
            let got = app.client.get(rig.url(path)).send().await.unwrap();
            assert_eq!(got.bytes().await.unwrap(), gzip, "byte for byte");
        }
        let logs = rig.logs(2).await;
        assert_eq!(logs[0]["response"]["body"], json!({"name": "Ada", "password": "masked"}), "{}", logs[0]);
        assert_eq!(logs[0]["response"]["bytes"], gzip.len());
        assert_eq!((&logs[1]["response"]["body"], &logs[1]["notes"]), (&json!(null), &json!(["not captured"])));
    }

    async fn bodies_of_every_kind_come_back_as_they_were(app: TestApp) {
        const BODIES: &[(&str, &[u8])] = &[
            ("application/json", b"\"a string\""),
            ("application/json", b"null"),
            ("application/json", b"[1, 2,\n {\"a\": 1.50}]"),
            ("application/json", br#"{"encoding":"base64","data":"aGk="}"#),
            ("application/json", b"{\"torn\": "),
            ("application/vnd.api+json", br#"{"a":"\u0041"}"#),
            ("text/plain", b"line\r\nline"),
            ("image/png", b"\x89PNG\r\n\x00\xff"),
            ("application/octet-stream", b""),
        ];
        let upstream = Wire::start(|request| {
            let (kind, body) = BODIES[request.start.split(['/', ' ']).nth(2).unwrap().parse::<usize>().unwrap()];
            answer(&format!("200 OK\r\nContent-Type: {kind}"), body)
        })
        .await;
        let rig = Rig::before(app, upstream.port).await;
        for number in 0..BODIES.len() {
            app.client.get(rig.url(&format!("/{number}"))).send().await.unwrap();
        }
        for (number, log) in rig.logs(BODIES.len()).await.iter().enumerate() {
            let path = format!("/v1/logs/{}/response", log["id"].as_str().unwrap());
            let kept = app.call(Method::GET, &path, &rig.key).send().await.unwrap();
            let kept = if kept.status() == 200 { kept.bytes().await.unwrap() } else { Default::default() };
            assert_eq!(kept, BODIES[number].1, "{number}: {log}");
        }
    }

    async fn a_csv_upload_is_kept_as_the_import_file_and_a_202_names_its_task(app: TestApp) {
        let upstream = Wire::start(|_| {
            answer("202 Accepted\r\nContent-Type: application/json", br#"{"async_action_id":"aa_1"}"#)
        })
        .await;
        let mut options = options(app, upstream.port);
        options.gateway_body_kb = 1;
        options.gateway_upload_mb = 1;
        let rig = Rig::with(app, options).await;
        let csv = "name,age\nAda,36\n".repeat(1_000);
        let part = reqwest::multipart::Part::bytes(csv.clone().into_bytes()).file_name("people.csv");
        let form = reqwest::multipart::Form::new().text("note", "hello").part("file", part);
        app.client.post(rig.url("/v1/customers/importCSV")).multipart(form).send().await.unwrap();
        let too_long = "name,age\nAda,36\n".repeat(100_000);
        let raw = app.client.post(rig.url("/v1/vouchers/importCSV")).header("content-type", "text/csv").body(too_long.clone());
        raw.send().await.unwrap();
        assert_eq!(upstream.seen()[1].text(), too_long);
        let logs = rig.logs(2).await;
        for log in &logs {
            assert_eq!(log["async_action_id"], "aa_1");
            assert_eq!(log["notes"], json!(["truncated"]), "its body is cut as any other");
        }
        assert_eq!(logs[0]["import_file"], json!({"name": "people.csv", "bytes": csv.len()}));
        let path = format!("/v1/logs/{}/import-file", logs[0]["id"].as_str().unwrap());
        let kept = app.call(Method::GET, &path, &rig.key).send().await.unwrap();
        assert_eq!(kept.text().await.unwrap(), csv);
        assert_eq!(logs[1]["import_file"], json!(null), "longer than what is kept");
    }
}

#[test]
fn what_a_log_cannot_take_is_cut_or_left_out() {
    TestApp::run(
        Database::Sqlite,
        |_| (),
        async |app| {
            let upstream = Wire::start(|_| answer("200 OK", b"")).await;
            let rig = Rig::before(app, upstream.port).await;
            let (long, deep) = ("x".repeat(40_000), "[".repeat(20_000));
            let request = app.client.request(
                Method::from_bytes("A".repeat(40).as_bytes()).unwrap(),
                rig.url(&format!("/{long}")),
            );
            request
                .header("x-request-id", &long[..600])
                .header("x-large", &long)
                .send()
                .await
                .unwrap();
            let deep = app
                .client
                .post(rig.url("/deep"))
                .header("content-type", "application/json")
                .body(deep);
            deep.send().await.unwrap();
            let logs = rig.logs(2).await;
            assert_eq!(logs[0]["request"]["body"].as_str().unwrap().len(), 20_000);
            assert_eq!(logs[1]["method"].as_str().unwrap().len(), 32);
            assert_eq!(logs[1]["url"].as_str().unwrap().len(), 32 << 10);
            assert_eq!(
                (&logs[1]["request_id"], &logs[1]["notes"]),
                (&json!(null), &json!(["truncated"]))
            );
        },
    );
}

#[test]
fn what_is_not_to_be_recorded_is_not() {
    TestApp::run(
        Database::Sqlite,
        |_| (),
        async |app| {
            let upstream = Wire::start(|_| answer("200 OK", b"hi")).await;
            let mut options = options(app, upstream.port);
            options.gateway_record = false;
            let rig = Rig::with(app, options).await;
            assert_eq!(app.client.get(rig.url("/")).send().await.unwrap().text().await.unwrap(), "hi");
            rig.gateway.stop(std::time::Duration::from_secs(5)).await;
            assert!(app.all_ids(&rig.key).await.is_empty());
        },
    );
}
