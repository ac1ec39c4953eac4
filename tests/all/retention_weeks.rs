//! What is counted by the week where a month of it is dropped: the other month's logs stay counted.

use std::collections::HashMap;

use audit_log::model::filter::LogFilter;
use audit_log::model::log::{NewLog, Origin};
use audit_log::model::retention::DAY_MS;
use audit_log::model::selection::TimeRange;
use audit_log::server::clock::Random;
use audit_log::server::jobs::retention::Asker;
use audit_log::server::retention;
use audit_log::server::store::logs::counts;

use crate::logs::call;
use crate::plain_scan::Dice;
use crate::retention_job::{choice, done, partitions};

/// When a month began, two to five months ago, whose first day is of one week (seven days from a Thursday on) with the day before and the day after.
fn shared_start(now: i64) -> i64 {
    let today = jiff::Timestamp::from_millisecond(now)
        .unwrap()
        .to_zoned(jiff::tz::TimeZone::UTC);
    (2..=4)
        .filter_map(|months| {
            let month = today
                .checked_sub(jiff::Span::new().months(months))
                .ok()?
                .first_of_month()
                .ok()?;
            Some(month.start_of_day().ok()?.timestamp().as_millisecond())
        })
        .find(|start| (1..=5).contains(&(start / DAY_MS % 7)))
        .unwrap()
}

for_each_db! {
    async fn of_a_week_that_two_months_share_the_later_ones_logs_stay_counted(app: TestApp) {
        let project = app.add_project("shop").await.key;
        let now = app.server.clock.now_ms();
        let start = shared_start(now);
        let dice = Dice(Random::seeded(6));
        let logs: Vec<NewLog> = (0..90)
            .map(|number| {
                let mut log = dice.log(start + (number - 45) * DAY_MS / 23);
                log.facts.origin = Origin::Application;
                log
            })
            .collect();
        app.server.writer.write(call(project, logs.clone())).await.unwrap();
        let before = partitions(app).await;
        let workers = app.work();
        let days = u32::try_from((now - start) / DAY_MS).unwrap();
        let cut = now - i64::from(days) * DAY_MS;
        let task = retention::set(&app.server, project, choice(Some(days), None), Asker::default()).await.unwrap().task.unwrap();
        let (_, purged) = done(app, project, &task).await;
        workers.stop().await;
        assert_eq!(purged.partitions, u64::from(before.is_some()));
        let mut kept: HashMap<String, u64> = HashMap::new();
        for log in logs.iter().filter(|log| log.facts.created_at >= cut) {
            *kept.entry(log.facts.endpoint.clone()).or_default() += 1;
        }
        assert!(!kept.is_empty() && kept.values().sum::<u64>() < 46, "{kept:?}");
        let ever = TimeRange { from: 0, to: i64::MAX };
        let counted = counts::values(app.db(), project, LogFilter::Endpoint, ever, &Origin::ALL, 1_000).await.unwrap();
        assert_eq!(counted.into_iter().collect::<HashMap<_, _>>(), kept);
    }
}
