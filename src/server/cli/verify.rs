//! `audit-log verify`: reads everything again, and compares it with the chain.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::secret::variable;
use super::{CliError, people, print};
use crate::model::format::count;
use crate::server::chain::head::{self, SignedHead};
use crate::server::chain::key::ChainKey;
use crate::server::chain::verify::{Numbers, Verified, Verifier};
use crate::server::clock::{Clock, Random};
use crate::server::config::DataOptions;
use crate::server::secrets::InstanceKey;
use crate::server::store::chain::read::{self, Chained};
use crate::server::store::chain::signed;
use crate::server::store::{Db, StoreError};

/// How many findings are printed of a project.
const SHOWN: usize = 20;
/// Every how many logs the progress is told.
const STEP: u64 = 50_000;

#[derive(Debug, Args)]
pub(super) struct Verify {
    /// The project; without it, every project, deleted ones, too
    #[arg(long, value_name = "PRJ")]
    project: Option<String>,
    /// A head that was saved before, to hold against the chain: what this command printed, the data of a `chain.head` event, or a file of several, one a line
    #[arg(long, value_name = "FILE")]
    anchor: Option<PathBuf>,
    #[command(flatten)]
    data: DataOptions,
}

/// What is printed of a project: one line of JSON. Saved, it is an anchor.
#[derive(Debug, Serialize)]
struct Line<'a> {
    ok: bool,
    project_id: &'a str,
    #[serde(flatten)]
    numbers: Numbers,
    /// How many records are not as they were written, and the first one.
    wrong: u64,
    first: Option<String>,
    /// Where the chain ends, signed.
    head: Option<SignedHead>,
}

/// Verifies, and fails where anything is not as it was written.
pub(super) async fn verify(verify: Verify) -> Result<(), CliError> {
    let random = Random::system();
    let key = InstanceKey::load(variable().as_deref(), &verify.data, &random)?;
    let chain_key = ChainKey::load(&verify.data, &key, &random)?;
    let anchors = match &verify.anchor {
        Some(path) => read_anchors(path)?,
        None => Vec::new(),
    };
    let db = people::open(&verify.data.database).await?;
    let done = verify_all(&db, (&key, &chain_key), verify.project.as_deref(), &anchors).await;
    db.close().await;
    done
}

async fn verify_all(
    db: &Db,
    (key, chain_key): (&InstanceKey, &ChainKey),
    wanted: Option<&str>,
    anchors: &[SignedHead],
) -> Result<(), CliError> {
    let mut projects = read::projects(db).await?;
    if let Some(wanted) = wanted {
        projects.retain(|project| project.id == wanted);
        if projects.is_empty() {
            return Err(CliError::Refused(format!(
                "there is no chain of a project {wanted}: it is not there, or nothing was stored in it yet"
            )));
        }
    }
    let strangers: Vec<&str> = anchors
        .iter()
        .map(|anchor| anchor.project_id.as_str())
        .filter(|id| !projects.iter().any(|project| project.id == *id))
        .collect();
    let mut wrong: Vec<String> = Vec::new();
    if wanted.is_none() {
        wrong.extend(
            strangers
                .iter()
                .map(|id| format!("the saved head's project {id} has no chain: it was removed")),
        );
    } else if !anchors.is_empty() && anchors.len() == strangers.len() {
        return Err(CliError::Refused("the saved heads are of other projects".to_owned()));
    }
    let verifier = Verifier { db, key, chain_key };
    for project in &projects {
        let verified = verifier.verify(project, anchors, &mut progress(&project.id)).await?;
        tell(&verified);
        let head = sign_end(db, chain_key, project, &verified).await?;
        wrong.extend(
            verified
                .report
                .findings()
                .first()
                .map(|first| format!("project {}: {first}", project.id)),
        );
        print(&line(&verified, head)?)?;
    }
    match wrong.first() {
        None => Ok(()),
        Some(first) => Err(CliError::Refused(format!("the chain does not hold. {first}"))),
    }
}

/// The head of a chain that holds, signed, and kept: whoever saves it can hold it against the chain later.
async fn sign_end(db: &Db, key: &ChainKey, project: &Chained, verified: &Verified) -> Result<Option<SignedHead>, StoreError> {
    let Some((number, digest)) = verified.end.filter(|_| verified.report.is_clean()) else {
        return Ok(None);
    };
    let row = head::sign(key, &project.id, number, &digest, Clock::System.now_ms());
    if signed::keep(db, project.key, &row, None, row.at).await? {
        return Ok(Some(SignedHead::of(&project.id, &row)));
    }
    let kept = read::signed(db, project.key, number - 1, 1).await?;
    Ok(kept.first().map(|row| SignedHead::of(&project.id, row)))
}

fn line(verified: &Verified, head: Option<SignedHead>) -> Result<String, CliError> {
    let line = Line {
        ok: verified.report.is_clean(),
        project_id: &verified.project_id,
        numbers: verified.numbers,
        wrong: verified.report.count,
        first: verified.report.findings().first().map(ToString::to_string),
        head,
    };
    serde_json::to_string(&line).map_err(|error| CliError::Refused(format!("the result cannot be written: {error}")))
}

/// Findings, for whoever reads along.
fn tell(verified: &Verified) {
    let shown = verified.report.findings().iter().take(SHOWN);
    for finding in shown {
        eprintln!("{}: {finding}", verified.project_id);
    }
    let more = verified.report.count.saturating_sub(SHOWN as u64);
    if more > 0 {
        eprintln!("{}: and {} more", verified.project_id, count(more));
    }
}

fn progress(project: &str) -> impl FnMut(u64) + Send + use<> {
    let (project, shown) = (project.to_owned(), std::io::stderr().is_terminal());
    let mut next = STEP;
    move |logs| {
        if shown && logs >= next {
            next = logs + STEP;
            // Whoever has closed it does not want to know.
            let _closed = writeln!(std::io::stderr(), "{project}: {} logs", count(logs));
        }
    }
}

/// Heads from a file: each line, or the whole file, a head, or something that has one as `head`, `data` or `data.object`.
fn read_anchors(path: &Path) -> Result<Vec<SignedHead>, CliError> {
    let text = std::fs::read_to_string(path).map_err(CliError::io(path.display().to_string()))?;
    let unreadable = || CliError::Refused(format!("{} holds no saved head of a chain", path.display()));
    let values: Vec<Value> = serde_json::Deserializer::from_str(&text)
        .into_iter()
        .collect::<Result<_, _>>()
        .map_err(|_| unreadable())?;
    let mut anchors = Vec::new();
    for value in values {
        let several = match value {
            Value::Array(values) => values,
            one => vec![one],
        };
        for value in several {
            anchors.push(find_head(&value).ok_or_else(unreadable)?);
        }
    }
    if anchors.is_empty() {
        return Err(unreadable());
    }
    Ok(anchors)
}

fn find_head(value: &Value) -> Option<SignedHead> {
    if let Ok(head) = serde_json::from_value(value.clone()) {
        return Some(head);
    }
    ["head", "data", "object"].iter().find_map(|name| find_head(value.get(name)?))
}
