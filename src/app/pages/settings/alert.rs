//! An alert's page: how it stands, what can be done with it, and what it did.

use leptos::html::{Button, H1};
use leptos::prelude::*;

use super::alert_actions::Actions;
use super::alert_form::AlertForm;
use super::alert_history::History;
use super::alert_state::{stands, what_it_watches};
use super::focus;
use crate::api::alerts::{AlertPage, alert_page};
use crate::app::parts::awaited::answered;
use crate::app::parts::links::{project_id, search};
use crate::app::parts::records::facts;
use crate::app::parts::records::live::{keep_fresh, say};
use crate::app::parts::states::Problem;
use crate::app::parts::title::Title;
use crate::model::alert::AlertFacts;
use leptos_router::hooks::use_params_map;

/// What the parts of the page share.
#[derive(Clone, Copy, Debug)]
pub struct Board {
    project: StoredValue<String>,
    pub(super) page: RwSignal<AlertPage>,
    /// The alert, as it is now.
    pub(super) alert: Memo<AlertFacts>,
    /// Reads it again.
    pub(super) again: Callback<()>,
    /// The form is open.
    pub(super) editing: RwSignal<bool>,
    /// The button that opens the form.
    pub(super) edit: NodeRef<Button>,
    /// The page's heading, where the focus goes when what had it is gone.
    pub(super) heading: NodeRef<H1>,
}

impl Board {
    pub(super) fn project(self) -> String {
        self.project.try_get_value().unwrap_or_default()
    }

    /// The alert's id, and when it was changed last.
    pub(super) fn known(self) -> (String, i64) {
        self.alert.with_untracked(|alert| (alert.id.clone(), alert.changed_at))
    }
}

/// The page.
#[component]
pub fn Alert() -> impl IntoView {
    let (project, search) = (project_id(), search());
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|map| map.get("id")).unwrap_or_default());
    let (refresh, set_refresh) = signal(0_u32);
    let page = Resource::new(
        move || (project.get(), id.get(), search.get(), refresh.get()),
        |(project, id, search, _)| alert_page(project, id, search),
    );
    let again = Callback::new(move |()| set_refresh.update(|count| *count = count.wrapping_add(1)));
    let list = move || format!("/projects/{}/settings/alerts", project.get());
    view! {
        <Title text="Alert · audit-log"/>
        <main id="content" class="form-page settings alerts">
            <p><a href=list>"All alerts"</a></p>
            <Transition>
                {answered(page, move |page| match page {
                    Ok(page) => view! { <Whole page project=project.get_untracked() search=search.get_untracked()/> }.into_any(),
                    Err(error) => view! { <Problem error again clear="?"/> }.into_any(),
                })}
            </Transition>
        </main>
    }
}

#[component]
fn Whole(page: AlertPage, project: String, search: String) -> impl IntoView {
    let id = page.alert.id.clone();
    let may_work = page.around.may_work;
    let page = RwSignal::new(page);
    let of_project = project.clone();
    let ask = move || alert_page(of_project.clone(), id.clone(), search.clone());
    let again = keep_fresh(page, |page| page.alert.active, ask);
    let board = Board {
        project: StoredValue::new(project.clone()),
        page,
        alert: Memo::new(move |_| page.with(|page| page.alert.clone())),
        again,
        editing: RwSignal::new(false),
        edit: NodeRef::new(),
        heading: NodeRef::new(),
    };
    let zone = move || page.with_untracked(|page| page.around.zone.clone());
    let alert = board.alert;
    let told = move || {
        let addresses = alert.with(|alert| alert.recipients.join(", "));
        let has_mail = page.with_untracked(|page| page.around.has_mail);
        match (addresses.is_empty(), has_mail) {
            (true, _) => None,
            (false, true) => facts::words("Mail to", Some(addresses)),
            (false, false) => facts::words(
                "Mail to",
                Some(format!(
                    "{addresses} (mail is not configured on this server: nothing is sent)"
                )),
            ),
        }
    };
    view! {
        <h1 tabindex="-1" node_ref=board.heading>{move || alert.with(|alert| alert.name.clone())}</h1>
        {move || alert.with(|alert| stands(alert, &zone()))}
        <dl class="record-list">
            {move || alert.with(|alert| what_it_watches(alert, &project, &zone()))}
            {told}
            {move || alert.with(|alert| facts::id("Alert ID", alert.id.clone()))}
        </dl>
        {may_work.then(|| view! { <Actions board/> })}
        {form(board)}
        <History board/>
    }
}

/// The form, while it is open.
fn form(board: Board) -> impl IntoView {
    // The form goes, and with it what had the focus: it returns to the button that opened the form.
    let close = move || {
        board.editing.try_set(false);
        focus(board.edit);
    };
    let done = Callback::new(move |()| {
        close();
        board.again.run(());
        say("The alert is changed");
    });
    let keep = Callback::new(move |()| close());
    move || {
        board.editing.get().then(|| {
            let of = board.alert.get_untracked();
            let around = board.page.with_untracked(|page| page.around.clone());
            view! { <AlertForm project=board.project() around of=Some(of) done keep=Some(keep)/> }
        })
    }
}
