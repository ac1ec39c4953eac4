//! Tries out and saves masking rules from the page.

use super::RULE;
use crate::api::error::ApiError;
use crate::api::visit::Visit;
use crate::model::format::sentence;
use crate::model::masking::tried::Tried;
use crate::model::masking::{MaskRule, RuleFault};
use crate::server::http::shown;
use crate::server::masking::{self, MaskingError};

/// What whoever does not settle the project is told that they may not see.
pub(super) const WHAT: &str = "what it masks";

async fn to_settle(project: &str) -> Result<Visit, ApiError> {
    let visit = Visit::to_change(project, ("masking", project)).await?;
    visit.must_settle(WHAT)?;
    Ok(visit)
}

fn failed(error: MaskingError) -> ApiError {
    match error {
        MaskingError::Fault(RuleFault { rule, place, reason }) => ApiError::BadField {
            field: format!("{RULE}{rule}"),
            reason: match place {
                Some(place) => format!("At character {place}: {reason}."),
                None => sentence(&reason),
            },
        },
        MaskingError::Changed => ApiError::Refused(sentence(&error.to_string())),
        MaskingError::Store(error) => error.into(),
    }
}

/// Tries rules out on the last logs.
pub(super) async fn try_out(project: &str, rules: Vec<MaskRule>) -> Result<Tried, ApiError> {
    let visit = to_settle(project).await?;
    if !visit.member.rights.read_bodies {
        return Err(ApiError::NotAllowed(
            "Trying rules out shows bodies, which your role in this project may not read (read:bodies).".to_owned(),
        ));
    }
    let tried = masking::try_out::try_out(&visit.server, visit.member.project.key, &rules).await;
    tried.map_err(failed)
}

/// Saves rules.
pub(super) async fn save(project: &str, known: Vec<MaskRule>, rules: Vec<MaskRule>) -> Result<Vec<MaskRule>, ApiError> {
    let visit = to_settle(project).await?;
    let kept = masking::replace(&visit.server, visit.member.project.key, Some(&known), &rules).await;
    let changed = kept.map_err(failed)?;
    visit.changed(shown::masking(&changed.before), shown::masking(&changed.after));
    Ok(changed.after)
}
