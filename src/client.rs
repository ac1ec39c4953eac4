//! The browser's half: wakes the page that the server rendered.

fn main() {
    console_error_panic_hook::set_once();
    audit_log::app::wake();
}
