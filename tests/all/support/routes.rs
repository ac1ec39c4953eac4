//! What the router answers to, read off the router itself.

use std::collections::{BTreeMap, BTreeSet};

use audit_log::server::http;

use super::TestApp;

/// The routes of the router, as it prints itself: method and path. `ANY` where every method is taken.
pub fn routes(app: &TestApp) -> BTreeSet<String> {
    let printed = format!("{:?}", http::router(app.server.clone()));
    let (routers, _) = printed.split_once("fallback_router").unwrap_or((&printed, ""));
    let (endpoints, paths) = routers.split_once("paths: {").expect("the router prints its paths");
    let id = |text: &str| text.split(')').next().and_then(|digits| digits.parse::<u32>().ok());
    let mut methods: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for part in endpoints.split("RouteId(").skip(1) {
        let Some(route) = id(part) else { continue };
        let named = part
            .split("allow_header: Bytes(b\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        let named = named.unwrap_or("ANY");
        // Whatever answers GET answers HEAD.
        methods.insert(
            route,
            named
                .split(',')
                .filter(|method| *method != "HEAD")
                .map(str::to_owned)
                .collect(),
        );
    }
    let mut found = BTreeSet::new();
    for part in paths.split("RouteId(").skip(1) {
        let (Some(route), Some(path)) = (id(part), part.split('"').nth(1)) else {
            continue;
        };
        for method in methods.get(&route).into_iter().flatten() {
            found.insert(format!("{method} {path}"));
        }
    }
    found
}
