//! One rule in the form of masking rules.

use leptos::html::{Input, Select};
use leptos::prelude::*;

use super::focus;
use super::masking::{Board, Drafted};
use crate::model::masking::{MAX_NOTE, RuleKind};

/// What the text of a rule is called, as an example, and what it does.
const fn about(kind: RuleKind) -> (&'static str, &'static str, &'static str) {
    match kind {
        RuleKind::Header => (
            "Header",
            "X-Customer-Email",
            "The header's value, of requests and of answers, in any case. ! in front of a built-in name, as !X-Api-Key, keeps its value.",
        ),
        RuleKind::Key => (
            "Key",
            "email",
            "The value of every key, form field, URL argument and header that is called so or ends so: email masks customer_email and userEmail, too. Digits at the end of a name do not count. ! in front of a built-in name, as !token, keeps what ends so.",
        ),
        RuleKind::Path => (
            "Path",
            "$.customer.address.line1",
            "One place in JSON bodies. $ is the body; .name, ['odd name'], [0] and [*] lead inwards.",
        ),
        RuleKind::Pattern => (
            "Pattern",
            r"[\w.+-]+@[\w-]+(\.[\w-]+)+",
            "A regular expression, without look-around and backreferences. What it matches is masked in texts of JSON bodies, in other text, header values and URLs, however it is escaped; a number in which it matches goes whole. (?i) in front ignores case.",
        ),
        RuleKind::User => (
            "Of the user",
            "",
            "Who did it, as the logs of applications say: it is replaced whole, and nobody is found by it any more. Requests to this service say who made them.",
        ),
        RuleKind::Ip => (
            "What goes",
            "",
            "The client's address in the logs of applications, and in headers that hand it on, as X-Forwarded-For. Where the network stays, 203.0.113.7 is kept as 203.0.113.0, and of an IPv6 address the first 48 bits.",
        ),
    }
}

/// What a rule of a kind can say, where that is chosen from a list.
fn options(kind: RuleKind, chosen: &str) -> impl IntoView + use<> {
    let option = |(word, label): &(&'static str, &'static str)| {
        let (word, label) = (*word, *label);
        view! { <option value=word selected=word == chosen>{label}</option> }
    };
    kind.choices().iter().map(option).collect_view()
}

/// A rule. It stays the same part of the page however it changes, so that whoever types into it is not thrown off.
#[component]
pub fn RuleRow(
    /// It.
    row: Drafted,
    /// What the page shares.
    board: Board,
) -> impl IntoView {
    let id = row.id;
    let first = row.rule.kind;
    let now = board.row(row);
    let (text, choice) = (NodeRef::<Input>::new(), NodeRef::<Select>::new());
    let kind = Memo::new(move |_| now.with(|(_, rule)| rule.kind));
    let fault = Memo::new(move |_| {
        board
            .fault
            .with(|fault| fault.as_ref().filter(|(of, _)| *of == id).map(|(_, reason)| reason.clone()))
    });
    // What is wrong, and what was just added, has the focus.
    Effect::new(move |_| {
        if fault.with(Option::is_some) || board.fresh.get() == Some(id) {
            focus(text);
            focus(choice);
        }
    });
    let at = move |part: &str| format!("rule-{id}-{part}");
    let title = move || format!("Rule {}", now.with(|(place, _)| *place));
    let choices = RuleKind::ALL.map(|kind| view! { <option value=kind.as_str() selected=kind == first>{kind.label()}</option> });
    let choose = move |event| {
        if let Some(kind) = RuleKind::parse(&event_target_value(&event)) {
            board.change(id, |rule| {
                // What is chosen from a list is no text to go on with, and the other way round.
                if let Some((first, _)) = kind.choices().first() {
                    (*first).clone_into(&mut rule.text);
                } else if !rule.kind.choices().is_empty() {
                    rule.text.clear();
                }
                rule.kind = kind;
            });
        }
    };
    let is_chosen = Memo::new(move |_| !kind.get().choices().is_empty());
    let described = move || {
        let hint = at("hint");
        if fault.with(Option::is_some) {
            format!("{} {hint}", at("fault"))
        } else {
            hint
        }
    };
    let told = move || {
        fault
            .get()
            .map(|reason| view! { <p class="notice bad" role="alert" id=at("fault")>{reason}</p> })
    };
    view! {
        <fieldset class="mask-rule">
            <legend>{title}</legend>
            <div class="mask-fields">
                <div>
                    <label for=at("kind")>"Kind"</label>
                    <select id=at("kind") on:change=choose>{choices}</select>
                </div>
                <div class="mask-text">
                    <label for=at("text")>{move || about(kind.get()).0}</label>
                    {move || if is_chosen.get() {
                        view! {
                            <select
                                id=at("text") node_ref=choice aria-describedby=described
                                aria-invalid=move || fault.with(Option::is_some).then_some("true")
                                on:change=move |event| board.change(id, |rule| rule.text = event_target_value(&event))
                            >{move || options(kind.get(), &now.with_untracked(|(_, rule)| rule.text.clone()))}</select>
                        }.into_any()
                    } else {
                        view! {
                            <input
                                id=at("text") class="mono" type="text" spellcheck="false" autocomplete="off" autocapitalize="none" node_ref=text
                                placeholder=move || about(kind.get()).1 aria-describedby=described
                                aria-invalid=move || fault.with(Option::is_some).then_some("true")
                                prop:value=move || now.with(|(_, rule)| rule.text.clone()) value=now.with_untracked(|(_, rule)| rule.text.clone())
                                on:input=move |event| board.change(id, |rule| rule.text = event_target_value(&event))
                            />
                        }.into_any()
                    }}
                </div>
                <div class="mask-note">
                    <label for=at("note")>"Why (optional)"</label>
                    <input
                        id=at("note") type="text" autocomplete="off" maxlength=MAX_NOTE.to_string()
                        prop:value=move || now.with(|(_, rule)| rule.note.clone()) value=now.with_untracked(|(_, rule)| rule.note.clone())
                        on:input=move |event| board.change(id, |rule| rule.note = event_target_value(&event))
                    />
                </div>
                <button
                    type="button" class="button needs-scripts" on:click=move |_| board.remove(id)
                    aria-label=move || format!("Remove rule {}", now.with(|(place, _)| *place))
                >"Remove"</button>
            </div>
            {told}
            <p class="quiet" id=at("hint")>{move || about(kind.get()).2}</p>
        </fieldset>
    }
}
