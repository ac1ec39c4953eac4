//! Following a list: what the server tells of as it comes, shown without moving what somebody reads.
//!
//! A list is followed while its switch is on and the page is in sight; out of sight the stream is closed (a browser has few connections to give away), and
//! opened again where it was. What is new waits while somebody reads.
//!
//! To follow another list: [`Followed`] with its address and the names of its events, and what is done with them.

use leptos::prelude::*;

/// How a list is followed at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pulse {
    /// It is not.
    Off,
    /// Not yet.
    Opening,
    /// It is.
    Open,
    /// The connection was lost; it is tried again.
    Lost,
}

/// A list that is followed.
#[derive(Clone, Copy, Debug)]
pub struct Followed {
    /// Whether it shall be.
    pub on: RwSignal<bool>,
    /// Whether it is.
    pub pulse: RwSignal<Pulse>,
}

impl Followed {
    /// Follows what an address tells while `on` says so. `address` gives none where the list cannot be followed; `told` hears the name and the data of each event.
    pub fn start(
        on: RwSignal<bool>,
        names: &'static [&'static str],
        address: impl Fn() -> Option<String> + Copy + Send + Sync + 'static,
        told: impl Fn(&'static str, &str) + Copy + Send + Sync + 'static,
    ) -> Self {
        let followed = Self {
            on,
            pulse: RwSignal::new(Pulse::Off),
        };
        listen(followed, names, address, told);
        followed
    }

    /// Whether the switch says something that is not so.
    pub fn words(self) -> &'static str {
        match self.pulse.get() {
            Pulse::Lost if self.on.get() => "connection lost, trying again",
            _ => "",
        }
    }
}

/// No effect runs on the server.
#[cfg(not(feature = "hydrate"))]
fn listen(
    _followed: Followed,
    _names: &'static [&'static str],
    _address: impl Fn() -> Option<String> + Copy + Send + Sync + 'static,
    _told: impl Fn(&'static str, &str) + Copy + Send + Sync + 'static,
) {
}

#[cfg(feature = "hydrate")]
fn listen(
    followed: Followed,
    names: &'static [&'static str],
    address: impl Fn() -> Option<String> + Copy + Send + Sync + 'static,
    told: impl Fn(&'static str, &str) + Copy + Send + Sync + 'static,
) {
    use crate::app::browser::stream::{Sight, Stream, Told, is_in_sight};
    use gloo_timers::callback::Timeout;

    /// After the server did not want it, it is asked again.
    const AGAIN_MS: u32 = 5_000;

    let seen = RwSignal::new(true);
    let tries = RwSignal::new(0_u32);
    let _sight = StoredValue::new_local(Sight::watch(move |is_seen| {
        seen.try_set(is_seen);
    }));
    let stream = StoredValue::new_local(None::<Stream>);
    let later = StoredValue::new_local(None::<Timeout>);
    Effect::new(move |_| {
        tries.track();
        seen.track();
        let wanted = if followed.on.get() && is_in_sight() { address() } else { None };
        // The one before is closed as it is dropped.
        stream.set_value(None);
        later.set_value(None);
        let Some(address) = wanted else {
            followed.pulse.set(Pulse::Off);
            return;
        };
        followed.pulse.set(Pulse::Opening);
        let hear = move |heard| match heard {
            Told::Open => {
                followed.pulse.try_set(Pulse::Open);
            }
            Told::Lost => {
                followed.pulse.try_set(Pulse::Lost);
            }
            Told::Event(name, data) => told(name, &data),
            Told::Over => {
                followed.pulse.try_set(Pulse::Lost);
                later.try_set_value(Some(Timeout::new(AGAIN_MS, move || {
                    tries.try_update(|tries| *tries = tries.wrapping_add(1));
                })));
            }
        };
        stream.set_value(Stream::open(&address, names, hear));
    });
}

/// Whether somebody reads the rows, so that they must not move.
pub fn somebody_reads() -> bool {
    #[cfg(feature = "hydrate")]
    return crate::app::browser::stream::somebody_reads();
    #[cfg(not(feature = "hydrate"))]
    false
}

/// Leads back to the first row.
pub fn to_top() {
    #[cfg(feature = "hydrate")]
    crate::app::browser::stream::to_top();
}

/// What waits to be shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// How many are new, as far as is known.
    pub count: u64,
    /// There are more than were counted.
    pub more: bool,
}

impl Waiting {
    /// Whether there is nothing.
    pub const fn is_nothing(self) -> bool {
        self.count == 0 && !self.more
    }

    /// `12 new`.
    pub fn words(self) -> String {
        match (self.count, self.more) {
            (0, _) => "New".to_owned(),
            (count, false) => format!("{} new", crate::model::format::count(count)),
            (count, true) => format!("{}+ new", crate::model::format::count(count)),
        }
    }
}

/// The switch, and whether it is paused or lost.
#[component]
pub fn Switch(
    /// The list.
    followed: Followed,
    /// What waits.
    #[prop(into)]
    waiting: Signal<Waiting>,
) -> impl IntoView {
    let on = followed.on;
    let words = move || {
        if waiting.get().is_nothing() || !on.get() {
            followed.words()
        } else {
            "paused while you read"
        }
    };
    view! {
        <span class="quiet live-words" role="status">{words}</span>
        <button
            type="button" class="button quiet-button needs-scripts live" aria-pressed=move || on.get().to_string()
            class:paused=move || !words().is_empty() title="Shows what comes as it comes"
            on:click=move |_| on.update(|on| *on = !*on)
        >
            "Live"
        </button>
    }
}

/// What is new, over the rows: it waits there until somebody asks for it.
#[component]
pub fn New(
    /// What waits.
    #[prop(into)]
    waiting: Signal<Waiting>,
    /// Shows it.
    show: Callback<()>,
) -> impl IntoView {
    let is_there = Memo::new(move |_| !waiting.get().is_nothing());
    let asked = move |_| {
        to_top();
        show.run(());
    };
    move || {
        is_there.get().then(|| {
            view! {
                <div class="new-rows">
                    <button type="button" class="button" on:click=asked><span aria-hidden="true">"↑ "</span>{move || waiting.get().words()}</button>
                </div>
            }
        })
    }
}
