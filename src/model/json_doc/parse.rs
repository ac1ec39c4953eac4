//! Reads a JSON text (RFC 8259, nothing more lenient) into its index, in slices, without recursion.

use super::NONE;
use super::index::{JsonIndex, Kind, Node};

/// How deep a text may go: what a node's depth can hold.
const MAX_DEPTH: usize = u16::MAX as usize - 1;

/// Why a text is not JSON, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {reason}")]
pub struct JsonProblem {
    /// In bytes from the start.
    pub offset: usize,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// What is wrong there.
    pub reason: &'static str,
}

impl JsonProblem {
    fn at(bytes: &[u8], offset: usize, reason: &'static str) -> Self {
        let before = &bytes[..offset.min(bytes.len())];
        let line_start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
        Self {
            offset,
            line: memchr::memchr_iter(b'\n', before).count() + 1,
            column: String::from_utf8_lossy(&before[line_start..]).chars().count() + 1,
            reason,
        }
    }
}

/// How far a slice got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// There is more to read.
    More,
    /// The whole text was read.
    Done,
}

/// What may come next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expect {
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    CommaOrEnd,
    Nothing,
}

/// A text being read. It does not hold the bytes: each call is given the same ones.
#[derive(Clone, Debug)]
pub struct Parser {
    at: usize,
    expect: Expect,
    key: u32,
    open: Vec<u32>,
    index: JsonIndex,
}

impl Default for Parser {
    fn default() -> Self {
        Self {
            at: 0,
            expect: Expect::Value,
            key: NONE,
            open: Vec::new(),
            index: JsonIndex::default(),
        }
    }
}

impl Parser {
    /// How many bytes were read.
    pub const fn read(&self) -> usize {
        self.at
    }

    /// How many lines of the pretty text are known.
    pub const fn lines(&self) -> u32 {
        self.index.lines
    }

    /// The index of what was read; where that was not everything, what is open ends with the last value.
    pub fn finish(mut self) -> JsonIndex {
        let end = self.index.len() as u32;
        for node in self.open {
            self.index.node_mut(node).next = end;
        }
        self.index
    }

    /// Reads on for about `budget` bytes, or until the pretty text has more than `max_lines` lines.
    pub fn step(&mut self, bytes: &[u8], budget: usize, max_lines: u32) -> Result<Step, JsonProblem> {
        if bytes.len() >= NONE as usize {
            return Err(JsonProblem::at(bytes, 0, "the text is longer than 4 GB"));
        }
        let stop = self.at.saturating_add(budget);
        while self.at < stop && self.index.lines <= max_lines {
            self.space(bytes);
            let Some(byte) = bytes.get(self.at) else {
                return if self.expect == Expect::Nothing {
                    Ok(Step::Done)
                } else {
                    Err(self.problem(bytes, "the text ends too early"))
                };
            };
            self.token(bytes, *byte)?;
        }
        Ok(Step::More)
    }

    fn problem(&self, bytes: &[u8], reason: &'static str) -> JsonProblem {
        JsonProblem::at(bytes, self.at, reason)
    }

    fn space(&mut self, bytes: &[u8]) {
        while matches!(bytes.get(self.at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn token(&mut self, bytes: &[u8], byte: u8) -> Result<(), JsonProblem> {
        match (self.expect, byte) {
            (Expect::ValueOrEnd, b']') | (Expect::KeyOrEnd, b'}') => self.close(),
            (Expect::CommaOrEnd, b']' | b'}') => {
                let wanted = if self.holder_is_object() { b'}' } else { b']' };
                if byte != wanted {
                    return Err(self.problem(
                        bytes,
                        if wanted == b'}' {
                            "expected , or }"
                        } else {
                            "expected , or ]"
                        },
                    ));
                }
                self.close();
            }
            (Expect::CommaOrEnd, b',') => {
                self.at += 1;
                self.expect = if self.holder_is_object() { Expect::Key } else { Expect::Value };
            }
            (Expect::CommaOrEnd, _) => {
                return Err(self.problem(
                    bytes,
                    if self.holder_is_object() {
                        "expected , or }"
                    } else {
                        "expected , or ]"
                    },
                ));
            }
            (Expect::Key | Expect::KeyOrEnd, b'"') => self.member(bytes)?,
            (Expect::Key | Expect::KeyOrEnd, _) => return Err(self.problem(bytes, "expected a key in double quotes")),
            (Expect::Value | Expect::ValueOrEnd, _) => self.value(bytes, byte)?,
            (Expect::Nothing, _) => return Err(self.problem(bytes, "expected nothing more after the value")),
        }
        Ok(())
    }

    fn holder_is_object(&self) -> bool {
        self.open.last().is_some_and(|node| self.index.kind(*node) == Kind::Object)
    }

    /// Reads a key and its colon.
    fn member(&mut self, bytes: &[u8]) -> Result<(), JsonProblem> {
        self.key = self.at as u32;
        self.string(bytes)?;
        self.space(bytes);
        if bytes.get(self.at) != Some(&b':') {
            return Err(self.problem(bytes, "expected : after the key"));
        }
        self.at += 1;
        self.expect = Expect::Value;
        Ok(())
    }

    fn value(&mut self, bytes: &[u8], byte: u8) -> Result<(), JsonProblem> {
        let start = self.at;
        let kind = match byte {
            b'{' | b'[' => return self.open(bytes, if byte == b'{' { Kind::Object } else { Kind::Array }),
            b'"' => self.string(bytes)?,
            b'-' | b'0'..=b'9' => self.number(bytes)?,
            b't' => self.word(bytes, b"true", Kind::Boolean)?,
            b'f' => self.word(bytes, b"false", Kind::Boolean)?,
            b'n' => self.word(bytes, b"null", Kind::Null)?,
            _ => return Err(self.problem(bytes, "expected a value")),
        };
        self.add(kind, start);
        self.after_value();
        Ok(())
    }

    fn add(&mut self, kind: Kind, start: usize) {
        let at = self.index.len() as u32;
        self.index.push(Node {
            start: start as u32,
            end: self.at as u32,
            key: std::mem::replace(&mut self.key, NONE),
            next: at + 1,
            parent: self.open.last().copied().unwrap_or(NONE),
            line: self.index.lines,
            depth: self.open.len() as u16,
            kind,
        });
        self.index.lines += 1;
    }

    fn open(&mut self, bytes: &[u8], kind: Kind) -> Result<(), JsonProblem> {
        if self.open.len() >= MAX_DEPTH {
            return Err(self.problem(bytes, "nested too deep"));
        }
        let start = self.at;
        self.at += 1;
        let at = self.index.len() as u32;
        self.add(kind, start);
        self.open.push(at);
        self.expect = if kind == Kind::Object {
            Expect::KeyOrEnd
        } else {
            Expect::ValueOrEnd
        };
        Ok(())
    }

    fn close(&mut self) {
        self.at += 1;
        if let Some(node) = self.open.pop() {
            let next = self.index.len() as u32;
            let closed = self.index.node_mut(node);
            closed.end = self.at as u32;
            closed.next = next;
            if next > node + 1 {
                self.index.lines += 1;
            }
        }
        self.after_value();
    }

    fn after_value(&mut self) {
        self.expect = if self.open.is_empty() {
            Expect::Nothing
        } else {
            Expect::CommaOrEnd
        };
    }

    /// Reads `"…"` from its opening quote on.
    fn string(&mut self, bytes: &[u8]) -> Result<Kind, JsonProblem> {
        let start = self.at + 1;
        let (mut at, mut escaped, mut wide) = (start, false, false);
        loop {
            match bytes.get(at) {
                None => return Err(self.problem(bytes, "the string does not end")),
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    at += escape_width(bytes, at).ok_or_else(|| JsonProblem::at(bytes, at, "no such escape"))?;
                }
                Some(..0x20) => return Err(JsonProblem::at(bytes, at, "a control character must be escaped")),
                Some(byte) => {
                    wide |= *byte >= 0x80;
                    at += 1;
                }
            }
        }
        if wide && let Err(error) = std::str::from_utf8(&bytes[start..at]) {
            return Err(JsonProblem::at(bytes, start + error.valid_up_to(), "not UTF-8"));
        }
        self.at = at + 1;
        Ok(if escaped { Kind::EscapedString } else { Kind::PlainString })
    }

    fn number(&mut self, bytes: &[u8]) -> Result<Kind, JsonProblem> {
        let digits = |mut at: usize| {
            while matches!(bytes.get(at), Some(b'0'..=b'9')) {
                at += 1;
            }
            at
        };
        let bad = |at| JsonProblem::at(bytes, at, "expected a digit");
        let first = self.at + usize::from(bytes[self.at] == b'-');
        let mut at = match bytes.get(first) {
            Some(b'0') => first + 1,
            Some(b'1'..=b'9') => digits(first),
            _ => return Err(bad(first)),
        };
        if bytes.get(at) == Some(&b'.') {
            let end = digits(at + 1);
            if end == at + 1 {
                return Err(bad(end));
            }
            at = end;
        }
        if matches!(bytes.get(at), Some(b'e' | b'E')) {
            let sign = at + 1 + usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
            at = digits(sign);
            if at == sign {
                return Err(bad(at));
            }
        }
        self.at = at;
        Ok(Kind::Number)
    }

    fn word(&mut self, bytes: &[u8], word: &[u8], kind: Kind) -> Result<Kind, JsonProblem> {
        if !bytes[self.at..].starts_with(word) {
            return Err(self.problem(bytes, "expected a value"));
        }
        self.at += word.len();
        Ok(kind)
    }
}

/// How many bytes an escape takes, where it is one.
fn escape_width(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at + 1)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(2),
        b'u' => bytes.get(at + 2..at + 6)?.iter().all(u8::is_ascii_hexdigit).then_some(6),
        _ => None,
    }
}
