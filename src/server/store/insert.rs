//! Many rows with one statement: sqlx passes a statement from thread to thread on SQLite, so that a row a statement is five times slower.
//!
//! Rows go in chunks of a few fixed sizes, so that the database prepares few statements and keeps them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Parameters that one statement may have: SQLite's limit is 32,766.
const PARAMETERS: usize = 16_000;
/// Rows of a statement, before the limit of parameters. Any number up to forty is two or three of them: what is written at once under load is as
/// many rows as there are callers, and a statement costs more than its rows.
const CHUNKS: [usize; 13] = [500, 100, 40, 30, 20, 14, 10, 7, 5, 4, 3, 2, 1];
/// Prepared statements that a connection keeps: each of these sizes of each insert.
pub(super) const KEPT_STATEMENTS: usize = 256;

/// An insert's text around its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Insert {
    /// `INSERT INTO t (a, b) VALUES`, or any text that a list of rows follows.
    pub(super) head: &'static str,
    /// What follows the rows, as `ON CONFLICT …`.
    pub(super) tail: &'static str,
    /// Values of a row.
    pub(super) columns: usize,
}

/// The texts that were rendered, by what they insert, how many rows, and for which database.
type Texts = Mutex<Option<HashMap<(Insert, usize, bool), &'static str>>>;

impl Insert {
    /// Cuts rows into chunks that one statement each can hold.
    pub(super) fn chunks<'a, T>(&self, mut rows: &'a [T]) -> Vec<&'a [T]> {
        let most = (PARAMETERS / self.columns).max(1);
        let mut chunks = Vec::new();
        for size in CHUNKS {
            let size = size.min(most);
            while rows.len() >= size {
                let (chunk, rest) = rows.split_at(size);
                chunks.push(chunk);
                rows = rest;
            }
        }
        chunks
    }

    /// The statement for so many rows. Kept for good: there are few shapes.
    pub(super) fn sql(&self, rows: usize, sqlite: bool) -> &'static str {
        static TEXTS: Texts = Mutex::new(None);
        let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
        texts
            .get_or_insert_default()
            .entry((*self, rows, sqlite))
            .or_insert_with(|| self.render(rows, sqlite).leak())
    }

    fn render(&self, rows: usize, sqlite: bool) -> String {
        let mut sql = String::from(self.head);
        let mut number = 0_usize;
        for row in 0..rows {
            sql.push_str(if row == 0 { " (" } else { ", (" });
            for column in 0..self.columns {
                if column > 0 {
                    sql.push(',');
                }
                number += 1;
                // SQLite looks a numbered parameter's name up for each value; an unnumbered one costs nothing.
                if sqlite {
                    sql.push('?');
                } else {
                    sql.push('$');
                    sql.push_str(&number.to_string());
                }
            }
            sql.push(')');
        }
        sql.push(' ');
        sql.push_str(self.tail);
        sql
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_numbered_through() {
        let insert = Insert {
            head: "INSERT INTO t (a, b) VALUES",
            tail: "ON CONFLICT DO NOTHING",
            columns: 2,
        };
        assert_eq!(
            insert.sql(2, false),
            "INSERT INTO t (a, b) VALUES ($1,$2), ($3,$4) ON CONFLICT DO NOTHING"
        );
        assert_eq!(
            insert.sql(1, true),
            "INSERT INTO t (a, b) VALUES (?,?) ON CONFLICT DO NOTHING"
        );
    }

    #[test]
    fn every_row_is_in_one_chunk() {
        let insert = Insert {
            head: "",
            tail: "",
            columns: 27,
        };
        let rows: Vec<u32> = (0..1_234).collect();
        assert_eq!(insert.chunks(&rows).concat(), rows);
        for few in 1..=40 {
            let chunks = insert.chunks(&rows[..few]);
            assert!(chunks.len() <= 3 && chunks.concat() == rows[..few], "{few}: {}", chunks.len());
        }
    }
}
