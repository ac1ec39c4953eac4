//! The table, and the same figures as JSON.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::Outcome;
use crate::bundle::Bundle;

const BUNDLE_AIM: u64 = 350_000;
const MEMORY_AIM: u64 = 200_000_000;

/// Figures, in the order they were taken; each is printed as it comes, so that a long run can be watched.
#[derive(Default)]
pub struct Report(Vec<(String, String, String, Value)>);

/// How a figure stands to its aim: what is wanted, and whether it is so.
pub type Judged = Option<(String, bool)>;

impl Report {
    fn add(&mut self, name: &str, figure: String, aim: Judged, value: &Value) {
        let held = aim.as_ref().map(|(_, held)| *held);
        let aim = aim
            .map(|(aim, held)| format!("{aim} {}", if held { "held" } else { "MISSED" }))
            .unwrap_or_default();
        eprintln!("{name}: {figure} {aim}");
        self.0.push((
            name.to_owned(),
            figure,
            aim,
            json!({"name": name, "value": value, "held": held}),
        ));
    }

    /// A figure in words of its own.
    pub fn figure(&mut self, name: &str, figure: String, aim: Judged, value: &Value) {
        self.add(name, figure, aim, value);
    }

    /// Logs a second; no aim of its own.
    pub fn rate(&mut self, name: &str, logs: usize, spent: Duration) {
        let rate = logs as f64 / spent.as_secs_f64();
        self.add(name, format!("{rate:.0} logs/s"), None, &json!(rate));
    }

    /// How many a second, with an aim where there is one.
    pub fn a_second(&mut self, name: &str, rate: f64, aim: Option<f64>) {
        let aim = aim.map(|aim| (format!("at least {aim:.0}/s"), rate >= aim));
        self.add(name, format!("{rate:.0}/s"), aim, &json!(rate));
    }

    /// A time; no aim of its own.
    pub fn duration(&mut self, name: &str, spent: Duration) {
        let millis = spent.as_secs_f64() * 1e3;
        self.add(name, format!("{millis:.2} ms"), None, &json!(millis));
    }

    /// Megabytes a second; no aim of its own.
    pub fn speed(&mut self, name: &str, rate: f64) {
        self.add(name, format!("{rate:.0} MB/s"), None, &json!(rate));
    }

    /// A figure that must be at least, or at most, its aim.
    pub fn ratio(&mut self, name: &str, figure: f64, aim: f64, at_least: bool) {
        let held = if at_least { figure >= aim } else { figure <= aim };
        let word = if at_least { "at least" } else { "at most" };
        self.add(
            name,
            format!("{figure:.2}"),
            Some((format!("{word} {aim}"), held)),
            &json!(figure),
        );
    }

    /// A time that must be at most its aim.
    pub fn time(&mut self, name: &str, spent: Duration, aim: Duration) {
        let millis = spent.as_secs_f64() * 1e3;
        self.add(
            name,
            format!("{millis:.2} ms"),
            Some((format!("at most {} ms", aim.as_millis()), spent <= aim)),
            &json!(millis),
        );
    }

    /// A process's peak memory.
    pub fn memory(&mut self, name: &str, bytes: u64) {
        self.bytes(name, bytes, Some(MEMORY_AIM));
    }

    /// Megabytes, with the most there may be where there is an aim.
    pub fn bytes(&mut self, name: &str, bytes: u64, most: Option<u64>) {
        let aim = most.map(|most| (format!("at most {} MB", most / 1_000_000), bytes <= most));
        self.add(name, format!("{:.0} MB", bytes as f64 / 1e6), aim, &json!(bytes));
    }

    /// The browser bundle: what the Logs page loads, what each other group of pages adds to it, and the worker's, which a page loads only for
    /// large bodies, apart.
    pub fn bundle(&mut self, bundle: &Bundle) -> Outcome<()> {
        let kilobytes = |bytes: u64| format!("{:.1} KB", bytes as f64 / 1e3);
        let logs = bundle.page("logs")?;
        let aim = format!("at most {} KB", BUNDLE_AIM / 1_000);
        self.add(
            "browser bundle, brotli",
            kilobytes(logs),
            Some((aim, logs <= BUNDLE_AIM)),
            &json!(logs),
        );
        for group in bundle.others() {
            let adds = bundle.adds(group)?;
            self.add(&format!("pages of {group} add, brotli"), kilobytes(adds), None, &json!(adds));
        }
        let whole = bundle.whole();
        self.add("all pages together, brotli", kilobytes(whole), None, &json!(whole));
        let worker = bundle.worker;
        self.add("worker for large bodies, brotli", kilobytes(worker), None, &json!(worker));
        Ok(())
    }

    /// The table.
    pub fn print(&self) {
        print!("{}", self.table());
    }

    /// The table, in Markdown.
    pub fn table(&self) -> String {
        let mut table = "| what | figure | aim |\n| --- | --- | --- |\n".to_owned();
        for (name, figure, aim, _) in &self.0 {
            table.push_str(&format!("| {name} | {figure} | {aim} |\n"));
        }
        table
    }

    /// The figures as JSON.
    pub fn json(&self) -> Vec<&Value> {
        self.0.iter().map(|(.., value)| value).collect()
    }

    /// The figures as a file; the browser's are put beside them afterwards.
    pub fn write(&self, path: &Path) -> Outcome<()> {
        fs::write(path, serde_json::to_string_pretty(&json!({"server": self.json()}))?)?;
        Ok(())
    }
}
