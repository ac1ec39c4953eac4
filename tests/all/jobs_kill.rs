//! Work in the background ends once, whole, however often its process is killed.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::exports_api::walk;
use crate::kill::{Victim, client};

/// Logs that every export holds.
const LOGS: usize = 6_000;
/// Records of each imported file, and how many of them are wrong.
const RECORDS: usize = 1_500;
const WRONG: usize = 3;
const KILLS: u64 = 50;

struct Caller<'a> {
    victim: &'a Victim,
    client: reqwest::Client,
}

impl Caller<'_> {
    fn call(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client
            .request(method, format!("http://127.0.0.1:{}{path}", self.victim.port))
            .header("x-app-id", &self.victim.app_id)
            .header("x-app-token", &self.victim.app_token)
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.call(Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    }

    async fn send_logs(&self) {
        for start in (0..LOGS).step_by(2_000) {
            let logs: Vec<Value> = (start..start + 2_000)
                .map(|number| {
                    json!({"id": format!("l-{number}"), "method": "GET", "url": format!("/v1/a/{number}"), "status_code": 200,
                        "response": {"body": {"number": number, "filler": "x".repeat(500)}}})
                })
                .collect();
            let answer = self.call(Method::POST, "/v1/logs").json(&logs).send().await.unwrap();
            assert_eq!(answer.status(), 201);
        }
    }

    /// Begins an export of those logs: its id.
    async fn export(&self) -> String {
        let parameters =
            json!({"fields": ["id", "url", "response_body"], "filters": {"url": {"conditions": {"$starts_with": ["/v1/a/"]}}}});
        let body = json!({"exported_object": "api_log", "parameters": parameters});
        let answer = self.call(Method::POST, "/v1/exports").json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.json::<Value>().await.unwrap()["id"].as_str().unwrap().to_owned()
    }

    /// Begins an import of records of its own: its task.
    async fn import(&self, number: u64) -> String {
        let mut file = String::from("id,method,url,status_code\r\n");
        for record in 0..RECORDS {
            let code = if record % (RECORDS / WRONG) == 7 { 99 } else { 200 };
            file.push_str(&format!("i-{number}-{record},GET,/v1/b,{code}\r\n"));
        }
        let form = Form::new().part("file", Part::text(file).file_name("records.csv"));
        let answer = self
            .call(Method::POST, "/v1/logs/import")
            .multipart(form)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 202);
        answer.json::<Value>().await.unwrap()["async_action_id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    async fn until_over(&self, tasks: usize) {
        let patience = Instant::now() + Duration::from_secs(180);
        loop {
            let open = self.get("/v1/async-actions?limit=100&status=ENQUEUED,IN_PROGRESS").await;
            let open = open["async_actions"].as_array().unwrap().len();
            if open == 0 {
                break;
            }
            assert!(Instant::now() < patience, "{open} of {tasks} tasks never ended");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

/// Every record of the imports that was right is stored, once, and no other: read through an export of them, whose parts are counted.
async fn each_once(caller: &Caller<'_>, imports: &[(u64, String)]) -> usize {
    let parameters = json!({"fields": ["id"], "filters": {"endpoint": {"conditions": {"$in": ["GET_v1_b"]}}}});
    let body = json!({"exported_object": "api_log", "parameters": parameters});
    let begun = caller.call(Method::POST, "/v1/exports").json(&body).send().await.unwrap();
    let id = begun.json::<Value>().await.unwrap()["id"].as_str().unwrap().to_owned();
    caller.until_over(1).await;
    let export = caller.get(&format!("/v1/exports/{id}")).await;
    let url = export["result"]["url"].as_str().unwrap();
    let file = caller.client.get(url).send().await.unwrap().text().await.unwrap();
    let mut stored: Vec<&str> = file.lines().skip(1).collect();
    stored.sort_unstable();
    let right = |record: &usize| record % (RECORDS / WRONG) != 7;
    let mut sent: Vec<String> = imports
        .iter()
        .flat_map(|(number, _)| (0..RECORDS).filter(right).map(move |record| format!("i-{number}-{record}")))
        .collect();
    sent.sort_unstable();
    assert!(
        stored == sent,
        "{} records are stored of {} that were right",
        stored.len(),
        sent.len()
    );
    1 + file.len() / (4 << 20)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_kills_end_every_task_once() {
    let mut victim = Victim::new(None);
    let mut random = ChaCha8Rng::seed_from_u64(77);
    let (mut exports, mut imports) = (Vec::new(), Vec::new());
    for kill in 0..KILLS {
        victim.start().await;
        let caller = Caller {
            victim: &victim,
            client: client(),
        };
        if kill == 0 {
            caller.send_logs().await;
        }
        match kill % 4 {
            0 => exports.push(caller.export().await),
            2 => imports.push((kill, caller.import(kill).await)),
            _ => {}
        }
        tokio::time::sleep(Duration::from_millis(random.random_range(20..500))).await;
        victim.kill();
    }
    victim.start().await;
    let caller = Caller {
        victim: &victim,
        client: client(),
    };
    caller.until_over(exports.len() + imports.len()).await;

    let mut files = 0;
    for id in &exports {
        let export = caller.get(&format!("/v1/exports/{id}")).await;
        assert_eq!(
            (export["status"].as_str(), export["rows"].as_u64()),
            (Some("DONE"), Some(LOGS as u64)),
            "{export}"
        );
        let url = export["result"]["url"].as_str().unwrap();
        let file = caller.client.get(url).send().await.unwrap().bytes().await.unwrap();
        assert_eq!(
            export["sha256"],
            data_encoding::HEXLOWER.encode(&Sha256::digest(&file)).as_str(),
            "no file is torn"
        );
        let ids: BTreeSet<Vec<u8>> = csv::Reader::from_reader(&file[..])
            .byte_records()
            .map(|record| record.unwrap()[0].to_vec())
            .collect();
        assert_eq!(ids.len(), LOGS);
        let task = caller
            .get(&format!("/v1/async-actions/{}", export["async_action_id"].as_str().unwrap()))
            .await;
        assert_eq!(
            (task["status"].as_str(), task["operation_status"].as_str()),
            (Some("DONE"), Some("SUCCESS")),
            "{task}"
        );
        files += 1 + file.len() / (4 << 20);
    }
    for (number, id) in &imports {
        let task = caller.get(&format!("/v1/async-actions/{id}")).await;
        assert_eq!(task["status"], "DONE", "{task}");
        assert_eq!(task["result"]["done_count"], (RECORDS - WRONG) as u64, "{task}");
        assert_eq!(task["result"]["failed"].as_array().unwrap().len(), WRONG, "{task}");
        let last = caller.get(&format!("/v1/logs/i-{number}-{}", RECORDS - 1)).await;
        assert_eq!(last["url"], "/v1/b");
        // The original, and what was not taken.
        files += 2;
    }
    files += each_once(&caller, &imports).await;

    // What tries that were killed had begun to write is swept away; a part that came late, a minute after the first sweep.
    let folder = victim.folder.path().join("files");
    let patience = Instant::now() + Duration::from_secs(120);
    while walk(&folder).len() != files {
        assert!(
            Instant::now() < patience,
            "{files} files belong to something, and there are {:#?}",
            walk(&folder)
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
