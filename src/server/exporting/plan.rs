//! What an export is to hold: read from a call's parameters or from a page, checked against who asks, and kept with the job.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::condition::{Condition, asks_who};
pub use super::days::read_time;
use super::picking;
use crate::model::export::{Exported, Format, Held, SAID, WHO};
use crate::model::query::{Order, QueryProblem};
use crate::model::rights::Rights;
use crate::model::selection::LogSelection;
#[cfg(test)]
use crate::model::selection::TimeRange;
use crate::model::tab::Tab;
use crate::server::error::ApiError;
use crate::server::selection::QueryContext;
use crate::server::store::records::RecordSelection;

/// The field of a sendout that says what is sent.
const DATA: &str = "data";

/// Which records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Source {
    /// Logs.
    Logs(Box<LogSelection>),
    /// Tasks, exports or sendouts.
    Records(RecordSelection),
}

/// All that decides an export's file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// What it holds.
    pub exported: Exported,
    /// Its columns, in order.
    pub fields: Vec<String>,
    /// How it is written.
    pub format: Format,
    /// Whether formulas of a CSV are guarded.
    pub guarded: bool,
    /// Which end of time comes first.
    pub order: Order,
    /// Which records.
    pub source: Source,
    /// What must hold besides.
    pub condition: Condition,
    /// What whoever asked may see; what they may not is left empty.
    pub rights: Rights,
}

impl Plan {
    /// Reads `{exported_object, parameters: {order, fields, filters, format, csv_formulas}}`.
    pub fn read(exported: Exported, parameters: &Value, context: &QueryContext<'_>) -> Result<Self, ApiError> {
        let unreadable = |what: &str| ApiError::unreadable(format!("parameters.{what}"));
        let fields = match parameters.get("fields") {
            None | Some(Value::Null) => None,
            Some(Value::Array(fields)) => Some(
                fields
                    .iter()
                    .map(|field| field.as_str().map(str::to_owned))
                    .collect::<Option<Vec<_>>>()
                    .ok_or_else(|| unreadable("fields must be a list of texts"))?,
            ),
            Some(_) => return Err(unreadable("fields must be a list of texts")),
        };
        let word = |name: &str| match parameters.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(word)) => Ok(Some(word.as_str())),
            Some(_) => Err(unreadable(&format!("{name} must be a text"))),
        };
        let format = match word("format")? {
            None => Format::Csv,
            Some(word) => Format::parse(word).ok_or_else(|| unreadable("format must be csv, ndjson or parquet"))?,
        };
        let guarded = match word("csv_formulas")? {
            None | Some("raw") => false,
            Some("guarded") => true,
            Some(_) => return Err(unreadable("csv_formulas must be raw or guarded")),
        };
        let order = match word("order")? {
            None | Some("-created_at") => Order::NewestFirst,
            Some("created_at") => Order::OldestFirst,
            Some(_) => return Err(unreadable("order must be created_at or -created_at")),
        };
        let condition = match parameters.get("filters") {
            None | Some(Value::Null) => Condition::default(),
            Some(filters) => Condition::read(filters, context.now_ms)
                .map_err(|problem| ApiError::unreadable(format!("parameters.filters: {problem}")))?,
        };
        check_rights(&condition, context.rights)?;
        let (source, condition) = match exported {
            Exported::ApiLog => picking::logs(condition, context)?,
            Exported::AsyncAction => picking::records(Tab::Tasks, condition, exported)?,
            Exported::Export => picking::records(Tab::Exports, condition, exported)?,
            Exported::WebhookSendout => picking::records(Tab::Sendouts, condition, exported)?,
        };
        Ok(Self {
            exported,
            fields: check_fields(exported, fields)?,
            format,
            guarded,
            order,
            source,
            condition,
            rights: context.rights,
        })
    }

    /// What its file will hold that not everyone may read. Which logs a text was found in says what they say, too, and those of
    /// one person say who it was.
    pub fn holds(&self) -> Held {
        let names = |fields: &[&str]| self.fields.iter().any(|field| fields.contains(&field.as_str()));
        let (bodies, users) = match &self.source {
            Source::Logs(selection) => (
                names(SAID) || !selection.text.is_empty() || self.condition.searches() || self.condition.reads(SAID),
                names(WHO) || asks_who(selection) || self.condition.asks_who() || self.condition.reads(WHO),
            ),
            // Of a sendout, data alone is not for everyone, and nothing says who did it.
            Source::Records(selection) if selection.tab == Tab::Sendouts => (self.reads_data(), false),
            Source::Records(_) => (true, true),
        };
        Held {
            bodies: bodies && self.rights.read_bodies,
            users: users && self.rights.read_users,
        }
    }

    /// What of the columns the file lacks, since whoever asked may not see it.
    pub fn notes(&self) -> Vec<String> {
        let is_logs = self.exported == Exported::ApiLog;
        let named = |fields: &[&str]| {
            let named = self.fields.iter().filter(|field| fields.contains(&field.as_str()));
            named.map(String::as_str).collect::<Vec<_>>().join(", ")
        };
        let mut notes = Vec::new();
        if !self.rights.read_bodies {
            let said = match self.exported {
                Exported::ApiLog => named(&SAID[1..]),
                Exported::AsyncAction => named(&["result"]),
                Exported::Export => String::new(),
                Exported::WebhookSendout => named(&[DATA]),
            };
            if !said.is_empty() {
                notes.push(format!("not allowed: without read:bodies these fields are empty: {said}"));
            }
            if is_logs && !named(&["url"]).is_empty() {
                notes.push("not allowed: without read:bodies url is the path alone, without its host and its query".to_owned());
            }
        }
        let who = named(WHO);
        if !self.rights.read_users && !who.is_empty() {
            notes.push(format!("not allowed: without read:users these fields are empty: {who}"));
        }
        notes
    }

    /// Whether a column or a comparison reads what sendouts send.
    pub(super) fn reads_data(&self) -> bool {
        self.fields.iter().any(|field| field == DATA) || self.condition.reads(&[DATA])
    }

    /// Logs as the Logs tab shows them.
    pub fn of_logs(
        selection: LogSelection,
        order: Order,
        fields: Vec<String>,
        (format, guarded): (Format, bool),
        rights: Rights,
    ) -> Result<Self, ApiError> {
        Ok(Self {
            exported: Exported::ApiLog,
            fields: check_fields(Exported::ApiLog, Some(fields))?,
            format,
            guarded,
            order,
            source: Source::Logs(Box::new(selection)),
            condition: Condition::default(),
            rights,
        })
    }

    /// Fixes which records are meant to those stored by now: `seq` is the logs' watermark, `now_ms` the time.
    pub fn fix(&mut self, seq: i64, now_ms: i64) {
        match &mut self.source {
            Source::Logs(selection) => selection.up_to_seq = Some(seq),
            Source::Records(selection) => {
                if selection.range.to > now_ms {
                    selection.range.to = now_ms + 1;
                }
            }
        }
    }

    #[cfg(test)]
    pub(super) fn of_fields(fields: &[&str]) -> Self {
        Self {
            exported: Exported::ApiLog,
            fields: fields.iter().map(|field| (*field).to_owned()).collect(),
            format: Format::Csv,
            guarded: false,
            order: Order::NewestFirst,
            source: Source::Logs(Box::new(LogSelection::all(TimeRange { from: 0, to: 1 }))),
            condition: Condition::default(),
            rights: Rights::of_scopes(&[]),
        }
    }
}

fn check_fields(exported: Exported, fields: Option<Vec<String>>) -> Result<Vec<String>, ApiError> {
    let known = exported.fields();
    let fields = fields
        .filter(|fields| !fields.is_empty())
        .unwrap_or_else(|| known[..exported.defaults()].iter().map(|field| (*field).to_owned()).collect());
    let is_wrong = |(place, field): (usize, &String)| !known.contains(&field.as_str()) || fields[..place].contains(field);
    if fields.iter().enumerate().any(is_wrong) {
        // A file whose columns are told apart by name has each once.
        let is_twice = fields.iter().all(|field| known.contains(&field.as_str()));
        let what = if is_twice {
            "Field used twice"
        } else {
            "Unsupported field used"
        };
        let details = format!("{what}. Allowed fields: {}", known.join(", "));
        return Err(ApiError::unreadable(details)
            .keyed("invalid_export_fields")
            .worded("Invalid Export"));
    }
    Ok(fields)
}

/// Who may not see something may not learn it by a filter either.
fn check_rights(condition: &Condition, rights: Rights) -> Result<(), ApiError> {
    for test in &condition.tests {
        let field = test.field.as_str();
        let reads_text = matches!(
            field,
            "request_body" | "response_body" | "request_headers" | "response_headers" | "q" | "result" | "url" | "data"
        );
        let reads_users = matches!(field, "user_email" | "user_id" | "user" | "app_id" | "client_app_id");
        if (reads_text && !rights.read_bodies) || (reads_users && !rights.read_users) {
            let details = format!("parameters.filters: {field} reads what you may not see here");
            return Err(ApiError::new(axum::http::StatusCode::FORBIDDEN, details));
        }
    }
    Ok(())
}

/// What a problem of a query is called where it came in a call's parameters.
impl From<QueryProblem> for super::EncodeError {
    fn from(problem: QueryProblem) -> Self {
        Self(problem.to_string())
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use serde_json::json;

    use super::*;
    use crate::model::filter::LogFilter;
    use crate::model::log::{Origin, Status};
    use crate::model::rights::Scope;
    use crate::server::secrets::InstanceKey;

    const NOW: i64 = 1_795_000_000_000;
    const DAY: i64 = 86_400_000;

    fn read(exported: Exported, parameters: Value, scopes: &[Scope]) -> Result<Plan, ApiError> {
        let key = InstanceKey::new([1; 32]);
        let zone = TimeZone::UTC;
        let context = QueryContext {
            now_ms: NOW,
            zone: &zone,
            rights: Rights::of_scopes(scopes),
            key: &key,
            project_id: "prj_1",
            default_origin: Origin::Application,
        };
        Plan::read(exported, &parameters, &context)
    }

    #[test]
    fn the_references_filters_become_a_selection() {
        let plan = read(
            Exported::ApiLog,
            json!({"order": "created_at", "fields": ["id", "status"], "filters": {"junction": "AND",
                "created_at": {"conditions": {"$after": ["2026-01-01T00:00:00Z"], "$before": ["2026-01-02T00:00:00Z"]}},
                "status": {"conditions": {"$is": ["FAILURE"]}}, "channel": {"conditions": {"$not_in": ["API"]}},
                "path": {"conditions": {"$contains": ["vouchers"]}}, "ip": {"conditions": {"$starts_with": ["10."]}}}}),
            &[Scope::Read],
        )
        .unwrap();
        let Source::Logs(selection) = &plan.source else {
            panic!("{plan:?}")
        };
        assert_eq!(selection.range.from, 1_767_225_600_001);
        assert_eq!(selection.range.to, 1_767_312_000_000);
        assert_eq!(selection.statuses, [Status::Failure]);
        assert_eq!(selection.channels.left_out, ["API"]);
        assert_eq!(selection.path.as_deref(), Some("vouchers"));
        assert_eq!(
            plan.condition.tests.len(),
            1,
            "what no list filters by is looked at record by record"
        );
        assert_eq!(plan.fields, ["id", "status"]);
    }

    #[test]
    fn either_or_is_looked_at_record_by_record() {
        let filters = json!({"filters": {"junction": "or", "status": {"conditions": {"$is": ["FAILURE"]}}, "channel": {"conditions": {"$in": ["API"]}}}});
        let plan = read(Exported::ApiLog, filters, &[Scope::Read]).unwrap();
        assert_eq!(plan.condition.picks.len(), 2, "in the words of the Logs tab");
        assert!(plan.condition.tests.is_empty());
    }

    #[test]
    fn every_argument_of_the_logs_tab_can_be_one_of_two() {
        for filter in LogFilter::ALL {
            let (op, value) = match filter {
                LogFilter::Slower => ("$more_than", "5"),
                filter if filter.is_literal() => ("$contains", "x"),
                LogFilter::Status => ("$in", "FAILURE"),
                LogFilter::Code => ("$in", "4xx"),
                LogFilter::Origin => ("$in", "self"),
                _ => ("$in", "x"),
            };
            let filters = |op: &str, value: &str| json!({"filters": {"junction": "or", filter.argument(): {"conditions": {op: [value]}}, "request_duration": {"conditions": {"$less_than": [9]}}}});
            let rights = [Scope::Read, Scope::ReadBodies];
            let plan = read(Exported::ApiLog, filters(op, value), &rights).unwrap();
            assert_eq!(
                (plan.condition.picks.len(), plan.condition.tests.len()),
                (1, 1),
                "{}",
                filter.argument()
            );
            if filter.reads_text() {
                assert!(plan.holds().bodies, "{}", filter.argument());
                assert!(
                    read(Exported::ApiLog, filters(op, value), &[Scope::Read]).is_err(),
                    "{}",
                    filter.argument()
                );
            }
        }
        let wrong = json!({"filters": {"junction": "or", "code": {"conditions": {"$in": ["4yx"]}}}});
        assert!(
            read(Exported::ApiLog, wrong, &[Scope::Read]).is_err(),
            "what the tab would refuse"
        );
    }

    #[test]
    fn days_before_now_narrow_the_range() {
        let range = |conditions: Value| {
            let filters = json!({"filters": {"created_at": {"conditions": conditions}}});
            let plan = read(Exported::ApiLog, filters, &[Scope::Read]).unwrap();
            assert!(plan.condition.tests.is_empty(), "found by index");
            let Source::Logs(selection) = plan.source else { panic!() };
            (NOW - selection.range.from, NOW - selection.range.to)
        };
        assert_eq!(
            range(json!({"$less_than_ago": [2], "$more_than_ago": [1]})),
            (2 * DAY - 1, DAY)
        );
        assert_eq!(
            range(json!({"$less_than": ["2"], "$after": ["1971-01-01"]})),
            (2 * DAY - 1, -1)
        );
        assert_eq!(
            range(json!({"$more_than_future": [1]})),
            (-DAY - 1, -DAY - 1 - DAY / 24),
            "nothing yet"
        );
        assert_eq!(range(json!({"$more_than_ago": [36_000]})), (NOW, NOW - 1), "nothing ever");
    }

    #[test]
    fn what_a_file_lacks_is_noted() {
        let notes = |fields: &[&str], scopes: &[Scope]| {
            let plan = read(Exported::ApiLog, json!({ "fields": fields }), scopes).unwrap();
            plan.notes()
        };
        assert_eq!(
            notes(&["id", "url", "request_body", "user_agent"], &[Scope::Read]),
            [
                "not allowed: without read:bodies these fields are empty: request_body, user_agent",
                "not allowed: without read:bodies url is the path alone, without its host and its query"
            ]
        );
        assert!(notes(&["id", "status"], &[Scope::Read]).is_empty());
        assert!(notes(&[], &[Scope::Read, Scope::ReadBodies]).is_empty());
    }

    #[test]
    fn slower_is_one_number_however_it_is_compared() {
        for op in ["$is", "$in", "$more_than"] {
            let plan = read(
                Exported::ApiLog,
                json!({"filters": {"slower": {"conditions": {op: ["1000"]}}}}),
                &[Scope::Read],
            )
            .unwrap();
            let Source::Logs(selection) = plan.source else { panic!() };
            assert!(selection.slower_than_us.is_some() && plan.condition.tests.is_empty(), "{op}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let key = |parameters| read(Exported::ApiLog, parameters, &[Scope::Read]).unwrap_err().to_json("r");
        let fields = key(json!({"fields": ["id", "secret"]}));
        assert!(
            fields.contains(r#""key":"invalid_export_fields","message":"Invalid Export""#),
            "{fields}"
        );
        assert!(
            fields.contains("\"Unsupported field used. Allowed fields: id, created_at, status, "),
            "{fields}"
        );
        assert!(key(json!({"fields": ["id", "id"]})).contains("Field used twice. Allowed fields: id"));
        assert!(key(json!({"fields": "id"})).contains("must be a list"));
        assert!(key(json!({"format": "xlsx"})).contains("csv, ndjson or parquet"));
        assert!(key(json!({"filters": {"colour": {"conditions": {"$is": ["red"]}}}})).contains("colour"));
        assert!(key(json!({"filters": {"request_body": {"conditions": {"$contains": ["x"]}}}})).contains("may not see"));
    }

    #[test]
    fn records_are_chosen_as_in_their_tab() {
        let plan = read(
            Exported::AsyncAction,
            json!({"filters": {"type": {"conditions": {"$in": ["LOGS.IMPORT"]}}, "progress": {"conditions": {"$more_than": [5]}}}}),
            &[Scope::Read],
        )
        .unwrap();
        let Source::Records(selection) = &plan.source else {
            panic!("{plan:?}")
        };
        assert_eq!(selection.filters[0].1.wanted, ["LOGS.IMPORT"]);
        assert_eq!(plan.condition.tests.len(), 1);
        assert_eq!(
            serde_json::from_str::<Plan>(&serde_json::to_string(&plan).unwrap()).unwrap(),
            plan
        );
    }
}
