//! Reading everything again, and comparing it with the chain.
//!
//! The server may run meanwhile: the chain is read to its end, then logs and facts, then what has come onto the chain since; what was not as it should be is
//! looked at once more by then. What is held in memory is some 33 bytes a log (60 more where its bodies expired
//! before it), and a digest for each other fact.

mod facts;
mod history;
mod logs;
mod report;

use serde::Serialize;

use self::facts::Facts;
use self::history::History;
use self::logs::Logs;
pub use self::report::{Finding, Record, Report};
use super::head::{self, SignedHead};
use super::key::ChainKey;
use crate::server::secrets::InstanceKey;
use crate::server::store::chain::kinds;
use crate::server::store::chain::read::{self, Chained, SignedRow};
use crate::server::store::{Db, StoreError};

/// How often everything is read where the service is at work and something is not as it should be.
const TRIES: usize = 3;
/// Signed heads that are read at a time.
const PAGE: i64 = 10_000;

/// What it takes.
#[derive(Clone, Copy, Debug)]
pub struct Verifier<'a> {
    /// Where.
    pub db: &'a Db,
    /// Opens what is sealed.
    pub key: &'a InstanceKey,
    /// Whose signatures are good.
    pub chain_key: &'a ChainKey,
}

/// What came of verifying a project.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The project.
    pub project_id: String,
    /// The numbers.
    pub numbers: Numbers,
    /// What was found wrong.
    pub report: Report,
    /// Where the chain ended; none where it could not be followed.
    pub end: Option<(i64, [u8; 32])>,
}

/// What was verified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Numbers {
    /// Entries of the chain, with those behind checkpoints.
    pub entries: u64,
    /// Logs that are there.
    pub logs: u64,
    /// Logs that were deleted as the chain tells, and whose digests are still there.
    pub deleted_logs: u64,
    /// Logs that were stored before the chain began, and are in no entry.
    pub logs_before_chain: u64,
    /// Tasks, exports, originals, attempts and choices.
    pub facts: u64,
    /// Signed heads.
    pub signed_heads: u64,
}

impl Verifier<'_> {
    /// Verifies a project's chain and everything that it tells of, and holds saved heads against it. `told` hears now and then how many logs were read.
    ///
    /// Where something is not as it should be and the service was at work meanwhile, everything is read once more: it may have come in between.
    pub async fn verify(
        &self,
        project: &Chained,
        anchors: &[SignedHead],
        told: &mut (dyn FnMut(u64) + Send),
    ) -> Result<Verified, StoreError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let before = read::head(self.db, project.key).await?;
            let verified = match self.verify_once(project, anchors, told).await {
                Ok(verified) => verified,
                Err(problem) => self.name_misfits(project, problem).await?,
            };
            if verified.report.is_clean() || tries == TRIES || read::head(self.db, project.key).await? == before {
                return Ok(verified);
            }
        }
    }

    /// Where reading failed: the rows that cannot be read, by their names; or the problem, where there are none.
    async fn name_misfits(&self, project: &Chained, problem: StoreError) -> Result<Verified, StoreError> {
        let misfits = kinds::misfits(self.db, project.key).await?;
        if misfits.is_empty() {
            return Err(problem);
        }
        let mut report = Report::default();
        for misfit in misfits {
            let what = format!(
                "its column {} holds a value of another kind than it was made for: it was changed, and nothing more can be verified until it is put right",
                misfit.column
            );
            report.add(Record::Row(misfit.row), what);
        }
        Ok(Verified {
            project_id: project.id.clone(),
            numbers: Numbers::default(),
            report,
            end: None,
        })
    }

    async fn verify_once(
        &self,
        project: &Chained,
        anchors: &[SignedHead],
        told: &mut (dyn FnMut(u64) + Send),
    ) -> Result<Verified, StoreError> {
        let mut report = Report::default();
        let signed = self.signed(project).await?;
        let anchors: Vec<&SignedHead> = anchors.iter().filter(|anchor| anchor.project_id == project.id).collect();
        let asked = signed
            .iter()
            .map(|row| row.number)
            .chain(anchors.iter().map(|anchor| anchor.number));
        let checkpoints = read::checkpoints(self.db, project.key).await?;
        let mut history = History::new(project, asked, checkpoints);
        let mut numbers = Numbers {
            signed_heads: signed.len() as u64,
            ..Numbers::default()
        };
        let is_whole = history.read_on(self.db, project, self.chain_key, &mut report).await?;
        self.hold_heads(project, &history, &signed, &mut report);
        self.hold_anchors(project, &history, &anchors, &mut report);
        if is_whole && history.is_project_deleted != project.is_deleted {
            report.add(
                Record::Fact("the project".to_owned()),
                "whether it was deleted is not what the chain tells: it was changed",
            );
        }
        let end = is_whole.then_some(history.walk.end);
        if is_whole {
            let mut logs = Logs::new(&history);
            logs.read(self.db, project, &history, told).await?;
            let mut facts = Facts::default();
            let earlier = history.facts.clone();
            facts.read(self.db, project, self.key).await?;
            // What came meanwhile.
            history.read_on(self.db, project, self.chain_key, &mut report).await?;
            logs.settle(self.db, project, &history, &mut report).await?;
            facts.settle(&history, &earlier, &mut report);
            numbers.logs = logs.count;
            numbers.logs_before_chain = logs.before();
            numbers.facts = facts.count();
            numbers.deleted_logs = history.deleted.count();
        }
        numbers.entries = history.entries;
        Ok(Verified {
            project_id: project.id.clone(),
            numbers,
            report,
            end,
        })
    }

    async fn signed(&self, project: &Chained) -> Result<Vec<SignedRow>, StoreError> {
        let mut all: Vec<SignedRow> = Vec::new();
        loop {
            let after = all.last().map_or(0, |row| row.number);
            let page = read::signed(self.db, project.key, after, PAGE).await?;
            let count = page.len();
            all.extend(page);
            if (count as i64) < PAGE {
                return Ok(all);
            }
        }
    }

    /// Heads that were signed before, against the chain as it is.
    fn hold_heads(&self, project: &Chained, history: &History, signed: &[SignedRow], report: &mut Report) {
        for row in signed {
            if !head::is_good(self.chain_key, &project.id, row) {
                report.chain(
                    row.number,
                    "its signed head does not bear this instance's signature: it was changed, or signed with another key",
                );
            } else if row.number > history.walk.end.0 {
                report.chain(
                    row.number,
                    "a head was signed here, and the chain ends before: its tail was cut off",
                );
            } else if history
                .asked
                .get(&row.number)
                .is_some_and(|digest| digest.map(Vec::from).as_ref() != Some(&row.digest))
            {
                report.chain(
                    row.number,
                    "it is not the entry that was signed here: the chain was made anew",
                );
            }
        }
    }

    /// Heads that somebody saved outside, against the chain as it is.
    fn hold_anchors(&self, project: &Chained, history: &History, anchors: &[&SignedHead], report: &mut Report) {
        for anchor in anchors {
            let record = Record::Anchor(anchor.number);
            let Some(row) = anchor.row() else {
                report.add(record, "it cannot be read");
                continue;
            };
            if !head::is_good(self.chain_key, &project.id, &row) {
                report.add(
                    record,
                    "it does not bear this instance's signature: it was changed, or the key is another one",
                );
                continue;
            }
            let is = history.asked.get(&anchor.number).copied().flatten();
            if anchor.number > history.walk.end.0 {
                report.add(
                    record,
                    format!("the chain ends at entry {}: its tail was cut off", history.walk.end.0),
                );
            } else if is.is_none() {
                report.add(
                    record,
                    "the chain has no such entry any more: it went behind a checkpoint, or was removed",
                );
            } else if is.map(Vec::from) != Some(row.digest) {
                report.add(record, "the chain has another entry there: it was made anew");
            }
        }
    }
}
