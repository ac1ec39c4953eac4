//! Which address shows which page.

use leptos::prelude::*;
use leptos_router::components::{ParentRoute, Route, Router, Routes};
use leptos_router::{SsrMode, path};

use super::pages::account::Account;
use super::pages::browse::Browse;
use super::pages::export::Export;
use super::pages::exports::Exports;
use super::pages::log::Log;
use super::pages::logs::Logs;
use super::pages::not_found::NotFound;
use super::pages::sendout::Sendout;
use super::pages::sendouts::Sendouts;
use super::pages::settings::webhooks::Webhooks;
use super::pages::sign_in::SignIn;
use super::pages::task::Task;
use super::pages::tasks::Tasks;
use super::parts::frame::Frame;

/// The application: every page behind its address.
#[component]
#[allow(unreachable_pub, reason = "the browser's binary mounts it")]
pub fn App() -> impl IntoView {
    super::provide_contexts();
    view! {
        <Router>
            <Wake/>
            <Routes fallback=NotFound>
                <Route path=path!("/sign-in") view=SignIn ssr=SsrMode::Async/>
                <Route path=path!("/account") view=Account ssr=SsrMode::Async/>
                <ParentRoute path=path!("/projects/:prj") view=Frame ssr=SsrMode::Async>
                    <Route path=path!("/logs") view=Logs ssr=SsrMode::Async/>
                    <Route path=path!("/logs/:id") view=Log ssr=SsrMode::Async/>
                    <Route path=path!("/tasks") view=Tasks ssr=SsrMode::Async/>
                    <Route path=path!("/tasks/:id") view=Task ssr=SsrMode::Async/>
                    <Route path=path!("/exports") view=Exports ssr=SsrMode::Async/>
                    <Route path=path!("/exports/:id") view=Export ssr=SsrMode::Async/>
                    <Route path=path!("/exports/:id/browse") view=Browse ssr=SsrMode::Async/>
                    <Route path=path!("/sendouts") view=Sendouts ssr=SsrMode::Async/>
                    <Route path=path!("/sendouts/:id") view=Sendout ssr=SsrMode::Async/>
                    <Route path=path!("/settings/webhooks") view=Webhooks ssr=SsrMode::Async/>
                </ParentRoute>
            </Routes>
        </Router>
    }
}

/// Wakes the page's plain elements in the browser: keys, copy buttons, forms without a reload. Renders nothing.
#[component]
fn Wake() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    {
        let navigate = leptos_router::hooks::use_navigate();
        Effect::new(move |_| super::browser::start(navigate.clone()));
    }
}
