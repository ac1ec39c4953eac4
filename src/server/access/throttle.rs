//! Slows down whoever guesses passwords: failed sign-ins are counted by account and address, by address alone, and by account alone.
//!
//! The counts live in this process: a restart forgives, and several servers each count their own.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// How long a count lasts after its first failure.
const WINDOW_MS: i64 = 15 * 60 * 1_000;
/// Failures of one e-mail from one address.
const MAX_PER_EMAIL: u32 = 10;
/// Failures from one address, whatever the e-mail: a whole office may sit behind it.
const MAX_PER_ADDRESS: u32 = 100;
/// Failures of one e-mail from wherever they come: guesses spread over many addresses. So high that nobody is kept out of their own account by a
/// few who try: 100 in a quarter of an hour are under 10,000 a day.
const MAX_PER_ACCOUNT: u32 = 100;
/// Counts that are held at most; past it the oldest windows go first.
const CAPACITY: usize = 20_000;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Counted {
    Email(String, IpAddr),
    Address(IpAddr),
    Account(String),
}

impl Counted {
    const fn limit(&self) -> u32 {
        match self {
            Self::Email(..) => MAX_PER_EMAIL,
            Self::Address(_) => MAX_PER_ADDRESS,
            Self::Account(_) => MAX_PER_ACCOUNT,
        }
    }
}

/// The failed sign-ins of the last minutes.
#[derive(Debug, Default)]
pub(super) struct Throttle(Mutex<HashMap<Counted, (i64, u32)>>);

impl Throttle {
    /// Counts an attempt as failed before it is tried, so that attempts at the same time all count; [`Throttle::forgive`] takes it back.
    /// `Err` is the number of seconds after which the next may be tried.
    pub(super) fn attempt(&self, email: &str, address: IpAddr, now_ms: i64) -> Result<(), u64> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all = [
            Counted::Email(email.to_owned(), network(address)),
            Counted::Address(network(address)),
            Counted::Account(email.to_owned()),
        ];
        for counted in &all {
            if let Some((since, count)) = counts.get(counted)
                && is_open(*since, now_ms)
                && *count >= counted.limit()
            {
                return Err((since + WINDOW_MS - now_ms).unsigned_abs().div_ceil(1_000));
            }
        }
        for counted in all {
            let entry = counts.entry(counted).or_insert((now_ms, 0));
            if !is_open(entry.0, now_ms) {
                *entry = (now_ms, 0);
            }
            entry.1 += 1;
        }
        if counts.len() > CAPACITY {
            make_room(&mut counts, now_ms);
        }
        Ok(())
    }

    /// Takes back what [`Throttle::attempt`] counted: the password was right.
    pub(super) fn forgive(&self, email: &str, address: IpAddr) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.remove(&Counted::Email(email.to_owned(), network(address)));
        // Others may be guessing meanwhile, from here and at this account: only this attempt is taken back.
        for counted in [Counted::Address(network(address)), Counted::Account(email.to_owned())] {
            if let Some((_, count)) = counts.get_mut(&counted) {
                *count = count.saturating_sub(1);
            }
        }
    }
}

fn is_open(since: i64, now_ms: i64) -> bool {
    (0..WINDOW_MS).contains(&(now_ms - since))
}

fn make_room(counts: &mut HashMap<Counted, (i64, u32)>, now_ms: i64) {
    counts.retain(|_, (since, _)| is_open(*since, now_ms));
    if counts.len() > CAPACITY {
        let mut times: Vec<i64> = counts.values().map(|(since, _)| *since).collect();
        let (_, middle, _) = times.select_nth_unstable(CAPACITY / 2);
        let middle = *middle;
        counts.retain(|_, (since, _)| *since > middle);
    }
}

/// An IPv6 address stands for its /64, which one customer has whole (RFC 6177).
pub(in crate::server) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::from((u128::from(v6) & !u128::from(u64::MAX)).to_be_bytes()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_eleventh_failure_waits_for_the_window_to_end() {
        let throttle = Throttle::default();
        for _ in 0..MAX_PER_EMAIL {
            assert_eq!(throttle.attempt("a@b.c", address("10.0.0.1"), 1_000), Ok(()));
        }
        assert_eq!(throttle.attempt("a@b.c", address("10.0.0.1"), 61_000), Err(14 * 60));
        assert_eq!(
            throttle.attempt("a@b.c", address("10.0.0.2"), 61_000),
            Ok(()),
            "another address"
        );
        assert_eq!(
            throttle.attempt("b@b.c", address("10.0.0.1"), 61_000),
            Ok(()),
            "another person"
        );
        assert_eq!(throttle.attempt("a@b.c", address("10.0.0.1"), 1_000 + WINDOW_MS), Ok(()));
    }

    #[test]
    fn a_right_password_starts_anew() {
        let throttle = Throttle::default();
        for _ in 0..100 {
            assert_eq!(throttle.attempt("a@b.c", address("10.0.0.1"), 0), Ok(()));
            throttle.forgive("a@b.c", address("10.0.0.1"));
        }
    }

    #[test]
    fn one_address_that_tries_many_people_is_stopped_too() {
        let throttle = Throttle::default();
        for person in 0..MAX_PER_ADDRESS {
            assert_eq!(throttle.attempt(&format!("{person}@b.c"), address("2001:db8::1"), 0), Ok(()));
        }
        assert!(
            throttle.attempt("new@b.c", address("2001:db8::ffff"), 0).is_err(),
            "the same /64"
        );
        assert_eq!(throttle.attempt("new@b.c", address("2001:db8:1::1"), 0), Ok(()));
    }

    #[test]
    fn one_account_that_is_tried_from_many_addresses_is_slowed_too() {
        let throttle = Throttle::default();
        for n in 0..MAX_PER_ACCOUNT {
            assert_eq!(throttle.attempt("a@b.c", IpAddr::from(n.to_be_bytes()), 0), Ok(()));
        }
        assert!(throttle.attempt("a@b.c", address("203.0.113.1"), 0).is_err());
        assert_eq!(
            throttle.attempt("b@b.c", address("203.0.113.1"), 0),
            Ok(()),
            "another account"
        );
    }

    #[test]
    fn it_never_grows_past_its_bound() {
        let throttle = Throttle::default();
        for n in 0..(CAPACITY as u32 + 10) {
            let _ = throttle.attempt(&format!("{n}@b.c"), IpAddr::from(n.to_be_bytes()), i64::from(n));
        }
        assert!(throttle.0.lock().unwrap().len() <= CAPACITY);
    }
}
