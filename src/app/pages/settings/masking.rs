//! The settings page of masking: what is masked anyway, and the project's own rules.

use leptos::html::Button;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::focus;
use super::mask_row::RuleRow;
use super::mask_tried::Outcome;
use crate::api::error::ApiError;
use crate::api::masking::{MaskingPage, NameList, faulty_rule, masking_page, save_masking, try_masking};
use crate::app::parts::awaited::answered;
use crate::app::parts::links::{project_id, search};
use crate::app::parts::records::live::say;
use crate::app::parts::states::Problem;
use crate::app::parts::title::Title;
use crate::model::format;
use crate::model::masking::tried::Tried;
use crate::model::masking::{MAX_RULES, MaskRule, RuleKind, check};
use crate::model::zone::Zone;

/// A rule as it stands in the form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drafted {
    /// What tells it from the others, whatever it says and wherever it stands.
    pub(super) id: u32,
    /// What it says.
    pub(super) rule: MaskRule,
}

/// What the parts of the page share.
#[derive(Clone, Copy, Debug)]
pub struct Board {
    project: StoredValue<String>,
    rows: RwSignal<Vec<Drafted>>,
    next: StoredValue<u32>,
    /// The rules as they are kept, as far as this page knows.
    kept: RwSignal<Vec<MaskRule>>,
    /// The rule that is wrong, and why.
    pub(super) fault: RwSignal<Option<(u32, String)>>,
    /// The rule that was just added.
    pub(super) fresh: RwSignal<Option<u32>>,
    failed: RwSignal<Option<String>>,
    busy: RwSignal<bool>,
    /// What came of trying out, and the rules that it was of.
    tried: RwSignal<Option<(Vec<MaskRule>, Tried)>>,
    zone: StoredValue<Zone>,
    now: i64,
    can_try: bool,
    /// The button that adds a rule, where the focus goes when what had it is taken out.
    adder: NodeRef<Button>,
}

impl Board {
    fn new(page: &MaskingPage, project: String) -> Self {
        let rows: Vec<Drafted> = (0_u32..)
            .zip(&page.rules)
            .map(|(id, rule)| Drafted { id, rule: rule.clone() })
            .collect();
        Self {
            project: StoredValue::new(project),
            next: StoredValue::new(rows.len() as u32),
            rows: RwSignal::new(rows),
            kept: RwSignal::new(page.rules.clone()),
            fault: RwSignal::new(None),
            fresh: RwSignal::new(None),
            failed: RwSignal::new(None),
            busy: RwSignal::new(false),
            tried: RwSignal::new(None),
            zone: StoredValue::new(page.zone.clone()),
            now: page.now,
            can_try: page.can_try,
            adder: NodeRef::new(),
        }
    }

    /// A rule as it stands now, and its place from 1; the last it was where it is no longer there.
    pub(super) fn row(self, first: Drafted) -> Memo<(usize, MaskRule)> {
        Memo::new(move |before: Option<&(usize, MaskRule)>| {
            let now = self.rows.with(|rows| {
                let place = rows.iter().position(|row| row.id == first.id)?;
                Some((place + 1, rows[place].rule.clone()))
            });
            now.or_else(|| before.cloned()).unwrap_or_else(|| (0, first.rule.clone()))
        })
    }

    /// Changes a rule.
    pub(super) fn change(self, id: u32, change: impl FnOnce(&mut MaskRule)) {
        self.rows.update(|rows| {
            if let Some(row) = rows.iter_mut().find(|row| row.id == id) {
                change(&mut row.rule);
            }
        });
        // What was said of it is not of what it says now.
        if self
            .fault
            .with_untracked(|fault| fault.as_ref().is_some_and(|(of, _)| *of == id))
        {
            self.fault.set(None);
        }
    }

    /// Takes a rule out.
    pub(super) fn remove(self, id: u32) {
        self.rows.update(|rows| rows.retain(|row| row.id != id));
        if self
            .fault
            .with_untracked(|fault| fault.as_ref().is_some_and(|(of, _)| *of == id))
        {
            self.fault.set(None);
        }
        focus(self.adder);
        say("The rule is taken out of the list; it acts until the list is saved");
    }

    fn add(self) {
        let id = self.next.try_get_value().unwrap_or_default();
        self.next.set_value(id + 1);
        let rule = MaskRule {
            kind: RuleKind::Key,
            text: String::new(),
            note: String::new(),
        };
        self.fresh.set(Some(id));
        self.rows.update(|rows| rows.push(Drafted { id, rule }));
    }

    /// The rules as they stand in the form, as they would be kept; as they are where one is wrong.
    fn meant(self) -> Vec<MaskRule> {
        let draft = self.rows.with(|rows| rules(rows));
        check(&draft).unwrap_or(draft)
    }

    /// The rules as they stand in the form, checked as far as a browser can; where one is wrong it is said there, and there is nothing to send.
    fn checked(self) -> Option<Vec<MaskRule>> {
        self.failed.set(None);
        self.fault.set(None);
        match check(&self.rows.with_untracked(|rows| rules(rows))) {
            Ok(rules) => Some(rules),
            Err(fault) => {
                let at = fault.place.map(|place| format!("At character {place}: ")).unwrap_or_default();
                self.blame(fault.rule, format::sentence(&format!("{at}{}", fault.reason)));
                None
            }
        }
    }

    fn blame(self, place: usize, reason: String) {
        let id = self.rows.with_untracked(|rows| rows.get(place).map(|row| row.id));
        // The page may be gone by now.
        if let Some(id) = id {
            self.fault.try_set(Some((id, reason)));
        } else {
            self.failed.try_set(Some(reason));
        }
    }

    fn tell(self, error: &ApiError) {
        match faulty_rule(error) {
            Some(place) => self.blame(place, error.to_string()),
            None => {
                self.failed.try_set(Some(error.to_string()));
            }
        }
    }

    fn try_out(self) {
        // A button that is disabled loses the focus: this one says so, and does nothing.
        if self.busy.get_untracked() {
            return;
        }
        let Some(rules) = self.checked() else { return };
        self.busy.set(true);
        let project = self.project.try_get_value().unwrap_or_default();
        spawn_local(async move {
            let answer = try_masking(project, rules.clone()).await;
            self.busy.try_set(false);
            match answer {
                Ok(tried) => {
                    say("The rules are tried out");
                    self.tried.try_set(Some((rules, tried)));
                }
                Err(error) => self.tell(&error),
            }
        });
    }

    fn save(self) {
        if self.busy.get_untracked() {
            return;
        }
        let Some(rules) = self.checked() else { return };
        self.busy.set(true);
        let (project, known) = (self.project.try_get_value().unwrap_or_default(), self.kept.get_untracked());
        spawn_local(async move {
            let answer = save_masking(project, known, rules).await;
            self.busy.try_set(false);
            match answer {
                Ok(kept) => {
                    self.kept.try_set(kept);
                    say("The masking rules are saved");
                }
                Err(error) => self.tell(&error),
            }
        });
    }
}

fn rules(rows: &[Drafted]) -> Vec<MaskRule> {
    rows.iter().map(|row| row.rule.clone()).collect()
}

/// The page.
#[component]
pub fn Masking() -> impl IntoView {
    let (project, search) = (project_id(), search());
    let (refresh, set_refresh) = signal(0_u32);
    let page = Resource::new(
        move || (project.get(), search.get(), refresh.get()),
        |(project, search, _)| masking_page(project, search),
    );
    let again = Callback::new(move |()| set_refresh.update(|count| *count = count.wrapping_add(1)));
    view! {
        <Title text="Masking · audit-log"/>
        <main id="content" class="form-page settings masking">
            <h1>"Masking"</h1>
            <Transition>
                {answered(page, move |page| match page {
                    Ok(page) => view! { <Whole page project=project.get_untracked()/> }.into_any(),
                    Err(error) => view! { <Problem error again clear="?"/> }.into_any(),
                })}
            </Transition>
        </main>
    }
}

#[component]
fn Whole(page: MaskingPage, project: String) -> impl IntoView {
    let board = Board::new(&page, project.clone());
    let tried = Memo::new(move |_| board.tried.with(|tried| tried.as_ref().map(|(_, tried)| tried.clone())));
    let is_stale = Memo::new(move |_| {
        board
            .tried
            .with(|tried| tried.as_ref().is_some_and(|(of, _)| *of != board.meant()))
    });
    view! {
        <p class="quiet">"Secrets are replaced by the word "<span class="mono">"masked"</span>" before a log is stored. Names that are secret everywhere are masked anyway; what else is private to this project, its own rules say."</p>
        {built_in(page.built_in)}
        <h2 id="own-title">"Rules of this project"</h2>
        <Rules board/>
        <Outcome tried is_stale project zone=board.zone now=board.now/>
    }
}

/// What is masked in every project.
fn built_in(lists: Vec<NameList>) -> impl IntoView {
    let count = lists.iter().map(|list| list.names.len() as u64).sum();
    let lists = lists.into_iter().map(|list| {
        let (about, names) = (format::sentence(&list.about), list.names.join(", "));
        view! { <dt>{about.trim_end_matches('.').to_owned()}</dt><dd class="mono">{names}</dd> }
    });
    view! {
        <details class="mask-built-in">
            <summary>{format!("Built-in rules: {} names", format::count(count))}</summary>
            <dl>{lists.collect_view()}</dl>
            <p class="quiet">"Also: the user and password in URLs, the values of cookies, and what an Authorization header says behind its scheme."</p>
        </details>
    }
}

#[component]
fn Rules(board: Board) -> impl IntoView {
    let none = move || board.rows.with(Vec::is_empty);
    let is_full = move || board.rows.with(|rows| rows.len() >= MAX_RULES);
    let is_changed = Memo::new(move |_| board.meant() != board.kept.get());
    let add = move |_| {
        if board.rows.with_untracked(|rows| rows.len() < MAX_RULES) {
            board.add();
        }
    };
    let busy = move || board.busy.get().then_some("true");
    let send = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        board.save();
    };
    let state = move || {
        if is_changed.get() {
            "There are changes that are not saved."
        } else {
            ""
        }
    };
    view! {
        <form class="settings-form mask-form" aria-labelledby="own-title" on:submit=send>
            {move || none().then(|| view! { <p>"This project has no rules of its own: the built-in ones act alone."</p> })}
            <For each=move || board.rows.get() key=|row| row.id let:row>
                <RuleRow row board/>
            </For>
            <div class="actions">
                <button
                    type="button" class="button needs-scripts" node_ref=board.adder aria-disabled=move || is_full().then_some("true")
                    on:click=add
                >"Add a rule"</button>
            </div>
            <p class="notice">
                "What is stored already is not changed by a rule, and what a rule masks cannot be brought back: of it only the word masked is kept. "
                "Rules act on what comes in from now on: calls, imported files, and requests to this service. Originals of imports and the data of webhooks stay as they were, encrypted, and webhooks are sent whole; what is shown of them is masked. "
                "Who did it and IP addresses stay, where no rule of the kind User or Client IP says otherwise: logs are found by them. Requests to this service always say who made them and from where."
            </p>
            {(!board.can_try).then(|| view! {
                <p class="quiet">"Trying rules out shows bodies, which your role in this project may not read (read:bodies)."</p>
            })}
            {move || board.failed.get().map(|reason| view! { <p class="notice bad" role="alert">{reason}</p> })}
            <div class="actions">
                {board.can_try.then(|| view! {
                    <button type="button" class="button needs-scripts" aria-disabled=busy on:click=move |_| board.try_out()>"Try out"</button>
                })}
                <button type="submit" class="button primary needs-scripts" aria-disabled=busy>"Save"</button>
                <span class="quiet mask-state" role="status">{state}</span>
            </div>
        </form>
    }
}
