//! How the database reads a page of logs: each statement, and its plan as the database tells it. A test looks that none reads what it need not.

use sea_query::SelectStatement;
use sqlx::{AssertSqlSafe, PgPool, Row, query, query_scalar};

use super::list::{ListRequest, PathNeedle, Reader, Walk};
use super::needles::Needles;
use super::windows::Windows;
use super::{conditions, counts, headers, keyed};
use crate::model::selection::{LogSelection, TimeRange};
use crate::server::store::readers::Readers;
use crate::server::store::render;
use crate::server::store::{Db, StoreError};

/// A statement and how it is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// With its values.
    pub statement: String,
    /// Whether it reads a window of time that holds some ten thousand logs, and no more than that is ever sorted.
    pub windowed: bool,
    /// The plan, a line a step.
    pub plan: Vec<String>,
    /// PostgreSQL's plan of the same statement where it has been prepared and run so often that its values are not looked at any more.
    pub prepared: Vec<String>,
}

/// A statement with its values in it, and with places for them.
struct Statement {
    written: String,
    prepared: String,
    windowed: bool,
}

/// The statements that a page is read with, as far as they are known before the first of them has answered.
pub async fn page(db: &Db, request: &ListRequest<'_>) -> Result<Vec<Explained>, StoreError> {
    let walk = Walk::of(request);
    let selection = LogSelection {
        range: walk.range,
        ..request.selection.clone()
    };
    let statements = if !selection.text.is_empty() {
        searches(db, request, &selection, &walk)
    } else if selection.ids.wanted.is_empty() {
        branches(db, request, &selection, &walk).await?
    } else {
        let keys = selection.ids.wanted.iter().map(|id| (walk.range.from, id.clone()));
        let keyed = keyed::select(db, request.project, &selection, &keys.collect::<Vec<_>>());
        vec![written(db, &keyed, None)]
    };
    let mut explained = Vec::with_capacity(statements.len());
    for statement in statements {
        explained.push(match db {
            Db::Sqlite { read, .. } => sqlite(read, statement).await?,
            Db::Postgres(pool) => postgres(pool, statement).await?,
        });
    }
    Ok(explained)
}

async fn branches(
    db: &Db,
    request: &ListRequest<'_>,
    selection: &LogSelection,
    walk: &Walk,
) -> Result<Vec<Statement>, StoreError> {
    let codes = if conditions::has_code_class(selection) {
        Some(counts::codes_in_use(db, request.project, selection).await?)
    } else {
        None
    };
    let reader = Reader {
        db,
        project: request.project,
        origins: &selection.origins,
        plan: conditions::plan(selection, codes.as_deref()),
        path: PathNeedle::of(selection),
        up_to_seq: selection.up_to_seq,
        walk,
    };
    let mut windows = Windows::new(db, request.project, &selection.origins, walk.range, walk.order);
    let window: TimeRange = match windows.next().await? {
        Some(window) if !reader.is_settled() => window,
        _ => walk.range,
    };
    let select = |branch| {
        let select = reader.select(branch, window, walk.condition(), walk.wanted);
        Statement {
            windowed: !reader.is_settled(),
            ..written(db, &select, conditions::Branch::sqlite_index(branch))
        }
    };
    Ok(reader.plan.branches.iter().map(select).collect())
}

/// How signatures are read, in groups and single ones; what they lead to is read by its key.
fn searches(db: &Db, request: &ListRequest<'_>, selection: &LogSelection, walk: &Walk) -> Vec<Statement> {
    let words = Needles::of(&selection.text).trigrams().len().min(2);
    let range = selection.range;
    let mut statements: Vec<Statement> = [true, false]
        .into_iter()
        .map(|is_group| {
            let prepared = headers::sql(db, is_group, walk.order, range, words, 16);
            let mut values = vec![request.project, range.from, range.to, range.to, i64::MAX];
            values.resize(values.len() + words, 12_345);
            let written = values
                .iter()
                .enumerate()
                .rev()
                .fold(prepared.clone(), |text, (place, value)| {
                    text.replace(&format!("${}", place + 1), &value.to_string())
                });
            Statement {
                written,
                prepared,
                windowed: false,
            }
        })
        .collect();
    let keys = [(range.from, "log_1".to_owned())];
    statements.push(written(db, &keyed::select(db, request.project, selection, &keys), None));
    statements
}

fn written(db: &Db, select: &SelectStatement, index: Option<&str>) -> Statement {
    let (written, prepared) = render::written(db, select, index);
    Statement {
        written,
        prepared,
        windowed: false,
    }
}

async fn sqlite(pool: &Readers, statement: Statement) -> Result<Explained, StoreError> {
    let sql = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", statement.written));
    let rows = query(sql).persistent(false).fetch_all(pool).await?;
    let plan = rows.iter().map(|row| row.try_get("detail")).collect::<Result<_, _>>()?;
    Ok(Explained {
        statement: statement.written,
        windowed: statement.windowed,
        plan,
        prepared: Vec::new(),
    })
}

async fn postgres(pool: &PgPool, statement: Statement) -> Result<Explained, StoreError> {
    let mut transaction = pool.begin().await?;
    let sql = AssertSqlSafe(format!("EXPLAIN {}", statement.written));
    let plan = query_scalar(sql).persistent(false).fetch_all(&mut *transaction).await?;
    let values = (1..=200)
        .take_while(|number| statement.prepared.contains(&format!("${number}")))
        .count();
    let nulls = if values == 0 {
        String::new()
    } else {
        format!("({})", vec!["NULL"; values].join(", "))
    };
    for sql in [
        "SET LOCAL plan_cache_mode = force_generic_plan".to_owned(),
        format!("PREPARE looked_at AS {}", statement.prepared),
    ] {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *transaction).await?;
    }
    let sql = AssertSqlSafe(format!("EXPLAIN EXECUTE looked_at{nulls}"));
    let prepared = query_scalar(sql).persistent(false).fetch_all(&mut *transaction).await?;
    query("DEALLOCATE looked_at")
        .persistent(false)
        .execute(&mut *transaction)
        .await?;
    transaction.rollback().await?;
    Ok(Explained {
        statement: statement.written,
        windowed: statement.windowed,
        plan,
        prepared,
    })
}
