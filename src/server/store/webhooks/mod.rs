//! Webhooks: endpoints, events, sendouts, attempts, and who sends to which endpoint.

pub(in crate::server::store) mod rows;
