//! Entries: their kinds, what each says, and the bytes of that.
//!
//! To add a kind: a variant of [`Body`] with a number of its own, its bytes in [`Body::write`] and [`Body::read`], its place in `docs/chain.md`, and what it
//! means in `server/chain/verify`.

use super::canon::{Digest, sha256};
use super::fact::{Fact, FactKind};
use super::seqs::Seqs;

/// Before the bytes of every entry.
const TAG: &[u8] = b"audit-log chain 1\0";

/// What an entry says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// The chain begins: what was stored before it did is in no entry.
    Began(Before),
    /// Logs that were written with one transaction.
    Logs {
        /// The number of the first one; the others' follow.
        first: i64,
        /// How many there are.
        count: u32,
        /// The Merkle root over their leaves.
        root: Digest,
    },
    /// Logs that retention, or the project's deletion, took.
    Deleted(Seqs),
    /// Logs whose bodies retention took; of each, in the order of their numbers, the digest of what it said, or zeros where that could not be read any more.
    Silenced(Seqs, Vec<Digest>),
    /// Facts that were stored, changed or deleted.
    Facts(Vec<Fact>),
    /// The project was deleted: what applications sent to it, and all its facts, may be gone from here on.
    ProjectDeleted,
}

/// What was stored before a chain began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Before {
    /// Logs.
    pub logs: u64,
    /// Facts of each kind.
    pub facts: Vec<(FactKind, u64)>,
}

impl Before {
    /// How many facts of a kind there were.
    pub fn count(&self, kind: FactKind) -> u64 {
        self.facts.iter().filter(|(of, _)| *of == kind).map(|(_, count)| count).sum()
    }

    /// Whether there were any.
    pub fn has(&self, kind: FactKind) -> bool {
        self.count(kind) > 0
    }
}

impl Body {
    /// The number that its kind has.
    pub const fn kind(&self) -> i16 {
        match self {
            Self::Began(_) => 0,
            Self::Logs { .. } => 1,
            Self::Deleted(_) => 2,
            Self::Silenced(..) => 3,
            Self::Facts(_) => 4,
            Self::ProjectDeleted => 5,
        }
    }

    /// Its bytes.
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Began(before) => {
                out.extend_from_slice(&before.logs.to_le_bytes());
                for (kind, count) in &before.facts {
                    out.push(kind.number());
                    out.extend_from_slice(&count.to_le_bytes());
                }
            }
            Self::Logs { first, count, root } => {
                out.extend_from_slice(&first.to_le_bytes());
                out.extend_from_slice(&count.to_le_bytes());
                out.extend_from_slice(root);
            }
            Self::Deleted(seqs) => seqs.write(&mut out),
            Self::Silenced(seqs, texts) => {
                seqs.write(&mut out);
                for text in texts {
                    out.extend_from_slice(text);
                }
            }
            Self::Facts(facts) => facts.iter().for_each(|fact| fact.write(&mut out)),
            Self::ProjectDeleted => {}
        }
        out
    }

    /// Reads what [`Body::write`] wrote; none where it is not that.
    pub fn read(kind: i16, mut bytes: &[u8]) -> Option<Self> {
        let bytes = &mut bytes;
        let body = match kind {
            0 => {
                let logs = u64::from_le_bytes(take(bytes)?);
                let mut facts = Vec::new();
                while !bytes.is_empty() {
                    let [kind] = take(bytes)?;
                    facts.push((FactKind::of_number(kind)?, u64::from_le_bytes(take(bytes)?)));
                }
                Self::Began(Before { logs, facts })
            }
            1 => Self::Logs {
                first: i64::from_le_bytes(take(bytes)?),
                count: u32::from_le_bytes(take(bytes)?),
                root: take(bytes)?,
            },
            2 => Self::Deleted(Seqs::read(bytes)?),
            3 => {
                let seqs = Seqs::read(bytes)?;
                let mut texts = Vec::new();
                while !bytes.is_empty() {
                    texts.push(take(bytes)?);
                }
                if seqs.count() != texts.len() as u64 {
                    return None;
                }
                Self::Silenced(seqs, texts)
            }
            4 => {
                let mut facts = Vec::new();
                while !bytes.is_empty() {
                    facts.push(Fact::read(bytes)?);
                }
                Self::Facts(facts)
            }
            5 => Self::ProjectDeleted,
            _ => return None,
        };
        bytes.is_empty().then_some(body)
    }
}

/// So many bytes from the front.
pub(super) fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*taken)
}

/// What the first entry of a project's chain follows.
pub fn origin(project_id: &str) -> Digest {
    sha256(&[TAG, project_id.as_bytes()])
}

/// An entry's digest: of the one before, its number, its time, its kind, and its body.
pub fn digest(before: &Digest, number: i64, at: i64, kind: i16, body: &[u8]) -> Digest {
    sha256(&[
        TAG,
        before,
        &number.to_le_bytes(),
        &at.to_le_bytes(),
        &kind.to_le_bytes(),
        body,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_read_as_it_was_written_and_nothing_else_is() {
        let bodies = [
            Body::Began(Before {
                logs: 7,
                facts: vec![(FactKind::Task, 3), (FactKind::Attempt, 1)],
            }),
            Body::Logs {
                first: 1,
                count: 2,
                root: [9; 32],
            },
            Body::Deleted(Seqs::of(vec![1, 2, 9])),
            Body::Silenced(Seqs::of(vec![4, 9]), vec![[1; 32], [0; 32]]),
            Body::Facts(vec![
                Fact::stored(FactKind::Task, "aa_1", [1; 32]),
                Fact::deleted(FactKind::ImportFile, "log_1"),
            ]),
            Body::ProjectDeleted,
        ];
        for body in bodies {
            let bytes = body.write();
            assert_eq!(Body::read(body.kind(), &bytes), Some(body.clone()));
            let mut longer = bytes.clone();
            longer.push(0xFF);
            assert_eq!(Body::read(body.kind(), &longer), None, "{body:?}");
            if let Some((_, shorter)) = bytes.split_last() {
                assert_ne!(Body::read(body.kind(), shorter), Some(body));
            }
        }
        assert_eq!(Body::read(6, &[]), None);
    }

    #[test]
    fn an_entry_is_of_everything_in_it() {
        let first = origin("prj_1");
        let digest = digest(&first, 1, 2, 3, b"a");
        for other in [
            super::digest(&origin("prj_2"), 1, 2, 3, b"a"),
            super::digest(&first, 2, 2, 3, b"a"),
            super::digest(&first, 1, 3, 3, b"a"),
            super::digest(&first, 1, 2, 4, b"a"),
            super::digest(&first, 1, 2, 3, b"b"),
        ] {
            assert_ne!(other, digest);
        }
    }
}
