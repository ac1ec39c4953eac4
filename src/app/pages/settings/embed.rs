//! One embedded view among the settings: its facts, its link, and how it is ended.

use leptos::html::H3;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::embedding::Board;
use super::focus;
use crate::api::embeds::{delete_embed, revoke_embed};
use crate::app::parts::markup::Escaped;
use crate::app::parts::records::ask::AskFirst;
use crate::app::parts::records::facts::{self, fact};
use crate::model::embed::{EmbedFacts, EmbedStanding, Maker};
use crate::model::format;
use crate::model::query::escape;

const DAY_MS: i64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;

/// An embedded view. It stays the same part of the page however it changes, so that whoever stands in it is not thrown off.
#[component]
pub fn Embedded(
    /// It.
    embed: EmbedFacts,
    /// What the page shares.
    board: Board,
) -> impl IntoView {
    let title_id = format!("embed-{}", embed.id);
    let title = NodeRef::<H3>::new();
    let (name, can_end) = (embed.name.clone(), embed.can_end);
    let facts = board.facts(embed);
    let link = move || facts.with(|facts| facts.link.clone().map(|link| to_copy(facts, link)));
    view! {
        <article class="endpoint" aria-labelledby=title_id.clone()>
            <h3 id=title_id.clone() tabindex="-1" node_ref=title>{name}</h3>
            {move || facts.with(|facts| stands(facts, board))}
            <dl class="record-list">{move || facts.with(|facts| list_facts(facts, board))}</dl>
            {link}
            {can_end.then(|| view! { <Actions facts board/> })}
        </article>
    }
}

fn stands(embed: &EmbedFacts, board: Board) -> impl IntoView + use<> {
    let (look, words) = match (embed.standing(board.now()), &embed.closed) {
        (EmbedStanding::Open, None) => ("stand well", format!("Shown until {}", board.full(embed.expires_at))),
        (EmbedStanding::Open, Some(why)) => ("stand badly", format!("Shows nothing: {why}")),
        (EmbedStanding::Expired, _) => ("stand waiting", format!("Expired {}", board.full(embed.expires_at))),
        (EmbedStanding::Revoked, _) => {
            let at = embed.revoked_at.map(|at| board.full(at)).unwrap_or_default();
            ("stand badly", format!("Revoked {at}"))
        }
    };
    view! { <p><span class=look>{words}</span></p> }
}

fn list_facts(embed: &EmbedFacts, board: Board) -> impl IntoView + use<> {
    let is_open = embed.standing(board.now()) == EmbedStanding::Open;
    let view = match &embed.view_name {
        Some(name) => {
            let href = format!("/projects/{}/logs?view={}", board.project(), escape(&embed.view));
            fact("View", view! { <a href=href>{name.clone()}</a> })
        }
        None => fact("View", view! { <span>"gone, or no longer shared"</span> }),
    };
    let framed = if embed.origins.is_empty() {
        "Nowhere: it is opened by itself".to_owned()
    } else {
        embed.origins.join("\n")
    };
    let opened = match (embed.opened, embed.opened_at) {
        (_, None) => "Never".to_owned(),
        (pages, Some(at)) => format!("{}, the last one {}", pages_words(pages), board.full(at)),
    };
    let made = match &embed.by {
        Some(by) => format!("{}, by {by}", board.full(embed.created_at)),
        None => board.full(embed.created_at),
    };
    let maker = match embed.maker {
        Maker::Could => None,
        Maker::MayLess => Some("Whoever made it could not make it any more. It goes on: it is the project's."),
        Maker::Left => Some("Whoever made it has left the project. It goes on: it is the project's."),
    };
    view! {
        {view}
        {facts::words("Shows", Some(shows(embed.bodies, embed.users).to_owned()))}
        {fact("Framed by", view! { <span class="own-headers">{framed}</span> })}
        {is_open.then(|| facts::words("Ends", Some(left(embed.expires_at - board.now()))))}
        {facts::words("Opened", Some(opened))}
        {facts::words("Made", Some(made))}
        {maker.filter(|_| is_open).map(|words| facts::words("Maker", Some(words.to_owned())))}
    }
}

/// What a link shows.
pub(super) const fn shows(bodies: bool, users: bool) -> &'static str {
    match (bodies, users) {
        (false, false) => "facts alone: neither bodies nor who did it",
        (true, false) => "facts, headers and bodies; not who did it",
        (false, true) => "facts, and who did it; no bodies",
        (true, true) => "facts, headers and bodies, and who did it",
    }
}

fn pages_words(pages: i64) -> String {
    match pages {
        1 => "1 page".to_owned(),
        pages => format!("{} pages", format::count(pages.max(0).unsigned_abs())),
    }
}

/// How long it goes on.
fn left(ms: i64) -> String {
    let (count, unit) = if ms >= DAY_MS {
        (ms / DAY_MS, "day")
    } else if ms >= HOUR_MS {
        (ms / HOUR_MS, "hour")
    } else {
        return "in less than an hour".to_owned();
    };
    let several = if count == 1 { "" } else { "s" };
    format!("in {count} {unit}{several}")
}

/// The link, and where it may be framed what frames it.
fn to_copy(embed: &EmbedFacts, link: String) -> impl IntoView + use<> {
    let (field, code) = (format!("{}-link", embed.id), format!("{}-frame", embed.id));
    let frame = (!embed.origins.is_empty()).then(|| {
        let snippet = snippet(&link, embed.view_name.as_deref().unwrap_or(&embed.name));
        view! {
            <p class="embed-label">"To frame it:"</p>
            <pre class="command" tabindex="0" aria-label="HTML of the frame"><code id=code.clone()>{snippet}</code></pre>
            <div class="actions">
                <button type="button" class="button needs-scripts" data-copy-of=code.clone()>"Copy HTML"</button>
            </div>
        }
    });
    view! {
        <div class="notice fresh-secret">
            <p><label for=field.clone()>"Link"</label>": whoever has it sees what it shows. Send it by a way you trust."</p>
            <input id=field.clone() class="mono" type="text" readonly value=link.clone()/>
            <div class="actions">
                <button type="button" class="button needs-scripts" data-copy=link>"Copy link"</button>
            </div>
            {frame}
        </div>
    }
}

/// The frame as another page's HTML has it. What is framed runs nothing, and needs nothing but its own styles.
fn snippet(link: &str, title: &str) -> String {
    format!(
        "<iframe src=\"{}\" title=\"{}\" width=\"100%\" height=\"600\" loading=\"lazy\" referrerpolicy=\"no-referrer\" sandbox=\"allow-same-origin\"></iframe>",
        Escaped(link),
        Escaped(title)
    )
}

/// Revoke, and once it has ended Delete.
#[component]
fn Actions(facts: Memo<EmbedFacts>, board: Board) -> impl IntoView {
    let failed = RwSignal::new(None::<String>);
    let id = StoredValue::new(facts.with_untracked(|facts| facts.id.clone()));
    let revoke = Callback::new(move |()| {
        spawn_local(async move {
            let answer = revoke_embed(board.project(), id.get_value()).await;
            if board.changed(answer, "The embedded view is revoked", failed) {
                focus(board.heading);
            }
        });
    });
    let delete = Callback::new(move |()| {
        spawn_local(async move {
            let answer = delete_embed(board.project(), id.get_value()).await;
            if board.changed(answer, "The embedded view is deleted", failed) {
                focus(board.heading);
            }
        });
    });
    let is_open = Memo::new(move |_| facts.with(|facts| facts.standing(board.now()) == EmbedStanding::Open));
    let is = id.get_value();
    let buttons = move || {
        if is_open.get() {
            view! {
                <AskFirst
                    id=format!("{is}-revoke") button="Revoke" title="Revoke this embedded view?" confirm="Revoke it" keep="Keep it" run=revoke
                    text="Its link shows nothing from now on, wherever it is framed, and cannot be taken back. Another can be made."
                />
            }
            .into_any()
        } else {
            view! {
                <AskFirst
                    id=format!("{is}-delete") button="Delete" title="Delete this embedded view?" confirm="Delete it" keep="Keep it" run=delete
                    text="It goes from this list. Who opened it and when stays in the log of the log."
                />
            }
            .into_any()
        }
    };
    view! {
        <div class="actions">{buttons}</div>
        {move || failed.get().map(|reason| view! { <p class="notice bad" role="alert">{reason}</p> })}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_framed_runs_nothing_and_its_name_is_text() {
        let html = snippet("https://audit.example.com/embed/emb_1.5.abc", "Orders \"<b>\"");
        assert!(html.contains("src=\"https://audit.example.com/embed/emb_1.5.abc\""), "{html}");
        assert!(html.contains("title=\"Orders &quot;&lt;b&gt;&quot;\""), "{html}");
        assert!(
            html.contains("sandbox=\"allow-same-origin\"") && !html.contains("allow-scripts"),
            "{html}"
        );
    }

    #[test]
    fn how_long_it_goes_on_is_said_in_days_or_hours() {
        for (ms, words) in [
            (30 * DAY_MS, "in 30 days"),
            (2 * DAY_MS - 1, "in 1 day"),
            (DAY_MS - 1, "in 23 hours"),
            (HOUR_MS - 1, "in less than an hour"),
        ] {
            assert_eq!(left(ms), words);
        }
        assert_eq!(
            (pages_words(1), pages_words(1_200)),
            ("1 page".to_owned(), "1,200 pages".to_owned())
        );
    }
}
