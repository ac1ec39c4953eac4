//! The heads that were signed, each with its file; and what retention took of the chain.

use leptos::prelude::*;

use crate::api::chain::{Behind, Head};
use crate::model::format;
use crate::model::zone::{Zone, rfc3339};

/// The last heads that were signed, the newest first; nothing where there are none.
#[component]
pub fn Heads(
    /// They.
    heads: Vec<Head>,
    /// The zone that the times are shown in.
    zone: Zone,
    /// The server's time.
    now: i64,
    /// Whose they are.
    project: String,
) -> impl IntoView {
    if heads.is_empty() {
        return ().into_any();
    }
    let rows = heads.into_iter().map(|head| row(&head, &zone, now, &project)).collect_view();
    view! {
        <h2>"Signed heads"</h2>
        <div class="record-scroll" tabindex="0" role="group" aria-label="Signed heads">
            <table class="plain">
                <thead>
                    <tr>
                        <th scope="col" class="figure">"Entry"</th>
                        <th scope="col">"Digest"</th>
                        <th scope="col">"Signed"</th>
                        <th scope="col"><span class="visually-hidden">"File"</span></th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn row(head: &Head, zone: &Zone, now: i64, project: &str) -> impl IntoView + use<> {
    let number = format::count(head.number);
    let (href, label) = (
        format!("/projects/{project}/chain/heads/{}", head.number),
        format!("Download head {number}"),
    );
    view! {
        <tr>
            <td class="figure">{number}</td>
            <td class="mono" title=head.digest.clone()>{format::short_id(&head.digest)}</td>
            <td><time datetime=rfc3339(head.at) title=zone.full(head.at)>{zone.short(head.at, now)}</time></td>
            <td><a href=href rel="external" aria-label=label>"Download"</a></td>
        </tr>
    }
}

/// What retention took: how much it was, and what stands in its place.
#[component]
pub fn Checkpoints(
    /// It.
    behind: Behind,
    /// The zone that the times are shown in.
    zone: Zone,
) -> impl IntoView {
    view! {
        <h2>"What retention took"</h2>
        <p>{gone(&behind)}", the last one on "<time datetime=rfc3339(behind.at)>{zone.full(behind.at)}</time>"."</p>
        <p class="quiet">"A checkpoint stands in the place of entries all of whose logs are deleted: what is after it still follows from what was before."</p>
    }
}

/// As "12,034 entries with 1,204,331 logs went behind 3 signed checkpoints".
fn gone(behind: &Behind) -> String {
    let some = |number: u64, one: &str, many: &str| format!("{} {}", format::count(number), if number == 1 { one } else { many });
    format!(
        "{} with {} went behind {}",
        some(behind.entries, "entry", "entries"),
        some(behind.logs, "log", "logs"),
        some(behind.checkpoints, "signed checkpoint", "signed checkpoints")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_went() {
        let behind = |entries, logs, checkpoints| Behind {
            checkpoints,
            entries,
            logs,
            at: 0,
        };
        assert_eq!(
            gone(&behind(12_034, 1_204_331, 3)),
            "12,034 entries with 1,204,331 logs went behind 3 signed checkpoints"
        );
        assert_eq!(gone(&behind(1, 1, 1)), "1 entry with 1 log went behind 1 signed checkpoint");
    }
}
