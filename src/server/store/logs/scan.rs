//! Many logs with what they say, chunk by chunk, for whoever reads them all: an export.
//!
//! Where one index settles a selection, a chunk's facts come as one text and its blocks are opened once each; else it is read as a list's page is.

use std::collections::HashMap;
use std::time::Duration;

use sea_query::{Expr, ExprTrait, Query};

use super::block;
use super::conditions::{self, Plan};
use super::list::{self, ListRequest, Walk};
use super::rows::{COLUMNS, FactsRow};
use super::{blocks, counts, one};
use crate::model::log::{Log, LogFacts};
use crate::model::page::{Key, Place};
use crate::model::query::Order;
use crate::model::selection::LogSelection;
use crate::server::store::projects::ProjectKey;
use crate::server::store::render;
use crate::server::store::{Db, StoreError};

/// Logs of a chunk.
pub(super) const CHUNK: usize = 500;
/// Bytes of bodies of a chunk, beyond one log's.
const TEXTS: i64 = 2 << 20;
/// How long a search goes on before it says how far it got.
const BUDGET: Duration = Duration::from_secs(2);

/// What is read.
#[derive(Clone, Debug)]
pub struct Scan {
    /// Where.
    pub db: Db,
    /// Whose.
    pub project: ProjectKey,
    /// Which.
    pub selection: LogSelection,
    /// In which order.
    pub order: Order,
    /// Whether what they say is wanted, too.
    pub with_texts: bool,
}

/// Logs in a row, begun: where the next chunk begins is known before it is known what these say.
#[derive(Debug)]
pub struct Chunk {
    logs: Begun,
    /// Where the next chunk begins; none at the end.
    pub next: Option<Place>,
}

#[derive(Debug)]
enum Begun {
    Whole(Vec<Log>),
    Placed(Vec<Placed>),
}

/// A log's facts, its block, and its place there.
pub(super) type Placed = (FactsRow, Option<i64>, i16);

impl Scan {
    /// Begins the chunk at a place.
    pub async fn begin(&self, place: Place) -> Result<Chunk, StoreError> {
        match self.plan().await? {
            Some(plan) => self.settled(&plan, place).await,
            None => self.page(place).await,
        }
    }

    /// Its logs.
    pub async fn finish(&self, chunk: Chunk) -> Result<Vec<Log>, StoreError> {
        match chunk.logs {
            Begun::Whole(logs) => Ok(logs),
            Begun::Placed(placed) => self.with_texts(placed).await,
        }
    }

    /// The plan, where one index settles everything.
    async fn plan(&self) -> Result<Option<Plan>, StoreError> {
        let selection = &self.selection;
        if !selection.text.is_empty() || selection.path.is_some() || !selection.ids.wanted.is_empty() {
            return Ok(None);
        }
        let codes = if conditions::has_code_class(selection) {
            Some(counts::codes_in_use(&self.db, self.project, selection).await?)
        } else {
            None
        };
        let plan = conditions::plan(selection, codes.as_deref());
        Ok(Some(plan).filter(|plan| plan.residual.is_empty() && plan.branches.len() == 1))
    }

    fn request(&self, place: Place) -> ListRequest<'_> {
        ListRequest {
            project: self.project,
            selection: &self.selection,
            order: self.order,
            place,
            limit: CHUNK,
            budget: BUDGET,
        }
    }

    async fn settled(&self, plan: &Plan, place: Place) -> Result<Chunk, StoreError> {
        let walk = Walk::of(&self.request(place));
        let Some(branch) = plan.branches.first().filter(|_| walk.range.from < walk.range.to) else {
            return Ok(Chunk {
                logs: Begun::Whole(Vec::new()),
                next: None,
            });
        };
        let mut select = Query::select();
        select.columns(COLUMNS).columns(["block_id", "slot"]);
        branch.restrict(&mut select, self.project, walk.range);
        if let Some(last) = self.selection.up_to_seq {
            select.and_where(Expr::col("seq").lte(last));
        }
        select.and_where_option(walk.condition());
        walk.put_in_order(&mut select, branch, CHUNK);
        let columns: [&[&str]; 3] = [&COLUMNS, &["block_id"], &["slot"]];
        let text = render::fetch_json(&self.db, &select, branch.sqlite_index(), &columns).await?;
        let mut placed: Vec<Placed> = render::read_json(&text)?;
        let is_last = placed.len() < CHUNK;
        let kept = within(&placed);
        let next = (!is_last || kept < placed.len()).then_some(kept);
        placed.truncate(kept);
        let next = next
            .and_then(|_| placed.last().map(|(facts, ..)| facts.key()))
            .map(Place::After);
        let logs = if self.with_texts {
            Begun::Placed(placed)
        } else {
            let logs = placed.into_iter().map(|(facts, ..)| one::without_text(facts.into()));
            Begun::Whole(logs.collect())
        };
        Ok(Chunk { logs, next })
    }

    /// What the logs say, each block opened once.
    pub(super) async fn with_texts(&self, placed: Vec<Placed>) -> Result<Vec<Log>, StoreError> {
        let months = blocks::months_of(placed.iter().map(|(facts, ..)| facts.created_at));
        let mut ids: Vec<i64> = placed.iter().filter_map(|(_, block, _)| *block).collect();
        ids.dedup();
        ids.sort_unstable();
        ids.dedup();
        let closed = blocks::read_closed(&self.db, self.project, &ids, months).await?;
        let opened = tokio::task::spawn_blocking(move || {
            let open =
                |(id, (_, bytes, sha256, content)): (i64, blocks::Closed)| Ok((id, block::open(id, &content, bytes, &sha256)?));
            let contents: HashMap<i64, Vec<u8>> = closed.into_iter().map(open).collect::<Result<_, StoreError>>()?;
            texts(&contents, placed)
        });
        let found = opened
            .await
            .map_err(|problem| StoreError::Database(sqlx::Error::Io(std::io::Error::other(problem))))??;
        let mut logs = Vec::with_capacity(found.len());
        for found in found {
            logs.push(match found {
                Ok(log) => log,
                // Its block was merged meanwhile; one that has gone altogether comes with its facts alone.
                Err(facts) => match one::find(&self.db, self.project, &facts.id).await? {
                    Some(log) => log,
                    None => one::without_text(facts),
                },
            });
        }
        Ok(logs)
    }

    /// As a list reads a page.
    async fn page(&self, place: Place) -> Result<Chunk, StoreError> {
        let mut page = list::page(&self.db, self.request(place)).await?;
        let kept = page
            .rows
            .iter()
            .scan(0_i64, |bytes, facts| {
                *bytes = bytes.saturating_add(size(facts));
                Some(*bytes)
            })
            .take_while(|bytes| *bytes <= TEXTS)
            .count()
            .max(1);
        let is_cut = self.with_texts && kept < page.rows.len();
        if is_cut {
            page.rows.truncate(kept);
        }
        let last = page.rows.last().map(|facts| Key {
            created_at: facts.created_at,
            id: facts.id.clone(),
        });
        let next = match (is_cut, page.searched_to) {
            (false, _) if !page.more_after => None,
            (false, Some(searched_to)) => Some(Key {
                created_at: searched_to,
                id: String::new(),
            }),
            _ => last,
        };
        let logs = if self.with_texts {
            one::with_texts(&self.db, self.project, page.rows).await?
        } else {
            page.rows.into_iter().map(one::without_text).collect()
        };
        Ok(Chunk {
            logs: Begun::Whole(logs),
            next: next.map(Place::After),
        })
    }
}

/// How many of the rows have texts that fit into memory together; one at least.
pub(super) fn within(placed: &[Placed]) -> usize {
    let mut bytes = 0_i64;
    let fits = placed.iter().take_while(|(facts, ..)| {
        bytes = bytes.saturating_add(facts.bodies());
        bytes <= TEXTS
    });
    fits.count().max(1)
}

const fn size(facts: &LogFacts) -> i64 {
    facts.request_bytes.saturating_add(facts.response_bytes)
}

/// Each log with what it says, or its facts alone where that is not among these blocks.
fn texts(contents: &HashMap<i64, Vec<u8>>, placed: Vec<Placed>) -> Result<Vec<Result<Log, LogFacts>>, StoreError> {
    let mut entries = HashMap::with_capacity(contents.len());
    for (id, content) in contents {
        entries.insert(*id, block::entries(content)?);
    }
    let mut found = Vec::with_capacity(placed.len());
    for (row, block, slot) in placed {
        let facts: LogFacts = row.into();
        let Some(block) = block else {
            found.push(Ok(one::without_text(facts)));
            continue;
        };
        let entry = entries
            .get(&block)
            .and_then(|entries| entries.get(usize::try_from(slot).ok()?));
        // A block that was made anew under the same number would have another log there.
        found.push(match entry.filter(|entry| entry.id().is_ok_and(|id| id == facts.id)) {
            Some(entry) => Ok(Log {
                text: Some(entry.text()?),
                import_file: None,
                facts,
            }),
            None => Err(facts),
        });
    }
    Ok(found)
}
