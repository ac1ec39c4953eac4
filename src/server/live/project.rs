//! A project that is followed: reads what came, once for all, and tells each follower what they asked for.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use super::found::Found;
use super::{News, PAUSE, Wish};
use crate::model::log::{Log, LogFacts};
use crate::model::selection::TimeRange;
use crate::server::store::logs::arrived::{self, Arrivals, Mark};
use crate::server::store::logs::matching::{Meaning, Seen};
use crate::server::store::projects::ProjectKey;
use crate::server::store::{Db, StoreError};

/// How often a follower to whom nothing is told hears how far that holds.
const QUIET: Duration = Duration::from_secs(10);
/// Who comes back after more entries of the chain than these reads the list anew.
const FAR: Mark = 5_000;
/// A range that no log is in, and that widens no other.
const NOTHING: TimeRange = TimeRange {
    from: i64::MAX,
    to: i64::MIN,
};

/// Somebody who follows.
#[derive(Debug)]
pub(super) struct Follower {
    /// The logs that they follow; none where it is records.
    meaning: Option<Arc<Meaning>>,
    /// What they have been told of, or have seen.
    mark: Mark,
    tell: mpsc::Sender<News>,
    /// Whether something could not be told.
    missed: bool,
    told_at: Instant,
}

impl Follower {
    pub(super) fn new(wish: Wish, mark: Mark, tell: mpsc::Sender<News>) -> Self {
        let meaning = match wish {
            Wish::Logs(selection) => Some(Arc::new(Meaning::of(*selection))),
            Wish::Records => None,
        };
        Self {
            meaning,
            mark,
            tell,
            missed: false,
            told_at: Instant::now(),
        }
    }

    /// The range in which they want logs.
    fn range(&self) -> TimeRange {
        self.meaning.as_ref().map_or(NOTHING, |meaning| meaning.selection().range)
    }

    fn wants_texts(&self) -> bool {
        self.meaning
            .as_ref()
            .is_some_and(|meaning| !meaning.selection().text.is_empty())
    }

    /// Tells them how it stands at a mark; false where they have gone.
    fn hear(&mut self, mark: Mark, found: Found, facts: bool) -> bool {
        let news = match self.meaning {
            Some(_) if self.missed => News::Missed(mark),
            Some(_) if found.count > 0 => News::Found(found.told(mark)),
            None if facts || self.missed => News::Moved(mark),
            _ if self.told_at.elapsed() >= QUIET => News::Nothing(mark),
            _ => {
                self.mark = mark;
                return !self.tell.is_closed();
            }
        };
        self.mark = mark;
        match self.tell.try_send(news) {
            Ok(()) => {
                self.missed = false;
                self.told_at = Instant::now();
                true
            }
            Err(mpsc::error::TrySendError::Full(_)) => {
                self.missed = true;
                true
            }
            Err(mpsc::error::TrySendError::Closed(_)) => false,
        }
    }
}

/// A project, and who follows it.
#[derive(Debug)]
pub(super) struct Project {
    key: ProjectKey,
    joining: Mutex<Joining>,
    /// How far it has been written, as far as is known.
    reaches: AtomicI64,
    woken: Notify,
}

#[derive(Debug, Default)]
struct Joining {
    followers: Vec<Follower>,
    /// How many follow, those who join among them.
    count: usize,
    /// Nobody can join any more.
    closed: bool,
}

impl Project {
    pub(super) fn new(key: ProjectKey) -> Self {
        Self {
            key,
            joining: Mutex::default(),
            reaches: AtomicI64::new(0),
            woken: Notify::new(),
        }
    }

    pub(super) const fn key(&self) -> ProjectKey {
        self.key
    }

    /// Takes a follower in. Call it under the lock under which projects are closed.
    pub(super) fn join(&self, follower: Follower) {
        let mut joining = self.joining.lock().unwrap_or_else(PoisonError::into_inner);
        joining.count += 1;
        joining.followers.push(follower);
        drop(joining);
        self.woken.notify_one();
    }

    /// Ends where nobody follows any more; gives whether it has.
    pub(super) fn close_if_left(&self) -> bool {
        let mut joining = self.joining.lock().unwrap_or_else(PoisonError::into_inner);
        joining.closed = joining.count == 0;
        if joining.closed {
            self.woken.notify_one();
        }
        joining.closed
    }

    /// Says how far it has been written.
    pub(super) fn reaches(&self, mark: Mark) {
        self.reaches.store(mark, Ordering::Release);
        self.woken.notify_one();
    }

    /// Tells followers what comes, until nobody follows or the server stops.
    pub(super) async fn run(self: Arc<Self>, db: Db, stopped: CancellationToken) {
        let mut tail = Tail {
            db,
            project: self.key,
            mark: None,
            followers: Vec::new(),
            joining: Vec::new(),
        };
        loop {
            tokio::select! {
                () = stopped.cancelled() => return,
                () = self.woken.notified() => {}
            }
            {
                let mut joining = self.joining.lock().unwrap_or_else(PoisonError::into_inner);
                if joining.closed {
                    return;
                }
                tail.joining.extend(std::mem::take(&mut joining.followers));
            }
            let before = tail.count();
            if let Err(problem) = tail.go_on(self.reaches.load(Ordering::Acquire)).await {
                tracing::warn!(%problem, project = self.key, "who follows a list hears nothing: what came cannot be read");
                tokio::time::sleep(PAUSE).await;
                self.woken.notify_one();
            }
            let gone = before - tail.count();
            self.joining.lock().unwrap_or_else(PoisonError::into_inner).count -= gone;
        }
    }
}

/// What is read of a project, and for whom.
struct Tail {
    db: Db,
    project: ProjectKey,
    /// How far it has been read; none before anybody followed.
    mark: Option<Mark>,
    followers: Vec<Follower>,
    /// Those who have not heard yet what the others have.
    joining: Vec<Follower>,
}

impl Tail {
    fn count(&self) -> usize {
        self.followers.len() + self.joining.len()
    }

    /// Reads what came, tells it, and takes in who joined. Nobody is lost where it fails: it is called again.
    async fn go_on(&mut self, reaches: Mark) -> Result<(), StoreError> {
        let latest = self.joining.iter().map(|follower| follower.mark).max();
        let mark = match self.mark {
            Some(mark) => mark,
            None => arrived::mark(&self.db, self.project).await?,
        };
        self.mark = Some(mark);
        if reaches != mark || latest.is_some_and(|latest| latest > mark) {
            self.read_on(mark).await?;
        }
        let (mut joining, until) = (std::mem::take(&mut self.joining), self.mark.unwrap_or(mark));
        let caught_up = self.catch_up(&mut joining, until).await;
        if caught_up.is_ok() {
            joining.retain_mut(|follower| follower.hear(until, Found::default(), false));
            self.followers.append(&mut joining);
        } else {
            self.joining = joining;
        }
        self.followers.retain(|follower| !follower.tell.is_closed());
        caught_up
    }

    /// Tells those who joined what the others have heard already: those who have seen least first, the next ones from there on with them, so that nothing is read twice.
    async fn catch_up(&self, joining: &mut [Follower], until: Mark) -> Result<(), StoreError> {
        for follower in joining.iter_mut() {
            // Who has seen more than there is has seen another database.
            if follower.mark > until || until - follower.mark > FAR {
                (follower.missed, follower.mark) = (true, until);
            }
        }
        joining.sort_by_key(|follower| follower.mark);
        while let Some(mut from) = joining.first().map(|follower| follower.mark).filter(|from| *from < until) {
            let count = joining.partition_point(|follower| follower.mark <= from);
            let next = joining.get(count).map_or(until, |follower| follower.mark.min(until));
            self.tell(&mut joining[..count], &mut from, next).await?;
        }
        Ok(())
    }

    /// Reads on for all who follow.
    async fn read_on(&mut self, mut mark: Mark) -> Result<(), StoreError> {
        let mut followers = std::mem::take(&mut self.followers);
        let told = self.tell(&mut followers, &mut mark, Mark::MAX).await;
        // Where it failed half-way, the first half is told.
        self.mark = Some(mark);
        self.followers = followers;
        told
    }

    /// Tells followers what came after a mark, up to another one at most; the mark moves along.
    async fn tell(&self, followers: &mut [Follower], mark: &mut Mark, until: Mark) -> Result<(), StoreError> {
        loop {
            let range = followers.iter().map(Follower::range).reduce(around).unwrap_or(NOTHING);
            let begun = Instant::now();
            let mut arrivals = arrived::after(&self.db, self.project, (*mark, until), range).await?;
            let (read, logs) = (begun.elapsed(), arrivals.len());
            let mut found = vec![Found::default(); followers.len()];
            self.find(&mut arrivals, followers, &mut found).await?;
            tracing::debug!(logs, ?read, found = ?begun.elapsed(), followers = found.len(), "what came was read for who follows");
            let is_end = until == Mark::MAX;
            // Where nothing is left of what came then, or too much came, they read the list anew: as it is at the end.
            let is_missed = arrivals.missed || (!is_end && arrivals.mark <= *mark);
            *mark = if is_missed && !is_end { until } else { arrivals.mark };
            for (follower, found) in followers.iter_mut().zip(found) {
                follower.missed |= is_missed;
                follower.hear(*mark, found, arrivals.facts);
            }
            if *mark >= until || (is_end && !arrivals.more) {
                return Ok(());
            }
        }
    }

    /// Goes through what arrived, and notes for each follower what they want of it.
    async fn find(&self, arrivals: &mut Arrivals, followers: &[Follower], found: &mut [Found]) -> Result<(), StoreError> {
        let with_texts = followers.iter().any(Follower::wants_texts);
        let meanings: Arc<[Option<Arc<Meaning>>]> = followers.iter().map(|follower| follower.meaning.clone()).collect();
        while let Some(logs) = arrivals.some(&self.db, self.project, with_texts).await? {
            let meanings = Arc::clone(&meanings);
            // Many followers and long texts take a while.
            let meant = tokio::task::spawn_blocking(move || meant(logs, &meanings)).await;
            for (facts, wanted) in
                meant.map_err(|problem| StoreError::Database(sqlx::Error::Io(std::io::Error::other(problem))))?
            {
                for place in wanted {
                    found[place].add(&facts);
                }
            }
        }
        Ok(())
    }
}

/// The logs that are meant by anybody, and by whom.
fn meant(logs: Vec<Log>, meanings: &[Option<Arc<Meaning>>]) -> Vec<(Arc<LogFacts>, Vec<usize>)> {
    let wanted = |log: Log| {
        let seen = Seen::of(&log);
        let is_wanted = |place: &usize| meanings[*place].as_ref().is_some_and(|meaning| meaning.means(&seen));
        let places: Vec<usize> = (0..meanings.len()).filter(is_wanted).collect();
        (!places.is_empty()).then(|| (Arc::new(log.facts), places))
    };
    logs.into_iter().filter_map(wanted).collect()
}

/// The range around two.
fn around(one: TimeRange, other: TimeRange) -> TimeRange {
    TimeRange {
        from: one.from.min(other.from),
        to: one.to.max(other.to),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::selection::LogSelection;

    fn follower(wish: Wish) -> (Follower, mpsc::Receiver<News>) {
        let (tell, news) = mpsc::channel(1);
        (Follower::new(wish, 0, tell), news)
    }

    fn one() -> Found {
        Found {
            count: 1,
            ..Found::default()
        }
    }

    #[test]
    fn who_is_too_slow_hears_that_something_was_missed() {
        let everything = LogSelection::all(TimeRange { from: 0, to: i64::MAX });
        let (mut follower, mut news) = follower(Wish::Logs(Box::new(everything)));
        assert!(follower.hear(1, one(), false));
        assert!(follower.hear(2, one(), false), "there is no room for it");
        assert!(matches!(news.try_recv(), Ok(News::Found(Found { mark: 1, .. }))));
        assert!(follower.hear(3, Found::default(), false));
        assert!(matches!(news.try_recv(), Ok(News::Missed(3))));
        assert!(follower.hear(4, one(), false));
        assert!(matches!(news.try_recv(), Ok(News::Found(_))), "once is enough");
    }

    #[test]
    fn who_was_too_slow_for_what_moved_hears_that_it_did() {
        let (mut follower, mut news) = follower(Wish::Records);
        assert!(follower.hear(1, Found::default(), true));
        assert!(follower.hear(2, Found::default(), true), "there is no room for it");
        assert!(matches!(news.try_recv(), Ok(News::Moved(1))));
        assert!(follower.hear(3, Found::default(), false));
        assert!(matches!(news.try_recv(), Ok(News::Moved(3))));
        assert!(follower.hear(4, Found::default(), false));
        assert!(news.try_recv().is_err(), "once is enough");
    }

    #[test]
    fn who_has_gone_is_let_go() {
        let (mut follower, news) = follower(Wish::Records);
        drop(news);
        assert!(!follower.hear(1, Found::default(), true));
        assert!(!follower.hear(2, Found::default(), false));
    }

    #[test]
    fn nothing_widens_no_range() {
        let range = TimeRange { from: 3, to: 9 };
        assert_eq!(around(range, NOTHING), range);
        assert_eq!(around(TimeRange { from: 1, to: 4 }, range), TimeRange { from: 1, to: 9 });
    }
}
