//! Rows that go, or lose what they say: named by their keys, with all that hangs on them.

use std::collections::{BTreeSet, HashSet};

use sqlx::{AssertSqlSafe, query, query_as};

use super::{Account, Open, Purge, Stepped, list};
use crate::model::log::{Note, Origin, Status};
use crate::model::retention::Purged;
use crate::model::zone::rfc3339;
use crate::server::store::StoreError;
use crate::server::store::chain::fact::{Fact, FactKind};
use crate::server::store::db::{WriteTx, on_db, on_tx};
use crate::server::store::logs::tallies::{Counted, Tallies};
use crate::server::store::projects::ProjectKey;

/// What a row takes with its places in all indexes, about.
const ROW_BYTES: u64 = 700;

/// A log without its text: it has expired, or, where the database lost something, the block that it names is not there.
const SILENT: &str = "(block_id IS NULL OR NOT EXISTS (SELECT 1 FROM log_blocks AS b WHERE b.project_id = logs.project_id AND b.id = logs.block_id))";

/// When a log was made, and its id: what names it.
pub(super) type LogKey = (i64, String);

/// A place among rows: whose traffic, when, and the id.
pub type RowPlace = (Origin, i64, String);

/// A row that was deleted, as far as it was counted.
#[derive(Debug, sqlx::FromRow)]
struct Deleted {
    seq: i64,
    created_at: i64,
    id: String,
    status: i16,
    status_code: Option<i16>,
    method: String,
    endpoint: String,
    channel: Option<String>,
}

/// What goes in one step.
#[derive(Debug)]
pub(super) struct Gone {
    project: ProjectKey,
    /// When they go.
    at: i64,
    /// The logs that are gone, or whose text is.
    keys: HashSet<LogKey>,
    tallies: Tallies,
    /// The ids of those that are gone.
    deleted: Vec<String>,
    /// Their numbers in the order of ingest.
    deleted_seqs: Vec<i64>,
    /// The numbers of those that stay, without what they said.
    silenced: Vec<(i64, LogKey)>,
    times: Option<(i64, i64)>,
}

impl Gone {
    pub(super) fn new(purge: &Purge) -> Self {
        Self {
            project: purge.project,
            at: purge.at,
            keys: HashSet::new(),
            tallies: Tallies::default(),
            deleted: Vec::new(),
            deleted_seqs: Vec::new(),
            silenced: Vec::new(),
            times: None,
        }
    }

    /// Whether this log is gone, or its text.
    pub(super) fn has(&self, key: &LogKey) -> bool {
        self.keys.contains(key)
    }

    /// The logs whose text is gone, with their numbers.
    pub(super) fn silenced(&self) -> &[(i64, LogKey)] {
        &self.silenced
    }

    fn note(&mut self, key: LogKey) {
        let (first, last) = self.times.unwrap_or((key.0, key.0));
        self.times = Some((first.min(key.0), last.max(key.0)));
        self.keys.insert(key);
    }

    /// Deletes the rows of these logs that are of an origin.
    pub(super) async fn delete(&mut self, tx: &mut WriteTx, origin: Origin, named: &Named<'_>) -> Result<(), StoreError> {
        let Some((first, last)) = named.ids() else { return Ok(()) };
        let sql = AssertSqlSafe(format!(
            "DELETE FROM logs WHERE {} RETURNING seq, created_at, id, status, status_code, method, endpoint, channel",
            named.condition()
        ));
        let rows: Vec<Deleted> = on_tx!(tx, connection => {
            query_as(sql).bind(self.project).bind(origin.number()).bind(first).bind(last).persistent(false).fetch_all(connection).await?
        });
        for row in rows {
            self.tallies.take(
                self.project,
                &Counted {
                    origin,
                    created_at: row.created_at,
                    status: Status::of_number(row.status),
                    status_code: row.status_code.and_then(|code| u16::try_from(code).ok()),
                    method: &row.method,
                    endpoint: &row.endpoint,
                    channel: row.channel.as_deref(),
                },
            );
            self.deleted_seqs.push(row.seq);
            self.deleted.push(row.id.clone());
            self.note((row.created_at, row.id));
        }
        Ok(())
    }

    /// Takes what they say from the rows of these logs that are of an origin, and notes that it has expired.
    pub(super) async fn silence(&mut self, tx: &mut WriteTx, origin: Origin, named: &Named<'_>) -> Result<(), StoreError> {
        let Some((first, last)) = named.ids() else { return Ok(()) };
        let sql = AssertSqlSafe(format!(
            "UPDATE logs SET block_id = NULL, notes = notes | {} WHERE {} RETURNING seq, created_at, id",
            Note::to_bits(&[Note::Expired]),
            named.condition()
        ));
        let rows: Vec<(i64, i64, String)> = on_tx!(tx, connection => {
            query_as(sql).bind(self.project).bind(origin.number()).bind(first).bind(last).persistent(false).fetch_all(connection).await?
        });
        for (seq, created_at, id) in rows {
            self.silenced.push((seq, (created_at, id.clone())));
            self.note((created_at, id));
        }
        Ok(())
    }

    /// Deletes what hangs on them, and counts them out. Clients may use an id again once its log is gone.
    pub(super) async fn end(mut self, tx: &mut WriteTx) -> Result<Purged, StoreError> {
        if self.keys.is_empty() {
            return Ok(Purged::default());
        }
        forget_ids(tx, self.project, self.deleted.iter().map(String::as_str)).await?;
        let originals = delete_originals(tx, (self.project, self.at), self.keys.iter().map(|(_, id)| id.as_str())).await?;
        let (logs, bodies) = (self.deleted.len() as u64, self.silenced.len() as u64);
        self.tallies.write_and_clear(tx).await?;
        tx.note(self.project, self.at).deleted(std::mem::take(&mut self.deleted_seqs));
        Ok(Purged {
            logs,
            bodies,
            originals: originals.len() as u64,
            bytes_about: logs * ROW_BYTES + originals.iter().map(|bytes| bytes.unsigned_abs()).sum::<u64>(),
            from: self.times.map(|(first, _)| rfc3339(first)),
            to: self.times.map(|(_, last)| rfc3339(last)),
            ..Purged::default()
        })
    }
}

/// The ids of a JSON array, as a select.
const fn listed(sqlite: bool) -> &'static str {
    if sqlite {
        "SELECT value FROM json_each($2)"
    } else {
        "SELECT json_array_elements_text(CAST($2 AS JSON))"
    }
}

fn json<'a>(ids: impl Iterator<Item = &'a str>) -> String {
    ids.collect::<serde_json::Value>().to_string()
}

/// Lets clients use the ids of deleted logs again. All are looked for: a client may have sent one that looks like ours.
pub(super) async fn forget_ids<'a>(
    tx: &mut WriteTx,
    project: ProjectKey,
    ids: impl Iterator<Item = &'a str>,
) -> Result<(), StoreError> {
    let sql = AssertSqlSafe(format!(
        "DELETE FROM log_ids WHERE project_id = $1 AND id IN ({})",
        listed(tx.is_sqlite())
    ));
    let ids = json(ids);
    on_tx!(tx, connection => query(sql).bind(project).bind(&ids).execute(connection).await?.rows_affected());
    Ok(())
}

/// Deletes the originals beside the logs of these ids, at a time; gives the bytes of each. An original is what was sent: it goes with the bodies.
pub(super) async fn delete_originals<'a>(
    tx: &mut WriteTx,
    (project, at): (ProjectKey, i64),
    ids: impl Iterator<Item = &'a str>,
) -> Result<Vec<i64>, StoreError> {
    let sql = AssertSqlSafe(format!(
        "DELETE FROM import_files WHERE project_id = $1 AND log_id IN ({}) RETURNING log_id, CAST(LENGTH(sealed) AS BIGINT)",
        listed(tx.is_sqlite())
    ));
    let ids = json(ids);
    let gone: Vec<(String, i64)> =
        on_tx!(&mut *tx, connection => query_as(sql).bind(project).bind(&ids).fetch_all(connection).await?);
    let (logs, bytes): (Vec<_>, Vec<_>) = gone.into_iter().unzip();
    let deleted = logs.into_iter().map(|log| Fact::deleted(FactKind::ImportFile, log));
    tx.note(project, at).facts(deleted);
    Ok(bytes)
}

/// Logs of some blocks, or of none, as a statement names them: by their times, a range of ids, and where their text is.
///
/// Times are looked up one by one, so that a block whose logs are far apart costs no more than any other. The range of ids matters where very many logs are
/// of one millisecond, which would all be read.
pub(super) struct Named<'a> {
    keys: Vec<&'a LogKey>,
    /// The blocks; none for logs whose text has gone.
    blocks: Vec<i64>,
}

impl<'a> Named<'a> {
    pub(super) fn new(keys: Vec<&'a LogKey>, blocks: impl IntoIterator<Item = i64>) -> Self {
        Self {
            keys,
            blocks: blocks.into_iter().collect(),
        }
    }

    /// The first and the last id, in the order of their bytes; none where there are no logs.
    fn ids(&self) -> Option<(&'a str, &'a str)> {
        let ids = || self.keys.iter().map(|key| key.1.as_str());
        Some((ids().min()?, ids().max()?))
    }

    /// Those of them that are of an origin.
    pub(super) async fn of(&self, tx: &mut WriteTx, project: ProjectKey, origin: Origin) -> Result<HashSet<LogKey>, StoreError> {
        let Some((first, last)) = self.ids() else {
            return Ok(HashSet::new());
        };
        let sql = AssertSqlSafe(format!("SELECT created_at, id FROM logs WHERE {}", self.condition()));
        let keys: Vec<LogKey> = on_tx!(tx, connection => {
            query_as(sql).bind(project).bind(origin.number()).bind(first).bind(last).persistent(false).fetch_all(connection).await?
        });
        Ok(keys.into_iter().collect())
    }

    /// Project, origin and ids, from `$1` on; the rest are numbers of the database's own, which may stand in the text.
    fn condition(&self) -> String {
        let times: BTreeSet<i64> = self.keys.iter().map(|key| key.0).collect();
        let blocks = if self.blocks.is_empty() {
            SILENT.to_owned()
        } else {
            format!("block_id IN ({})", list(self.blocks.iter().copied()))
        };
        format!(
            "project_id = $1 AND origin = $2 AND created_at IN ({}) AND id >= $3 AND id <= $4 AND {blocks}",
            list(times)
        )
    }
}

/// Deletes some of the rows whose text has gone before, the oldest first: of an origin, then of the next.
pub async fn some_rows(purge: &Purge, place: &RowPlace, most: usize, account: Option<&Account<'_>>) -> Stepped<RowPlace> {
    let oldest = format!(
        "SELECT created_at, id FROM logs WHERE project_id = $1 AND origin = $2 AND created_at < $3
            AND (created_at, id) > ($4, $5) AND {SILENT} ORDER BY created_at, id LIMIT $6"
    );
    let (origin, after, id) = place;
    let before = purge.cuts.of(*origin).logs;
    let keys: Vec<LogKey> = on_db!(read &purge.db, pool => {
        query_as(AssertSqlSafe(oldest)).bind(purge.project).bind(origin.number()).bind(before).bind(after).bind(id).bind(most as i64).fetch_all(pool).await?
    });
    let Some(mut open) = Open::begin(&purge.db, account).await? else {
        return Ok(None);
    };
    let next_origin = Origin::ALL.into_iter().find(|next| next > origin).map(first_row);
    let next = match keys.last() {
        Some((time, id)) if keys.len() == most => Some((*origin, *time, id.clone())),
        _ => next_origin,
    };
    let mut gone = Gone::new(purge);
    gone.delete(&mut open.tx, *origin, &Named::new(keys.iter().collect(), []))
        .await?;
    let purged = gone.end(&mut open.tx).await?;
    open.end(purged, next, 0).await
}

/// The place before all rows of an origin.
pub const fn first_row(origin: Origin) -> RowPlace {
    (origin, i64::MIN, String::new())
}
