//! Blocks: what up to 64 logs of a project say, in the order of (time, id), compressed together, with the signature that searches read.
//!
//! A block's content is a row of entries, one a log. An entry is its own length, the time, the kinds of both bodies, which optional fields
//! are there, then every field with its length. An entry can be moved from block to block as it is.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::header_lines;
use super::signature::{SignatureBuilder, lane_bytes, width_for};
use crate::model::log::{BodyKind, LogFacts, LogText, Message, Origin};
use crate::server::store::StoreError;

/// Logs in a full block: the bits of a signature's word.
pub(super) const MAX_LOGS: usize = 64;
/// Text in a full block; one log that is longer is a block of its own.
const MAX_BYTES: usize = 1 << 20;
/// A block that has fewer logs and less text than these may be merged with its neighbours.
const SMALL: (usize, usize) = (MAX_LOGS * 3 / 4, MAX_BYTES / 2);
/// zstd's level: 1 costs a third of 3's time, for a tenth more bytes.
const LEVEL: i32 = 1;
/// Length, time, two kinds, flags.
const HEAD: usize = 4 + 8 + 3;

/// A field of an entry, in its order there. All of them are searched by "anywhere" ([`Entry::texts`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code, reason = "a variant is a place in the entry, whether or not it is read by name")]
pub(super) enum Field {
    Id,
    RequestId,
    UserEmail,
    UserId,
    AppId,
    ClientAppId,
    Ip,
    Resource,
    Task,
    Url,
    UserAgent,
    RequestHeaders,
    RequestBody,
    RequestType,
    ResponseHeaders,
    ResponseBody,
    ResponseType,
}

/// How many fields an entry has.
pub(super) const FIELDS: usize = Field::ResponseType as usize + 1;
/// The fields that may be absent, which is not the same as empty; a field's place is its bit in the entry's flags.
const OPTIONAL: [Field; 3] = [Field::UserAgent, Field::RequestType, Field::ResponseType];

/// An entry, read.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    /// The whole entry, as it can be put into another block.
    pub(super) bytes: &'a [u8],
    /// The log's time.
    pub(super) created_at: i64,
    kinds: [u8; 2],
    flags: u8,
    fields: [&'a [u8]; FIELDS],
}

/// A block, ready to be written.
#[derive(Debug)]
pub(super) struct SealedBlock<M> {
    /// Whose traffic all of its logs are; `None` for blocks from before that was told apart, and what comes of merging those.
    pub(super) origin: Option<Origin>,
    /// Whose entries these are, in the block's order.
    pub(super) members: Vec<M>,
    pub(super) min_time: i64,
    pub(super) max_time: i64,
    pub(super) small: bool,
    /// Bytes of content before compression.
    pub(super) bytes: usize,
    pub(super) width: usize,
    pub(super) lane: usize,
    pub(super) sha256: [u8; 32],
    // Shared, since a batch that fails is tried again call by call.
    pub(super) signature: Arc<[u8]>,
    pub(super) content: Arc<[u8]>,
}

impl<M> SealedBlock<M> {
    /// The same block with its members called otherwise.
    pub(super) fn renamed<N>(&self, name: impl Fn(&M) -> N) -> SealedBlock<N> {
        SealedBlock {
            origin: self.origin,
            members: self.members.iter().map(name).collect(),
            min_time: self.min_time,
            max_time: self.max_time,
            small: self.small,
            bytes: self.bytes,
            width: self.width,
            lane: self.lane,
            sha256: self.sha256,
            signature: Arc::clone(&self.signature),
            content: Arc::clone(&self.content),
        }
    }
}

/// An entry on its way into a block.
#[derive(Debug)]
pub(super) struct Loose<M> {
    pub(super) created_at: i64,
    pub(super) id: String,
    pub(super) entry: Vec<u8>,
    /// Whose it is.
    pub(super) member: M,
}

/// A log's entry.
pub(super) fn encode(facts: &LogFacts, text: &LogText) -> Vec<u8> {
    fn optional(field: Option<&String>) -> &[u8] {
        field.map_or(b"", |text| text.as_bytes())
    }
    let resource = facts
        .resource
        .as_ref()
        .map(|resource| format!("{}:{}", resource.kind, resource.id));
    let fields: [&[u8]; FIELDS] = [
        facts.id.as_bytes(),
        optional(facts.request_id.as_ref()),
        optional(facts.user_email.as_ref()),
        optional(facts.user_id.as_ref()),
        optional(facts.app_id.as_ref()),
        optional(facts.client_app_id.as_ref()),
        optional(facts.ip.as_ref()),
        optional(resource.as_ref()),
        optional(facts.async_action_id.as_ref()),
        text.url.as_bytes(),
        optional(text.user_agent.as_ref()),
        text.request.headers.as_bytes(),
        &text.request.body,
        optional(text.request.content_type.as_ref()),
        text.response.headers.as_bytes(),
        &text.response.body,
        optional(text.response.content_type.as_ref()),
    ];
    let there = [
        text.user_agent.is_some(),
        text.request.content_type.is_some(),
        text.response.content_type.is_some(),
    ];
    let flags = there
        .iter()
        .enumerate()
        .fold(0_u8, |flags, (bit, there)| flags | (u8::from(*there) << bit));
    let length = HEAD + fields.iter().map(|field| 4 + field.len()).sum::<usize>();
    let mut out = Vec::with_capacity(length);
    out.extend_from_slice(&(length as u32).to_le_bytes());
    out.extend_from_slice(&facts.created_at.to_le_bytes());
    out.extend_from_slice(&[text.request.kind.number(), text.response.kind.number(), flags]);
    for field in fields {
        out.extend_from_slice(&(field.len() as u32).to_le_bytes());
        out.extend_from_slice(field);
    }
    out
}

impl<'a> Entry<'a> {
    /// Reads the entry at the front of `content`, and what comes after it; `None` where it is not one.
    fn split(content: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let length = u32::from_le_bytes(*content.first_chunk()?) as usize;
        let (bytes, after) = content.split_at_checked(length)?;
        let (head, mut rest) = bytes.split_at_checked(HEAD)?;
        let created_at = i64::from_le_bytes(*head[4..].first_chunk()?);
        let mut fields: [&[u8]; FIELDS] = [&[]; FIELDS];
        for field in &mut fields {
            let (length, tail) = rest.split_first_chunk()?;
            (*field, rest) = tail.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        }
        let entry = Self {
            bytes,
            created_at,
            kinds: [head[12], head[13]],
            flags: head[14],
            fields,
        };
        rest.is_empty().then_some((entry, after))
    }

    /// A field's bytes; empty where it is absent.
    pub(super) const fn field(&self, field: Field) -> &'a [u8] {
        self.fields[field as usize]
    }

    /// What "anywhere" looks through: every field, headers as the lines that people read. `lines` is emptied, and keeps those.
    pub(super) fn texts<'t>(&self, lines: &'t mut Vec<u8>) -> [&'t [u8]; FIELDS]
    where
        'a: 't,
    {
        lines.clear();
        header_lines::push(self.field(Field::RequestHeaders), lines);
        let request_end = lines.len();
        header_lines::push(self.field(Field::ResponseHeaders), lines);
        let mut texts: [&'t [u8]; FIELDS] = self.fields;
        (texts[Field::RequestHeaders as usize], texts[Field::ResponseHeaders as usize]) = lines.split_at(request_end);
        texts
    }

    /// The log's id.
    pub(super) fn id(&self) -> Result<&'a str, StoreError> {
        std::str::from_utf8(self.field(Field::Id))
            .map_err(|_| StoreError::Corrupt("a block's entry has an id that is no text".into()))
    }

    fn text_of(&self, field: Field) -> Result<String, StoreError> {
        String::from_utf8(self.field(field).to_vec())
            .map_err(|_| StoreError::Corrupt(format!("a block's entry has a {field:?} that is no text")))
    }

    fn optional(&self, field: Field) -> Result<Option<String>, StoreError> {
        let there = OPTIONAL
            .iter()
            .position(|optional| *optional == field)
            .is_none_or(|bit| self.flags & (1 << bit) != 0);
        there.then(|| self.text_of(field)).transpose()
    }

    /// What the log says.
    pub(super) fn text(&self) -> Result<LogText, StoreError> {
        let kind = |number: u8| {
            BodyKind::of_number(number).ok_or_else(|| StoreError::Corrupt(format!("a block's entry has a body of kind {number}")))
        };
        Ok(LogText {
            url: self.text_of(Field::Url)?,
            user_agent: self.optional(Field::UserAgent)?,
            request: Message {
                headers: self.text_of(Field::RequestHeaders)?,
                kind: kind(self.kinds[0])?,
                body: self.field(Field::RequestBody).to_vec(),
                content_type: self.optional(Field::RequestType)?,
            },
            response: Message {
                headers: self.text_of(Field::ResponseHeaders)?,
                kind: kind(self.kinds[1])?,
                body: self.field(Field::ResponseBody).to_vec(),
                content_type: self.optional(Field::ResponseType)?,
            },
        })
    }
}

/// The entries of a block's content.
pub(super) fn entries(content: &[u8]) -> Result<Vec<Entry<'_>>, StoreError> {
    let mut rest = content;
    let mut all = Vec::with_capacity(MAX_LOGS);
    while !rest.is_empty() {
        let (entry, after) =
            Entry::split(rest).ok_or_else(|| StoreError::Corrupt(format!("a block's entry {} cannot be read", all.len())))?;
        all.push(entry);
        rest = after;
    }
    Ok(all)
}

/// Opens a block: decompresses it and proves that it is what was written.
pub(super) fn open(block_id: i64, compressed: &[u8], bytes: i64, sha256: &[u8]) -> Result<Vec<u8>, StoreError> {
    let corrupt = |what: &str| StoreError::Corrupt(format!("block {block_id}: {what}"));
    let capacity = usize::try_from(bytes).map_err(|_| corrupt("its size is below zero"))?;
    let content = zstd::bulk::decompress(compressed, capacity).map_err(|_| corrupt("it cannot be decompressed"))?;
    if content.len() != capacity || Sha256::digest(&content).as_slice() != sha256 {
        return Err(corrupt("its content is not what was written"));
    }
    Ok(content)
}

/// Puts entries into blocks, in the order of (time, id). A block never spans two months, since partitions are dropped by the month, nor two origins, which
/// are kept for different times: the caller tells them apart.
pub(super) fn seal<M>(origin: Option<Origin>, mut loose: Vec<Loose<M>>) -> Result<Vec<SealedBlock<M>>, StoreError> {
    loose.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
    let mut compressor = zstd::bulk::Compressor::new(LEVEL).map_err(|problem| StoreError::Database(sqlx::Error::Io(problem)))?;
    let mut blocks = Vec::with_capacity(loose.len() / MAX_LOGS + 1);
    let mut content = Vec::new();
    let mut members = Vec::new();
    let mut times = (0, 0);
    let mut month_end = i64::MIN;
    for log in loose {
        let full = members.len() == MAX_LOGS || content.len() + log.entry.len() > MAX_BYTES || log.created_at >= month_end;
        if full && !members.is_empty() {
            blocks.push(seal_one(
                &mut compressor,
                origin,
                &content,
                std::mem::take(&mut members),
                times,
            )?);
            content.clear();
        }
        if members.is_empty() {
            times.0 = log.created_at;
            month_end = super::month::of(log.created_at).end;
        }
        times.1 = log.created_at;
        content.extend_from_slice(&log.entry);
        members.push(log.member);
    }
    if !members.is_empty() {
        blocks.push(seal_one(&mut compressor, origin, &content, members, times)?);
    }
    Ok(blocks)
}

fn seal_one<M>(
    compressor: &mut zstd::bulk::Compressor<'_>,
    origin: Option<Origin>,
    content: &[u8],
    members: Vec<M>,
    (min_time, max_time): (i64, i64),
) -> Result<SealedBlock<M>, StoreError> {
    let entries = entries(content)?;
    let longest = entries.iter().map(|entry| entry.bytes.len()).max().unwrap_or_default();
    let width = width_for(entries.len(), longest, content.len());
    let lane = lane_bytes(entries.len());
    let mut signature = SignatureBuilder::new(width);
    let mut lines = Vec::new();
    for (slot, entry) in entries.iter().enumerate() {
        for text in entry.texts(&mut lines) {
            signature.add(slot, text);
        }
    }
    Ok(SealedBlock {
        origin,
        small: members.len() < SMALL.0 && content.len() < SMALL.1,
        members,
        min_time,
        max_time,
        bytes: content.len(),
        width,
        lane,
        sha256: Sha256::digest(content).into(),
        signature: signature.into_bytes(lane).into(),
        content: compressor
            .compress(content)
            .map_err(|problem| StoreError::Database(sqlx::Error::Io(problem)))?
            .into(),
    })
}
