//! The settings page of members: who belongs to the project and as what, who is invited, and what a role may see.

use leptos::html::H2;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::invitations::{Invitations, InviteForm};
use super::member::Member;
use super::sight::Sight;
use crate::api::error::ApiError;
use crate::api::members::{FreshInvitation, MembersPage, members_page};
use crate::app::parts::awaited::answered;
use crate::app::parts::links::{project_id, search};
use crate::app::parts::records::live::say;
use crate::app::parts::states::Problem;
use crate::app::parts::title::Title;
use crate::model::member::MemberFacts;

/// What the parts of the page share.
#[derive(Clone, Copy, Debug)]
pub struct Board {
    project: StoredValue<String>,
    pub(super) page: RwSignal<MembersPage>,
    /// An invitation that was just made.
    pub(super) fresh: RwSignal<Option<FreshInvitation>>,
    again: Callback<()>,
    /// The heading of the members, where the focus goes when what had it is gone.
    pub(super) heading: NodeRef<H2>,
}

impl Board {
    pub(super) fn project(self) -> String {
        self.project.try_get_value().unwrap_or_default()
    }

    /// A time, whole.
    pub(super) fn full(self, at: i64) -> String {
        self.page.with_untracked(|page| page.zone.full(at))
    }

    /// What came of a change: it is said and the page is read again, or the reason is shown.
    pub(super) fn changed(self, answer: Result<(), ApiError>, words: &'static str, failed: RwSignal<Option<String>>) -> bool {
        match answer {
            Ok(()) => {
                failed.try_set(None);
                self.again.try_run(());
                say(words);
                true
            }
            Err(error) => {
                failed.try_set(Some(error.to_string()));
                false
            }
        }
    }

    /// Shows an invitation's link, once.
    pub(super) fn tell(self, fresh: FreshInvitation) {
        self.fresh.try_set(Some(fresh));
        self.again.try_run(());
        say("The invitation's link is shown: copy it now");
    }
}

/// The page.
#[component]
pub fn Members() -> impl IntoView {
    let (project, search) = (project_id(), search());
    let (refresh, set_refresh) = signal(0_u32);
    let page = Resource::new(
        move || (project.get(), search.get(), refresh.get()),
        |(project, search, _)| members_page(project, search),
    );
    let again = Callback::new(move |()| set_refresh.update(|count| *count = count.wrapping_add(1)));
    view! {
        <Title text="Members · audit-log"/>
        <main id="content" class="form-page settings">
            <h1>"Members"</h1>
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
fn Whole(page: MembersPage, project: String, search: String) -> impl IntoView {
    let page = RwSignal::new(page);
    let of_project = project.clone();
    let again = Callback::new(move |()| {
        let (project, search) = (project.clone(), search.clone());
        spawn_local(async move {
            // What cannot be read now leaves what is shown as it is.
            if let Ok(read) = members_page(project, search).await {
                page.try_set(read);
            }
        });
    });
    let board = Board {
        project: StoredValue::new(of_project),
        page,
        fresh: RwSignal::new(None),
        again,
        heading: NodeRef::new(),
    };
    let members = move || page.with(|page| page.members.clone());
    let key = |member: &MemberFacts| member.id.clone();
    let rights = page.with_untracked(|page| page.rights.clone());
    view! {
        <p class="quiet">"An owner does everything; a member reads and works; an auditor reads and makes exports, and changes nothing."</p>
        <h2 tabindex="-1" node_ref=board.heading>"People"</h2>
        <ul class="sessions"><For each=members key=key let:member><Member member board/></For></ul>
        <h2 id="invite-title">"Invite somebody"</h2>
        <InviteForm board/>
        <Invitations board/>
        <h2>"What roles may see"</h2>
        <p class="quiet">"What is taken from a role here, its people cannot learn by a filter, an export, a task or a sendout either. Owners see everything."</p>
        {rights.into_iter().map(|rights| view! { <Sight rights board/> }).collect_view()}
    }
}
