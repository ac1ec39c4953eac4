//! Files of every format as people have them, harmed on their way: each is read to its end, or refused in words, and always in the same way.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::tests::{Kept, NOW};
use super::*;
use crate::server::corpus::{Slow, harmed, kept};

fn read_slowly(format: Format, guarded: bool, file: &[u8], most: usize) -> (Kept, Result<(), String>) {
    let mut found = Kept::default();
    let read = read(format, guarded, Slow::new(file, most), &mut found);
    (found, read)
}

/// What holds of whatever is read; the number of entries.
fn holds(format: Format, guarded: bool, file: &[u8], most: usize) -> Result<usize, TestCaseError> {
    let (whole, read_whole) = read_slowly(format, guarded, file, usize::MAX);
    let (parts, read_parts) = read_slowly(format, guarded, file, most);
    prop_assert_eq!(&read_whole, &read_parts, "what a file is does not depend on how it comes");
    prop_assert_eq!(&whole.rejected, &parts.rejected);
    let ids = |found: &Kept| found.logs.iter().map(|log| log.facts.id.clone()).collect::<Vec<_>>();
    prop_assert_eq!(ids(&whole), ids(&parts));
    for (number, reason) in &whole.rejected {
        prop_assert!(*number >= 1 && !reason.trim().is_empty());
    }
    prop_assert!(read_whole.as_ref().map_or_else(|why| !why.trim().is_empty(), |()| true));
    for log in &whole.logs {
        let facts = &log.facts;
        prop_assert!(!facts.id.is_empty() && !facts.method.is_empty());
        prop_assert!(
            facts.created_at > 0 && facts.created_at <= NOW + 3_600_000,
            "{}",
            facts.created_at
        );
        prop_assert!(facts.request_bytes >= 0 && facts.response_bytes >= 0);
    }
    Ok(whole.logs.len() + whole.rejected.len())
}

const FORMATS: [(Format, &str); 3] = [(Format::Ndjson, "ndjson"), (Format::Csv, "csv"), (Format::Har, "har")];

#[test]
fn every_kept_file_is_read() {
    for (format, parser) in FORMATS {
        let mut entries = 0;
        for (name, file) in kept(parser) {
            for guarded in [false, true] {
                entries += holds(format, guarded, &file, 3).unwrap_or_else(|error| panic!("{parser}/{name}: {error}"));
            }
        }
        assert!(entries > 20, "{parser}: {entries}");
    }
}

/// Lines that say something: each of them is an entry, taken or rejected.
fn lines(file: &[u8]) -> usize {
    let file = file.strip_prefix(BOM).unwrap_or(file);
    file.split(|byte| *byte == b'\n')
        .filter(|line| !line.trim_ascii().is_empty())
        .count()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn harmed_ndjson_loses_no_line(file in harmed("ndjson"), most in 1_usize..9) {
        let entries = holds(Format::Ndjson, false, &file, most)?;
        if read_slowly(Format::Ndjson, false, &file, most).1.is_ok() {
            prop_assert_eq!(entries, lines(&file));
        }
    }

    #[test]
    fn harmed_csv_is_read_or_refused(file in harmed("csv"), guarded: bool, most in 1_usize..9) {
        holds(Format::Csv, guarded, &file, most)?;
        let _said = left_out(Format::Csv, &file);
    }

    #[test]
    fn harmed_har_is_read_or_refused(file in harmed("har"), most in 1_usize..9) {
        holds(Format::Har, false, &file, most)?;
    }

    #[test]
    fn a_file_under_another_ones_name_is_read_or_refused(file in harmed("csv"), other in harmed("har"), most in 1_usize..9) {
        for format in [Format::Ndjson, Format::Har] {
            holds(format, false, &file, most)?;
        }
        for format in [Format::Ndjson, Format::Csv] {
            holds(format, false, &other, most)?;
        }
        let _known = (Format::of("", &file), Format::of("a.bin", &other));
    }
}
