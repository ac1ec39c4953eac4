//! The narrow rows: their columns, how they are read, and how they are written.

use std::borrow::Cow;

use sqlx::query;

use crate::model::column::Column;
use crate::model::log::{LogFacts, Note, Origin, Resource, Status};
use crate::model::page::Key;
use crate::server::store::StoreError;
use crate::server::store::db::{WriteTx, on_tx};
use crate::server::store::insert::Insert;
use crate::server::store::projects::ProjectKey;

/// The columns of a log's facts, in [`FactsRow`]'s order.
pub(super) const COLUMNS: [&str; 23] = [
    "origin",
    "created_at",
    "id",
    "status",
    "status_code",
    "notes",
    "duration_us",
    "request_bytes",
    "response_bytes",
    "method",
    "endpoint",
    "path",
    "request_id",
    "channel",
    "user_email",
    "user_id",
    "app_id",
    "app_name",
    "client_app_id",
    "ip",
    "resource_type",
    "resource_id",
    "async_action_id",
];

/// [`COLUMNS`] for a table that shows these columns alone: what it does not show is `NULL`, as far as a log may be without it. A fifth of the time that
/// SQLite takes for a page of the usual columns it would write what nobody sees.
pub(super) fn shown(columns: &[Column]) -> [&'static str; 23] {
    COLUMNS.map(|name| {
        let by: &[Column] = match name {
            "status_code" => &[Column::Status],
            "duration_us" => &[Column::Took],
            "request_id" => &[Column::RequestId],
            "channel" => &[Column::Channel],
            "user_email" | "user_id" => &[Column::User],
            "app_id" | "app_name" | "client_app_id" => &[Column::ServerKey, Column::ClientKey],
            "ip" => &[Column::Ip],
            "resource_type" | "resource_id" => &[Column::Resource],
            "async_action_id" => &[Column::Task],
            _ => return name,
        };
        if by.iter().any(|column| columns.contains(column)) {
            name
        } else {
            "NULL"
        }
    })
}

/// A narrow row as the database gives it; as JSON, an array of its columns in the order of [`COLUMNS`].
#[derive(Debug, sqlx::FromRow, serde::Deserialize)]
pub(super) struct FactsRow {
    pub(super) origin: i16,
    pub(super) created_at: i64,
    pub(super) id: String,
    pub(super) status: i16,
    pub(super) status_code: Option<i16>,
    pub(super) notes: i16,
    pub(super) duration_us: Option<i64>,
    pub(super) request_bytes: i64,
    pub(super) response_bytes: i64,
    pub(super) method: String,
    pub(super) endpoint: String,
    pub(super) path: String,
    pub(super) request_id: Option<String>,
    pub(super) channel: Option<String>,
    pub(super) user_email: Option<String>,
    pub(super) user_id: Option<String>,
    pub(super) app_id: Option<String>,
    pub(super) app_name: Option<String>,
    pub(super) client_app_id: Option<String>,
    pub(super) ip: Option<String>,
    pub(super) resource_type: Option<String>,
    pub(super) resource_id: Option<String>,
    pub(super) async_action_id: Option<String>,
}

impl FactsRow {
    /// Its place in a list.
    pub(super) fn key(&self) -> Key {
        Key {
            created_at: self.created_at,
            id: self.id.clone(),
        }
    }

    /// Bytes of both bodies.
    pub(super) const fn bodies(&self) -> i64 {
        self.request_bytes.saturating_add(self.response_bytes)
    }
}

impl From<FactsRow> for LogFacts {
    fn from(row: FactsRow) -> Self {
        Self {
            id: row.id,
            created_at: row.created_at,
            status: Status::of_number(row.status),
            status_code: row.status_code.and_then(|code| u16::try_from(code).ok()),
            request_id: row.request_id,
            channel: row.channel,
            method: row.method,
            endpoint: row.endpoint,
            path: row.path,
            user_email: row.user_email,
            user_id: row.user_id,
            app_id: row.app_id,
            app_name: row.app_name,
            client_app_id: row.client_app_id,
            duration_us: row.duration_us,
            ip: row.ip,
            origin: Origin::of_number(row.origin),
            resource: row.resource_type.zip(row.resource_id).map(|(kind, id)| Resource { kind, id }),
            async_action_id: row.async_action_id,
            request_bytes: row.request_bytes,
            response_bytes: row.response_bytes,
            notes: Note::of_bits(row.notes),
        }
    }
}

/// A text as a column has it: PostgreSQL knows no NUL in a text, so both databases show its picture instead.
/// Filters ask for the same, and the log's own text keeps the NUL.
pub(super) fn column_text(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        Cow::Owned(text.replace('\0', "\u{2400}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// A row on its way into `logs`.
#[derive(Debug)]
pub(super) struct NewRow<'a> {
    pub(super) project: ProjectKey,
    pub(super) seq: i64,
    pub(super) block_id: i64,
    pub(super) slot: i16,
    pub(super) facts: &'a LogFacts,
}

const INSERT: Insert = Insert {
    head: "INSERT INTO logs (project_id, origin, created_at, id, seq, block_id, slot, status, status_code, notes, duration_us, request_bytes, \
           response_bytes, method, endpoint, path, request_id, channel, user_email, user_id, app_id, app_name, client_app_id, ip, \
           resource_type, resource_id, async_action_id) VALUES",
    tail: "",
    columns: 27,
};

/// Writes rows, which are put into the table's own order first.
pub(super) async fn insert(tx: &mut WriteTx, mut rows: Vec<NewRow<'_>>) -> Result<(), StoreError> {
    let key = |row: &NewRow<'_>| (row.project, row.facts.origin.number(), row.facts.created_at);
    rows.sort_unstable_by(|a, b| key(a).cmp(&key(b)).then_with(|| a.facts.id.cmp(&b.facts.id)));
    for chunk in INSERT.chunks(&rows) {
        let sql = INSERT.sql(chunk.len(), tx.is_sqlite());
        on_tx!(tx, connection => {
            let mut statement = query(sql);
            for row in chunk {
                let facts = row.facts;
                let text = |text: &Option<String>| text.as_deref().map(|text| column_text(text).into_owned());
                statement = statement
                    .bind(row.project)
                    .bind(facts.origin.number())
                    .bind(facts.created_at)
                    .bind(column_text(&facts.id).into_owned())
                    .bind(row.seq)
                    .bind(row.block_id)
                    .bind(row.slot)
                    .bind(facts.status.number())
                    .bind(facts.status_code.map(|code| code as i16))
                    .bind(Note::to_bits(&facts.notes))
                    .bind(facts.duration_us)
                    .bind(facts.request_bytes)
                    .bind(facts.response_bytes)
                    .bind(column_text(&facts.method).into_owned())
                    .bind(column_text(&facts.endpoint).into_owned())
                    .bind(column_text(&facts.path).into_owned())
                    .bind(text(&facts.request_id))
                    .bind(text(&facts.channel))
                    .bind(text(&facts.user_email))
                    .bind(text(&facts.user_id))
                    .bind(text(&facts.app_id))
                    .bind(text(&facts.app_name))
                    .bind(text(&facts.client_app_id))
                    .bind(text(&facts.ip))
                    .bind(facts.resource.as_ref().map(|resource| column_text(&resource.kind).into_owned()))
                    .bind(facts.resource.as_ref().map(|resource| column_text(&resource.id).into_owned()))
                    .bind(text(&facts.async_action_id));
            }
            statement.execute(connection).await?;
        });
    }
    Ok(())
}
