//! What was recorded, on disk, until it is stored: segments that are only ever appended to, each a row of sealed frames, and the place up to which everything is stored.
//!
//! In the folder: `ID` (what tells this spool's records from another's), `N.seg` (the segments), `position` (up to where everything is stored), `gap.json` and `tally`
//! (see `scribe`), `lock` (one process has it). A frame is written with one call, and synced within a second: whoever kills the process loses nothing that was written, a power cut
//! loses a second. The segment before `position`'s is deleted. It never grows past its bound.

mod frame;
mod position;
pub(crate) mod record;

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use data_encoding::HEXLOWER;
use tokio::sync::watch;

use crate::server::clock::Random;
use crate::server::secrets::{InstanceKey, purposes};
use frame::{HEAD, Head};
pub(crate) use position::{NoPosition, Position};
use record::Record;

/// A segment begins when the one before has so many bytes, or a sixteenth of the bound.
const SEGMENT_BYTES: u64 = 16 << 20;
/// The end of a segment's name.
const ENDING: &str = "seg";

/// Why there is no spool.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// Its folder cannot be used.
    #[error("the spool {}: {error}", .folder.display())]
    Folder {
        /// Which.
        folder: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Another process has it.
    #[error("the spool {} belongs to another gateway that is running", .0.display())]
    Taken(PathBuf),
}

/// Why records were not appended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AppendError {
    /// There is no room for them within the bound.
    #[error("the spool is full")]
    Full,
    /// The disk said no.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// What was read of a spool.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// Records, in their order.
    pub(crate) records: Vec<Record>,
    /// Where the next ones begin.
    pub(crate) next: Position,
    /// Records that could not be read, and were passed over.
    pub(crate) damaged: u64,
}

/// A spool that is open.
pub(crate) struct Spool {
    folder: PathBuf,
    id: String,
    key: Arc<InstanceKey>,
    random: Random,
    bound: u64,
    segment_bytes: u64,
    state: Mutex<State>,
    end: watch::Sender<Position>,
    _lock: File,
}

/// What lies where.
struct State {
    /// Bytes of each segment, by its number.
    segments: BTreeMap<u64, u64>,
    /// The last one, where this process began it.
    last: Option<File>,
    /// Whether something was written since the last sync.
    is_dirty: bool,
    stored: Position,
}

impl State {
    fn bytes(&self) -> u64 {
        self.segments.values().sum()
    }

    fn end(&self) -> Position {
        let last = self.segments.last_key_value();
        let end = last.map_or(self.stored, |(segment, length)| Position {
            segment: *segment,
            offset: *length,
        });
        end.max(self.stored)
    }
}

impl Spool {
    /// Opens a folder's spool, making it where it is not there. What was being written when the last process ended is cut off.
    pub(crate) fn open(folder: &Path, bound: u64, key: Arc<InstanceKey>, random: Random) -> Result<Self, SpoolError> {
        let failed = |error| SpoolError::Folder {
            folder: folder.to_owned(),
            error,
        };
        fs::create_dir_all(folder).map_err(failed)?;
        let lock = File::create(folder.join("lock")).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(SpoolError::Taken(folder.to_owned())),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let id = identity(folder, &random).map_err(failed)?;
        let segments = found(folder).map_err(failed)?;
        let stored = fs::read_to_string(folder.join("position"))
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or_default();
        let state = State {
            segments,
            last: None,
            is_dirty: false,
            stored,
        };
        let end = watch::Sender::new(state.end());
        let spool = Self {
            folder: folder.to_owned(),
            id,
            key,
            random,
            bound,
            segment_bytes: (bound / 16).min(SEGMENT_BYTES),
            state: Mutex::new(state),
            end,
            _lock: lock,
        };
        spool.measure(&spool.state());
        Ok(spool)
    }

    /// What tells this spool from others.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where it ends, as that changes.
    pub(crate) fn ends(&self) -> watch::Receiver<Position> {
        self.end.subscribe()
    }

    /// Up to where everything is stored.
    pub(crate) fn stored(&self) -> Position {
        self.state().stored
    }

    /// Whether less than half of its bound is used.
    pub(crate) fn is_half_empty(&self) -> bool {
        self.state().bytes() < self.bound / 2
    }

    /// Appends records, all or none.
    pub(crate) fn append(&self, records: &[Record]) -> Result<(), AppendError> {
        let sealed = self.key.seal(purposes::GATEWAY_SPOOL, &record::encode(records), &self.random);
        let frame = frame::frame(&sealed, records.len() as u32);
        let mut state = self.state();
        if sealed.len() > frame::MAX_SEALED || state.bytes() + frame.len() as u64 > self.bound {
            return Err(AppendError::Full);
        }
        self.write(&mut state, &frame)?;
        self.measure(&state);
        self.end.send_replace(state.end());
        Ok(())
    }

    fn write(&self, state: &mut State, frame: &[u8]) -> io::Result<()> {
        let (number, length) = state
            .segments
            .last_key_value()
            .map_or((0, 0), |(number, length)| (*number, *length));
        let (number, length) = if state.last.is_none() || length >= self.segment_bytes {
            let next = number.max(state.stored.segment) + 1;
            if let Some(full) = &state.last {
                full.sync_data()?;
            }
            state.last = Some(File::options().write(true).create_new(true).open(self.segment(next))?);
            state.segments.insert(next, 0);
            (next, 0)
        } else {
            (number, length)
        };
        let Some(file) = &mut state.last else {
            return Err(io::Error::other("no segment is open"));
        };
        if let Err(error) = file.write_all(frame) {
            // Half a frame is taken back; where even that fails, the next one begins another segment, and reading passes over the half.
            if file
                .set_len(length)
                .and_then(|()| file.seek(SeekFrom::Start(length)))
                .is_err()
            {
                state.last = None;
            }
            return Err(error);
        }
        state.is_dirty = true;
        state.segments.insert(number, length + frame.len() as u64);
        Ok(())
    }

    /// Sees to it that what was appended outlives the machine.
    pub(crate) fn sync(&self) -> io::Result<()> {
        let file = {
            let mut state = self.state();
            if !std::mem::take(&mut state.is_dirty) {
                return Ok(());
            }
            state.last.as_ref().map(File::try_clone).transpose()?
        };
        // Nobody who reads waits for the disk.
        file.map_or(Ok(()), |file| file.sync_data())
    }

    /// Reads records from a place on, about so many bytes of them; nothing where there are none yet. Frames that are harmed are passed over.
    pub(crate) fn read(&self, from: Position, bytes: usize) -> io::Result<Chunk> {
        let mut chunk = Chunk {
            next: from,
            ..Chunk::default()
        };
        let Some((mut at, length)) = self.place(from) else {
            return Ok(chunk);
        };
        let mut file = File::open(self.segment(at.segment))?;
        file.seek(SeekFrom::Start(at.offset))?;
        let mut weight = 0;
        while at.offset < length && weight < bytes {
            match self.read_frame(&mut file, at, length)? {
                Frame::Whole(records, end) => {
                    weight += records.iter().map(Record::weight).sum::<usize>();
                    chunk.records.extend(records);
                    at = end;
                }
                Frame::Harmed(records, end) => {
                    tracing::error!(place = %at, records, "a part of the spool is damaged, or sealed with another key: it is passed over");
                    chunk.damaged += records;
                    at = end;
                }
            }
        }
        chunk.next = at;
        Ok(chunk)
    }

    fn read_frame(&self, file: &mut File, at: Position, length: u64) -> io::Result<Frame> {
        let left = length - at.offset;
        let lost = Position { offset: length, ..at };
        if left < HEAD as u64 {
            return Ok(Frame::Harmed(1, lost));
        }
        let mut head = [0; HEAD];
        file.read_exact(&mut head)?;
        let Some(head) = Head::read(&head).filter(|head| (head.sealed + HEAD) as u64 <= left) else {
            // Where this frame ends nobody knows, nor how many come after it.
            return Ok(Frame::Harmed(1, lost));
        };
        let mut sealed = vec![0; head.sealed];
        file.read_exact(&mut sealed)?;
        let records = head
            .is_of(&sealed)
            .then(|| self.key.open(purposes::GATEWAY_SPOOL, &sealed))
            .flatten()
            .and_then(|plain| record::decode(&plain));
        Ok(match records {
            Some(records) => Frame::Whole(records, head.end(at)),
            None => Frame::Harmed(u64::from(head.records.clamp(1, 1 << 16)), head.end(at)),
        })
    }

    /// The place at or after this one where something lies, and how long its segment is.
    fn place(&self, from: Position) -> Option<(Position, u64)> {
        let state = self.state();
        state.segments.range(from.segment..).find_map(|(segment, length)| {
            let offset = if *segment == from.segment { from.offset } else { 0 };
            let at = Position {
                segment: *segment,
                offset,
            };
            (offset < *length).then_some((at, *length))
        })
    }

    /// Notes that everything before a place is stored; what nobody needs any more is deleted.
    pub(crate) fn acknowledge(&self, position: Position) -> io::Result<()> {
        let mut state = self.state();
        if position <= state.stored || position > state.end() {
            return Ok(());
        }
        replace(&self.folder.join("position"), position.to_string().as_bytes())?;
        state.stored = position;
        let done: Vec<u64> = state.segments.range(..position.segment).map(|(number, _)| *number).collect();
        for number in done {
            fs::remove_file(self.segment(number))?;
            state.segments.remove(&number);
        }
        self.measure(&state);
        Ok(())
    }

    fn segment(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{number}.{ENDING}"))
    }

    fn measure(&self, state: &State) {
        metrics::gauge!("gateway_spool_bytes").set(state.bytes() as f64);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What it says is put in after the disk has taken it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What stands at a place.
enum Frame {
    /// Records, and where the next frame begins.
    Whole(Vec<Record>, Position),
    /// So many records that cannot be read, and where it goes on.
    Harmed(u64, Position),
}

/// Writes a small file whole or not at all.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let draft = path.with_extension("draft");
    fs::write(&draft, bytes)?;
    fs::rename(draft, path)
}

/// The spool's own name, made at its beginning.
fn identity(folder: &Path, random: &Random) -> io::Result<String> {
    let path = folder.join("ID");
    match fs::read_to_string(&path) {
        Ok(id) if id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) => Ok(id),
        Ok(_) => Err(io::Error::other("the file ID is not what this program wrote")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let id = HEXLOWER.encode(&random.bytes::<8>());
            replace(&path, id.as_bytes())?;
            Ok(id)
        }
        Err(error) => Err(error),
    }
}

/// The segments that are there. The last one may end in half a frame, which is cut off.
fn found(folder: &Path) -> io::Result<BTreeMap<u64, u64>> {
    let mut segments = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let number = path
            .file_stem()
            .and_then(|stem| stem.to_str()?.parse().ok())
            .filter(|_| path.extension().is_some_and(|ending| ending == ENDING));
        if let Some(number) = number {
            segments.insert(number, entry.metadata()?.len());
        }
    }
    if let Some((number, length)) = segments.last_entry().map(|last| (*last.key(), *last.get())) {
        let whole = whole(&folder.join(format!("{number}.{ENDING}")))?;
        if whole < length {
            tracing::warn!(
                bytes = length - whole,
                "what was being written when the gateway ended is cut off"
            );
        }
        segments.insert(number, whole);
    }
    Ok(segments)
}

/// How far a segment's frames are whole; what follows is cut off.
fn whole(path: &Path) -> io::Result<u64> {
    let mut file = File::options().read(true).write(true).open(path)?;
    let length = file.metadata()?.len();
    let mut at = Position::default();
    while at.offset + HEAD as u64 <= length {
        let mut head = [0; HEAD];
        file.read_exact(&mut head)?;
        let Some(head) = Head::read(&head).filter(|head| head.end(at).offset <= length) else {
            break;
        };
        let mut sealed = vec![0; head.sealed];
        file.read_exact(&mut sealed)?;
        if !head.is_of(&sealed) {
            break;
        }
        at = head.end(at);
    }
    file.set_len(at.offset)?;
    Ok(at.offset)
}

#[cfg(test)]
mod tests;
