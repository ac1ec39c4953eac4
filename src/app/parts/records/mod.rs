//! A tab of records: its filters, range, table and pages, the same for every kind.
//!
//! To add a tab: its row in [`Tab`], its words in [`segment`], [`Record`] for what it lists, and a page that is [`list::list`] of it.

pub mod ask;
pub mod cells;
pub mod chips;
pub mod facts;
pub mod filters;
mod held;
pub mod list;
pub mod live;
pub mod meant;
pub mod pager;
pub mod range;
pub mod table;

use leptos::prelude::{AnyView, Callback, IntoAny, Memo};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::api::error::ApiError;
use crate::api::tasks::{Listed, Offer};
use crate::model::export::Exported;
use crate::model::filter::parse_terms;
use crate::model::tab::{Tab, TabFilter, TabQuery};
use crate::model::zone::Zone;

/// A column's head.
#[derive(Clone, Copy, Debug)]
pub struct Head {
    /// The class of its cells, which gives them their width.
    pub class: &'static str,
    /// What people read.
    pub label: &'static str,
    /// Whether it is the time that the list is ordered by: its head turns the order around.
    pub turns: bool,
}

/// A column.
pub const fn head(class: &'static str, label: &'static str) -> Head {
    Head {
        class,
        label,
        turns: false,
    }
}

/// What a tab lists.
pub trait Record: Clone + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Its tab.
    const TAB: Tab;
    /// One of them, in a sentence.
    const ONE: &'static str;
    /// The head of the first column, which is the id's.
    const ID: &'static str;
    /// The columns after the id.
    const HEADS: &'static [Head];

    /// Asks the server for a page of them.
    fn ask(project: String, query: String) -> impl Future<Output = Result<Listed<Self>, ApiError>> + Send + 'static;

    /// Its id.
    fn id(&self) -> &str;

    /// Whether nothing more will happen to it by itself.
    fn is_over(&self) -> bool;

    /// What is another one once anything about it has changed.
    fn version(&self) -> String;

    /// What stands in its cells, a text of markup a column of [`Record::HEADS`]. Whatever a record says goes through
    /// [`Escaped`](super::markup::Escaped).
    fn cells(&self, context: &RowContext) -> Vec<String>;

    /// What can be begun from the list, beside Refresh; `now` asks for the list again, `any` says whether there has ever been such a record.
    fn action(now: Callback<()>, any: Memo<bool>) -> AnyView {
        let _ = (now, any);
        ().into_any()
    }

    /// What is shown to those who have never had one.
    fn first() -> AnyView;
}

/// What a row needs to know beside its record.
#[derive(Clone, Debug)]
pub struct RowContext {
    /// The zone that times are shown in.
    pub zone: Zone,
    /// The server's time.
    pub now: i64,
    /// The list's own path.
    pub path: String,
    /// The list's query, with a `?` where it is not empty.
    pub arguments: String,
    /// Whether whoever looks may do more than look.
    pub may_work: bool,
}

/// What the parts around the rows know of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Around {
    /// Values that filters can offer.
    pub offered: Vec<(String, Vec<Offer>)>,
    /// The range, where its ends were named.
    pub range: (Option<i64>, Option<i64>),
    /// The server's time.
    pub now: i64,
    /// The zone that times are shown in.
    pub zone: Zone,
}

impl Around {
    /// What a filter's value is called, where it is not what people call it.
    pub fn name_of(&self, argument: &str, value: &str) -> Option<&str> {
        let (_, offers) = self.offered.iter().find(|(of, _)| of == argument)?;
        offers.iter().find(|offer| offer.value == value)?.name.as_deref()
    }

    /// What surrounds these rows.
    pub fn of<R>(page: &Listed<R>) -> Self {
        Self {
            offered: page.offered.clone(),
            range: page.range,
            now: page.now,
            zone: page.zone.clone(),
        }
    }
}

/// A tab's segment in the address.
pub const fn segment(tab: Tab) -> &'static str {
    match tab {
        Tab::Tasks => "tasks",
        Tab::Exports => "exports",
        Tab::Sendouts => "sendouts",
    }
}

/// The tab whose segment this is.
pub fn tab_of(word: &str) -> Option<Tab> {
    Tab::ALL.into_iter().find(|tab| segment(*tab) == word)
}

/// A link to the same page with another query.
pub fn to_query(query: &TabQuery) -> String {
    format!("?{}", query.to_query_string())
}

/// The list's query as a record's page takes it over for the way back to this very page, with its `?`.
pub fn arguments(query: &TabQuery) -> String {
    let text = query.to_query_string();
    if text.is_empty() { text } else { format!("?{text}") }
}

/// The words that people read for a filter's value.
pub fn value_words(filter: &TabFilter, value: &str) -> String {
    let choice = filter.choices.iter().find(|(word, _)| word.eq_ignore_ascii_case(value));
    match choice {
        Some((_, words)) => (*words).to_owned(),
        None if filter.argument == "exported_object" => Exported::label(value).to_owned(),
        None => value.to_owned(),
    }
}

/// The words for several values, wanted or left out.
pub fn terms_words(filter: &TabFilter, value: &str) -> String {
    let words = parse_terms(value).into_iter().map(|term| {
        let words = value_words(filter, &term.value);
        if term.without { format!("not {words}") } else { words }
    });
    words.collect::<Vec<_>>().join(", ")
}
