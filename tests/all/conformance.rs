//! The OpenAPI document against what is answered: Schemathesis calls every operation with what the document allows and with what it does not.
//!
//! `scripts/test` says where the program is (`SCHEMATHESIS`; `scripts/setup test` installs it); without it there is nothing to run here.

use std::path::Path;

use audit_log::model::rights::{Role, Scope};
use audit_log::server::access::issue::{self, IssuedKey};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::TestApp;

/// Calls of an operation that are thought up, beside those that cover its schema.
const EXAMPLES: &str = "8";
/// No 5xx, and nothing that the document does not say. Left out: whether what the schema allows is always taken (it cannot say everything: a zone's name, a
/// time not too old), and whether what it does not allow is always refused (arguments that are not known are passed over).
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance,\
                      unsupported_method,allow_header_conformance,missing_required_header";

/// Both keys, so that one run covers every path.
struct Caller<'a> {
    app: &'a TestApp,
    key: IssuedKey,
    manager: IssuedKey,
}

impl Caller<'_> {
    fn headers(&self) -> [(&'static str, &str); 4] {
        [
            ("X-App-Id", &self.key.app_id),
            ("X-App-Token", &self.key.app_token),
            ("X-Management-Id", &self.manager.app_id),
            ("X-Management-Token", &self.manager.app_token),
        ]
    }

    fn call(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.app.client.request(method, format!("{}{path}", self.app.url));
        self.headers()
            .into_iter()
            .fold(request, |request, (name, value)| request.header(name, value))
    }

    async fn done(&self, request: RequestBuilder) -> Value {
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{status}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.done(self.call(Method::POST, path).json(&body)).await
    }
}

/// What is there to be asked for, as Schemathesis's configuration: which ids the places in a path have. What is deleted is none of it.
async fn furnished(caller: &Caller<'_>, project: &str) -> String {
    let word = |value: &Value| value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned();
    caller.post("/v1/logs", json!({"id": "one", "method": "POST", "url": "https://a.example/b", "status_code": 200, "request_id": "r", "request": {"body": {"a": 1}}, "response": {"body": "b"}})).await;
    let file = caller
        .call(Method::PUT, "/v1/logs/one/import-file")
        .header("content-disposition", "attachment; filename=\"a.csv\"");
    caller.done(file.body("a,b")).await;
    let task = word(
        &caller
            .post("/v1/async-actions", json!({"type": "IMPORT", "request_id": "r"}))
            .await["id"],
    );
    let export = word(
        &caller
            .post("/v1/exports/reported", json!({"exported_object": "voucher"}))
            .await["id"],
    );
    caller
        .done(caller.call(Method::PUT, &format!("/v1/exports/{export}/file")).body("a,b"))
        .await;
    let webhook = word(
        &caller
            .post("/v1/webhooks", json!({"target_url": "https://hooks.example.com/"}))
            .await["id"],
    );
    let sendout = word(
        &caller
            .post("/v1/events", json!({"type": "voucher.created", "data": {"a": 1}}))
            .await["sendouts"][0],
    );
    let below = format!("/management/v1/projects/{project}");
    let key = word(
        &caller
            .post(&format!("{below}/keys"), json!({"name": "k", "scopes": ["read"]}))
            .await["id"],
    );
    let member = word(&caller.done(caller.call(Method::GET, &format!("{below}/members"))).await["data"][0]["id"]);
    let of = |path: &str, ids: &[(&str, &str)]| {
        let ids: Vec<String> = ids.iter().map(|(name, id)| format!("\"path.{name}\" = \"{id}\"")).collect();
        format!(
            "[[operations]]\ninclude-path-regex = '{path}'\nexclude-method = \"DELETE\"\nparameters = {{ {} }}\n",
            ids.join(", ")
        )
    };
    let prj = ("prj", project);
    [
        of("^/v1/logs/", &[("id", "one")]),
        of("^/v1/async-actions/", &[("id", &task)]),
        of("^/v1/exports/", &[("id", &export)]),
        of("^/v1/webhooks/", &[("id", &webhook)]),
        of("^/v1/webhook-sendouts/", &[("id", &sendout)]),
        of("^/management/v1/projects/[^/]*$", &[prj]),
        of("^/management/v1/projects/[^/]*/(members|invitations|keys|webhooks)$", &[prj]),
        of("^/management/.*/members/", &[prj, ("id", &member)]),
        of("^/management/.*/keys/", &[prj, ("id", &key)]),
        of("^/management/.*/webhooks/", &[prj, ("id", &webhook)]),
    ]
    .join("\n")
}

/// Runs Schemathesis in a folder, with the configuration that lies there.
async fn run(program: &str, caller: &Caller<'_>, folder: &Path) {
    let mut command = tokio::process::Command::new(program);
    command
        .current_dir(folder)
        .args(["run", concat!(env!("CARGO_MANIFEST_DIR"), "/docs/openapi.json")]);
    command.args([
        "--url",
        &caller.app.url,
        "--checks",
        CHECKS,
        "--max-examples",
        EXAMPLES,
        "--seed",
        "1",
    ]);
    command.args([
        "--phases",
        "examples,coverage,fuzzing",
        "--continue-on-failure",
        "--no-shrink",
        "--no-color",
        "--warnings",
        "off",
    ]);
    for (name, value) in caller.headers() {
        command.args(["--header", &format!("{name}: {value}")]);
    }
    let ended = command.output().await.unwrap();
    let said = String::from_utf8_lossy(&ended.stdout);
    let complained = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{said}\n{complained}");
    assert!(said.contains("generated"), "nothing was called: {said}");
}

for_each_db! {
    async fn nothing_breaks_and_nothing_is_answered_that_the_document_does_not_say(app: TestApp) {
        let Ok(program) = std::env::var("SCHEMATHESIS") else {
            eprintln!("SCHEMATHESIS names no program: scripts/test runs this");
            return;
        };
        let project = app.add_project("shop").await;
        app.add_person("ada@example.com", "correct horse", Some((&project, Role::Owner))).await;
        let key = app.add_key(&project, &Scope::ALL).await;
        let manager = issue::management_key(app.db(), &app.issuer(), "ops").await.unwrap();
        let caller = Caller { app, key, manager };
        let folder = tempfile::tempdir().unwrap();
        // First with ids as they come, which lead nowhere; then with those of what is there.
        run(&program, &caller, folder.path()).await;
        std::fs::write(folder.path().join("schemathesis.toml"), furnished(&caller, &project.id).await).unwrap();
        run(&program, &caller, folder.path()).await;
    }
}
