//! Asking again while something runs: no reload, no lost place, and nothing while nobody looks.
//!
//! To keep something else fresh: [`keep_fresh`] with the signal that shows it; it stops by itself once nothing runs.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::error::ApiError;

/// How often a list or a page asks again while something on it runs.
const EVERY: Duration = Duration::from_secs(2);

/// How often a list looks for what is new while nothing on it runs.
pub const LIVE: Duration = Duration::from_secs(5);

/// Runs `tick` every so often while `wanted` says so and the page is in sight.
pub fn every(wait: Duration, wanted: Memo<bool>, tick: impl Fn() + Clone + 'static) {
    Effect::new(move |_| {
        if !wanted.get() {
            return;
        }
        let tick = tick.clone();
        let in_sight = move || {
            if !document().hidden() {
                tick();
            }
        };
        repeat(wait, in_sight);
    });
}

/// Until the effect that asked for it is run again or is gone: the interval ends where it is dropped.
#[cfg(feature = "hydrate")]
fn repeat(wait: Duration, tick: impl FnMut() + 'static) {
    let interval = gloo_timers::callback::Interval::new(wait.as_millis() as u32, tick);
    let _kept = StoredValue::new_local(interval);
}

/// No effect runs on the server.
#[cfg(not(feature = "hydrate"))]
fn repeat(_wait: Duration, _tick: impl FnMut() + 'static) {}

/// Asks again every two seconds while `running` says so of what is shown. The callback asks at once.
///
/// What cannot be read now leaves what is shown as it is: the next time may bring it.
pub fn keep_fresh<T, Ask, Answer>(shown: RwSignal<T>, running: fn(&T) -> bool, ask: Ask) -> Callback<()>
where
    T: Send + Sync + 'static,
    Ask: Fn() -> Answer + Send + Sync + 'static,
    Answer: Future<Output = Result<T, ApiError>> + 'static,
{
    let wanted = Memo::new(move |_| shown.with(running));
    // A slow server is not asked twice at a time.
    let asked = StoredValue::new(false);
    let now = Callback::new(move |()| {
        if asked.try_get_value() != Some(false) {
            return;
        }
        asked.set_value(true);
        let answer = ask();
        spawn_local(async move {
            let answer = answer.await;
            // The page may be gone by now: what belonged to it is no longer there to be told.
            asked.try_set_value(false);
            if let Ok(answer) = answer {
                shown.try_set(answer);
            }
        });
    });
    every(EVERY, wanted, move || {
        now.try_run(());
    });
    now
}

/// Says something once, to eyes and ears.
#[cfg_attr(not(feature = "hydrate"), allow(unused_variables, reason = "only a browser speaks"))]
pub fn say(words: &str) {
    #[cfg(feature = "hydrate")]
    crate::app::browser::copy::say(words);
}
