//! Rows that are known by their keys: what a search found in blocks, what an id names.

use sea_query::{Asterisk, Cond, Expr, ExprTrait, Func, JoinType, Query, SelectStatement, Value, ValueTuple};
use sqlx::query_scalar;

use super::conditions;
use super::rows::{COLUMNS, FactsRow};
use crate::model::id::{self, IdKind};
use crate::model::log::{LogFacts, Origin};
use crate::model::selection::{LogSelection, TimeRange};
use crate::server::store::db::on_db;
use crate::server::store::projects::ProjectKey;
use crate::server::store::render;
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
        let rows: Vec<FactsRow> = render::fetch(db, &select(db, project, selection, chunk), None).await?;
        found.extend(
            rows.into_iter()
                .map(LogFacts::from)
                .filter(|facts| path.as_ref().is_none_or(|path| path.is_in(&facts.path))),
        );
    }
    Ok(found)
}

/// The statement that reads some keys' logs.
pub(super) fn select(db: &Db, project: ProjectKey, selection: &LogSelection, keys: &[(i64, String)]) -> SelectStatement {
    let mut select = Query::select();
    select.columns(COLUMNS);
    only(&mut select, db, project, selection, keys);
    for condition in conditions::all_conditions(selection) {
        select.and_where(condition);
    }
    select
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

/// Where the texts of logs lie, by origin, time and id: id, block; no block where the text has expired.
pub(super) async fn places(
    db: &Db,
    project: ProjectKey,
    keys: &[(Origin, i64, &str)],
) -> Result<Vec<(String, Option<i64>)>, StoreError> {
    let (Some(from), Some(to)) = (keys.iter().map(|key| key.1).min(), keys.iter().map(|key| key.1).max()) else {
        return Ok(Vec::new());
    };
    let mut origins: Vec<Origin> = keys.iter().map(|key| key.0).collect();
    origins.dedup();
    let everything = LogSelection {
        origins,
        ..LogSelection::all(TimeRange {
            from,
            to: to.saturating_add(1),
        })
    };
    let keys: Vec<(i64, String)> = keys.iter().map(|(_, time, id)| (*time, (*id).to_owned())).collect();
    let mut found = Vec::with_capacity(keys.len());
    for chunk in keys.chunks(CHUNK) {
        let mut select = Query::select();
        select.columns(["id", "block_id"]);
        only(&mut select, db, project, &everything, chunk);
        found.extend(render::fetch::<(String, Option<i64>)>(db, &select, None).await?);
    }
    Ok(found)
}

/// Narrows a select to the keys: each is looked up by itself, through the primary key.
///
/// Left to choose, both planners may read the whole range of time and look each log up in the list, PostgreSQL above all while it knows nothing of the
/// table's size; so the keys lead a join that cannot be turned around.
fn only(select: &mut SelectStatement, db: &Db, project: ProjectKey, selection: &LogSelection, keys: &[(i64, String)]) {
    let is_wanted = Expr::col("created_at")
        .eq(Expr::cust("wanted.column1"))
        .and(Expr::col("id").eq(Expr::cust("wanted.column2")));
    if db.is_sqlite() {
        let values = keys
            .iter()
            .map(|(time, id)| ValueTuple::Two(Value::from(*time), Value::from(id.clone())));
        // The columns of SQLite's VALUES are named so. A cross join is never turned around.
        select
            .from_values(values, "wanted")
            // sea-query writes no ON for a cross join.
            .join(JoinType::CrossJoin, "logs", Cond::all())
            .and_where(is_wanted);
        restrict(select, project, selection);
    } else {
        // OFFSET keeps the part apart from the rest of the statement.
        let mut one = Query::select();
        one.column(Asterisk).from("logs").and_where(is_wanted).offset(0);
        restrict(&mut one, project, selection);
        select.from_subquery(listed(keys), "wanted").join_lateral(
            JoinType::InnerJoin,
            one,
            "logs",
            Cond::all().add(Expr::val(true)),
        );
    }
}

/// The keys as PostgreSQL reads them: one text, whatever their number, so that the statement stays the same and is prepared once.
fn listed(keys: &[(i64, String)]) -> SelectStatement {
    let keys: serde_json::Value = keys.iter().map(|(time, id)| serde_json::json!([time, id])).collect();
    let mut listed = Query::select();
    listed
        .expr_as(Expr::cust("CAST(wanted_key ->> 0 AS BIGINT)"), "column1")
        .expr_as(Expr::cust("wanted_key ->> 1"), "column2")
        .from_function(
            Func::cust("json_array_elements").arg(Expr::cust_with_values("CAST($1 AS JSON)", [keys.to_string()])),
            "wanted_key",
        );
    listed
}

/// The project, the origins and the range.
fn restrict(select: &mut SelectStatement, project: ProjectKey, selection: &LogSelection) {
    if let Some(last) = selection.up_to_seq {
        select.and_where(Expr::col("seq").lte(last));
    }
    select
        .and_where(Expr::col("project_id").eq(project))
        .and_where(Expr::col("origin").is_in(selection.origins.iter().map(|origin| origin.number())))
        .and_where(Expr::col("created_at").gte(selection.range.from))
        .and_where(Expr::col("created_at").lt(selection.range.to));
}
