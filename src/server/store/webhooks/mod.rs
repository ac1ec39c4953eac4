//! Webhooks: endpoints, events, sendouts, attempts, and who sends to which endpoint. What is sealed comes and goes so.

pub mod due;
pub mod endpoints;
pub mod events;
pub mod failures;
pub mod outcomes;
pub(in crate::server::store) mod rows;
pub mod sendouts;
pub mod write;
