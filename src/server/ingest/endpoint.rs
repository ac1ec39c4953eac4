//! The endpoint of a request: its method and its path's template.
//!
//! A segment of the path stays where it reads like a word of the API: letters, `-`, `_` and `.`, in lower case or mixed case (`importCSV`),
//! at most 24 of them; or `v` and a number. Every other one is a value and becomes `{id}`, as does one in capitals alone: codes are written so.
//!
//! A project has so many names at most, and only logs that are stored use any: a call claims those that are new ([`CallNames`]), and keeps them once
//! its logs are written. What was refused gives them back.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockWriteGuard};

use super::route;

/// So many names a project may have: endpoints are offered as choices and counted by the minute.
pub const MAX_NAMES: usize = 2_000;
/// Bytes of a name; one that would be longer counts as other.
const MAX_NAME: usize = 512;
/// Letters of a segment that is a word.
const MAX_WORD: usize = 24;
/// The methods that have an `…_other` of their own (RFC 9110, 9, and PATCH).
const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"];

/// A project's endpoint names: its own route templates, and the names in use (at most [`MAX_NAMES`], then `POST_v1_other`).
#[derive(Debug, Default)]
pub struct EndpointNames {
    /// Templates by the number of their segments.
    templates: HashMap<usize, Vec<Template>>,
    in_use: RwLock<HashMap<String, Use>>,
}

/// Who uses a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    /// Logs that are stored.
    Stored,
    /// So many calls that are on their way.
    Claimed(usize),
}

/// The names of one call: those that are new count for the project while it is on its way, and for good once it says so.
#[derive(Debug, Default)]
pub struct CallNames {
    names: Arc<EndpointNames>,
    claimed: Mutex<HashSet<String>>,
}

/// A route template of the project's own: `/v1/vouchers/{code}/redemption`, a method before it or none.
#[derive(Debug)]
struct Template {
    method: Option<String>,
    segments: Vec<String>,
}

impl Template {
    fn read(text: &str) -> Self {
        let text = text.trim();
        let (method, path) = match text.split_once(char::is_whitespace) {
            Some((method, path)) => (Some(method.to_ascii_uppercase()), path.trim_start()),
            None => (None, text),
        };
        Self {
            method,
            segments: segments(path).map(str::to_owned).collect(),
        }
    }

    fn is_of(&self, method: &str, path: &str) -> bool {
        self.method.as_deref().is_none_or(|own| own == method)
            && segments(path)
                .zip(&self.segments)
                .all(|(part, own)| is_variable(own) || part == own)
    }
}

impl EndpointNames {
    /// Names for a project: its templates (the first that fits names a path), and the names already in use.
    pub fn new(templates: &[String], in_use: impl IntoIterator<Item = String>) -> Self {
        let mut by_length: HashMap<usize, Vec<Template>> = HashMap::new();
        for template in templates.iter().map(|text| Template::read(text)) {
            by_length.entry(template.segments.len()).or_default().push(template);
        }
        Self {
            templates: by_length,
            in_use: RwLock::new(in_use.into_iter().map(|name| (name, Use::Stored)).collect()),
        }
    }

    fn of_template(&self, method: &str, path: &str) -> Option<String> {
        if self.templates.is_empty() {
            return None;
        }
        let same_length = self.templates.get(&segments(path).count())?;
        let template = same_length.iter().find(|template| template.is_of(method, path))?;
        Some(joined(method, template.segments.iter().map(String::as_str)))
    }

    fn is_stored(&self, name: &str) -> bool {
        // A panic elsewhere leaves the map as good as it was.
        let in_use = self.in_use.read().unwrap_or_else(PoisonError::into_inner);
        in_use.get(name) == Some(&Use::Stored)
    }

    fn change(&self) -> RwLockWriteGuard<'_, HashMap<String, Use>> {
        self.in_use.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Claims a name for one more call; says whether the project may have it.
    fn claim(&self, name: &str) -> bool {
        let mut in_use = self.change();
        let is_full = in_use.len() >= MAX_NAMES;
        match in_use.get_mut(name) {
            Some(Use::Stored) => true,
            Some(Use::Claimed(calls)) => {
                *calls += 1;
                true
            }
            None if is_full => false,
            None => {
                in_use.insert(name.to_owned(), Use::Claimed(1));
                true
            }
        }
    }
}

impl CallNames {
    /// The names of a call to a project.
    pub fn of(names: &Arc<EndpointNames>) -> Self {
        Self {
            names: Arc::clone(names),
            claimed: Mutex::default(),
        }
    }

    /// The endpoint of a request. The path comes without its query; the method in capitals.
    pub fn name(&self, method: &str, path: &str) -> String {
        let name = self.names.of_template(method, path).unwrap_or_else(|| derived(method, path));
        self.bounded(name, method, path)
    }

    /// The endpoint of a request that went by a framework's route; the project's own templates come first.
    pub fn routed(&self, method: &str, route: &str, path: &str) -> String {
        let of_route = || Some(joined(method, segments(&route::template(route)?)));
        let name = self.names.of_template(method, path).or_else(of_route);
        self.bounded(name.unwrap_or_else(|| derived(method, path)), method, path)
    }

    /// An endpoint that the sender named; the bound holds for it too.
    pub fn given(&self, name: &str, method: &str, path: &str) -> String {
        self.bounded(name.to_owned(), method, path)
    }

    /// The call's logs are stored.
    pub fn keep(self) {
        let claimed = std::mem::take(&mut *self.claimed());
        let mut in_use = self.names.change();
        in_use.extend(claimed.into_iter().map(|name| (name, Use::Stored)));
    }

    fn bounded(&self, name: String, method: &str, path: &str) -> String {
        if self.names.is_stored(&name) {
            return name;
        }
        let mut claimed = self.claimed();
        if claimed.contains(&name) {
            return name;
        }
        if name.len() > MAX_NAME || !self.names.claim(&name) {
            return other(method, path);
        }
        claimed.insert(name.clone());
        name
    }

    fn claimed(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.claimed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for CallNames {
    /// What was not kept is given back.
    fn drop(&mut self) {
        let claimed = std::mem::take(&mut *self.claimed());
        if claimed.is_empty() {
            return;
        }
        let mut in_use = self.names.change();
        for name in claimed {
            match in_use.get_mut(&name) {
                Some(Use::Claimed(calls)) if *calls > 1 => *calls -= 1,
                Some(Use::Claimed(_)) => drop(in_use.remove(&name)),
                Some(Use::Stored) | None => {}
            }
        }
    }
}

/// The segments of a path, the empty ones left out.
fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty())
}

fn is_variable(segment: &str) -> bool {
    segment.starts_with('{') && segment.ends_with('}')
}

fn derived(method: &str, path: &str) -> String {
    joined(
        method,
        segments(path).map(|segment| if is_word(segment) { segment } else { "{id}" }),
    )
}

fn joined<'a>(method: &str, segments: impl Iterator<Item = &'a str>) -> String {
    let mut name = method.to_owned();
    for segment in segments {
        name.push('_');
        name.push_str(segment);
    }
    if name.len() == method.len() {
        name.push('_');
    }
    name
}

fn is_version(segment: &str) -> bool {
    segment
        .strip_prefix('v')
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_word(segment: &str) -> bool {
    if is_version(segment) {
        return true;
    }
    let is_letter_or_joint = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_' | b'.');
    let has_capital = segment.bytes().any(|byte| byte.is_ascii_uppercase());
    let has_small = segment.bytes().any(|byte| byte.is_ascii_lowercase());
    segment.len() <= MAX_WORD && segment.bytes().all(is_letter_or_joint) && (has_small || !has_capital)
}

/// What stands for every name past the bound: `POST_v1_other`. There are few of these, whatever is sent.
fn other(method: &str, path: &str) -> String {
    let method = METHODS.into_iter().find(|known| *known == method).unwrap_or("OTHER");
    match segments(path).next().filter(|first| is_version(first) && first.len() <= 3) {
        Some(version) => format!("{method}_{version}_other"),
        None => format!("{method}_other"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_interface() {
        let names = CallNames::default();
        for (method, path, name) in [
            ("POST", "/v1/vouchers/CODE-1/redemption", "POST_v1_vouchers_{id}_redemption"),
            ("GET", "/v1/customers", "GET_v1_customers"),
            ("POST", "/v1/vouchers/importCSV", "POST_v1_vouchers_importCSV"),
            (
                "GET",
                "/repos/octokit/hello-world/issues/42",
                "GET_repos_octokit_hello-world_issues_{id}",
            ),
        ] {
            assert_eq!(names.name(method, path), name);
        }
    }

    #[test]
    fn values_become_id() {
        let names = CallNames::default();
        for (path, name) in [
            ("/", "GET_"),
            ("", "GET_"),
            ("//v1//customers/", "GET_v1_customers"),
            ("/v12/a", "GET_v12_a"),
            ("/v1a/a", "GET_{id}_a"),
            ("/v20261124/a", "GET_v20261124_a"),
            ("/v1234567890123456789012345/a", "GET_v1234567890123456789012345_a"),
            ("/v/a", "GET_v_a"),
            ("/V2/a", "GET_{id}_a"),
            ("/SUMMER/x", "GET_{id}_x"),
            ("/Summer/x", "GET_Summer_x"),
            ("/a@b.example", "GET_{id}"),
            ("/caf%C3%A9", "GET_{id}"),
            ("/café", "GET_{id}"),
            ("/robots.txt", "GET_robots.txt"),
            ("/abcdefghijklmnopqrstuvwx", "GET_abcdefghijklmnopqrstuvwx"),
            ("/abcdefghijklmnopqrstuvwxy", "GET_{id}"),
        ] {
            assert_eq!(names.name("GET", path), name, "{path}");
        }
    }

    #[test]
    fn the_projects_own_templates_come_first() {
        let templates = [
            "/v1/vouchers/{code}/redemption".to_owned(),
            "delete /v1/{kind}/all".to_owned(),
        ];
        let names = CallNames::of(&Arc::new(EndpointNames::new(&templates, [])));
        assert_eq!(
            names.name("POST", "/v1/vouchers/welcome/redemption"),
            "POST_v1_vouchers_{code}_redemption"
        );
        assert_eq!(names.name("POST", "/v1/vouchers/welcome"), "POST_v1_vouchers_welcome");
        assert_eq!(names.name("DELETE", "/v1/orders/all"), "DELETE_v1_{kind}_all");
        assert_eq!(names.name("GET", "/v1/orders/all"), "GET_v1_orders_all");
    }

    #[test]
    fn a_route_names_what_the_path_alone_would_not() {
        let names = CallNames::of(&Arc::new(EndpointNames::new(&["/v1/vouchers/{code}".to_owned()], [])));
        for (route, path, name) in [
            ("/oauth2/token", "/oauth2/token", "GET_oauth2_token"),
            ("/users/:name", "/users/ada", "GET_users_{name}"),
            ("/v1/vouchers/:id", "/v1/vouchers/a", "GET_v1_vouchers_{code}"),
            ("/", "/", "GET_"),
            ("(?P<x>)", "/users/77", "GET_users_{id}"),
        ] {
            assert_eq!(names.routed("GET", route, path), name, "{route}");
        }
        assert_eq!(CallNames::of(&nearly_full()).routed("GET", "/a/:b", "/a/1"), "GET_a_{b}");
        assert_eq!(
            CallNames::default().routed("GET", &"/a".repeat(1_000), "/v1/a"),
            "GET_v1_other"
        );
    }

    fn nearly_full() -> Arc<EndpointNames> {
        Arc::new(EndpointNames::new(&[], (0..MAX_NAMES - 1).map(|nth| format!("GET_{nth}"))))
    }

    #[test]
    fn past_the_bound_there_is_one_name_for_the_rest() {
        let names = CallNames::of(&nearly_full());
        assert_eq!(names.name("GET", "/v1/last"), "GET_v1_last");
        assert_eq!(names.name("GET", "/v1/more"), "GET_v1_other");
        assert_eq!(names.name("GET", "/more"), "GET_other");
        assert_eq!(names.name("BREW", "/v1/more"), "OTHER_v1_other");
        assert_eq!(names.given("checkout", "GET", "/more"), "GET_other");
        assert_eq!(names.name("GET", "/v1/last"), "GET_v1_last", "a name in use stays");
    }

    #[test]
    fn what_was_refused_gives_its_names_back() {
        let project = nearly_full();
        let refused = CallNames::of(&project);
        let other = CallNames::of(&project);
        assert_eq!(refused.name("GET", "/v1/last"), "GET_v1_last");
        assert_eq!(
            other.name("GET", "/v1/last"),
            "GET_v1_last",
            "two calls at once may bring the same"
        );
        drop(refused);
        assert_eq!(
            CallNames::of(&project).name("GET", "/v1/more"),
            "GET_v1_other",
            "the other one still holds it"
        );
        drop(other);
        let stored = CallNames::of(&project);
        assert_eq!(stored.name("GET", "/v1/more"), "GET_v1_more");
        let late = CallNames::of(&project);
        assert_eq!(late.name("GET", "/v1/more"), "GET_v1_more");
        stored.keep();
        drop(late);
        assert_eq!(
            CallNames::of(&project).name("GET", "/v1/more"),
            "GET_v1_more",
            "what is stored stays"
        );
        assert_eq!(CallNames::of(&project).name("GET", "/v1/last"), "GET_v1_other");
    }

    #[test]
    fn a_name_has_its_bound_too() {
        assert_eq!(CallNames::default().name("GET", &"/a".repeat(1_000)), "GET_other");
    }
}
