//! Search by text: literal, any part, any case, in the list's order.
//!
//! Signatures are read block by block from the end of time that comes first; only blocks that may have the text are opened, and the real text is
//! looked at field by field. What a block gives is kept back until no unread block can reach past it, since blocks may overlap in time.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use super::headers::{Header, Headers};
use super::list::{self, Walk, Walked};
use super::needles::Needles;
use super::rows::COLUMNS;
use super::windows::in_time;
use super::{blocks, keyed};
use crate::model::log::LogFacts;
use crate::model::query::Order;
use crate::model::selection::{LogSelection, TextNeedles};
use crate::server::store::projects::ProjectKey;
use crate::server::store::{Db, StoreError};

/// Blocks that are opened together at first, and at most.
const GROUP: (usize, usize) = (2, 16);
/// How long before the end of its time a search opens what it has, however little: what waits unopened is where it stops.
const OPENING: Duration = Duration::from_millis(40);
/// How often a search looks whether blocks have moved: what it has read by then is certain.
const CHECKED: Duration = Duration::from_millis(25);
/// Where the other filters leave no more logs than this, those are looked at one by one instead.
const FEW: usize = 200;
/// Of those, how many are looked at together.
const SOME: usize = 32;

/// The rows that a walk finds whose text has the selection's needles.
pub(super) async fn rows(db: &Db, project: ProjectKey, selection: &LogSelection, walk: &Walk) -> Result<Walked, StoreError> {
    let needles = Needles::of(&selection.text);
    if let Some(few) = few_rows(db, project, selection, walk).await? {
        return among(db, project, selection, walk, &needles, few).await;
    }
    let search = Search {
        db,
        project,
        selection,
        walk,
        needles: &needles,
        found: BTreeMap::new(),
        certain: None,
    };
    search.run().await
}

/// All logs that the other filters leave, where they are few.
async fn few_rows(
    db: &Db,
    project: ProjectKey,
    selection: &LogSelection,
    walk: &Walk,
) -> Result<Option<Vec<LogFacts>>, StoreError> {
    let chosen = [
        &selection.ids,
        &selection.request_ids,
        &selection.users,
        &selection.resources,
        &selection.ips,
        &selection.apps,
        &selection.client_apps,
        &selection.endpoints,
    ];
    if chosen.iter().all(|values| values.wanted.is_empty()) {
        return Ok(None);
    }
    let facts_alone = LogSelection {
        text: TextNeedles::default(),
        ..selection.clone()
    };
    let some = list::rows(
        db,
        project,
        &facts_alone,
        &Walk {
            wanted: FEW + 1,
            columns: COLUMNS.to_vec(),
            ..walk.clone()
        },
    )
    .await?;
    Ok((some.rows.len() <= FEW && some.searched_to.is_none()).then_some(some.rows))
}

/// Those of a few logs, in the walk's order, that have the text.
async fn among(
    db: &Db,
    project: ProjectKey,
    selection: &LogSelection,
    walk: &Walk,
    needles: &Needles,
    few: Vec<LogFacts>,
) -> Result<Walked, StoreError> {
    let mut rows: Vec<LogFacts> = Vec::new();
    for some in few.chunks(SOME) {
        let reading = with_text(db, project, selection, needles, some);
        let edge = some[0].created_at;
        let read = if walk.has_moved(edge) {
            in_time(walk.until, reading).await?
        } else {
            Some(reading.await?)
        };
        let Some(read) = read else {
            rows.retain(|facts| walk.is_sooner(facts.created_at, edge));
            return Ok(Walked {
                rows: walk.sorted(rows),
                searched_to: Some(walk.reach(edge)),
            });
        };
        rows.extend(read);
        if rows.len() >= walk.wanted {
            break;
        }
    }
    Ok(Walked {
        rows: walk.sorted(rows),
        searched_to: None,
    })
}

/// Those of some logs that have the text.
async fn with_text(
    db: &Db,
    project: ProjectKey,
    selection: &LogSelection,
    needles: &Needles,
    some: &[LogFacts],
) -> Result<Vec<LogFacts>, StoreError> {
    let keys: Vec<_> = some.iter().map(|facts| (facts.created_at, facts.id.clone())).collect();
    let months = blocks::months_of(keys.iter().map(|(time, _)| *time));
    let mut block_ids: Vec<i64> = keyed::blocks(db, project, selection, &keys)
        .await?
        .into_iter()
        .map(|(_, block)| block)
        .collect();
    block_ids.sort_unstable();
    block_ids.dedup();
    let mut hits = HashSet::new();
    for group in block_ids.chunks(GROUP.1) {
        let closed = blocks::read_closed(db, project, group, months).await?;
        hits.extend(needles.find(closed.into_values().collect()).await?);
    }
    let has_text = |facts: &&LogFacts| hits.contains(&(facts.created_at, facts.id.clone()));
    Ok(some.iter().filter(has_text).cloned().collect())
}

struct Search<'a> {
    db: &'a Db,
    project: ProjectKey,
    selection: &'a LogSelection,
    walk: &'a Walk,
    needles: &'a Needles,
    /// What was found so far, in rising order of (time, id).
    found: BTreeMap<(i64, String), LogFacts>,
    /// The edge before which nothing can have been missed.
    certain: Option<i64>,
}

/// Where a search has come to.
enum End {
    /// At as many logs as are wanted, or at the end of its range.
    All,
    /// At an edge, when its time ran out.
    Late(i64),
}

impl Search<'_> {
    /// Goes through the range. A block that is merged or grouped meanwhile may move to where the search has been already: then all is read again that was not
    /// certain by then.
    async fn run(mut self) -> Result<Walked, StoreError> {
        let mut moves = blocks::moves(self.db, self.project).await?;
        loop {
            let rest = self.rest();
            let headers = Headers::new(self.db, self.project, &rest, self.needles.trigrams());
            let end = self.stretch(headers, &mut moves).await?;
            let is_late = Instant::now() >= self.walk.until;
            match (end, self.certain) {
                (Some(End::All), _) => return Ok(self.walked(None)),
                (Some(End::Late(edge)), _) => return Ok(self.stopped(edge)),
                (None, Some(edge)) if is_late && self.walk.has_moved(edge) => return Ok(self.stopped(edge)),
                (None, _) => {}
            }
        }
    }

    /// Reads on from what is certain to the end; none where blocks have moved meanwhile, and how often they have by then.
    async fn stretch(&mut self, mut headers: Headers<'_>, moves: &mut i64) -> Result<Option<End>, StoreError> {
        let mut group = GROUP.0;
        let mut waiting = Vec::new();
        let mut checked = Instant::now();
        loop {
            let unread = self.fill(&mut headers, &mut waiting, group).await?;
            // Nothing that is left, waiting or unread, reaches past this.
            let edge = self.walk.sooner(waiting.first().map(|header| header.edge), unread);
            let edge = edge.map(|edge| self.or_certain(edge));
            let (until, may_stop) = (self.walk.until, edge.is_some_and(|edge| self.walk.has_moved(edge)));
            let mut end = match edge {
                Some(edge) if !self.is_full(edge) => (may_stop && Instant::now() >= until).then_some(End::Late(edge)),
                _ => Some(End::All),
            };
            if let (None, Some(edge)) = (&end, edge) {
                let some: Vec<Header> = waiting.drain(..group.min(waiting.len())).collect();
                let opened = if may_stop {
                    in_time(until, self.open(&some)).await?
                } else {
                    Some(self.open(&some).await?)
                };
                end = opened.is_none().then_some(End::Late(edge));
                group = (group * 2).min(GROUP.1);
            }
            if end.is_some() || checked.elapsed() >= CHECKED {
                let moves_now = blocks::moves(self.db, self.project).await?;
                if moves_now != *moves {
                    *moves = moves_now;
                    return Ok(None);
                }
                if end.is_some() {
                    return Ok(end);
                }
                self.certain = edge;
                checked = Instant::now();
            }
        }
    }

    /// The walk over what is not certain yet.
    fn rest(&self) -> Walk {
        let mut rest = self.walk.clone();
        match (self.certain.map(|edge| self.walk.reach(edge)), self.walk.order) {
            (Some(reach), Order::NewestFirst) => rest.range.to = reach.min(rest.range.to),
            (Some(reach), Order::OldestFirst) => rest.range.from = reach.max(rest.range.from),
            (None, _) => {}
        }
        rest
    }

    /// An edge, or the one that is certain where that is further on.
    fn or_certain(&self, edge: i64) -> i64 {
        self.certain
            .filter(|certain| self.walk.is_sooner(edge, *certain))
            .unwrap_or(edge)
    }

    /// Reads signatures until so many blocks wait to be opened, in the walk's order; gives where what is unread begins. Blocks of a group lie close
    /// together in time and groups overlap, so that the next block is often not in the unit at hand.
    async fn fill(&self, headers: &mut Headers<'_>, waiting: &mut Vec<Header>, wanted: usize) -> Result<Option<i64>, StoreError> {
        loop {
            // Those that wait and come before all that is unread.
            let ready = |unread: i64| {
                let is_first = |header: &&Header| !self.walk.is_sooner(unread, header.edge);
                waiting.iter().take_while(is_first).count()
            };
            // A search that goes on opens what is ready, or stops further on.
            let gets_on = |unread: i64| ready(unread) > 0 || self.walk.has_moved(self.nearest(waiting, unread));
            let Some(unread) = headers.edge(gets_on).await? else {
                return Ok(None);
            };
            let now = Instant::now();
            let is_late = now >= self.walk.until && gets_on(unread);
            let is_last_chance = ready(unread) > 0 && now + OPENING >= self.walk.until;
            if ready(unread) >= wanted || is_late || is_last_chance {
                return Ok(Some(unread));
            }
            waiting.extend(headers.next());
            waiting.sort_unstable_by(|a, b| {
                let order = (a.edge, a.id).cmp(&(b.edge, b.id));
                if self.walk.order == Order::NewestFirst {
                    order.reverse()
                } else {
                    order
                }
            });
        }
    }

    /// Where the blocks that wait and those that are unread begin, as far as nothing before it is certain.
    fn nearest(&self, waiting: &[Header], unread: i64) -> i64 {
        let first = waiting.first().map(|header| header.edge);
        self.or_certain(self.walk.sooner(first, Some(unread)).unwrap_or(unread))
    }

    /// Opens blocks and keeps what they have.
    async fn open(&mut self, headers: &[Header]) -> Result<(), StoreError> {
        let ids: Vec<i64> = headers.iter().map(|header| header.id).collect();
        let months = blocks::months_of(headers.iter().map(|header| header.edge));
        let closed = blocks::read_closed(self.db, self.project, &ids, months).await?;
        let range = self.selection.range;
        let mut keys = self.needles.find(closed.into_values().collect()).await?;
        keys.retain(|(time, _)| range.from <= *time && *time < range.to);
        keys.sort_unstable();
        if self.walk.order == Order::NewestFirst {
            keys.reverse();
        }
        // What comes after as many as are wanted will not be on the page.
        for some in keys.chunks(self.walk.wanted.max(1)) {
            let before = self.found.len();
            for facts in keyed::rows(self.db, self.project, self.selection, some).await? {
                if self.walk.is_ahead(&facts) {
                    self.found.insert((facts.created_at, facts.id.clone()), facts);
                }
            }
            if self.found.len() - before >= self.walk.wanted {
                break;
            }
        }
        Ok(())
    }

    fn is_full(&self, edge: i64) -> bool {
        let settled = match self.walk.order {
            Order::NewestFirst => self
                .found
                .keys()
                .rev()
                .take_while(|(time, _)| *time > edge)
                .take(self.walk.wanted)
                .count(),
            Order::OldestFirst => self
                .found
                .keys()
                .take_while(|(time, _)| *time < edge)
                .take(self.walk.wanted)
                .count(),
        };
        settled >= self.walk.wanted
    }

    /// The time ran out: only what no unread block can come before is given, the rest will be found again.
    fn stopped(mut self, edge: i64) -> Walked {
        self.found.retain(|(time, _), _| self.walk.is_sooner(*time, edge));
        let reach = self.walk.reach(edge);
        self.walked(Some(reach))
    }

    fn walked(self, searched_to: Option<i64>) -> Walked {
        Walked {
            rows: self.walk.sorted(self.found.into_values().collect()),
            searched_to,
        }
    }
}
