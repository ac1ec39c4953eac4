//! A backup: the database as it stood at one moment, in one SQLite file, and beside it the files that its rows name. Servers go on meanwhile.
//!
//! Everything is written beside and synced first; the name that was asked for appears last. So whatever has that name is whole, however the backup ended.
//! The database comes before the files: a file is stored before the row that names it, and keeps its name for good, so that what the copied rows name is there
//! still, unless it was deleted meanwhile by whoever no longer wants it.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::config::DataOptions;
use super::disk;
use super::files::{FileError, Stored};
use super::store::backup::{self, SqliteSource};
use super::store::copy::{self, CopyError};
use super::store::{Db, StoreError};

/// How often the growing file is looked at, to say how far it is.
const LOOK: Duration = Duration::from_millis(500);
/// Bytes that a disk must have left beyond the copy's: a server on it goes on writing.
const SPARE: u64 = 256 << 20;

/// Why there is no backup. Nothing has its name then.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database could not be read, or its copy not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A PostgreSQL could not be copied.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// The files could not be read or written.
    #[error(transparent)]
    Files(#[from] FileError),
    /// The backup could not be written.
    #[error("{0}: {1}")]
    Io(String, io::Error),
    /// Nothing is written over.
    #[error("{0} is there already: a backup writes over nothing. Give another name, or take that away")]
    There(String),
    /// It would fill the disk that a server may be writing to.
    #[error("the disk of {folder} has {free} bytes left, and the copy takes about {wanted}, with {SPARE} to spare")]
    Room {
        /// Where.
        folder: String,
        /// Bytes that are left.
        free: u64,
        /// Bytes of the copy.
        wanted: u64,
    },
    /// A row names a file that is not there.
    #[error(
        "{count} of the files that the database names are not there, {first} among them: is --files-url what the server has? --without-files leaves them out"
    )]
    Missing {
        /// How many.
        count: usize,
        /// One of them.
        first: String,
    },
}

/// How far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// So many bytes of about so many.
    Bytes(u64, u64),
    /// A table of a PostgreSQL.
    Table(copy::Progress<'a>),
    /// The copy is looked through.
    Checking,
    /// So many files of so many.
    Files(usize, usize),
}

/// What was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Bytes of the database's copy.
    pub bytes: u64,
    /// Where the files are, how many, and their bytes; none where there are none.
    pub files: Option<(PathBuf, usize, u64)>,
}

/// What hears how far it is.
pub type Told<'a> = &'a mut (dyn FnMut(Step<'_>) + Send);

/// The names that a backup has, and those that it has until it is whole.
struct Places {
    file: PathBuf,
    files: PathBuf,
    part: PathBuf,
    files_part: PathBuf,
}

impl Places {
    /// By the name that was asked for; refused where anything is there.
    fn of(file: &Path) -> Result<Self, BackupError> {
        let file = std::path::absolute(file).map_err(io_at(file))?;
        let with = |end: &str| {
            let mut name = OsString::from(&file);
            name.push(end);
            PathBuf::from(name)
        };
        let places = Self {
            files: with(".files"),
            part: with(".part"),
            files_part: with(".files.part"),
            file,
        };
        for place in [&places.file, &places.files, &places.part, &places.files_part] {
            if place.symlink_metadata().is_ok() {
                return Err(BackupError::There(place.display().to_string()));
            }
        }
        Ok(places)
    }

    fn folder(&self) -> &Path {
        self.file.parent().unwrap_or(&self.file)
    }
}

/// What is not whole yet: taken away again where it does not come to be.
struct Unfinished(Places);

impl Drop for Unfinished {
    fn drop(&mut self) {
        // What was finished has another name by now.
        let _gone = fs::remove_file(&self.0.part);
        let _gone = fs::remove_dir_all(&self.0.files_part);
    }
}

/// Makes a backup under a name that nothing has. Dropped before its end it takes away what it has written.
pub async fn run(from: &DataOptions, file: &Path, with_files: bool, told: Told<'_>) -> Result<Made, BackupError> {
    let unfinished = Unfinished(Places::of(file)?);
    let places = &unfinished.0;
    make_private(&places.part)?;
    copy_database(&from.database.database_url, places, told).await?;
    told(Step::Checking);
    let names = backup::check_copy(&places.part).await?;
    let copied = if with_files && !names.is_empty() {
        Some(copy_files(from, &names, places, told).await?)
    } else {
        None
    };
    let bytes = sync(&places.part)?;
    if copied.is_some() {
        fs::rename(&places.files_part, &places.files).map_err(io_at(&places.files))?;
    }
    appear(&places.part, &places.file)?;
    sync(places.folder())?;
    Ok(Made {
        bytes,
        files: copied.map(|(count, bytes)| (places.files.clone(), count, bytes)),
    })
}

/// Makes the file, for nobody but whoever runs this: what people did is in it.
fn make_private(file: &Path) -> Result<(), BackupError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file).map_err(io_at(file))?;
    Ok(())
}

async fn copy_database(url: &str, places: &Places, told: Told<'_>) -> Result<(), BackupError> {
    if !url.starts_with("sqlite:") {
        let db = Db::open_existing(url).await?;
        let copied = copy::to_sqlite(&db, &places.part, &mut |progress| told(Step::Table(progress))).await;
        db.close().await;
        copied?;
        return Ok(());
    }
    let mut source = SqliteSource::open(url).await?;
    let wanted = source.bytes().await?;
    if let Some(free) = disk::free(places.folder()).filter(|free| *free < wanted.saturating_add(SPARE)) {
        return Err(BackupError::Room {
            folder: places.folder().display().to_string(),
            free,
            wanted,
        });
    }
    let mut copying = std::pin::pin!(source.copy_to(&places.part));
    let mut looks = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            copied = &mut copying => return Ok(copied?),
            _ = looks.tick() => told(Step::Bytes(fs::metadata(&places.part).map_or(0, |file| file.len()), wanted)),
        }
    }
}

/// Copies the files that rows name: how many, and their bytes.
async fn copy_files(from: &DataOptions, names: &[String], places: &Places, told: Told<'_>) -> Result<(usize, u64), BackupError> {
    let stored = Stored::open(&from.files_url)?;
    make_private_folder(&places.files_part)?;
    let (mut count, mut bytes, mut missing) = (0, 0, Vec::new());
    for (nth, name) in names.iter().enumerate() {
        told(Step::Files(nth, names.len()));
        match stored.copy(name, &places.files_part).await? {
            Some(some) => {
                count += 1;
                bytes += some;
            }
            None => missing.push(name),
        }
    }
    told(Step::Files(names.len(), names.len()));
    if !missing.is_empty() {
        refuse_if_named(&from.database.database_url, &missing).await?;
    }
    sync(&places.files_part)?;
    Ok((count, bytes))
}

fn make_private_folder(folder: &Path) -> Result<(), BackupError> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(io_at(folder))
}

/// Files that were deleted meanwhile are no longer named; one that still is should be there.
async fn refuse_if_named(url: &str, missing: &[&String]) -> Result<(), BackupError> {
    let db = Db::open_existing(url).await?;
    let mut named = Vec::new();
    for file in missing {
        if backup::is_named(&db, file).await? {
            named.push((*file).clone());
        }
    }
    db.close().await;
    match named.first() {
        None => Ok(()),
        Some(first) => Err(BackupError::Missing {
            count: named.len(),
            first: first.clone(),
        }),
    }
}

/// Sees to it that it is on the disk, and gives its bytes.
fn sync(path: &Path) -> Result<u64, BackupError> {
    let synced = File::open(path).and_then(|file| {
        file.sync_all()?;
        Ok(file.metadata()?.len())
    });
    synced.map_err(io_at(path))
}

/// Gives a file its name, unless something has that name by now.
fn appear(part: &Path, file: &Path) -> Result<(), BackupError> {
    match fs::hard_link(part, file) {
        // The other name is taken away with what is unfinished.
        Ok(()) => Ok(()),
        Err(problem) if problem.kind() == ErrorKind::AlreadyExists => Err(BackupError::There(file.display().to_string())),
        // Some file systems know no second names.
        Err(_) => fs::rename(part, file).map_err(io_at(file)),
    }
}

fn io_at(path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.display().to_string();
    move |problem| BackupError::Io(path, problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.db");
        assert!(Places::of(&file).is_ok());
        for end in ["", ".files", ".part", ".files.part"] {
            let there = folder.path().join(format!("a.db{end}"));
            fs::write(&there, b"x").unwrap();
            assert!(matches!(Places::of(&file), Err(BackupError::There(_))), "{end}");
            fs::remove_file(&there).unwrap();
        }
        fs::write(&file, b"kept").unwrap();
        let part = folder.path().join("part");
        fs::write(&part, b"new").unwrap();
        assert!(matches!(appear(&part, &file), Err(BackupError::There(_))));
        assert_eq!(fs::read(&file).unwrap(), b"kept");
    }

    #[test]
    fn what_is_unfinished_goes() {
        let folder = tempfile::tempdir().unwrap();
        let places = Places::of(&folder.path().join("a.db")).unwrap();
        make_private(&places.part).unwrap();
        make_private_folder(&places.files_part).unwrap();
        fs::write(places.files_part.join("b"), b"x").unwrap();
        drop(Unfinished(places));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
