//! One file a page.

pub mod account;
pub mod browse;
pub mod code;
pub mod compare;
#[cfg(feature = "ssr")]
pub mod embed;
pub mod export;
pub mod exports;
pub mod invite;
pub mod log;
pub mod logs;
pub mod not_found;
pub mod sendout;
pub mod sendouts;
pub mod settings;
pub mod sign_in;
pub mod task;
pub mod tasks;
