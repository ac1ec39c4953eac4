//! The server's half. Everything here stands behind the one `ssr` feature.

pub mod access;
pub mod alerts;
pub mod backup;
pub mod chain;
pub mod cli;
pub mod clock;
pub mod compare;
pub mod config;
#[cfg(test)]
pub(crate) mod corpus;
pub mod demo;
pub mod disk;
pub mod embeds;
pub mod error;
pub mod exporting;
pub mod exports;
pub mod files;
pub mod gateway;
pub mod http;
pub mod ingest;
pub mod jobs;
pub mod live;
pub mod mail;
pub mod masking;
pub mod projects;
pub mod reseal;
pub mod retention;
pub mod secrets;
pub mod selection;
pub mod state;
pub mod store;
pub mod telemetry;
pub mod views;
pub mod webhooks;
