//! `GET /v1/chain/heads`: the heads that were signed, newest first.

use axum::extract::{RawQuery, State};
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::HeadJson;
use crate::model::query::{QueryProblem, pairs};
use crate::model::rights::Scope;
use crate::server::access::KeyAccess;
use crate::server::chain::head::SignedHead;
use crate::server::error::ApiError;
use crate::server::http::openapi::{BadQuery, HeadArguments, List};
use crate::server::state::Server;
use crate::server::store::chain::read;

/// Heads a page, unless a number is given.
const LIMIT: usize = 20;

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    limit: usize,
    /// The entry before which the page begins.
    before: i64,
}

/// The list.
#[utoipa::path(
    get,
    path = "/v1/chain/heads",
    operation_id = "listChainHeads",
    tag = "Chain",
    summary = "Heads that were signed, newest first",
    description = "Needs the scope `read`. Heads are signed once an hour while the chain moves, and when somebody asks for one; they are kept for good.",
    params(HeadArguments),
    responses((status = 200, description = "A page of heads", body = List<HeadJson>), BadQuery),
)]
pub(super) async fn list(
    State(server): State<Server>,
    Extension(key): Extension<KeyAccess>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, ApiError> {
    key.require(Scope::Read)?;
    let Asked { limit, before } = Asked::read(query.as_deref().unwrap_or_default())?;
    // One more than is shown says whether there is another page.
    let mut rows = read::signed_before(&server.db, key.project.key, before, limit as i64 + 1).await?;
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| has_more).map(|row| row.number.to_string());
    let data: Vec<HeadJson> = rows
        .iter()
        .map(|row| HeadJson::of(SignedHead::of(&key.project.id, row)))
        .collect();
    Ok(Json(
        json!({ "object": "list", "data_ref": "data", "data": data, "has_more": has_more, "more_starting_after": next }),
    ))
}

impl Asked {
    fn read(query: &str) -> Result<Self, QueryProblem> {
        let mut asked = Self {
            limit: LIMIT,
            before: i64::MAX,
        };
        for (name, value) in pairs(query).filter(|(_, value)| !value.is_empty()) {
            match name.as_str() {
                "limit" => {
                    let limit = value.parse().ok().filter(|limit| (1..=100).contains(limit));
                    asked.limit = limit.ok_or_else(|| QueryProblem::new("limit", "a number from 1 to 100"))?;
                }
                "after" => {
                    let before = value.parse().ok().filter(|number| *number > 0);
                    asked.before = before.ok_or_else(|| QueryProblem::new("after", "more_starting_after of the page before"))?;
                }
                _ => {}
            }
        }
        Ok(asked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_twenty_heads_unless_a_number_is_given() {
        let asked = |limit, before| Asked { limit, before };
        assert_eq!(Asked::read("").unwrap(), asked(20, i64::MAX));
        assert_eq!(Asked::read("limit=100&after=7&x=y").unwrap(), asked(100, 7));
        for wrong in ["limit=0", "limit=101", "limit=x", "after=0", "after=x", "after=-3"] {
            assert!(Asked::read(wrong).is_err(), "{wrong}");
        }
    }
}
