//! What is counted from weeks, days, hours, quarters, minutes and rows is what the rows themselves say, wherever a range begins and ends, and after a purge too.

use std::collections::HashMap;

use audit_log::model::filter::LogFilter;
use audit_log::model::log::{NewLog, Origin};
use audit_log::model::retention::DAY_MS;
use audit_log::model::selection::{LogSelection, TimeRange};
use audit_log::server::clock::Random;
use audit_log::server::store::logs::{counts, offered};
use audit_log::server::store::projects::ProjectKey;

use crate::logs::{START, call};
use crate::plain_scan::Dice;
use crate::retention::{are_counted, at, purge_all, purge_of};
use crate::support::TestApp;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const BOTH: [Origin; 2] = [Origin::Application, Origin::Own];
/// The days that the logs are of.
const DAYS: i64 = 16;
/// The first millisecond of a day.
const MIDNIGHT: i64 = START.div_euclid(DAY_MS) * DAY_MS;

/// Logs all over the days, and some around each midnight.
async fn write_days(app: &TestApp, project: ProjectKey, dice: &Dice) -> Vec<NewLog> {
    let anywhere = (0..500).map(|_| MIDNIGHT + dice.below((DAYS * DAY_MS) as usize) as i64);
    let edges = (0..=DAYS).flat_map(|day| [-1, 0, 1].map(|by| MIDNIGHT + day * DAY_MS + by));
    let mut logs: Vec<NewLog> = anywhere.chain(edges).map(|time| dice.log(time)).collect();
    for some in logs.chunks(70) {
        app.server.writer.write(call(project, some.to_vec())).await.unwrap();
    }
    logs.sort_by_key(|log| log.facts.created_at);
    logs
}

/// Where a range may begin or end: at a day, an hour, a minute, or anywhere.
fn edge(dice: &Dice) -> i64 {
    let unit = [DAY_MS, HOUR, MINUTE, 1][dice.below(4)];
    let time = MIDNIGHT - HOUR + dice.below(((DAYS + 1) * DAY_MS) as usize) as i64;
    time.div_euclid(unit) * unit
}

async fn agree(app: &TestApp, project: ProjectKey, logs: &[&NewLog], dice: &Dice) {
    for round in 0..60 {
        let (one, other) = (edge(dice), edge(dice));
        let range = TimeRange {
            from: one.min(other),
            to: if round == 0 { i64::MAX } else { one.max(other) },
        };
        let origins = [&BOTH[..1], &BOTH[1..], &BOTH[..]][dice.below(3)];
        let selection = LogSelection {
            origins: origins.to_vec(),
            ..LogSelection::all(range)
        };
        let is_meant =
            |log: &&&NewLog| origins.contains(&log.facts.origin) && (range.from..range.to).contains(&log.facts.created_at);
        let wanted: Vec<&NewLog> = logs.iter().filter(is_meant).copied().collect();
        are_counted(app, project, &selection, &wanted).await;
        let methods = |logs: &mut dyn Iterator<Item = &&NewLog>| {
            let mut methods: HashMap<String, u64> = HashMap::new();
            logs.for_each(|log| *methods.entry(log.facts.method.clone()).or_default() += 1);
            methods
        };
        let offered = offered::offered(app.db(), project, LogFilter::Method, range, origins, 1_000)
            .await
            .unwrap();
        assert!(offered.exact);
        assert_eq!(
            offered.values.into_iter().collect::<HashMap<_, _>>(),
            methods(&mut wanted.iter()),
            "{range:?}"
        );
        let several = offered::all(
            app.db(),
            project,
            &[LogFilter::Status, LogFilter::Method],
            range,
            origins,
            1_000,
        )
        .await
        .unwrap();
        let mut statuses: HashMap<String, u64> = HashMap::new();
        for log in &wanted {
            *statuses.entry(log.facts.status.as_str().to_owned()).or_default() += 1;
        }
        let [status, method] = several.try_into().unwrap();
        assert!(status.exact && method.exact);
        assert_eq!(status.values.into_iter().collect::<HashMap<_, _>>(), statuses, "{range:?}");
        assert_eq!(
            method.values.into_iter().collect::<HashMap<_, _>>(),
            methods(&mut wanted.iter()),
            "{range:?}"
        );
        // Rounded out to whole hours.
        let (first, end) = (
            range.from.div_euclid(HOUR) * HOUR,
            range
                .to
                .div_euclid(HOUR)
                .saturating_add(i64::from(range.to % HOUR != 0))
                .saturating_mul(HOUR),
        );
        let is_around = |log: &&&NewLog| origins.contains(&log.facts.origin) && (first..end).contains(&log.facts.created_at);
        let around = methods(&mut logs.iter().filter(is_around));
        let values = counts::values(app.db(), project, LogFilter::Method, range, origins, 1_000)
            .await
            .unwrap();
        let around = if range.from < range.to { around } else { HashMap::new() };
        assert_eq!(values.into_iter().collect::<HashMap<_, _>>(), around, "{range:?}");
    }
}

for_each_db! {
    async fn counts_of_days_hours_minutes_and_rows_say_what_the_rows_say(app: TestApp) {
        let dice = Dice(Random::seeded(90));
        let project = app.add_project("shop").await.key;
        let logs = write_days(app, project, &dice).await;
        let all: Vec<&NewLog> = logs.iter().collect();
        agree(app, project, &all, &dice).await;

        let edge = MIDNIGHT + 9 * DAY_MS + 5 * HOUR + 61_007;
        purge_all(&purge_of(app, project, at(edge, edge)), 100).await;
        let kept: Vec<&NewLog> = logs.iter().filter(|log| log.facts.created_at >= edge).collect();
        assert!(kept.len() > 200 && kept.len() < logs.len() - 100);
        agree(app, project, &kept, &dice).await;
    }

    async fn too_many_logs_at_an_end_are_counted_by_the_hours_they_are_in(app: TestApp) {
        let dice = Dice(Random::seeded(91));
        let project = app.add_project("shop").await.key;
        let logs: Vec<NewLog> = (0..1_300).map(|number| dice.log(MIDNIGHT + number * 1_000)).collect();
        app.server.writer.write(call(project, logs.clone())).await.unwrap();
        let half = TimeRange { from: MIDNIGHT + 1, to: MIDNIGHT + 2 * HOUR };
        let offered = offered::offered(app.db(), project, LogFilter::Method, half, &BOTH, 10).await.unwrap();
        assert!(!offered.exact);
        assert_eq!(offered.values.iter().map(|(_, count)| count).sum::<u64>(), 1_300);
        assert!(offered.values.is_sorted_by(|one, other| one.1 >= other.1), "{offered:?}");
        let fields = [LogFilter::Status, LogFilter::Method];
        let [status, method] = offered::all(app.db(), project, &fields, half, &BOTH, 10).await.unwrap().try_into().unwrap();
        assert_eq!(method, offered);
        assert!(status.exact, "minutes say how many there are of each status");
        assert_eq!(status.values.iter().map(|(_, count)| count).sum::<u64>(), 1_299);
        let few = TimeRange { from: MIDNIGHT + 1_000_000, to: MIDNIGHT + 2 * HOUR };
        let offered = offered::offered(app.db(), project, LogFilter::Method, few, &BOTH, 10).await.unwrap();
        assert!(offered.exact);
        assert_eq!(offered.values.iter().map(|(_, count)| count).sum::<u64>(), 300);
    }
}
