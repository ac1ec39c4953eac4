//! A database of any earlier version, with data in it, is brought up to date and served.
//!
//! The rows are those of a service of today, as far as the tables and columns of then hold them: what a migration adds, it has to fill by itself.

use std::collections::BTreeSet;
use std::path::Path;

use audit_log::model::rights::Role;
use audit_log::server::access::issue::IssuedKey;
use audit_log::server::store::Db;
use futures::TryStreamExt;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use crate::exports_api::{ALL, over};
use crate::support::{Database, TestApp, bare_database, tables};

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// The versions of which accounts and keys, and tasks and exports are.
const ACCOUNTS: i64 = 2;
const TASKS: i64 = 3;

/// What a service of today was told.
struct Told {
    key: IssuedKey,
    ids: Vec<String>,
    export: String,
}

async fn tell(app: &TestApp) -> Told {
    let (project, _) = app.signed_in(Role::Owner).await;
    let key = app.add_key(&project, &ALL).await;
    let now = app.server.clock.now_ms();
    for call in 0..3_i64 {
        let log = |nth: i64| {
            json!({"id": format!("l-{call}-{nth}"), "method": "POST", "url": format!("/v1/orders/{nth}"), "status_code": if nth % 9 == 0 { 500 } else { 200 },
                "created_at": now - call * 25 * 86_400_000 - nth, "request": {"headers": {"x-shop": "one"}, "body": {"told": format!("c{call}n{nth}")}}})
        };
        let logs: Vec<Value> = (0..100).map(log).collect();
        assert_eq!(
            app.call(Method::POST, "/v1/logs", &key)
                .json(&logs)
                .send()
                .await
                .unwrap()
                .status(),
            201
        );
    }
    let workers = app.work();
    let asked = json!({"exported_object": "api_log", "parameters": {"fields": ["id"]}});
    let begun = app.call(Method::POST, "/v1/exports", &key).json(&asked).send().await.unwrap();
    let export = begun.json::<Value>().await.unwrap()["id"].as_str().unwrap().to_owned();
    over(app, &key, &export).await;
    workers.stop().await;
    let other = app.add_project("another").await;
    let user = app.add_person("other@example.com", "correct horse", None).await;
    tables::fill_the_empty(app.db(), other.key, user).await;
    let ids = app.all_ids(&key).await;
    Told { key, ids, export }
}

/// The service stands on a database that was of this version, and goes on.
async fn is_served(version: i64, url: &str, files: &Path, told: &Told) {
    let again = TestApp::another(url, files).await;
    let projects = audit_log::server::store::projects::all(again.db()).await.unwrap();
    let shop = projects.into_iter().find(|project| project.name == "shop").unwrap();
    counts_agree(again.db(), version).await;
    let new_key = again.add_key(&shop, &ALL).await;
    let key = if version < ACCOUNTS { &new_key } else { &told.key };
    assert_eq!(again.all_ids(key).await, told.ids, "at {version}");
    let get = async |path: &str| {
        let answer = again.call(Method::GET, path, key).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path} at {version}");
        answer.json::<Value>().await.unwrap()
    };
    assert_eq!(get("/v1/logs/l-2-5").await["request"]["body"]["told"], "c2n5", "at {version}");
    let found = get("/v1/logs?q=c1n77&from=2000-01-01T00:00:00Z").await;
    assert_eq!(found["data"][0]["id"], "l-1-77", "at {version}");
    let failed = get("/v1/logs?status=FAILURE&limit=100&from=2000-01-01T00:00:00Z").await;
    assert_eq!(failed["data"].as_array().unwrap().len(), 36, "at {version}");
    if version >= ACCOUNTS {
        let cookie = again.sign_in("owner@example.com", "correct horse").await;
        let page = again.get_as(&cookie, &format!("/projects/{}/logs?from=-90d", shop.id)).await;
        assert_eq!(page.status(), 200, "at {version}");
        assert!(page.text().await.unwrap().contains("/v1/orders/"), "at {version}");
    }
    if version >= TASKS {
        assert_eq!(
            get(&format!("/v1/exports/{}", told.export)).await["status"],
            "DONE",
            "at {version}"
        );
    }
    let log = json!({"id": "new", "method": "GET", "url": "/new", "status_code": 200});
    assert_eq!(
        again
            .call(Method::POST, "/v1/logs", key)
            .json(&log)
            .send()
            .await
            .unwrap()
            .status(),
        201
    );
    assert_eq!(again.all_ids(key).await.len(), told.ids.len() + 1, "at {version}");
    again.stop().await;
}

/// Each table of counts says what the finer one says that it is made from.
async fn counts_agree(db: &Db, version: i64) {
    for (coarse, fine) in [
        (
            "project_id, origin, quarter, status, count FROM log_quarters",
            "project_id, origin, minute / 15, status, SUM(count) FROM log_minutes",
        ),
        (
            "project_id, origin, day, field, value, count FROM log_value_days",
            "project_id, origin, hour / 24, field, value, SUM(count) FROM log_value_hours",
        ),
        (
            "project_id, origin, week, field, value, count FROM log_value_weeks",
            "project_id, origin, day / 7, field, value, SUM(count) FROM log_value_days",
        ),
    ] {
        let groups = if fine.contains("field") {
            "1, 2, 3, 4, 5"
        } else {
            "1, 2, 3, 4"
        };
        let fine = format!("SELECT {fine} GROUP BY {groups}");
        let [amount, missing, beyond] = [
            fine.clone(),
            format!("{fine} EXCEPT SELECT {coarse}"),
            format!("SELECT {coarse} EXCEPT {fine}"),
        ]
        .map(|rows| AssertSqlSafe(format!("SELECT COUNT(*) FROM ({rows}) AS differing")));
        let mut found = Vec::new();
        for sql in [amount, missing, beyond] {
            found.push(match db {
                Db::Sqlite { read, .. } => sqlx::query_scalar::<_, i64>(sql).fetch_one(read).await.unwrap(),
                Db::Postgres(pool) => sqlx::query_scalar(sql).fetch_one(pool).await.unwrap(),
            });
        }
        assert!(found[0] > 0, "{coarse} at {version}");
        assert_eq!(found[1..], [0, 0], "{coarse} at {version}");
    }
}

/// The columns that both a table of then and the same one of now have.
fn shared(then: &[(String, String)], now: &[(String, String)]) -> String {
    let now: BTreeSet<&String> = now.iter().map(|(name, _)| name).collect();
    let names = then.iter().map(|(name, _)| name).filter(|name| now.contains(name));
    names.map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}

async fn sqlite_of(version: i64, app: &TestApp, file: &Path) {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .foreign_keys(false);
    let mut old: SqliteConnection = options.connect().await.unwrap();
    SQLITE.run_to(version, &mut old).await.unwrap();
    old.close().await.unwrap();
    let db = Db::open(&format!("sqlite://{}", file.display())).await.unwrap();
    let then = tables::tables(&db).await;
    db.close().await;
    let now = tables::tables(app.db()).await;
    let mut old: SqliteConnection = SqliteConnectOptions::new()
        .filename(file)
        .foreign_keys(false)
        .connect()
        .await
        .unwrap();
    let from = app.database_url.strip_prefix("sqlite://").unwrap();
    sqlx::query("ATTACH $1 AS now").bind(from).execute(&mut old).await.unwrap();
    for (table, columns) in then {
        let Some((_, today)) = now.iter().find(|(name, _)| *name == table) else {
            continue;
        };
        let names = shared(&columns, today);
        for sql in [
            format!("DELETE FROM main.{table}"),
            format!("INSERT INTO main.{table} ({names}) SELECT {names} FROM now.{table}"),
        ] {
            sqlx::query(AssertSqlSafe(sql)).execute(&mut old).await.unwrap();
        }
    }
    old.close().await.unwrap();
}

async fn postgres_of(version: i64, app: &TestApp) -> String {
    const PARTITIONS: &str = "SELECT format('CREATE TABLE %I PARTITION OF %I %s', c.relname, p.relname, pg_get_expr(c.relpartbound, c.oid))
        FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid JOIN pg_class AS p ON p.oid = i.inhparent WHERE c.relkind = 'r'";
    const SEQUENCES: &str =
        "SELECT format('SELECT setval(s, %s) FROM (SELECT to_regclass(%L) AS s) AS there WHERE s IS NOT NULL',
        COALESCE(last_value, 1), sequencename) FROM pg_sequences WHERE schemaname = current_schema()";
    let url = bare_database().await;
    let Db::Postgres(now_pool) = app.db() else {
        panic!("PostgreSQL was asked for")
    };
    let mut old = PgConnection::connect(&url).await.unwrap();
    POSTGRES.run_to(version, &mut old).await.unwrap();
    let db = Db::open(&url).await.unwrap();
    let then = tables::tables(&db).await;
    db.close().await;
    let now = tables::tables(app.db()).await;
    let mut from = now_pool.acquire().await.unwrap();
    sqlx::query("SET session_replication_role = replica")
        .execute(&mut old)
        .await
        .unwrap();
    let partitions: Vec<String> = sqlx::query_scalar(PARTITIONS).fetch_all(&mut *from).await.unwrap();
    for sql in partitions {
        sqlx::query(AssertSqlSafe(sql)).execute(&mut old).await.unwrap();
    }
    for (table, columns) in then {
        let Some((_, today)) = now.iter().find(|(name, _)| *name == table) else {
            continue;
        };
        if table == "log_seq" {
            continue;
        }
        let names = shared(&columns, today);
        let rows = from
            .copy_out_raw(&format!("COPY (SELECT {names} FROM {table}) TO STDOUT"))
            .await
            .unwrap();
        let rows: Vec<_> = rows.try_collect().await.unwrap();
        let mut into = old.copy_in_raw(&format!("COPY {table} ({names}) FROM STDIN")).await.unwrap();
        for some in rows {
            into.send(some).await.unwrap();
        }
        into.finish().await.unwrap();
    }
    let sequences: Vec<String> = sqlx::query_scalar(SEQUENCES).fetch_all(&mut *from).await.unwrap();
    for sql in sequences {
        sqlx::query(AssertSqlSafe(sql)).execute(&mut old).await.unwrap();
    }
    old.close().await.unwrap();
    url
}

fn versions(migrator: &Migrator) -> Vec<i64> {
    let versions: Vec<i64> = migrator.iter().map(|migration| migration.version).collect();
    assert!(versions.len() > 10);
    versions
}

#[test]
fn a_database_of_every_version_is_brought_up_to_date_on_sqlite() {
    TestApp::run(
        Database::Sqlite,
        |_| {},
        async |app| {
            let told = tell(app).await;
            for version in versions(&SQLITE) {
                let file = app.folder().join(format!("of-{version}.db"));
                sqlite_of(version, app, &file).await;
                is_served(
                    version,
                    &format!("sqlite://{}", file.display()),
                    &app.folder().join("files"),
                    &told,
                )
                .await;
            }
        },
    );
}

#[test]
fn a_database_of_every_version_is_brought_up_to_date_on_postgres() {
    TestApp::run(
        Database::Postgres,
        |_| {},
        async |app| {
            let told = tell(app).await;
            for version in versions(&POSTGRES) {
                let url = postgres_of(version, app).await;
                is_served(version, &url, &app.folder().join("files"), &told).await;
            }
        },
    );
}

#[test]
fn both_sides_have_the_same_migrations() {
    let names = |migrator: &Migrator| {
        migrator
            .iter()
            .map(|migration| (migration.version, migration.description.to_string()))
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&SQLITE), names(&POSTGRES));
}
