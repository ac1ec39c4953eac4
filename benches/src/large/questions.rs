//! What is asked of the Logs tab: a page for each filter alone and the commonest pairs, texts, one log.

use super::days::{Days, Span};
use super::people;
use crate::Outcome;
use crate::data::{CLIENT_APP, Row};
use crate::server::Server;

/// Something to ask, in several ways that cost alike: each time the next one.
pub struct Question {
    pub name: String,
    ways: Vec<Way>,
}

/// What stands for it in an address.
enum Way {
    /// The Logs tab with these arguments.
    List(String),
    /// One log, by its id.
    Log(String),
    /// What the browser asks for, see [`people::data_path`]: the call, and the Logs tab's arguments.
    Data(&'static str, String),
}

impl Question {
    fn list(name: &str, arguments: impl IntoIterator<Item = String>) -> Self {
        Self {
            name: name.to_owned(),
            ways: arguments.into_iter().map(Way::List).collect(),
        }
    }

    /// The address on a server, the how manieth time it is asked.
    pub fn path(&self, server: &Server, time: usize) -> String {
        let project = &server.project;
        match &self.ways[time % self.ways.len()] {
            Way::List(arguments) => format!("/projects/{project}/logs?{arguments}"),
            Way::Log(id) => format!("/projects/{project}/logs/{id}"),
            Way::Data(call, arguments) => people::data_path(call, project, arguments),
        }
    }

    /// The arguments of the Logs tab, where that is what is asked for.
    pub fn arguments(&self, time: usize) -> Option<&str> {
        match &self.ways[time % self.ways.len()] {
            Way::List(arguments) => Some(arguments),
            _ => None,
        }
    }
}

/// How many ways a question for something rare has.
const WAYS: usize = 10;

/// Logs spread over the days from `first` on: what questions for something rare are for.
struct Samples(Vec<(String, Row)>);

impl Samples {
    fn of(days: &Days, batches: std::ops::Range<usize>) -> Self {
        let step = (batches.len() / WAYS).max(1);
        let some = batches.step_by(step).take(WAYS);
        Self(some.filter_map(|batch| days.batch(batch).nth(500)).collect())
    }

    fn each<'a>(&'a self, span: Span, argument: &'a str, value: impl Fn(&(String, Row)) -> String + 'a) -> Vec<String> {
        let range = span.arguments();
        self.0
            .iter()
            .map(|sample| format!("{range}&{argument}={}", value(sample)))
            .collect()
    }
}

/// Every question over a range; what is rare stands in batches of it.
pub fn all(days: &Days, span: Span, batches: std::ops::Range<usize>) -> Outcome<Vec<Question>> {
    let samples = Samples::of(days, batches);
    let range = span.arguments();
    let mut questions = vec![Question::list("the page as it is opened", [range.clone()])];
    questions.extend(filters(&samples, span));
    // Whoever looks for a failure knows where, how or whose it was: these pairs are what the links of a log's page and of support lead to.
    for (name, pair) in [
        ("status and endpoint", "status=FAILURE&endpoint=POST_v1_orders_%7Bid%7D"),
        ("status and method", "status=FAILURE&method=POST"),
        ("user and status", "user=person17@example.com&status=FAILURE"),
    ] {
        questions.push(Question::list(name, [format!("{range}&{pair}")]));
    }
    questions.extend(texts(&samples, span));
    questions.push(Question {
        name: "one log".to_owned(),
        ways: samples.0.iter().map(|(id, _)| Way::Log(id.clone())).collect(),
    });
    for (name, call) in [
        ("histogram and totals, as data", people::LOGS),
        ("choices of status, method, channel", "log_choices?"),
        ("choices of endpoint", "log_values?argument=endpoint&"),
        ("choices of status code", "log_values?argument=code&"),
    ] {
        questions.push(Question {
            name: name.to_owned(),
            ways: vec![Way::Data(call, range.clone())],
        });
    }
    if samples.0.is_empty() {
        return Err("no logs to ask for".into());
    }
    Ok(questions)
}

/// Each filter of the Logs tab alone; but those of texts.
fn filters(samples: &Samples, span: Span) -> Vec<Question> {
    let range = span.arguments();
    let plain = [
        ("status", "FAILURE"),
        ("code", "404"),
        ("code", "4xx"),
        ("method", "POST"),
        ("endpoint", "POST_v1_orders_%7Bid%7D"),
        ("path", "/v1/orders/"),
        ("channel", "API"),
        ("user", "person17@example.com"),
        ("app_id", "app-3"),
        ("client_app_id", CLIENT_APP),
        ("resource", "order"),
        ("slower", "890"),
        ("ip", "203.0.113.77"),
        ("origin", "application,self"),
    ];
    let mut questions: Vec<_> = plain
        .iter()
        .map(|(argument, value)| Question::list(&format!("{argument}={value}"), [format!("{range}&{argument}={value}")]))
        .collect();
    let rare = |name: &str, argument: &str, value: fn(&(String, Row)) -> String| {
        Question::list(name, samples.each(span, argument, value))
    };
    questions.push(rare("request_id of one log", "request_id", |(_, row)| row.request_id.clone()));
    questions.push(rare("id of one log", "id", |(id, _)| id.clone()));
    questions.push(rare("resource of one log", "resource", |(_, row)| {
        format!("{}:{}", row.resource_type, row.resource_id)
    }));
    questions.push(rare("path of one log", "path", |(_, row)| row.resource_id.clone()));
    questions
}

/// Text, anywhere and in bodies.
fn texts(samples: &Samples, span: Span) -> Vec<Question> {
    let range = span.arguments();
    let tracking = |(_, row): &(String, Row)| row.tracking().unwrap_or_default().to_owned();
    let absent = |argument: &str| {
        let ways = (0..WAYS).map(|number| format!("{range}&{argument}=track_absent{number:04}zz"));
        ways.collect::<Vec<_>>()
    };
    vec![
        Question::list("text, rare", samples.each(span, "q", tracking)),
        Question::list("text, common", [format!("{range}&q=customer")]),
        Question::list("text, absent", absent("q")),
        Question::list("text, three letters, common", [format!("{range}&q=gol")]),
        Question::list("text, three letters, absent", [format!("{range}&q=qzx")]),
        Question::list("request_body, common", [format!("{range}&request_body=birthday")]),
        Question::list("request_body, absent", absent("request_body")),
        Question::list("response_body, rare", samples.each(span, "response_body", tracking)),
    ]
}
