//! Saved views: what a tab shows, under a name; one person's own, or shared in the project.
//!
//! A view is the query of its tab, as [`ViewQuery`] reads and writes it. To give another list views: a [`ViewTab`], and its query there.

mod query;

use serde::{Deserialize, Serialize};

pub use query::{ViewQuery, view_alone};

use super::tab::Tab;

/// Characters of a view's name, at most.
pub const MAX_NAME: usize = 80;
/// Bytes of a view's query, at most: what fits an address with room to spare.
pub const MAX_QUERY: usize = 4_096;
/// Views of one person, or shared in the project, a tab: more are not found again in a menu.
pub const MOST: usize = 100;

/// A tab that has views: any of the four.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum ViewTab {
    /// Logs.
    Logs,
    /// Background tasks.
    Tasks,
    /// Exports.
    Exports,
    /// Webhook sendouts.
    Sendouts,
}

impl ViewTab {
    /// All of them, in the navigation's order.
    pub const ALL: [Self; 4] = [Self::Logs, Self::Tasks, Self::Exports, Self::Sendouts];

    /// The word of addresses, of the API and of the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Logs => "logs",
            Self::Tasks => "tasks",
            Self::Exports => "exports",
            Self::Sendouts => "sendouts",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tab| tab.as_str() == word)
    }

    /// The tab of records that it is; `None` for logs.
    pub const fn records(self) -> Option<Tab> {
        match self {
            Self::Logs => None,
            Self::Tasks => Some(Tab::Tasks),
            Self::Exports => Some(Tab::Exports),
            Self::Sendouts => Some(Tab::Sendouts),
        }
    }

    /// The tab of these records.
    pub const fn of_records(tab: Tab) -> Self {
        match tab {
            Tab::Tasks => Self::Tasks,
            Tab::Exports => Self::Exports,
            Tab::Sendouts => Self::Sendouts,
        }
    }
}

/// A view, as whoever looks sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewFacts {
    /// `view_…`.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Whether the whole project has it; else it is their own.
    pub shared: bool,
    /// Its query, without a `?`.
    pub query: String,
    /// Arguments that were saved and mean nothing any more: they are not in the query.
    pub left_out: Vec<String>,
    /// The embedded views that show it to people outside, by name.
    #[serde(default)]
    pub embedded: Vec<String>,
    /// Who made it, where whoever looks may see that.
    pub by: Option<String>,
    /// Whether whoever looks made it.
    pub mine: bool,
    /// Whether whoever looks may change and delete it.
    pub can_change: bool,
    /// When it was changed last, in milliseconds since 1970: whoever changes it says which state they saw.
    pub changed_at: i64,
}

/// What somebody wants to save.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewWish {
    /// What it is to be called.
    pub name: String,
    /// Whether the whole project is to have it.
    pub shared: bool,
    /// The tab's query.
    pub query: String,
}

/// What somebody wants to be otherwise about a view; `None` for what stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewChange {
    /// What it is to be called.
    pub name: Option<String>,
    /// Whether the whole project is to have it.
    pub shared: Option<bool>,
    /// The tab's query.
    pub query: Option<String>,
}

/// A view's name as it is kept: blanks around it and doubled ones within do not count. The reason in words where it is none.
pub fn name(text: &str) -> Result<String, &'static str> {
    let name = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.is_empty() {
        return Err("A view needs a name.");
    }
    if name.chars().count() > MAX_NAME {
        return Err("A name has at most 80 characters.");
    }
    if name.chars().any(char::is_control) {
        return Err("A name has no control characters.");
    }
    Ok(name)
}

/// By what two names are the same: case does not count.
pub fn folded(name: &str) -> String {
    name.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_without_blanks_that_nobody_sees() {
        assert_eq!(name("  Failed \t redemptions\n"), Ok("Failed redemptions".to_owned()));
        assert_eq!(name(&"ü".repeat(MAX_NAME)).unwrap().chars().count(), MAX_NAME);
        for wrong in ["", " \n ", &"x".repeat(MAX_NAME + 1), "a\u{0}b", "a\u{1b}[1m"] {
            assert!(name(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn names_are_the_same_in_any_case() {
        assert_eq!(folded("ÜBER Alles"), folded("über alles"));
        assert_ne!(folded("a"), folded("b"));
    }

    #[test]
    fn a_tab_s_word_reads_back() {
        for tab in ViewTab::ALL {
            assert_eq!(ViewTab::parse(tab.as_str()), Some(tab));
            assert_eq!(serde_json::to_value(tab).unwrap(), tab.as_str());
            assert_eq!(tab.records().map_or(ViewTab::Logs, ViewTab::of_records), tab);
        }
        assert_eq!(ViewTab::parse("LOGS"), None);
    }
}
