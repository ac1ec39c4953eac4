//! A framework's route as a path's template: `/users/:id`, `/users/<int:id>`, `/users/{id:int}`, `/users/[id]` and `/users/*rest` all say `/users/{…}`.

use std::borrow::Cow;

/// The route with its variables as `{name}`; none where it is a pattern whose segments cannot be told (Django's regular expressions).
pub(crate) fn template(route: &str) -> Option<String> {
    // Go's routes may begin with the method, Rails' end with an optional format.
    let path = route.split_once(' ').map_or(route, |(_, path)| path).trim();
    let path = path.strip_suffix("(.:format)").unwrap_or(path);
    if path.is_empty() || path.contains("(?") || path.bytes().any(|byte| byte.is_ascii_control()) {
        return None;
    }
    let segments: Vec<Cow<'_, str>> = path.split('/').filter(|segment| !segment.is_empty()).map(segment).collect();
    Some(format!("/{}", segments.join("/")))
}

fn segment(segment: &str) -> Cow<'_, str> {
    let between = |open: char, close: char| segment.strip_prefix(open)?.strip_suffix(close);
    if let Some(name) = segment.strip_prefix([':', '*']) {
        return variable(name);
    }
    // Flask writes the kind first, the others after the name.
    if let Some(inner) = between('<', '>') {
        return variable(inner.rsplit_once(':').map_or(inner, |(_, name)| name));
    }
    match between('{', '}').or_else(|| between('[', ']')) {
        Some(inner) => variable(inner),
        None => Cow::Borrowed(segment),
    }
}

/// `{name}`, without what stands around the name: `*rest`, `...rest`, `id?`, `id:int`, `id=5`.
fn variable(inner: &str) -> Cow<'_, str> {
    let name = inner.trim_start_matches(['*', '.', '[', ':']);
    let is_of_name = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-');
    let end = name.find(|letter| !is_of_name(letter)).unwrap_or(name.len());
    Cow::Owned(match &name[..end] {
        "" => "{path}".to_owned(),
        name => format!("{{{name}}}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_routes_of_many_frameworks() {
        for (route, expected) in [
            ("/v1/users/{id}", Some("/v1/users/{id}")),
            ("/v1/oauth2/token", Some("/v1/oauth2/token")),
            ("/users/:id/posts/:post_id?", Some("/users/{id}/posts/{post_id}")),
            ("/users/:id(\\d+)", Some("/users/{id}")),
            ("/users/<int:id>", Some("/users/{id}")),
            ("/users/<id>", Some("/users/{id}")),
            ("api/{controller=Home}/{id:int?}", Some("/api/{controller}/{id}")),
            ("/files/{*path}", Some("/files/{path}")),
            ("/files/{rest...}", Some("/files/{rest}")),
            ("/files/**", Some("/files/{path}")),
            ("/files/*", Some("/files/{path}")),
            ("/users/[id]/[...slug]", Some("/users/{id}/{slug}")),
            ("/users/:id(.:format)", Some("/users/{id}")),
            ("GET /users/{id}", Some("/users/{id}")),
            ("/report-{id}.pdf", Some("/report-{id}.pdf")),
            ("/", Some("/")),
            ("", None),
            ("/a\0b", None),
            ("^users/(?P<pk>[^/.]+)/$", None),
        ] {
            assert_eq!(template(route).as_deref(), expected, "{route}");
        }
    }
}
