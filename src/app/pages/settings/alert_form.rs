//! The form of an alert: to add one, and to change one.
//!
//! To add a field: a signal in [`Fields`], its control in [`AlertForm`], and its place in [`Fields::wish`].

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::alerts::{Around, change_alert, create_alert};
use crate::model::alert::condition::{percent_number, read_percent};
use crate::model::alert::{AlertFacts, AlertKind, AlertWish, Condition};
use crate::model::view::MAX_NAME;

/// What stands in the form.
#[derive(Clone, Copy)]
struct Fields {
    name: RwSignal<String>,
    view: RwSignal<String>,
    kind: RwSignal<AlertKind>,
    threshold: RwSignal<String>,
    least_logs: RwSignal<String>,
    window: RwSignal<String>,
    recipients: RwSignal<String>,
}

impl Fields {
    fn new(of: Option<&AlertFacts>, first: String) -> Self {
        let text = |read: fn(&AlertFacts) -> String, else_: &str| RwSignal::new(of.map_or_else(|| else_.to_owned(), read));
        let view = of.and_then(|of| of.view.as_ref()).map_or(first, |(id, _)| id.clone());
        Self {
            name: text(|of| of.name.clone(), ""),
            view: RwSignal::new(view),
            kind: RwSignal::new(of.map(|of| of.condition.kind).unwrap_or_default()),
            threshold: text(|of| threshold(&of.condition), ""),
            least_logs: text(|of| of.condition.least_logs.to_string(), "20"),
            window: text(|of| of.condition.window_minutes.to_string(), "5"),
            recipients: text(|of| of.recipients.join("\n"), ""),
        }
    }

    fn clear(self) {
        for field in [self.name, self.threshold, self.recipients] {
            field.try_set(String::new());
        }
    }

    fn wish(self) -> Result<AlertWish, String> {
        let kind = self.kind.get_untracked();
        let threshold = self.threshold.get_untracked();
        let (threshold, least_logs) = match kind {
            AlertKind::FailureShare => (
                read_percent(&threshold).ok_or("Share: a percentage from 0.1 to 100.")?,
                whole(&self.least_logs.get_untracked()).ok_or("Logs at least: a whole number from 1.")?,
            ),
            AlertKind::AtLeast | AlertKind::FewerThan => (whole(&threshold).ok_or("Logs: a whole number from 1.")?, 1),
        };
        let condition = Condition {
            kind,
            threshold,
            least_logs,
            window_minutes: whole(&self.window.get_untracked()).ok_or("Within: a whole number of minutes, 1 to 1440.")?,
        };
        condition.check().map_err(|(_, reason)| reason)?;
        Ok(AlertWish {
            name: self.name.get_untracked(),
            view: self.view.get_untracked(),
            condition,
            recipients: addresses(&self.recipients.get_untracked()),
        })
    }
}

fn threshold(condition: &Condition) -> String {
    match condition.kind {
        AlertKind::FailureShare => percent_number(condition.threshold),
        AlertKind::AtLeast | AlertKind::FewerThan => condition.threshold.to_string(),
    }
}

/// A whole number, with or without separators.
fn whole(text: &str) -> Option<u32> {
    text.trim().replace([',', ' ', '_'], "").parse().ok()
}

/// One a line, or separated by commas.
fn addresses(text: &str) -> Vec<String> {
    let parts = text.split([',', ';', '\n']).map(str::trim);
    parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// The form; it adds an alert where there is none to change.
#[component]
pub fn AlertForm(
    /// The project.
    project: String,
    /// What can be watched, and whether mails are sent.
    around: Around,
    /// The alert to change.
    #[prop(optional_no_strip)]
    of: Option<AlertFacts>,
    /// The view that is chosen at first.
    #[prop(optional_no_strip)]
    chosen: Option<String>,
    /// It was made or changed.
    done: Callback<()>,
    /// Leaves it as it is.
    #[prop(optional_no_strip)]
    keep: Option<Callback<()>>,
) -> impl IntoView {
    let is_there = |id: &String| around.views.iter().any(|(known, _)| known == id);
    let first = chosen
        .filter(is_there)
        .or_else(|| around.views.first().map(|(id, _)| id.clone()));
    let fields = Fields::new(of.as_ref(), first.unwrap_or_default());
    let (failed, busy) = (RwSignal::new(None::<String>), RwSignal::new(false));
    let known = of.as_ref().map(|of| (of.id.clone(), of.changed_at));
    let words = if known.is_some() { "Save" } else { "Add alert" };
    let send = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        // A button that is disabled loses the focus: this one says so, and does nothing.
        if busy.get_untracked() {
            return;
        }
        let wish = match fields.wish() {
            Ok(wish) => wish,
            Err(reason) => return failed.set(Some(reason)),
        };
        failed.set(None);
        busy.set(true);
        let (project, known) = (project.clone(), known.clone());
        spawn_local(async move {
            let is_new = known.is_none();
            let answer = match known {
                Some((id, known)) => change_alert(project, id, known, wish).await,
                None => create_alert(project, wish).await.map(|_| ()),
            };
            busy.try_set(false);
            match answer {
                Ok(()) => {
                    if is_new {
                        fields.clear();
                    }
                    done.try_run(());
                }
                // The page may be gone by now.
                Err(error) => {
                    failed.try_set(Some(error.to_string()));
                }
            }
        });
    };
    view! {
        <form class="settings-form" on:submit=send aria-label=words>
            <label for="alert-name">"Name"</label>
            <input
                id="alert-name" type="text" required maxlength=MAX_NAME.to_string() autocomplete="off"
                prop:value=fields.name on:input=move |event| fields.name.set(event_target_value(&event))
            />
            {views(fields, &around)}
            {condition(fields)}
            {mails(fields, around.has_mail)}
            {of.map(|_| view! { <p class="quiet">"With another view or another window it counts anew."</p> })}
            {move || failed.get().map(|reason| view! { <p class="notice bad" role="alert">{reason}</p> })}
            <div class="actions">
                <button type="submit" class="button primary needs-scripts" aria-disabled=move || busy.get().then_some("true")>{words}</button>
                {keep.map(|keep| view! { <button type="button" class="button" on:click=move |_| keep.run(())>"Cancel"</button> })}
            </div>
        </form>
    }
}

fn views(fields: Fields, around: &Around) -> impl IntoView + use<> {
    let chosen = fields.view.get_untracked();
    let options = around.views.iter().map(|(id, name)| {
        view! { <option value=id.clone() selected=*id == chosen>{name.clone()}</option> }
    });
    let options = options.collect_view();
    view! {
        <label for="alert-view">"View"</label>
        <select id="alert-view" aria-describedby="alert-view-why" on:change=move |event| fields.view.set(event_target_value(&event))>{options}</select>
        <p id="alert-view-why" class="quiet">"Its filters are watched, not its time range. When they change, the alert counts anew."</p>
    }
}

fn condition(fields: Fields) -> impl IntoView {
    let chosen = fields.kind.get_untracked();
    let kinds = AlertKind::ALL.map(|kind| view! { <option value=kind.as_str() selected=kind == chosen>{kind.label()}</option> });
    let choose = move |event| {
        fields
            .kind
            .set(AlertKind::parse(&event_target_value(&event)).unwrap_or_default());
    };
    let is_share = Memo::new(move |_| fields.kind.get() == AlertKind::FailureShare);
    let least = move || {
        is_share.get().then(|| {
            view! {
                <label for="alert-least">"Logs at least"</label>
                <input
                    id="alert-least" class="settings-rate" type="text" inputmode="numeric" required autocomplete="off" aria-describedby="alert-least-why"
                    prop:value=fields.least_logs on:input=move |event| fields.least_logs.set(event_target_value(&event))
                />
                <p id="alert-least-why" class="quiet">"Of fewer logs nothing follows, so that one failure of one is no alarm."</p>
            }
        })
    };
    view! {
        <label for="alert-kind">"Fires at"</label>
        <select id="alert-kind" on:change=choose>{kinds}</select>
        <label for="alert-threshold">{move || if is_share.get() { "Share of failures, in percent" } else { "Logs" }}</label>
        <input
            id="alert-threshold" class="settings-rate" type="text" inputmode="decimal" required autocomplete="off"
            prop:value=fields.threshold on:input=move |event| fields.threshold.set(event_target_value(&event))
        />
        {least}
        <label for="alert-window">"Within, in minutes"</label>
        <input
            id="alert-window" class="settings-rate" type="text" inputmode="numeric" required autocomplete="off" aria-describedby="alert-window-why"
            prop:value=fields.window on:input=move |event| fields.window.set(event_target_value(&event))
        />
        <p id="alert-window-why" class="quiet">"1 minute to 24 hours (1440), by when the logs were made."</p>
    }
}

fn mails(fields: Fields, has_mail: bool) -> impl IntoView {
    let why = if has_mail {
        "E-mail addresses, one a line, 10 at most. They are told the figures, and get a link with the view's filters. Webhook endpoints that want alert.fired and alert.resolved are told in any case."
    } else {
        "Mail is not configured on this server: whoever runs it sets --smtp-url and --smtp-from. Until then nothing is mailed. Webhook endpoints that want alert.fired and alert.resolved are told."
    };
    view! {
        <label for="alert-mails">"Mail to"</label>
        <textarea
            id="alert-mails" rows="2" spellcheck="false" autocomplete="off" aria-describedby="alert-mails-why"
            prop:value=move || fields.recipients.get() on:input=move |event| fields.recipients.set(event_target_value(&event))
        ></textarea>
        <p id="alert-mails-why" class="quiet">{why}</p>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_it_is_meant() {
        assert_eq!(addresses(" a@b.c, d@e.f\n\n g@h.i;"), ["a@b.c", "d@e.f", "g@h.i"]);
        assert_eq!(
            (whole(" 1,000 "), whole("1 000"), whole("0")),
            (Some(1_000), Some(1_000), Some(0))
        );
        for wrong in ["", "-1", "1.5", "many", "99999999999"] {
            assert_eq!(whole(wrong), None, "{wrong}");
        }
    }
}
