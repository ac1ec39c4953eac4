//! Who makes, changes, mutes, tests and deletes alerts: members and owners, of views whose filters they may ask themselves.

use super::told::told;
use super::watched::{self, Watched};
use super::{decide, entry};
use crate::model::alert::{self, AlertEvent, AlertWish, Figures, MOST, Mute};
use crate::model::id::{IdKind, is_client_id};
use crate::model::view::{self, ViewTab};
use crate::server::access::Member;
use crate::server::selection::SelectionError;
use crate::server::state::Server;
use crate::server::store::alerts::change::{self as store, AlertChanged};
use crate::server::store::alerts::history::Entry;
use crate::server::store::alerts::{Alert, list, turn};
use crate::server::store::views::View;
use crate::server::store::{Changed, StoreError};
use crate::server::views::{self, kept};

/// Why an alert cannot be as somebody wants it.
#[derive(Debug, thiserror::Error)]
pub enum AlertError {
    /// A field makes no sense; what would.
    #[error("{reason}")]
    Field {
        /// Which, as the form calls it.
        field: &'static str,
        /// What would be right.
        reason: String,
    },
    /// There are as many as a project may have.
    #[error("A project has at most {MOST} alerts: delete one first.")]
    Many,
    /// The view's filters are not for whoever asks.
    #[error(transparent)]
    Query(#[from] SelectionError),
    /// It is switched off, so there is nothing to test.
    #[error("The alert is off: switch it on, then test it.")]
    Off,
    /// There is no such alert.
    #[error("not found")]
    NotFound,
    /// It is no longer as whoever changes it has seen it.
    #[error("Somebody else has changed or deleted this alert meanwhile: load the page again, and make your change there.")]
    Changed,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

const NO_VIEW: &str = "View: a shared view of the Logs tab. Save one there, for everyone in the project.";
const NOT_UNDERSTOOD: &str = "View: this one has filters that this version does not know. Save it anew first.";

/// Makes an alert, which counts from now on.
pub async fn create(server: &Server, member: &Member, wish: &AlertWish) -> Result<Alert, AlertError> {
    let project = member.project.key;
    if list(&server.db, project).await?.len() >= MOST {
        return Err(AlertError::Many);
    }
    let now_ms = server.clock.now_ms();
    let (wish, view) = checked(server, member, wish).await?;
    let made = Alert {
        id: server.random.id(IdKind::Alert, now_ms),
        view: wish.view,
        name: wish.name,
        condition: wish.condition,
        recipients: wish.recipients,
        active: true,
        muted_until: None,
        counts_since: now_ms,
        whole_since: now_ms,
        firing: false,
        told: false,
        since: now_ms,
        created_at: now_ms,
        changed_at: now_ms,
    };
    let began = began(server, member, &made, Some(view));
    done(store::add(&server.db, project, &made, &began).await?)?;
    Ok(made)
}

/// Changes an alert that was seen as of `known`. With another view or another window it counts anew.
pub async fn change(
    server: &Server,
    member: &Member,
    id: &str,
    known: i64,
    wish: &AlertWish,
) -> Result<Changed<Alert>, AlertError> {
    let before = found(server, member, id).await?.alert;
    let (wish, view) = checked(server, member, wish).await?;
    let is_new = before.view != wish.view || before.condition.window_minutes != wish.condition.window_minutes;
    let after = Alert {
        view: wish.view,
        name: wish.name,
        condition: wish.condition,
        recipients: wish.recipients,
        changed_at: next_change(server, &before),
        ..before.clone()
    };
    let began = (is_new && after.active).then(|| began(server, member, &after, Some(view)));
    done(store::change(&server.db, member.project.key, known, &after, began.as_ref()).await?)?;
    Ok(Changed { before, after })
}

/// Switches an alert on or off. Switched on, it counts anew.
pub async fn switch(server: &Server, member: &Member, id: &str, known: i64, on: bool) -> Result<Changed<Alert>, AlertError> {
    let watched = found(server, member, id).await?;
    let before = watched.alert;
    let after = Alert {
        active: on,
        changed_at: next_change(server, &before),
        ..before.clone()
    };
    let project = member.project.key;
    let came = if on && !before.active {
        let began = began(server, member, &after, watched.view);
        store::change(&server.db, project, known, &after, Some(&began)).await?
    } else {
        store::quiet(&server.db, project, known, &after).await?
    };
    done(came)?;
    Ok(Changed { before, after })
}

/// Mutes an alert, or lets it be heard again.
pub async fn mute(server: &Server, member: &Member, id: &str, known: i64, mute: Mute) -> Result<Changed<Alert>, AlertError> {
    let before = found(server, member, id).await?.alert;
    let after = Alert {
        muted_until: mute.until(server.clock.now_ms()),
        changed_at: next_change(server, &before),
        ..before.clone()
    };
    done(store::quiet(&server.db, member.project.key, known, &after).await?)?;
    Ok(Changed { before, after })
}

/// Deletes an alert; gives what it was.
pub async fn delete(server: &Server, member: &Member, id: &str, known: i64) -> Result<Alert, AlertError> {
    let alert = found(server, member, id).await?.alert;
    done(store::remove(&server.db, member.project.key, known, id).await?)?;
    Ok(alert)
}

/// Tells of an alert as if it had fired, marked as a test, also while it is muted; whether any endpoint wants the event.
pub async fn test(server: &Server, member: &Member, id: &str) -> Result<bool, AlertError> {
    let watched = found(server, member, id).await?;
    if !watched.alert.active {
        return Err(AlertError::Off);
    }
    let project = &member.project;
    let now_ms = server.clock.now_ms();
    let figures = decide::figures(server, project, &watched.alert, now_ms).await?;
    let line = Entry {
        muted: false,
        ..entry::at(server, &watched, AlertEvent::Tested, figures, now_ms)
    };
    let told = told(server, project, &watched, &line);
    let heard = turn::test(&server.db, project.key, &line, told).await?;
    server.webhooks.ring();
    Ok(heard)
}

async fn found(server: &Server, member: &Member, id: &str) -> Result<Watched, AlertError> {
    if !is_client_id(id) {
        return Err(AlertError::NotFound);
    }
    let watched = watched::one(server, &member.project, id).await?;
    watched.ok_or(AlertError::NotFound)
}

/// What somebody wants, as it is kept, and the view that it names.
async fn checked(server: &Server, member: &Member, wish: &AlertWish) -> Result<(AlertWish, View), AlertError> {
    let wrong = |field: &'static str, reason: String| AlertError::Field { field, reason };
    let name = view::name(&wish.name).map_err(|reason| wrong("name", reason.replace("A view needs", "An alert needs")))?;
    wish.condition.check().map_err(|(field, reason)| wrong(field, reason))?;
    let recipients = alert::recipients(&wish.recipients).map_err(|reason| wrong("recipients", format!("Mail to: {reason}")))?;
    let view = views::shared(server, member.project.key, &wish.view).await?;
    let view = view
        .filter(|view| view.tab == ViewTab::Logs)
        .ok_or_else(|| wrong("view", NO_VIEW.to_owned()))?;
    let (filters, left_out) = kept::filters(server, &member.project, &view);
    if !left_out.is_empty() {
        return Err(wrong("view", NOT_UNDERSTOOD.to_owned()));
    }
    // Counts tell of what filters find: nobody has counted what they may not look for.
    watched::selection(server, &member.project, member.rights, &filters)?;
    let wish = AlertWish {
        name,
        view: view.id.clone(),
        condition: wish.condition,
        recipients,
    };
    Ok((wish, view))
}

fn began(server: &Server, member: &Member, alert: &Alert, view: Option<View>) -> Entry {
    let watched = watched::of(server, &member.project, alert.clone(), view);
    entry::of(server, &watched, AlertEvent::Began, Figures::default())
}

fn next_change(server: &Server, before: &Alert) -> i64 {
    server.clock.now_ms().max(before.changed_at + 1)
}

fn done(came: AlertChanged) -> Result<(), AlertError> {
    match came {
        AlertChanged::Done => Ok(()),
        AlertChanged::NoView => Err(AlertError::Field {
            field: "view",
            reason: NO_VIEW.to_owned(),
        }),
        AlertChanged::Otherwise => Err(AlertError::Changed),
    }
}
