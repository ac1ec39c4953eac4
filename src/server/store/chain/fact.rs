//! Facts beside logs whose changes are on the chain: what tells each apart, and the digest of what it says.
//!
//! To add a kind: a variant here with a number of its own, where it is noted (`Appended::facts` in the transaction that changes it), and how the stored rows
//! are read for the verifier (`stored.rs`).

use super::canon::Digest;
use super::entry::take;

/// What a fact is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FactKind {
    /// A background task: what was asked for, and, once it is over, what came of it.
    Task,
    /// An export: likewise.
    Export,
    /// The original of an import beside a log.
    ImportFile,
    /// An attempt of a sendout.
    Attempt,
    /// A project's masking rules, all together.
    MaskRules,
    /// How long a project keeps its logs.
    Retention,
}

impl FactKind {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Task,
        Self::Export,
        Self::ImportFile,
        Self::Attempt,
        Self::MaskRules,
        Self::Retention,
    ];

    /// The number that stands on the chain.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The kind with this number.
    pub fn of_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }

    /// As people read it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Task => "task",
            Self::Export => "export",
            Self::ImportFile => "original of the import of log",
            Self::Attempt => "attempt",
            Self::MaskRules => "masking rules",
            Self::Retention => "retention",
        }
    }
}

/// A fact as it is from an entry on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// About what.
    pub kind: FactKind,
    /// What tells it apart within its kind and project.
    pub key: String,
    /// Of what it says; none where it was deleted.
    pub digest: Option<Digest>,
}

impl Fact {
    /// One that was stored or changed.
    pub fn stored(kind: FactKind, key: impl Into<String>, digest: Digest) -> Self {
        Self {
            kind,
            key: key.into(),
            digest: Some(digest),
        }
    }

    /// One that was deleted.
    pub fn deleted(kind: FactKind, key: impl Into<String>) -> Self {
        Self {
            kind,
            key: key.into(),
            digest: None,
        }
    }

    /// Its kind, whether it is there, its key's length in four bytes and the key, and its digest where it is there.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[self.kind.number(), u8::from(self.digest.is_some())]);
        out.extend_from_slice(&(self.key.len() as u32).to_le_bytes());
        out.extend_from_slice(self.key.as_bytes());
        if let Some(digest) = &self.digest {
            out.extend_from_slice(digest);
        }
    }

    /// Reads what [`Fact::write`] wrote, from the front of `bytes`.
    pub(super) fn read(bytes: &mut &[u8]) -> Option<Self> {
        let [kind, is_there] = take(bytes)?;
        let length = u32::from_le_bytes(take(bytes)?) as usize;
        let (key, rest) = bytes.split_at_checked(length)?;
        *bytes = rest;
        Some(Self {
            kind: FactKind::of_number(kind)?,
            key: std::str::from_utf8(key).ok()?.to_owned(),
            digest: match is_there {
                0 => None,
                1 => Some(take(bytes)?),
                _ => return None,
            },
        })
    }
}
