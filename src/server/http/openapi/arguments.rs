//! The arguments of lists, read off the filters themselves: one that is added there is described here.

use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Required, Schema};

use crate::model::filter::LogFilter;
use crate::model::tab::Tab;
use crate::model::view::ViewTab;

/// Of `GET /v1/logs`.
pub(in crate::server::http) struct LogArguments;
/// Of `GET /v1/async-actions`.
pub(in crate::server::http) struct TaskArguments;
/// Of `GET /v1/exports`.
pub(in crate::server::http) struct ExportArguments;
/// Of `GET /v1/chain/heads`.
pub(in crate::server::http) struct HeadArguments;
/// Of `GET /v1/webhook-sendouts`.
pub(in crate::server::http) struct SendoutArguments;

/// Of `GET /v1/views`.
pub(in crate::server::http) struct ViewArguments;

const FROM: &str = "RFC 3339, a date, or a time before now as `-24h`; included";
const TO: &str = "As `from`; not included";
const LISTED: &str = "several values by commas, `!` before one leaves it out";

impl IntoParams for LogArguments {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mut all = range("The last 24 hours where it is not given.");
        all.extend(LogFilter::ALL.map(|filter| {
            let how = if filter.is_literal() { "one text" } else { LISTED };
            let needs = match filter {
                _ if filter.reads_text() => "; needs the scope `read:bodies`",
                LogFilter::Origin => "; `application` where it is not given",
                _ => "",
            };
            text(filter.argument(), format!("{}: {how}{needs}", filter.label()))
        }));
        all.extend(pages());
        all
    }
}

impl IntoParams for TaskArguments {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mut all = of_tab(Tab::Tasks, "Everything where it is not given.");
        all.push(text("end_date", "Those before this time or date".to_owned()));
        all.extend(pages());
        all
    }
}

impl IntoParams for SendoutArguments {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mut all = of_tab(Tab::Sendouts, "The last 24 hours where it is not given.");
        all.extend(pages());
        all
    }
}

impl IntoParams for ExportArguments {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mut all = of_tab(Tab::Exports, "Everything where it is not given.");
        all.push(number("limit", "Exports a page; 10 where it is not given"));
        all.push(number("page", "Which page; the first is 1"));
        let orders = ["created_at", "-created_at", "status", "-status"];
        all.push(choice("order", "`-created_at`, newest first, where it is not given", &orders));
        all
    }
}

impl IntoParams for HeadArguments {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![
            number("limit", "Heads a page; 20 where it is not given"),
            text("after", "`more_starting_after` of the page before".to_owned()),
        ]
    }
}

impl IntoParams for ViewArguments {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let tabs = ViewTab::ALL.map(ViewTab::as_str);
        vec![choice("tab", "Of one tab; of all where it is not given", &tabs)]
    }
}

fn of_tab(tab: Tab, default: &str) -> Vec<Parameter> {
    let mut all = range(default);
    all.extend(tab.filters().iter().map(|filter| {
        let choices: Vec<String> = filter.choices.iter().map(|(word, _)| format!("`{word}`")).collect();
        let choices = if choices.is_empty() {
            String::new()
        } else {
            format!("{}; ", choices.join(", "))
        };
        text(filter.argument, format!("{}: {choices}{LISTED}", filter.label))
    }));
    all
}

fn range(default: &str) -> Vec<Parameter> {
    vec![
        text("from", format!("{FROM}. {default}")),
        text("to", TO.to_owned()),
        text(
            "tz",
            "The zone of times without an offset: `utc`, `project`, or its IANA name".to_owned(),
        ),
    ]
}

fn pages() -> Vec<Parameter> {
    vec![
        choice(
            "order",
            "`-created_at`, newest first, where it is not given",
            &["created_at", "-created_at"],
        ),
        number("limit", "Entries a page; 50 where it is not given"),
        text("after", "`more_starting_after` of the page before".to_owned()),
        text(
            "before",
            "A cursor: what comes before it; not together with `after`".to_owned(),
        ),
    ]
}

fn text(name: &str, about: String) -> Parameter {
    query(name, about, ObjectBuilder::new().schema_type(Type::String))
}

fn number(name: &str, about: &str) -> Parameter {
    let schema = ObjectBuilder::new().schema_type(Type::Integer);
    query(name, about.to_owned(), schema.minimum(Some(1)).maximum(Some(100)))
}

fn choice(name: &str, about: &str, words: &[&str]) -> Parameter {
    let schema = ObjectBuilder::new().schema_type(SchemaType::new(Type::String));
    query(name, about.to_owned(), schema.enum_values(Some(words.iter().copied())))
}

fn query(name: &str, about: String, schema: ObjectBuilder) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(about))
        .schema(Some(RefOr::T(Schema::Object(schema.build()))))
        .build()
}
