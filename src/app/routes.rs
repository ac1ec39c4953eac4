//! Which address shows which page.

use leptos::prelude::*;
use leptos_router::components::{ParentRoute, Route, Router, Routes};
use leptos_router::{Lazy, SsrMode, path};

use super::lazy;
use super::pages::not_found::NotFound;
use super::pages::sign_in::SignIn;
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
                <Route path=path!("/sign-in/code") view={Lazy::<lazy::Code>::new()} ssr=SsrMode::Async/>
                <Route path=path!("/invite") view={Lazy::<lazy::Invite>::new()} ssr=SsrMode::Async/>
                <Route path=path!("/account") view={Lazy::<lazy::Account>::new()} ssr=SsrMode::Async/>
                <ParentRoute path=path!("/projects/:prj") view=Frame ssr=SsrMode::Async>
                    <Route path=path!("/logs") view={Lazy::<lazy::Logs>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/logs/compare") view={Lazy::<lazy::CompareLogs>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/logs/:id") view={Lazy::<lazy::Log>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/tasks") view={Lazy::<lazy::Tasks>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/tasks/:id") view={Lazy::<lazy::Task>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/exports") view={Lazy::<lazy::Exports>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/exports/:id") view={Lazy::<lazy::Export>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/exports/:id/browse") view={Lazy::<lazy::Browse>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/sendouts") view={Lazy::<lazy::Sendouts>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/sendouts/:id") view={Lazy::<lazy::Sendout>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/sendouts/:id/compare") view={Lazy::<lazy::CompareAttempts>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/settings/project") view={Lazy::<lazy::Project>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/settings/members") view={Lazy::<lazy::Members>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/settings/keys") view={Lazy::<lazy::Keys>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/settings/retention") view={Lazy::<lazy::Retention>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/settings/chain") view={Lazy::<lazy::Chain>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/settings/embedding") view={Lazy::<lazy::Embedding>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/settings/masking") view={Lazy::<lazy::Masking>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/settings/webhooks") view={Lazy::<lazy::Webhooks>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/settings/alerts") view={Lazy::<lazy::Alerts>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/settings/alerts/:id") view={Lazy::<lazy::Alert>::new()} ssr=SsrMode::Async/>
                </ParentRoute>
            </Routes>
        </Router>
    }
}

/// Hands the way to other addresses to the page's plain elements, see [`browser`](super::browser). Renders nothing.
#[component]
fn Wake() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    super::browser::goes_by(leptos_router::hooks::use_navigate());
}
