//! `data-chart` with `data-from`, `data-to` and `data-step` (milliseconds): a drag over it zooms into that time, a click on a bar into the bar's;
//! the bar under the pointer says what it is in `data-says`.

use std::cell::RefCell;
use std::rc::Rc;

use web_sys::{Document, Element, MouseEvent, PointerEvent};

use super::{Go, around, listen};
use crate::app::parts::links::to_query;
use crate::model::query::LogQuery;
use crate::model::zone::rfc3339;

/// A drag shorter than this, in pixels, is a click.
const LEAST_DRAG: f64 = 4.0;

/// A drag that has begun: over which chart, and where, in pixels from its left edge.
struct Drag {
    chart: Element,
    from: f64,
    to: f64,
}

pub(super) fn start(document: &Document, go: &Go) {
    let drag: Rc<RefCell<Option<Drag>>> = Rc::default();

    let begun = drag.clone();
    listen::<PointerEvent>(document, "pointerdown", move |event| {
        if event.button() == 0
            && event.pointer_type() != "touch"
            && let Some(chart) = around(event, "[data-chart] .bars")
        {
            let from = across(&chart, event);
            *begun.borrow_mut() = Some(Drag { chart, from, to: from });
            // Links and text are not to be dragged along.
            event.prevent_default();
        }
    });

    let moved = drag.clone();
    listen::<PointerEvent>(document, "pointermove", move |event| {
        if let Some(drag) = moved.borrow_mut().as_mut() {
            drag.to = across(&drag.chart, event);
            draw(drag);
        }
        say(event);
    });

    let (ended, zoom) = (drag.clone(), go.clone());
    listen::<PointerEvent>(document, "pointerup", move |_| {
        let Some(drag) = ended.borrow_mut().take() else { return };
        if (drag.to - drag.from).abs() >= LEAST_DRAG
            && let Some(link) = range_of(&drag)
        {
            zoom(&link);
        }
        clear(&drag);
    });
    listen::<PointerEvent>(document, "pointercancel", move |_| {
        if let Some(drag) = drag.borrow_mut().take() {
            clear(&drag);
        }
    });

    let go = go.clone();
    listen::<MouseEvent>(document, "click", move |event| {
        let Some(bar) = around(event, "[data-chart] .bars a") else {
            return;
        };
        if event.ctrl_key() || event.meta_key() || event.shift_key() {
            return;
        }
        event.prevent_default();
        if let Some(link) = bar.get_attribute("href") {
            go(&link);
        }
    });
}

/// Where the pointer is over the chart, in pixels, kept within it.
fn across(chart: &Element, event: &PointerEvent) -> f64 {
    let edges = chart.get_bounding_client_rect();
    (f64::from(event.client_x()) - edges.left()).clamp(0.0, edges.width())
}

fn number(chart: &Element, name: &str) -> Option<f64> {
    chart
        .closest("[data-chart]")
        .ok()
        .flatten()?
        .get_attribute(name)?
        .parse()
        .ok()
}

/// The link into the time that was dragged over: from the first bar touched to the end of the last.
fn range_of(drag: &Drag) -> Option<String> {
    let (from, to) = (number(&drag.chart, "data-from")?, number(&drag.chart, "data-to")?);
    let step = number(&drag.chart, "data-step")?.max(1.0);
    let width = drag.chart.get_bounding_client_rect().width().max(1.0);
    let steps = |place: f64| (to - from) * place / width / step;
    let start = (from + steps(drag.from.min(drag.to)).floor() * step) as i64;
    let end = (from + steps(drag.from.max(drag.to)).ceil() * step) as i64;
    let search = web_sys::window()?.location().search().ok()?;
    let query = LogQuery::parse(search.trim_start_matches('?')).unwrap_or_default();
    Some(to_query(&query.within(Some(rfc3339(start)), Some(rfc3339(end)))))
}

fn brush(drag: &Drag) -> Option<(Element, f64)> {
    let drawing = drag.chart.query_selector("svg").ok().flatten()?;
    let steps = drawing.get_attribute("viewBox")?.split(' ').nth(2)?.parse().ok()?;
    Some((drawing.query_selector(".brush").ok().flatten()?, steps))
}

fn draw(drag: &Drag) {
    let Some((brush, steps)) = brush(drag) else { return };
    let scale = steps / drag.chart.get_bounding_client_rect().width().max(1.0);
    // Attributes of a drawing are no styles: the policy allows them, and setting one does not fail.
    let _ = brush.set_attribute("x", &(drag.from.min(drag.to) * scale).to_string());
    let _ = brush.set_attribute("width", &((drag.to - drag.from).abs() * scale).to_string());
}

fn clear(drag: &Drag) {
    if let Some((brush, _)) = brush(drag) {
        // As above.
        let _ = brush.set_attribute("width", "0");
    }
}

fn say(event: &PointerEvent) {
    let Some(place) = super::document().and_then(|document| document.query_selector("[data-says]").ok().flatten()) else {
        return;
    };
    let title = around(event, ".bars a").and_then(|bar| bar.query_selector("title").ok().flatten());
    let text = title.and_then(|title| title.text_content()).unwrap_or_default();
    if place.text_content().as_deref() != Some(&text) {
        place.set_text_content(Some(&text));
    }
}
