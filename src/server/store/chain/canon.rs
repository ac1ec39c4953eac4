//! The bytes that are hashed, and the tree over a batch's logs.

use sha2::{Digest as _, Sha256};

/// A SHA-256.
pub type Digest = [u8; 32];

/// Before a leaf, before an inner node: what is one is never taken for the other (RFC 6962, 2.1).
const LEAF: u8 = 0;
const NODE: u8 = 1;

/// Values one after another, each with its kind and length, so that no two rows of values give the same bytes.
#[derive(Debug, Default)]
pub struct Canon(Vec<u8>);

impl Canon {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::with_capacity(0)
    }

    /// Room for so many bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    /// 0 where there is none; else 1 and the number's eight bytes, little-endian.
    pub fn number(&mut self, number: Option<i64>) -> &mut Self {
        match number {
            None => self.0.push(0),
            Some(number) => {
                self.0.push(1);
                self.0.extend_from_slice(&number.to_le_bytes());
            }
        }
        self
    }

    /// 0 where there is none; else 2, the length in four bytes, little-endian, and the text.
    pub fn text(&mut self, text: Option<&str>) -> &mut Self {
        self.bytes(text.map(str::as_bytes))
    }

    /// As a text.
    pub fn bytes(&mut self, bytes: Option<&[u8]>) -> &mut Self {
        match bytes {
            None => self.0.push(0),
            Some(bytes) => {
                self.0.push(2);
                // Nothing here is as long as 4 GB: a body is cut at 64 MB.
                self.0.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
                self.0.extend_from_slice(bytes);
            }
        }
        self
    }

    /// The SHA-256 of all of it.
    pub fn digest(&self) -> Digest {
        sha256(&[&self.0])
    }

    /// A log's leaf: of its facts, and of the SHA-256 of what it says.
    pub fn leaf(&self, text: &Digest) -> Digest {
        sha256(&[&[LEAF], &self.0, text])
    }
}

/// The SHA-256 of parts, one after another.
pub fn sha256(parts: &[&[u8]]) -> Digest {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// The Merkle root over leaves: RFC 6962, 2.1. Of one leaf it is that leaf; of none, the SHA-256 of nothing.
pub fn root(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => sha256(&[]),
        [leaf] => *leaf,
        _ => {
            // A node without a neighbour rises as it is, which is the same tree as the one that is split at the largest power of two.
            let mut level: Vec<Digest> = leaves.to_vec();
            while level.len() > 1 {
                level = level
                    .chunks(2)
                    .map(|pair| match pair {
                        [left, right] => sha256(&[&[NODE], left, right]),
                        alone => alone[0],
                    })
                    .collect();
            }
            level[0]
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As RFC 6962 defines it.
    fn by_definition(leaves: &[Digest]) -> Digest {
        if leaves.len() == 1 {
            return leaves[0];
        }
        let split = leaves.len().next_power_of_two() / 2;
        let (left, right) = leaves.split_at(split);
        sha256(&[&[NODE], &by_definition(left), &by_definition(right)])
    }

    #[test]
    fn values_that_differ_give_other_bytes() {
        let of = |build: &dyn Fn(&mut Canon) -> Digest| build(&mut Canon::new());
        let all = [
            of(&|canon| canon.text(Some("ab")).text(Some("c")).digest()),
            of(&|canon| canon.text(Some("a")).text(Some("bc")).digest()),
            of(&|canon| canon.text(Some("abc")).text(None).digest()),
            of(&|canon| canon.text(Some("abc")).text(Some("")).digest()),
            of(&|canon| canon.text(None).text(Some("abc")).digest()),
            of(&|canon| canon.number(Some(0)).number(None).digest()),
            of(&|canon| canon.number(None).number(Some(0)).digest()),
        ];
        for (place, digest) in all.iter().enumerate() {
            assert!(!all[..place].contains(digest), "{place}");
        }
    }

    proptest! {
        #[test]
        fn the_tree_is_the_one_of_the_standard(count in 1_usize..200) {
            let leaves: Vec<Digest> = (0..count).map(|leaf| sha256(&[&leaf.to_le_bytes()])).collect();
            prop_assert_eq!(root(&leaves), by_definition(&leaves));
        }
    }
}
