//! Rows that are known by their keys: what a search found in blocks, what an id names.

use sea_query::{Expr, ExprTrait, Query, SelectStatement, Value};
use sqlx::query_scalar;

use super::conditions;
use super::render;
use super::rows::{COLUMNS, FactsRow};
use crate::model::id::{self, IdKind};
use crate::model::log::LogFacts;
use crate::model::selection::LogSelection;
use crate::server::store::db::on_db;
use crate::server::store::projects::ProjectKey;
use crate::server::store::{Db, StoreError};

/// Keys of one statement.
const CHUNK: usize = 200;

/// The time that an id's log has: a client's own id is looked up, ours carries it.
pub(super) async fn time_of(db: &Db, project: ProjectKey, id: &str) -> Result<Option<i64>, StoreError> {
    const FIND: &str = "SELECT created_at FROM log_ids WHERE project_id = $1 AND id = $2";
    if !id::is_client_id(id) {
        return Ok(None);
    }
    let kept: Option<i64> = on_db!(read db, pool => query_scalar(FIND).bind(project).bind(id).fetch_optional(pool).await?);
    Ok(kept.or_else(|| id::time_of(IdKind::Log, id)))
}

/// The keys of the logs that ids name, whether or not there are such logs.
pub(super) async fn keys_of(db: &Db, project: ProjectKey, ids: &[String]) -> Result<Vec<(i64, String)>, StoreError> {
    let mut keys = Vec::with_capacity(ids.len());
    for id in ids {
        if let Some(time) = time_of(db, project, id).await? {
            keys.push((time, id.clone()));
        }
    }
    Ok(keys)
}

/// Those of the keys' logs that the selection means, in no order; its text is not looked at.
pub(super) async fn rows(
    db: &Db,
    project: ProjectKey,
    selection: &LogSelection,
    keys: &[(i64, String)],
) -> Result<Vec<LogFacts>, StoreError> {
    let mut found = Vec::with_capacity(keys.len());
    let path = super::list::PathNeedle::of(selection);
    for chunk in keys.chunks(CHUNK) {
        let mut select = Query::select();
        select.columns(COLUMNS);
        only(&mut select, db, project, selection, chunk);
        for condition in conditions::all_conditions(selection) {
            select.and_where(condition);
        }
        let rows: Vec<FactsRow> = render::fetch(db, &select, None).await?;
        found.extend(
            rows.into_iter()
                .map(LogFacts::from)
                .filter(|facts| path.as_ref().is_none_or(|path| path.is_in(&facts.path))),
        );
    }
    Ok(found)
}

/// The blocks that the keys' logs lie in: id, block.
pub(super) async fn blocks(
    db: &Db,
    project: ProjectKey,
    selection: &LogSelection,
    keys: &[(i64, String)],
) -> Result<Vec<(String, i64)>, StoreError> {
    let mut found = Vec::with_capacity(keys.len());
    for chunk in keys.chunks(CHUNK) {
        let mut select = Query::select();
        select
            .columns(["id", "block_id"])
            .and_where(Expr::col("block_id").is_not_null());
        only(&mut select, db, project, selection, chunk);
        found.extend(render::fetch::<(String, i64)>(db, &select, None).await?);
    }
    Ok(found)
}

/// Narrows a select to the keys. SQLite takes a list of pairs as rows of values; PostgreSQL would hash the table for those, and reads a plain list by index.
fn only(select: &mut SelectStatement, db: &Db, project: ProjectKey, selection: &LogSelection, keys: &[(i64, String)]) {
    let places = Expr::tuple([Expr::col("created_at"), Expr::col("id")]);
    let among = if db.is_sqlite() {
        // sea-query takes `?` for a value on SQLite, and `$1` on PostgreSQL.
        let pairs = vec!["(?,?)"; keys.len()].join(",");
        let values = keys
            .iter()
            .flat_map(|(time, id)| [Value::from(*time), Value::from(id.clone())]);
        Expr::cust_with_values(format!("(created_at, id) IN (VALUES {pairs})"), values)
    } else {
        places.in_tuples(keys.to_vec())
    };
    select
        .from("logs")
        .and_where(Expr::col("project_id").eq(project))
        .and_where(Expr::col("origin").is_in(selection.origins.iter().map(|origin| origin.number())))
        .and_where(among)
        .and_where(Expr::col("created_at").gte(selection.range.from))
        .and_where(Expr::col("created_at").lt(selection.range.to));
}
