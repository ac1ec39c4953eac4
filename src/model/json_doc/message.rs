//! What the page and its worker say to each other, and the worker's side of it without a browser.
//!
//! Messages cross as JSON texts. To add one: a variant of [`Ask`] or [`Tell`], and an arm in [`Session::answer`].

use serde::{Deserialize, Serialize};

use super::document::Document;
use super::parse::Step;
use super::row::Row;

/// How a body is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Form {
    /// JSON, one value a line.
    #[default]
    Pretty,
    /// As it came.
    Raw,
}

/// What of a row is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Part {
    /// Its value.
    Value,
    /// The path of its value.
    Path,
}

/// What the page asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ask {
    /// Load a body; comes first.
    Load {
        /// From here.
        url: String,
        /// How to show it.
        form: Form,
        /// Whether secrets in it were replaced.
        masked: bool,
    },
    /// Take this as the body; comes first in the place of [`Ask::Load`].
    Take {
        /// It.
        text: String,
        /// How to show it.
        form: Form,
        /// Whether secrets in it were replaced.
        masked: bool,
    },
    /// Some rows.
    Rows {
        /// The first one.
        from: u32,
        /// How many at most.
        count: u32,
    },
    /// Fold or unfold a value.
    Toggle(u32),
    /// Fold everything at this depth and deeper; `None` unfolds all.
    Level(Option<u16>),
    /// Show it so.
    Form(Form),
    /// Look for a text; an empty one ends the search.
    Find {
        /// Literal, in any case.
        text: String,
        /// The row where the person is: the first match from there on is gone to.
        from: u32,
    },
    /// Go to the next match, or to the one before.
    Go {
        /// To the next.
        forward: bool,
    },
    /// Something to copy.
    Copy {
        /// The row's value.
        node: u32,
        /// What of it.
        part: Part,
    },
}

/// What the worker tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tell {
    /// It listens.
    Ready,
    /// So many bytes have come.
    Loading {
        /// Until now.
        done: u64,
        /// In all, where known.
        total: Option<u64>,
    },
    /// So many bytes were read.
    Reading {
        /// Until now.
        done: u64,
        /// In all.
        total: u64,
    },
    /// The rows are others than before.
    Shown {
        /// Counts the changes: rows that carry another number are out of date.
        epoch: u32,
        /// How many rows.
        total: u32,
        /// How they are shown.
        form: Form,
        /// Why not as JSON, where it was asked for.
        problem: Option<String>,
    },
    /// Rows that were asked for.
    Rows {
        /// Of this change.
        epoch: u32,
        /// The first one.
        from: u32,
        /// They.
        rows: Vec<Row>,
    },
    /// How far the search got.
    Found {
        /// Matches known.
        total: u32,
        /// Whether there are more than are counted.
        more: bool,
        /// Whether all was looked at.
        done: bool,
        /// The match that the person is at (from 0), and its row.
        at: Option<(u32, u32)>,
    },
    /// Something to copy, or why it cannot be.
    Copied {
        /// What of the row.
        part: Part,
        /// It.
        text: Result<String, String>,
    },
    /// The body could not be loaded.
    Failed(String),
}

/// Bytes a slice reads or looks through: about 10 ms.
const SLICE: usize = 1 << 20;
/// What a clipboard is given at most.
const MAX_COPY: usize = 10_000_000;

/// The worker's side of the talk.
#[derive(Debug, Default)]
pub struct Session {
    document: Option<Document<Vec<u8>>>,
    epoch: u32,
    reading: bool,
    /// The row to go on from at the first match, while a search runs.
    finding: Option<Option<u32>>,
}

impl Session {
    /// The whole body has come.
    pub fn loaded(&mut self, bytes: Vec<u8>, form: Form, masked: bool) {
        self.document = Some(Document::new(bytes, form, masked));
        self.reading = true;
        self.finding = None;
    }

    /// Whether there is something to go on with.
    pub const fn is_busy(&self) -> bool {
        self.reading || self.finding.is_some()
    }

    /// Does one slice of what is to be done.
    pub fn work(&mut self) -> Vec<Tell> {
        let Some(document) = &mut self.document else {
            return Vec::new();
        };
        if self.reading {
            if document.read(SLICE, u32::MAX) == Step::More {
                return vec![Tell::Reading {
                    done: document.read_so_far() as u64,
                    total: document.bytes().len() as u64,
                }];
            }
            self.reading = false;
            return vec![self.changed()];
        }
        let Some(from) = self.finding else { return Vec::new() };
        let done = document.find_on(SLICE) == Step::Done;
        let (total, more) = document.found();
        let mut tells = Vec::new();
        let mut at = None;
        if let Some(row) = from
            && (total > 0 || done)
        {
            // The first match from where the person is may still lie ahead of the search.
            let place = if done || document.has_match_from(row) {
                document.go_from(row)
            } else {
                None
            };
            if place.is_some() || done {
                self.finding = Some(None);
                at = place.map(|place| (place.number, place.row));
                tells.push(self.changed());
            }
        }
        if done {
            self.finding = None;
        }
        tells.push(Tell::Found { total, more, done, at });
        tells
    }

    fn changed(&mut self) -> Tell {
        self.epoch += 1;
        let document = self.document.as_ref();
        Tell::Shown {
            epoch: self.epoch,
            total: document.map_or(0, Document::total),
            form: document.map_or(Form::Raw, Document::form),
            problem: document.and_then(Document::problem).map(ToString::to_string),
        }
    }

    /// Answers a question; [`Ask::Load`] and [`Ask::Take`] are the worker's own to carry out.
    pub fn answer(&mut self, ask: Ask) -> Vec<Tell> {
        let Some(document) = &mut self.document else {
            return Vec::new();
        };
        match ask {
            Ask::Load { .. } | Ask::Take { .. } => Vec::new(),
            // What is being read again will be told as other rows.
            Ask::Rows { .. } if self.reading => Vec::new(),
            Ask::Rows { from, count } => {
                vec![Tell::Rows {
                    epoch: self.epoch,
                    from,
                    rows: document.rows(from, count),
                }]
            }
            Ask::Toggle(node) => {
                document.toggle(node);
                vec![self.changed()]
            }
            Ask::Level(level) => {
                document.level(level);
                vec![self.changed()]
            }
            Ask::Form(form) => {
                document.set_form(form);
                self.reading = true;
                self.finding = None;
                Vec::new()
            }
            Ask::Find { text, from } => {
                document.find(&text);
                self.finding = (!text.is_empty()).then_some(Some(from));
                if text.is_empty() {
                    vec![
                        self.changed(),
                        Tell::Found {
                            total: 0,
                            more: false,
                            done: true,
                            at: None,
                        },
                    ]
                } else {
                    Vec::new()
                }
            }
            Ask::Go { forward } => {
                let Some(place) = document.go_on(forward) else {
                    return Vec::new();
                };
                let (total, more) = document.found();
                let done = self.finding.is_none();
                vec![
                    self.changed(),
                    Tell::Found {
                        total,
                        more,
                        done,
                        at: Some((place.number, place.row)),
                    },
                ]
            }
            Ask::Copy { node, part } => vec![Tell::Copied {
                part,
                text: copy(document, node, part),
            }],
        }
    }
}

fn copy(document: &Document<Vec<u8>>, node: u32, part: Part) -> Result<String, String> {
    match part {
        Part::Path => document.path(node).ok_or_else(|| "Plain text has no paths.".to_owned()),
        Part::Value => document.value(node, MAX_COPY).ok_or_else(|| {
            let size = crate::model::format::size(document.value_size(node) as i64);
            format!("{size} are too much for the clipboard. Download the body instead.")
        }),
    }
}
