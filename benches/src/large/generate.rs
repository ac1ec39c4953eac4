//! Filling a database through the door, so that it holds what a year of callers would have left: goes on where a run before was broken off.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
use std::ops::Range;
use std::path::Path;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use super::days::{Days, Span, grouped};
use super::people;
use crate::http::{Client, header};
use crate::server::Server;
use crate::{BATCH, CONNECTIONS, Outcome};

/// How often it is said how far it is, and noted.
const SAID: Duration = Duration::from_secs(15);
const NOTED: Duration = Duration::from_secs(2);

/// Sends what is not there yet, and asks the server how many there are; gives how many logs were sent.
///
/// What was acknowledged is stored; of what was on its way when a run was broken off nobody knows, so it is sent again under the same ids.
pub fn fill(server: &Server, days: &Days, batches: Range<usize>, file: &Path) -> Outcome<usize> {
    let before: usize = fs::read_to_string(file)
        .ok()
        .and_then(|kept| kept.trim().parse().ok())
        .unwrap_or(0);
    let start = (batches.start + before).min(batches.end);
    let sent = (batches.end - start) * BATCH;
    if sent > 0 {
        eprintln!(
            "storing {} logs, {} are there",
            grouped(sent as u64),
            grouped((before * BATCH) as u64)
        );
        let progress = Mutex::new(Progress::new(start..batches.end, batches.start, file));
        thread::scope(|scope| {
            let senders: Vec<_> = (0..CONNECTIONS)
                .map(|_| scope.spawn(|| send(server, days, &progress).map_err(|error| error.to_string())))
                .collect();
            for sender in senders {
                sender.join().map_err(|_| "a sender panicked")??;
            }
            Outcome::Ok(())
        })?;
        held(&progress)?.note()?;
    }
    let span = Span {
        from: if batches.start == 0 {
            days.whole().from
        } else {
            days.last().from
        },
        to: days.whole().to,
    };
    let stored = people::stored(server, span)?;
    if stored != ((batches.end - batches.start) * BATCH) as u64 {
        return Err(format!(
            "{stored} logs are stored where {} were sent",
            (batches.end - batches.start) * BATCH
        )
        .into());
    }
    Ok(sent)
}

fn held<'a, 'b>(progress: &'a Mutex<Progress<'b>>) -> Outcome<std::sync::MutexGuard<'a, Progress<'b>>> {
    progress.lock().map_err(|_| "a sender panicked".into())
}

/// One connection: the next batch, made while the others wait for their answers.
fn send(server: &Server, days: &Days, progress: &Mutex<Progress<'_>>) -> Outcome<()> {
    let mut client = Client::new(&server.host, &server.key)?;
    loop {
        let Some(number) = held(progress)?.take() else {
            return Ok(());
        };
        let stored = post(&mut client, days.body(number).as_bytes());
        let mut progress = held(progress)?;
        match stored {
            Ok(_) => progress.stored(number)?,
            Err(error) => {
                // The others end with the batch that they have.
                progress.next = progress.end;
                return Err(error);
            }
        }
    }
}

/// Sends a call until it is taken, as late as the server asks for; gives how often it was put off.
pub fn post(client: &mut Client, body: &[u8]) -> Outcome<u32> {
    let mut put_off = 0;
    loop {
        let answer = client.send("POST", "/v1/logs", "application/x-ndjson", body)?;
        match answer.code {
            201 => return Ok(put_off),
            429 | 503 => {
                put_off += 1;
                let wait = header(&answer.head.to_ascii_lowercase(), "retry-after").and_then(|seconds| seconds.parse().ok());
                thread::sleep(Duration::from_secs(wait.unwrap_or(1)));
                client.connect_again()?;
            }
            code => return Err(format!("POST /v1/logs answered {code}: {}", String::from_utf8_lossy(&answer.body)).into()),
        }
    }
}

/// Which batches are stored: all below one of them, and some above.
struct Progress<'a> {
    file: &'a Path,
    first: usize,
    next: usize,
    end: usize,
    below: usize,
    above: BTreeSet<usize>,
    begun: (Instant, usize),
    said: (Instant, usize),
    noted: Instant,
}

impl<'a> Progress<'a> {
    fn new(left: Range<usize>, first: usize, file: &'a Path) -> Self {
        let now = Instant::now();
        Self {
            file,
            first,
            next: left.start,
            end: left.end,
            below: left.start,
            above: BTreeSet::new(),
            begun: (now, left.start),
            said: (now, left.start),
            noted: now,
        }
    }

    fn take(&mut self) -> Option<usize> {
        let number = self.next;
        self.next += 1;
        (number < self.end).then_some(number)
    }

    fn stored(&mut self, number: usize) -> Outcome<()> {
        self.above.insert(number);
        while self.above.remove(&self.below) {
            self.below += 1;
        }
        if self.said.0.elapsed() >= SAID || self.below == self.end {
            self.say();
        }
        if self.noted.elapsed() >= NOTED {
            self.note()?;
        }
        Ok(())
    }

    fn say(&mut self) {
        let rate = |(since, from): (Instant, usize)| ((self.below - from) * BATCH) as f64 / since.elapsed().as_secs_f64();
        let left = ((self.end - self.below) * BATCH) as f64 / rate(self.begun).max(1.0);
        eprintln!(
            "{} of {} logs, {:.0} a second now, {:.0} in all, {:.0} s left",
            grouped(((self.below - self.first) * BATCH) as u64),
            grouped(((self.end - self.first) * BATCH) as u64),
            rate(self.said),
            rate(self.begun),
            left
        );
        self.said = (Instant::now(), self.below);
    }

    /// Under another name first, so that the file is never half written.
    fn note(&mut self) -> Outcome<()> {
        let passing = self.file.with_extension("new");
        let mut file = File::create(&passing)?;
        file.write_all((self.below - self.first).to_string().as_bytes())?;
        file.sync_all()?;
        fs::rename(passing, self.file)?;
        self.noted = Instant::now();
        Ok(())
    }
}
