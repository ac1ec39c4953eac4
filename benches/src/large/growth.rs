//! The last day asked of both databases in turn: what the 99 days before it cost.

use std::time::{Duration, Instant};

use serde_json::json;

use super::days::Days;
use super::people;
use super::questions::{self, Question};
use crate::Outcome;
use crate::http::Client;
use crate::measure::median;
use crate::report::Report;
use crate::server::Server;

const WARM: usize = 12;
const ROUNDS: usize = 60;
/// Questions that take longer than this are asked less often.
const LONG: Duration = Duration::from_millis(100);
const ROUNDS_OF_LONG: usize = 20;
/// At most so many times slower.
const AIM: f64 = 1.3;

/// Every question, of both.
pub fn measure(report: &mut Report, large: &Server, day: &Server, days: &Days) -> Outcome<()> {
    let mut worst = (0.0, String::new());
    for question in questions::all(days, days.last(), days.last_batches())? {
        let ([of_large, of_day], parts) = in_turn(&question, [large, day])?;
        let part = if parts > 0 {
            format!("; in part {parts} times")
        } else {
            String::new()
        };
        let ratio = of_large.as_secs_f64() / of_day.as_secs_f64();
        let millis = |spent: Duration| spent.as_secs_f64() * 1e3;
        report.figure(
            &question.name,
            format!("{ratio:.2} ({:.2} / {:.2} ms){part}", millis(of_large), millis(of_day)),
            Some((format!("at most {AIM}"), ratio <= AIM)),
            &json!({"ratio": ratio, "large_ms": millis(of_large), "day_ms": millis(of_day), "parts": parts}),
        );
        if ratio > worst.0 {
            worst = (ratio, question.name);
        }
    }
    report.ratio(&format!("the worst of them: {}", worst.1), worst.0, AIM, false);
    Ok(())
}

/// The medians, and in how many rounds an answer was a part; both must show the same where none was.
fn in_turn(question: &Question, servers: [&Server; 2]) -> Outcome<([Duration; 2], usize)> {
    let mut clients = [
        Client::new(&servers[0].host, &servers[0].cookie)?,
        Client::new(&servers[1].host, &servers[1].cookie)?,
    ];
    let mut spent = [Vec::new(), Vec::new()];
    let mut rounds = ROUNDS;
    let (mut round, mut parts) = (0, 0);
    while round < WARM + rounds {
        let (mut rows, mut is_part) = ([0; 2], false);
        // Whoever comes second finds the machine as the first has left it: they change places.
        for place in [round % 2, 1 - round % 2] {
            let path = question.path(servers[place], round / 2);
            let begun = Instant::now();
            let answer = clients[place].get(&path)?;
            let took = begun.elapsed();
            if answer.code != 200 {
                return Err(format!("{path} answered {}", answer.code).into());
            }
            // A search that its time ran out for says so, and may have got further on one of them.
            is_part |= people::is_part(&answer.body);
            rows[place] = shown(&answer.body);
            if round >= WARM {
                spent[place].push(took);
            } else if took > LONG {
                rounds = ROUNDS_OF_LONG;
            }
        }
        parts += usize::from(is_part);
        if rows[0] != rows[1] && !is_part {
            return Err(format!("{}: {} rows and {} for the same question", question.name, rows[0], rows[1]).into());
        }
        round += 1;
    }
    Ok((spent.map(median), parts))
}

/// Rows of tables in a page.
pub fn shown(page: &[u8]) -> usize {
    let is_row = |window: &&[u8]| matches!(*window, b"<tr " | b"<tr>");
    page.windows(4).filter(is_row).count()
}
