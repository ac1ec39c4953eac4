//! What of a file goes nowhere: columns and keys that are not known. Known from the file's beginning, so that it can be told before the end.

use super::{BOM, Format, csv};
use crate::server::ingest::json;

/// Names that are told at most.
const MOST: usize = 20;

/// The columns of a CSV whose values go nowhere, as its header names them; the keys of NDJSON that are passed over, of the lines that the beginning holds.
pub fn left_out(format: Format, beginning: &[u8]) -> Vec<String> {
    let beginning = beginning.strip_prefix(BOM).unwrap_or(beginning);
    let mut names = match format {
        Format::Csv => csv::columns_left_out(beginning),
        Format::Ndjson => keys(beginning),
        Format::Har => Vec::new(),
    };
    names.truncate(MOST);
    names
}

fn keys(beginning: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    for line in beginning.split(|byte| *byte == b'\n') {
        // A line that the beginning cuts in two is no JSON, and says nothing.
        for name in std::str::from_utf8(line).map(json::unknown_keys).unwrap_or_default() {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        if names.len() > MOST {
            break;
        }
    }
    names
}

/// What is said of columns and keys whose values went nowhere.
pub fn said_of_left_out(format: Format, left_out: &[String]) -> String {
    let names = left_out.join(", ");
    let what = if format == Format::Csv { "column" } else { "key" };
    match left_out.len() {
        1 => format!("The {what} {names} is not known, and its values were left out"),
        _ => format!("The {what}s {names} are not known, and their values were left out"),
    }
}
