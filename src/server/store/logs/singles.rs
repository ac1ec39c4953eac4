//! Signatures of blocks that are in no group yet, read many a row.

use super::headers::{Header, Unit, dialect, direction};
use crate::model::query::Order;

/// The select that gives some blocks as one text of lines `id,edge,lane,words`, the words in hexadecimal one after another.
pub(super) fn sql(sqlite: bool, order: Order, hashes: usize) -> String {
    let (edge, compare, direction) = direction(order);
    let (hex, end, join) = dialect(sqlite);
    // A word's place is hash * width / 2^32.
    let place = |hash: usize| format!("CAST(1 + ((${} * width) >> 32) * lane AS INTEGER)", hash + 7);
    let words: String = (0..hashes)
        .map(|hash| format!(" || {hex}substr(signature, {}, lane){end}", place(hash)))
        .collect();
    format!(
        "SELECT {join}(line, ';') FROM (
            SELECT id || ',' || {edge} || ',' || lane || ','{words} AS line FROM log_signatures
            WHERE project_id = $1 AND max_time >= $2 AND min_time < $3 AND ({edge}, id) {compare} ($4, $5)
            ORDER BY {edge} {direction}, id {direction} LIMIT $6) AS lines"
    )
}

/// A block, a candidate where one of its logs has every word's bit.
pub(super) fn read_line(line: &str) -> Option<Unit> {
    let mut fields = line.split(',');
    let mut number = || fields.next()?.parse::<i64>().ok();
    let (id, edge, lane) = (number()?, number()?, number()?);
    let words = fields.next()?;
    let digits = usize::try_from(lane).ok()?.checked_mul(2).filter(|digits| *digits > 0)?;
    let mut left = u64::MAX;
    let mut bits = Vec::new();
    for start in (0..words.len()).step_by(digits) {
        // Both sides of an AND are written the same way round, so the order of bytes does not matter.
        let word = u64::from_str_radix(words.get(start..start + digits)?, 16).ok()?;
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

    #[test]
    fn a_line_says_whether_a_log_has_every_word() {
        let may_have = |line: &str| read_line(line).map(|unit| !unit.candidates.is_empty());
        assert_eq!(may_have("7,1000,1,0103"), Some(true));
        assert_eq!(may_have("7,1000,1,0102"), Some(false));
        assert_eq!(may_have("7,1000,8,"), Some(true), "a needle without trigrams may be anywhere");
        assert_eq!(may_have("7,1000,2,010"), None);
        assert_eq!(may_have("7,x,2,0100"), None);
    }
}
