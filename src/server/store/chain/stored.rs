//! The rows that facts are digests of: one by one for whoever notes them, page by page for the verifier.

use std::collections::BTreeSet;

use sqlx::{AssertSqlSafe, query_as};

use super::canon::{Canon, Digest};
use super::fact::{Fact, FactKind};
use crate::server::store::db::{WriteTx, on_db, on_tx};
use crate::server::store::projects::ProjectKey;
use crate::server::store::{Db, StoreError};

/// A task's row. Of one that is not over, only what was asked for counts: how far it got changes every second.
#[derive(Debug, sqlx::FromRow)]
struct TaskRow {
    id: String,
    created_at: i64,
    #[sqlx(rename = "type")]
    kind: String,
    own: i16,
    request_id: Option<String>,
    user_id: Option<String>,
    by_whom: Option<String>,
    log_id: Option<String>,
    export_id: Option<String>,
    parameters: Option<String>,
    file_name: Option<String>,
    file_bytes: Option<i64>,
    status: i16,
    operation_status: Option<i16>,
    finished_at: Option<i64>,
    result: Option<String>,
    rejected_bytes: Option<i64>,
}

impl TaskRow {
    const COLUMNS: &str =
        "id, created_at, type, own, request_id, user_id, by_whom, log_id, export_id, parameters, file_name, file_bytes, status,
        operation_status, finished_at, result, rejected_bytes";

    fn fact(&self) -> Fact {
        let mut canon = Canon::new();
        canon
            .text(Some(&self.id))
            .number(Some(self.created_at))
            .text(Some(&self.kind))
            .number(Some(self.own.into()))
            .text(self.request_id.as_deref())
            .text(self.user_id.as_deref())
            .text(self.by_whom.as_deref())
            .text(self.log_id.as_deref())
            .text(self.export_id.as_deref())
            .text(self.parameters.as_deref())
            .text(self.file_name.as_deref())
            .number(self.file_bytes);
        if self.status > 1 {
            canon
                .number(Some(self.status.into()))
                .number(self.operation_status.map(i64::from))
                .number(self.finished_at)
                .text(self.result.as_deref())
                .number(self.rejected_bytes);
        }
        Fact::stored(FactKind::Task, &self.id, canon.digest())
    }
}

/// An export's row; as of a task's.
#[derive(Debug, sqlx::FromRow)]
struct ExportRow {
    id: String,
    created_at: i64,
    channel: String,
    exported_object: String,
    format: Option<String>,
    parameters: String,
    user_id: Option<String>,
    by_whom: Option<String>,
    task_id: Option<String>,
    reported: i16,
    holds: i16,
    status: i16,
    finished_at: Option<i64>,
    file_name: Option<String>,
    rows_count: Option<i64>,
    bytes: Option<i64>,
    sha256: Option<String>,
    error: Option<String>,
}

impl ExportRow {
    const COLUMNS: &str = "id, created_at, channel, exported_object, format, parameters, user_id, by_whom, task_id, reported, holds, status, finished_at,
        file_name, rows_count, bytes, sha256, error";

    fn fact(&self) -> Fact {
        let mut canon = Canon::new();
        canon
            .text(Some(&self.id))
            .number(Some(self.created_at))
            .text(Some(&self.channel))
            .text(Some(&self.exported_object))
            .text(self.format.as_deref())
            .text(Some(&self.parameters))
            .text(self.user_id.as_deref())
            .text(self.by_whom.as_deref())
            .text(self.task_id.as_deref())
            .number(Some(self.reported.into()))
            .number(Some(self.holds.into()));
        if self.status > 1 {
            canon
                .number(Some(self.status.into()))
                .number(self.finished_at)
                .text(self.file_name.as_deref())
                .number(self.rows_count)
                .number(self.bytes)
                .text(self.sha256.as_deref())
                .text(self.error.as_deref());
        }
        Fact::stored(FactKind::Export, &self.id, canon.digest())
    }
}

/// An attempt of a sendout, as far as it is not sealed.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct AttemptRow {
    /// The sendout.
    pub sendout_id: String,
    /// Which one of its attempts.
    pub number: i32,
    /// When it began.
    pub at: i64,
    /// 1 where it was asked for by hand.
    pub by_hand: i16,
    /// The answer's code.
    pub code: Option<i16>,
    /// Why it failed.
    pub error: Option<String>,
    /// Microseconds until the name was resolved,
    pub resolve_us: Option<i64>,
    /// until it was connected,
    pub connect_us: Option<i64>,
    /// until the first byte of the answer,
    pub first_byte_us: Option<i64>,
    /// and in all.
    pub total_us: i64,
    /// The address that was connected to.
    pub address: Option<String>,
}

impl AttemptRow {
    const COLUMNS: &str =
        "sendout_id, number, at, by_hand, code, error, resolve_us, connect_us, first_byte_us, total_us, address";

    /// What tells an attempt apart.
    pub fn key(sendout_id: &str, number: i32) -> String {
        format!("{sendout_id}/{number}")
    }

    /// The fact, given the SHA-256 of what is sealed of it.
    pub fn fact(&self, content: &Digest) -> Fact {
        let mut canon = Canon::new();
        canon
            .text(Some(&self.sendout_id))
            .number(Some(self.number.into()))
            .number(Some(self.at))
            .number(Some(self.by_hand.into()))
            .number(self.code.map(i64::from))
            .text(self.error.as_deref())
            .number(self.resolve_us)
            .number(self.connect_us)
            .number(self.first_byte_us)
            .number(Some(self.total_us))
            .text(self.address.as_deref())
            .bytes(Some(content));
        Fact::stored(FactKind::Attempt, Self::key(&self.sendout_id, self.number), canon.digest())
    }
}

/// The original of an import beside a log: the fact, given the SHA-256 of the bytes that were sent.
pub fn import_file(log_id: &str, name: &str, bytes: i64, plain: &Digest) -> Fact {
    let mut canon = Canon::new();
    canon
        .text(Some(log_id))
        .text(Some(name))
        .number(Some(bytes))
        .bytes(Some(plain));
    Fact::stored(FactKind::ImportFile, log_id, canon.digest())
}

type Rule = (String, String, String);
const RULES: &str = "SELECT kind, text, note FROM mask_rules WHERE project_id = $1 ORDER BY place";
type Days = (Option<i32>, Option<i32>);
const DAYS: &str = "SELECT logs_days, bodies_days FROM retention WHERE project_id = $1";

fn mask_rules(rules: &[Rule]) -> Fact {
    let mut canon = Canon::new();
    for (kind, text, note) in rules {
        canon.text(Some(kind)).text(Some(text)).text(Some(note));
    }
    Fact::stored(FactKind::MaskRules, "", canon.digest())
}

fn retention(days: Option<Days>) -> Fact {
    let (logs, bodies) = days.unwrap_or_default();
    let mut canon = Canon::new();
    canon.number(logs.map(i64::from)).number(bodies.map(i64::from));
    Fact::stored(FactKind::Retention, "", canon.digest())
}

/// What a project has where nobody has chosen masking rules or a retention: no entry of these is the same as an entry of nothing.
pub fn unchosen() -> [Fact; 2] {
    [mask_rules(&[]), retention(None)]
}

/// Facts as their rows are now, in the transaction that has changed them; a row that is not there was deleted.
pub(super) async fn read_in(
    tx: &mut WriteTx,
    project: ProjectKey,
    rows: BTreeSet<(FactKind, String)>,
) -> Result<Vec<Fact>, StoreError> {
    let mut facts = Vec::with_capacity(rows.len());
    for (kind, key) in rows {
        let found = match kind {
            FactKind::Task => task_in(tx, project, &key).await?,
            FactKind::Export => export_in(tx, project, &key).await?,
            FactKind::MaskRules => {
                let rules: Vec<Rule> = on_tx!(&mut *tx, connection => query_as(RULES).bind(project).fetch_all(connection).await?);
                Some(mask_rules(&rules))
            }
            FactKind::Retention => {
                let days: Option<Days> =
                    on_tx!(&mut *tx, connection => query_as(DAYS).bind(project).fetch_optional(connection).await?);
                Some(retention(days))
            }
            // Part of them is sealed: whoever notes these has the fact itself.
            FactKind::ImportFile | FactKind::Attempt => None,
        };
        facts.push(found.unwrap_or_else(|| Fact::deleted(kind, key)));
    }
    Ok(facts)
}

async fn task_in(tx: &mut WriteTx, project: ProjectKey, id: &str) -> Result<Option<Fact>, StoreError> {
    let sql = AssertSqlSafe(format!(
        "SELECT {} FROM tasks WHERE project_id = $1 AND id = $2",
        TaskRow::COLUMNS
    ));
    let row: Option<TaskRow> = on_tx!(tx, connection => query_as(sql).bind(project).bind(id).fetch_optional(connection).await?);
    Ok(row.map(|row| row.fact()))
}

async fn export_in(tx: &mut WriteTx, project: ProjectKey, id: &str) -> Result<Option<Fact>, StoreError> {
    let sql = AssertSqlSafe(format!(
        "SELECT {} FROM exports WHERE project_id = $1 AND id = $2",
        ExportRow::COLUMNS
    ));
    let row: Option<ExportRow> = on_tx!(tx, connection => query_as(sql).bind(project).bind(id).fetch_optional(connection).await?);
    Ok(row.map(|row| row.fact()))
}

/// Some tasks after one, by their times; with where the next page begins, unless this is the last.
pub async fn tasks(db: &Db, project: ProjectKey, after: i64, most: i64) -> Result<(Vec<Fact>, Option<i64>), StoreError> {
    let sql = AssertSqlSafe(format!(
        "SELECT {} FROM tasks WHERE project_id = $1 AND created_at > $2 ORDER BY created_at LIMIT $3",
        TaskRow::COLUMNS
    ));
    let rows: Vec<TaskRow> = on_db!(read db, pool => query_as(sql).bind(project).bind(after).bind(most).fetch_all(pool).await?);
    let next = rows.last().filter(|_| rows.len() as i64 == most).map(|row| row.created_at);
    Ok((rows.iter().map(TaskRow::fact).collect(), next))
}

/// A place among exports: when, and which.
pub type ExportPlace = (i64, String);

/// Some exports after a place; with where the next page begins, unless this is the last.
pub async fn exports(
    db: &Db,
    project: ProjectKey,
    after: &ExportPlace,
    most: i64,
) -> Result<(Vec<Fact>, Option<ExportPlace>), StoreError> {
    let sql = AssertSqlSafe(format!(
        "SELECT {} FROM exports WHERE project_id = $1 AND (created_at, id) > ($2, $3) ORDER BY created_at, id LIMIT $4",
        ExportRow::COLUMNS
    ));
    let rows: Vec<ExportRow> =
        on_db!(read db, pool => query_as(sql).bind(project).bind(after.0).bind(&after.1).bind(most).fetch_all(pool).await?);
    let next = rows
        .last()
        .filter(|_| rows.len() as i64 == most)
        .map(|row| (row.created_at, row.id.clone()));
    Ok((rows.iter().map(ExportRow::fact).collect(), next))
}

/// An attempt with what is sealed of it.
#[derive(Debug, sqlx::FromRow)]
pub struct SealedAttempt {
    /// What is not sealed.
    #[sqlx(flatten)]
    pub row: AttemptRow,
    /// What is.
    pub content: Vec<u8>,
}

/// Some attempts after one, in the order of their sendouts' ids.
pub async fn attempts(db: &Db, project: ProjectKey, after: (&str, i32), most: i64) -> Result<Vec<SealedAttempt>, StoreError> {
    let sql = AssertSqlSafe(format!(
        "SELECT {}, content FROM attempts WHERE project_id = $1 AND (sendout_id, number) > ($2, $3) ORDER BY sendout_id, number LIMIT $4",
        AttemptRow::COLUMNS
    ));
    Ok(on_db!(read db, pool => query_as(sql).bind(project).bind(after.0).bind(after.1).bind(most).fetch_all(pool).await?))
}

/// The original of an import: its log, its name, its bytes as people see them, and what is sealed.
pub type SealedImport = (String, String, i64, Vec<u8>);

/// Some originals after one, in the order of their logs' ids.
pub async fn import_files(db: &Db, project: ProjectKey, after: &str, most: i64) -> Result<Vec<SealedImport>, StoreError> {
    const SQL: &str =
        "SELECT log_id, name, bytes, sealed FROM import_files WHERE project_id = $1 AND log_id > $2 ORDER BY log_id LIMIT $3";
    Ok(on_db!(read db, pool => query_as(SQL).bind(project).bind(after).bind(most).fetch_all(pool).await?))
}

/// What a project chose: its masking rules, and how long it keeps its logs.
pub async fn choices(db: &Db, project: ProjectKey) -> Result<[Fact; 2], StoreError> {
    let rules: Vec<Rule> = on_db!(read db, pool => query_as(RULES).bind(project).fetch_all(pool).await?);
    let days: Option<Days> = on_db!(read db, pool => query_as(DAYS).bind(project).fetch_optional(pool).await?);
    Ok([mask_rules(&rules), retention(days)])
}
