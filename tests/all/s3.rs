//! Files in S3: an S3-compatible server that the test starts, and the product as an operator would point it there.

use std::path::Path;
use std::time::{Duration, Instant};

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder};
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use serde_json::{Value, json};

use crate::exports_api::walk;
use crate::kill::{Victim, client};

const ACCESS: &str = "an-access-key";
const SECRET: &str = "a-secret-key";

/// Serves a folder as S3, whose folders are buckets; gives its address.
async fn serve(folder: &Path) -> String {
    let mut service = S3ServiceBuilder::new(FileSystem::new(folder).unwrap());
    service.set_auth(SimpleAuth::from_single(ACCESS, SECRET));
    let service = service.build();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            let service = service.clone();
            tokio::spawn(async move {
                // A client that goes away is no failure of the test's.
                let _gone = Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(connection), service)
                    .await;
            });
        }
    });
    format!("http://{address}")
}

async fn json_of(request: RequestBuilder) -> Value {
    let answer = request.send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    answer.json().await.unwrap_or(Value::Null)
}

/// Every object of the bucket; what the S3 server keeps for itself is left out.
fn objects(bucket: &Path) -> usize {
    let is_object = |path: &Path| {
        path.components()
            .all(|part| !part.as_os_str().to_string_lossy().starts_with(".s3s"))
    };
    walk(bucket)
        .iter()
        .filter(|path| is_object(path.strip_prefix(bucket).unwrap()))
        .count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exports_and_imports_live_in_a_bucket() {
    let store = tempfile::tempdir().unwrap();
    let bucket = store.path().join("audit");
    std::fs::create_dir(&bucket).unwrap();
    let mut victim = Victim::new(None);
    victim.environment = vec![
        ("AUDIT_LOG_FILES_URL", "s3://audit/kept/here".to_owned()),
        ("AWS_ACCESS_KEY_ID", ACCESS.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_ENDPOINT_URL", serve(store.path()).await),
        ("AWS_ALLOW_HTTP", "true".to_owned()),
    ];
    victim.start().await;
    let client = client();
    let call = |method: Method, path: &str| {
        client
            .request(method, format!("http://127.0.0.1:{}{path}", victim.port))
            .header("x-app-id", &victim.app_id)
            .header("x-app-token", &victim.app_token)
    };

    let csv = "id,method,url,status_code\r\na,GET,/v1/a,200\r\nb,GET,/v1/b,99\r\n";
    let form = Form::new().part("file", Part::text(csv).file_name("logs.csv"));
    let begun = json_of(call(Method::POST, "/v1/logs/import").multipart(form)).await;
    let task = begun["async_action_id"].as_str().unwrap().to_owned();
    let until = |path: String| {
        let call = &call;
        async move {
            let patience = Instant::now() + Duration::from_secs(30);
            loop {
                let now = json_of(call(Method::GET, &path)).await;
                if now["status"] == "DONE" {
                    return now;
                }
                assert!(
                    Instant::now() < patience && now["status"] != "FAILED" && now["status"] != "ERROR",
                    "{now}"
                );
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    };
    let imported = until(format!("/v1/async-actions/{task}")).await;
    assert_eq!(imported["result"]["done_count"], 1, "{imported}");
    let rejected = call(Method::GET, &format!("/v1/async-actions/{task}/rejected"))
        .send()
        .await
        .unwrap();
    assert!(rejected.text().await.unwrap().contains("b,GET,/v1/b,99,"));

    let export = json_of(
        call(Method::POST, "/v1/exports").json(&json!({"exported_object": "api_log", "parameters": {"fields": ["id", "url"]}})),
    )
    .await;
    let path = format!("/v1/exports/{}", export["id"].as_str().unwrap());
    let export = until(path.clone()).await;
    let file = client.get(export["result"]["url"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(file.text().await.unwrap(), "id,url\r\na,/v1/a\r\n");

    assert_eq!(
        objects(&bucket),
        3,
        "an original, what was not taken of it, an export: {:#?}",
        walk(&bucket)
    );
    assert_eq!(
        walk(&victim.folder.path().join("files")).len(),
        0,
        "nothing lies beside the bucket"
    );
    json_of(call(Method::DELETE, &path)).await;
    let patience = Instant::now() + Duration::from_secs(30);
    while objects(&bucket) != 2 {
        assert!(Instant::now() < patience, "{:#?}", walk(&bucket));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    another_key(&mut victim, &task).await;
}

/// The instance key is changed, all is sealed with the new one while the server runs, and the old one is thrown away: what an import did not take is read still.
async fn another_key(victim: &mut Victim, task: &str) {
    let file = victim.folder.path().join("secret.key");
    victim.kill();
    tokio::task::block_in_place(|| victim.command(&["secret", "rotate"]));
    victim.start().await;
    let said = tokio::task::block_in_place(|| victim.command(&["secret", "reseal"]));
    assert!(said.contains("parts of files: 2 of 2 were sealed anew"), "{said}");
    let again = tokio::task::block_in_place(|| victim.command(&["secret", "reseal"]));
    assert!(
        again.contains("parts of files: 0 of 2 were sealed anew, 2 were already"),
        "{again}"
    );
    let keys = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, keys.lines().next().unwrap()).unwrap();
    victim.kill();
    victim.start().await;
    let rejected = client()
        .get(format!("http://127.0.0.1:{}/v1/async-actions/{task}/rejected", victim.port))
        .header("x-app-id", &victim.app_id)
        .header("x-app-token", &victim.app_token);
    assert!(
        rejected
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
            .contains("b,GET,/v1/b,99,")
    );
}
