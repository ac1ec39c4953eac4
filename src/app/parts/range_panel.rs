//! What the time range looks like in every tab: a button that says it, and what it opens: presets as links, and two controls of one's own in the form.

use leptos::prelude::*;

use crate::model::zone::Zone;

/// The controls of a range of one's own.
#[derive(Clone, Debug, Default)]
pub struct Custom {
    /// What the controls hold: both ends in the zone's own time, empty where the range is relative.
    pub ends: (String, String),
    /// When the zone was how far from UTC, for the script that gives the form's times their offset.
    pub offsets: String,
    /// The zone in words.
    pub zone: String,
    /// What the form needs beside them where no script runs, as markup.
    pub without_scripts: String,
    /// The link to the same page with both ends named, where both are known.
    pub link: Option<String>,
}

impl Custom {
    /// The controls over a range as the server understood it, its ends in milliseconds; `absolute` where the page's address names them so, `asked` the
    /// zone that it names.
    pub fn over(zone: &Zone, ends: (Option<i64>, Option<i64>), now: i64, absolute: bool, asked: Option<&str>) -> Self {
        let control = |time: Option<i64>| time.filter(|_| absolute).map(|time| zone.control(time)).unwrap_or_default();
        let to = ends.1.unwrap_or(now);
        Self {
            ends: (control(ends.0), control(ends.1)),
            offsets: zone.to_attribute(),
            zone: zone.label_over(ends.0.unwrap_or(to), to),
            without_scripts: zone_without_scripts(zone, asked),
            link: None,
        }
    }

    /// The controls, for the form.
    pub fn view(self) -> impl IntoView {
        let (from, to) = self.ends;
        let copy = self.link.map(|link| {
            view! { <button type="button" class="button needs-scripts" data-copy-link=link>"Copy absolute link"</button> }
        });
        view! {
            <p class="menu-title">"From, up to, in "{self.zone}</p>
            <noscript inner_html=self.without_scripts></noscript>
            <label for="f-from">"From"</label>
            <input id="f-from" type="datetime-local" name="from" step="any" value=from data-offsets=self.offsets.clone()/>
            <label for="f-to">"To"</label>
            <input id="f-to" type="datetime-local" name="to" step="any" value=to data-offsets=self.offsets/>
            <div class="actions">
                <button type="submit" class="button">"Use this range"</button>
                {copy}
            </div>
        }
    }
}

/// The button that says the range.
pub fn button(words: String) -> impl IntoView {
    let spoken = format!("Time range: {words}");
    view! { <button type="button" class="button range-button" popovertarget="range" aria-label=spoken>{words}</button> }
}

/// What the button opens.
pub fn panel(presets: impl IntoView, custom: impl IntoView) -> impl IntoView {
    view! {
        <div id="range" class="panel range" popover role="group" aria-label="Presets and a range of your own">
            <ul class="presets">{presets}</ul>
            <div class="custom">{custom}</div>
        </div>
    }
}

/// A relative range stays one when the form is sent; controls of one's own that are filled in come later and win.
pub fn kept(from: Option<&str>, to: Option<&str>) -> impl IntoView + use<> {
    let is_relative = is_relative(from, to);
    let input = |name: &'static str, value: Option<&str>| {
        let value = value.filter(|_| is_relative).map(str::to_owned);
        value.map(|value| view! { <input type="hidden" name=name value=value/> })
    };
    (input("from", from), input("to", to))
}

/// Whether a range moves on with the clock: neither end is a time of its own.
pub fn is_relative(from: Option<&str>, to: Option<&str>) -> bool {
    let relative = |time: Option<&str>| time.is_none_or(|time| time.starts_with('-'));
    relative(from) && relative(to)
}

/// The zone that a form's times are meant in, where no script gives them their offset and the address does not name it: a link to the answer then
/// means the same to everybody. Markup for a `<noscript>`.
fn zone_without_scripts(zone: &Zone, asked: Option<&str>) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'-' | b'+');
    if asked.is_some() || !zone.name.bytes().all(is_plain) {
        return String::new();
    }
    format!("<input type=\"hidden\" name=\"tz\" value=\"{}\">", zone.name)
}
