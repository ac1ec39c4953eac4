//! The document's title.

use leptos::prelude::*;

use super::markup::Escaped;

/// Names the document: its page, and whose it is. Every page's title is this one's: `leptos_meta` writes a title into the server's page as it is, and
/// some are made of what a sender chose.
#[component]
pub fn Title(
    /// The page's name.
    #[prop(into)]
    text: String,
) -> impl IntoView {
    view! { <leptos_meta::Title text=written(&text)/> }
}

/// As markup on the server; in the browser it is set as a text.
fn written(text: &str) -> String {
    if cfg!(feature = "ssr") {
        Escaped(text).to_string()
    } else {
        text.to_owned()
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn a_title_ends_nothing() {
        assert_eq!(written("</title><script>"), "&lt;/title&gt;&lt;script&gt;");
    }
}
