//! Two texts, line by line.

use super::align::{Part, align};
use super::{Rows, words};
use crate::model::compare::{Row, Standing};
use crate::model::json_doc::Ink;

const INK: Option<Ink> = Some(Ink::Line);

/// Writes the rows. Lines that stand in each other's place are one row, as far as there are as many.
pub(super) fn compare(first: &str, second: &str, out: &mut Rows) {
    let (first, second): (Vec<&str>, Vec<&str>) = (first.lines().collect(), second.lines().collect());
    for part in align(&first, &second) {
        match part {
            Part::Same { first: from, count, .. } => {
                for line in &first[from..from + count] {
                    let side = words::plain(None, line, INK);
                    out.push(Row::same(0, side.clone(), side));
                }
            }
            Part::Other {
                first: (from, one),
                second: (to, other),
            } => others(&first[from..from + one], &second[to..to + other], out),
        }
    }
}

fn others(first: &[&str], second: &[&str], out: &mut Rows) {
    let beside = first.len().min(second.len());
    for (one, other) in first.iter().zip(second) {
        let (one, other) = words::differing((None, None), (one, other), (INK, INK));
        out.push(Row {
            standing: Standing::Changed,
            depth: 0,
            first: Some(one),
            second: Some(other),
        });
    }
    for line in &first[beside..] {
        out.push(Row::only(Standing::First, 0, words::plain(None, line, INK)));
    }
    for line in &second[beside..] {
        out.push(Row::only(Standing::Second, 0, words::plain(None, line, INK)));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::compare::Side;

    fn rows(first: &str, second: &str) -> Vec<Row> {
        let mut out = Rows::default();
        compare(first, second, &mut out);
        out.rows
    }

    fn told(rows: &[Row], pick: fn(&Row) -> Option<&Side>) -> Vec<String> {
        let sides = rows.iter().filter_map(pick);
        sides
            .map(|side| format!("{}{}{}", side.lead, side.differing, side.trail))
            .collect()
    }

    #[test]
    fn lines_stand_beside_those_in_their_place() {
        let rows = rows("a\nb 1\nc\nd", "a\nb 2\nc\ne\nf");
        let standings: Vec<Standing> = rows.iter().map(|row| row.standing).collect();
        assert_eq!(
            standings,
            [
                Standing::Same,
                Standing::Changed,
                Standing::Same,
                Standing::Changed,
                Standing::Second
            ]
        );
        assert_eq!(rows[1].second.as_ref().unwrap().differing, "2");
    }

    proptest! {
        #[test]
        fn both_texts_are_told_whole(first in "[ab\n]{0,40}", second in "[ab\n]{0,40}") {
            let rows = rows(&first, &second);
            prop_assert_eq!(told(&rows, |row| row.first.as_ref()), first.lines().collect::<Vec<_>>());
            prop_assert_eq!(told(&rows, |row| row.second.as_ref()), second.lines().collect::<Vec<_>>());
            let same = first.lines().eq(second.lines());
            prop_assert_eq!(rows.iter().all(|row| !row.standing.differs()), same);
        }
    }
}
