//! Importing a file of logs: NDJSON, CSV or HAR 1.2, in constant memory. What is wrong with an entry is told, and the rest goes on.
//!
//! An entry without an id of its own gets one made of its place and its content, so that importing a file again, or a file that has grown
//! since, stores nothing twice. To add a format: a file here that gives its entries one by one to a [`Sink`], and its branch in [`read`].

mod budget;
mod csv;
mod har;
#[cfg(test)]
mod harm_tests;
mod left_out;
mod ndjson;
mod refused;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::io::{BufReader, Read};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use crate::model::log::{NewLog, Origin};
use crate::server::clock::Random;
use crate::server::store::StoreError;
use crate::server::store::logs::write::{LogCall, LogWriter, WriteError};
use crate::server::store::projects::ProjectKey;

use super::draft::Draft;
use super::endpoint::{CallNames, EndpointNames};
use super::entry::EntryContext;
use super::mask::MaskRules;
use budget::Budgeted;
pub use csv::Shape;
pub use left_out::{left_out, said_of_left_out};

/// Entries written together.
const BATCH: usize = 1_000;
/// A batch is written earlier where it holds so many bytes of bodies.
const BATCH_BYTES: usize = 8 << 20;
/// Bytes of one entry: two bodies of the largest size, written in base64, and what stands around them.
const MAX_ENTRY: usize = 192 << 20;
const BUFFER: usize = 256 << 10;
/// The column in which an entry that could not be read is given back, and taken again.
pub const UNREADABLE: &str = "unreadable";
/// The column in which a record of a CSV whose fields are not as many as its header's is given back whole, as a line of CSV, and taken again.
pub const UNREADABLE_RECORD: &str = "unreadable_record";
/// The column that says why an entry was not taken. It is passed over when the file is sent again.
pub const REASON: &str = "reason";
/// Bytes of such an entry that are given back.
pub const MOST_UNREADABLE: usize = 1 << 20;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One log a line.
    Ndjson,
    /// A header of field names, then one log a record.
    Csv,
    /// HTTP Archive 1.2 (<http://www.softwareishard.com/blog/har-12-spec/>).
    Har,
}

impl Format {
    /// What a file is, by its name, else by how it begins.
    pub fn of(name: &str, beginning: &[u8]) -> Self {
        let extension = Path::new(name)
            .extension()
            .map(|extension| extension.to_string_lossy().to_ascii_lowercase());
        match extension.as_deref() {
            Some("csv") => Self::Csv,
            Some("har") => Self::Har,
            Some("ndjson" | "jsonl") => Self::Ndjson,
            _ => {
                let text = beginning.strip_prefix(BOM).unwrap_or(beginning).trim_ascii_start();
                let compact: Vec<u8> = text
                    .iter()
                    .take(200)
                    .copied()
                    .filter(|byte| !byte.is_ascii_whitespace())
                    .collect();
                match compact.first() {
                    Some(b'{') if compact.starts_with(b"{\"log\":{") => Self::Har,
                    Some(b'{' | b'[') => Self::Ndjson,
                    _ => Self::Csv,
                }
            }
        }
    }

    /// What its entries are counted in.
    const fn unit(self) -> &'static str {
        match self {
            Self::Ndjson | Self::Csv => "line",
            Self::Har => "entry",
        }
    }
}

/// What some programs write before UTF-8.
const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Bytes of a file's beginning by which it is known, and a CSV's columns are.
pub const BEGINNING: u64 = 64 << 10;
/// Why a log that claims to be of this service is not taken.
const OWN: &str = "origin: self is what this service recorded itself, and is not taken from a file that is sent; leave it empty, or let whoever \
     runs the service import the file with audit-log import";

/// Says what is masked now. It is asked on a thread that may wait, batch by batch: an import may run for hours, and rules that are made meanwhile act on what
/// is yet to come.
#[derive(Clone)]
pub struct MaskNow(Arc<dyn Fn() -> Result<Arc<MaskRules>, StoreError> + Send + Sync>);

impl MaskNow {
    /// What this says.
    pub fn new(now: impl Fn() -> Result<Arc<MaskRules>, StoreError> + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }
}

impl std::fmt::Debug for MaskNow {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("MaskNow")
    }
}

/// What an import works with.
#[derive(Clone, Debug)]
pub struct ImportParts {
    /// Where the logs go.
    pub project: ProjectKey,
    /// Milliseconds since 1970.
    pub now_ms: i64,
    /// Logs older than this many milliseconds are rejected.
    pub retention_ms: i64,
    /// What is masked.
    pub mask: MaskNow,
    /// The project's endpoint names.
    pub endpoints: Arc<EndpointNames>,
    /// For ids of our own.
    pub random: Random,
    /// The door to the database.
    pub writer: LogWriter,
    /// Whether logs may come as this service's own (origin `self`). Whoever sends a file over HTTP is not believed: such logs say who did what here.
    pub may_be_own: bool,
    /// Whether cells of a CSV were guarded against formulas, so that the guard is taken away.
    pub guarded: bool,
}

/// An entry that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// `line` or `entry`.
    pub unit: &'static str,
    /// Which, from 1.
    pub number: u64,
    /// Which record of the file it is, from 1: a header, an empty line, a line break inside quotes do not count.
    pub record: u64,
    /// Why not.
    pub reason: String,
    /// What it said.
    pub source: Source,
}

impl Rejected {
    /// The id that it has in its source.
    pub fn source_id(&self) -> Option<String> {
        let id = match &self.source {
            Source::Record { header, cells } => {
                let place = header.iter().position(|column| column.trim_ascii() == b"id")?;
                String::from_utf8(cells.get(place)?.clone()).ok()?
            }
            Source::Json(text) => {
                let log: serde_json::Value = serde_json::from_slice(text).ok()?;
                log.get("id")?.as_str()?.to_owned()
            }
        };
        Some(id).filter(|id| !id.is_empty())
    }
}

/// What an entry said, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A record of a CSV, and the file's columns.
    Record {
        /// The columns' names.
        header: Arc<Vec<Vec<u8>>>,
        /// The record's fields.
        cells: Vec<Vec<u8>>,
    },
    /// JSON, or what was taken for it.
    Json(Vec<u8>),
}

/// What an import tells while it runs: what was not taken since the last time, and how far it is.
pub type Told = (Vec<Rejected>, Progress);

impl std::fmt::Display for Rejected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}: {}", self.unit, self.number, self.reason)
    }
}

/// How far an import is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of the file that were read.
    pub bytes_read: u64,
    /// Logs that were stored.
    pub accepted: u64,
    /// Logs that were there already.
    pub duplicates: u64,
    /// Entries that were not taken.
    pub rejected: u64,
}

/// Why an import stopped before its file's end. What was accepted until then stays.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file could not be read, or not any further.
    #[error("{0}")]
    Read(String),
    /// The logs could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// What a format gives its entries to.
trait Sink {
    /// One entry: its number from 1, its content (of which its id is made), and what was read from it, or why nothing was.
    fn entry(&mut self, number: u64, content: Content<'_>, draft: Result<Draft<'_>, String>) -> ControlFlow<()>;
}

/// An entry as it came.
#[derive(Clone, Copy, Debug)]
enum Content<'a> {
    /// A record of a CSV, and its header.
    Record(&'a Arc<Vec<Vec<u8>>>, &'a ::csv::ByteRecord),
    /// JSON.
    Json(&'a [u8]),
}

impl<'a> Content<'a> {
    fn bytes(self) -> &'a [u8] {
        match self {
            Self::Record(_, record) => record.as_slice(),
            Self::Json(text) => text,
        }
    }

    fn source(self) -> Source {
        match self {
            Self::Record(header, record) => Source::Record {
                header: Arc::clone(header),
                cells: record.iter().map(<[u8]>::to_vec).collect(),
            },
            Self::Json(text) => Source::Json(text.to_vec()),
        }
    }
}

/// Reads every entry of a file; `guarded` says that its CSV was guarded against formulas.
fn read(format: Format, guarded: bool, file: impl Read, sink: &mut dyn Sink) -> Result<(), String> {
    let mut file = Budgeted::new(file, MAX_ENTRY);
    let budget = file.budget();
    // What a file is shows in its first bytes, however few of them come at once.
    let mut beginning = Vec::new();
    let first = file.by_ref().take(refused::LOOKED_AT as u64).read_to_end(&mut beginning);
    first.map_err(|error| error.to_string())?;
    let text = beginning.strip_prefix(BOM).unwrap_or(&beginning);
    if let Some(why) = refused::refusal(text) {
        return Err(why.to_owned());
    }
    let reader = BufReader::with_capacity(BUFFER, text.chain(file));
    match format {
        Format::Ndjson => ndjson::read(reader, &budget, sink),
        Format::Csv => csv::read(reader, guarded, &budget, sink),
        Format::Har => har::read(reader, &budget, sink),
    }
}

/// Entries that were read together.
struct Batch {
    logs: Vec<NewLog>,
    names: CallNames,
    rejected: Vec<Rejected>,
    bytes_read: u64,
}

impl Batch {
    fn new(parts: &ImportParts) -> Self {
        Self {
            logs: Vec::new(),
            names: CallNames::of(&parts.endpoints),
            rejected: Vec::new(),
            bytes_read: 0,
        }
    }
}

/// Checks entries and gathers them; gives full batches to the writing side.
struct Gatherer {
    parts: ImportParts,
    mask: Arc<MaskRules>,
    /// Why nobody knows what to mask any more.
    failed: Option<StoreError>,
    unit: &'static str,
    batch: Batch,
    batch_bytes: usize,
    /// Entries so far.
    records: u64,
    /// Bytes read so far; the reader counts them.
    bytes_read: Arc<std::sync::atomic::AtomicU64>,
    full: mpsc::Sender<Batch>,
}

impl Gatherer {
    fn check(&self, number: u64, content: &[u8], mut draft: Draft<'_>) -> Result<NewLog, String> {
        let with = EntryContext {
            now_ms: self.parts.now_ms,
            retention_ms: self.parts.retention_ms,
            mask: &self.mask,
            endpoints: &self.batch.names,
            random: &self.parts.random,
            origin: Origin::Application,
            sender: None,
        };
        if draft.origin == Some(Origin::Own) && !self.parts.may_be_own {
            return Err(OWN.to_owned());
        }
        if draft.id.as_deref().is_none_or(str::is_empty) {
            draft.id = Some(Cow::Owned(id_of(number, content)));
        }
        draft.check(&with).map_err(|fault| fault.to_string())
    }

    fn hand_over(&mut self) -> ControlFlow<()> {
        let mut batch = std::mem::replace(&mut self.batch, Batch::new(&self.parts));
        batch.bytes_read = self.bytes_read.load(std::sync::atomic::Ordering::Relaxed);
        self.batch_bytes = 0;
        match self.full.blocking_send(batch) {
            Ok(()) => ControlFlow::Continue(()),
            // The writing side has failed, and says why.
            Err(_) => ControlFlow::Break(()),
        }
    }

    /// Asks what is masked now.
    fn renew(&mut self) -> ControlFlow<()> {
        match (self.parts.mask.0)() {
            Ok(mask) => {
                self.mask = mask;
                ControlFlow::Continue(())
            }
            Err(error) => {
                self.failed = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}

impl Sink for Gatherer {
    fn entry(&mut self, number: u64, content: Content<'_>, draft: Result<Draft<'_>, String>) -> ControlFlow<()> {
        self.records += 1;
        self.batch_bytes += content.bytes().len();
        match draft.and_then(|draft| self.check(number, content.bytes(), draft)) {
            Ok(log) => self.batch.logs.push(log),
            Err(reason) => self.batch.rejected.push(Rejected {
                unit: self.unit,
                number,
                record: self.records,
                reason,
                source: content.source(),
            }),
        }
        if self.batch.logs.len() + self.batch.rejected.len() >= BATCH || self.batch_bytes >= BATCH_BYTES {
            self.hand_over()?;
            return self.renew();
        }
        ControlFlow::Continue(())
    }
}

/// The id of an entry without one: made of its place and its content, the same each time.
fn id_of(number: u64, content: &[u8]) -> String {
    let hash = Sha256::new()
        .chain_update(number.to_be_bytes())
        .chain_update(content)
        .finalize();
    format!("imp_{}", BASE32_NOPAD.encode(&hash[..20]))
}

/// Counts what is read, for the progress.
struct Counted<R> {
    inner: R,
    bytes: Arc<std::sync::atomic::AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.bytes.fetch_add(read as u64, std::sync::atomic::Ordering::Relaxed);
        Ok(read)
    }
}

/// Imports a file. `told` hears every rejected entry, and how far it is after each batch.
pub async fn run(
    parts: ImportParts,
    format: Format,
    file: impl Read + Send + 'static,
    mut told: impl FnMut(&[Rejected], Progress),
) -> Result<Progress, ImportError> {
    let (tell, mut tellings) = mpsc::channel::<Told>(2);
    let hearing = async {
        while let Some((rejected, progress)) = tellings.recv().await {
            told(&rejected, progress);
        }
    };
    let (done, ()) = tokio::join!(run_telling(parts, format, file, tell), hearing);
    done
}

/// Imports a file, telling after each batch; it waits for whoever listens, so that little is ever in memory.
pub async fn run_telling(
    parts: ImportParts,
    format: Format,
    file: impl Read + Send + 'static,
    tell: mpsc::Sender<Told>,
) -> Result<Progress, ImportError> {
    let (full, mut batches) = mpsc::channel(2);
    let bytes = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let file = Counted {
        inner: file,
        bytes: Arc::clone(&bytes),
    };
    let (writer, project, now_ms, guarded) = (parts.writer.clone(), parts.project, parts.now_ms, parts.guarded);
    let reading = tokio::task::spawn_blocking(move || {
        let mut gatherer = Gatherer {
            unit: format.unit(),
            batch: Batch::new(&parts),
            mask: (parts.mask.0)()?,
            failed: None,
            parts,
            batch_bytes: 0,
            records: 0,
            bytes_read: bytes,
            full,
        };
        let read = read(format, guarded, file, &mut gatherer);
        // What came before a file that breaks off is taken; who stopped listening says so itself.
        let _ = gatherer.hand_over();
        match gatherer.failed {
            Some(error) => Err(error),
            None => Ok(read),
        }
    });
    let mut progress = Progress::default();
    while let Some(batch) = batches.recv().await {
        progress.bytes_read = batch.bytes_read;
        progress.rejected += batch.rejected.len() as u64;
        if !batch.logs.is_empty() {
            let (accepted, duplicates) = write(&writer, project, now_ms, batch.logs).await?;
            progress.accepted += accepted;
            progress.duplicates += duplicates;
            if accepted > 0 {
                batch.names.keep();
            }
        }
        // Whoever listened may have failed, and says so itself.
        if tell.send((batch.rejected, progress)).await.is_err() {
            return Err(ImportError::Read("nobody takes what is rejected".to_owned()));
        }
    }
    match reading.await {
        Ok(Ok(Ok(()))) => Ok(progress),
        Ok(Ok(Err(reason))) => Err(ImportError::Read(reason)),
        Ok(Err(error)) => Err(ImportError::Write(error.into())),
        Err(failed) => Err(ImportError::Read(failed.to_string())),
    }
}

/// Writes a batch; where the queue is full, waits and comes back.
async fn write(writer: &LogWriter, project: ProjectKey, received_at: i64, logs: Vec<NewLog>) -> Result<(u64, u64), WriteError> {
    loop {
        match writer
            .write(LogCall {
                project,
                logs: logs.clone(),
                idempotency: None,
                received_at,
            })
            .await
        {
            Ok(written) => return Ok((written.accepted, written.duplicates)),
            Err(WriteError::Full { retry_after_s }) => tokio::time::sleep(Duration::from_secs(retry_after_s.clamp(1, 60))).await,
            Err(error) => return Err(error),
        }
    }
}

/// What of a CSV cannot be read, without checking what can be.
#[cfg(test)]
pub fn rejected_of_csv(file: &[u8]) -> Result<Vec<Rejected>, String> {
    struct Wrong(Vec<Rejected>, u64);
    impl Sink for Wrong {
        fn entry(&mut self, number: u64, content: Content<'_>, draft: Result<Draft<'_>, String>) -> ControlFlow<()> {
            self.1 += 1;
            if let Err(reason) = draft {
                self.0.push(Rejected {
                    unit: "line",
                    number,
                    record: self.1,
                    reason,
                    source: content.source(),
                });
            }
            ControlFlow::Continue(())
        }
    }
    let mut wrong = Wrong(Vec::new(), 0);
    read(Format::Csv, false, file, &mut wrong)?;
    Ok(wrong.0)
}
