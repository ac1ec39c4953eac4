//! The tables, a part each: printed, and kept beside those of parts that were measured before on the same logs and the same machine.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::days::Days;
use crate::Outcome;
use crate::report::Report;

const JSON: &str = "target/bench-large.json";
const MARKDOWN: &str = "target/bench-large.md";
/// The marks in a page between which the tables stand.
const MARKS: (&str, &str) = ("<!-- bench-large -->", "<!-- /bench-large -->");

/// What was measured of which logs on which machine.
pub struct Figures {
    logs: usize,
    machine: String,
    /// Titles, tables and figures.
    sections: Vec<Value>,
}

impl Figures {
    /// With what was measured before of the same.
    pub fn of(days: &Days, machine: String) -> Self {
        let kept = fs::read(JSON)
            .ok()
            .and_then(|kept| serde_json::from_slice::<Value>(&kept).ok());
        let kept = kept.filter(|kept| kept["logs"] == days.logs() && kept["machine"] == machine.as_str());
        let sections = kept.and_then(|kept| kept["sections"].as_array().cloned());
        Self {
            logs: days.logs(),
            machine,
            sections: sections.unwrap_or_default(),
        }
    }

    /// Puts a part in the place of what it was before, and writes everything.
    pub fn section(&mut self, title: &str, report: Report) -> Outcome<()> {
        let section = json!({"title": title, "table": report.table(), "figures": report.json()});
        match self.sections.iter_mut().find(|section| section["title"] == title) {
            Some(before) => *before = section,
            None => self.sections.push(section),
        }
        let all = json!({"logs": self.logs, "machine": self.machine, "sections": self.sections});
        fs::write(JSON, serde_json::to_string_pretty(&all)?)?;
        fs::write(MARKDOWN, self.markdown())?;
        match std::env::var_os("BENCH_LARGE_DOC") {
            Some(page) => self.put_into(Path::new(&page)),
            None => Ok(()),
        }
    }

    /// Prints everything.
    pub fn print(&self) {
        println!("{}", self.markdown());
    }

    fn markdown(&self) -> String {
        let mut text = format!(
            "Measured with {} logs on {}\n",
            super::days::grouped(self.logs as u64),
            self.machine
        );
        for section in &self.sections {
            let part = |name: &str| section[name].as_str().unwrap_or_default();
            text.push_str(&format!("\n### {}\n\n{}", part("title"), part("table")));
        }
        text
    }

    fn put_into(&self, page: &Path) -> Outcome<()> {
        let text = fs::read_to_string(page)?;
        let places = text.find(MARKS.0).zip(text.find(MARKS.1)).filter(|(begin, end)| begin < end);
        let (begin, end) = places.ok_or_else(|| format!("{} has no {} and {}", page.display(), MARKS.0, MARKS.1))?;
        let before = &text[..begin + MARKS.0.len()];
        fs::write(page, format!("{before}\n\n{}\n{}", self.markdown(), &text[end..]))?;
        Ok(())
    }
}
