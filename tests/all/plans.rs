//! No filter of the Logs list reads a whole table, or sorts what it read: each alone, each with each other, on both databases, as they say themselves.

use std::time::Duration;

use audit_log::model::filter::LogFilter;
use audit_log::model::log::Origin;
use audit_log::model::page::{Key, Place};
use audit_log::model::query::{LogQuery, Order};
use audit_log::model::rights::{Rights, Role};
use audit_log::server::secrets::InstanceKey;
use audit_log::server::selection::{QueryContext, resolve};
use audit_log::server::store::Db;
use audit_log::server::store::logs::explain::{self, Explained};
use audit_log::server::store::logs::list::ListRequest;

use crate::support::TestApp;

const HOUR: i64 = 3_600_000;

/// A value of each filter, of some that many logs have and of some that few have. A new filter is missed here by the compiler.
fn values(filter: LogFilter) -> &'static [&'static str] {
    match filter {
        LogFilter::Anywhere => &["customer 17"],
        LogFilter::RequestBody | LogFilter::ResponseBody => &["voucher"],
        LogFilter::Status => &["FAILURE", "SUCCESS", "!FAILURE"],
        LogFilter::Code => &["200", "4xx", "404,500", "!200", "none"],
        LogFilter::Method => &["GET", "GET,POST", "!GET", "PURGE"],
        LogFilter::Endpoint => &["endpoint_3", "endpoint_3,endpoint_4", "!endpoint_3"],
        LogFilter::Path => &["/orders/17"],
        LogFilter::Channel => &["API", "!API"],
        LogFilter::User => &["user17@example.com", "!user17@example.com", "u_3"],
        LogFilter::AppId => &["app_3", "!app_3"],
        LogFilter::ClientAppId => &["client_3", "!client_3"],
        LogFilter::RequestId => &["req_100", "req_100,req_200", "!req_100"],
        LogFilter::LogId => &["log_100", "!log_100"],
        LogFilter::Resource => &["voucher:v_17", "voucher", "!voucher:v_17"],
        LogFilter::Slower => &["900"],
        LogFilter::Ip => &["10.0.0.17", "!10.0.0.17"],
        LogFilter::Origin => &["application", "self"],
    }
}

/// The last time at which it was the 20th: early in a month its partition has next to nothing, and is sorted sooner than read by an index.
fn within_a_month(now: i64) -> i64 {
    let mut day = jiff::Timestamp::from_millisecond(now)
        .unwrap()
        .to_zoned(jiff::tz::TimeZone::UTC);
    while day.day() != 20 {
        day = day.yesterday().unwrap();
    }
    day.timestamp().as_millisecond()
}

/// Logs of two months, with signatures of their blocks: rows alone, since nothing but plans is asked for.
async fn populate(app: &TestApp, project: i64, now: i64) {
    const LOGS: i64 = 60_000;
    let numbers = match app.db() {
        Db::Sqlite { .. } => format!("WITH RECURSIVE n(g) AS (SELECT 1 UNION ALL SELECT g + 1 FROM n WHERE g < {LOGS})"),
        Db::Postgres(_) => format!("WITH n(g) AS (SELECT CAST(g AS BIGINT) FROM generate_series(1, {LOGS}) AS g)"),
    };
    let (start, step) = (now - 40 * 24 * HOUR, 40 * 24 * HOUR / LOGS);
    let logs = format!(
        "{numbers} INSERT INTO logs (project_id, origin, created_at, id, seq, block_id, slot, status, status_code, notes, duration_us, request_bytes, response_bytes,
            method, endpoint, path, request_id, channel, user_email, user_id, app_id, app_name, client_app_id, ip, resource_type, resource_id)
        SELECT {project}, CASE WHEN g % 10 = 7 THEN 1 ELSE 0 END, {start} + g * {step}, 'log_' || g, g, g / 64, g % 64, CASE WHEN g % 20 = 0 THEN 1 ELSE 0 END,
            CASE WHEN g % 20 = 0 THEN CASE WHEN g % 40 = 0 THEN 404 ELSE 500 END WHEN g % 20 = 3 THEN NULL ELSE 200 END, 0, g % 1000 * 1000, 100, 100,
            CASE WHEN g % 3 = 0 THEN 'GET' ELSE 'POST' END, 'endpoint_' || (g % 25), '/v1/orders/' || g, 'req_' || g,
            CASE WHEN g % 2 = 0 THEN 'API' ELSE NULL END, 'user' || (g % 500) || '@example.com', 'u_' || (g % 500), 'app_' || (g % 7), 'key ' || (g % 7),
            CASE WHEN g % 5 = 0 THEN 'client_' || (g % 7) ELSE NULL END, '10.0.' || (g % 200) || '.17', 'voucher', 'v_' || (g % 3000) FROM n"
    );
    let minutes = String::from(
        "INSERT INTO log_minutes (project_id, origin, minute, status, count)
        SELECT project_id, origin, created_at / 60000, status, COUNT(*) FROM logs GROUP BY 1, 2, 3, 4",
    );
    let quarters = String::from(
        "INSERT INTO log_quarters (project_id, origin, quarter, status, count)
        SELECT project_id, origin, minute / 15, status, SUM(count) FROM log_minutes GROUP BY 1, 2, 3, 4",
    );
    let hours = String::from(
        "INSERT INTO log_value_hours (project_id, field, origin, hour, value, count)
        SELECT project_id, 1, origin, created_at / 3600000, COALESCE(CAST(status_code AS TEXT), 'none'), COUNT(*) FROM logs GROUP BY 1, 3, 4, 5",
    );
    let days = String::from(
        "INSERT INTO log_value_days (project_id, field, origin, day, value, count)
        SELECT project_id, field, origin, hour / 24, value, SUM(count) FROM log_value_hours GROUP BY 1, 2, 3, 4, 5",
    );
    let weeks = String::from(
        "INSERT INTO log_value_weeks (project_id, field, origin, week, value, count)
        SELECT project_id, field, origin, day / 7, value, SUM(count) FROM log_value_days GROUP BY 1, 2, 3, 4, 5",
    );
    let bytes = if matches!(app.db(), Db::Sqlite { .. }) {
        "zeroblob(256)"
    } else {
        "decode(repeat('00', 256), 'hex')"
    };
    // All over both months: a partition with next to nothing is read in another way.
    let apart = 3 * step;
    let signatures = format!(
        "{numbers} INSERT INTO log_signatures (project_id, id, min_time, max_time, small, width, lane, signature, form)
        SELECT {project}, g, {start} + g * {apart}, {start} + g * {apart} + 60000, 0, 256, 1, {bytes}, 1 FROM n WHERE g <= 20000"
    );
    let groups = format!(
        "{numbers} INSERT INTO log_groups (project_id, id, min_time, max_time, width, lane, members, form)
        SELECT {project}, g, {start} + g * {apart}, {start} + g * {apart} + 60000, 256, 1, {bytes}, 1 FROM n WHERE g <= 20000"
    );
    let slices = format!(
        "{numbers} INSERT INTO log_slices (project_id, group_id, min_time, slice, words) SELECT {project}, g, {start} + g * {apart}, 0, {bytes} FROM n WHERE g <= 20000"
    );
    for sql in [logs, minutes, quarters, hours, days, weeks, signatures, groups, slices] {
        let sql = sqlx::AssertSqlSafe(sql);
        match app.db() {
            Db::Sqlite { write, .. } => drop(sqlx::query(sql).execute(write).await.unwrap()),
            Db::Postgres(pool) => drop(sqlx::query(sql).execute(pool).await.unwrap()),
        }
    }
    if let Db::Postgres(pool) = app.db() {
        sqlx::query("ANALYZE").execute(pool).await.unwrap();
    }
}

/// What is wrong with how a statement is run; nothing where it is well.
fn wrong(explained: &Explained, sqlite: bool) -> Option<String> {
    let bad = |line: &&String| {
        let step = line.trim().trim_start_matches("->").trim();
        let starts = |words: &[&str]| words.iter().any(|word| step.starts_with(word));
        if sqlite {
            starts(&["SCAN log"]) || step.contains("USE TEMP B-TREE FOR ORDER BY") || step.contains("AUTOMATIC")
        } else {
            // A window holds so many logs and no more: whatever way an index gives the few that are wanted of them, they may be sorted.
            let small = ["Bitmap Heap Scan on log", "Sort  (", "Incremental Sort  ("];
            starts(&["Seq Scan on log"]) || (!explained.windowed && starts(&small))
        }
    };
    let unbounded = |line: &&String| sqlite && line.starts_with("SEARCH logs") && !line.contains("created_at");
    let all = || explained.plan.iter().chain(&explained.prepared);
    let line = all().find(bad).or_else(|| all().find(unbounded))?;
    let steps: Vec<&str> = all().map(String::as_str).collect();
    Some(format!("{line}\n  in {}\n  {}", explained.statement, steps.join("\n  ")))
}

fn queries() -> Vec<String> {
    let mut queries = vec![String::new()];
    for (nth, filter) in LogFilter::ALL.into_iter().enumerate() {
        queries.extend(values(filter).iter().map(|value| format!("{}={value}", filter.argument())));
        for other in &LogFilter::ALL[nth + 1..] {
            let pair = [filter, *other].map(|filter| format!("{}={}", filter.argument(), values(filter)[0]));
            queries.push(pair.join("&"));
        }
    }
    queries
}

for_each_db! {
    async fn no_filter_reads_a_whole_table_or_sorts(app: TestApp) {
        let project = app.add_project("shop").await;
        let now = within_a_month(app.server.clock.now_ms());
        if let Db::Postgres(_) = app.db() {
            // A log makes the partitions of its month.
            let key = app.add_key(&project, &[audit_log::model::rights::Scope::LogsWrite]).await;
            for days in [0, 20, 40] {
                let log = serde_json::json!({"method": "GET", "url": "/", "status_code": 200, "created_at": now - days * 24 * HOUR});
                let sent = app.call(reqwest::Method::POST, "/v1/logs", &key).json(&log).send().await.unwrap();
                assert_eq!(sent.status(), 201);
            }
            for table in ["log_value_weeks", "log_value_days", "log_value_hours", "log_quarters", "log_minutes", "logs", "log_signatures"] {
                let Db::Postgres(pool) = app.db() else { unreachable!() };
                sqlx::query(sqlx::AssertSqlSafe(format!("DELETE FROM {table}"))).execute(pool).await.unwrap();
            }
        }
        populate(app, project.key, now).await;
        let key = InstanceKey::new([7; 32]);
        let context = QueryContext {
            now_ms: now, zone: &jiff::tz::TimeZone::UTC, rights: Rights::of_role(Role::Owner, true, true), key: &key, project_id: &project.id, default_origin: Origin::Application,
        };
        let after = Place::After(Key { created_at: now - 3 * HOUR, id: "log_5".to_owned() });
        let (mut found, mut looked_at) = (Vec::new(), 0);
        for query in queries() {
            for range in ["", "from=-35d"] {
                let (selection, _) = resolve(&LogQuery::parse(&format!("{query}&{range}")).unwrap(), &context).unwrap();
                for (order, place) in [(Order::NewestFirst, Place::Start), (Order::OldestFirst, Place::Start), (Order::NewestFirst, after.clone())] {
                    let request = ListRequest { project: project.key, selection: &selection, order, place, limit: 50, budget: Duration::from_secs(1) };
                    let explained = explain::page(app.db(), &request).await.unwrap();
                    assert!(!explained.is_empty(), "{query}");
                    looked_at += explained.len();
                    let sqlite = matches!(app.db(), Db::Sqlite { .. });
                    found.extend(explained.iter().filter_map(|one| wrong(one, sqlite)).map(|wrong| format!("?{query}&{range} {order:?}: {wrong}")));
                }
            }
        }
        assert!(looked_at > 1_000, "{looked_at}");
        assert!(found.is_empty(), "{} of {looked_at} statements:\n{}", found.len(), found[..found.len().min(12)].join("\n"));
    }
}
