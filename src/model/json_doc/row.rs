//! A row as people see it: runs of text, each with its ink.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// Strings and keys longer than this many characters are shown in part.
pub const FOLD_AT: usize = 300;

/// What a run of text is, which decides its colour and weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ink {
    /// Brackets, colons, commas.
    #[serde(rename = "p")]
    Punctuation,
    /// A member's name.
    #[serde(rename = "k")]
    Key,
    /// A string.
    #[serde(rename = "s")]
    Text,
    /// A number.
    #[serde(rename = "n")]
    Number,
    /// `true` or `false`.
    #[serde(rename = "b")]
    Boolean,
    /// `null`.
    #[serde(rename = "z")]
    Null,
    /// A secret that was replaced.
    #[serde(rename = "m")]
    Masked,
    /// What is not part of the text: how much of it is not shown.
    #[serde(rename = "o")]
    Note,
    /// A line of text that is not JSON.
    #[serde(rename = "l")]
    Line,
}

/// Whether a run of text is what was looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mark {
    /// It is not.
    #[default]
    #[serde(rename = "-")]
    None,
    /// It is.
    #[serde(rename = "f")]
    Found,
    /// It is, and it is the one that the person stands at.
    #[serde(rename = "c")]
    Current,
}

/// A run of text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// What it is.
    #[serde(rename = "i")]
    pub ink: Ink,
    /// Whether it was looked for.
    #[serde(rename = "m", default, skip_serializing_if = "is_unmarked")]
    pub mark: Mark,
    /// It.
    #[serde(rename = "t")]
    pub text: String,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_unmarked(mark: &Mark) -> bool {
    *mark == Mark::None
}

impl Piece {
    pub(super) fn new(ink: Ink, text: impl Into<String>) -> Self {
        Self {
            ink,
            mark: Mark::None,
            text: text.into(),
        }
    }
}

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Its line in the wholly unfolded text, from 1; 0 where a long line of plain text goes on.
    pub line: u32,
    /// What to name when asking for its value or path, or folding it: a value of the JSON text, or a row of plain text.
    pub node: u32,
    /// How deep it lies.
    pub depth: u16,
    /// Whether it can be folded, and if so, whether it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open: Option<bool>,
    /// What it says.
    pub pieces: Vec<Piece>,
}

impl Row {
    /// The row's text, without its indentation and without notes.
    pub fn text(&self) -> String {
        self.pieces
            .iter()
            .filter(|piece| piece.ink != Ink::Note)
            .map(|piece| piece.text.as_str())
            .collect()
    }
}

/// Cuts `text[part]` into pieces of one ink, marking the ranges that were found; `first` is the number of the first of `found`.
pub(super) fn marked(
    text: &str,
    part: Range<usize>,
    ink: Ink,
    found: &[Range<usize>],
    current: Option<usize>,
    out: &mut Vec<Piece>,
) {
    let mut at = part.start;
    for (number, range) in found.iter().enumerate() {
        let (from, to) = (range.start.max(at), range.end.min(part.end));
        if from >= to {
            continue;
        }
        if from > at {
            out.push(Piece::new(ink, &text[at..from]));
        }
        let mark = if current == Some(number) { Mark::Current } else { Mark::Found };
        out.push(Piece {
            ink,
            mark,
            text: text[from..to].to_owned(),
        });
        at = to;
    }
    if at < part.end {
        out.push(Piece::new(ink, &text[at..part.end]));
    }
}
