//! Which rows are seen: nodes folded by a person, and the way between rows and nodes.
//!
//! Each node counts the rows that it shows: its own line, and, where it is the last thing seen inside its containers, their closing lines.
//! A node inside a folded one counts none.

use super::fenwick::Fenwick;
use super::index::JsonIndex;

/// Below this many changed nodes the counts are mended one by one; above it, building them anew is quicker.
const MEND_AT_MOST: usize = 20_000;

/// A row's place: the node that counts it, and which of its rows it is (0: its own line, then the closing lines of its containers).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) node: u32,
    pub(super) closing: u32,
}

/// What is folded in a document.
#[derive(Clone, Debug)]
pub(super) struct Folding {
    folded: Vec<u64>,
    rows: Fenwick,
}

impl Folding {
    /// Nothing folded.
    pub(super) fn open(index: &JsonIndex) -> Self {
        let mut folding = Self {
            folded: vec![0; index.len().div_ceil(64)],
            rows: Fenwick::default(),
        };
        folding.count_all(index);
        folding
    }

    /// How many rows are seen.
    pub(super) fn total(&self) -> u32 {
        self.rows.total()
    }

    pub(super) fn is_folded(&self, node: u32) -> bool {
        self.folded[node as usize / 64] & (1 << (node % 64)) != 0
    }

    fn set(&mut self, node: u32, folded: bool) {
        let bit = 1 << (node % 64);
        let word = &mut self.folded[node as usize / 64];
        *word = if folded { *word | bit } else { *word & !bit };
    }

    /// How many rows a seen node shows.
    fn shows(&self, index: &JsonIndex, node: u32) -> u32 {
        let is_leaf = !index.is_foldable(node) || self.is_folded(node);
        1 + if is_leaf { index.closers_after(node) } else { 0 }
    }

    /// The node that is seen next after a seen one, folded ones being leaves.
    fn after(&self, index: &JsonIndex, node: u32) -> u32 {
        if self.is_folded(node) {
            index.node(node).next
        } else {
            node + 1
        }
    }

    fn count_all(&mut self, index: &JsonIndex) {
        let len = index.len() as u32;
        let mut seen_from = 0;
        let this = &*self;
        let counts = (0..index.len()).map(|node| {
            let node = node as u32;
            if node < seen_from || node >= len {
                return 0;
            }
            seen_from = this.after(index, node);
            this.shows(index, node)
        });
        let rows = Fenwick::build(counts);
        self.rows = rows;
    }

    /// Folds or unfolds a node that is seen.
    pub(super) fn toggle(&mut self, index: &JsonIndex, node: u32) {
        if !index.is_foldable(node) {
            return;
        }
        let end = index.node(node).next;
        let folds = !self.is_folded(node);
        let before = self.shows(index, node);
        if (end - node) as usize > MEND_AT_MOST {
            self.set(node, folds);
            self.count_all(index);
            return;
        }
        self.set(node, folds);
        let after = self.shows(index, node);
        self.rows.add(node as usize, i64::from(after) - i64::from(before));
        let mut inner = node + 1;
        while inner < end {
            let shows = i64::from(self.shows(index, inner));
            self.rows.add(inner as usize, if folds { -shows } else { shows });
            inner = self.after(index, inner);
        }
    }

    /// Folds everything at `level` and deeper, and unfolds the rest; `None` unfolds all.
    pub(super) fn level(&mut self, index: &JsonIndex, level: Option<u16>) {
        self.folded.fill(0);
        if let Some(level) = level {
            for node in 0..index.len() as u32 {
                if index.node(node).depth >= level && index.is_foldable(node) {
                    self.set(node, true);
                }
            }
        }
        self.count_all(index);
    }

    /// Unfolds what hides a node.
    pub(super) fn reveal(&mut self, index: &JsonIndex, node: u32) {
        let mut above = index.node(node).parent;
        let mut hiding = Vec::new();
        while above != super::NONE {
            if self.is_folded(above) {
                hiding.push(above);
            }
            above = index.node(above).parent;
        }
        match hiding.as_slice() {
            [] => {}
            [one] => self.toggle(index, *one),
            many => {
                for node in many {
                    self.set(*node, false);
                }
                self.count_all(index);
            }
        }
    }

    /// The row of a node that is seen.
    pub(super) fn row_of(&self, node: u32) -> u32 {
        self.rows.before(node as usize)
    }

    /// What stands in a row; `row` is below the total.
    pub(super) fn spot(&self, row: u32) -> Spot {
        let (node, closing) = self.rows.locate(row);
        Spot {
            node: node as u32,
            closing,
        }
    }

    /// The spot after this one, or `None` at the end.
    pub(super) fn next(&self, index: &JsonIndex, spot: Spot) -> Option<Spot> {
        if spot.closing + 1 < self.shows(index, spot.node) {
            return Some(Spot {
                closing: spot.closing + 1,
                ..spot
            });
        }
        let node = self.after(index, spot.node);
        ((node as usize) < index.len()).then_some(Spot { node, closing: 0 })
    }
}
