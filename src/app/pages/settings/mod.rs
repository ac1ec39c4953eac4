//! The settings of a project, one file a page.

pub mod endpoint;
pub mod endpoint_form;
pub mod key;
pub mod key_form;
pub mod keys;
pub mod webhooks;
