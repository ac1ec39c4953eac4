//! Saved views in a tab's head: the menu that opens them, the line that says which one is open, and the dialog that saves and renames.
//!
//! To give a tab views: [`Board::put_up`] in its page, [`menu`](menu::menu) beside its filters, [`line`](line::line) above its rows and
//! [`dialog`](save::dialog) at its end.

pub mod line;
pub mod menu;
pub mod save;
mod words;

use leptos::html::Button;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;

use crate::api::error::ApiError;
use crate::api::views::{ViewsPage, views};
use crate::model::view::{ViewFacts, ViewQuery, ViewTab};

/// What the dialog is open for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Saving {
    /// What the page shows becomes a view.
    New,
    /// A view gets another name, or other people.
    Renamed(ViewFacts),
}

/// What the parts share.
#[derive(Clone, Copy, Debug)]
pub struct Board {
    tab: ViewTab,
    project: Memo<String>,
    /// What the page's address says.
    page: Memo<ViewQuery>,
    views: Resource<Result<ViewsPage, ApiError>>,
    /// Whether whoever looks may share views: as the server said with them.
    may_share: StoredValue<bool>,
    refresh: RwSignal<u32>,
    saving: RwSignal<Option<Saving>>,
    /// Goes to an address without a reload.
    go: Callback<String>,
    /// The menu's button, where the focus goes when what had it is gone.
    button: NodeRef<Button>,
}

impl Board {
    /// Puts up what the parts of a tab's page share; `search` is the page's query string.
    pub fn put_up(tab: ViewTab, project: Memo<String>, search: Memo<String>) -> Self {
        let refresh = RwSignal::new(0_u32);
        let navigate = use_navigate();
        Self {
            tab,
            project,
            page: Memo::new(move |_| ViewQuery::of_page(tab, &search.read()).unwrap_or_else(|_| ViewQuery::all(tab))),
            views: Resource::new(
                move || (project.get(), refresh.get()),
                move |(project, _)| views(project, tab),
            ),
            may_share: StoredValue::new(false),
            refresh,
            saving: RwSignal::new(None),
            go: Callback::new(move |address: String| {
                let options = NavigateOptions {
                    scroll: false,
                    ..NavigateOptions::default()
                };
                navigate(&address, options);
            }),
            button: NodeRef::new(),
        }
    }

    /// Reads the views again.
    fn again(self) {
        self.refresh.try_update(|count| *count = count.wrapping_add(1));
    }

    /// How a view stands to what the page shows.
    fn standing(self, view: &ViewFacts) -> Standing {
        let says = ViewQuery::of_page(self.tab, &view.query).unwrap_or_else(|_| ViewQuery::all(self.tab));
        self.page.with(|page| {
            let is_open = page.view() == Some(view.id.as_str());
            match (says.is_shown_by(page), is_open) {
                (true, true) => Standing::Shown,
                // Without being opened: somebody set the same filters.
                (true, false) if page.view().is_none() => Standing::Shown,
                (false, true) => Standing::Changed,
                (_, false) => Standing::Other,
            }
        })
    }

    /// The address of a view's list, in the zone that the page is in unless it has its own.
    fn link(self, view: &ViewFacts) -> String {
        let says = ViewQuery::of_page(self.tab, &view.query).unwrap_or_else(|_| ViewQuery::all(self.tab));
        self.page.with(|page| says.link(&view.id, page.zone()))
    }
}

/// How a view stands to what the page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// It is this.
    Shown,
    /// The page began from it, and shows something else by now.
    Changed,
    /// It is not open.
    Other,
}
