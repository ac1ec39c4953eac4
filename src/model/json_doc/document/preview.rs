//! The first rows of a body, made without reading all of a long one.

use serde::{Deserialize, Serialize};

use super::{Document, Work};
use crate::model::json_doc::message::Form;
use crate::model::json_doc::parse::Step;
use crate::model::json_doc::row::Row;

/// The first rows of a body, for a page that must be readable before any script runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// At most as many as were asked for.
    pub rows: Vec<Row>,
    /// How many there are in all; `None` where the body was too long to count.
    pub total: Option<u32>,
    /// How it is shown.
    pub form: Form,
    /// Why it is not shown as JSON, where it was asked for.
    pub problem: Option<String>,
}

/// Bodies up to this size are read whole for a preview, so that it can say how many rows there are.
const PREVIEW_WHOLE: usize = 1 << 20;

/// The first `limit` rows of a body.
pub fn preview(bytes: &[u8], form: Form, masked: bool, limit: u32) -> Preview {
    let mut document = Document::new(bytes, form, masked);
    let max_rows = if bytes.len() <= PREVIEW_WHOLE { u32::MAX } else { limit };
    let mut whole = true;
    while document.read(usize::MAX, max_rows) == Step::More {
        if document.has_rows(limit) {
            whole = false;
            break;
        }
    }
    if !whole {
        document.take_index();
    }
    Preview {
        rows: document.rows(0, limit),
        total: whole.then(|| document.total()),
        form: document.form(),
        problem: document.problem.as_ref().map(ToString::to_string),
    }
}

impl<B: AsRef<[u8]>> Document<B> {
    /// Whether more than `limit` rows are known while reading.
    fn has_rows(&self, limit: u32) -> bool {
        match &self.work {
            Work::Parse(parser) => parser.lines() > limit,
            Work::Cut => self.plain.as_ref().is_some_and(|plain| plain.rows() > limit),
            Work::Nothing => true,
        }
    }
}
