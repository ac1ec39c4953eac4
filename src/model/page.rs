//! Keyset pages: where a page begins, and what it holds.

use serde::{Deserialize, Serialize};

/// A place in a list ordered by (time, id).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key {
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// The id of the row that stands there, or an empty text for the place before every row of that millisecond.
    pub id: String,
}

/// Which rows of a list a page asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// The first ones in the list's order.
    #[default]
    Start,
    /// Those that come after this key in the list's order.
    After(Key),
    /// Those that come before this key in the list's order, the nearest ones.
    Before(Key),
}

/// A page of a list, in the list's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// At most as many rows as were asked for.
    pub rows: Vec<T>,
    /// Whether more come after the last row.
    pub more_after: bool,
    /// Whether more come before the first row.
    pub more_before: bool,
    /// Set where the time allowed ran out before the page was full: everything between the page's start and this time
    /// (milliseconds) was looked at; `more_after` (or `more_before`, reading backwards) is then true, and the search goes on from here.
    pub searched_to: Option<i64>,
}

impl<T> Page<T> {
    /// A page with nothing on it.
    pub const fn empty() -> Self {
        Self {
            rows: Vec::new(),
            more_after: false,
            more_before: false,
            searched_to: None,
        }
    }
}

/// How many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Total {
    /// Exactly so many.
    Exact(u64),
    /// At least so many: counting stopped at its bound.
    AtLeast(u64),
    /// Not counted: it would cost too much.
    Unknown,
}
