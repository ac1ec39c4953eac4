//! The settings of a project, one file a page.

pub mod alert;
pub mod alert_actions;
pub mod alert_form;
pub mod alert_history;
pub mod alert_state;
pub mod alerts;
pub mod chain;
pub mod chain_heads;
pub mod embed;
pub mod embed_form;
pub mod embedding;
pub mod endpoint;
pub mod endpoint_form;
pub mod invitations;
pub mod key;
pub mod key_form;
pub mod keys;
pub mod mask_row;
pub mod mask_tried;
pub mod masking;
pub mod member;
pub mod members;
pub mod project;
pub mod retention;
pub mod retention_form;
pub mod retention_purges;
pub mod retention_storage;
pub mod sight;
pub mod webhooks;

use crate::app::parts::dialog::focus;
