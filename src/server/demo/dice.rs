//! Seeded chance, and what is made of it.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Letters of codes: none that is mistaken for another.
const CODE_LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// The same throws for the same seed.
pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    /// Dice for one part of the demo.
    pub(super) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// From `low` to `high`, both included.
    pub(super) fn range(&mut self, low: i64, high: i64) -> i64 {
        self.0.random_range(low..=high)
    }

    /// True so often in a hundred.
    pub(super) fn percent(&mut self, chance: i64) -> bool {
        self.range(0, 99) < chance
    }

    /// One of several.
    pub(super) fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.range(0, choices.len() as i64 - 1) as usize]
    }

    /// One of several, the first ones far more often: how customers and products come up.
    pub(super) fn pick_popular(&mut self, count: i64) -> i64 {
        let first = self.range(0, count - 1);
        self.range(0, first)
    }

    /// The one whose weight is hit.
    pub(super) fn weighted<'a, T>(&mut self, choices: &'a [(i64, T)]) -> &'a T {
        let total: i64 = choices.iter().map(|(weight, _)| weight).sum();
        let mut left = self.range(0, total - 1);
        for (weight, choice) in choices {
            if left < *weight {
                return choice;
            }
            left -= weight;
        }
        &choices[0].1
    }

    /// Milliseconds of a request: mostly near `typical`, now and then much longer.
    pub(super) fn duration(&mut self, typical: f64) -> f64 {
        let spread: f64 = (0..4).map(|_| self.0.random::<f64>()).sum::<f64>() / 2.0;
        let tail = if self.percent(3) {
            4.0 + self.0.random::<f64>() * 8.0
        } else {
            1.0
        };
        (typical * (0.35 + 0.65 * spread) * tail * 100.0).round() / 100.0
    }

    /// Lower-case hexadecimal digits.
    pub(super) fn hex(&mut self, digits: usize) -> String {
        (0..digits)
            .map(|_| char::from_digit(self.0.random_range(0..16), 16).unwrap_or('0'))
            .collect()
    }

    /// A code as people type them: `SPRING-K7QP2X`.
    pub(super) fn code(&mut self, prefix: &str) -> String {
        let letters: String = (0..6).map(|_| char::from(*self.pick(CODE_LETTERS))).collect();
        format!("{prefix}-{letters}")
    }
}
