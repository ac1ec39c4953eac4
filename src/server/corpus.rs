//! What outside input has looked like, kept in `tests/corpora`, and what may happen to it on its way: for tests of what reads it.
//!
//! An input that once broke something becomes a file there, and is read by every test run from then on, as it is and harmed. To add a parser: a folder, and a
//! test beside it that says what holds of everything it reads.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use proptest::prelude::*;
use proptest::sample::Index;

/// What is put in where harm is done: signs that some parser gives a meaning to.
const SIGNS: [&[u8]; 28] = [
    b"\n",
    b"\r\n",
    b"\r",
    b"\"",
    b"\"\"",
    b"'",
    b"\\",
    b",",
    b";",
    b":",
    b"{",
    b"}",
    b"[",
    b"]",
    b"&",
    b"=",
    b"%",
    b"%2",
    b"+",
    b"\0",
    b"\xff",
    b"\xEF\xBB\xBF",
    b"\xF0\x9F\x98\x80",
    b"\\u0000",
    b"\\ud800",
    b"-1",
    b"1e999",
    b"null",
];

/// The kept inputs of a parser, each with its name.
pub(crate) fn kept(parser: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpora").join(parser);
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let entry = entry.unwrap();
        (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())
    };
    let mut kept: Vec<_> = std::fs::read_dir(folder).unwrap().map(read).collect();
    kept.sort();
    assert!(kept.len() > 5, "{parser} has lost its inputs");
    kept
}

/// One harm.
#[derive(Clone, Debug)]
enum Harm {
    /// It ends there.
    CutOff(Index),
    /// A part is missing.
    Gone(Index, Index),
    /// A part comes twice.
    Twice(Index, Index),
    /// A part of another input stands there.
    Mixed(Index, Index, Index),
    /// Signs stand there that did not.
    Put(Index, usize),
    /// A byte is another one.
    Other(Index, u8),
}

fn harm() -> impl Strategy<Value = Harm> {
    let place = any::<Index>;
    prop_oneof![
        1 => place().prop_map(Harm::CutOff),
        2 => (place(), place()).prop_map(|(from, to)| Harm::Gone(from, to)),
        2 => (place(), place()).prop_map(|(from, to)| Harm::Twice(from, to)),
        2 => (place(), place(), place()).prop_map(|(input, from, to)| Harm::Mixed(input, from, to)),
        4 => (place(), 0..SIGNS.len()).prop_map(|(at, sign)| Harm::Put(at, sign)),
        2 => (place(), any::<u8>()).prop_map(|(at, byte)| Harm::Other(at, byte)),
    ]
}

impl Harm {
    fn done(&self, bytes: &mut Vec<u8>, kept: &[(String, Vec<u8>)]) {
        let span = |from: &Index, to: &Index, length: usize| {
            let (from, to) = (from.index(length + 1), to.index(length + 1));
            from.min(to)..from.max(to)
        };
        match self {
            Self::CutOff(at) => bytes.truncate(at.index(bytes.len() + 1)),
            Self::Gone(from, to) => drop(bytes.drain(span(from, to, bytes.len()))),
            Self::Twice(from, to) => {
                let part = span(from, to, bytes.len());
                let copy = bytes[part.clone()].to_vec();
                bytes.splice(part.end..part.end, copy);
            }
            Self::Mixed(input, from, to) => {
                let other = &kept[input.index(kept.len())].1;
                let at = to.index(bytes.len() + 1);
                bytes.splice(at..at, other[span(from, to, other.len())].iter().copied());
            }
            Self::Put(at, sign) => {
                let at = at.index(bytes.len() + 1);
                bytes.splice(at..at, SIGNS[*sign].iter().copied());
            }
            Self::Other(at, byte) => {
                if !bytes.is_empty() {
                    let at = at.index(bytes.len());
                    bytes[at] = *byte;
                }
            }
        }
        // Parts that come twice, twice: enough is enough.
        bytes.truncate(64 << 10);
    }
}

/// A kept input of a parser, with some harm done to it.
pub(crate) fn harmed(parser: &str) -> impl Strategy<Value = Vec<u8>> + use<> {
    let kept = kept(parser);
    (any::<Index>(), prop::collection::vec(harm(), 0..6)).prop_map(move |(input, harms)| {
        let mut bytes = kept[input.index(kept.len())].1.clone();
        for harm in harms {
            harm.done(&mut bytes, &kept);
        }
        bytes
    })
}

/// Gives some bytes a few at a time, as a slow line does.
pub(crate) struct Slow<'a> {
    left: &'a [u8],
    most: usize,
}

impl<'a> Slow<'a> {
    /// At most so many at once.
    pub(crate) const fn new(bytes: &'a [u8], most: usize) -> Self {
        Self { left: bytes, most }
    }
}

impl std::io::Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let (now, later) = self.left.split_at(self.most.min(buffer.len()).min(self.left.len()));
        buffer[..now.len()].copy_from_slice(now);
        self.left = later;
        Ok(now.len())
    }
}
