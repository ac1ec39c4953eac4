//! The parts that pages are made of. A part knows nothing of where its figures come from.
//!
//! To add one: a file here, its look in `style/`, and no `style` attribute.

pub mod at_once;
pub mod awaited;
pub mod body_view;
pub mod brand;
pub mod browse;
pub mod chips;
pub mod columns;
pub mod compare;
pub mod dialog;
pub mod download;
pub mod export_dialog;
pub mod filter_bar;
pub mod frame;
pub mod help;
pub mod histogram;
pub mod import_form;
pub mod json_view;
pub mod links;
pub mod live;
pub mod live_logs;
pub mod markup;
pub mod notices;
pub mod pager;
pub mod range;
pub mod range_panel;
pub mod record_page;
pub mod records;
pub mod retry_dialog;
pub mod retry_one;
pub mod scale;
pub mod searching;
pub mod states;
#[cfg(feature = "ssr")]
pub mod still_table;
pub mod table;
pub mod timeline;
pub mod title;
pub mod totals;
pub mod views;
pub mod written;
