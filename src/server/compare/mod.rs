//! What differs between two logs, or two attempts: facts, headers, arguments by name, bodies by structure where they are JSON, else by lines.
//!
//! What is masked was masked before: two masks are the same here, whatever stood in their places. To compare something else: [`pairs`] for names and values,
//! [`body`] for bytes.

mod align;
pub mod json;
mod lines;
pub mod pairs;
mod words;

use crate::model::compare::{Look, Row, Section};
use crate::model::format;
use crate::model::log::BodyKind;

/// Bytes of a body that are compared row by row; a longer one is compared as a whole.
pub const MOST_BYTES: usize = 1 << 20;
/// Rows of a body.
const MOST_ROWS: usize = 2_000;

/// A body as it is kept.
#[derive(Clone, Copy, Debug)]
pub struct Body<'a> {
    /// What it is.
    pub kind: BodyKind,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// Rows as they are made: at most so many.
#[derive(Debug, Default)]
struct Rows {
    rows: Vec<Row>,
    /// Whether there would be more.
    more: bool,
}

impl Rows {
    fn push(&mut self, row: Row) {
        if self.rows.len() < MOST_ROWS {
            self.rows.push(row);
        } else {
            self.more = true;
        }
    }
}

/// Two bodies. `cut` says that what is kept of one of them ends early.
pub fn body(title: &str, first: Body<'_>, second: Body<'_>, cut: bool) -> Section {
    let mut section = Section {
        title: title.to_owned(),
        look: Look::Lines,
        rows: Vec::new(),
        notes: Vec::new(),
        differs_unseen: false,
    };
    if cut {
        section
            .notes
            .push("A body is kept in part: what follows is not compared.".to_owned());
    }
    match (first.kind, second.kind) {
        (BodyKind::None, BodyKind::None) => section.notes.push("Neither has a body.".to_owned()),
        _ if first.bytes.len().max(second.bytes.len()) > MOST_BYTES => {
            whole(&mut section, first, second, "too large to be compared row by row");
        }
        _ => row_by_row(&mut section, first, second),
    }
    section
}

fn row_by_row(section: &mut Section, first: Body<'_>, second: Body<'_>) {
    let mut out = Rows::default();
    if let (Some(one), Some(other)) = (json::Document::read(first.bytes), json::Document::read(second.bytes)) {
        section.look = Look::Json;
        json::compare(&one, &other, &mut out);
    } else if let (Ok(one), Ok(other)) = (std::str::from_utf8(first.bytes), std::str::from_utf8(second.bytes)) {
        lines::compare(one, other, &mut out);
    } else {
        return whole(section, first, second, "no text");
    }
    if out.more {
        let notes = format!("Only the first {} rows are shown.", format::count(MOST_ROWS as u64));
        section.notes.push(notes);
    }
    section.rows = out.rows;
}

/// Says of bodies that have no rows whether they are the same.
fn whole(section: &mut Section, first: Body<'_>, second: Body<'_>, why: &str) {
    let size = |body: Body<'_>| format::size(body.bytes.len() as i64);
    let sizes = format!("{} and {}", size(first), size(second));
    if first.bytes == second.bytes {
        section
            .notes
            .push(format!("The same, byte by byte ({}); {why}.", size(first)));
    } else {
        section.differs_unseen = true;
        section.notes.push(format!(
            "They differ ({sizes}), and are {why}. Download both to compare them."
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::compare::Standing;

    fn compared(first: &[u8], second: &[u8]) -> Section {
        let kind = |bytes: &[u8]| if bytes.is_empty() { BodyKind::None } else { BodyKind::Text };
        let body = |bytes| Body {
            kind: kind(bytes),
            bytes,
        };
        super::body("Body", body(first), body(second), false)
    }

    #[test]
    fn each_body_is_compared_as_what_it_is() {
        assert_eq!(compared(b"{\"a\":1}", b"{\"a\":2}").look, Look::Json);
        let lines = compared(b"{\"a\":1}", b"{\"a\":2");
        assert_eq!((lines.look, lines.differences()), (Look::Lines, 1));
        assert_eq!(compared(b"", b"").notes, ["Neither has a body."]);
        let appeared = compared(b"", b"[1]");
        assert!(appeared.rows.iter().all(|row| row.standing == Standing::Second) && !appeared.rows.is_empty());
        let bytes = compared(b"\xff\x00", b"\xff\x01");
        assert!(bytes.differs_unseen && bytes.notes[0].contains("no text"), "{bytes:?}");
        assert!(!compared(b"\xff", b"\xff").differs_unseen);
    }

    #[test]
    fn large_ones_are_compared_whole_and_many_rows_end() {
        let large = vec![b'a'; MOST_BYTES + 1];
        let mut other = large.clone();
        assert_eq!(compared(&large, &other).differences(), 0);
        other[7] = b'b';
        let told = compared(&large, &other);
        assert!(told.differs_unseen && told.notes[0].contains("too large"), "{told:?}");
        let many = |word: &str| (0..3_000).map(|line| format!("{word} {line}\n")).collect::<String>();
        let told = compared(many("a").as_bytes(), many("b").as_bytes());
        assert_eq!((told.rows.len(), told.notes.len()), (MOST_ROWS, 1));
    }
}
