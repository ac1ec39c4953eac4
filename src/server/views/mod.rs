//! Saved views: who may save, change and delete which. Whoever belongs to a project has views of their own; what is shared is the project's.
//!
//! A view grants nothing: what is in it is asked for as the same address is, by whoever opens it. For its query as the tab's own type: [`kept`].

pub mod kept;

use super::access::Member;
use super::selection::SelectionError;
use super::state::Server;
use super::store::alerts::Alert;
use super::store::alerts::history::Entry;
use super::store::embeds;
use super::store::projects::ProjectKey;
use super::store::views::{self as store, Began, View, ViewChanged};
use super::store::{Changed, StoreError};
use crate::model::alert::{AlertEvent, Figures};
use crate::model::id::{IdKind, is_client_id};
use crate::model::query::LogQuery;
use crate::model::view::{self, MOST, ViewChange, ViewFacts, ViewQuery, ViewTab, ViewWish};

/// Why a view cannot be as somebody wants it.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// It cannot be called so.
    #[error("{0}")]
    Name(&'static str),
    /// Another one of the tab is called so already; `shared` says among which.
    #[error("{}", if *.shared { "The project has a view of this name in this tab already." } else { "You have a view of this name in this tab already." })]
    Taken {
        /// Whether the other one is shared.
        shared: bool,
    },
    /// There are as many as a menu holds.
    #[error("There are {MOST} such views in this tab already: delete one first.")]
    Many,
    /// Its query makes no sense, or asks what whoever saves it may not ask.
    #[error(transparent)]
    Query(#[from] SelectionError),
    /// Whoever asks may not; what is missing, and who can help.
    #[error("{0}")]
    NotAllowed(&'static str),
    /// There is no such view for whoever asks.
    #[error("not found")]
    NotFound,
    /// An alert watches it, so it stays, and everyone sees it.
    #[error("The alert “{0}” watches this view: delete that alert, or let it watch another view, first.")]
    Watched(String),
    /// It is no longer as whoever changes it has seen it.
    #[error("Somebody else has changed or deleted this view meanwhile: load the page again, and make your change there.")]
    Changed,
    /// It is shown outside, by the embedded view of this name, and by so many more.
    #[error(
        "The embedded view “{name}”{} shows this view to people outside: revoke {} first, on the page Settings, Embedding.",
        others(*.more),
        if *.more == 0 { "it" } else { "them" }
    )]
    Embedded {
        /// The first of them.
        name: String,
        /// How many more.
        more: usize,
    },
    /// The database failed.
    #[error(transparent)]
    Store(StoreError),
}

fn others(more: usize) -> String {
    match more {
        0 => String::new(),
        1 => " and another one".to_owned(),
        more => format!(" and {more} more"),
    }
}

impl ViewError {
    fn of_store(error: StoreError, shared: bool) -> Self {
        match error {
            StoreError::Taken(_) => Self::Taken { shared },
            other => Self::Store(other),
        }
    }
}

impl From<StoreError> for ViewError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

const MAY_NOT_SHARE: &str = "Your role in this project may not share views; a member or an owner can. Save it for yourself.";
const MAY_NOT_CHANGE: &str = "This view is shared: only who made it and the project's owners may change or delete it.";
const NOT_THE_MAKER: &str = "Only who made a view can keep it for themselves; an owner can delete it.";

/// Whether a person may change and delete a view: their own ones; of shared ones those that they made, and owners any. An auditor changes nothing in a project.
pub const fn can_change(view: &View, member: &Member) -> bool {
    let is_mine = view.user == member.person.key;
    if view.shared {
        member.rights.settle || (is_mine && member.rights.work)
    } else {
        is_mine
    }
}

/// A view as a person of its project sees it.
///
/// `shown_by` says which views are shown by which embedded ones.
pub fn facts(server: &Server, view: View, member: &Member, shown_by: &[(String, String)]) -> ViewFacts {
    let (query, left_out) = kept::read(server, &member.project, &view);
    let is_mine = view.user == member.person.key;
    let embedded = shown_by.iter().filter(|(shown, _)| *shown == view.id);
    ViewFacts {
        embedded: embedded.map(|(_, name)| name.clone()).collect(),
        query: query.to_query_string(),
        left_out,
        can_change: can_change(&view, member),
        mine: is_mine,
        by: (is_mine || member.rights.read_users).then_some(view.by),
        id: view.id,
        name: view.name,
        shared: view.shared,
        changed_at: view.changed_at,
    }
}

/// A view that a person sees.
pub async fn one(server: &Server, member: &Member, id: &str) -> Result<View, ViewError> {
    let found = found(server, member.project.key, id).await?;
    found
        .filter(|view| view.is_seen_by(member.person.key))
        .ok_or(ViewError::NotFound)
}

/// A view of a project that is shared there.
pub async fn shared(server: &Server, project: ProjectKey, id: &str) -> Result<Option<View>, StoreError> {
    Ok(found(server, project, id).await?.filter(|view| view.shared))
}

async fn found(server: &Server, project: ProjectKey, id: &str) -> Result<Option<View>, StoreError> {
    if is_client_id(id) {
        store::find(&server.db, project, id).await
    } else {
        Ok(None)
    }
}

/// Saves a new view.
pub async fn create(server: &Server, member: &Member, tab: ViewTab, wish: &ViewWish) -> Result<View, ViewError> {
    let name = view::name(&wish.name).map_err(ViewError::Name)?;
    let query = asked(server, member, tab, &wish.query)?;
    let now_ms = server.clock.now_ms();
    let made = View {
        id: server.random.id(IdKind::View, now_ms),
        user: member.person.key,
        by: member.person.email.clone(),
        tab,
        name,
        shared: wish.shared,
        query: query.to_query_string(),
        created_at: now_ms,
        changed_at: now_ms,
    };
    may_share(member, made.shared)?;
    has_room(server, member, &made).await?;
    let added = store::add(&server.db, member.project.key, &made).await;
    added.map_err(|error| ViewError::of_store(error, made.shared))?;
    Ok(made)
}

/// Changes a view that was seen as of `known`.
pub async fn change(
    server: &Server,
    member: &Member,
    id: &str,
    known: i64,
    change: &ViewChange,
) -> Result<Changed<View>, ViewError> {
    let before = to_change(server, member, id).await?;
    let mut after = before.clone();
    if let Some(name) = &change.name {
        after.name = view::name(name).map_err(ViewError::Name)?;
    }
    if let Some(query) = &change.query {
        after.query = asked(server, member, before.tab, query)?.to_query_string();
    }
    if let Some(shared) = change.shared.filter(|shared| *shared != before.shared) {
        if before.user != member.person.key {
            return Err(ViewError::NotAllowed(NOT_THE_MAKER));
        }
        may_share(member, shared)?;
        if !shared {
            is_shown_by_none(server, member.project.key, id).await?;
        }
        after.shared = shared;
        has_room(server, member, &after).await?;
    }
    after.changed_at = server.clock.now_ms().max(before.changed_at + 1);
    // Whatever watches it counts anew where it finds other logs; not where it shows them otherwise.
    let filters = kept::filters(server, &member.project, &after);
    let has_others = filters != kept::filters(server, &member.project, &before);
    let began = |alert: &Alert| began(server, alert, &filters.0, after.changed_at);
    let began: Option<Began<'_>> = has_others.then_some(&began);
    let done = store::change(&server.db, member.project.key, known, &after, began).await;
    match done.map_err(|error| ViewError::of_store(error, after.shared))? {
        ViewChanged::Done => Ok(Changed { before, after }),
        ViewChanged::Otherwise => Err(ViewError::Changed),
        ViewChanged::Watched(alert) => Err(ViewError::Watched(alert)),
    }
}

/// Deletes a view that was seen as of `known`; gives what it was.
pub async fn delete(server: &Server, member: &Member, id: &str, known: i64) -> Result<View, ViewError> {
    let view = to_change(server, member, id).await?;
    is_shown_by_none(server, member.project.key, id).await?;
    match store::remove(&server.db, member.project.key, known, id).await? {
        ViewChanged::Done => Ok(view),
        ViewChanged::Otherwise => Err(ViewError::Changed),
        ViewChanged::Watched(alert) => Err(ViewError::Watched(alert)),
    }
}

/// That an alert's counts began anew, since its view has other filters.
fn began(server: &Server, alert: &Alert, filters: &LogQuery, now_ms: i64) -> Entry {
    let id = server.random.id(IdKind::AlertEntry, now_ms);
    let what = (AlertEvent::Began, Figures::default());
    Entry::new(id, alert, what, filters.to_query_string(), now_ms)
}

/// Whoever framed an embedded view relies on it: that it ends is said where it is ended, and does not come of tidying up views. One that is made in this very moment shows nothing.
async fn is_shown_by_none(server: &Server, project: ProjectKey, id: &str) -> Result<(), ViewError> {
    let shown_by = embeds::shown_by(&server.db, project, server.clock.now_ms()).await?;
    let mut names = shown_by.into_iter().filter(|(view, _)| view == id).map(|(_, name)| name);
    match names.next() {
        None => Ok(()),
        Some(name) => Err(ViewError::Embedded {
            name,
            more: names.count(),
        }),
    }
}

async fn to_change(server: &Server, member: &Member, id: &str) -> Result<View, ViewError> {
    let view = one(server, member, id).await?;
    if can_change(&view, member) {
        Ok(view)
    } else {
        Err(ViewError::NotAllowed(MAY_NOT_CHANGE))
    }
}

const fn may_share(member: &Member, shared: bool) -> Result<(), ViewError> {
    if shared && !member.rights.work {
        return Err(ViewError::NotAllowed(MAY_NOT_SHARE));
    }
    Ok(())
}

/// Two who save at the same moment may both find room: the bound is a menu's, not the database's.
async fn has_room(server: &Server, member: &Member, view: &View) -> Result<(), ViewError> {
    let count = store::count(&server.db, member.project.key, view.tab, view.shared, view.user).await?;
    if usize::try_from(count).is_ok_and(|count| count < MOST) {
        Ok(())
    } else {
        Err(ViewError::Many)
    }
}

/// The query that somebody wants to save: one that they could open themselves.
fn asked(server: &Server, member: &Member, tab: ViewTab, text: &str) -> Result<ViewQuery, ViewError> {
    let query = ViewQuery::to_save(tab, text).map_err(SelectionError::from)?;
    kept::check(server, &member.project, member.rights, &query, server.clock.now_ms())?;
    Ok(query)
}
