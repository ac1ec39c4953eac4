//! The rules by which a project masks, beside the built-in ones.

use sqlx::{query, query_as};

use super::chain::fact::FactKind;
use super::db::{WriteTx, on_db, on_tx};
use super::projects::ProjectKey;
use super::{Db, StoreError};
use crate::model::masking::{MaskRule, RuleKind};

const RULES: &str = "SELECT kind, text, note FROM mask_rules WHERE project_id = $1 ORDER BY place";

type Row = (String, String, String);

/// A project's rules, in their order.
pub async fn rules(db: &Db, project: ProjectKey) -> Result<Vec<MaskRule>, StoreError> {
    let rows: Vec<Row> = on_db!(read db, pool => query_as(RULES).bind(project).fetch_all(pool).await?);
    read(project, rows)
}

fn read(project: ProjectKey, rows: Vec<Row>) -> Result<Vec<MaskRule>, StoreError> {
    let rule = |(kind, text, note): Row| {
        let kind = RuleKind::parse(&kind)
            .ok_or_else(|| StoreError::Corrupt(format!("the kind {kind:?} of a masking rule of project {project}")))?;
        Ok(MaskRule { kind, text, note })
    };
    rows.into_iter().map(rule).collect()
}

/// Replaces a project's rules, if they are still those that are `known`: gives the ones before, or nothing where somebody else has changed them.
pub async fn replace(
    db: &Db,
    project: ProjectKey,
    known: Option<&[MaskRule]>,
    rules: &[MaskRule],
    now_ms: i64,
) -> Result<Option<Vec<MaskRule>>, StoreError> {
    // Whoever replaces them at the same time waits here.
    const LOCK: &str = "UPDATE projects SET name = name WHERE id = $1";
    const CLEAR: &str = "DELETE FROM mask_rules WHERE project_id = $1";
    const ADD: &str = "INSERT INTO mask_rules (project_id, place, kind, text, note) VALUES ($1, $2, $3, $4, $5)";
    let mut tx = WriteTx::begin(db).await?;
    on_tx!(&mut tx, connection => query(LOCK).bind(project).execute(connection).await.map(|_| ())?);
    let rows: Vec<Row> = on_tx!(&mut tx, connection => query_as(RULES).bind(project).fetch_all(connection).await?);
    let before = read(project, rows)?;
    if known.is_some_and(|known| known != before) {
        return Ok(None);
    }
    on_tx!(&mut tx, connection => query(CLEAR).bind(project).execute(connection).await.map(|_| ())?);
    for (place, rule) in (0_i64..).zip(rules) {
        on_tx!(&mut tx, connection => query(ADD)
            .bind(project)
            .bind(place)
            .bind(rule.kind.as_str())
            .bind(&rule.text)
            .bind(&rule.note)
            .execute(connection)
            .await
            .map(|_| ())?);
    }
    tx.note(project, now_ms).row(FactKind::MaskRules, "");
    tx.commit().await?;
    Ok(Some(before))
}
