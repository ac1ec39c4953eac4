//! A button whose work cannot be taken back: it asks first, in a dialog that closes on Escape and gives the focus back.
//!
//! To ask before something else: [`AskFirst`] with the words, and what is to be done.

use leptos::prelude::*;

use crate::app::parts::dialog::Modal;

/// The button and its dialog.
#[component]
pub fn AskFirst(
    /// The id of the dialog, one of its own in the page.
    #[prop(into)]
    id: String,
    /// The words on the button.
    button: &'static str,
    /// What is asked.
    title: &'static str,
    /// What will happen.
    #[prop(into)]
    text: String,
    /// The words on the button that does it.
    confirm: &'static str,
    /// The words on the button that does not.
    keep: &'static str,
    /// Does it.
    run: Callback<()>,
) -> impl IntoView {
    let modal = Modal::new();
    let heading = format!("{id}-title");
    let text_id = format!("{id}-text");
    let confirmed = move |_| {
        modal.close();
        run.run(());
    };
    view! {
        <button type="button" class="button needs-scripts" aria-haspopup="dialog" on:click=move |_| modal.open()>{button}</button>
        <dialog id=id class="dialog" node_ref=modal.node() aria-labelledby=heading.clone() aria-describedby=text_id.clone()>
            <h2 id=heading.clone()>{title}</h2>
            <p id=text_id.clone()>{text}</p>
            <div class="actions">
                <button type="button" class="button danger" on:click=confirmed>{confirm}</button>
                <button type="button" class="button" autofocus on:click=move |_| modal.close()>{keep}</button>
            </div>
        </dialog>
    }
}
