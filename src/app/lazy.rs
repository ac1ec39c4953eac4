//! The code of pages, which the browser fetches when a page of the kind is first opened, beside what every page needs.
//!
//! Pages of a group are fetched together; what two groups share is cut into a file of its own by `scripts/split.mjs`. With every
//! group the number of those files doubles, so there are few groups: by what their pages have in common.
//!
//! To add a page: a line below, its address in [`group`], and a route in `routes.rs`.

use leptos::prelude::*;
use leptos::wasm_split::{SplitLoaderError, wasm_split};
use leptos_router::LazyRoute;

use super::pages;

macro_rules! lazy_pages {
    ($($route:ident: $name:ident of $group:ident, $page:path;)*) => {$(
        #[doc = concat!("Loads the page ", stringify!($route), ".")]
        pub(super) struct $route;

        mod $name {
            use super::*;

            // The name and its place are what tells one page's code from another's.
            #[wasm_split($group, wasm_split_path = ::leptos::wasm_split, fallible, preload(fetch))]
            pub(super) fn $name() -> Result<AnyView, SplitLoaderError> {
                Ok($page().into_any())
            }
        }

        impl LazyRoute for $route {
            fn data() -> Self {
                Self
            }

            async fn view(_: Self) -> AnyView {
                // Fetched before, or the router had not come here.
                $name::$name().await.unwrap_or_else(|_| ().into_any())
            }

            async fn preload() {
                #[cfg(feature = "hydrate")]
                fetched($name::fetch()).await;
            }
        }
    )*};
}

lazy_pages! {
    Logs: logs of logs, pages::logs::Logs;
    Log: log of bodies, pages::log::Log;
    CompareLogs: compare_logs of bodies, pages::compare::logs::CompareLogs;
    Browse: browse of bodies, pages::browse::Browse;
    Tasks: tasks of lists, pages::tasks::Tasks;
    Exports: exports of lists, pages::exports::Exports;
    Sendouts: sendouts of lists, pages::sendouts::Sendouts;
    Account: account of lists, pages::account::Account;
    Task: task of details, pages::task::Task;
    Export: export of details, pages::export::Export;
    Sendout: sendout of details, pages::sendout::Sendout;
    CompareAttempts: compare_attempts of details, pages::compare::attempts::CompareAttempts;
    Webhooks: webhooks of details, pages::settings::webhooks::Webhooks;
    Alerts: alerts of details, pages::settings::alerts::Alerts;
    Alert: alert of details, pages::settings::alert::Alert;
    Code: code of lists, pages::code::Code;
    Invite: invite of lists, pages::invite::Invite;
    Project: project of details, pages::settings::project::Project;
    Members: members of details, pages::settings::members::Members;
    Keys: keys of details, pages::settings::keys::Keys;
    Retention: retention of details, pages::settings::retention::Retention;
    Chain: chain of details, pages::settings::chain::Chain;
    Masking: masking of details, pages::settings::masking::Masking;
    Embedding: embedding of details, pages::settings::embedding::Embedding;
}

/// The group of the page at an address: what its head asks for early. `None` where what every page has is all.
pub fn group(path: &str) -> Option<&'static str> {
    let mut parts = path.split('/').skip(1);
    let parts = [(); 5].map(|()| parts.next().unwrap_or_default());
    match parts {
        ["account" | "invite", "", ..] | ["sign-in", "code", ..] | ["projects", _, "tasks" | "exports" | "sendouts", "", _] => {
            Some("lists")
        }
        ["projects", _, "logs", "", _] => Some("logs"),
        ["projects", _, "logs", _, ""] | ["projects", _, "exports", _, "browse"] => Some("bodies"),
        ["projects", _, "tasks" | "exports" | "sendouts", _, ""]
        | ["projects", _, "sendouts", _, "compare"]
        | ["projects", _, "settings", "alerts", _]
        | [
            "projects",
            _,
            "settings",
            "project" | "members" | "webhooks" | "keys" | "retention" | "chain" | "masking" | "embedding",
            "",
        ] => Some("details"),
        _ => None,
    }
}

/// Waits for a page's code. Where it does not come and the reader is on the way to the page, the address is loaded whole: the server
/// may be of another version by now. A page that was just loaded stays as the server rendered it, with its links and forms.
#[cfg(feature = "hydrate")]
async fn fetched(code: impl Future<Output = Result<(), SplitLoaderError>>) {
    let url = leptos_router::hooks::use_url().get_untracked();
    if code.await.is_ok() {
        return;
    }
    if !super::browser::is_awake() {
        super::browser::leave_to_browser();
    } else if let Some(window) = web_sys::window() {
        // Without its fragment: an address that differs in that alone, or is the one shown already, would not be loaded.
        let address = match url.search() {
            "" => url.path().to_owned(),
            search => format!("{}?{search}", url.path()),
        };
        // It fails for malformed addresses alone, and the router has read this one.
        let _ = window.location().assign(&address);
    }
    // Were this to end, the router would put an empty page in the old one's place.
    std::future::pending::<()>().await;
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::app::App;

    #[test]
    fn every_page_but_the_way_in_has_a_group() {
        let routes = leptos_axum::generate_route_list(App);
        assert!(routes.len() > 10);
        for route in routes {
            // An argument of the address stands for any word.
            let path = route.path().replace(['{', '}', ':', '*'], "x");
            assert_eq!(group(&path).is_none(), path == "/sign-in", "{path}");
        }
    }

    #[test]
    fn a_list_is_not_its_entry_and_other_addresses_have_none() {
        for (path, expected) in [
            ("/account", Some("lists")),
            ("/projects/p/logs", Some("logs")),
            ("/projects/p/logs/1", Some("bodies")),
            ("/projects/p/exports/1/browse", Some("bodies")),
            ("/projects/p/logs/compare", Some("bodies")),
            ("/projects/p/sendouts/1/compare", Some("details")),
            ("/projects/p/exports", Some("lists")),
            ("/projects/p/exports/1", Some("details")),
            ("/projects/p/settings/webhooks", Some("details")),
            ("/projects/p/settings/keys", Some("details")),
            ("/projects/p/settings/retention", Some("details")),
            ("/projects/p/settings/chain", Some("details")),
            ("/projects/p/settings/masking", Some("details")),
            ("/projects/p/settings/alerts", Some("details")),
            ("/projects/p/settings/alerts/1", Some("details")),
            ("/projects/p/settings/embedding", Some("details")),
            ("/projects/p/logs/1/request", None),
            ("/projects/p", None),
            ("/", None),
            ("", None),
        ] {
            assert_eq!(group(path), expected, "{path}");
        }
    }
}
