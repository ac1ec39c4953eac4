//! Heads that are signed, as they go out: on a page, in events, from the command; and the bytes that are signed.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use super::key::ChainKey;
use crate::model::zone::rfc3339;
use crate::server::store::chain::read::{Checkpoint, SignedRow};

/// Before the bytes of a head, and of a checkpoint.
const HEAD: &[u8] = b"audit-log chain head 1\0";
const CHECKPOINT: &[u8] = b"audit-log chain checkpoint 1\0";

/// A signed head, as people and programs keep it. All bytes are hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedHead {
    /// Whose chain.
    pub project_id: String,
    /// The number of its last entry.
    pub number: i64,
    /// That entry's digest.
    pub digest: String,
    /// When it was signed (RFC 3339).
    pub at: String,
    /// The same in milliseconds since 1970: this is what is signed.
    pub at_ms: i64,
    /// The public half of the key (Ed25519).
    pub key: String,
    /// The signature (RFC 8032).
    pub signature: String,
}

impl SignedHead {
    /// As it is stored.
    pub fn of(project_id: &str, row: &SignedRow) -> Self {
        Self {
            project_id: project_id.to_owned(),
            number: row.number,
            digest: HEXLOWER.encode(&row.digest),
            at: rfc3339(row.at),
            at_ms: row.at,
            key: HEXLOWER.encode(&row.key),
            signature: HEXLOWER.encode(&row.signature),
        }
    }

    /// As it would be stored; none where its bytes are none.
    pub fn row(&self) -> Option<SignedRow> {
        let bytes = |text: &str| data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok();
        Some(SignedRow {
            number: self.number,
            digest: bytes(&self.digest)?,
            at: self.at_ms,
            key: bytes(&self.key)?,
            signature: bytes(&self.signature)?,
        })
    }
}

/// The bytes of a head that are signed: the project's id, the number, the time, the digest.
pub fn head_message(project_id: &str, number: i64, at: i64, digest: &[u8]) -> Vec<u8> {
    let mut message = HEAD.to_vec();
    text(&mut message, project_id);
    for number in [number, at] {
        message.extend_from_slice(&number.to_le_bytes());
    }
    message.extend_from_slice(digest);
    message
}

/// The bytes of a checkpoint that are signed.
pub fn checkpoint_message(project_id: &str, checkpoint: &Checkpoint) -> Vec<u8> {
    let mut message = CHECKPOINT.to_vec();
    text(&mut message, project_id);
    let Checkpoint {
        first_number,
        last_number,
        entries,
        logs,
        at,
        ..
    } = checkpoint;
    for number in [first_number, last_number, entries, logs, at] {
        message.extend_from_slice(&number.to_le_bytes());
    }
    message.extend_from_slice(&checkpoint.before);
    message.extend_from_slice(&checkpoint.digest);
    message
}

fn text(message: &mut Vec<u8>, text: &str) {
    message.extend_from_slice(&(text.len() as u32).to_le_bytes());
    message.extend_from_slice(text.as_bytes());
}

/// Signs a head.
pub fn sign(key: &ChainKey, project_id: &str, number: i64, digest: &[u8], at: i64) -> SignedRow {
    SignedRow {
        number,
        digest: digest.to_vec(),
        at,
        key: key.public().to_vec(),
        signature: key.sign(&head_message(project_id, number, at, digest)).to_vec(),
    }
}

/// Whether a head's signature is good.
pub fn is_good(key: &ChainKey, project_id: &str, row: &SignedRow) -> bool {
    let message = head_message(project_id, row.number, row.at, &row.digest);
    key.is_signed(&row.key, &message, &row.signature)
}

/// Signs a checkpoint.
pub fn sign_checkpoint(key: &ChainKey, project_id: &str, mut checkpoint: Checkpoint) -> Checkpoint {
    checkpoint.key = key.public().to_vec();
    checkpoint.signature = key.sign(&checkpoint_message(project_id, &checkpoint)).to_vec();
    checkpoint
}

/// Whether a checkpoint's signature is good.
pub fn is_good_checkpoint(key: &ChainKey, project_id: &str, checkpoint: &Checkpoint) -> bool {
    key.is_signed(
        &checkpoint.key,
        &checkpoint_message(project_id, checkpoint),
        &checkpoint.signature,
    )
}
