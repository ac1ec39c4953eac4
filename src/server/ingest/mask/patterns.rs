//! Patterns: what a project looks for in texts, whatever stands around it.
//!
//! What a pattern matches becomes one [`MASK`]; of matches that touch each other, of one pattern or of several, all together. A mask that is there already is never
//! cut: what a match shares with one goes into it. Each pattern reads the text as it came, so that none hides from another what it would find, and then all read again
//! what has become of it, until nothing more is found: so masking twice changes nothing, whatever the patterns are. A text in which that takes too
//! long goes whole.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memmem;
use regex_automata::meta::Regex;
use regex_automata::nfa::thompson::{Compiler, Config, NFA, WhichCaptures};
use regex_automata::{Input, MatchKind, PatternSet};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Hir, HirKind};

use super::spans::Finder;
use super::written::Written;
use super::{MASK, ROUNDS};

/// Letters and classes that a pattern has when its counts are written out: `[a-z]{2,40}` has 40.
const ONE: usize = 300;
/// And all patterns of a project together.
const ALL: usize = 3_000;
/// Bytes of a pattern's automaton.
const ONE_BYTES: usize = 1 << 20;
/// And of all patterns of a project together.
const ALL_BYTES: usize = 4 << 20;
/// States that are followed for each byte of a text, whatever the patterns; a text that takes more goes whole.
const STEPS: usize = 200;
/// And for each text.
const STEPS_AT_LEAST: usize = 10_000;
/// Bytes of what the search remembers while it runs.
const REMEMBERED: usize = 1 << 20;
/// Groups in groups of a pattern.
const NESTED: u32 = 50;

/// Why a pattern is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PatternFault {
    /// Which, from 0.
    pub(super) pattern: usize,
    /// The character, from 1.
    pub(super) place: Option<usize>,
    /// What is wrong, and what would be right.
    pub(super) reason: String,
}

/// A project's patterns.
#[derive(Debug)]
pub(super) struct Patterns {
    /// Says which of them match at all.
    any: Regex,
    each: Vec<Finder>,
    /// Whether one asks for the beginning or the end of a text or a line.
    has_edges: bool,
}

impl Patterns {
    /// Reads patterns; none where there are none.
    pub(super) fn read(patterns: &[&str]) -> Result<Option<Self>, PatternFault> {
        if patterns.is_empty() {
            return Ok(None);
        }
        let mut read = Vec::with_capacity(patterns.len());
        let mut each = Vec::with_capacity(patterns.len());
        for (place, pattern) in patterns.iter().enumerate() {
            let hir = parse(place, pattern)?;
            each.push(Finder::new(compile(place, &hir)?));
            read.push(hir);
        }
        let config = Regex::config()
            .match_kind(MatchKind::All)
            .which_captures(WhichCaptures::None)
            .nfa_size_limit(Some(ALL_BYTES))
            .hybrid_cache_capacity(REMEMBERED)
            .backtrack(false);
        let any = Regex::builder().configure(config).build_many_from_hir(&read).ok();
        let any = any
            .filter(|_| read.iter().map(size).sum::<usize>() <= ALL)
            .ok_or_else(|| PatternFault {
                pattern: patterns.len() - 1,
                place: None,
                reason: "together the patterns are too large to be looked for: fewer of them, or smaller counts and classes"
                    .to_owned(),
            })?;
        Ok(Some(Self {
            any,
            each,
            has_edges: read.iter().any(|hir| hir.properties().look_set().contains_anchor()),
        }))
    }

    /// Whether one of them matches.
    pub(super) fn is_in(&self, text: &[u8]) -> bool {
        self.any.is_match(text)
    }

    /// Whether surely none of them matches in any part of these bytes that stands between quotes, brackets or white space, and has no escapes.
    pub(super) fn is_nowhere_in(&self, bytes: &[u8]) -> bool {
        !self.has_edges && !self.is_in(bytes)
    }

    /// A text, read in each of these ways, with what matches masked; none where nothing does.
    pub(super) fn text(&self, raw: &[u8], ways: &[Written]) -> Option<Vec<u8>> {
        let mut masked: Option<Vec<u8>> = None;
        for _ in 0..ROUNDS {
            let mut is_changed = false;
            for way in ways {
                match self.once(masked.as_deref().unwrap_or(raw), *way) {
                    Ok(None) => {}
                    Ok(Some(next)) => {
                        masked = Some(next);
                        is_changed = true;
                    }
                    Err(TooHard) => return whole(raw),
                }
            }
            if !is_changed {
                return masked;
            }
        }
        whole(raw)
    }

    fn once(&self, raw: &[u8], way: Written) -> Result<Option<Vec<u8>>, TooHard> {
        let says = way.read(raw);
        let found = with_masks(&says, self.found(&says)?);
        if found.is_empty() {
            return Ok(None);
        }
        let places = match says {
            Cow::Borrowed(_) => found,
            Cow::Owned(_) => way.places(raw, &found),
        };
        let mut out = Vec::with_capacity(raw.len());
        let mut copied = 0;
        for place in places {
            out.extend_from_slice(&raw[copied..place.start]);
            out.extend_from_slice(MASK.as_bytes());
            copied = place.end;
        }
        out.extend_from_slice(&raw[copied..]);
        Ok(Some(out))
    }

    /// What each of them matches, by where it begins.
    fn found(&self, text: &[u8]) -> Result<Vec<Range<usize>>, TooHard> {
        if !self.is_in(text) {
            return Ok(Vec::new());
        }
        let mut matching = PatternSet::new(self.each.len());
        self.any.which_overlapping_matches(&Input::new(text), &mut matching);
        let mut steps = text.len().saturating_mul(STEPS).max(STEPS_AT_LEAST);
        let mut found: Vec<Range<usize>> = Vec::new();
        for finder in matching.iter().filter_map(|pattern| self.each.get(pattern.as_usize())) {
            found.extend(finder.find(text, &mut steps).ok_or(TooHard)?);
        }
        found.sort_unstable_by_key(|range| range.start);
        Ok(found)
    }
}

/// Looking for the patterns takes more than a text is worth.
struct TooHard;

/// All of a text masked; none where it is a mask already.
fn whole(raw: &[u8]) -> Option<Vec<u8>> {
    (raw != MASK.as_bytes()).then(|| MASK.as_bytes().to_vec())
}

/// Ranges that touch as one, each with the masks that it touches; without those that are a mask and nothing more.
fn with_masks(text: &[u8], found: Vec<Range<usize>>) -> Vec<Range<usize>> {
    if found.is_empty() {
        return found;
    }
    let mut masks = memmem::find_iter(text, MASK).map(|at| at..at + MASK.len()).peekable();
    let mut joined: Vec<Range<usize>> = Vec::with_capacity(found.len());
    for mut range in found {
        while masks.next_if(|mask| mask.end < range.start).is_some() {}
        while let Some(mask) = masks.next_if(|mask| mask.start <= range.end) {
            range = range.start.min(mask.start)..range.end.max(mask.end);
        }
        match joined.last_mut() {
            Some(last) if last.end >= range.start => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined.retain(|range| &text[range.clone()] != MASK.as_bytes());
    joined
}

fn parse(pattern: usize, text: &str) -> Result<Hir, PatternFault> {
    let fault = |at: Option<usize>, reason: String| PatternFault {
        pattern,
        place: at.map(|at| text.get(..at).map_or(0, |before| before.chars().count()) + 1),
        reason,
    };
    let parsed = ParserBuilder::new().nest_limit(NESTED).build().parse(text);
    let hir = parsed.map_err(|error| match error {
        regex_syntax::Error::Parse(error) => fault(Some(error.span().start.offset), error.kind().to_string()),
        regex_syntax::Error::Translate(error) => fault(Some(error.span().start.offset), error.kind().to_string()),
        other => fault(None, other.to_string()),
    })?;
    match hir.properties().minimum_len() {
        None => Err(fault(None, "it can match nothing at all".to_owned())),
        Some(0) => Err(fault(
            None,
            r"it also matches where nothing stands, which is everywhere: let it need something, as \d+ does where \d* does not"
                .to_owned(),
        )),
        Some(_) => Ok(hir),
    }
}

/// Letters and classes, its counts written out: in so many places of itself it can be at once.
fn size(hir: &Hir) -> usize {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 0,
        HirKind::Literal(literal) => literal.0.len(),
        HirKind::Class(_) => 1,
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min).max(1);
            size(&repetition.sub).saturating_mul(times as usize)
        }
        HirKind::Capture(capture) => size(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().map(size).fold(0, usize::saturating_add),
    }
}

fn compile(pattern: usize, hir: &Hir) -> Result<NFA, PatternFault> {
    let fault = |reason: String| PatternFault {
        pattern,
        place: None,
        reason,
    };
    let size = size(hir);
    if size > ONE {
        let counted = format!("its counts written out it has {size} letters and classes, of {ONE} at most");
        return Err(fault(format!("it is too large to be looked for in every text: {counted}")));
    }
    let config = Config::new()
        .which_captures(WhichCaptures::None)
        .nfa_size_limit(Some(ONE_BYTES));
    let compiled = Compiler::new().configure(config).build_from_hir(hir);
    compiled.map_err(|_| {
        let advice = r"smaller counts, or [0-9] and [A-Za-z] where \d and \w are of every script";
        fault(format!("it is too large to be looked for in every text: {advice}"))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn masked(patterns: &[&str], text: &str) -> String {
        masked_as(patterns, text, &[Written::Plain])
    }

    fn masked_as(patterns: &[&str], text: &str, ways: &[Written]) -> String {
        let patterns = Patterns::read(patterns).unwrap().unwrap();
        let once = patterns
            .text(text.as_bytes(), ways)
            .unwrap_or_else(|| text.as_bytes().to_vec());
        assert_eq!(patterns.text(&once, ways), None, "masking twice changes nothing: {text}");
        String::from_utf8(once).unwrap()
    }

    fn fault(patterns: &[&str]) -> PatternFault {
        Patterns::read(patterns).map(|read| read.is_some()).unwrap_err()
    }

    #[test]
    fn what_matches_goes_and_the_rest_stays() {
        let mail = r"[\w.+-]+@[\w-]+(\.[\w-]+)+";
        assert_eq!(
            masked(&[mail], "to ada@example.com, grace@example.org."),
            "to masked, masked."
        );
        assert_eq!(masked(&[r"\d"], "12 + 3 = 15"), "masked + masked = masked");
        assert_eq!(masked(&["ada", "grace"], "adagrace hopper"), "masked hopper");
        assert_eq!(masked(&["abc", "bcd"], "abcd"), "masked", "each reads the text as it came");
        assert_eq!(masked(&["<b>.*?</b>"], "<b>x</b>y<b>z</b>"), "maskedymasked");
        assert_eq!(masked(&["x"], "nothing"), "nothing");
    }

    #[test]
    fn a_mask_is_never_masked() {
        assert_eq!(masked(&["a"], "banana"), "bmaskednmaskednmasked");
        assert_eq!(masked(&[r"\w+"], "a masked b"), "masked masked masked");
        assert_eq!(masked(&["masked"], "maskedmasked"), "masked");
        assert_eq!(masked(&["as"], "masked"), "masked");
        assert_eq!(masked(&["ed1"], "masked1 x"), "masked x");
        assert_eq!(masked(&["a", "ed1"], "a1"), "masked");
        assert_eq!(masked(&["^a"], "aaa"), "maskedaa");
    }

    #[test]
    fn a_text_that_never_comes_to_rest_goes_whole() {
        let text = format!("x{}", "b".repeat(100));
        assert_eq!(masked(&["x", "edb"], &text), "masked");
    }

    #[test]
    fn escapes_hide_nothing() {
        assert_eq!(masked_as(&["a@b"], r"to a\u0040b\n", &[Written::Json]), r"to masked\n");
        assert_eq!(
            masked_as(&["a@b"], "/a%40b?c", &[Written::Percent, Written::Plain]),
            "/masked?c"
        );
        assert_eq!(
            masked_as(&["a%40b"], "/a%40b?c", &[Written::Percent, Written::Plain]),
            "/masked?c"
        );
    }

    #[test]
    fn a_fault_says_where_and_what_would_be_right() {
        let place = |pattern: &str| fault(&["fine", pattern]).place;
        assert_eq!(fault(&["fine", "a("]).pattern, 1);
        assert_eq!(place("ab(c"), Some(3));
        assert_eq!(place("é[a"), Some(2));
        assert_eq!(place("a**?+{"), Some(6));
        assert_eq!(place(r"x\1"), Some(2));
        assert_eq!(place("(?<=a)b"), Some(1));
        for empty in ["", "a*", "a?|b", r"\b", "(?m)^", "(?:)"] {
            assert!(fault(&[empty]).reason.contains("where nothing stands"), "{empty}");
        }
        assert!(fault(&[r"\w{1000}"]).reason.contains("too large"));
        assert!(
            fault(&[r"(?:[a-z][0-9]?){200}"])
                .reason
                .contains("it has 400 letters and classes")
        );
        assert!(fault(&[r"\p{L}{200}"]).reason.contains("every script"));
        assert!(fault(&[&format!("{}a{}", "(".repeat(60), ")".repeat(60))]).place.is_some());
        let many: Vec<String> = (0..100).map(|nth| format!(r"{nth}\w{{5}}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(fault(&many).reason.contains("together"));
        assert!(fault(&[r"[a&&b]"]).reason.contains("nothing at all"));
    }
}
