//! What the page and its worker say to each other about a file. Messages cross as JSON texts.
//!
//! The worker serves the JSON viewer, too ([`crate::model::json_doc::message`]); [`Ask::Open`] as the first message makes it serve this instead.

use serde::{Deserialize, Serialize};

use crate::model::export::Format;

/// What is opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// How it is written.
    pub format: Format,
    /// Its columns, in order; a CSV's own heading comes before them.
    pub fields: Vec<String>,
    /// Whether cells that a spreadsheet would run as formulas have an apostrophe before them.
    pub guarded: bool,
    /// Bytes of the plain file, where that is known.
    pub bytes: Option<u64>,
}

/// How a column's cells are compared with a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Op {
    /// It stands in them, in any case.
    #[default]
    Contains,
    /// They are it, letter for letter.
    Equals,
    /// They are anything else.
    NotEquals,
}

impl Op {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Contains, Self::Equals, Self::NotEquals];

    /// The words that people read.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Contains => "contains",
            Self::Equals => "is",
            Self::NotEquals => "is not",
        }
    }
}

/// A filter by one column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// Which column, from 0.
    pub column: u32,
    /// How its cells are compared.
    pub op: Op,
    /// With what.
    pub text: String,
}

/// An order by one column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sort {
    /// Which column, from 0.
    pub column: u32,
    /// The last first.
    pub descending: bool,
}

/// Which rows are shown, and in which order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// Stands in any cell, in any case; literally.
    pub text: String,
    /// All of these hold.
    pub filters: Vec<Filter>,
    /// The file's own order where there is none.
    pub sort: Option<Sort>,
}

/// What the page asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ask {
    /// Load a file; comes first.
    Open {
        /// From here.
        url: String,
        /// What it is.
        opened: Opened,
    },
    /// Show these rows.
    View(View),
    /// Some of the rows that are shown.
    Rows {
        /// The first one's place.
        from: u32,
        /// How many at most.
        count: u32,
    },
    /// One cell's whole text.
    Cell {
        /// The row's number in the file.
        row: u32,
        /// Which column.
        column: u32,
        /// What for.
        aim: Aim,
    },
    /// The rows that are shown, as a CSV file.
    Save,
}

/// What a cell's whole text is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Aim {
    /// To be read.
    Open,
    /// To be copied.
    Copy,
}

/// A cell's text, cut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// Its beginning.
    pub text: String,
    /// Whether there is more.
    pub cut: bool,
}

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its number in the file, from 0.
    pub row: u32,
    /// A cell for each column.
    pub cells: Vec<Cut>,
}

/// What takes its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Work {
    /// Unpacking rows.
    Reading,
    /// Looking for rows.
    Looking,
    /// Putting rows in order.
    Sorting,
    /// Writing a file.
    Saving,
}

/// What the worker tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tell {
    /// It listens.
    Ready,
    /// The columns are known.
    Columns(Vec<String>),
    /// So many bytes have come.
    Loading {
        /// Until now.
        done: u64,
        /// In all, where known.
        total: Option<u64>,
    },
    /// All has come, or all that will; what is wrong with it.
    Loaded(Option<String>),
    /// Which rows there are.
    Shown {
        /// Counts the views: rows that carry another number are out of date.
        epoch: u32,
        /// All rows.
        all: u32,
        /// Those that are shown.
        shown: u32,
        /// Whether all that has come was looked at.
        done: bool,
    },
    /// Rows that were asked for.
    Rows {
        /// Of this view.
        epoch: u32,
        /// The first one's place.
        from: u32,
        /// They.
        rows: Vec<Line>,
    },
    /// How far something got, in percent; 100 once it is done.
    Working(Work, u8),
    /// A cell's whole text.
    Cell {
        /// The row's number in the file.
        row: u32,
        /// Which column.
        column: u32,
        /// What for.
        aim: Aim,
        /// It.
        text: String,
    },
    /// The file is written: from here it can be had.
    Saved(String),
    /// The file could not be written, and why.
    Unsaved(String),
    /// The file could not be loaded.
    Failed(String),
}
