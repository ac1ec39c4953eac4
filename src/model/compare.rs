//! Two things beside each other, row by row, with what differs marked. What makes the rows of two logs or attempts is `server/compare`.

use serde::{Deserialize, Serialize};

use super::json_doc::Ink;

/// How the two sides of a row stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// Both say the same.
    Same,
    /// Both have it, and say something else.
    Changed,
    /// Only the first has it.
    First,
    /// Only the second has it.
    Second,
}

impl Standing {
    /// The sign that stands before a row.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Same => " ",
            Self::Changed => "≠",
            Self::First => "−",
            Self::Second => "+",
        }
    }

    /// The same for those who hear it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Same => "",
            Self::Changed => "differs: ",
            Self::First => "only in the first: ",
            Self::Second => "only in the second: ",
        }
    }

    /// Whether anything differs.
    pub const fn differs(self) -> bool {
        !matches!(self, Self::Same)
    }
}

/// One side of a row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// The name of what it says: a fact's, a header's, a JSON member's with its quotes.
    pub name: Option<String>,
    /// What of the value is as on the other side.
    pub lead: String,
    /// What is not.
    pub differing: String,
    /// What is again.
    pub trail: String,
    /// What the value is.
    pub ink: Option<Ink>,
}

impl Side {
    /// A value without anything marked in it.
    pub fn plain(name: Option<String>, value: String, ink: Option<Ink>) -> Self {
        Self {
            name,
            lead: value,
            ink,
            ..Self::default()
        }
    }
}

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// How its sides stand to each other.
    pub standing: Standing,
    /// How deep it lies within its document.
    pub depth: u16,
    /// What the first says.
    pub first: Option<Side>,
    /// What the second says.
    pub second: Option<Side>,
}

impl Row {
    /// A row that both have.
    pub fn same(depth: u16, first: Side, second: Side) -> Self {
        Self {
            standing: Standing::Same,
            depth,
            first: Some(first),
            second: Some(second),
        }
    }

    /// A row that one of them has.
    pub fn only(standing: Standing, depth: u16, side: Side) -> Self {
        let (first, second) = match standing {
            Standing::Second => (None, Some(side)),
            _ => (Some(side), None),
        };
        Self {
            standing,
            depth,
            first,
            second,
        }
    }
}

/// What a section's rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Look {
    /// Names and values.
    Pairs,
    /// JSON, a value a row; the order of members is no difference.
    Json,
    /// Lines of text.
    Lines,
}

/// A part of the two: their facts, headers, a body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// What people call it.
    pub title: String,
    /// What its rows are.
    pub look: Look,
    /// The rows, in the first one's order.
    pub rows: Vec<Row>,
    /// Why rows are missing, or what else there is to know; in sentences.
    pub notes: Vec<String>,
    /// Whether the two differ in what has no rows.
    pub differs_unseen: bool,
}

impl Section {
    /// How many places differ: rows that differ one after another are one.
    pub fn differences(&self) -> usize {
        let mut count = usize::from(self.differs_unseen);
        let mut before = Standing::Same;
        for row in &self.rows {
            if row.standing.differs() && !before.differs() {
                count += 1;
            }
            before = row.standing;
        }
        count
    }
}

/// Rows that stay out of sight around a difference, at most.
const AROUND: usize = 3;

/// A run of rows, as they are shown where only differences are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Run<'a> {
    /// In sight.
    Shown(&'a [Row]),
    /// Rows that are the same, and folded away.
    Folded(&'a [Row]),
}

/// The rows in runs: those that differ with what is around them and what they lie in, and the rest folded.
pub fn runs(rows: &[Row]) -> Vec<Run<'_>> {
    let shown = in_sight(rows);
    let mut runs = Vec::new();
    let mut from = 0;
    while from < rows.len() {
        let is_shown = shown[from];
        let length = shown[from..].iter().take_while(|shown| **shown == is_shown).count();
        let run = &rows[from..from + length];
        runs.push(if is_shown { Run::Shown(run) } else { Run::Folded(run) });
        from += length;
    }
    runs
}

fn in_sight(rows: &[Row]) -> Vec<bool> {
    let mut shown = vec![false; rows.len()];
    // The rows that the one at hand lies in, each with its depth.
    let mut within: Vec<(u16, usize)> = Vec::new();
    for (place, row) in rows.iter().enumerate() {
        while within.last().is_some_and(|(depth, _)| *depth >= row.depth) {
            within.pop();
        }
        if row.standing.differs() {
            let from = place.saturating_sub(AROUND);
            let to = (place + AROUND + 1).min(rows.len());
            shown[from..to].fill(true);
            for (_, holder) in &within {
                shown[*holder] = true;
            }
        }
        within.push((row.depth, place));
    }
    // A fold of one or two rows takes as much room as they do.
    let mut from = 0;
    while from < shown.len() {
        let length = shown[from..].iter().take_while(|is| !**is).count();
        if (1..=2).contains(&length) {
            shown[from..from + length].fill(true);
        }
        from += length.max(1);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(words: &str) -> Vec<Row> {
        let row = |(place, letter): (usize, char)| {
            let side = Side::plain(None, place.to_string(), None);
            match letter {
                'x' => Row::only(Standing::First, 1, side),
                'o' => Row::same(0, side.clone(), side),
                _ => Row::same(1, side.clone(), side),
            }
        };
        words.chars().enumerate().map(row).collect()
    }

    fn seen(words: &str) -> String {
        let rows = rows(words);
        let runs = runs(&rows);
        let written = runs.iter().map(|run| match run {
            Run::Shown(rows) => "s".repeat(rows.len()),
            Run::Folded(rows) => "f".repeat(rows.len()),
        });
        written.collect()
    }

    #[test]
    fn what_is_around_a_difference_is_in_sight_and_what_it_lies_in() {
        assert_eq!(seen("------x-----------"), "fffsssssssffffffff");
        assert_eq!(seen("o-------x--------o"), "sffffsssssssffffff");
        assert_eq!(seen("xx"), "ss");
        assert_eq!(seen("-----"), "fffff");
        assert_eq!(seen("--x"), "sss", "two rows are not folded");
        assert_eq!(seen(""), "");
    }

    #[test]
    fn places_that_differ_are_counted() {
        let section = |words: &str, differs_unseen| Section {
            title: String::new(),
            look: Look::Json,
            rows: rows(words),
            notes: Vec::new(),
            differs_unseen,
        };
        assert_eq!(section("--xx-x--", false).differences(), 2);
        assert_eq!(section("", true).differences(), 1);
        assert_eq!(section("---", false).differences(), 0);
    }
}
