//! Prefix sums that change: a Fenwick tree (P. M. Fenwick, "A New Data Structure for Cumulative Frequency Tables", 1994).

/// Counts at places `0..len`, with their prefix sums in logarithmic time.
#[derive(Clone, Debug, Default)]
pub(super) struct Fenwick {
    /// One-based: `sums[0]` is not used.
    sums: Vec<u32>,
}

impl Fenwick {
    /// Builds it in one pass from the counts in order.
    pub(super) fn build(counts: impl ExactSizeIterator<Item = u32>) -> Self {
        let mut sums = Vec::with_capacity(counts.len() + 1);
        sums.push(0);
        sums.extend(counts);
        let len = sums.len() - 1;
        for place in 1..=len {
            let above = place + lowest_bit(place);
            if above <= len {
                sums[above] += sums[place];
            }
        }
        Self { sums }
    }

    /// Adds to the count at a place; `change` may be negative as long as the count stays a count.
    pub(super) fn add(&mut self, place: usize, change: i64) {
        let mut at = place + 1;
        while at < self.sums.len() {
            self.sums[at] = (i64::from(self.sums[at]) + change) as u32;
            at += lowest_bit(at);
        }
    }

    /// The sum of the counts before a place.
    pub(super) fn before(&self, place: usize) -> u32 {
        let mut at = place.min(self.sums.len().saturating_sub(1));
        let mut sum = 0;
        while at > 0 {
            sum += self.sums[at];
            at -= lowest_bit(at);
        }
        sum
    }

    /// The sum of all counts.
    pub(super) fn total(&self) -> u32 {
        self.before(self.sums.len())
    }

    /// The place whose count covers `rank` (the last place with `before(place) <= rank` and a count above none), and what is left of the rank there.
    pub(super) fn locate(&self, rank: u32) -> (usize, u32) {
        let len = self.sums.len().saturating_sub(1);
        let mut step = if len == 0 { 0 } else { 1_usize << len.ilog2() };
        let (mut place, mut left) = (0, rank);
        while step > 0 {
            let next = place + step;
            if next <= len && self.sums[next] <= left {
                place = next;
                left -= self.sums[next];
            }
            step /= 2;
        }
        (place, left)
    }
}

const fn lowest_bit(number: usize) -> usize {
    number & number.wrapping_neg()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn sums_equal_those_of_a_plain_list(mut counts in prop::collection::vec(0_u32..5, 1..200), changes in prop::collection::vec((0_usize..200, 0_u32..5), 0..20)) {
            let mut tree = Fenwick::build(counts.iter().copied());
            for (place, value) in changes {
                let place = place % counts.len();
                tree.add(place, i64::from(value) - i64::from(counts[place]));
                counts[place] = value;
            }
            let mut sum = 0;
            for (place, count) in counts.iter().enumerate() {
                prop_assert_eq!(tree.before(place), sum);
                for extra in 0..*count {
                    prop_assert_eq!(tree.locate(sum + extra), (place, extra));
                }
                sum += count;
            }
            prop_assert_eq!(tree.total(), sum);
        }
    }
}
