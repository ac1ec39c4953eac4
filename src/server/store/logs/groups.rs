//! Groups: the signatures of 64 blocks, turned, so that a search reads only the words that it needs.
//!
//! A block's signature lies by itself first; the upkeep puts 64 of the same shape together. Row by row of `log_slices` there are then a few words of all
//! the 64 blocks: a search over a million logs reads some 12 rows for each of 240 groups, instead of 16 KiB for each of 15,600 blocks.

use sqlx::{AssertSqlSafe, query, query_as};

use super::headers::{Header, Unit, parse_hex};
use super::signature::{Form, Trigram};
use super::{blocks, month, sequence};
use crate::model::log::Origin;
use crate::model::query::Order;
use crate::model::selection::TimeRange;
use crate::server::store::db::{WriteTx, on_db, on_tx};
use crate::server::store::insert::Insert;
use crate::server::store::projects::ProjectKey;
use crate::server::store::{Db, StoreError};

/// Blocks of a group.
pub(super) const BLOCKS: usize = 64;
/// Words of a row of `log_slices`: 3 times 64 blocks times 8 bytes stay within PostgreSQL's 2 KB of a row in place.
pub(super) const SLICE_WORDS: usize = 3;
/// Groups of a shape that one round makes at most, so that the writer is never kept for long.
const ROUND: usize = 1;
/// Signatures that are looked at together.
const SOME: usize = BLOCKS * (ROUND + 1);
/// Bytes of a member: id, first time, last time.
const MEMBER: usize = 24;

/// What signatures have in common that may be in one group.
#[derive(Clone, Copy, Debug)]
struct Shape {
    width: i32,
    lane: i32,
    form: i16,
    /// Whose blocks; `None` for those of both.
    origin: Option<Origin>,
}

/// A block of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) id: i64,
    pub(super) min_time: i64,
    pub(super) max_time: i64,
}

impl Member {
    fn read(bytes: &[u8]) -> Option<Self> {
        let number = |place: usize| bytes.get(place..)?.first_chunk().map(|bytes| i64::from_le_bytes(*bytes));
        Some(Self {
            id: number(0)?,
            min_time: number(8)?,
            max_time: number(16)?,
        })
    }
}

/// A group's blocks, as its row has them.
pub(super) fn members(bytes: &[u8]) -> Option<Vec<Member>> {
    if bytes.len() != BLOCKS * MEMBER {
        return None;
    }
    bytes.chunks_exact(MEMBER).map(Member::read).collect()
}

/// A signature on its way into a group.
#[derive(Debug, sqlx::FromRow)]
struct Single {
    id: i64,
    min_time: i64,
    max_time: i64,
    signature: Vec<u8>,
}

const INSERT: Insert = Insert {
    head: "INSERT INTO log_slices (project_id, group_id, min_time, slice, words) VALUES",
    tail: "",
    columns: 5,
};

/// Makes some groups, where there are signatures enough; gives how many blocks went in.
pub(super) async fn run(db: &Db) -> Result<usize, StoreError> {
    const SHAPES: &str = "SELECT project_id, width, lane, form, origin FROM log_signatures WHERE small = 0
        GROUP BY project_id, width, lane, form, origin HAVING COUNT(*) >= 64 ORDER BY 1, 2, 3, 4, 5";
    let shapes: Vec<(ProjectKey, i32, i32, i16, Option<i16>)> = on_db!(read db, pool => query_as(SHAPES).fetch_all(pool).await?);
    let mut grouped = 0;
    for (project, width, lane, form, origin) in shapes {
        let origin = origin.map(Origin::of_number);
        let shape = Shape {
            width,
            lane,
            form,
            origin,
        };
        let mut tx = WriteTx::begin(db).await?;
        let ids = oldest(&mut tx, project, shape).await?;
        let mut made = 0;
        for group in same_month(&ids).take(ROUND) {
            make(&mut tx, project, shape, group).await?;
            made += group.len();
        }
        if made > 0 {
            blocks::note_moves(&mut tx, project).await?;
        }
        tx.commit().await?;
        grouped += made;
    }
    Ok(grouped)
}

/// The oldest signatures of a shape that fill a group, and some after them: id and first time. None where no month has as many.
async fn oldest(tx: &mut WriteTx, project: ProjectKey, shape: Shape) -> Result<Vec<(i64, i64)>, StoreError> {
    let mut from = i64::MIN;
    loop {
        let ids = since(tx, project, shape, from).await?;
        if same_month(&ids).next().is_some() {
            return Ok(ids);
        }
        // Each month leaves up to 63 blocks that fill no group. Those of several stand in front of a month that has enough.
        let next = ids.last().filter(|_| ids.len() >= SOME).map(|last| month::of(last.1).start);
        match next.filter(|next| *next > from) {
            Some(next) => from = next,
            None => return Ok(Vec::new()),
        }
    }
}

async fn since(tx: &mut WriteTx, project: ProjectKey, shape: Shape, from: i64) -> Result<Vec<(i64, i64)>, StoreError> {
    let Shape {
        width,
        lane,
        form,
        origin,
    } = shape;
    let (index, lock) = if tx.is_sqlite() {
        // By the table's own key it would read past the signatures themselves.
        ("INDEXED BY log_signatures_by_shape", "")
    } else {
        // Several processes may group: what another one has in hand is passed over.
        ("", "FOR UPDATE SKIP LOCKED")
    };
    let sql = AssertSqlSafe(format!(
        "SELECT id, min_time FROM log_signatures {index}
         WHERE project_id = $1 AND small = 0 AND width = $2 AND lane = $3 AND form = $4 AND {} AND min_time >= $5
         ORDER BY min_time, id LIMIT $6 {lock}",
        blocks::of_origin(origin)
    ));
    Ok(on_tx!(tx, connection => {
        query_as(sql).bind(project).bind(width).bind(lane).bind(form).bind(from).bind(SOME as i64).fetch_all(connection).await?
    }))
}

/// Whole groups within a month each, since partitions are dropped by the month.
fn same_month(ids: &[(i64, i64)]) -> impl Iterator<Item = &[(i64, i64)]> {
    ids.chunk_by(|a, b| month::of(a.1) == month::of(b.1))
        .flat_map(|month| month.chunks_exact(BLOCKS))
}

async fn make(tx: &mut WriteTx, project: ProjectKey, shape: Shape, ids: &[(i64, i64)]) -> Result<(), StoreError> {
    const ADD: &str = "INSERT INTO log_groups (project_id, id, min_time, max_time, width, lane, form, members, origin)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let Shape {
        width,
        lane,
        form,
        origin,
    } = shape;
    let origin = origin.map(Origin::number);
    // Ids are numbers of the database's own, so they may stand in the text: one statement instead of two for each block.
    let list = ids.iter().map(|(id, _)| id.to_string()).collect::<Vec<_>>().join(",");
    let take = AssertSqlSafe(format!(
        "DELETE FROM log_signatures WHERE project_id = $1 AND id IN ({list}) RETURNING id, min_time, max_time, signature"
    ));
    let mut singles: Vec<Single> =
        on_tx!(tx, connection => query_as(take).bind(project).persistent(false).fetch_all(connection).await?);
    if singles.len() != ids.len() {
        return Err(StoreError::Corrupt(format!(
            "of {} signatures to be grouped {} were there",
            ids.len(),
            singles.len()
        )));
    }
    singles.sort_unstable_by_key(|single| (single.min_time, single.id));
    let min_time = singles.iter().map(|single| single.min_time).min().unwrap_or_default();
    let max_time = singles.iter().map(|single| single.max_time).max().unwrap_or_default();
    let members: Vec<u8> = singles
        .iter()
        .flat_map(|single| [single.id, single.min_time, single.max_time])
        .flat_map(i64::to_le_bytes)
        .collect();
    let id = sequence::take(tx, 1).await?.next()?;
    on_tx!(tx, connection => {
        query(ADD).bind(project).bind(id).bind(min_time).bind(max_time).bind(width).bind(lane).bind(form).bind(members).bind(origin)
            .execute(connection).await?.rows_affected()
    });
    let slices = turn(&singles, width as usize, lane as usize)?;
    let numbered: Vec<(usize, &Vec<u8>)> = slices.iter().enumerate().collect();
    for chunk in INSERT.chunks(&numbered) {
        let sql = INSERT.sql(chunk.len(), tx.is_sqlite());
        on_tx!(tx, connection => {
            let mut statement = query(sql);
            for (slice, words) in chunk {
                statement = statement.bind(project).bind(id).bind(min_time).bind(*slice as i32).bind(words.as_slice());
            }
            statement.execute(connection).await?;
        });
    }
    Ok(())
}

/// Block by block becomes word by word, some words a slice.
fn turn(singles: &[Single], width: usize, lane: usize) -> Result<Vec<Vec<u8>>, StoreError> {
    if let Some(odd) = singles.iter().find(|single| single.signature.len() != width * lane) {
        return Err(StoreError::Corrupt(format!(
            "the signature of block {} has {} bytes",
            odd.id,
            odd.signature.len()
        )));
    }
    let slice = |first: usize| {
        let mut words = Vec::with_capacity(SLICE_WORDS * singles.len() * lane);
        for word in first..(first + SLICE_WORDS).min(width) {
            for single in singles {
                words.extend_from_slice(&single.signature[word * lane..(word + 1) * lane]);
            }
        }
        words
    };
    Ok((0..width).step_by(SLICE_WORDS).map(slice).collect())
}

/// Word by word becomes block by block again: the signature of each of a group's blocks, from all of its slices in their order.
pub(super) fn unturn(slices: &[Vec<u8>], width: usize, lane: usize) -> Option<Vec<Vec<u8>>> {
    let mut signatures: Vec<Vec<u8>> = (0..BLOCKS).map(|_| Vec::with_capacity(width * lane)).collect();
    for word in slices.iter().flat_map(|slice| slice.chunks(BLOCKS * lane)) {
        for (signature, part) in signatures.iter_mut().zip(word.chunks(lane)) {
            signature.extend_from_slice(part);
        }
    }
    let is_whole = signatures.iter().all(|signature| signature.len() == width * lane);
    is_whole.then_some(signatures)
}

/// The select that gives some groups as one text of lines `id,edge,lane,form,members,words`, in hexadecimal; `within` is a condition on `min_time`.
pub(super) fn sql(sqlite: bool, order: Order, words: usize, within: &str, size: usize) -> String {
    let (edge, compare, direction) = super::headers::direction(order);
    let (hex, end, join) = super::headers::dialect(sqlite);
    let begins = super::headers::unindexed(order);
    let words: String = (0..words)
        .map(|hash| {
            let place = format!("((${} * g.width) >> 32)", hash + 6);
            let start = format!("CAST(1 + ({place} % {SLICE_WORDS}) * {BLOCKS} * g.lane AS INTEGER)");
            format!(
                " || COALESCE((SELECT {hex}substr(s.words, {start}, {BLOCKS} * g.lane){end} FROM log_slices AS s WHERE s.project_id = $1
                    AND s.min_time = g.min_time AND s.group_id = g.id AND s.slice = {place} / {SLICE_WORDS}{within}), 'gone')"
            )
        })
        .collect();
    format!(
        "SELECT {join}(line, ';') FROM (
            SELECT g.id || ',' || g.{edge} || ',' || g.lane || ',' || g.form || ',' || {hex}g.members{end} || ','{words} AS line FROM log_groups AS g
            WHERE g.project_id = $1 AND g.max_time >= $2 AND g.min_time{begins} < $3 AND (g.{edge}, g.id) {compare} ($4, $5){within}
            ORDER BY g.{edge} {direction}, g.id {direction} LIMIT {size}) AS lines"
    )
}

/// A group, and those of its blocks that may have the text, in the walk's order.
///
/// Blocks outside `range` are left out: a group that reaches into it has others beside those that do.
pub(super) fn read_line(line: &str, order: Order, range: TimeRange, trigrams: &[Trigram]) -> Option<Unit> {
    let mut fields = line.split(',');
    let mut number = || fields.next()?.parse::<i64>().ok();
    let (id, edge, lane) = (number()?, number()?, number()?);
    let form = Form::of_number(number()?)?;
    let lane = usize::try_from(lane).ok().filter(|lane| (1..=8).contains(lane))?;
    let members = parse_hex(fields.next()?)?;
    let words = parse_hex(fields.next()?)?;
    if members.len() != BLOCKS * MEMBER || words.len() != trigrams.len() * BLOCKS * lane {
        return None;
    }
    let mut left = [u64::MAX; BLOCKS];
    let mut bits = Vec::new();
    for (word, trigram) in words.chunks_exact(BLOCKS * lane).zip(trigrams) {
        if !trigram.is_signed_in(form) {
            bits.push(u64::BITS * BLOCKS as u32);
            continue;
        }
        let mut set = 0;
        for (left, bytes) in left.iter_mut().zip(word.chunks_exact(lane)) {
            // Both sides of an AND are written the same way round.
            let word = bytes.iter().fold(0, |word, byte| (word << 8) | u64::from(*byte));
            *left &= word;
            set += word.count_ones();
        }
        bits.push(set);
    }
    let mut candidates = Vec::new();
    for (left, member) in left.iter().zip(members.chunks_exact(MEMBER)) {
        if *left != 0 {
            let Member { id, min_time, max_time } = Member::read(member)?;
            if max_time < range.from || min_time >= range.to {
                continue;
            }
            let edge = if order == Order::NewestFirst { max_time } else { min_time };
            candidates.push(Header { id, edge });
        }
    }
    candidates.sort_unstable_by_key(|header| (header.edge, header.id));
    if order == Order::NewestFirst {
        candidates.reverse();
    }
    Some(Unit {
        id,
        edge,
        candidates,
        bits,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turned_word_has_every_blocks_part_of_it() {
        let singles: Vec<Single> = (0..3_u8)
            .map(|id| Single {
                id: id.into(),
                min_time: 0,
                max_time: 0,
                signature: (0..8).map(|word| word * 10 + id).collect(),
            })
            .collect();
        let slices = turn(&singles, 4, 2).unwrap();
        assert_eq!(
            slices,
            [
                vec![0, 10, 1, 11, 2, 12, 20, 30, 21, 31, 22, 32, 40, 50, 41, 51, 42, 52],
                vec![60, 70, 61, 71, 62, 72]
            ]
        );
        assert!(turn(&singles, 5, 2).is_err(), "a signature of another shape");
    }

    #[test]
    fn what_was_turned_is_turned_back() {
        for (width, lane) in [(256, 1), (256, 8), (4, 2)] {
            let singles: Vec<Single> = (0..BLOCKS)
                .map(|id| Single {
                    id: id as i64,
                    min_time: 0,
                    max_time: 0,
                    signature: (0..width * lane).map(|byte| (byte * 7 + id * 13) as u8).collect(),
                })
                .collect();
            let slices = turn(&singles, width, lane).unwrap();
            let back = unturn(&slices, width, lane).unwrap();
            assert!(
                back.iter().eq(singles.iter().map(|single| &single.signature)),
                "{width} {lane}"
            );
            assert_eq!(unturn(&slices[1..], width, lane), None, "a slice is missing");
        }
    }
}
