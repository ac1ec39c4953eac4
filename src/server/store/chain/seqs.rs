//! Sets of logs by the numbers that they were given when they were written: ranges, since logs mostly go as they came.

/// Ranges of numbers in rising order, none touching the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seqs(Vec<(i64, i64)>);

impl Seqs {
    /// Of numbers in any order.
    pub fn of(mut numbers: Vec<i64>) -> Self {
        numbers.sort_unstable();
        numbers.dedup();
        let mut ranges: Vec<(i64, i64)> = Vec::new();
        for number in numbers {
            match ranges.last_mut() {
                Some((_, last)) if *last + 1 == number => *last = number,
                _ => ranges.push((number, number)),
            }
        }
        Self(ranges)
    }

    /// Of ranges in any order, first and last of each; they may overlap.
    pub fn of_ranges(mut ranges: Vec<(i64, i64)>) -> Self {
        ranges.sort_unstable();
        let mut joined: Vec<(i64, i64)> = Vec::new();
        for (first, last) in ranges {
            match joined.last_mut() {
                Some((_, before)) if *before >= first - 1 => *before = last.max(*before),
                _ => joined.push((first, last)),
            }
        }
        Self(joined)
    }

    /// The ranges, first and last of each.
    pub fn ranges(&self) -> &[(i64, i64)] {
        &self.0
    }

    /// Every number, rising.
    pub fn iter(&self) -> impl Iterator<Item = i64> {
        self.0.iter().flat_map(|(first, last)| *first..=*last)
    }

    /// How many numbers there are.
    pub fn count(&self) -> u64 {
        self.0.iter().map(|(first, last)| first.abs_diff(*last) + 1).sum()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this number is among them.
    pub fn has(&self, number: i64) -> bool {
        let after = self.0.partition_point(|(first, _)| *first <= number);
        after > 0 && self.0[after - 1].1 >= number
    }

    /// How many of the numbers are in none of these ranges, which begin in rising order and do not overlap: the first and the last of each.
    pub fn count_outside(&self, ranges: &[(i64, i64)]) -> u64 {
        let inside = |(first, last): &(i64, i64)| -> u64 {
            let from = ranges.partition_point(|(_, end)| end < first);
            let overlapping = ranges[from..].iter().take_while(|(begin, _)| begin <= last);
            overlapping
                .map(|(begin, end)| (*begin).max(*first).abs_diff((*end).min(*last)) + 1)
                .sum()
        };
        self.count() - self.0.iter().map(inside).sum::<u64>()
    }

    /// How many ranges; of each, how far it begins after the end of the one before, and how many numbers follow its first: LEB128.
    pub fn write(&self, out: &mut Vec<u8>) {
        varint(out, self.0.len() as u64);
        let mut end = 0;
        for (first, last) in &self.0 {
            varint(out, first.wrapping_sub(end) as u64);
            varint(out, first.abs_diff(*last));
            end = *last;
        }
    }

    /// Reads what [`Seqs::write`] wrote, from the front of `bytes`; none where it is not that.
    pub fn read(bytes: &mut &[u8]) -> Option<Self> {
        let count = read_varint(bytes)?;
        let mut ranges: Vec<(i64, i64)> = Vec::new();
        let mut end = 0_i64;
        for _ in 0..count {
            let first = end.wrapping_add(read_varint(bytes)? as i64);
            let last = first.checked_add_unsigned(read_varint(bytes)?)?;
            if ranges.last().is_some_and(|(_, before)| first <= *before) {
                return None;
            }
            ranges.push((first, last));
            end = last;
        }
        Some(Self(ranges))
    }
}

fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn read_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ranges_are_what_they_were_made_of(numbers in prop::collection::vec(-20_i64..400, 0..200), more in prop::collection::vec(0_i64..400, 0..50)) {
            let mut set: BTreeSet<i64> = numbers.iter().copied().collect();
            let mut seqs = Seqs::of(numbers);
            prop_assert_eq!(seqs.iter().collect::<Vec<_>>(), set.iter().copied().collect::<Vec<_>>());
            set.extend(&more);
            seqs = Seqs::of_ranges([seqs.ranges(), Seqs::of(more).ranges()].concat());
            prop_assert_eq!(seqs.iter().collect::<Vec<_>>(), set.iter().copied().collect::<Vec<_>>());
            prop_assert_eq!(seqs.count(), set.len() as u64);
            for number in -25..405 {
                prop_assert_eq!(seqs.has(number), set.contains(&number));
            }
            let outside = set.iter().filter(|number| !(50..=60).contains(*number) && !(70..=70).contains(*number)).count();
            prop_assert_eq!(seqs.count_outside(&[(50, 60), (70, 70)]), outside as u64);
            let mut bytes = Vec::new();
            seqs.write(&mut bytes);
            let mut rest = &bytes[..];
            prop_assert_eq!(Seqs::read(&mut rest), Some(seqs));
            prop_assert!(rest.is_empty());
        }

        #[test]
        fn anything_else_is_refused_or_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let _read = Seqs::read(&mut &bytes[..]);
        }
    }

    #[test]
    fn logs_that_go_as_they_came_take_few_bytes() {
        let mut bytes = Vec::new();
        Seqs::of((1_000_000..1_002_048).collect()).write(&mut bytes);
        assert_eq!(bytes.len(), 6);
    }
}
