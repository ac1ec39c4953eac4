//! The commands, as the real binary, beside the running service.

use audit_log::model::log::{BodyKind, Message, NewLog, Origin};
use audit_log::model::rights::{Role, Scope};
use audit_log::server::access;
use audit_log::server::clock::Random;
use audit_log::server::store::{accounts, projects};
use axum::http::HeaderMap;
use serde_json::Value;
use std::process::Output;

use crate::logs::call;
use crate::plain_scan::Dice;
use crate::support::run_binary;

fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap().trim_end().to_owned()
}

/// What a command said on standard error when it failed with this code.
fn refused(output: &Output, code: i32) -> String {
    let words = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{words}");
    assert!(output.stdout.is_empty(), "nothing is printed as if it had worked");
    words
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .collect()
}

for_each_db! {
    async fn a_project_and_its_first_owner_can_be_made_while_the_server_runs(app: TestApp) {
        let project = printed(&app.command(&["project", "add", "Shop"], ""));
        assert_eq!(projects::find(app.db(), &project).await.unwrap().unwrap().name, "Shop");
        let add = ["user", "add", "Owner@Example.com", "--role", "owner", "--project", &project, "--password-stdin"];
        let id = printed(&app.command(&add, "correct horse\n"));
        assert!(id.starts_with("usr_"), "{id}");
        let cookie = app.sign_in("owner@example.com", "correct horse").await;
        let member = access::member(&app.server, &headers(&[("cookie", &cookie)]), &project).await.unwrap();
        assert_eq!(member.role, Role::Owner);
        assert!(member.person.operator, "the first person of all runs the instance");
    }

    async fn a_project_has_a_time_zone_of_its_own(app: TestApp) {
        let project = printed(&app.command(&["project", "add", "Shop", "--time-zone", "Europe/Berlin"], ""));
        assert_eq!(projects::find(app.db(), &project).await.unwrap().unwrap().time_zone, "Europe/Berlin");
        let project = printed(&app.command(&["project", "add", "Shop"], ""));
        assert_eq!(projects::find(app.db(), &project).await.unwrap().unwrap().time_zone, "UTC");
        let words = refused(&app.command(&["project", "add", "Shop", "--time-zone", "Europe/Atlantis"], ""), 2);
        assert!(words.contains("is no time zone"), "{words}");
    }

    async fn the_operator_reads_what_was_done_in_a_project(app: TestApp) {
        let project = app.add_project("Shop").await;
        let dice = Dice(Random::seeded(3));
        let now = app.server.clock.now_ms();
        let log = |place: i64| {
            let mut log = dice.log(now - 2_000_000 + place * 1_000);
            log.text.request = Message { headers: "{}".to_owned(), kind: BodyKind::Json, body: b"{\"a\": 1}".to_vec(), ..Message::default() };
            log.text.response = log.text.request.clone();
            log.facts.origin = if place % 3 == 0 { Origin::Application } else { Origin::Own };
            log
        };
        let logs: Vec<NewLog> = (0..1_800).map(log).collect();
        app.server.writer.write(call(project.key, logs.clone())).await.unwrap();
        let trail = |more: &[&str]| {
            let text = printed(&app.command(&[&["trail", "--project", &project.id], more].concat(), ""));
            text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let own = |from: i64, to: i64| {
            let own = logs.iter().filter(|log| log.facts.origin == Origin::Own && (from..to).contains(&log.facts.created_at));
            own.map(|log| log.facts.id.clone()).collect::<Vec<_>>()
        };
        assert_eq!(trail(&[]), own(0, i64::MAX), "over more than one page");
        let at = |ms: i64| jiff::Timestamp::from_millisecond(ms).unwrap().to_string();
        let (from, to) = (now - 1_999_000, now - 1_900_000);
        assert_eq!(trail(&["--from", &at(from), "--to", &at(to)]), own(from, to));
        assert_eq!(trail(&["--from", "-1d", "--to", &at(to)]), own(0, to));
        let words = refused(&app.command(&["trail", "--project", &project.id, "--from", "yesterday"], ""), 1);
        assert!(words.contains("is no time"), "{words}");
        let words = refused(&app.command(&["trail", "--project", "prj_none"], ""), 1);
        assert!(words.contains("there is no project"), "{words}");
    }

    async fn only_the_first_person_runs_the_instance(app: TestApp) {
        printed(&app.command(&["user", "add", "first@example.com", "--password-stdin"], "correct horse"));
        printed(&app.command(&["user", "add", "second@example.com", "--password-stdin"], "correct horse"));
        assert!(accounts::find_by_email(app.db(), "first@example.com").await.unwrap().unwrap().operator);
        assert!(!accounts::find_by_email(app.db(), "second@example.com").await.unwrap().unwrap().operator);
    }

    async fn somebody_who_exists_joins_one_more_project(app: TestApp) {
        let first = printed(&app.command(&["project", "add", "First"], ""));
        let second = printed(&app.command(&["project", "add", "Second"], ""));
        let add = |project: &str, role: &str, password: &str| {
            app.command(&["user", "add", "ada@example.com", "--role", role, "--project", project, "--password-stdin"], password)
        };
        let id = printed(&add(&first, "owner", "correct horse"));
        let words = refused(&add(&second, "auditor", "another horse"), 1);
        assert!(words.contains("another password"), "{words}");
        assert_eq!(printed(&add(&second, "auditor", "correct horse")), id);
        printed(&app.command(&["user", "add", "ada@example.com", "--role", "member", "--project", &first], ""));
        let user = accounts::find_by_email(app.db(), "ada@example.com").await.unwrap().unwrap();
        let places = accounts::projects_of(app.db(), user.key).await.unwrap();
        let places: Vec<_> = places.iter().map(|(project, role)| (project.name.as_str(), *role)).collect();
        assert_eq!(places, [("First", Role::Member), ("Second", Role::Auditor)]);
    }

    async fn a_person_that_cannot_be_made_is_told_why(app: TestApp) {
        printed(&app.command(&["user", "add", "ada@example.com", "--password-stdin"], "correct horse"));
        let user = |arguments: &[&str], password: &str| app.command(&[&["user", "add"], arguments].concat(), password);
        for (output, code, word) in [
            (user(&["ADA@example.com", "--password-stdin"], "correct horse"), 1, "exists already"),
            (user(&["new@example.com"], ""), 1, "--password-stdin"),
            (user(&["new@example.com", "--password-stdin"], "short"), 1, "at least 8"),
            (user(&["new@example.com", "--password-stdin"], ""), 1, "at least 8"),
            (user(&["nobody", "--password-stdin"], "correct horse"), 1, "no e-mail address"),
            (user(&["a b@example.com", "--password-stdin"], "correct horse"), 1, "no e-mail address"),
            (user(&["new@example.com", "--role", "owner", "--project", "prj_X", "--password-stdin"], "correct horse"), 1, "no project prj_X"),
            (user(&["new@example.com", "--role", "owner", "--password-stdin"], "correct horse"), 2, "--project"),
            (user(&["new@example.com", "--role", "king", "--project", "p", "--password-stdin"], "correct horse"), 2, "owner, member or auditor"),
        ] {
            let words = refused(&output, code);
            assert!(words.contains(word), "{word:?} in {words}");
        }
        assert_eq!(accounts::find_by_email(app.db(), "new@example.com").await.unwrap(), None);
    }

    async fn a_key_is_printed_once_as_json_and_opens_its_project(app: TestApp) {
        let project = app.add_project("shop").await;
        let scopes = Scope::ALL.map(Scope::as_str).join(",");
        let json = printed(&app.command(&["key", "add", "--project", &project.id, "--name", "ci", "--scopes", &scopes], ""));
        let key: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(key.as_object().unwrap().len(), 2);
        let (app_id, token) = (key["app_id"].as_str().unwrap(), key["app_token"].as_str().unwrap());
        let access = access::key(&app.server, &headers(&[("x-app-id", app_id), ("x-app-token", token)])).await.unwrap();
        assert_eq!((access.project.id, access.name.as_str()), (project.id, "ci"));
        assert_eq!(access.scopes, Scope::ALL);
    }

    async fn client_side_and_management_keys_are_made_too(app: TestApp) {
        let project = app.add_project("shop").await.id;
        let client = ["key", "add", "--project", &project, "--name", "web", "--scopes", "logs:write", "--client", "--origins", "https://shop.example/"];
        let key: serde_json::Value = serde_json::from_str(&printed(&app.command(&client, ""))).unwrap();
        let shown = [("x-client-application-id", key["app_id"].as_str().unwrap()), ("x-client-token", key["app_token"].as_str().unwrap()),
            ("origin", "https://shop.example")];
        assert!(access::sender_key(&app.server, &headers(&shown)).await.unwrap().client);

        let key: serde_json::Value = serde_json::from_str(&printed(&app.command(&["key", "add", "--management"], ""))).unwrap();
        let shown = [("x-management-id", key["app_id"].as_str().unwrap()), ("x-management-token", key["app_token"].as_str().unwrap())];
        access::management_key(&app.server, &headers(&shown)).await.unwrap();
        let token = key["app_token"].as_str().unwrap();
        assert!(access::key(&app.server, &headers(&[("authorization", &format!("Bearer {token}"))])).await.is_err());
    }

    async fn a_key_that_cannot_be_made_is_told_why(app: TestApp) {
        let project = app.add_project("shop").await.id;
        let key = |arguments: &[&str]| app.command(&[&["key", "add"], arguments].concat(), "");
        let of = ["--project", &project, "--name", "k", "--scopes"];
        for (output, code, word) in [
            (key(&["--project", "prj_X", "--name", "k", "--scopes", "read"]), 1, "no project prj_X"),
            (key(&[&of[..], &["admin"]].concat()), 2, "logs:write"),
            (key(&[&of[..], &["logs:write", "--client"]].concat()), 2, "--origins"),
            (key(&[&of[..], &["read", "--client", "--origins", "https://a.example"]].concat()), 1, "not read"),
            (key(&[&of[..], &["logs:write", "--client", "--origins", "*"]].concat()), 1, "no origin"),
            (key(&["--name", "k", "--scopes", "read"]), 2, "--project"),
            (key(&["--project", &project, "--management"]), 2, "--management"),
        ] {
            let words = refused(&output, code);
            assert!(words.contains(word), "{word:?} in {words}");
        }
    }
}

#[test]
fn the_default_configuration_can_be_printed() {
    let folder = tempfile::tempdir().unwrap();
    let text = printed(&run_binary(&["config"], "", &[], folder.path()));
    assert!(text.contains("#AUDIT_LOG_LISTEN=127.0.0.1:3000"), "{text}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is made");
}

#[test]
fn a_command_that_is_none_is_a_usage_error() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["frobnicate"][..], &[], &["serve", "--nonsense"]] {
        assert_eq!(
            run_binary(arguments, "", &[], folder.path()).status.code(),
            Some(2),
            "{arguments:?}"
        );
    }
}

#[test]
fn an_option_wins_over_its_variable_and_a_bad_database_is_told_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let environment = [("DATABASE_URL", "mysql://localhost/x")];
    let words = refused(&run_binary(&["project", "add", "Shop"], "", &environment, folder.path()), 1);
    assert!(words.contains("sqlite://"), "{words}");
    let option = ["project", "add", "Shop", "--database-url", "sqlite://new/folder/a.db"];
    printed(&run_binary(&option, "", &environment, folder.path()));
    assert!(folder.path().join("new/folder/a.db").exists());
}
