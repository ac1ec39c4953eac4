//! Every log of a project with the leaf that it should have on the chain, in the order of time: what a verifier reads.
//!
//! Blocks and rows are read side by side. Rows up to a moment are read once every block that begins before it has been, so that no more is held than blocks
//! that overlap; what is held of a block is one digest a log.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use sea_query::{Expr, ExprTrait, Order, Query};
use sqlx::{query_as, query_scalar};
use tokio::task::JoinHandle;

use super::block;
use super::blocks;
use super::leaf;
use super::placed::{self, Placed};
use super::rows::FactsRow;
use crate::model::log::{Note, Origin};
use crate::server::store::chain::canon::Digest;
use crate::server::store::db::on_db;
use crate::server::store::projects::ProjectKey;
use crate::server::store::{Db, StoreError};

/// Blocks that are read at a time.
const BLOCKS: i64 = 32;
/// Rows that are read at a time: more than those blocks have, so that one statement mostly does.
const ROWS: usize = 4_000;

/// A log that is there.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its number.
    pub seq: i64,
    /// Its id.
    pub id: String,
    /// Its time.
    pub created_at: i64,
    /// Whether its bodies have expired, as its row says.
    pub is_silent: bool,
    /// The leaf that it should have, or why there is none.
    pub leaf: Result<Digest, String>,
}

/// What was read.
#[derive(Debug, Default)]
pub struct Chunk {
    /// Logs.
    pub logs: Vec<Seen>,
    /// What is wrong with blocks themselves.
    pub broken: Vec<Broken>,
}

impl Chunk {
    const fn of(logs: Vec<Seen>) -> Self {
        Self {
            logs,
            broken: Vec::new(),
        }
    }
}

/// Something that is wrong with a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Which.
    pub block: i64,
    /// Which of its texts belongs to no log; none where it is the block's row that is wrong.
    pub place: Option<usize>,
    /// What is wrong, in words.
    pub what: &'static str,
}

/// What is said of a text that belongs to no log.
const STRAY: &str = "what it says is there, and the log itself is not: it was removed, or this was added";

/// What logs said whose bodies have expired, by their numbers.
pub type Silenced = Arc<HashMap<i64, Digest>>;

/// A block as the database has it: id, first and last time, how many logs, bytes, SHA-256, content.
type BlockRow = (i64, i64, i64, i16, i64, Vec<u8>, Vec<u8>);

/// What is held of a block.
#[derive(Debug)]
struct Held {
    max_time: i64,
    texts: Vec<Digest>,
    /// Which of its texts belong to logs that are there.
    used: Vec<bool>,
}

/// Blocks that were read and opened.
#[derive(Debug)]
struct Ahead {
    opened: Vec<(i64, Opened)>,
    /// The first time and the number of the last one; none where there are no more.
    last: Option<(i64, i64)>,
}

/// Reads a project's logs from the first to the last.
#[derive(Debug)]
pub struct Proof {
    db: Db,
    project: ProjectKey,
    silenced: Silenced,
    /// After which block to go on; none once there are no more.
    after: Option<(i64, i64)>,
    /// The blocks after that, on their way while the rows of those before are read.
    ahead: Option<JoinHandle<Result<Ahead, StoreError>>>,
    /// Logs whose leaves are being made while the next rows are read.
    seeing: Option<JoinHandle<Vec<Seen>>>,
    held: HashMap<i64, Held>,
    /// The numbers of all blocks so far.
    blocks: HashSet<i64>,
    /// Blocks that do not open, and why.
    shut: HashMap<i64, String>,
    /// Rows from here up to there are read next, of this origin, after this one.
    from: i64,
    to: i64,
    rows: Option<(usize, Option<(i64, String)>)>,
}

impl Proof {
    /// From the beginning.
    pub fn new(db: &Db, project: ProjectKey, silenced: Silenced) -> Self {
        Self {
            db: db.clone(),
            project,
            silenced,
            after: Some((i64::MIN, i64::MIN)),
            ahead: None,
            seeing: None,
            held: HashMap::new(),
            blocks: HashSet::new(),
            shut: HashMap::new(),
            from: i64::MIN,
            to: i64::MIN,
            rows: None,
        }
    }

    /// What comes next; none at the end. Blocks are opened, rows read and leaves made at the same time, each of other logs.
    pub async fn next(&mut self) -> Result<Option<Chunk>, StoreError> {
        loop {
            if let Some((origin, after)) = self.rows.take() {
                if let Some(logs) = self.read_rows(origin, after).await? {
                    return Ok(Some(Chunk::of(logs)));
                }
                continue;
            }
            let mut chunk = Chunk::default();
            self.let_go(&mut chunk);
            if self.to == i64::MAX {
                if let Some(seeing) = self.seeing.take() {
                    chunk.logs = seeing.await.map_err(broke)?;
                }
                return Ok(Some(chunk).filter(|chunk| !chunk.broken.is_empty() || !chunk.logs.is_empty()));
            }
            self.take_blocks(&mut chunk).await?;
            if self.to > self.from {
                self.rows = Some((0, None));
            }
            if !chunk.broken.is_empty() {
                return Ok(Some(chunk));
            }
        }
    }

    /// Takes the blocks that were on their way, and sends for the next ones.
    async fn take_blocks(&mut self, chunk: &mut Chunk) -> Result<(), StoreError> {
        self.from = self.to;
        let Some(after) = self.after else {
            self.to = i64::MAX;
            return Ok(());
        };
        let Ahead { opened, last } = match self.ahead.take() {
            Some(ahead) => ahead.await.map_err(broke)??,
            None => read_blocks(self.db.clone(), self.project, after).await?,
        };
        self.after = last;
        self.ahead = last.map(|last| tokio::spawn(read_blocks(self.db.clone(), self.project, last)));
        // Others that begin at the last one's time may follow, so rows of that time wait.
        self.to = last.map_or(i64::MAX, |(time, _)| std::cmp::max(time, self.from));
        for (id, opened) in opened {
            if !self.blocks.insert(id) {
                chunk.broken.push(Broken {
                    block: id,
                    place: None,
                    what: "there are two blocks of this number: one of them was added",
                });
            }
            match opened {
                Ok((held, wrong)) => {
                    chunk.broken.extend(wrong.map(|what| Broken {
                        block: id,
                        place: None,
                        what,
                    }));
                    self.held.insert(id, held);
                }
                Err(why) => {
                    self.shut.insert(id, why);
                }
            }
        }
        Ok(())
    }

    /// Reads some rows, and settles where the next ones begin; gives the logs of the rows before, if there were any.
    async fn read_rows(&mut self, origin: usize, after: Option<(i64, String)>) -> Result<Option<Vec<Seen>>, StoreError> {
        let number = Origin::ALL[origin].number();
        let which = after.as_ref().map_or(Which::All, Which::After);
        let placed = rows(&self.db, self.project, number, (self.from, self.to), which).await?;
        self.rows = match placed.last() {
            Some((facts, ..)) if placed.len() == ROWS => Some((origin, Some((facts.created_at, facts.id.clone())))),
            _ if origin + 1 < Origin::ALL.len() => Some((origin + 1, None)),
            _ => None,
        };
        if placed.is_empty() {
            return Ok(None);
        }
        let mut texts = Vec::with_capacity(placed.len());
        for (_, seq, block, slot) in &placed {
            texts.push(self.text(*seq, *block, *slot));
        }
        let before = self.seeing.replace(tokio::task::spawn_blocking(move || {
            let all = placed.into_iter().zip(texts);
            all.map(|((row, seq, ..), text)| see(row, seq, text)).collect()
        }));
        match before {
            Some(before) => Ok(Some(before.await.map_err(broke)?)),
            None => Ok(None),
        }
    }

    /// The digest of what a log says.
    fn text(&mut self, seq: i64, block: Option<i64>, slot: i16) -> Result<Digest, String> {
        let Some(id) = block else {
            let text = self.silenced.get(&seq).copied();
            return text.ok_or_else(|| "what it says is not there, and no entry tells that it expired".to_owned());
        };
        if let Some(why) = self.shut.get(&id) {
            return Err(format!("what it says cannot be read: {why}"));
        }
        let held = self.held.get_mut(&id);
        let place = usize::try_from(slot).ok();
        match held.and_then(|held| Some((place?, held))) {
            Some((place, held)) if place < held.texts.len() => {
                if std::mem::replace(&mut held.used[place], true) {
                    return Err(format!("another log has its place {slot} in block {id}"));
                }
                Ok(held.texts[place])
            }
            _ => Err(format!("what it says is not in block {id}, where it should be")),
        }
    }

    /// Lets blocks go that no row to come is in.
    fn let_go(&mut self, chunk: &mut Chunk) {
        let to = self.to;
        let over = self.held.extract_if(|_, held| held.max_time < to || to == i64::MAX);
        for (id, held) in over {
            let stray = (0..held.used.len()).filter(|place| !held.used[*place]);
            chunk.broken.extend(stray.map(|place| Broken {
                block: id,
                place: Some(place),
                what: STRAY,
            }));
        }
        chunk.broken.sort_unstable_by_key(|broken| (broken.block, broken.place));
    }
}

/// A log with its leaf.
fn see(row: FactsRow, seq: i64, text: Result<Digest, String>) -> Seen {
    Seen {
        seq,
        created_at: row.created_at,
        is_silent: row.notes & Note::to_bits(&[Note::Expired]) != 0,
        leaf: text.map(|text| leaf::of_row(&row, &text)),
        id: row.id,
    }
}

/// Which rows of a range of times.
#[derive(Clone, Copy, Debug)]
enum Which<'a> {
    All,
    /// Those after a place.
    After(&'a (i64, String)),
    /// The one with this id.
    Only(&'a str),
}

async fn rows(
    db: &Db,
    project: ProjectKey,
    origin: i16,
    (from, to): (i64, i64),
    which: Which<'_>,
) -> Result<Vec<Placed>, StoreError> {
    let after = match which {
        Which::After(place) => Some(place),
        Which::All | Which::Only(_) => None,
    };
    let mut select = Query::select();
    placed::columns(&mut select)
        .from("logs")
        .and_where(Expr::col("project_id").eq(project))
        .and_where(Expr::col("origin").eq(origin))
        .and_where(Expr::col("created_at").gte(after.map_or(from, |(time, _)| *time)));
    if to < i64::MAX {
        select.and_where(Expr::col("created_at").lt(to));
    }
    if let Some((time, id)) = after {
        let place = Expr::tuple([Expr::col("created_at"), Expr::col("id")]);
        select.and_where(place.gt(Expr::tuple([Expr::value(*time), Expr::value(id.as_str())])));
    }
    if let Which::Only(id) = which {
        select.and_where(Expr::col("id").eq(id));
    }
    select
        .order_by("created_at", Order::Asc)
        .order_by("id", Order::Asc)
        .limit(ROWS as u64);
    placed::fetch(db, &select).await
}

/// Reads and opens the blocks after a place.
async fn read_blocks(db: Db, project: ProjectKey, (time, id): (i64, i64)) -> Result<Ahead, StoreError> {
    const NEXT: &str =
        "SELECT id, min_time, max_time, count, bytes, sha256, content FROM log_blocks WHERE project_id = $1 AND (min_time, id) > ($2, $3)
        ORDER BY min_time, id LIMIT $4";
    let rows: Vec<BlockRow> = on_db!(read &db, pool => {
        query_as(NEXT).bind(project).bind(time).bind(id).bind(BLOCKS).fetch_all(pool).await?
    });
    let last = rows
        .last()
        .filter(|_| rows.len() as i64 == BLOCKS)
        .map(|last| (last.1, last.0));
    Ok(Ahead {
        opened: open_all(rows).await?,
        last,
    })
}

/// What came of opening a block: what is held of it, and what is wrong with what its row says of it; or why it does not open.
type Opened = Result<(Held, Option<&'static str>), String>;

/// Opens blocks on as many threads as there are cores.
async fn open_all(rows: Vec<BlockRow>) -> Result<Vec<(i64, Opened)>, StoreError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let size = rows.len().div_ceil(threads).max(1);
    let mut rows = rows;
    let mut parts = Vec::new();
    while !rows.is_empty() {
        let rest = rows.split_off(size.min(rows.len()));
        let part = std::mem::replace(&mut rows, rest);
        parts.push(tokio::task::spawn_blocking(move || {
            part.into_iter().map(|row| (row.0, open(&row))).collect::<Vec<_>>()
        }));
    }
    let mut opened = Vec::new();
    for part in parts {
        opened.extend(part.await.map_err(broke)?);
    }
    Ok(opened)
}

fn open((id, min_time, max_time, count, bytes, sha256, content): &BlockRow) -> Opened {
    let words = |problem: StoreError| problem.to_string();
    let content = block::open(*id, content, *bytes, sha256).map_err(words)?;
    let entries = block::entries(&content).map_err(words)?;
    let texts: Vec<Digest> = entries.iter().map(|entry| leaf::text_digest(entry.bytes)).collect();
    let times = (
        entries.iter().map(|entry| entry.created_at).min(),
        entries.iter().map(|entry| entry.created_at).max(),
    );
    let is_right = times == (Some(*min_time), Some(*max_time)) && texts.len() == usize::from(count.unsigned_abs());
    let wrong = (!is_right).then_some("its times or its number of logs are not those of what is in it");
    let held = Held {
        // What is in it counts: rows are looked for by that.
        max_time: std::cmp::max(times.1.unwrap_or(*max_time), *max_time),
        used: vec![false; texts.len()],
        texts,
    };
    Ok((held, wrong))
}

fn broke(problem: tokio::task::JoinError) -> StoreError {
    StoreError::Database(sqlx::Error::Io(std::io::Error::other(problem)))
}

/// A log once more, as it is by now: blocks are merged, and logs deleted, while all of them are read. None where it is not there any more.
pub async fn once_more(
    db: &Db,
    project: ProjectKey,
    (time, id): (i64, &str),
    silenced: &Silenced,
) -> Result<Option<Seen>, StoreError> {
    const BLOCK: &str =
        "SELECT id, min_time, max_time, count, bytes, sha256, content FROM log_blocks WHERE project_id = $1 AND id = $2";
    for origin in Origin::ALL {
        let found = rows(db, project, origin.number(), (time, time.saturating_add(1)), Which::Only(id)).await?;
        let Some((row, seq, block, slot)) = found.into_iter().next() else {
            continue;
        };
        let text = match block {
            None => silenced
                .get(&seq)
                .copied()
                .ok_or_else(|| "what it says is not there, and no entry tells that it expired".to_owned()),
            Some(block) => {
                let stored: Option<BlockRow> =
                    on_db!(read db, pool => query_as(BLOCK).bind(project).bind(block).fetch_optional(pool).await?);
                let texts = stored
                    .map(|row| open(&row))
                    .transpose()
                    .map(|held| held.map(|(held, _)| held.texts));
                texts
                    .map_err(|why| format!("what it says cannot be read: {why}"))
                    .and_then(|texts| {
                        let text = texts.and_then(|texts| texts.get(usize::try_from(slot).ok()?).copied());
                        text.ok_or_else(|| format!("what it says is not in block {block}, where it should be"))
                    })
            }
        };
        return Ok(Some(see(row, seq, text)));
    }
    Ok(None)
}

/// The time and the id of the log that a block has a text of; none where the block is not there any more, or does not open.
pub async fn log_at(db: &Db, project: ProjectKey, id: i64, place: usize) -> Result<Option<(i64, String)>, StoreError> {
    let Ok(Some(content)) = blocks::read(db, project, id).await else {
        return Ok(None);
    };
    let entries = block::entries(&content)?;
    entries
        .get(place)
        .map(|entry| Ok((entry.created_at, entry.id()?.to_owned())))
        .transpose()
}

/// Whether a block is still there.
pub async fn has_block(db: &Db, project: ProjectKey, id: i64) -> Result<bool, StoreError> {
    const THERE: &str = "SELECT COUNT(*) FROM log_blocks WHERE project_id = $1 AND id = $2";
    let count: i64 = on_db!(read db, pool => query_scalar(THERE).bind(project).bind(id).fetch_one(pool).await?);
    Ok(count > 0)
}
