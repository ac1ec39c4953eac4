//! The OpenAPI document against the router: what is answered is described, and what is described is answered.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{TestApp, routes};

/// Where the router hands on to the routes of another path, whatever the method; what is described there is that path's.
const HANDED_ON: [(&str, &str); 2] = [
    ("/management/v1/projects/{prj}/webhooks", "/v1/webhooks"),
    ("/management/v1/projects/{prj}/webhooks/{*rest}", "/v1/webhooks/"),
];

/// The routes for programs, those that are handed on as what they are handed to.
fn of_programs(app: &TestApp) -> BTreeSet<String> {
    let all = routes(app);
    let mut found = BTreeSet::new();
    for route in &all {
        let (method, path) = route.split_once(' ').unwrap();
        if method == "ANY" {
            let (_, to) = HANDED_ON
                .iter()
                .find(|(from, _)| *from == path)
                .unwrap_or_else(|| panic!("{route} is handed on?"));
            let is_below = to.ends_with('/');
            let those = all.iter().filter_map(|other| {
                let (method, path) = other.split_once(' ')?;
                let is_it = if is_below { path.starts_with(to) } else { path == *to };
                is_it.then(|| {
                    format!(
                        "{method} /management/v1/projects/{{prj}}{}",
                        path.strip_prefix("/v1").unwrap()
                    )
                })
            });
            found.extend(those);
        } else if ["/v1/", "/management/", "/health/"]
            .iter()
            .any(|start| path.starts_with(start))
        {
            found.insert(route.clone());
        }
    }
    found
}

/// The operations of a document.
fn described(document: &Value) -> BTreeSet<String> {
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().keys();
        methods.map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    operations.collect()
}

for_each_db! {
    async fn every_route_is_described_and_every_description_has_its_route(app: TestApp) {
        let printed = app.command(&["openapi"], "");
        assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
        let document: Value = serde_json::from_slice(&printed.stdout).unwrap();
        let (answered, described) = (of_programs(app), described(&document));
        assert!(answered.len() > 50, "the router does not say what it answers to: {answered:?}");
        let undescribed: Vec<_> = answered.difference(&described).collect();
        assert!(undescribed.is_empty(), "routes without a line in a Described (src/server/http/openapi.rs): {undescribed:?}");
        let unanswered: Vec<_> = described.difference(&answered).collect();
        assert!(unanswered.is_empty(), "described, but no route: {unanswered:?}");
    }
}
