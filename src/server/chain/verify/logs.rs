//! Every log against its leaf: none changed, none added, none gone that no entry tells of.

use std::sync::Arc;

use super::history::{Batch, History};
use super::report::{Record, Report};
use crate::server::store::chain::read::Chained;
use crate::server::store::logs::proof::{self, Broken, Chunk, Proof, Seen};
use crate::server::store::{Db, StoreError};

/// How many logs that are not as they should be are looked at once more: they may have been merged or deleted meanwhile.
const SUSPECTS: usize = 10_000;

/// What was seen of the logs.
#[derive(Debug)]
pub(super) struct Logs {
    /// Whether each leaf's log was seen.
    seen: Vec<bool>,
    /// Logs that were stored before the chain began.
    before: u64,
    /// Logs that no entry told of when they were read: what has come onto the chain since may.
    unknown: Vec<Seen>,
    suspects: Vec<Suspect>,
    suspected: u64,
    pub(super) count: u64,
}

#[derive(Debug)]
enum Suspect {
    Log(Seen),
    Block(Broken),
}

/// What is to be said of a log.
enum Verdict {
    Good(usize),
    /// No entry tells of it.
    Unknown,
    Bad(String),
}

impl Logs {
    pub(super) fn new(history: &History) -> Self {
        Self {
            seen: vec![false; history.leaves()],
            before: 0,
            unknown: Vec::new(),
            suspects: Vec::new(),
            suspected: 0,
            count: 0,
        }
    }

    /// How many there are that were stored before the chain began.
    pub(super) const fn before(&self) -> u64 {
        self.before
    }

    /// Reads all of them; `told` hears now and then how many that are.
    pub(super) async fn read(
        &mut self,
        db: &Db,
        project: &Chained,
        history: &History,
        told: &mut (dyn FnMut(u64) + Send),
    ) -> Result<(), StoreError> {
        let mut proof = Proof::new(db, project.key, Arc::clone(&history.silenced));
        while let Some(Chunk { logs, broken }) = proof.next().await? {
            self.count += logs.len() as u64;
            for log in logs {
                match judge(history, &log) {
                    Verdict::Good(place) if !self.seen[place] => self.seen[place] = true,
                    // There was nothing of the chain yet: it may be one from before.
                    Verdict::Unknown if history.before.logs > 0 && log.seq < history.first_seq() => self.before += 1,
                    Verdict::Unknown => self.unknown.push(log),
                    Verdict::Good(_) | Verdict::Bad(_) => self.suspect(Suspect::Log(log)),
                }
            }
            for broken in broken {
                self.suspect(Suspect::Block(broken));
            }
            told(self.count);
        }
        Ok(())
    }

    fn suspect(&mut self, suspect: Suspect) {
        self.suspected += 1;
        if self.suspects.len() < SUSPECTS {
            self.suspects.push(suspect);
        }
    }

    /// Looks once more at what was not as it should be, by what the chain says now, and tells what is wrong.
    pub(super) async fn settle(
        &mut self,
        db: &Db,
        project: &Chained,
        history: &History,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        // More leaves may have come meanwhile: those are not looked for.
        let until = self.seen.len();
        self.seen.resize(history.leaves(), true);
        for log in std::mem::take(&mut self.unknown) {
            match judge(history, &log) {
                Verdict::Good(place) => self.seen[place] = true,
                Verdict::Unknown if history.before.logs > 0 => self.before += 1,
                Verdict::Unknown => report.add(record(&log), "no entry tells of it: it was added"),
                Verdict::Bad(_) => self.suspect(Suspect::Log(log)),
            }
        }
        for suspect in std::mem::take(&mut self.suspects) {
            match suspect {
                Suspect::Log(log) => self.settle_log(db, project, history, (log, until), report).await?,
                Suspect::Block(broken) => settle_block(db, project, &broken, report).await?,
            }
        }
        if self.suspected > SUSPECTS as u64 {
            report.count += self.suspected - SUSPECTS as u64;
        }
        self.find_missing(history, report);
        let ranges: Vec<(i64, i64)> = history.batches.iter().map(Batch::range).collect();
        let forgotten = history.deleted.count_outside(&ranges);
        let most = history.before.logs.saturating_sub(forgotten);
        if self.before > most {
            report.add(
                Record::Fact("logs from before the chain".to_owned()),
                format!(
                    "{} are there that no entry tells of, and there were {most} when the chain began: some were added",
                    self.before
                ),
            );
        }
        Ok(())
    }

    async fn settle_log(
        &mut self,
        db: &Db,
        project: &Chained,
        history: &History,
        (log, until): (Seen, usize),
        report: &mut Report,
    ) -> Result<(), StoreError> {
        let place = (log.created_at, log.id.as_str());
        let Some(now) = proof::once_more(db, project.key, place, &history.silenced).await? else {
            // Gone since; that it should be is looked at with the others that are.
            return Ok(());
        };
        match judge(history, &now) {
            Verdict::Good(place) if place >= until || !self.seen[place] => self.seen[place] = true,
            Verdict::Good(_) => report.add(record(&now), "it is there twice: one of the two was added"),
            Verdict::Unknown => report.add(record(&now), "no entry tells of it: it was added"),
            Verdict::Bad(why) => {
                // It is told of already: not as one that is missing, too.
                if let Some(place) = history.batch_of(now.seq).and_then(|batch| history.place(batch, now.seq)) {
                    self.seen[place] = true;
                }
                report.add(record(&now), why);
            }
        }
        Ok(())
    }

    fn find_missing(&self, history: &History, report: &mut Report) {
        for batch in &history.batches {
            for (offset, seq) in (0_i64..).zip(batch.first..batch.first + i64::from(batch.count)) {
                let is_seen = history.place(batch, seq).is_some_and(|place| self.seen[place]);
                if !is_seen && !history.deleted.has(seq) {
                    let record = Record::LogOf {
                        entry: batch.number,
                        place: offset + 1,
                        of: batch.count,
                    };
                    let at = crate::model::zone::rfc3339(batch.at);
                    report.add(
                        record,
                        format!("it was written {at}, is not there, and no entry tells that it was deleted: it was removed"),
                    );
                }
            }
        }
    }
}

/// A block may have been merged with others meanwhile.
async fn settle_block(db: &Db, project: &Chained, broken: &Broken, report: &mut Report) -> Result<(), StoreError> {
    let log = match broken.place {
        Some(place) => proof::log_at(db, project.key, broken.block, place).await?,
        None => None,
    };
    match log {
        Some((time, id)) => report.add(Record::Log(time, id), broken.what),
        None if proof::has_block(db, project.key, broken.block).await? => report.add(Record::Block(broken.block), broken.what),
        None => {}
    }
    Ok(())
}

fn record(log: &Seen) -> Record {
    Record::Log(log.created_at, log.id.clone())
}

fn judge(history: &History, log: &Seen) -> Verdict {
    let bad = |why: &str| Verdict::Bad(why.to_owned());
    if history.deleted.has(log.seq) {
        return bad("it was deleted, as the chain tells, and is there again: it was added");
    }
    let Some(batch) = history.batch_of(log.seq) else {
        return Verdict::Unknown;
    };
    if log.is_silent != history.silenced.contains_key(&log.seq) {
        return bad("whether its bodies have expired is not what the chain tells: it was changed");
    }
    let (Some(place), Some(leaf)) = (history.place(batch, log.seq), history.leaf(batch, log.seq)) else {
        return Verdict::Bad(format!(
            "the digests of entry {}, which it is in, are not there",
            batch.number
        ));
    };
    match &log.leaf {
        Err(why) => Verdict::Bad(why.clone()),
        Ok(is) if *is == leaf => Verdict::Good(place),
        Ok(_) if is_unread(history, log.seq) => Verdict::Good(place),
        Ok(_) => Verdict::Bad(format!(
            "it is not what was written (entry {}): it was changed or swapped",
            batch.number
        )),
    }
}

/// Whether what it said could not be read any more when it expired: nothing can be said of its facts then.
fn is_unread(history: &History, seq: i64) -> bool {
    history.silenced.get(&seq).is_some_and(|text| *text == [0; 32])
}
