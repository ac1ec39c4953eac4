//! Parquet as exports write it: a flat table of texts and whole numbers, pages PLAIN, compressed by zstd or not at all. Whatever else there is in
//! the format's world is refused by its name.
//!
//! What the file says of itself stands at its end ([`footer`]), so nothing is read before all of it has come. Then its rows are written as CSV, slice
//! by slice, into the engine's own bytes: of each column one page is held at a time ([`page`]).

mod footer;
mod page;
mod thrift;
mod unpack;

#[cfg(test)]
mod tests;

use std::io::Write;

use self::footer::Footer;
use self::page::{Column, Value};
use self::unpack::Unpacker;
use super::problem::Problem;
use super::write;

/// Reads a file's rows.
#[derive(Debug)]
pub(super) struct Rows {
    footer: Footer,
    /// The next row group, and how many rows of the one at hand are left.
    next: usize,
    left: usize,
    columns: Vec<Column>,
    unpacker: Unpacker,
    done: usize,
}

impl Rows {
    /// Reads what a file says of itself.
    pub(super) fn new(file: &[u8]) -> Result<Self, Problem> {
        Ok(Self {
            footer: Footer::read(file)?,
            next: 0,
            left: 0,
            columns: Vec::new(),
            unpacker: Unpacker::default(),
            done: 0,
        })
    }

    /// The columns' names.
    pub(super) fn columns(&self) -> Vec<String> {
        self.footer.fields.iter().map(|field| field.name.clone()).collect()
    }

    /// About so many bytes the rows will be.
    pub(super) fn expected(&self, file: &[u8]) -> u64 {
        // zstd makes logs a tenth as a rule; what promises a thousand times more than there is, promises too much.
        self.footer.unpacked().min(file.len() as u64 * 64)
    }

    /// How far it got, in percent.
    pub(super) fn percent(&self) -> u8 {
        (self.done as u64 * 100 / self.footer.rows().max(1) as u64) as u8
    }

    /// Writes rows until about so many bytes are written or unpacked; whether there are more. Rows that are written are whole, even if an error follows.
    pub(super) fn step(&mut self, file: &[u8], budget: usize, out: &mut Vec<u8>) -> Result<bool, Problem> {
        let mut unpacked = 0;
        while out.len() + unpacked < budget {
            if self.left == 0 && !self.next_group() {
                return Ok(false);
            }
            unpacked += self.turn_pages(file)?;
            let start = out.len();
            if let Err(problem) = self.row(out) {
                out.truncate(start);
                return Err(problem);
            }
            self.left -= 1;
            self.done += 1;
        }
        Ok(true)
    }

    /// Goes on to the next row group that has rows.
    fn next_group(&mut self) -> bool {
        while self.left == 0 {
            let Some(group) = self.footer.groups.get(self.next) else {
                return false;
            };
            self.next += 1;
            self.left = group.rows;
            let mut pages = std::mem::take(&mut self.columns).into_iter().map(Column::into_page);
            let columns = self.footer.fields.iter().zip(&group.chunks);
            self.columns = columns
                .map(|(field, chunk)| Column::new(field, chunk, pages.next().unwrap_or_default()))
                .collect();
        }
        true
    }

    /// Unpacks pages for the columns whose last one is used up; how many bytes.
    fn turn_pages(&mut self, file: &[u8]) -> Result<usize, Problem> {
        let mut unpacked = 0;
        for place in 0..self.columns.len() {
            if self.columns[place].is_empty() {
                let held: usize = self.columns.iter().map(Column::held).sum();
                let column = &mut self.columns[place];
                column.turn(file, held - column.held(), &mut self.unpacker)?;
                unpacked += column.held();
            }
        }
        Ok(unpacked)
    }

    fn row(&mut self, out: &mut Vec<u8>) -> Result<(), Problem> {
        let start = out.len();
        for (place, column) in self.columns.iter_mut().enumerate() {
            if place > 0 {
                out.push(b',');
            }
            match column.next()? {
                Value::None => {}
                Value::Text(text) => write::cell(text, false, out),
                // Writing into memory does not fail.
                Value::Number(number) => drop(write!(out, "{number}")),
            }
        }
        if out.len() == start {
            // A line with nothing in it would be no row.
            out.extend_from_slice(b"\"\"");
        }
        out.push(b'\n');
        Ok(())
    }
}
