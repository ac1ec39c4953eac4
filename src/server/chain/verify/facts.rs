//! Tasks, exports, originals, attempts and choices against what the chain says of them last.

use std::collections::{HashMap, HashSet};

use super::history::History;
use super::report::{Record, Report};
use crate::server::secrets::{InstanceKey, purposes};
use crate::server::store::chain::canon::{Digest, sha256};
use crate::server::store::chain::fact::{Fact, FactKind};
use crate::server::store::chain::read::Chained;
use crate::server::store::chain::stored;
use crate::server::store::{Db, StoreError};

/// Rows that are read at a time.
const PAGE: i64 = 500;

/// A fact as its row has it now; or why it cannot be told.
type Found = (FactKind, String, Result<Digest, String>);

/// What was seen of the facts.
#[derive(Debug, Default)]
pub(super) struct Facts {
    found: HashMap<(FactKind, String), Result<Digest, String>>,
}

impl Facts {
    pub(super) fn count(&self) -> u64 {
        self.found.len() as u64
    }

    /// Reads all of them.
    pub(super) async fn read(&mut self, db: &Db, project: &Chained, key: &InstanceKey) -> Result<(), StoreError> {
        let mut after = Some(i64::MIN);
        while let Some(from) = after {
            let (tasks, next) = stored::tasks(db, project.key, from, PAGE).await?;
            self.add(tasks);
            after = next;
        }
        let mut after = Some((i64::MIN, String::new()));
        while let Some(from) = after {
            let (exports, next) = stored::exports(db, project.key, &from, PAGE).await?;
            self.add(exports);
            after = next;
        }
        self.add(stored::choices(db, project.key).await?);
        self.read_attempts(db, project, key).await?;
        self.read_import_files(db, project, key).await
    }

    fn add(&mut self, facts: impl IntoIterator<Item = Fact>) {
        for fact in facts {
            let digest = fact.digest.ok_or_else(String::new);
            self.found.insert((fact.kind, fact.key), digest);
        }
    }

    fn put(&mut self, (kind, key, found): Found) {
        self.found.insert((kind, key), found);
    }

    async fn read_attempts(&mut self, db: &Db, project: &Chained, key: &InstanceKey) -> Result<(), StoreError> {
        let (mut id, mut number) = (String::new(), 0);
        loop {
            let page = stored::attempts(db, project.key, (&id, number), PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            (id, number) = (last.row.sendout_id.clone(), last.row.number);
            for attempt in page {
                let found = opened(key, purposes::ATTEMPT, &attempt.content).map(|content| attempt.row.fact(&content));
                let name = stored::AttemptRow::key(&attempt.row.sendout_id, attempt.row.number);
                self.put((FactKind::Attempt, name, found.map(digest)));
            }
        }
    }

    async fn read_import_files(&mut self, db: &Db, project: &Chained, key: &InstanceKey) -> Result<(), StoreError> {
        let mut after = String::new();
        loop {
            // They may be large: few at a time.
            let page = stored::import_files(db, project.key, &after, 8).await?;
            let Some((last, ..)) = page.last() else { return Ok(()) };
            after.clone_from(last);
            for (log, name, bytes, sealed) in page {
                let plain = opened(key, purposes::IMPORT_FILE, &sealed);
                let found = plain.map(|plain| digest(stored::import_file(&log, &name, bytes, &plain)));
                self.put((FactKind::ImportFile, log, found));
            }
        }
    }

    /// Tells what is wrong, by what the chain says now. `earlier` is what it said before the facts were read: what has changed since is as it was or as it is.
    pub(super) fn settle(&self, history: &History, earlier: &HashMap<(FactKind, String), Option<Digest>>, report: &mut Report) {
        // Facts go with a deleted project; its own log stays.
        if history.is_project_deleted {
            return;
        }
        let mut wrong = Vec::new();
        let mut unknown: HashMap<FactKind, u64> = HashMap::new();
        for (name, found) in &self.found {
            let (now, then) = (history.facts.get(name), earlier.get(name));
            match (found, now) {
                (Ok(digest), Some(Some(said))) if digest == said => {}
                (Ok(digest), _) if then == Some(&Some(*digest)) && now != then || history.since.contains(digest) => {}
                (Ok(digest), None) if is_unchosen(name, digest) => {}
                (Ok(_), None) if history.before.has(name.0) => *unknown.entry(name.0).or_default() += 1,
                (Ok(_), None) => wrong.push((name, "no entry tells of it: it was added".to_owned())),
                (Ok(_), Some(None)) => wrong.push((
                    name,
                    "it was deleted, as the chain tells, and is there again: it was added".to_owned(),
                )),
                (Ok(_), Some(Some(_))) => wrong.push((name, "it is not what the chain tells: it was changed".to_owned())),
                (Err(why), _) => wrong.push((name, why.clone())),
            }
        }
        self.find_missing(history, earlier, &mut wrong);
        wrong.sort();
        for ((kind, key), why) in wrong {
            report.add(Record::Fact(format!("{} {key}", kind.word()).trim_end().to_owned()), why);
        }
        for (kind, count) in unknown {
            let most = history.before.count(kind);
            if count > most {
                report.add(
                    Record::Fact(format!("{}s from before the chain", kind.word())),
                    format!(
                        "{count} are there that no entry tells of, and there were {most} when the chain began: some were added"
                    ),
                );
            }
        }
    }

    fn find_missing<'a>(
        &self,
        history: &'a History,
        earlier: &HashMap<(FactKind, String), Option<Digest>>,
        wrong: &mut Vec<(&'a (FactKind, String), String)>,
    ) {
        let missing = history
            .facts
            .iter()
            .filter(|(name, said)| said.is_some() && earlier.get(*name) == Some(said) && !self.found.contains_key(*name));
        wrong.extend(missing.map(|(name, _)| {
            (
                name,
                "it is not there, and no entry tells that it was deleted: it was removed".to_owned(),
            )
        }));
    }
}

/// Whether this is what a choice is where nobody has chosen.
fn is_unchosen((kind, key): &(FactKind, String), digest: &Digest) -> bool {
    let unchosen: HashSet<_> = stored::unchosen()
        .into_iter()
        .map(|fact| (fact.kind, fact.key, fact.digest))
        .collect();
    unchosen.contains(&(*kind, key.clone(), Some(*digest)))
}

fn opened(key: &InstanceKey, purpose: &str, sealed: &[u8]) -> Result<Digest, String> {
    key.open(purpose, sealed).map(|plain| sha256(&[&plain])).ok_or_else(|| {
        "what is sealed of it does not open with the instance key: it was changed, or sealed with another key".to_owned()
    })
}

fn digest(fact: Fact) -> Digest {
    fact.digest.unwrap_or_default()
}
