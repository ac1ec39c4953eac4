//! The settings page of retention: how long logs are kept, what the next purge deletes, what the last ones did, and how long the disk will do.

use leptos::html::H2;
use leptos::prelude::*;

use super::retention_form::RetentionForm;
use super::retention_purges::{NextPurge, PastPurges};
use super::retention_storage::Stored;
use crate::api::retention::{RetentionPage, WillGo, retention_page};
use crate::app::parts::awaited::answered;
use crate::app::parts::links::{project_id, search};
use crate::app::parts::records::live::keep_fresh;
use crate::app::parts::states::Problem;
use crate::app::parts::title::Title;
use crate::model::format;
use crate::model::retention::{HALF_YEAR, Kept, YEAR, days};

/// What the parts of the page share.
#[derive(Clone, Copy, Debug)]
pub struct Board {
    project: StoredValue<String>,
    pub(super) page: RwSignal<RetentionPage>,
    /// Reads it again.
    pub(super) again: Callback<()>,
    /// The heading of the next purge, where the focus goes when what had it is gone.
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

    /// The address of a task's page.
    pub(super) fn task(self, id: &str) -> String {
        format!("/projects/{}/tasks/{id}", self.project())
    }
}

/// The page.
#[component]
pub fn Retention() -> impl IntoView {
    let (project, search) = (project_id(), search());
    let (refresh, set_refresh) = signal(0_u32);
    let page = Resource::new(
        move || (project.get(), search.get(), refresh.get()),
        |(project, search, _)| retention_page(project, search),
    );
    let again = Callback::new(move |()| set_refresh.update(|count| *count = count.wrapping_add(1)));
    view! {
        <Title text="Retention · audit-log"/>
        <main id="content" class="form-page settings">
            <h1>"Retention"</h1>
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
fn Whole(page: RetentionPage, project: String, search: String) -> impl IntoView {
    let (choice, instance_days) = (page.choice, page.instance_days);
    let page = RwSignal::new(page);
    let of_project = project.clone();
    let again = keep_fresh(
        page,
        |page| page.running.is_some() || page.storage.is_none(),
        move || retention_page(project.clone(), search.clone()),
    );
    let board = Board {
        project: StoredValue::new(of_project),
        page,
        again,
        heading: NodeRef::new(),
    };
    view! {
        <p class="quiet">
            "Logs are deleted once they are older than this, to the millisecond: once a day, in the background, a little at a time. "
            "Tasks, events and sendouts are kept for ever, exports' files for 90 days."
        </p>
        <p class="quiet">{move || page.with(|page| own(page.kept))}</p>
        <h2>"How long logs are kept"</h2>
        <RetentionForm choice instance_days board/>
        <NextPurge board/>
        <PastPurges board/>
        <Stored board/>
    }
}

/// How long the log of the log is kept, which nobody in a project can have deleted sooner.
fn own(kept: Kept) -> String {
    match kept.own_days() {
        None => "What people and keys did here (origin self) is kept for ever, as the other logs are.".to_owned(),
        Some(number) => format!(
            "What people and keys did here (origin self) is kept for {}, with what it says, whatever is chosen below: for a year at least, even where the project is deleted.",
            days(number)
        ),
    }
}

/// `6 months (183 days)`, `12 months (365 days)`, `90 days`, `for ever`.
pub(super) fn kept_for(number: Option<u32>) -> String {
    match number {
        None => "for ever".to_owned(),
        Some(HALF_YEAR) => format!("6 months ({})", days(HALF_YEAR)),
        Some(YEAR) => format!("12 months ({})", days(YEAR)),
        Some(number) => days(number),
    }
}

/// As "12,034 logs and the bodies of about 300 more", of what there is to delete.
pub(super) fn what_goes(will: &WillGo) -> String {
    let some = |number: u64, one: &str, many: &str| {
        (number > 0).then(|| format!("{} {}", format::count(number), if number == 1 { one } else { many }))
    };
    let bodies = (will.bodies > 0).then(|| match (will.logs > 0, will.bodies) {
        (true, number) => format!("the bodies of about {} more", format::count(number)),
        (false, 1) => "the bodies of about 1 log".to_owned(),
        (false, many) => format!("the bodies of about {} logs", format::count(many)),
    });
    let parts: Vec<String> = [
        some(will.logs, "log", "logs"),
        bodies,
        some(will.export_files, "export's file", "exports' files"),
        some(will.originals, "import's original", "imports' originals"),
    ]
    .into_iter()
    .flatten()
    .collect();
    match parts.split_last() {
        None => "nothing".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, first)) => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_how_long_and_what_goes() {
        assert_eq!(kept_for(Some(183)), "6 months (183 days)");
        assert_eq!(kept_for(Some(1)), "1 day");
        assert_eq!(kept_for(None), "for ever");
        let kept = |logs_days| Kept {
            logs_days,
            bodies_days: None,
        };
        assert!(own(kept(Some(7))).contains("366 days") && own(kept(Some(400))).contains("400 days"));
        assert!(own(kept(None)).contains("for ever"));
        let will = |logs, bodies, export_files| WillGo {
            logs,
            bodies,
            export_files,
            ..WillGo::default()
        };
        assert_eq!(what_goes(&will(0, 0, 0)), "nothing");
        assert_eq!(what_goes(&will(1, 0, 0)), "1 log");
        assert_eq!(what_goes(&will(0, 300, 0)), "the bodies of about 300 logs");
        assert_eq!(
            what_goes(&will(12_034, 300, 1)),
            "12,034 logs, the bodies of about 300 more and 1 export's file"
        );
    }
}
