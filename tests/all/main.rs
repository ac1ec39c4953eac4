//! Tests through the public door: the real router on a loopback port, each on SQLite and on PostgreSQL.
//!
//! To add a part: a file here and its `mod` line; `support` has what starts the service and asks it.

#![allow(
    clippy::pedantic,
    clippy::format_push_string,
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

#[macro_use]
mod support;

mod account;
mod alerts;
mod backup;
mod bad_input;
mod browsing;
mod chain;
mod chain_page;
mod changes;
mod command_line;
mod compare;
mod conformance;
mod copy;
mod counts;
mod demo;
mod embeds;
mod exports_api;
mod exports_filters;
mod gateway;
mod headers;
mod import;
mod imports_api;
mod jobs;
mod jobs_kill;
mod keys;
mod kill;
mod linger;
mod live;
mod log_page;
mod logs;
mod logs_api;
mod logs_page;
mod management;
mod masking;
mod masking_page;
mod matrix;
mod members;
mod openapi;
mod otlp;
mod outage;
mod plain_scan;
mod plans;
mod projects;
mod record_pages;
mod recording;
mod reseal;
mod retention;
mod retention_job;
mod retention_weeks;
mod s3;
mod search;
mod second_factor;
mod sendout_page;
mod serve;
mod sign_in;
mod soak;
mod tampering;
mod tasks_api;
mod upgrade;
mod views;
mod webhooks;
mod webhooks_bulk;
mod webhooks_hand;
mod webhooks_kill;
mod webhooks_reach;
mod webhooks_secrets;
mod webhooks_send;
mod withheld;
