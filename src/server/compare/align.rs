//! Which items of two lists are the same ones: a longest common subsequence, within a bound.

use std::hash::Hash;

use similar::{Algorithm, DiffOp, capture_diff_slices};

/// Items of each list at most, past what both begin and end with. Myers' way takes the square of what differs: longer lists that differ are told as wholly others.
const MOST_ITEMS: usize = 4_000;

/// A part of two lists beside each other; both lengths of [`Part::Same`] are the one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// So many items from these places on are the same.
    Same {
        /// In the first list.
        first: usize,
        /// In the second.
        second: usize,
        /// How many.
        count: usize,
    },
    /// In their place the second has others; either may be none.
    Other {
        /// Where, and how many, in the first list.
        first: (usize, usize),
        /// And in the second.
        second: (usize, usize),
    },
}

/// The parts, in order; together they are both lists.
pub(super) fn align<T: Hash + Eq + Ord>(first: &[T], second: &[T]) -> Vec<Part> {
    let head = first.iter().zip(second).take_while(|(one, other)| one == other).count();
    let ends = first[head..].iter().rev().zip(second[head..].iter().rev());
    let tail = ends.take_while(|(one, other)| one == other).count();
    let (one, other) = (&first[head..first.len() - tail], &second[head..second.len() - tail]);
    let mut parts = Vec::new();
    let same = |first, second, count| (count > 0).then_some(Part::Same { first, second, count });
    parts.extend(same(0, 0, head));
    if one.len().max(other.len()) > MOST_ITEMS {
        parts.push(Part::Other {
            first: (head, one.len()),
            second: (head, other.len()),
        });
    } else {
        // Where the library says that nothing stands may be off; how much of each list an operation takes is not.
        let mut at = (head, head);
        for op in capture_diff_slices(Algorithm::Myers, one, other) {
            parts.push(part(op, at));
            at = (at.0 + op.old_range().len(), at.1 + op.new_range().len());
        }
    }
    parts.extend(same(first.len() - tail, second.len() - tail, tail));
    parts
}

fn part(op: DiffOp, (first, second): (usize, usize)) -> Part {
    match op {
        DiffOp::Equal { len, .. } => Part::Same {
            first,
            second,
            count: len,
        },
        op => Part::Other {
            first: (first, op.old_range().len()),
            second: (second, op.new_range().len()),
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Follows the parts, which must tell both lists whole.
    fn followed(parts: &[Part], first: &[u8], second: &[u8]) -> bool {
        let (mut at, mut beside) = (0, 0);
        for part in parts {
            let (one, other) = match *part {
                Part::Same {
                    first: from,
                    second: to,
                    count,
                } => {
                    if (from, to) != (at, beside) || first[from..from + count] != second[to..to + count] {
                        return false;
                    }
                    (count, count)
                }
                Part::Other {
                    first: (from, one),
                    second: (to, other),
                } => {
                    if (from, to) != (at, beside) {
                        return false;
                    }
                    (one, other)
                }
            };
            (at, beside) = (at + one, beside + other);
        }
        (at, beside) == (first.len(), second.len())
    }

    proptest! {
        #[test]
        fn the_parts_are_both_lists(first in prop::collection::vec(0_u8..5, 0..40), second in prop::collection::vec(0_u8..5, 0..40)) {
            let parts = align(&first, &second);
            prop_assert!(followed(&parts, &first, &second), "{:?}", parts);
            let is_same = parts.iter().all(|part| matches!(part, Part::Same { .. }));
            prop_assert_eq!(is_same, first == second);
        }
    }

    #[test]
    fn lists_too_long_to_be_searched_are_wholly_others_but_for_their_ends() {
        let list = |from: u32| -> Vec<u32> { [0].into_iter().chain(from..from + 5_000).chain([1]).collect() };
        let parts = align(&list(10), &list(10_000));
        assert_eq!(parts.len(), 3);
        assert_eq!(
            parts[1],
            Part::Other {
                first: (1, 5_000),
                second: (1, 5_000)
            }
        );
    }
}
