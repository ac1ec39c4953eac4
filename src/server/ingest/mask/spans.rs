//! Where a pattern matches in a text: what `Regex::find_iter` gives, in one pass.
//!
//! To find one match after the other a regex has to read on, sometimes to the text's end, before it knows that a match is over, and then begins anew behind it:
//! for a hostile pattern (`.*[^A-Z]|[A-Z]` on a row of capitals) that is the square of the text's length. Here the next search runs along with the one whose
//! end is not known yet, and is begun anew where that one grows. A state of the pattern's automaton that two searches are in leads both to the same end, and
//! what the earlier one finds overrules the later one: so each state is followed once, and a text costs its length times the automaton's size, at the very most.
//! Most patterns are in a state or two at a time; one that is in hundreds is given up.

use std::ops::Range;

use regex_automata::nfa::thompson::{NFA, State};
use regex_automata::util::primitives::StateID;

/// Finds a pattern that matches no empty text.
#[derive(Debug)]
pub(super) struct Finder {
    nfa: NFA,
    /// The bytes that a match can begin with.
    first: Box<[bool; 256]>,
}

impl Finder {
    pub(super) fn new(nfa: NFA) -> Self {
        let first = first_bytes(&nfa);
        Self { nfa, first }
    }

    /// Every match: the leftmost one, then the leftmost one behind it, and so on. None where that takes more `steps` than there are, which are used up.
    pub(super) fn find(&self, text: &[u8], steps: &mut usize) -> Option<Vec<Range<usize>>> {
        let searches = Searches {
            nfa: &self.nfa,
            text,
            active: Vec::new(),
            next: Vec::new(),
            stack: Vec::new(),
            seen: vec![0; self.nfa.states().len()],
            round: 0,
            found: Vec::new(),
            steps,
        };
        searches.run(&self.first)
    }
}

/// A state that a search is in.
#[derive(Clone, Copy)]
struct Thread {
    state: StateID,
    /// Which search, from 0. Its match, as far as it is known, has this place among those found.
    search: usize,
    /// Where its match begins.
    start: usize,
}

struct Searches<'a> {
    nfa: &'a NFA,
    text: &'a [u8],
    /// What waits for a byte: search by search, and within one in the order of preference.
    active: Vec<Thread>,
    /// The same, past that byte.
    next: Vec<Thread>,
    stack: Vec<StateID>,
    /// The round in which each state was come to last.
    seen: Vec<u32>,
    round: u32,
    /// One match a search, but for the last, which has none yet.
    found: Vec<Range<usize>>,
    /// States that may yet be followed.
    steps: &'a mut usize,
}

impl Searches<'_> {
    fn run(mut self, first: &[bool; 256]) -> Option<Vec<Range<usize>>> {
        let mut at = 0;
        loop {
            if self.next.is_empty() {
                // Nothing is under way: on to where something can begin.
                let Some(skipped) = self.text[at..].iter().position(|byte| first[usize::from(*byte)]) else {
                    return Some(self.found);
                };
                at += skipped;
            }
            let followed = self.arrive(at);
            *self.steps = self.steps.checked_sub(followed)?;
            let Some(byte) = self.text.get(at) else {
                return Some(self.found);
            };
            self.next.clear();
            for thread in &self.active {
                if let Some(state) = step(self.nfa.state(thread.state), *byte) {
                    self.next.push(Thread { state, ..*thread });
                }
            }
            at += 1;
        }
    }

    /// Follows what needs no byte, notes what is found, and begins one more try of the last search here; gives how many states it came to.
    fn arrive(&mut self, at: usize) -> usize {
        let mut followed = 0;
        self.round += 1;
        self.active.clear();
        let arrived = std::mem::take(&mut self.next);
        for thread in &arrived {
            if self.enter(*thread, at, &mut followed) {
                // Whatever is less preferred goes, and so do the later searches: they begin behind this match.
                self.found.truncate(thread.search);
                self.found.push(thread.start..at);
                break;
            }
        }
        self.next = arrived;
        let begin = Thread {
            state: self.nfa.start_anchored(),
            search: self.found.len(),
            start: at,
        };
        self.enter(begin, at, &mut followed);
        followed
    }

    /// Whether a match is come to before anything that is less preferred.
    fn enter(&mut self, thread: Thread, at: usize, followed: &mut usize) -> bool {
        self.stack.push(thread.state);
        while let Some(id) = self.stack.pop() {
            *followed += 1;
            let seen = &mut self.seen[id.as_usize()];
            if *seen == self.round {
                continue;
            }
            *seen = self.round;
            match self.nfa.state(id) {
                State::ByteRange { .. } | State::Sparse(_) | State::Dense(_) => self.active.push(Thread { state: id, ..thread }),
                State::Look { look, next } => {
                    if self.nfa.look_matcher().matches(*look, self.text, at) {
                        self.stack.push(*next);
                    }
                }
                State::Union { alternates } => self.stack.extend(alternates.iter().rev()),
                State::BinaryUnion { alt1, alt2 } => self.stack.extend([*alt2, *alt1]),
                State::Capture { next, .. } => self.stack.push(*next),
                State::Fail => {}
                State::Match { .. } => {
                    self.stack.clear();
                    return true;
                }
            }
        }
        false
    }
}

/// Where a byte leads.
fn step(state: &State, byte: u8) -> Option<StateID> {
    match state {
        State::ByteRange { trans } => trans.matches_byte(byte).then_some(trans.next),
        State::Sparse(sparse) => sparse.matches_byte(byte),
        State::Dense(dense) => dense.matches_byte(byte),
        _ => None,
    }
}

/// The bytes that a match can begin with, wherever it stands.
fn first_bytes(nfa: &NFA) -> Box<[bool; 256]> {
    let mut first = Box::new([false; 256]);
    let mut seen = vec![false; nfa.states().len()];
    let mut stack = vec![nfa.start_anchored()];
    while let Some(id) = stack.pop() {
        if std::mem::replace(&mut seen[id.as_usize()], true) {
            continue;
        }
        match nfa.state(id) {
            State::Look { next, .. } | State::Capture { next, .. } => stack.push(*next),
            State::Union { alternates } => stack.extend(alternates.iter()),
            State::BinaryUnion { alt1, alt2 } => stack.extend([*alt1, *alt2]),
            state => {
                for byte in 0..=u8::MAX {
                    first[usize::from(byte)] |= step(state, byte).is_some();
                }
            }
        }
    }
    first
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;
    use regex_automata::meta::Regex;

    use super::*;

    fn found(pattern: &str, text: &str) -> Vec<Range<usize>> {
        Finder::new(NFA::new(pattern).unwrap())
            .find(text.as_bytes(), &mut usize::MAX.clone())
            .unwrap()
    }

    #[test]
    fn one_that_is_in_hundreds_of_states_is_given_up() {
        let text = "A".repeat(10_000);
        let finder = |pattern: &str| Finder::new(NFA::new(pattern).unwrap()).find(text.as_bytes(), &mut (200 * text.len()));
        assert_eq!(finder("(?:a?A?){1,200}@|A"), None);
        assert_eq!(finder(".*[^A-Z]|[A-Z]").map(|found| found.len()), Some(10_000));
    }

    fn expected(pattern: &str, text: &str) -> Vec<Range<usize>> {
        let regex = Regex::new(pattern).unwrap();
        regex.find_iter(text).map(|found| found.range()).collect()
    }

    #[test]
    fn it_finds_what_a_regex_finds() {
        for (pattern, text) in [
            ("a", "banana"),
            ("ana", "bananana"),
            ("a|ab", "abab"),
            ("ab|a", "abab"),
            ("a+?", "aaa"),
            ("<b>.*?</b>", "<b>x</b> <b>y</b>"),
            ("<b>.*</b>", "<b>x</b> <b>y</b>"),
            (".*[^A-Z]|[A-Z]", "AAAA"),
            (".*[^A-Z]|[A-Z]", "AA1AA"),
            ("a(?:a*c)?", "aaaab aac"),
            (r"\b\d{4}\b", "1234 12345 x1234 é1234 4321"),
            ("(?m)^x", "x\nxx\nx"),
            ("é+", "aééb"),
            (r"[\w.+-]+@[\w-]+\.[\w.-]+", "to ada@example.com, grace@example.org."),
            (r"(?i)größe", "GRÖSSE Größe"),
        ] {
            assert_eq!(found(pattern, text), expected(pattern, text), "{pattern} in {text}");
        }
    }

    /// Patterns of a small alphabet, so that they often match.
    fn pattern() -> impl Strategy<Value = String> {
        let leaf = prop::sample::select(vec!["a", "b", "c", "[ab]", "[^a]", ".", "é", r"\b", "^", "$", r"\B", "(?:)"]);
        leaf.prop_map(str::to_owned).prop_recursive(4, 24, 3, |inner| {
            let greed = prop::sample::select(vec!["*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}?"]);
            prop_oneof![
                prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| format!("(?:{})", parts.concat())),
                prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("(?:{})", parts.join("|"))),
                (inner, greed).prop_map(|(part, greed)| format!("(?:{part}){greed}")),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn it_finds_what_any_regex_finds_in_any_text(pattern in pattern(), text in "[abcé\n ]{0,12}") {
            let least = |pattern: &str| regex_syntax::parse(pattern).unwrap().properties().minimum_len();
            // One that matches nothing is not taken; with a letter before or behind it, it may be.
            let pattern = match least(&pattern) {
                Some(0) if pattern.len() % 2 == 0 => format!("(?:{pattern})[abé]"),
                Some(0) => format!("[abé](?:{pattern})"),
                _ => pattern,
            };
            prop_assume!(least(&pattern).is_some());
            prop_assert_eq!(found(&pattern, &text), expected(&pattern, &text), "{} in {:?}", pattern, text);
        }
    }
}
