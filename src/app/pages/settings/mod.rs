//! The settings of a project, one file a page.

pub mod endpoint;
pub mod endpoint_form;
pub mod webhooks;
