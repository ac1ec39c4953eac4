//! Secrets are masked before anything is stored.

/// What is masked: names of headers, cookies, and body keys. The list is configuration.
#[derive(Clone, Debug)]
pub struct MaskRules {}

impl Default for MaskRules {
    fn default() -> Self {
        todo!()
    }
}
