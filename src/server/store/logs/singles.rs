//! Signatures of blocks that are in no group yet, read many a row.

use super::headers::{Header, Unit, dialect, direction, unindexed};
use super::signature::{Form, Trigram};
use crate::model::query::Order;

/// The select that gives some blocks as one text of lines `id,edge,lane,form,words`, the words in hexadecimal one after another;
/// `within` is a condition on `min_time`.
pub(super) fn sql(sqlite: bool, order: Order, words: usize, within: &str, size: usize) -> String {
    let (edge, compare, direction) = direction(order);
    let (hex, end, join) = dialect(sqlite);
    let begins = unindexed(order);
    // A word's place is hash * width / 2^32.
    let place = |hash: usize| format!("CAST(1 + ((${} * width) >> 32) * lane AS INTEGER)", hash + 6);
    let words: String = (0..words)
        .map(|hash| format!(" || {hex}substr(signature, {}, lane){end}", place(hash)))
        .collect();
    format!(
        "SELECT {join}(line, ';') FROM (
            SELECT id || ',' || {edge} || ',' || lane || ',' || form || ','{words} AS line FROM log_signatures
            WHERE project_id = $1 AND max_time >= $2 AND min_time{begins} < $3 AND ({edge}, id) {compare} ($4, $5){within}
            ORDER BY {edge} {direction}, id {direction} LIMIT {size}) AS lines"
    )
}

/// A block, a candidate where one of its logs has every word's bit.
pub(super) fn read_line(line: &str, trigrams: &[Trigram]) -> Option<Unit> {
    let mut fields = line.split(',');
    let mut number = || fields.next()?.parse::<i64>().ok();
    let (id, edge, lane) = (number()?, number()?, number()?);
    let form = Form::of_number(number()?)?;
    let words = fields.next()?;
    let digits = usize::try_from(lane).ok()?.checked_mul(2).filter(|digits| *digits > 0)?;
    if words.len() != trigrams.len() * digits {
        return None;
    }
    let mut left = u64::MAX;
    let mut bits = Vec::new();
    for (nth, trigram) in trigrams.iter().enumerate() {
        // Both sides of an AND are written the same way round, so the order of bytes does not matter.
        let word = u64::from_str_radix(words.get(nth * digits..(nth + 1) * digits)?, 16).ok()?;
        let word = if trigram.is_signed_in(form) { word } else { u64::MAX };
        left &= word;
        bits.push(word.count_ones());
    }
    let candidates = if left == 0 { Vec::new() } else { vec![Header { id, edge }] };
    Some(Unit {
        id,
        edge,
        candidates,
        bits,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::store::logs::signature::needle_trigrams;

    #[test]
    fn a_line_says_whether_a_log_has_every_word() {
        let may_have = |line: &str, needle: &[u8]| {
            let mut trigrams = Vec::new();
            needle_trigrams(needle, &mut trigrams);
            read_line(line, &trigrams).map(|unit| !unit.candidates.is_empty())
        };
        assert_eq!(may_have("7,1000,1,1,0103", b"abcd"), Some(true));
        assert_eq!(may_have("7,1000,1,1,0102", b"abcd"), Some(false));
        assert_eq!(may_have("7,1000,1,0,0102", b"abcd"), Some(false), "an older one says so, too");
        assert_eq!(may_have("7,1000,1,1,0102", b"abc:"), Some(false));
        assert_eq!(
            may_have("7,1000,1,0,0102", b"abc:"),
            Some(true),
            "of what reaches over to a value it says nothing"
        );
        assert_eq!(
            may_have("7,1000,8,1,", b"ab"),
            Some(true),
            "a needle without trigrams may be anywhere"
        );
        assert_eq!(may_have("7,1000,2,1,010", b"abcd"), None);
        assert_eq!(may_have("7,1000,2,9,01000100", b"abcd"), None);
        assert_eq!(may_have("7,x,2,1,0100", b"abc"), None);
    }
}
