//! What the words mean: pure types shared by the server, the browser and the worker. No I/O, no clock, no randomness.
//!
//! To add a sibling: one file an idea, its parsing and its display beside each other, tests at the foot,
//! and nothing from `app`, `api` or `server` (the arrows all point here).

pub mod account;
pub mod alert;
pub mod browse;
pub mod column;
pub mod compare;
pub mod embed;
pub mod endpoint;
pub mod export;
pub mod filter;
pub mod format;
pub mod id;
pub mod json_doc;
pub mod key;
pub mod log;
pub mod masking;
pub mod member;
pub mod page;
pub mod project;
pub mod query;
pub mod retention;
pub mod rights;
pub mod selection;
pub mod sendout;
pub mod tab;
pub mod task;
pub mod timeline;
pub mod view;
pub mod zone;
