//! The endpoint of a request: its method and its path's template.

/// A project's endpoint names: its own route templates, and the names in use (at most 2,000, then `…_other`).
#[derive(Debug, Default)]
pub struct EndpointNames {}

impl EndpointNames {
    /// Names for a project: its templates, and the names already in use.
    pub fn new(templates: &[String], in_use: impl IntoIterator<Item = String>) -> Self {
        let _ = (templates, in_use);
        todo!()
    }

    /// The endpoint of a request, noted as in use.
    pub fn name(&self, method: &str, path: &str) -> String {
        let _ = (method, path);
        todo!()
    }
}
