//! Files that are none of what can be imported, told by how they begin, each with what to do about it.

/// Bytes that are looked at for zeros: text has none.
pub(super) const LOOKED_AT: usize = 512;

/// Why a file that begins so cannot be read at all; `None` where it may be.
pub(super) fn refusal(beginning: &[u8]) -> Option<&'static str> {
    let known: [(&[u8], &str); 9] = [
        (
            b"PK\x03\x04",
            "this is an Excel workbook (.xlsx) or another ZIP file. Save it as CSV (UTF-8), or unpack it, and send that",
        ),
        (
            b"\xD0\xCF\x11\xE0",
            "this is an Excel workbook (.xls). Save it as CSV (UTF-8) and send that",
        ),
        (b"\xFF\xFE", "the file is encoded in UTF-16. Save it in UTF-8 and send that"),
        (b"\xFE\xFF", "the file is encoded in UTF-16. Save it in UTF-8 and send that"),
        (b"\x1F\x8B", "the file is packed with gzip. Unpack it and send what is in it"),
        (
            b"\x28\xB5\x2F\xFD",
            "the file is packed with zstd. Unpack it and send what is in it",
        ),
        (
            b"PAR1",
            "this is a Parquet file. CSV, NDJSON and HAR 1.2 can be imported: export as one of those",
        ),
        (b"%PDF", "this is a PDF. CSV, NDJSON and HAR 1.2 can be imported"),
        (
            b"<",
            "the file begins as HTML or XML does. CSV, NDJSON and HAR 1.2 can be imported",
        ),
    ];
    let found = known.iter().find(|(sign, _)| beginning.starts_with(sign));
    let has_zeros = || beginning[..beginning.len().min(LOOKED_AT)].contains(&0);
    match found {
        Some((_, why)) => Some(why),
        None if has_zeros() => Some(
            "the file is no text in UTF-8: it holds zero bytes, as UTF-16 and programs' own formats do. Save it as CSV or NDJSON in UTF-8",
        ),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_file_is_told_what_it_is() {
        for (beginning, said) in [
            (&b"PK\x03\x04\x14\0"[..], Some("Excel workbook (.xlsx)")),
            (b"\xFF\xFEm\0e\0", Some("UTF-16")),
            (b"m\0e\0t\0", Some("zero bytes")),
            (b"\x1F\x8B\x08", Some("gzip")),
            (b"method,url\n", None),
            (b"{\"method\":1}", None),
            (b"", None),
        ] {
            let why = refusal(beginning);
            assert_eq!(why.is_some(), said.is_some(), "{why:?}");
            assert!(why.unwrap_or_default().contains(said.unwrap_or_default()), "{why:?}");
        }
    }
}
