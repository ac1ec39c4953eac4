//! A purge's first part, on PostgreSQL: whole months.

use super::{AGAIN, BLOCKS, Run, count_metrics, outcome};
use crate::model::id::IdKind;
use crate::model::log::Origin;
use crate::model::retention::{Cuts, Purged};
use crate::model::task::kinds;
use crate::server::jobs::JobError;
use crate::server::retention;
use crate::server::store::StoreError;
use crate::server::store::logs::purge::months::{self, Dropped, Holder, Partition};
use crate::server::store::logs::purge::{FIRST_BLOCK, Purge, first_row};
use crate::server::store::projects::ProjectKey;
use crate::server::store::tasks::{NewTask, TaskChange};

/// Ids of a step, of a month that is to be dropped.
const IDS: usize = 5_000;
/// How often a month's drop is tried while others read there.
const DROPS: usize = 20;

impl Run<'_> {
    /// Whole months, where what applications sent has expired for every project that has any there.
    pub(super) async fn months(&mut self) -> Result<(), JobError> {
        let purge = self.purge().await?;
        let before = purge.cuts.application.logs.max(purge.cuts.own.logs);
        for partition in months::expired(&purge.db, purge.project, before).await? {
            let Some(partition) = self.settled(partition).await? else {
                continue;
            };
            for holder in &partition.holders {
                self.ids(&partition, holder.project).await?;
            }
            for holder in &partition.holders {
                if partition.staying.contains(&holder.project) {
                    self.tell_apart(&partition, holder).await?;
                }
            }
            self.drop(&partition).await?;
        }
        Ok(())
    }

    /// Where a retention cuts in a project that has logs of a month.
    async fn cuts_of(&self, holder: &Holder) -> Result<Cuts, StoreError> {
        let kept = retention::get(self.server, holder.project).await?.kept;
        Ok(if holder.is_deleted {
            kept.cuts_once_deleted(self.at)
        } else {
            kept.cuts(self.at)
        })
    }

    /// A month that may go, with those whose log of the log stays there; none where it stays as it is.
    async fn settled(&self, mut partition: Partition) -> Result<Option<Partition>, StoreError> {
        for holder in &partition.holders {
            let cuts = self.cuts_of(holder).await?;
            if holder.application && cuts.application.logs < partition.end() {
                return Ok(None);
            }
            if holder.own && cuts.own.logs < partition.end() {
                partition.staying.push(holder.project);
            }
        }
        // Nothing but the log of the log is left there, or there is so much of it that the others go one by one.
        let is_left = !partition.holders.iter().any(|holder| holder.application);
        let stays = !partition.staying.is_empty();
        if stays && (is_left || months::staying_logs(&self.server.db, &partition).await? > months::MOST) {
            return Ok(None);
        }
        Ok(Some(partition))
    }

    async fn ids(&mut self, partition: &Partition, project: ProjectKey) -> Result<(), JobError> {
        if !months::has_ids(&self.server.db, project).await? {
            return Ok(());
        }
        let mut place = Some(first_row(Origin::Application));
        while let Some(from) = place {
            let account = self.account();
            let step = months::some_ids(&self.server.db, partition, project, &from, IDS, Some(&account)).await?;
            place = self.after(step).await?.next;
        }
        Ok(())
    }

    /// Takes blocks apart that hold what goes and what stays: those from before origins were told apart.
    async fn tell_apart(&mut self, partition: &Partition, holder: &Holder) -> Result<(), JobError> {
        let purge = Purge {
            db: self.server.db.clone(),
            project: holder.project,
            cuts: self.cuts_of(holder).await?,
            at: self.server.clock.now_ms(),
        };
        self.pace.begin(BLOCKS);
        let mut place = Some(FIRST_BLOCK);
        while let Some(from) = place {
            let account = self.account();
            let step = months::some_of_both(&purge, partition, from, self.pace.size(), Some(&account)).await?;
            place = self.after(step).await?.next;
        }
        Ok(())
    }

    /// Drops a month, but for what stays; where others read there all the time, its rows go one by one after this.
    async fn drop(&mut self, partition: &Partition) -> Result<(), JobError> {
        for _ in 0..DROPS {
            let now_ms = self.server.clock.now_ms();
            let record = |_: ProjectKey, purged: &Purged| self.told(purged, now_ms);
            let account = self.account();
            let dropped = months::drop(
                &self.server.db,
                partition,
                self.job.project_id,
                Some(&account),
                record,
                now_ms,
            )
            .await?;
            match dropped {
                Dropped::Gone(purged) => {
                    self.done.add(&purged);
                    count_metrics(&purged);
                    tracing::info!(
                        month = partition.name(),
                        staying = partition.staying.len(),
                        "a month's logs had passed every retention and were dropped"
                    );
                    return Ok(());
                }
                Dropped::Busy => tokio::time::sleep(AGAIN).await,
                Dropped::Wanted => return Ok(()),
                Dropped::Lost => return Err(JobError::Lost),
            }
        }
        Ok(())
    }

    /// The task of another project whose logs went with a month, over as it is made.
    fn told(&self, purged: &Purged, now_ms: i64) -> (NewTask, TaskChange) {
        let task = NewTask {
            id: self.server.random.id(IdKind::Task, now_ms),
            kind: kinds::PURGE.to_owned(),
            own: true,
            ..NewTask::default()
        };
        (task, outcome(purged))
    }
}
